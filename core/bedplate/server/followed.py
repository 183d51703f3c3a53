"""A question to the history, answered over moves: what is stored under the paths that a tag had comes under its own.

Rule: a sample belongs to the path whose tag it came from. Samples of before a move are given under the new path, and no
longer under the old one, unless that is all that was asked for. Of windows, the one in which something was moved holds
what came after. An aggregate over the whole range is given for each path apart.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bedplate.model import Batch, Selector, quality
from bedplate.planning.moves import Moves, Stretch
from bedplate.wire import decode_batch, encode_batch

Ask = Callable[[Any], AsyncIterator[Any]]
"""A query → pages of its answer."""

HANDLES = 1 << 30  # where handles of what was moved begin within an answer


class Followed:
    """One question. here: paths that there are now."""

    def __init__(self, ask: Ask, moves: Moves, here: Collection[str]) -> None:
        self._ask, self._moves, self._here = ask, moves, frozenset(here)
        self._moved = {path for path in self._here if len(moves.stretches(path)) > 1}
        self._paths: dict[int, str] = {}  # of the first answer, by handle
        self._next = HANDLES

    async def pages(self, query: Any) -> AsyncIterator[Any]:
        """The answer for what was never moved, then by tag and time that for the rest. Raises what the history
        raises."""
        wanted = Selector(list(query.selectors))
        rest = [text for text in query.selectors if text not in self._moved]
        if rest:
            async for page in self._ask(_asked(query, selectors=rest)):
                yield self._unmoved(page, query, wanted)
        for path in sorted(self._moved):
            if wanted.matches(path):
                async for page in self._of(path, query):
                    yield page

    # --- never moved ---

    def _unmoved(self, page: Any, query: Any, wanted: Selector) -> Any:
        self._paths.update((tag.handle, tag.path) for tag in page.tags)
        return _with(page, [self._kept(encoded, query, wanted) for encoded in page.batches])

    def _kept(self, encoded: bytes, query: Any, wanted: Selector) -> bytes:
        """Without what belongs to another path by now, or comes later."""
        batch = decode_batch(encoded)
        keep = np.ones(len(batch), bool)
        for handle in {int(one) for one in batch.tag}:
            path = self._paths.get(handle, "")
            rows = batch.tags() == handle
            if path in self._moved:
                keep &= ~rows
            elif until := self._given_up(path, query, wanted):
                away = path not in self._here  # nothing but the word that it went
                ended = batch.qualities() == quality.BAD_OUT_OF_SERVICE
                keep &= ~(rows & ((batch.times() < until) | (ended & away)))
        return encoded if keep.all() else _encoded(batch, keep)

    def _given_up(self, path: str, query: Any, wanted: Selector) -> int:
        """Until when samples under this path belong to another one that is given too; 0: never."""
        if not self._moves.left(path):
            return 0
        start = self._moves.stretches(path)[0].start
        other = self._moves.successor(path, start - 1)
        told = path in self._here or (other in self._here and wanted.matches(other))
        return _aligned(start, query) if told else 0

    # --- moved ---

    async def _of(self, path: str, query: Any) -> AsyncIterator[Any]:
        """All stretches of one path, by time."""
        stretches = self._moves.stretches(path)
        if query.limit:
            found: list[Any] = []
            left = query.limit
            for stretch in stretches:
                pages = [page async for page in self._stretch(path, stretch, query, limit=left)]
                found[:0] = pages
                left -= sum(len(decode_batch(one)) for page in pages for one in page.batches)
                if left <= 0:
                    break
            for page in found:
                yield page
            return
        if query.last_before:
            async for page in self._before(path, stretches, query):
                yield page
        for stretch in reversed(stretches):
            async for page in self._stretch(path, stretch, query):
                yield page

    async def _before(
        self, path: str, stretches: Sequence[Stretch], query: Any
    ) -> AsyncIterator[Any]:
        """The newest sample before the range, wherever it is stored."""
        begin = getattr(query, "from")
        for stretch in stretches:
            end = min(begin, stretch.end)
            if end <= stretch.start:
                continue
            asked = _asked(query, selectors=[stretch.path], to=end + 1, last_before=True)
            setattr(asked, "from", end)
            pages = [p async for p in self._renamed(asked, path, stretch.start, end)]
            for page in pages:
                yield page
            if any(page.batches for page in pages):
                return

    async def _stretch(
        self, path: str, stretch: Stretch, query: Any, limit: int = 0
    ) -> AsyncIterator[Any]:
        first = max(getattr(query, "from"), _aligned(stretch.start, query))
        last = min(query.to, _aligned(stretch.end, query))
        if first < last:
            asked = _asked(query, selectors=[stretch.path], to=last, limit=limit, last_before=False)
            setattr(asked, "from", first)
            async for page in self._renamed(asked, path, first - first % (query.every or 1), last):
                yield page

    async def _renamed(self, asked: Any, path: str, first: int, last: int) -> AsyncIterator[Any]:
        """An answer of one tag under its path of today, within these times."""
        names: dict[int, int] = {}
        async for page in self._ask(asked):
            for tag in page.tags:
                if tag.handle not in names:
                    names[tag.handle], self._next = self._next, self._next + 1
                tag.handle, tag.path = names[tag.handle], path
            yield _with(page, [_within(one, names, first, last) for one in page.batches])


def _within(encoded: bytes, names: dict[int, int], first: int, last: int) -> bytes:
    batch = decode_batch(encoded)
    handles = np.array([names[int(one)] for one in batch.tag], np.uint32)
    times = batch.times()
    return _encoded(replace(batch, tag=handles), (times >= first) & (times < last))


def _encoded(batch: Batch, keep: Any) -> bytes:
    """What is left of it; empty: nothing."""
    return encode_batch(batch.take(keep)) if keep.any() else b""


def _with(page: Any, batches: Sequence[bytes]) -> Any:
    del page.batches[:]
    page.batches.extend(one for one in batches if one)
    return page


def _asked(query: Any, *, selectors: Sequence[str], **more: Any) -> Any:
    """The question with other words."""
    asked = type(query)()
    asked.CopyFrom(query)
    del asked.selectors[:]
    asked.selectors.extend(selectors)
    for name, value in more.items():
        setattr(asked, name, value)
    return asked


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
