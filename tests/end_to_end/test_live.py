"""Live.Subscribe: from now on, after a token, within credit; and what becomes of those who are too slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from tests.end_to_end.listening import Listening
from tests.end_to_end.program import Program
from tests.end_to_end.site import HISTORY, RIGS, Site, running, until

from bedplate.client import connect_async
from bedplate.errors import CallError
from bedplate.model import Body, EventKind
from bedplate.server.live import read_token

module = pytest.mark.asyncio(loop_scope="module")
PLANT = """
bedplate: 1
name: live
path: plant
scan_classes: {normal: 40ms}
connectors:
  a: {use: counter, placement: inline, tags: {one: {address: r1}, two: {address: r2}, gone: {address: none}}}
  b: {use: counter, placement: inline, folder: FOLDER, tags: {one: {address: r1}}}
  push: {use: pusher, placement: inline, folder: FOLDER, pause: 0.03, tags: {number: {address: a}}}
journal: {folder: journal, sync: 50ms}
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with running(tmp_path_factory.mktemp("plant"), PLANT, plugins=[RIGS]) as one:
        await until(one.all_up)
        yield one


def consecutive(numbers: list[int]) -> bool:
    return all(b == a + 1 for a, b in pairwise(numbers))


async def cut(listening: Listening) -> grpc.aio.AioRpcError:
    """Takes what still comes, without granting, until the kernel ends the call."""
    try:
        while True:
            await listening.take()
    except grpc.aio.AioRpcError as error:
        return error


def token_of(error: grpc.aio.AioRpcError) -> bytes:
    return bytes(dict(error.trailing_metadata() or ())["bedplate-resume-token-bin"])


@module
async def test_a_subscriber_gets_what_comes_from_now_on_in_order_of_position(site: Site) -> None:
    before = (await site.client.status()).journal.appended
    async with Listening(site.address, credit=4) as listening:
        await listening.take_until(60)
        positions = [record.position for record in listening.records]
        assert positions[0] > before
        assert consecutive([*dict.fromkeys(positions)]) or all(
            a < b for a, b in pairwise(positions)
        )
        assert {record.kind for record in listening.records} == {Body.BATCH}, "no events unasked"
        assert listening.lost == 0
        assert consecutive(listening.values("push/number"))
        assert consecutive(listening.values("a/one"))


@module
async def test_the_current_values_come_first_when_asked_for(site: Site) -> None:
    async with Listening(site.address, "a/**", current_first=True, credit=50) as listening:
        await listening.take()
        told = {
            listening.paths[record.epoch, handle]
            for record, batch in listening.batches()
            for handle in batch.tags().tolist()
        }
        assert told == {"plant/a/one", "plant/a/two", "plant/a/gone"}
        assert [record.position for record in listening.records] == [0] * len(listening.records)
        await listening.take_until(40)
        counted = listening.values("a/one")
        assert consecutive(counted), "what follows joins on without a hole"


@module
async def test_a_selector_masks_a_batch_to_what_was_asked_for(site: Site) -> None:
    async with Listening(site.address, "a/one", "push/*", credit=4) as listening:
        await listening.take_until(40)
        assert set(listening.paths.values()) == {"plant/a/one", "plant/push/number"}
        assert all(
            (record.epoch, handle) in listening.paths
            for record, batch in listening.batches()
            for handle in batch.tags().tolist()
        )
        assert consecutive(listening.values("a/one"))


@module
async def test_events_come_when_asked_for(site: Site) -> None:
    async with site.client.subscribe("b/**", events=True) as updates:
        cut = asyncio.get_running_loop().call_later(0.2, (site.folder / "cut").touch)
        events = []
        async for update in updates:
            events += update.events
            if any(event.text.startswith("unreachable") for event in events):
                break
        cut.cancel()
    (site.folder / "cut").unlink()
    lost = next(event for event in events if event.text.startswith("unreachable"))
    assert (lost.kind, lost.component, lost.severity) == (EventKind.STATUS, "b", 500)
    await until(site.all_up)


