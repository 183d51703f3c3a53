"""The plugin's side of sending: one message per linger for all components of the process.

An answer goes to the stream of its ask or nowhere: asks are numbered anew as they come, and after a cut (`turn`) nobody
waits for what was asked before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from bedplate.remote.kinds import Kind

MESSAGE_BYTES = 4 << 20  # a message is closed beyond it: none may reach 16 MiB


class Source(Protocol):
    """Something that has publications to send."""

    def take(self) -> list[Any]:
        """Publications within the credit, as messages."""


class Outbox:
    """Gathers replies, publications and notes. Runs on the plugin's loop."""

    def __init__(
        self, kind: Kind, send: Callable[[Any], None], linger: float, *, redials: bool = False
    ) -> None:
        self._kind = kind
        self._send = send
        self.redials = redials
        self.stream = 0
        self._asked: dict[int, int] = {}  # our number of an ask → the kernel's
        self._last = 0
        self.linger = linger
        self.loop = asyncio.get_running_loop()
        self._replies: list[Any] = []
        self._notes: list[Any] = []
        self._sources: dict[int, Source] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._soon = False

    def turn(self) -> None:
        """The stream is another one from here on."""
        self.stream += 1
        self._replies, self._notes = [], []
        self._asked.clear()

    def number(self, ask: Any) -> None:
        """Gives an ask that came a number of our own, which no other ask ever has."""
        self._last += 1
        self._asked[self._last], ask.id = ask.id, self._last

    def ours(self, ask: int) -> int:
        """Our number of an ask that is not answered yet, by the kernel's; 0 when there is none."""
        return next((ours for ours, theirs in self._asked.items() if theirs == ask), 0)

    def waits(self, ask: int) -> bool:
        """Whether the ask of this number still wants its answer, on the stream that is there."""
        return ask in self._asked

    def reply(self, reply: Any, *, urgent: bool = True, last: bool = True) -> None:
        """An answer to an ask by our number. urgent: at the end of this turn of the loop; else with the next linger.
        last: no other answer to this ask follows."""
        ask = self._asked.pop(reply.answer.id, 0) if last else self._asked.get(reply.answer.id, 0)
        if not ask:
            return
        reply.answer.id = ask
        self._replies.append(reply)
        self._schedule(urgent)

    def note(self, note: Any) -> None:
        self._notes.append(note)
        self._schedule(urgent=True)

    def dirty(self, source: Source, *, urgent: bool = False) -> None:
        """This source has something to send."""
        self._sources[id(source)] = source
        self._schedule(urgent)

    def _schedule(self, urgent: bool) -> None:
        if self._soon or (self._timer and not urgent):
            return
        if self._timer:
            self._timer.cancel()
        self._soon = urgent
        self._timer = self.loop.call_later(0 if urgent else self.linger, self.flush)

    def flush(self) -> None:
        """Sends what there is, as one message, or several when it is much."""
        if self._timer:
            self._timer.cancel()
        self._timer, self._soon = None, False
        sources, self._sources = list(self._sources.values()), {}
        due = [("replies", reply) for reply in self._replies]
        due += [("publications", one) for source in sources for one in source.take()]
        due += [("notes", note) for note in self._notes]
        self._replies, self._notes = [], []
        message, size = self._kind.come(), 0
        for field, one in due:
            if size > MESSAGE_BYTES:
                self._send(message)
                message, size = self._kind.come(), 0
            getattr(message, field).append(one)
            size += one.ByteSize()
        if size:
            self._send(message)
