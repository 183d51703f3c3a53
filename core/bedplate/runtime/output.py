"""What a plugin prints: its last lines, made harmless for a terminal, bounded in memory and in the kernel's time.

stdout and stderr are log, never protocol. A flood is drained so that the plugin need not stand still, but what exceeds
the budget of a second is thrown away unread and counted. Does not start or end anything.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from bedplate.config.veil import Veil

LINES = 200  # kept for people
LINE_BYTES = 2048  # of one line; the rest is cut off
BUDGET = 64 << 10  # bytes a second that are looked at, and at most so many at once
CHUNK = 256 << 10
_NOTHING = Veil()
PAUSE = 0.01  # s after a chunk of a flood: 25 MB/s at most, whatever the plugin can


class Output:
    """Lines of one run of a process. left_out: bytes that nobody looked at, since the start."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.lines: deque[str] = deque(maxlen=LINES)
        self.left_out = 0
        self._now = monotonic
        self._budget = float(BUDGET)
        self._at = monotonic()
        self._rest = b""
        self._cut = False  # in the middle of what was left out
        self._marked = 0
        self.veil: Callable[[], Veil] = lambda: _NOTHING

    def feed(self, chunk: bytes) -> bool:
        """Takes what was read. False when it is more than one looks at: whoever reads should rest."""
        now = self._now()
        self._budget = min(BUDGET, self._budget + (now - self._at) * BUDGET)
        self._at = now
        taken = chunk[: int(self._budget)]
        self._budget -= len(taken)
        if taken:
            self._take(taken)
        left = len(chunk) - len(taken)
        if left:
            self._leave_out(left)
        return not left

    def _take(self, chunk: bytes) -> None:
        if self._cut:  # the first line after a hole has no beginning
            before, newline, chunk = chunk.partition(b"\n")
            self.left_out += len(before)
            self._cut = not newline
        if len(self._rest) > LINE_BYTES:  # what was left out of a line is not joined to its end
            _, newline, more = chunk.partition(b"\n")
            chunk = newline + more
        *lines, rest = (self._rest + chunk).split(b"\n")
        self.lines.extend(map(self._shown, lines[-LINES:]))
        self._rest = rest[: LINE_BYTES + 1]

    def _leave_out(self, count: int) -> None:
        self._cut = True
        if self._rest:
            self.lines.append(self._shown(self._rest))
        self.left_out += count
        self._rest = b""
        self._mark()

    def _mark(self) -> None:
        """One line says how much was left out, however often it happens."""
        if self.lines and self._marked and self.lines[-1].startswith("… "):
            self.lines.pop()
        self._marked = self.left_out
        self.lines.append(f"… {self.left_out:,} bytes of output left out so far")

    def _shown(self, line: bytes) -> str:
        """One line for people, without secrets, also where one was cut off."""
        veil = self.veil()
        if not veil:
            return legible(line)
        text = line.decode("utf-8", "replace")
        return legible(veil.cut(text) if len(line) > LINE_BYTES or self._cut else veil(text))

    def end(self) -> None:
        """Nothing more comes."""
        if self._rest:
            self.lines.append(self._shown(self._rest))
            self._rest = b""
        if self.left_out > self._marked:
            self._mark()

    async def read(self, stream: asyncio.StreamReader) -> None:
        """Reads to the end of the stream."""
        while chunk := await stream.read(CHUNK):
            if not self.feed(chunk):
                await asyncio.sleep(PAUSE)
        self.end()


def legible(line: bytes | str, most: int = LINE_BYTES) -> str:
    """Text from a plugin for people: nothing in it moves a cursor, changes a colour or goes on for ever."""
    if isinstance(line, bytes):
        cut = len(line) > most
        line = line[:most].decode("utf-8", "replace")
    else:
        cut = len(line) > most
        line = line[:most]
    if not line.isprintable():
        line = "".join(_escaped(line))
    return line + "…" if cut else line


def _escaped(line: str) -> Iterable[str]:
    for c in line:
        yield c if c.isprintable() else f"\\x{ord(c):02x}"