@module
@pytest.mark.parametrize(
    ("opening", "code"),
    [
        ({"resume_token": b"nonsense"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"selectors": ["plant/nowhere"]}, grpc.StatusCode.NOT_FOUND),
        ({"selectors": ["one"]}, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_a_subscription_that_makes_no_sense_is_refused(
    site: Site, opening: dict[str, object], code: grpc.StatusCode
) -> None:
    selectors = opening.pop("selectors", [])
    assert isinstance(selectors, list)
    async with Listening(site.address, *selectors, **opening) as listening:
        assert (await cut(listening)).code() is code


@module
async def test_a_subscriber_that_grants_no_credit_is_cut_and_goes_on_without_a_hole(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.server.live.STALL", 0.4)
    async with Listening(site.address, "push/number", credit=3) as first:
        error = await cut(first)
    assert error.code() is grpc.StatusCode.ABORTED
    assert "no credit" in str(error.details())
    assert len(first.values("number")) > 0

    monkeypatch.setattr("bedplate.server.live.STALL", 30)
    await asyncio.sleep(0.3)  # some is now older than what was cut off
    resuming = {"resume_token": token_of(error), "credit": 4}
    async with Listening(site.address, "push/number", **resuming) as second:
        await second.take_until(20)
    assert second.lost == 0
    assert consecutive(first.values("number") + second.values("number"))


@module
async def test_a_subscriber_that_lags_behind_is_cut_and_goes_on_without_a_hole(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept for it overflows while it grants nothing; then it takes all that is left, and is told."""
    monkeypatch.setattr("bedplate.runtime.live.PENDING_RECORDS", 40)
    monkeypatch.setattr(
        "bedplate.runtime.live.RECENT_RECORDS", 30
    )  # the rest of it from the journal
    async with Listening(site.address, "push/number", credit=1) as first:
        await first.take()
        await asyncio.sleep(1.5)
        await first.grant(10_000)
        error = await cut(first)
    assert error.code() is grpc.StatusCode.ABORTED
    assert "too slow" in str(error.details())

    await asyncio.sleep(1.0)
    resuming = {"resume_token": token_of(error), "credit": 4}
    async with Listening(site.address, "push/number", **resuming) as second:
        await second.take_until(40)
    assert second.lost == 0
    assert consecutive(first.values("number") + second.values("number"))


@module
async def test_the_client_goes_on_with_its_token(site: Site) -> None:
    numbers: list[int] = []
    token = b""
    for _ in range(4):
        async with site.client.subscribe("push/number", resume=token or None) as updates:
            async for update in updates:
                numbers += update["push/number"].value.tolist()
                token = updates.resume_token
                if len(update) and len(numbers) % 3 == 0:
                    break
    assert len(numbers) > 3
    assert consecutive(numbers)


async def test_a_token_goes_on_after_a_restart(tmp_path: Path) -> None:
    text = PLANT.replace("connectors:", f"connectors:\n  {HISTORY}")
    async with running(tmp_path, text, plugins=[RIGS]) as site:
        async with Listening(site.address, "push/number", credit=4) as first:
            await first.take_until(5)
        await asyncio.sleep(0.3)
        client = await site.restart()
        resuming = {"resume_token": first.token, "credit": 4}
        async with Listening(site.address, "push/number", **resuming) as second:
            await second.take_until(20)
        live = first.values("number") + second.values("number")

        async def kept() -> list[int]:
            series = (await client.history("push/number", start=1))["push/number"]
            values: list[int] = series.value.tolist()
            return values[values.index(live[0]) :]

        await until(lambda: last_is(kept, live[-1]))
        assert live == (await kept())[: len(live)]
    assert second.lost == 0
    assert len({record.epoch for record in second.records}) == 2
    positions = [record.position for record in second.records]
    assert all(a < b for a, b in pairwise(positions))


async def last_is(values: Callable[[], Awaitable[list[int]]], wanted: int) -> bool:
    return wanted in await values()


async def test_a_token_past_what_survived_falls_back_to_what_did(tmp_path: Path) -> None:
    """Live does not wait for the disk: what it told may be gone after a kill, and its positions are given out again.
    Nothing of the lives after it is missed."""
    text = PLANT.replace("sync: 50ms", "sync: 60s").replace("inline", "process")
    text = "\n".join(line for line in text.splitlines() if "push:" not in line)
    async with Program(tmp_path, text, plugins=[RIGS]) as program:
        await program.start()
        async with connect_async(program.address) as client:
            await until(lambda: first_values(client))
        async with Listening(program.address, "a/one", credit=4) as first:
            await first.take_until(20)
        await program.kill()
        for _ in range(2):
            await program.start()
            resuming = {"resume_token": first.token, "credit": 4}
            async with Listening(program.address, "a/one", **resuming) as second:
                await second.take_until(30)
            assert second.lost == 0
            assert second.records[0].position <= first.records[-1].position, "given out again"
            assert second.records[0].epoch > first.records[0].epoch
            assert second.values("a/one")[0] == 1
            assert await program.stop() == 0


async def first_values(client: object) -> bool:
    try:
        return bool((await client.current("a/one")).samples)  # type: ignore[attr-defined]
    except CallError:
        return False


async def test_what_was_trimmed_meanwhile_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.journal_watch.HOUSEKEEPING", 0.2)
    monkeypatch.setattr("bedplate.runtime.live.RECENT_RECORDS", 5)
    async with running(tmp_path, PLANT, plugins=[RIGS]) as site:
        await until(site.all_up)
        async with Listening(site.address, credit=4, events=True) as first:
            await first.take_until(10)
        _, after = read_token(first.token)

        async def trimmed() -> bool:
            return (await site.client.status()).journal.first > after + 50

        await until(trimmed)
        resuming = {"resume_token": first.token, "credit": 4, "events": True}
        async with Listening(site.address, **resuming) as second:
            await second.take_until(30)
    assert second.lost >= 50
    told = second.records[-1].position - after
    tables = told - second.lost - len(second.records)
    assert 0 <= tables <= 5, "every position is told, lost, or a table of tags"
    assert consecutive(second.values("push/number"))
