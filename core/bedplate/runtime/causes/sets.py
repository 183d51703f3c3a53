"""Things that belong together because each belongs to the next: sets that are joined, and times that meet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")
TOGETHER = 2_000_000_000  # ns


class Sets:
    """Numbers from 0 on, each in a set of its own at first."""

    def __init__(self, size: int) -> None:
        self._above = list(range(size))

    def join(self, one: int, other: int) -> None:
        self._above[self._top(one)] = self._top(other)

    def join_all(self, keys: Iterable[Hashable]) -> None:
        """Those with the same key, one for each number."""
        first: dict[Hashable, int] = {}
        for number, key in enumerate(keys):
            self.join(number, first.setdefault(key, number))

    def of(self, things: Sequence[T]) -> list[list[T]]:
        """The things by set, in order of their first."""
        found: dict[int, list[T]] = defaultdict(list)
        for number, thing in enumerate(things):
            found[self._top(number)].append(thing)
        return list(found.values())

    def _top(self, number: int) -> int:
        while self._above[number] != number:
            self._above[number] = self._above[self._above[number]]
            number = self._above[number]
        return number


def join_meeting(sets: Sets, spans: Iterable[tuple[int, int, int]]) -> None:
    """Joins those whose times meet within two seconds, or by way of others. spans: (from, to, number), ns."""
    reach = last = -1
    for begin, end, number in sorted(spans):
        if last >= 0 and begin - reach <= TOGETHER:
            sets.join(number, last)
            reach = max(reach, end)
        else:
            reach = end
        last = number
