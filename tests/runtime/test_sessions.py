"""Sessions of connectors: what the kernel does for their authors, in both placements alike."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.plant import PLACEMENTS, code, plant, state, until, value

from bedplate.model import quality
from bedplate.plugin.v1 import plugin_pb2
from bedplate.runtime.lifecycle import Backoff

pytestmark = pytest.mark.parametrize("placement", PLACEMENTS)
ONE = """
connectors:
  box:
    use: counter
    placement: PLACE
    folder: FOLDER
    scan_classes: {fast: 50ms}
    tags: {number: {address: a, scan: fast}, missing: {address: none, scan: fast}}
"""


async def test_values_arrive_in_order_and_a_bad_tag_harms_only_itself(
    tmp_path: Path, placement: str
) -> None:
    async with plant(tmp_path, ONE, placement=placement) as kernel:
        await until(lambda: (value(kernel, "box/number") or 0) > 3)

        assert code(kernel, "box/number") == quality.GOOD
        assert quality.is_bad(code(kernel, "box/missing"))
        assert state(kernel, "box") == "degraded"
        assert kernel.components["box"].role.figures.problems == {2: "no such register"}


async def test_a_lost_device_turns_its_tags_uncertain_and_comes_back_by_itself(
    tmp_path: Path, placement: str
) -> None:
    async with plant(tmp_path, ONE, placement=placement) as kernel:
        await until(lambda: value(kernel, "box/number"))
        (tmp_path / "cut").touch()
        await until(lambda: state(kernel, "box") == "unreachable")

        assert code(kernel, "box/number") == quality.UNCERTAIN_LAST_USABLE
        assert kernel.components["box"].life.reason == "the device hung up"
        (tmp_path / "cut").unlink()
        await until(lambda: state(kernel, "box") in ("up", "degraded"))
        await until(lambda: code(kernel, "box/number") == quality.GOOD)


async def test_an_unreachable_device_is_never_faulted(tmp_path: Path, placement: str) -> None:
    (tmp_path / "cut").touch()
    async with plant(tmp_path, ONE, placement=placement) as kernel:
        supervisor = kernel.components["box"]
        supervisor._backoff._first = supervisor._backoff._last = 0.02
        await until(lambda: supervisor.role.figures.restarts > 10)

        assert state(kernel, "box") == "unreachable"
        assert supervisor.life.reason == "the device is away"


async def test_a_bug_is_counted_and_too_many_are_faulted(tmp_path: Path, placement: str) -> None:
    async with plant(tmp_path, ONE, placement=placement) as kernel:
        await until(lambda: value(kernel, "box/number"))
        (tmp_path / "wrong").touch()
        await until(lambda: state(kernel, "box") == "faulted")
        supervisor = kernel.components["box"]

        assert supervisor.life.reason == "ZeroDivisionError: division by zero"
        assert "rigs.py" in supervisor.trace
        assert not quality.is_good(code(kernel, "box/number"))


@pytest.mark.parametrize(
    ("how", "words"), [("settings", "/how: how must not be settings"), ("", "99 is no register")]
)
async def test_refused_settings_are_shown_and_never_retried(
    tmp_path: Path, placement: str, how: str, words: str
) -> None:
    text = f"connectors: {{p: {{use: picky, placement: PLACE, how: '{how}', tags: {{a: {{address: x}}}}}}}}"
    async with plant(tmp_path, text, placement=placement) as kernel:
        await until(lambda: state(kernel, "p") == "invalid")
        await asyncio.sleep(0.2)

        assert words in kernel.components["p"].life.reason
        assert kernel.components["p"].role.figures.restarts == 0


async def test_a_blocking_driver_stalls_only_itself(tmp_path: Path, placement: str) -> None:
    text = """
connectors:
  slow: {use: blocking, placement: PLACE, scan_classes: {fast: 50ms}, tags: {n: {address: a, scan: fast}}}
  quick: {use: counter, placement: PLACE, scan_classes: {fast: 50ms}, tags: {n: {address: a, scan: fast}}}
"""
    async with plant(tmp_path, text, placement=placement) as kernel:
        await until(
            lambda: (value(kernel, "quick/n") or 0) > 5 and (value(kernel, "slow/n") or 0) > 5
        )


async def test_a_hang_in_read_ends_that_session_alone(
    tmp_path: Path, placement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.scanning.READ_WITHIN", 0.3)
    text = """
