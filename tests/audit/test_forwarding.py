"""Lines are sent on: to rsyslog over TLS, across its outage and our restart, at least once and in order; and to a
collector of OpenTelemetry."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.audit.receiver import Receiver, needed
from tests.audit.rig import write
from tests.remote.certificates import Authority
from tests.telemetry.test_export import collector

from bedplate.audit.anchoring import Anchoring, Place
from bedplate.audit.checkpoint import read_checkpoints, signer
from bedplate.audit.cursor import Cursor
from bedplate.audit.entry import Entry, Stamps
from bedplate.audit.feed import Feed
from bedplate.audit.forwarding import Forwarder
from bedplate.audit.log import ChainLog
from bedplate.audit.otlp import OtlpLogs
from bedplate.audit.syslog import Syslog
from bedplate.clock import SystemClock

CLOCK = SystemClock()


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    return Authority().kernel(tmp_path / "theirs")


@pytest.fixture
def receiver(tmp_path: Path, certificates: Path) -> Iterator[Receiver]:
    needed()
    made = Receiver(tmp_path / "rsyslog", certificates, auth="anon")
    made.start()
    yield made
    made.kill()


async def until(condition: Callable[[], Any], within: float = 20.0) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


class Sending:
    """A log that is written, and what sends it on."""

    def __init__(self, folder: Path, port: int, tls: Path, settle: float = 0.3) -> None:
        self.log = ChainLog(folder, Stamps(CLOCK), rotate_bytes=20_000)
        self.log.open()
        self.anchoring = Anchoring(lambda: signer(folder), CLOCK, every=0.2)
        sender = Syslog(f"tls://127.0.0.1:{port}", tls, CLOCK.monotonic, settle)
        place = self.anchoring.add("syslog")
        self.forwarder = Forwarder(folder, sender, CLOCK, place, lambda: self.log.found)

    def write(self, count: int, text: str = "") -> int:
        """Returns the number of the last line."""
        for _ in range(count):
            entry = Entry("command.submit", "refused", "anna", text=text)
            (record,) = self.log.append([Stamps(CLOCK).record(entry)])[-1:]
            self.anchoring.heard(int(record["index"]), str(record["hash"]))
        self.forwarder.more()
        return self.log.tail.index


@asynccontextmanager
async def sending(folder: Path, port: int, tls: Path, **more: Any) -> AsyncIterator[Sending]:
    made = Sending(folder, port, tls, **more)
    await made.anchoring.open()
    made.forwarder.start()
    try:
        yield made
    finally:
        made.log.close()
        await made.forwarder.close()


async def test_rsyslog_gets_every_line_in_order_across_its_outage_and_our_restart(
    tmp_path: Path, certificates: Path, receiver: Receiver
) -> None:
    folder = tmp_path / "audit"
    async with sending(folder, receiver.port, certificates) as out:
        out.write(100)
        await until(lambda: 102 in receiver.indices())
        receiver.kill()
        out.write(100)
        await until(lambda: out.forwarder.problem)
        receiver.start()
        out.write(50)
        await until(lambda: out.forwarder.settled >= 252)
    async with sending(folder, receiver.port, certificates) as out:
        last = out.write(20)
        await until(lambda: last in receiver.indices())
    got = receiver.indices()
    firsts = [index for at, index in enumerate(got) if index not in got[:at]]
    assert firsts[:last] == list(range(1, last + 1)), "each came, and first in its order"
    assert len(got) < 3 * last
    pri, _, kind, text = next(m for m in receiver.messages() if m[2] == "command.submit")
    assert (pri, kind) == (str(13 * 8 + 4), "command.submit")
    assert text in _all(folder), "as it stands in the log"


def _all(folder: Path) -> list[str]:
    return [line for path in folder.glob("audit*.jsonl") for line in path.read_text().splitlines()]


@pytest.mark.case("A72")
async def test_what_somebody_else_collects_is_one_line_for_each_whatever_a_value_says(
    tmp_path: Path, certificates: Path, receiver: Receiver
) -> None:
    forged = '"\n2026-11-22 ADMIN OK\x1b[2J\u202e\x00'
    async with sending(tmp_path / "audit", receiver.port, certificates) as out:
        last = out.write(1, forged)
        await until(lambda: last in receiver.indices())
    content = (receiver.folder / "received").read_bytes()
    assert b"\n2026-11-22 ADMIN" not in content
    assert b"\x1b" not in content
    text = next(json.loads(m[3]) for m in receiver.messages() if m[2] == "command.submit")
    assert text["text"] == forged


async def test_checkpoints_go_the_same_way_and_can_be_verified_from_what_was_collected(
    tmp_path: Path, certificates: Path, receiver: Receiver
) -> None:
    folder = tmp_path / "audit"
    async with sending(folder, receiver.port, certificates) as out:
        last = out.write(3)
        out.anchoring.look(now=True)
        out.forwarder.more()
        await until(lambda: any(m[2] == "checkpoint" for m in receiver.messages()))
        place = out.anchoring.places[0]
        assert place.taken
        assert place.taken.index == last
    seen = read_checkpoints(receiver.folder / "received", signer(folder).public)
    assert [one.index for one in seen] == [last]


async def test_a_receiver_that_is_not_who_it_says_gets_nothing(
    tmp_path: Path, receiver: Receiver
) -> None:
    other = Authority("another").kernel(tmp_path / "others")
    async with sending(tmp_path / "audit", receiver.port, other) as out:
        out.write(3)
        await until(lambda: "CERTIFICATE" in out.forwarder.problem.upper())
    assert receiver.messages() == []


async def test_a_receiver_that_asks_for_our_certificate_is_shown_it(
    tmp_path: Path, certificates: Path
) -> None:
    needed()
    made = Receiver(tmp_path / "rsyslog", certificates, auth="x509/certvalid")
    made.start()
    try:
        async with sending(tmp_path / "audit", made.port, certificates) as out:
            last = out.write(3)
            await until(lambda: last in made.indices())
    finally:
        made.kill()


async def test_a_receiver_that_never_answers_is_in_nobodys_way(tmp_path: Path) -> None:
    with_nobody = Authority().kernel(tmp_path / "theirs")
    async with sending(tmp_path / "audit", 1, with_nobody) as out:
        out.write(50)
        await until(lambda: out.forwarder.problem)
    assert Cursor(tmp_path / "audit", "syslog").index == 0, "it begins where it was"


async def test_a_collector_of_opentelemetry_gets_every_line_and_the_cursor_follows_its_answer(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "audit"
    write(folder, 3)
    async with collector() as (port, facts):
        place = Place("otlp", 0.0)
        sender = OtlpLogs(f"http://127.0.0.1:{port}", "plant")
        forwarder = Forwarder(folder, sender, CLOCK, place)
        forwarder.start()
        await until(lambda: forwarder.settled == 6)
        place.offered = signer(folder).checkpoint(6, "a" * 64, "2026-11-22T22:31:00.000000Z")
        forwarder.more()
        await until(lambda: place.taken)
        await forwarder.close()
        await until(lambda: len([f for f in facts if "log" in f]) == 7)
    logs = [fact for fact in facts if "log" in fact]
    assert [fact["body"] for fact in logs[:6]] == _all(folder)
    assert logs[2]["log"] == "bedplate.audit.tags.write"
    assert logs[2]["at"]["bedplate.audit.who"] == "anna"
    assert logs[6]["log"] == "bedplate.audit.checkpoint"
    assert logs[0]["from"]["service.name"] == "plant"
    assert Cursor(folder, "otlp").index == 6


def test_lines_are_read_through_rotations_and_none_twice(tmp_path: Path) -> None:
    write(tmp_path, 5)
    feed = Feed(tmp_path, 2)
    assert [one.index for one, _ in feed.read()] == [3, 4, 5, 6, 7, 8]
    assert feed.read() == []
    write(tmp_path, 30, rotate=3000)
    got = []
    while page := feed.read(7):
        got += [one.index for one, _ in page]
    assert got == list(range(9, 9 + 30 + len(got) - 30))
    write(tmp_path, 1, rotate=3000)
    assert feed.read()
    feed.close()


async def test_a_log_that_came_back_from_a_backup_behind_its_cursor_is_sent_on_from_there(
    tmp_path: Path, certificates: Path, receiver: Receiver
) -> None:
    folder = tmp_path / "audit"
    write(folder, 3)
    Cursor(folder, "syslog").save(60)
    async with sending(folder, receiver.port, certificates) as out:
        last = out.write(2)
        await until(lambda: last in receiver.indices())
    assert receiver.indices()[:3] == [7, 8, 9]


def test_a_cursor_that_cannot_be_read_begins_anew(tmp_path: Path) -> None:
    Cursor(tmp_path, "x").save(7)
    assert Cursor(tmp_path, "x").index == 7
    (tmp_path / "cursor-x.json").write_text("{")
    assert Cursor(tmp_path, "x").index == 0
