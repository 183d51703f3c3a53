"""`bedplate why`: for every kind of subject what was seen, link by link, and always lost, whose and what to do."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from tests.causes.shop import link, running, shop, why
from tests.causes.test_live_causes import all_up, files
from tests.runtime.plant import code, state, until, value

from bedplate.errors import CallError
from bedplate.model import quality
from bedplate.runtime.causes import Whose

LIMITS = """
analytics:
  sums: {use: sums, for: press, placement: inline, of: temperature}
"""
CLOCK = re.compile(r"\d\d:\d\d:\d\d")


def ends_well(answer: Any) -> None:
    """What every answer ends with."""
    assert answer.headline
    assert answer.lost
    assert answer.whose_text
    assert answer.actions
    whole = " ".join((*answer.actions, answer.cause, *answer.effect, answer.whose_text)).lower()
    assert "check the log" not in whole
    assert "{" not in whole
    for one in answer.chain:
        assert one.state in ("good", "bad", "unknown")
        assert one.text


async def test_a_node_that_is_gone_is_the_machines_program_with_the_last_good_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, shop(2, 2, LIMITS), monkeypatch) as kernel:
        await all_up_but_analytics(kernel)
        files(tmp_path, "gone", "press-12")
        await until(
            lambda: quality.is_bad(
                code(kernel, "acme/berlin/press-shop/line1/press-12/temperature")
            )
        )
        answer = await why(kernel, "press-12/temperature")
        ends_well(answer)
        assert answer.subject == "acme/berlin/press-shop/line1/press-12/temperature"
        assert re.fullmatch(
            r"Bad \(BadNodeIdUnknown\) for [\d.]+ s · last good \d+ °C at \d\d:\d\d:\d\d.*",
            answer.headline,
        )
        assert answer.cause == "the machine's program no longer has this node (BadNodeIdUnknown)"
        assert all(CLOCK.search(fact) for fact in answer.facts)
        assert any("last good value" in fact for fact in answer.facts)
        assert any("turned BadNodeIdUnknown" in fact for fact in answer.facts)
        assert [one.name for one in answer.chain][1:] == [
            "journal", "process", "network", "session", "scan", "node",
        ]  # fmt: skip
        states = {one.name: one.state for one in answer.chain}
        assert states["node"] == "bad"
        assert {states[name] for name in ("journal", "process", "network", "session", "scan")} == {
            "good"
        }
        assert "0x80340000: no such node" in link(answer, "node").text
        assert "not tried" in link(answer, "network").text, "a device with a session is left alone"
        assert answer.also[0] == "3 of 3 others of type press that answer have temperature"
        assert answer.effect == ["sums of press-12 has no temperature: its results stand still"]
        assert answer.whose == Whose.MACHINE_PROGRAM
        assert (
            answer.whose_text
            == "machine program (not storage, not plugin, not network, not Bedplate)"
        )
        assert "plant.yaml:" in answer.actions[0]
        fine = await why(kernel, "press-12/parts")
        ends_well(fine)
        assert fine.headline.startswith("Good · ")
        assert fine.cause == ""
        assert fine.whose_text == "nobody's: nothing is wrong"


async def all_up_but_analytics(kernel: Any) -> None:
    presses = [n for n in kernel.components if n.startswith("press")]
    await until(lambda: all(state(kernel, name) == "up" for name in presses))
    await until(lambda: all(kernel.components[name].role.good() == 2 for name in presses))


async def test_an_unreachable_device_is_tried_and_told_apart_from_its_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, shop(1, 2), monkeypatch) as kernel:
        await all_up(kernel)
        files(tmp_path, "off", "press-12")
        await until(lambda: state(kernel, "press-12") == "unreachable")
        answer = await why(kernel, "press-12")
        ends_well(answer)
        assert answer.cause.startswith("unreachable: 127.0.1.12:9100")
        assert link(answer, "network").text == "127.0.1.12:9100: connection refused"
        assert (link(answer, "network").state, link(answer, "session").state) == ("bad", "bad")
        assert answer.whose == Whose.DEVICE, "its machine is on"
        assert answer.actions[0].startswith("The machine is on, and nothing listens")
        assert (link(answer, "scan").state, link(answer, "scan").text) == (
            "unknown", "could not be seen: no session",
        )  # fmt: skip
        assert answer.also[0] == "1 of 1 others of type press answer"
        tag = await why(kernel, "press-12/parts")
        assert link(tag, "node").state == "unknown"
        assert "parts" in tag.lost[0] or "all 2 tags" in tag.lost[0]

        server = await asyncio.start_server(
            lambda reader, writer: writer.close(), "127.0.1.11", 9100
        )
        async with server:
            files(tmp_path, "off", "press-11")
            await until(lambda: state(kernel, "press-11") == "unreachable")
            there = await why(kernel, "press-11")
        assert "127.0.1.11:9100 takes connections, in " in link(there, "network").text
        assert there.actions[0].startswith("The address answers, so network and power are well")


async def test_a_whole_line_is_told_with_its_cause_and_everything_that_hangs_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, shop(2, 3, LIMITS), monkeypatch) as kernel:
        await all_up_but_analytics(kernel)
        monkeypatch.setattr("bedplate.runtime.source.BAD_AFTER", 0.1)
        files(tmp_path, "off", "press-21", "press-22", "press-23")
        await until(
            lambda: len(kernel.causes.now()) == 1 and len(kernel.causes.now()[0].components) == 3
        )
        lost = quality.BAD_NO_COMMUNICATION
        paths = [f"acme/berlin/press-shop/line2/press-2{n}/temperature" for n in (1, 2, 3)]
        await until(lambda: all(code(kernel, path) == lost for path in paths))
        for subject in ("line2", "press-shop/line2"):
            answer = await why(kernel, subject)
            ends_well(answer)
            assert answer.headline.startswith("3 of 3 in trouble for ")
            assert "nobody else: look at their switch" in answer.cause
            assert answer.whose == Whose.NETWORK
            assert answer.effect == [
                "sums of press-21, press-22, press-23 has no temperature: its results stand still"
            ]
        limit = await why(kernel, "press-21/temperature")
        assert limit.whose == Whose.NETWORK
        alarm = await until(lambda: next(iter(kernel.spine.alarms.standing()), None))
        answer = await why(kernel, alarm.source)
        ends_well(answer)
        assert answer.headline.startswith("unacknowledged for ")
        assert answer.whose == Whose.NETWORK
        one = await why(kernel, "press-22")
        assert one.also[0] == "the same cause hits press-21, press-23"
        assert "the same cause" not in " ".join((await why(kernel, "127.0.1.11")).also)


async def test_a_bug_is_the_plugins_with_its_support_and_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, shop(1, 2), monkeypatch) as kernel:
        await all_up(kernel)
        files(tmp_path, "bug", "press-12")
        await until(lambda: state(kernel, "press-12") == "faulted", within=60)
        answer = await why(kernel, "press-12")
        ends_well(answer)
        assert answer.whose_text == "plugin press.py; its support: shop@example"
        assert "bedplate support" in answer.actions[0]
        assert any("press.py" in fact and "line" in fact for fact in answer.facts)
        assert any("(5 times since " in fact for fact in answer.facts), "what repeats is one line"
        assert len(answer.facts) <= 8


async def test_what_is_off_or_set_aside_is_told_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shop(1, 2).replace(
        "    folder: FOLDER\n", "    folder: FOLDER\n    expected: never\n", 1
    )
    files(tmp_path, "off", "press-11")
    async with running(tmp_path, text, monkeypatch) as kernel:
        await until(lambda: state(kernel, "press-11") == "off")
        answer = await why(kernel, "press-11")
        ends_well(answer)
        assert answer.cause == "off: silent, and never expected"
        assert answer.whose_text == "nobody's: it is not expected to speak now"
        kernel.maintenance.begin(
            "press-12", kernel.clock.time_ns() + 3600 * 10**9, "operator-1", "new ram seal"
        )
        await until(lambda: state(kernel, "press-12") == "set aside")
        await kernel.engine.synced(kernel.engine.state().appended)
        answer = await why(kernel, "press-12")
        ends_well(answer)
        assert answer.whose == Whose.PERSON
        assert "new ram seal" in answer.whose_text
        assert "operator-1" in answer.whose_text
        assert answer.actions == [
            "Back into service before its time: bedplate maintenance press-12 --end"
        ]
        assert any("is set aside until" in fact for fact in answer.facts)


async def test_facts_of_before_a_restart_are_still_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, shop(1, 1), monkeypatch) as kernel:
        await all_up(kernel)
        files(tmp_path, "off", "press-11")
        await until(lambda: state(kernel, "press-11") == "unreachable")
        await kernel.engine.synced(kernel.engine.state().appended)
    async with running(tmp_path, shop(1, 1), monkeypatch) as kernel:
        await until(lambda: state(kernel, "press-11") == "unreachable")
        answer = await why(kernel, "press-11")
        assert any("did not answer" in fact for fact in answer.facts), "of the run before"
        assert any("no route to host" in fact for fact in answer.facts)


async def test_the_last_good_value_is_known_after_a_restart_and_so_is_whose_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "acme/berlin/press-shop/line1/press-11/temperature"
    async with running(tmp_path, shop(1, 1), monkeypatch) as kernel:
        await all_up(kernel)
        files(tmp_path, "gone", "press-11")
        await until(lambda: quality.is_bad(code(kernel, path)))
        before = await why(kernel, "press-11/temperature")
    for _ in range(2):
        async with running(tmp_path, shop(1, 1), monkeypatch) as kernel:
            await until(kernel.causes.now)
            answer = await why(kernel, "press-11/temperature")
            assert answer.headline.partition(" · ")[2] == before.headline.partition(" · ")[2] != ""
            assert answer.whose == Whose.MACHINE_PROGRAM


async def test_a_tag_that_nothing_gives_any_more_is_the_configurations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, shop(1, 2), monkeypatch) as kernel:
        await all_up(kernel)
    async with running(tmp_path, shop(1, 1), monkeypatch) as kernel:
        answer = await why(kernel, "press-12/parts")
        ends_well(answer)
        assert answer.cause == "nothing in the deployment gives this tag any more"
        assert answer.whose == Whose.CONFIGURATION


@pytest.mark.parametrize(
    ("word", "failed", "says"),
    [
        ("press-12/temprature", "NOT_FOUND", "nearest: press-12/temperature"),
        ("", "NOT_FOUND", "there is nothing named"),
        ("press-99", "NOT_FOUND", "nearest: press-"),
        ("temperature", "INVALID_ARGUMENT", "names 4 things"),
        ("zzz", "NOT_FOUND", "`bedplate tags` names all tags"),
    ],
)
async def test_what_does_not_exist_or_may_mean_several_is_told_with_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, failed: str, says: str
) -> None:
    async with running(tmp_path, shop(2, 2), monkeypatch) as kernel:
        with pytest.raises(CallError) as error:
            await why(kernel, word)
        assert error.value.code == failed
        assert says in str(error.value)


async def test_every_name_of_a_plant_has_an_answer_that_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, shop(2, 2, LIMITS), monkeypatch) as kernel:
        await all_up_but_analytics(kernel)
        tags = [p for p in kernel.spine.registry.table.paths() if "/sums/" not in p]
        names = [
            *kernel.components,
            "presses",
            "line1",
            "acme/berlin",
            "127.0.1.21:9100",
            "journal",
            *tags,
        ]
        for name in names:
            answer = await why(kernel, name)
            ends_well(answer)
            assert answer.cause == "", name


async def test_a_result_without_input_names_the_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(tmp_path, "gone", "press-11")
    text = shop(1, 1, LIMITS.replace("of: temperature", "of: parts"))
    async with running(tmp_path, text, monkeypatch) as kernel:
        await until(lambda: value(kernel, "acme/berlin/press-shop/line1/press-11/sums/sum"))
        monkeypatch.setattr("bedplate.runtime.source.BAD_AFTER", 0.1)
        files(tmp_path, "off", "press-11")
        await until(
            lambda: (
                code(kernel, "acme/berlin/press-shop/line1/press-11/parts")
                == quality.BAD_NO_COMMUNICATION
            )
        )
        answer = await why(kernel, "press-11/parts")
        assert answer.effect == ["sums of press-11 has no parts: its results stand still"]
