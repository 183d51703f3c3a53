"""What every engine promises; `bedplate.journal.engine` in sentences."""

from __future__ import annotations

import asyncio

import pytest
from tests.journal.conftest import Journal
from tests.journal.records import STREAMS, entries, entry, same

from bedplate.errors import JournalError
from bedplate.journal.engine import Commit, Entry
from bedplate.model import Body
from bedplate.wire import checksum


async def test_positions_rise_by_one_and_go_on_after_a_restart(journal: Journal) -> None:
    first = journal.engine.append(entries(range(5)))
    second = journal.engine.append(entries(range(5, 7)))
    again = (await journal.reopen()).append(entries(range(7, 9)))
    positions = [record.position for record in (*first, *second, *again)]
    assert positions == list(range(1, 10))


async def test_seq_counts_each_stream_from_one_in_every_epoch(journal: Journal) -> None:
    a, b, c = STREAMS
    for _ in range(2):
        records = journal.engine.append(entries(range(6)))
        assert [(r.stream, r.seq) for r in records] == [
            (a, 1),
            (b, 1),
            (c, 1),
            (a, 2),
            (b, 2),
            (c, 2),
        ]
        assert {r.epoch for r in records} == {journal.engine.epoch}
        await journal.reopen()


@pytest.mark.parametrize("kind", Body)
async def test_a_record_of_any_kind_comes_back_as_it_was_appended(
    journal: Journal, kind: Body
) -> None:
    engine = journal.engine
    appended = engine.append([entry(3, kind), Entry("a/live", kind, b"", -1, samples=0)])
    assert [record.kind for record in appended] == [kind, kind]
    assert appended[0].crc == checksum(entry(3).payload)
    await engine.synced(2)
    assert await engine.read(0) == appended
    assert await (await journal.reopen()).read(0) == appended


async def test_what_was_appended_is_readable_once_it_is_synced(journal: Journal) -> None:
    engine = journal.engine
    reading = asyncio.create_task(engine.wait(0))
    await asyncio.sleep(0)
    engine.append(entries(range(3)))
    assert await asyncio.wait_for(reading, 5) == 3
    assert same(await engine.read(0), range(3))
    assert same(await engine.read(1), range(1, 3))
    assert await engine.read(3) == []


async def test_a_read_stops_at_its_limits_but_gives_at_least_one_record(journal: Journal) -> None:
    engine = journal.engine
    engine.append([Entry("a/live", Body.BATCH, bytes(1000), 0)] * 50)
    await engine.synced(50)
    assert len(await engine.read(0, records=7)) == 7
    assert len(await engine.read(10, size=1)) == 1
    assert len(await engine.read(10, records=0)) == 1
    assert len(await engine.read(10, size=3500)) == 4
    assert len(await engine.read(45, records=100)) == 5


async def test_many_small_reads_give_every_record_once(journal: Journal) -> None:
    engine = journal.engine
    for start in range(0, 3000, 300):
        engine.append(entries(range(start, start + 300)))
        await engine.synced(start + 300)
    found, position = [], 0
    while records := await engine.read(position, records=170, size=100_000):
        found += records
        position = records[-1].position
    assert same(found, range(3000))


async def test_waiting_ends_at_once_when_there_is_something_new_already(journal: Journal) -> None:
    engine = journal.engine
    engine.append(entries(range(4)))
    await engine.synced(4)
    assert await engine.wait(2) == 4
    waiting = asyncio.create_task(engine.wait(4))
    await asyncio.sleep(0)
    assert not waiting.done()
    engine.append(entries(range(4, 5)))
    assert await asyncio.wait_for(waiting, 5) == 5


