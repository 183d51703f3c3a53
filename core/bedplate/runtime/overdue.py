"""What somebody waits for, and for how long already: told once when it takes long, and there for whoever looks.

Decides nothing: how long is too long is the business of who waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bedplate.runtime import lifecycle

STEPS = (60, 30, 20, 10)  # s: said in steps, so that what hangs together is one line


class Overdue:
    """One thing at a time. tell: hears the words once, lifecycle.SLOW seconds after it began."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._what = ""
        self._since = 0.0

    @contextmanager
    def waits(self, what: str) -> Iterator[None]:
        """what: such as "open has not answered"."""
        loop = asyncio.get_running_loop()
        self._what, self._since = what, loop.time()
        slow = lifecycle.SLOW
        telling = loop.call_later(slow, self._tell, f"{what} for {slow:.0f} s")
        try:
            yield
        finally:
            telling.cancel()
            self._what = ""

    @property
    def text(self) -> str:
        """In words, with how long it has been; empty while nothing is overdue."""
        age = asyncio.get_running_loop().time() - self._since
        if not self._what or age < lifecycle.SLOW:
            return ""
        step = next((step for step in STEPS if age >= step), lifecycle.SLOW)
        return f"{self._what} for {step:.0f} s"


def both(why: str, overdue: str) -> str:
    """Why a component is in its state, and what it waits for meanwhile."""
    if not overdue or why.startswith(overdue.rpartition(" for ")[0]):
        return overdue or why
    return f"{why}; {overdue}"
