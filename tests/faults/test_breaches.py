"""Breaches of the contract: each is told in words, costs whoever broke it a session or a process, and nobody else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from tests.contract.strangers import bare, hello, plugin_host
from tests.faults.rogues import beside, offers, told
from tests.runtime.plant import plant, until, value

from bedplate.contracts import Check, Subject
from bedplate.model import Body
from bedplate.wire import decode_batch

ENDS_THE_PROCESS = {
    "answers an ask nobody asked": "which nobody asked",
    "answers twice": "which nobody asked",
    "publishes for another": "published for 'good', which is none of its components",
    "sends garbage": "sent bytes that are no message of the contract",
    "says hello again": "said Hello again",
    "floods with notes": "sent more than 1,000 notes too many",
    "publishes though nobody asked": "publishes without having been asked to",
}
ENDS_THE_SESSION = {
    "publishes beyond its credit": "published beyond its credit of 64 publications",
    "jumps ahead in its numbers": "producer_seq 3 where 2 was due: some are missing",
    "goes back in its numbers": "producer_seq 1 where 3 was due: it went back",
    "repeats a number": "producer_seq 1 where 2 was due: the same came twice",
    "begins with another number": "producer_seq 7 where 1 was due: some are missing",
}
ACKNOWLEDGES = {
    "acknowledges the future": "and was given none beyond",
    "goes back in what it acknowledges": "acknowledged position 1 after",
}


async def all_told(folder: Path, cases: dict[str, str], use: str) -> Any:
    """Runs them all beside a good one, until each has been told; the good one goes on meanwhile. Returns the kernel."""
    ids = {f"r{n}": how for n, how in enumerate(cases)}
    async with plant(folder, beside(ids, use=use), offers=offers()) as kernel:
        await until(lambda: value(kernel, "good/number"))
        for id, how in ids.items():
            await until(lambda id=id, how=how: cases[how] in told(kernel, id))
        seen = value(kernel, "good/number")
        await until(lambda: value(kernel, "good/number") > seen)

        assert kernel.components["good"].place.restarts == 0
        assert kernel.components["good"].role.figures.restarts == 0
        assert len(kernel.spine.alarms.standing()) <= len(ids)
    return kernel


@pytest.mark.case("A52")
async def test_whoever_can_no_longer_be_trusted_is_ended_with_his_reason_and_started_again(
    tmp_path: Path,
) -> None:
    kernel = await all_told(tmp_path, ENDS_THE_PROCESS, "rogue")

    for n in range(len(ENDS_THE_PROCESS)):
        assert kernel.components[f"r{n}"].place.breaches
    notes = kernel.components[f"r{list(ENDS_THE_PROCESS).index('floods with notes')}"]
    assert "\x1b" not in notes.detail
    assert notes.role.figures.notes_left_out


@pytest.mark.case("A56")
async def test_a_wrong_number_or_too_many_publications_cost_the_session_and_are_counted(
    tmp_path: Path,
) -> None:
    kernel = await all_told(tmp_path, ENDS_THE_SESSION, "rogue-push")

    assert all(kernel.components[f"r{n}"].role.figures.dropped for n in range(5))
    assert all(not kernel.components[f"r{n}"].place.breaches for n in range(5))


@pytest.mark.case("A55", "A56")
async def test_what_comes_a_thousand_times_under_one_number_is_stored_once(tmp_path: Path) -> None:
    text = beside({"r": "says the same a thousand times"}, use="rogue-push")
    async with plant(tmp_path, text, offers=offers()) as kernel:
        rogue = kernel.components["r"]
        await until(lambda: "the same came twice" in told(kernel, "r"))
        await until(lambda: rogue.role.figures.dropped)
        await kernel.engine.synced(kernel.engine.state().appended)
        batches = [
            decode_batch(one.payload)
            for one in await kernel.engine.read(0)
            if one.stream == "r/live" and one.kind is Body.BATCH
        ]
        stored = [
            one for one in batches if one.quality is None
        ]  # good; the others say that it was lost
        sessions = sum(str(one.state) == "up" for one in rogue.life.history)

        assert 1 <= len(stored) <= sessions


@pytest.mark.case("A53")
async def test_a_reader_that_acknowledges_what_it_was_not_given_or_less_than_before_loses_its_session(
    tmp_path: Path,
) -> None:
    kernel = await all_told(tmp_path, ACKNOWLEDGES, "rogue-sink")
    appended = kernel.engine.state().appended

    assert all(kernel.components[f"r{n}"].role.durable <= appended for n in range(2))


async def test_a_message_beyond_16_mib_never_reaches_the_kernel_and_ends_the_stream(
    tmp_path: Path,
) -> None:
    text = beside({"r": "sends a message of 20 MB"})
    async with plant(tmp_path, text, offers=offers()) as kernel:
        await until(lambda: kernel.components["r"].place.restarts > 1)

        assert "went away" in told(kernel, "r") or "exit code 1" in told(kernel, "r")
        assert not kernel.components["r"].detail  # nothing of the message
        assert kernel.components["good"].place.restarts == 0


async def test_who_goes_on_publishing_after_he_was_stopped_is_ended(tmp_path: Path) -> None:
    text = beside({"r": "does not stop"}, use="rogue-push")
    async with plant(tmp_path, text, offers=offers()) as kernel:
        await until(lambda: "went on: " in told(kernel, "r"))

        assert kernel.components["r"].place.breaches


async def test_a_silent_plugin_is_told_and_loses_its_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.lifecycle.SLOW", 0.2)
    monkeypatch.setattr("bedplate.runtime.scanning.READ_WITHIN", 0.5)
    monkeypatch.setattr("bedplate.runtime.supervisor.OPEN_WITHIN", 0.5)
    monkeypatch.setattr("bedplate.runtime.closing.CLOSE_WITHIN", 0.5)
    rogues = {"r": "never answers a read", "o": "hangs in open", "c": "hangs in close"}
    text = beside(rogues).replace("c: {use: rogue,", "c: {use: rogue-push,")
    async with plant(tmp_path, text, offers=offers()) as kernel:
        await until(lambda: "read has not answered for" in told(kernel, "r"))
        await until(lambda: "no answer within 1.5 s to read" in told(kernel, "r"))
        await until(lambda: "open has not answered for" in told(kernel, "o"))
        await until(lambda: "no answer within 1.5 s to open" in told(kernel, "o"))
        assert "its process answers, so its device does not" in told(kernel, "o")
        assert "broke the contract" not in told(kernel, "o") + told(kernel, "r")
        kernel.components["c"].lose(0, "for the test")
        await until(lambda: "did not answer close within 1.5 s" in told(kernel, "c"))


async def test_knocking_without_a_hello_takes_no_more_than_a_few_places_and_keeps_nobody_out() -> (
    None
):
    from bedplate.remote.host import KNOCKING
    from bedplate.remote.kinds import KINDS

    async with plugin_host() as host:
        async with grpc.aio.insecure_channel(host.address) as channel:
            method = KINDS["connector"].method
            calls = [channel.stream_stream(method)() for _ in range(KNOCKING * 2)]
            await until(lambda: host._knocking == KNOCKING or any(c.done() for c in calls))
            await until(lambda: sum(c.done() for c in calls) >= KNOCKING)
            for call in calls:
                call.cancel()
        await until(lambda: not host._knocking)
        token, expected = host.expect(KINDS["connector"])
        async with bare(host) as call:
            await call.write(hello(token))
            await asyncio.wait_for(expected, 20)


async def test_a_security_module_that_does_not_answer_denies_and_is_told(tmp_path: Path) -> None:
    text = "security: {guard: {use: deny, how: silent}}\n" + beside({})
    async with plant(tmp_path, text, offers=offers()) as kernel:
        await until(lambda: kernel.components["guard"].role.attachment)
        await until(lambda: str(kernel.components["guard"].life.state) == "up")
        with pytest.raises(TimeoutError):
            await kernel.guards()[0].authorize(
                Subject("me", ("operator",)), [Check("live.current", "x")]
            )

        assert "authorize has not answered for 0.5 s" in told(kernel, "guard")
        assert str(kernel.components["guard"].life.state) == "degraded"


async def test_a_reader_that_takes_long_is_told_and_forgiven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.lifecycle.SLOW_WORK", 0.05)
    text = beside({"r": "takes its time"}, use="rogue-sink")
    async with plant(tmp_path, text, offers=offers()) as kernel:
        await until(lambda: "deliver has not answered" in told(kernel, "r"))
        await until(lambda: "all tags answer" in told(kernel, "r"))

        assert kernel.components["r"].role.figures.restarts == 0
