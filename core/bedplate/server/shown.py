"""What one live stream may be shown of the tags and events that come, decided before each of them is chosen.

Rule: a handle that was not decided is not shown, and no decision outlives the sight that it was made by.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

from bedplate.errors import NotReady
from bedplate.gate.sight import Sight
from bedplate.model import Body, Record, Selector
from bedplate.runtime.subscription import Subscription
from bedplate.server.concerned import Concerned
from bedplate.wire import decode_event

AGAIN = 0.25  # s between two tries while a security module starts


class Shown:
    """Of one stream. tags, events: sights of their own, each asked by itself."""

    def __init__(
        self, selector: Selector, concerned: Concerned, *, tags: Sight, events: Sight
    ) -> None:
        self.selector = selector
        self._concerned, self._tags, self._events = concerned, tags, events
        self._decided = (0, 0)  # the table's epoch and limit
        self._allowed: set[str] = set()
        self._whole = False  # of this table nothing is hidden

    async def decide(self, subscription: Subscription) -> None:
        """Lets the subscription choose by what may be shown now of all that its table has. While a security module
        starts it waits. Raises Denied."""
        table = subscription.table
        again = False
        while not self._stands(subscription):
            grown = self._tags.fresh and self._decided[0] == table.epoch
            begin, limit = self._decided[1] if grown else 1, table.limit
            fresh = dict.fromkeys(table[n].path for n in range(begin, limit) if n in table)
            was_whole = self._whole and grown
            seen = await self._seen(self._tags, fresh)
            self._allowed = self._allowed.union(seen) if grown else set(seen)
            self._whole = seen is fresh and (was_whole or not grown)
            self._decided = table.epoch, limit
            again = again or not grown or was_whole != self._whole
        if again:
            wants = self.selector.matches if self._whole else self._wanted
            subscription.decide(wants, all_=self.selector.all and self._whole)
        else:
            subscription.refresh()

    def _stands(self, subscription: Subscription) -> bool:
        table = subscription.table
        return self._tags.fresh and self._decided == (table.epoch, table.limit)

    def _wanted(self, path: str) -> bool:
        return path in self._allowed and self.selector.matches(path)

    def renew(self) -> None:
        """Another subscription goes on: it has been told nothing yet."""
        self._decided = (0, 0)

    async def hidden(self, records: Iterable[Record]) -> set[int]:
        """Of these records the events that may not be shown, by `id`. Raises Denied."""
        events = {id(r): decode_event(r.payload) for r in records if r.kind is Body.EVENT}
        if not events:
            return set()

        async def ask(paths: Collection[str]) -> Collection[str]:
            return await self._seen(self._events, paths)

        shown = set(map(id, await self._concerned.shown(events.values(), ask)))
        return {record for record, event in events.items() if id(event) not in shown}

    async def _seen(self, sight: Sight, paths: Collection[str]) -> Collection[str]:
        while True:
            try:
                return await sight.among(paths)
            except NotReady:
                await asyncio.sleep(AGAIN)