async def test_a_waiter_that_gives_up_leaves_the_others_waiting(journal: Journal) -> None:
    engine = journal.engine
    impatient, patient = (asyncio.create_task(engine.wait(0)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    engine.append(entries(range(1)))
    assert await asyncio.wait_for(patient, 5) == 1


async def test_a_new_reader_starts_at_nothing(journal: Journal) -> None:
    assert await journal.engine.cursor("oee") == (0, {})


async def test_a_commit_comes_back_with_the_records_it_came_with(journal: Journal) -> None:
    engine = journal.engine
    engine.append(entries(range(2)), Commit("oee", 1, {"press-1": b"one", "press-2": b"two"}))
    engine.append([], Commit("oee", 2, {"press-2": b"", "press-3": b"three", "press-4": b""}))
    engine.append([], Commit("alarms", 1))
    expected = (2, {"press-1": b"one", "press-3": b"three"})
    assert await engine.cursor("oee") == expected
    engine = await journal.reopen()
    assert await engine.cursor("oee") == expected
    assert await engine.cursor("alarms") == (1, {})
    assert same(await engine.read(0), range(2))


async def test_a_state_forgotten_and_set_again_is_there(journal: Journal) -> None:
    engine = journal.engine
    engine.append([], Commit("oee", 1, {"a": b"1", "b": b"1"}))
    assert await engine.cursor("oee") == (1, {"a": b"1", "b": b"1"})
    engine.append([], Commit("oee", 2, {"a": b"", "b": b""}))
    engine.append([], Commit("oee", 3, {"a": b"2"}))
    assert await engine.cursor("oee") == (3, {"a": b"2"})


async def test_trimmed_records_are_gone_for_good(journal: Journal) -> None:
    engine = journal.engine
    engine.append(entries(range(10)))
    await engine.synced(10)
    await engine.trim(4)
    for _ in range(2):
        assert same(await engine.read(0), range(4, 10))
        assert same(await engine.read(7), range(7, 10))
        state = engine.state()
        assert (state.first, state.appended, state.synced) == (5, 10, 10)
        assert state.oldest == entry(4).received
        engine = await journal.reopen()


async def test_positions_are_not_used_again_when_everything_is_trimmed(journal: Journal) -> None:
    engine = journal.engine
    engine.append(entries(range(3)))
    await engine.synced(3)
    await engine.trim(99)
    assert await engine.read(0) == []
    assert (engine.state().first, engine.state().oldest, engine.state().synced) == (0, 0, 3)
    engine = await journal.reopen()
    assert (engine.state().first, engine.state().appended) == (0, 3)
    assert [record.position for record in engine.append(entries(range(3, 4)))] == [4]
    assert engine.state().first == 4


async def test_trimming_less_than_before_changes_nothing(journal: Journal) -> None:
    engine = journal.engine
    engine.append(entries(range(6)))
    await engine.synced(6)
    await engine.trim(4)
    await engine.trim(2)
    assert same(await engine.read(0), range(4, 6))


async def test_tag_tables_stay_until_no_record_of_their_epoch_is_held(journal: Journal) -> None:
    engine = journal.engine
    old = engine.epoch
    tables = engine.append([entry(0, Body.TAGS), entry(1, Body.TAGS)])
    engine.append(entries(range(2, 6)))
    await engine.synced(6)
    assert await engine.tables(old) == tables
    await engine.trim(5)
    assert await engine.tables(old) == tables
    engine = await journal.reopen()
    new = engine.append([entry(6, Body.TAGS)])
    await engine.synced(7)
    assert await engine.tables(old) == tables
    await engine.trim(6)
    assert await engine.tables(old) == []
    assert await engine.tables(engine.epoch) == new


async def test_tag_tables_of_the_present_epoch_survive_when_all_is_trimmed(
    journal: Journal,
) -> None:
    engine = journal.engine
    tables = engine.append([entry(0, Body.TAGS)])
    await engine.synced(1)
    await engine.trim(1)
    assert await engine.read(0) == []
    assert await engine.tables(engine.epoch) == tables


async def test_tag_tables_are_read_in_order_with_everything_else(journal: Journal) -> None:
    engine = journal.engine
    records = engine.append([entry(0), entry(1, Body.TAGS), entry(2)])
    await engine.synced(3)
    assert await engine.read(0) == records


async def test_the_epoch_rises_even_when_the_clock_goes_back(journal: Journal) -> None:
    before = journal.engine.epoch
    assert before == journal.clock.time_ns()
    journal.clock.jump(-86_400)
    again = await journal.reopen()
    assert again.epoch == before + 1
    journal.clock.jump(2 * 86_400)
    assert (await journal.reopen()).epoch == journal.clock.time_ns()


async def test_the_next_record_lies_above_a_position_advanced_to(journal: Journal) -> None:
    engine = journal.engine
    engine.append(entries(range(2)))
    engine.advance(100)
    engine.advance(50)
    (record,) = engine.append(entries(range(2, 3)))
    assert record.position == 101
    engine.advance(7)
    (record,) = engine.append(entries(range(3, 4)))
    assert record.position == 102
    await engine.synced(102)
    for _ in range(2):
        assert [record.position for record in await engine.read(1)] == [2, 101, 102]
        assert [record.position for record in await engine.read(60)] == [101, 102]
        engine = await journal.reopen()


async def test_a_closed_journal_takes_nothing_and_keeps_nobody_waiting(journal: Journal) -> None:
    engine = journal.engine
    waiting = asyncio.create_task(engine.wait(0))
    await asyncio.sleep(0)
    await engine.close()
    await engine.close()
    with pytest.raises(JournalError, match="closed"):
        await waiting
    with pytest.raises(JournalError, match="closed"):
        engine.append(entries(range(1)))
    with pytest.raises(JournalError, match="closed"):
        await engine.synced(1)


async def test_closing_keeps_what_nobody_waited_for(journal: Journal) -> None:
    journal.engine.append(entries(range(50)), Commit("oee", 9))
    engine = await journal.reopen()
    assert same(await engine.read(0), range(50))
    assert await engine.cursor("oee") == (9, {})


async def test_the_state_counts_what_came_in(journal: Journal) -> None:
    engine = journal.engine
    engine.append(entries(range(10)))
    await engine.synced(10)
    state = engine.state()
    assert (state.first, state.appended, state.synced, state.records) == (1, 10, 10, 10)
    assert state.samples == sum(range(10))
    assert state.oldest == entry(0).received
    assert state.bytes > sum(len(entry(number).payload) for number in range(10))
    assert (state.failed, state.damaged) == ("", 0)
    assert engine.pending_bytes == 0
    assert not engine.backlogged