connectors:
  stuck: {use: troubled, placement: PLACE, how: hang in read, tags: {n: {address: a}}}
  quick: {use: counter, placement: PLACE, scan_classes: {fast: 50ms}, tags: {n: {address: a, scan: fast}}}
"""
    async with plant(tmp_path, text, placement=placement) as kernel:
        await until(lambda: state(kernel, "stuck") == "unreachable")
        before = await until(lambda: value(kernel, "quick/n"))

        assert kernel.components["stuck"].life.reason == "read did not end in time"
        await until(lambda: value(kernel, "quick/n") > before)


async def test_a_read_with_too_few_values_is_the_authors_bug(
    tmp_path: Path, placement: str
) -> None:
    text = (
        "connectors: {t: {use: troubled, placement: PLACE, how: too few, tags: {n: {address: a}}}}"
    )
    async with plant(tmp_path, text, placement=placement) as kernel:
        await until(lambda: state(kernel, "t") == "faulted")

        assert "asked for 1 tags and returned 0 values" in kernel.components["t"].life.reason


async def test_pushed_samples_are_confirmed_once_they_are_on_disk_and_none_is_lost(
    tmp_path: Path, placement: str
) -> None:
    text = """
connectors:
  push: {use: pusher, placement: PLACE, folder: FOLDER, most: 500, tags: {number: {address: a}}}
"""
    async with plant(tmp_path, text, placement=placement) as kernel:
        confirmed = tmp_path / "confirmed"
        await until(lambda: confirmed.exists() and confirmed.read_text().endswith("451 500\n"))

        assert value(kernel, "push/number") == 500
        assert kernel.components["push"].role.figures.produced == 500
        assert kernel.engine.state().synced == kernel.engine.state().appended


async def test_a_stop_is_bounded_although_a_plugin_hangs(tmp_path: Path, placement: str) -> None:
    text = """
connectors:
  one: {use: troubled, placement: PLACE, how: hang in close, tags: {n: {address: a}}}
  two: {use: troubled, placement: PLACE, how: hang in open, tags: {n: {address: a}}}
"""
    async with plant(tmp_path, text, placement=placement) as kernel:
        await until(lambda: value(kernel, "one/n"))
        loop = asyncio.get_running_loop()
        began = loop.time()
        await kernel.stop()

    assert loop.time() - began < 5


async def test_a_missing_secret_is_told_and_is_nobodys_bug(tmp_path: Path, placement: str) -> None:
    secret = '{secret: "env:NOBODY_SET_THIS"}'
    text = f"connectors: {{p: {{use: counter, placement: PLACE, how: {secret}, tags: {{a: {{address: x}}}}}}}}"
    async with plant(tmp_path, text, placement=placement) as kernel:
        await until(lambda: state(kernel, "p") == "unreachable")

        assert "NOBODY_SET_THIS" in kernel.components["p"].life.reason


async def test_a_stop_while_a_session_winds_down_waits_for_no_other_try(
    tmp_path: Path, placement: str
) -> None:
    async with plant(tmp_path, ONE, placement=placement) as kernel:
        box, loop = kernel.components["box"], asyncio.get_running_loop()
        await until(lambda: value(kernel, "box/number"))
        winding_down, served = asyncio.Event(), box.role.serve

        async def slow_to_end(*words: Any) -> None:
            try:
                await served(*words)
            finally:
                winding_down.set()
                await asyncio.sleep(0.5)

        box.role.serve = slow_to_end
        box.lose(plugin_pb2.CODE_UNREACHABLE, "for the test")
        await until(lambda: state(kernel, "box") == "unreachable")
        await until(lambda: state(kernel, "box") != "unreachable")
        await until(lambda: box.role.attachment and state(kernel, "box") in ("up", "degraded"))
        box._backoff = Backoff(30.0, 30.0)
        box.lose(plugin_pb2.CODE_UNREACHABLE, "for the test")
        await winding_down.wait()
        began = loop.time()
        await box.stop()

        assert state(kernel, "box") == "stopped"
        assert loop.time() - began < 5  # the next try would be after 30 s
