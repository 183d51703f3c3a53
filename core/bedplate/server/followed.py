"""A question to the history, answered over moves: what is stored under the paths that a tag had comes under its own.

Rule: a sample belongs to the path whose tag it came from. Samples of before a move are given under the new path, and no
longer under the old one, unless that is all that was asked for. Of windows, the one in which something was moved holds
what came after. An aggregate over the whole range is given for each path apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bedplate.model import Selector, quality
from bedplate.planning.moves import Moves, Stretch
from bedplate.wire import decode_batch, encode_batch

Ask = Callable[[Any], AsyncIterator[Any]]
"""A query → pages of its answer."""

HANDLES = 1 << 30  # where handles of what was moved begin within an answer


class Followed:
    """One question. here: paths that there are now."""

    def __init__(self, ask: Ask, moves: Moves, here: Collection[str]) -> None:
        self._ask, self._moves, self._here = ask, moves, here
        self._paths: dict[int, str] = {}  # of the first answer, by handle
        self._given: Counter[str] = Counter()  # samples of the range
        self._before: set[str] = set()  # of which the sample before the range was found
        self._next = HANDLES

    async def pages(self, query: Any) -> AsyncIterator[Any]:
        """The answer, then what is stored under other paths. Raises what the history raises."""
        wanted = Selector(list(query.selectors))
        async for page in self._ask(query):
            yield self._own(page, query, wanted)
        for path in sorted(self._here):
            if wanted.matches(path):
                async for page in self._past(path, query):
                    yield page

    # --- under its own path ---

    def _own(self, page: Any, query: Any, wanted: Selector) -> Any:
        self._paths.update((tag.handle, tag.path) for tag in page.tags)
        batches = [self._kept(encoded, query, wanted) for encoded in page.batches]
        del page.batches[:]
        page.batches.extend(one for one in batches if one)
        return page

    def _kept(self, encoded: bytes, query: Any, wanted: Selector) -> bytes:
        """Without what belongs to another path by now."""
        batch = decode_batch(encoded)
        keep = np.ones(len(batch), bool)
        times = batch.times()
        for handle in {int(one) for one in batch.tag}:
            path = self._paths.get(handle, "")
            rows = batch.tags() == handle
            if until := self._given_up(path, query, wanted):
                away = path not in self._here  # nothing but the word that it went
                ended = batch.qualities() == quality.BAD_OUT_OF_SERVICE
                keep &= ~(rows & ((times < until) | (ended & away)))
            self._count(path, times[rows & keep], query)
        return encoded if keep.all() else encode_batch(batch.take(keep)) if keep.any() else b""

    def _given_up(self, path: str, query: Any, wanted: Selector) -> int:
        """Until when samples under this path belong to another one that is given too; 0: never."""
        if not self._moves.left(path):
            return 0
        start = self._moves.stretches(path)[0].start
        other = self._moves.successor(path, start - 1)
        told = path in self._here or (other in self._here and wanted.matches(other))
        return _aligned(start, query) if told else 0

    def _count(self, path: str, times: Any, query: Any) -> None:
        begin = getattr(query, "from")
        self._given[path] += int(np.count_nonzero(times >= begin))
        if (times < begin).any():
            self._before.add(path)

    # --- under those before ---

    async def _past(self, path: str, query: Any) -> AsyncIterator[Any]:
        for stretch in self._moves.stretches(path)[1:]:
            if asked := self._narrowed(path, stretch, query):
                names: dict[int, int] = {}
                async for page in self._ask(asked):
                    yield self._renamed(page, path, names, stretch, query)

    def _narrowed(self, path: str, stretch: Stretch, query: Any) -> Any:
        """The question for one stretch of the past; None: it has nothing to say."""
        begin, end = getattr(query, "from"), _aligned(stretch.end, query)
        first, last = max(begin, stretch.start), min(query.to, end)
        before = query.last_before and path not in self._before
        left = query.limit - self._given[path] if query.limit else 0
        if (query.limit and left <= 0) or (first >= last and not before):
            return None
        asked = type(query)()
        asked.CopyFrom(query)
        del asked.selectors[:]
        asked.selectors.append(stretch.path)
        setattr(asked, "from", min(first, max(end, 1)))
        asked.to = max(last, getattr(asked, "from") + 1)
        asked.limit, asked.last_before = left, before
        return asked

    def _renamed(
        self, page: Any, path: str, names: dict[int, int], stretch: Stretch, query: Any
    ) -> Any:
        for tag in page.tags:
            if tag.handle not in names:
                names[tag.handle], self._next = self._next, self._next + 1
            tag.handle, tag.path = names[tag.handle], path
        batches = [self._within(encoded, path, names, stretch, query) for encoded in page.batches]
        del page.batches[:]
        page.batches.extend(one for one in batches if one)
        page.progress = 1.0
        return page

    def _within(
        self, encoded: bytes, path: str, names: dict[int, int], stretch: Stretch, query: Any
    ) -> bytes:
        batch = decode_batch(encoded)
        times = batch.times()
        keep = (times < stretch.end) & (times >= _aligned(stretch.start, query))
        if not keep.any():
            return b""
        batch = batch.take(keep)
        self._count(path, batch.times(), query)
        handles = np.array([names[int(one)] for one in batch.tag], np.uint32)
        return encode_batch(replace(batch, tag=handles))


def _aligned(moment: int, query: Any) -> int:
    """To the beginning of the window that it lies in."""
    return moment - moment % query.every if query.every else moment


def paths_here(declared: Collection[str], known: Collection[str], moves: Moves) -> Iterator[str]:
    """Paths that there are now: those that the deployment names, and what is made of them, moved with its asset if it
    was."""
    yield from declared
    assets = {path.rpartition("/")[0] for path in declared}
    for path in known:
        if path in declared:
            continue
        now = moves.successor(path, moves.stretches(path)[0].start - 1) if moves.all else path
        if now == path or any(now.startswith(f"{asset}/") for asset in assets):
            yield now
