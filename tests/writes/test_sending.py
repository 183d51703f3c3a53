"""What became of a write is said as far as it is known, and no further; nothing is sent twice."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.plant import until
from tests.writes.rig import Shop, shop

from bedplate.command import Sending
from bedplate.runtime.fresh_samples import FreshSamples
from bedplate.runtime.source import Source
from bedplate.runtime.writing import Writing


def plain(shop: Shop, path: str = "acme/press/speed") -> tuple[Writing, Any]:
    plant = Writing(shop.kernel)
    point = plant.point(path)
    assert point is not None
    return plant, point


async def test_a_value_arrives_once_and_is_read_back_from_the_device(tmp_path: Path) -> None:
    async with shop(tmp_path) as press:
        plant, point = plain(press)
        sent = await plant.send(point, 95.0, "c1", 5.0)
        back = await plant.read_back(point, 5.0)

    assert sent.outcome is Sending.ANSWERED
    assert back.raw == 95.0
    assert press.effects == ["speed 95.0"]


@pytest.mark.parametrize(
    ("how", "outcome", "effects"),
    [
        ("refuse", Sending.REFUSED, 0),
        ("lost", Sending.UNKNOWN, 1),
        ("bug", Sending.UNKNOWN, 1),
        ("hang", Sending.UNKNOWN, 0),
    ],
)
async def test_what_is_not_known_is_not_claimed(
    tmp_path: Path, how: str, outcome: Sending, effects: int
) -> None:
    async with shop(tmp_path) as press:
        plant, point = plain(press)
        press.how(how)
        sent = await plant.send(point, 95.0, "c1", 0.2)
        press.how("")

    assert sent.outcome is outcome, sent.text
    assert sent.text
    assert len(press.effects) == effects


@pytest.mark.parametrize(("how", "effects"), [("die", 1), ("die-before", 0)])
async def test_a_plugin_that_dies_on_the_way_leaves_it_unknown_and_it_is_not_sent_again(
    tmp_path: Path, how: str, effects: int
) -> None:
    async with shop(tmp_path, placement="process") as press:
        plant, point = plain(press)
        press.how(how)
        sent = await plant.send(point, 95.0, "c1", 5.0)
        press.how("")
        await until(lambda: plant.device("press").up)

    assert sent.outcome is Sending.UNKNOWN, sent.text
    assert len(press.effects) == effects


async def test_without_a_session_it_is_certain_that_nothing_left(tmp_path: Path) -> None:
    async with shop(tmp_path) as press:
        plant, point = plain(press)
        press.how("away")
        await until(lambda: not plant.device("press").up)
        sent = await plant.send(point, 95.0, "c1", 5.0)
        device = plant.device("press")

    assert sent.outcome is Sending.NOT_SENT
    assert "press is unreachable: the machine hung up" in sent.text
    assert device.why == sent.text
    assert press.effects == []


async def test_a_source_that_only_pushes_is_read_back_by_what_it_says_next(tmp_path: Path) -> None:
    async with shop(tmp_path, use="pushing") as press:
        plant, point = plain(press)
        assert (await plant.send(point, 95.0, "c1", 5.0)).outcome is Sending.ANSWERED
        assert (await plant.read_back(point, 5.0)).raw == 95.0
        press.how("clamp")
        assert (await plant.send(point, 110.0, "c2", 5.0)).outcome is Sending.ANSWERED
        assert (await plant.read_back(point, 0.3)).raw == 80.0
        press.how("")
        assert (await plant.send(point, 80.0, "c3", 5.0)).outcome is Sending.ANSWERED
        assert (await plant.read_back(point, 0.3)).raw == 80.0, "it had it before"


async def test_a_scaled_value_that_a_pushing_source_had_before_is_its_read_back(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path, use="pushing") as press:
        plant, point = plain(press, "acme/press/scaled")
        assert (await plant.send(point, 7, "c1", 5.0)).outcome is Sending.ANSWERED
        assert (await plant.read_back(point, 0.3)).raw == 7, "0.7 / 0.1 is a little less than 7"


async def test_nobody_goes_on_listening_after_a_write_that_was_refused(tmp_path: Path) -> None:
    async with shop(tmp_path, use="pushing") as press:
        plant, point = plain(press)
        role = press.kernel.components["press"].role
        press.how("refuse")
        assert (await plant.send(point, 95.0, "c1", 5.0)).outcome is Sending.REFUSED
        assert isinstance(role, Source)
        assert not isinstance(getattr(role.arrived, "__self__", None), FreshSamples)


async def test_a_point_says_what_the_guard_must_know(tmp_path: Path) -> None:
    async with shop(tmp_path) as press:
        plant, point = plain(press, "acme/press/scaled")
        guard = plant.point("acme/press/guard")
        speed = plant.reading("acme/press/speed")
        names = plant.neighbours("acme/press")

    assert (point.device, point.asset, point.scale) == ("press", "acme/press", (0.1, 0.0))
    assert point.limits is not None
    assert point.limits.range == (0, 100)
    assert guard is not None
    assert guard.limits is None
    assert plant.point("acme/press/nothing") is None
    assert speed is not None
    assert speed.value == 100.0
    assert 0 <= speed.age < 5
    assert names["guard"] == "acme/press/guard"


async def test_a_fraction_of_a_millisecond_that_is_left_is_not_no_end_at_all(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path) as press:
        plant, point = plain(press)
        found = press.kernel.components["press"].role.attachment
        assert found is not None
        posted: list[int] = []
        send = found._send

        def spied(message: Any) -> None:
            posted.extend(ask.within_ms for ask in message.asks if ask.HasField("write"))
            send(message)

        found._send = spied
        sent = await plant.send(point, 95.0, "c1", 0.0005)

    assert sent.outcome is Sending.EXPIRED or posted == [1], (sent, posted)
    assert 0 not in posted, "0 is no limit: it would be sent within the hour"


@pytest.mark.case("A69")
async def test_a_plugin_that_stands_still_does_not_come_to_a_write_later(tmp_path: Path) -> None:
    async with shop(tmp_path, placement="process") as press:
        plant, point = plain(press)
        place = press.kernel.components["press"].place
        still = place.run.pid
        os.kill(still, signal.SIGSTOP)
        sent = await plant.send(point, 95.0, "c1", 0.2)
        await until(lambda: not os.path.exists(f"/proc/{still}"))
        await until(lambda: plant.device("press").up)

    assert sent.outcome is Sending.UNKNOWN, sent.text
    assert press.effects == []
