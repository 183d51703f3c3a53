"""Trouble on a running kernel: one line and one alarm a cause, both gone when it is over."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.causes.shop import alarms, causes, problems, running, shop, why
from tests.runtime.plant import state, until

from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.runtime.causes import Kind, Whose

NINE = shop(2, 9)
LINE_2 = [f"press-{n}" for n in range(21, 30)]
PROCESSES = shop(2, 3, how="process: $line")


async def all_up(kernel: object) -> None:
    await until(lambda: all(s.life.state == "up" for s in kernel.components.values()))  # type: ignore[attr-defined]
    await until(lambda: all(m.bad == 0 for m in kernel.causes.findings.members().values()))  # type: ignore[attr-defined]


def files(folder: Path, what: str, *names: str) -> list[Path]:
    made = [folder / f"127.0.1.{name.rpartition('-')[2]}.{what}" for name in names]
    for file in made:
        file.touch()
    return made


def gone(made: list[Path]) -> None:
    for file in made:
        file.unlink()


async def test_a_dead_switch_with_nine_devices_is_one_line_and_one_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, NINE, monkeypatch) as kernel:
        await all_up(kernel)
        assert problems(kernel) == []
        made = files(tmp_path, "off", *LINE_2)
        await until(lambda: all(state(kernel, name) == "unreachable" for name in LINE_2))
        (cause,) = causes(kernel)
        assert cause.subject == "line2"
        assert cause.text.startswith("9 of 9 devices silent within ")
        assert cause.text.endswith(
            "all of them in 127.0.1.21-29 and nobody else: look at their switch"
        )
        assert (cause.whose, cause.tags) == (Whose.NETWORK, 18)
        await until(lambda: alarms(kernel))
        assert alarms(kernel) == ["cause/line2/unreachable"]

        gone(made)
        await until(lambda: alarms(kernel) == [])
        assert problems(kernel) == []


async def test_an_alarm_stands_over_a_restart_until_its_devices_are_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = files(tmp_path, "off", *LINE_2)
    async with running(tmp_path, NINE, monkeypatch) as kernel:
        await until(lambda: alarms(kernel) == ["cause/line2/unreachable"])
        since = kernel.spine.alarms.get("cause/line2/unreachable").alarm.active_since
    async with running(tmp_path, NINE, monkeypatch) as kernel:
        await until(lambda: all(state(kernel, name) == "unreachable" for name in LINE_2))
        assert alarms(kernel) == ["cause/line2/unreachable"]
        assert kernel.spine.alarms.get("cause/line2/unreachable").alarm.active_since == since
        gone(made)
        await until(lambda: alarms(kernel) == [])


async def test_a_device_that_connects_and_never_answers_is_one_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, shop(1, 2), monkeypatch) as kernel:
        await all_up(kernel)
        files(tmp_path, "mute", "press-12")
        supervisor = kernel.components["press-12"]
        supervisor._backoff._first = supervisor._backoff._last = 0.3
        await until(lambda: state(kernel, "press-12") == "unreachable")
        (first,) = causes(kernel)
        await until(lambda: supervisor.role.figures.restarts >= 4)
        await until(lambda: state(kernel, "press-12") == "unreachable")
        (now,) = causes(kernel)
        assert now.since == first.since
        assert alarms(kernel) == ["acme/berlin/press-shop/line1/press-12/unreachable"]


async def test_a_process_that_ends_is_one_line_and_one_alarm_for_all_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.lifecycle.WINDOW", 600.0)  # six slow starts
    async with running(tmp_path, PROCESSES, monkeypatch) as kernel:
        await all_up(kernel)
        files(tmp_path, "exit", "press-11")
        await until(lambda: state(kernel, "press-11") == "faulted", within=60)
        await until(lambda: all(state(kernel, f"press-1{n}") == "faulted" for n in (1, 2, 3)))
        (cause,) = causes(kernel)
        assert cause.subject == "line1"
        assert (
            "process of press.py ended with exit code 7; hits press-11, press-12, press-13"
            in cause.text
        )
        assert cause.whose is Whose.PLUGIN
        assert alarms(kernel) == ["process/line1/faulted"]


async def test_one_bug_in_two_processes_is_one_line_and_one_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, PROCESSES, monkeypatch) as kernel:
        await all_up(kernel)
        files(tmp_path, "bug", "press-11", "press-21")
        both = ("press-11", "press-21")
        await until(lambda: all(state(kernel, name) == "faulted" for name in both), within=60)
        (cause,) = causes(kernel)
        assert cause.text == (
            "faulted: ZeroDivisionError: division by zero; hits press-11, press-21 in 2 processes (line1, line2)"
        )
        assert len(alarms(kernel)) == 1
        assert "shop@example" in cause.advice[0]


async def test_a_wrong_password_for_a_whole_entry_is_one_line_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shop(1, 3).replace("password: right}", "password: wrong}")
    async with running(tmp_path, text, monkeypatch) as kernel:
        await until(lambda: all(s.life.state == "invalid" for s in kernel.components.values()))
        (cause,) = causes(kernel)
        assert cause.subject == "line1"
        assert cause.text.startswith(
            "invalid: /password: the device refuses this password; hits press-11"
        )
        assert "plant.yaml:" in cause.text
        assert cause.whose is Whose.CONFIGURATION
        await until(lambda: alarms(kernel) == ["cause/line1/invalid"])


async def test_a_node_that_is_gone_is_told_by_its_name_and_of_its_tag_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, shop(1, 3), monkeypatch) as kernel:
        await all_up(kernel)
        made = files(tmp_path, "gone", "press-12")
        await until(lambda: problems(kernel))
        (cause,) = causes(kernel)
        assert cause.problem == (
            "press-12/temperature Bad: the machine's program no longer has this node (BadNodeIdUnknown)"
        )
        assert (cause.whose, cause.tags) == (Whose.MACHINE_PROGRAM, 1)
        await until(lambda: alarms(kernel) == ["acme/berlin/press-shop/line1/press-12/bad"])
        gone(made)
        await until(lambda: alarms(kernel) == [] and problems(kernel) == [])


async def test_a_broker_that_is_away_is_the_readers_and_everything_else_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sinks = "".join(
        f"  {name}: {{use: broker, placement: inline, broker_url: mqtts://broker.example:8883,"
        f" folder: FOLDER, deliver: ['**'], buffer: {{age: 14d}}}}\n"
        for name in ("cloud", "mes")
    )
    async with running(tmp_path, shop(1, 1, sinks), monkeypatch) as kernel:
        await all_up(kernel)
        (tmp_path / "broker.off").touch()
        await until(lambda: all(state(kernel, name) == "unreachable" for name in ("cloud", "mes")))
        (cause,) = causes(kernel)
        assert cause.subject == "broker.example:8883"
        assert cause.text.endswith("cloud and mes wait for it")
        assert cause.whose is Whose.READER
        await until(lambda: alarms(kernel))
        assert len(alarms(kernel)) == 1
        (tmp_path / "broker.off").unlink()
        await until(lambda: alarms(kernel) == [])


async def test_what_is_off_or_set_aside_is_no_cause_and_raises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shop(1, 3).replace(
        "    folder: FOLDER\n", "    folder: FOLDER\n    expected: never\n", 1
    )
    files(tmp_path, "off", "press-11", "press-12", "press-13")
    async with running(tmp_path, text, monkeypatch) as kernel:
        await until(lambda: all(s.life.state == "off" for s in kernel.components.values()))
        assert problems(kernel) == []
    async with running(tmp_path, shop(1, 3), monkeypatch) as kernel:
        await until(lambda: alarms(kernel) == ["cause/line1/unreachable"])
        until_when = kernel.clock.time_ns() + 3600 * 10**9
        for n in (1, 2, 3):
            kernel.maintenance.begin(f"press-1{n}", until_when, "operator-1", "new ram seal")
        await until(lambda: alarms(kernel) == [])
        assert problems(kernel) == []


async def test_a_device_that_is_set_aside_does_not_spoil_the_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, shop(2, 3), monkeypatch) as kernel:
        await all_up(kernel)
        kernel.maintenance.begin("press-22", kernel.clock.time_ns() + 3600 * 10**9, "me", "seal")
        files(tmp_path, "off", "press-21", "press-22", "press-23")
        await until(lambda: len(causes(kernel)) == 1 and len(causes(kernel)[0].components) == 2)
        (cause,) = causes(kernel)
        assert cause.subject == "line2"
        assert "2 of 2 devices" in cause.text
        assert "nobody else" in cause.text


async def test_a_program_elsewhere_that_does_not_dial_in_is_one_cause_and_the_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.runtime.plant.Elsewhere.run", lambda self, places, address: None)
    monkeypatch.setattr("bedplate.runtime.lifecycle.SLOW", 0.2)
    text = shop(1, 3, how="placement: remote")
    async with running(tmp_path, text, monkeypatch, placement="remote") as kernel:
        await until(lambda: len(alarms(kernel)) == 1)
        (cause,) = causes(kernel)
        assert cause.kind is Kind.AWAY
        assert cause.whose is Whose.NETWORK
        assert len(cause.components) == 3
        assert "bedplate attach" in cause.advice[0]


FULL = """
  torrent: {use: torrent, folder: FOLDER, placement: inline, most: 3000000, tags: {number: {address: a}}}
  keeper: {use: keeper, folder: FOLDER, placement: inline, deliver: ["**"]}
"""


async def test_a_journal_that_is_full_is_one_cause_and_whom_it_holds_up_is_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keeper.hangs").touch()
    engine = EmbeddedEngine(tmp_path / "journal", clock=SystemClock(), sync=0.05, size=4 << 20)
    async with running(tmp_path, shop(1, 2, FULL), monkeypatch, engine=engine) as kernel:
        await until(lambda: engine.state().full)
        await until(lambda: state(kernel, "torrent") == "degraded")
        found = [one for one in causes(kernel) if one.kind is Kind.STORAGE]
        assert len(found) == 1
        assert found[0].problem.startswith(
            "journal full: the journal is full (journal.size 4.2 MB)"
        )
        assert found[0].text.endswith("; holds up torrent")
        assert (found[0].whose, found[0].severity) == (Whose.STORAGE, 900)
        assert sum("torrent" in one.components for one in causes(kernel)) == 1
        await until(lambda: "kernel/journal/full" in alarms(kernel))
        assert [a for a in alarms(kernel) if a.startswith("cause/")] == []
        answer = await why(kernel, "journal")
        assert answer.headline.startswith("full: ")
        assert answer.whose == Whose.STORAGE
        assert answer.lost
        assert answer.actions
