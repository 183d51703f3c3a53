"""Answers that come in pages: at most a window of them is under way, however slow whoever reads them is.

Both ends: `Turn` for who sends, `Arriving` for who reads. A page uses one credit, the last reply of an answer none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

AHEAD = 4  # pages


class Turn:
    """When the next page may leave. credit: the first grant; 0: no window, as kernels of before asked."""

    def __init__(self, credit: int) -> None:
        self._limited = credit > 0
        self._credit = credit
        self._enough = False
        self._granted = asyncio.Event()

    def grant(self, pages: int, *, enough: bool = False) -> None:
        self._credit += pages
        self._enough = self._enough or enough
        self._granted.set()

    async def next(self) -> bool:
        """Waits for credit, and uses it. False when nobody wants more."""
        while self._limited and not self._enough and self._credit <= 0:
            self._granted.clear()
            await self._granted.wait()
        self._credit -= 1
        return not self._enough


class Arriving:
    """Pages that have come and were not read yet."""

    def __init__(self, window: int = AHEAD) -> None:
        self._credit = window
        self._replies: deque[Any] = deque()
        self._came = asyncio.Event()

    def put(self, reply: Any) -> bool:
        """One has come. False when there was no credit for it."""
        self._replies.append(reply)
        self._came.set()
        if not reply.query.next_page:
            return True
        self._credit -= 1
        return self._credit >= 0

    async def get(self) -> Any:
        """The next one. Whoever takes it grants one more."""
        while not self._replies:
            self._came.clear()
            await self._came.wait()
        self._credit += 1
        return self._replies.popleft()
