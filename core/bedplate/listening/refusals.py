"""Who was not let in, for people: each sentence once a minute, however often somebody tries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

REMEMBERED = 20  # sentences
TOLD_EVERY, SHOWN_FOR = 60.0, 600.0  # s


@dataclass(slots=True)
class _Refused:
    times: int
    last: float
    told: float


class Refusals:
    """what: is listened for, in front of each sentence · told: hears of them · count: of all, since the start."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.told: Callable[[str], None] = lambda text: None
        self._refused: dict[str, _Refused] = {}
        self.count = 0

    def refused(self, text: str) -> None:
        """Somebody was not let in."""
        now = asyncio.get_running_loop().time()
        self.count += 1
        one = self._refused.pop(text, None) or _Refused(0, now, now - TOLD_EVERY)
        due = now - one.told >= TOLD_EVERY
        self._refused[text] = _Refused(one.times + 1, now, now if due else one.told)
        if len(self._refused) > REMEMBERED:
            del self._refused[next(iter(self._refused))]
        if due:
            self.told(f"{self._what}: refused {text}")

    def now(self) -> Iterator[str]:
        """Of the last minutes."""
        now = asyncio.get_running_loop().time()
        for text, one in self._refused.items():
            if now - one.last < SHOWN_FOR:
                times = f" ({one.times} times)" if one.times > 1 else ""
                yield f"{self._what}: refused {text}{times}"

    def forget(self, marks: Iterable[str]) -> None:
        """Those that hold one of these words are over."""
        wanted = tuple(marks)
        for text in [text for text in self._refused if any(mark in text for mark in wanted)]:
            del self._refused[text]
