"""The gap ledger of a kernel: accounts of its sources, windows that are closed and kept, questions about what is
missing. Runs on the kernel's loop; no data waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bedplate.calendar import zone
from bedplate.clock import Clock
from bedplate.config.deployment import Component
from bedplate.errors import CallError
from bedplate.journal.engine import Loss
from bedplate.runtime.ledger import downtime, filling
from bedplate.runtime.ledger.account import Account
from bedplate.runtime.ledger.answers import Complete, Gap, by_tag, gap_of, summed
from bedplate.runtime.ledger.book import WAITING, Book, Owned
from bedplate.runtime.ledger.columns import expected, received
from bedplate.runtime.ledger.day import begin_of_day
from bedplate.runtime.ledger.reasons import Reason
from bedplate.runtime.ledger.span import Span
from bedplate.runtime.ledger.store import Before, Kept, SourceKey, Window
from bedplate.runtime.lifecycle import State

WINDOW = 15 * 60 * 1_000_000_000  # ns; a day of every time zone begins with one
BEAT = 30.0  # s between two writes of the window that is open
LOOK = 1.0  # s
TIDY = 3600.0  # s


class Ledger:
    """Of one kernel. file: where it is kept, None: in memory. present: whether a component is still part of the
    deployment."""

    def __init__(self, clock: Clock, timezone: str = "UTC", file: Path | None = None) -> None:
        self._clock = clock
        self._zone = zone(timezone)
        self._book = Book(file)
        self._before = Before()
        self._accounts: dict[str, Account] = {}
        self._components: dict[str, Component] = {}
        self._keys: dict[str, SourceKey] = {}
        self._visits: dict[str, int] = {}  # of the window and account by component
        self._visit = 0
        self._losses: deque[Loss] = deque(maxlen=WAITING)
        self._today: dict[str, Any] = {}  # (ROWS,) of closed windows of the day, by component
        self._start = clock.time_ns() // WINDOW * WINDOW
        self._day = begin_of_day(clock.time_ns(), self._zone)
        self._tidied = clock.monotonic()
        self._wrote = self._tidied - BEAT  # one that is killed soon has been there
        self.told: dict[
            str, Complete
        ] = {}  # completeness of the day as of the last beat; any thread may read it
        self._opened = False
        self.present: Callable[[str], bool] = lambda component: True

    async def open(self) -> None:
        """Takes up what the kernel before left. Without a usable file it goes on in memory."""
        self._before = await self._book.open()
        self._opened = True
        until = self._start + WINDOW
        for window in await self._book.ask(lambda s: list(s.windows(self._day, until))):
            self._count_today(window)

    @property
    def failed(self) -> str:
        """Why nothing is kept on disk; empty when it is."""
        return self._book.failed

    # --- sources ---

    def adopt(self, component: Component, account: Account, heard: int = 0) -> None:
        """A source is part of the deployment from now on; its tags are known now or later. heard: when the newest value
        of it that is in the journal came, ns UTC; 0: never."""
        former = self._accounts.get(component.id)
        self._accounts[component.id], self._components[component.id] = account, component
        if former is not None:
            self._follow(account, former)
            return
        self._next_visit(component.id)
        account.begun = partial(self._resume, component, account, heard)
        if account.paths:
            account.begun()

    def _follow(self, account: Account, former: Account) -> None:
        """Another one in its place: its settings have changed."""
        former.frozen = False
        if former.paths and former.paths != account.paths:
            counts = former.columns()
            self._book.windows.append(self._window(former, counts))
            self._count_today(self._book.windows[-1])
            self._book.ended += [(self._key(former), span) for span in former.leaves()]
            self._next_visit(account.component)
        account.continues(former)

    def _resume(self, component: Component, account: Account, heard: int) -> None:
        """What it was expected to bring since the kernel before was alive."""
        account.begun = _nothing
        if self._before.sources.pop(component.id, None) is None:
            return
        now, alive = self._clock.time_ns(), self._before.alive
        down = next((k.span for k in self._before.open if _whole(k, component.id)), None)
        if down is None and alive < heard <= now:
            self._elapsed(account, Reason.RECEIVED, [(alive, heard)], alive, heard)
            alive = heard
        reason = Reason(down.reason) if down and down.reason >= Reason.OFF else Reason.RESTART
        spells = downtime.planned(component, alive, now) if reason is Reason.RESTART else []
        if reason is Reason.RESTART and alive < now and not spells:
            reason = Reason.OFF
        account.resume(reason, min(alive, now))
        self._elapsed(account, Reason.RESTART, spells, alive, now)

    def _elapsed(
        self,
        account: Account,
        reason: Reason,
        spells: list[tuple[int, int]],
        since: int,
        until: int,
    ) -> None:
        """Time of the kernel before, or in which none ran."""
        for start, width, end in downtime.steps(max(since, until - downtime.MOST), until, WINDOW):
            begin = max(start, since)
            counts = downtime.counts(account.periods, reason, since, (begin, end), spells)
            account.missed(reason, counts, now=start == self._start)
            if start != self._start and counts.any():
                past = Window(self._key(account), start, width, counts, self._next_visit(""))
                self._book.windows.append(past)
                self._count_today(past)

    def moved(self, component: str, state: State, text: str) -> None:
        """A component is in another state."""
        if account := self._accounts.get(component):
            account.moved(state, text)

    def _next_visit(self, component: str) -> int:
        self._visit += 1
        self._visits[component] = self._visit
        return self._visit

    def _key(self, account: Account) -> SourceKey:
        key = self._keys.get(account.component)
        if key is None or key.tags is not account.paths:
            component = self._components[account.component]
            key = SourceKey(component.id, component.path or component.id, account.paths)
            self._keys[component.id] = key
        return key

    # --- windows ---

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            await self.tick()

    async def tick(self) -> None:
        """Closes the window when it is over; writes the one that is open now and then."""
        with contextlib.suppress(
            CallError
        ):  # what it was about is told; the counts of then are as they are
            await self._take_losses()
        for component, account in self._accounts.items():
            account.frozen = not self.present(component)
        now, at = self._clock.time_ns(), self._clock.monotonic()
        start = now // WINDOW * WINDOW
        if start > self._start or start < self._start - WINDOW:  # set back a little, it goes on
            self._retire()
            await self._close(start, now)
        elif at - self._wrote >= BEAT:
            await self.flush()
        if at - self._tidied >= TIDY:
            self._tidied = at
            with contextlib.suppress(CallError):
                await self._book.ask(lambda store: store.tidy(now))

    async def flush(self) -> None:
        """Writes what was counted until now."""
        accounts = [one for one in self._accounts.values() if one.paths]
        windows = [self._window(one, one.columns().copy()) for one in accounts]
        await self._write(windows, sync=False)

    async def _close(self, start: int, now: int) -> None:
        accounts = [one for one in self._accounts.values() if one.paths]
        windows = [self._window(one, one.close()) for one in accounts]
        for window in windows:
            self._count_today(window)
            self._next_visit(window.source.component)
            self._accounts[window.source.component].late_before = start - WINDOW
        if (day := begin_of_day(now, self._zone)) != self._day:
            self._day, self._today = day, {}
        self._start = start
        self._book.windows += windows
        await self._write([], sync=True)

    def _window(self, account: Account, counts: NDArray[Any]) -> Window:
        visit = self._visits[account.component]
        return Window(self._key(account), self._start, WINDOW, counts, visit)

    def _count_today(self, window: Window) -> None:
        if window.start >= self._day:
            component, totals = window.source.component, window.counts[:, 1:].sum(axis=1)
            self._today[component] = self._today.get(component, 0) + totals

    def _retire(self) -> None:
        """Forgets who is no longer part of the deployment."""
        for component in [id_ for id_, one in self._accounts.items() if one.frozen]:
            account = self._accounts.pop(component)
            if account.paths:
                self._book.windows.append(self._window(account, account.close()))
                self._book.ended += [(self._key(account), span) for span in account.leaves()]

    async def _write(self, windows: Sequence[Window], *, sync: bool) -> None:
        self._wrote = self._clock.monotonic()
        whole = map(self.completeness, self._accounts)
        self.told = {one.component: one for one in whole if one is not None}
        lasting: list[Owned] = []
        for account in self._accounts.values():
            if account.paths:
                over, on = account.spans()
                self._book.ended += [(self._key(account), span) for span in over]
                lasting += [(self._key(account), span) for span in on]
        await self._book.write(windows, lasting, self._clock.time_ns(), sync=sync)

    async def close(self) -> None:
        """Writes the rest. Legal twice, and when it never began."""
        if not self._opened:
            return
        self._opened = False
        with contextlib.suppress(CallError):
            await self._take_losses()
        await self.flush()
        await self._book.close()

    # --- questions ---

    def completeness(self, component: str) -> Complete | None:
        """Of a source over all its tags, since the beginning of the day in the deployment's time zone. None: it is no
        source, or its tags are not known yet."""
        account = self._accounts.get(component)
        if account is None or not account.paths:
            return None
        totals = account.columns()[:, 1:].sum(axis=1) + self._today.get(component, 0)
        due, came = int(expected(totals[:, None])[0]), int(received(totals[:, None])[0])
        return summed(component, self._key(account).path, due, came)

    async def gaps(self, since: int = 0, until: int = 0, component: str = "") -> list[Gap]:
        """All that overlap [since, until), by begin; ns UTC. since 0: the beginning of the day; until 0: now. Of one
        component, or of all. Raises CallError when the disk refuses."""
        await self._take_losses()
        await self.flush()
        kept = await self._book.ask(lambda store: store.gaps(*self.range(since, until)))
        return [gap_of(one) for one in kept if component in ("", one.source.component)]

    async def complete(self, since: int = 0, until: int = 0) -> list[Complete]:
        """Of each tag, by path, over the windows (a quarter of an hour) that the range begins in or has the begin of.
        Raises CallError."""
        await self._take_losses()
        await self.flush()
        first, last = self.range(since, until)
        first = first // WINDOW * WINDOW
        found: list[Complete] = await self._book.ask(lambda s: by_tag(s.windows(first, last)))
        return found

    def range(self, since: int, until: int) -> tuple[int, int]:
        """What is meant where 0 stands: since the beginning of the day, until now. Nothing is known of before 1970, or
        of the future."""
        now = self._clock.time_ns()
        since, until = since or begin_of_day(now, self._zone), until or now + 1
        return max(since, 1), min(until, now + 1)

    # --- what is learnt later ---

    async def filled(
        self, component: str, tags: Sequence[str], since: int, until: int, samples: int
    ) -> None:
        """So many samples of these tags (paths), with source times in [since, until) ns UTC, were fetched from the
        source's own history, which has no more of that time. Raises CallError when the disk refuses."""
        await self.flush()
        times = (since, until)
        deltas = await self._book.ask(lambda s: filling.fill(s, component, tags, times, samples))
        for delta in deltas:
            self._count_today(delta)

    def declared(self, loss: Loss) -> None:
        """A loss was declared in the journal; soon it is in the ledger."""
        self._losses.append(loss)

    async def _take_losses(self) -> None:
        while self._losses:
            await self._lost(self._losses.popleft())

    async def _lost(self, loss: Loss) -> None:
        """Samples of a source that had come are gone, or have found no place on disk."""
        component, _, lane = loss.stream.rpartition("/")
        account = self._accounts.get(component)
        if account is None or not account.paths or not loss.samples or lane != "live":
            return
        now, key = self._clock.time_ns(), self._key(account)
        times = (loss.since or now, (loss.until or now) + 1)
        self._book.ended.append(
            (key, Span(Reason.LOST, *times, None, loss.samples, 0, loss.reason))
        )
        await self.flush()
        for delta in await self._book.ask(lambda s: filling.lose(s, key, times, loss.samples)):
            self._count_today(delta)


def _whole(kept: Kept, component: str) -> bool:
    return kept.source.component == component and kept.span.tags is None


def _nothing() -> None:
    pass
