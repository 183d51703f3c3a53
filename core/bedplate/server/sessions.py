"""Who is connected: each identity with each of its credentials, how much it may have open at once, and its streams,
which are looked at again as long as they last.

Rule: a stream is no better than a new call. Whoever would not be let in now is cut within 5 s, by the same words.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bedplate.clock import Clock
from bedplate.contracts import Credential, Subject
from bedplate.errors import CallError, Denied, NotReady
from bedplate.gate.identities import Key, key_of
from bedplate.listening.peer import Peer

STREAMS = 16  # without end, of one identity at once
CALLS = 64  # others, of one identity at once
MOST = 1024  # sessions told
TOLD_FOR = 3600 * 10**9  # ns since the newest call
LOOKS = 0.25  # s between looks at who has streams
AGAIN = 1.5  # s after which streams are looked at again, though nothing was forgotten
INSISTS = 1.0  # s that the last words to a stream may take; then its connection ends
STARTING = 2.5  # s that a module which starts may take before streams are cut for it
ENDLESS = ("live.subscribe", "alarms.watch")
Session = tuple[str, str, str]  # id, method, credential


@dataclass(slots=True)
class Standing:
    """One identity with one credential. since, last: ns UTC of its first and newest call."""

    subject: Subject
    since: int
    last: int
    streams: int = 0
    calls: int = 0


@dataclass(eq=False, slots=True)
class Open:
    """A call under way. ends: ns UTC when the certificate that it came with does · peer: of its connection, None: the
    local socket · over: its work is done · cut: why it must end."""

    subject: Subject
    credential: Credential
    task: asyncio.Task[Any]
    ends: int = 0
    peer: Peer | None = None
    action: str = ""
    over: bool = False
    cut: Denied | None = None

    def end(self, why: Denied) -> None:
        """Ends it, from outside."""
        if self.cut is None and not self.over:
            self.cut = why
            self.task.cancel()
            asyncio.get_running_loop().call_later(INSISTS, self._insist)

    def _insist(self) -> None:
        """Whoever does not read does not read that it is over either."""
        if not self.task.done() and self.peer:
            self.peer.over.set()


Look = Callable[[Open], Awaitable[Subject]]
"""Who has this stream, if he may still have it. Raises Denied."""


class Sessions:
    """look: whether an open stream may go on. generation: changes whenever somebody has to be looked at anew."""

    def __init__(self, clock: Clock, look: Look, generation: Callable[[], int]) -> None:
        self._clock, self._look, self._generation = clock, look, generation
        self._standing: dict[Session, Standing] = {}
        self._streams: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()
        self._open: dict[Key, set[Open]] = {}
        self._seen: dict[Key, tuple[int, float]] = {}  # generation and when all was looked at
        self._groups: dict[Key, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self.cut = 0

    def start(self) -> None:
        self._looking = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        tasks = [task for task in (self._looking, *self._groups.values()) if task]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    @property
    def streams(self) -> int:
        return self._streams.total()

    @contextlib.contextmanager
    def calling(self, opened: Open, action: str) -> Iterator[None]:
        """A call, while it lasts. Raises CallError when its identity has too many; Denied when it was cut."""
        subject, opened.action = opened.subject, action
        endless = action in ENDLESS
        counts, most = (self._streams, STREAMS) if endless else (self._calls, CALLS)
        standing = self._count(subject)
        if counts[subject.id] >= most:
            what = "streams" if endless else "calls"
            raise CallError(
                f"{subject.id} has {most} {what} open at once; end one of them",
                code="RESOURCE_EXHAUSTED",
            )
        counts[subject.id] += 1
        standing.streams += endless
        key = key_of(opened.credential)
        self._seen.setdefault(key, (self._generation(), self._clock.monotonic()))
        group = self._open.setdefault(key, set())
        group.add(opened)
        try:
            yield
        except asyncio.CancelledError:
            if opened.cut is None:
                raise
            opened.task.uncancel()
            raise opened.cut from None
        finally:
            opened.over = True
            group.discard(opened)
            if not group and self._open.get(key) is group:
                del self._open[key], self._seen[key]
            standing.streams -= endless
            counts[subject.id] -= 1
            if not counts[subject.id]:
                del counts[subject.id]

    def now(self) -> list[Standing]:
        """By time of the newest call, the newest first."""
        oldest = self._clock.time_ns() - TOLD_FOR
        told = [one for one in self._standing.values() if one.streams or one.last >= oldest]
        return sorted(told, key=lambda one: -one.last)

    def _count(self, subject: Subject) -> Standing:
        key = subject.id, subject.method, subject.credential
        now = self._clock.time_ns()
        standing = self._standing.pop(key, None) or Standing(subject, now, now)
        standing.subject, standing.last = subject, now
        standing.calls += 1
        self._standing[key] = standing  # the newest last
        if len(self._standing) > MOST:
            idle = next((one for one, found in self._standing.items() if not found.streams), key)
            del self._standing[idle]
        return standing

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOKS)
            now, generation = self._clock.monotonic(), self._generation()
            for key, group in self._open.items():
                before, at = self._seen[key]
                due = before != generation or now - at >= AGAIN
                if due and key not in self._groups:
                    self._seen[key] = generation, now
                    task = asyncio.create_task(self._look_at([*group]))
                    self._groups[key] = task
                    task.add_done_callback(partial(self._looked, key))

    def _looked(self, key: Key, task: asyncio.Task[None]) -> None:
        self._groups.pop(key, None)
        if not task.cancelled():
            task.result()  # what nobody foresaw is not passed over

    async def _look_at(self, group: Sequence[Open]) -> None:
        """All that one credential has open."""
        began = self._clock.monotonic()
        for opened in group:
            while True:
                try:
                    if _authority(await self._look(opened)) != _authority(opened.subject):
                        self._end(opened, NotReady("what you may has changed; call again"))
                except NotReady as error:
                    if self._clock.monotonic() - began < STARTING:
                        await asyncio.sleep(LOOKS)
                        continue
                    self._end(opened, error)
                except Denied as error:
                    self._end(opened, error)
                break

    def _end(self, opened: Open, why: Denied) -> None:
        if not opened.over:
            self.cut += 1
            opened.end(why)


def _authority(subject: Subject) -> tuple[object, ...]:
    """What of somebody decides what he may."""
    return subject.id, subject.roles, subject.groups, subject.method, subject.credential
