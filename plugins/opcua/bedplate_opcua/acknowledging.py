"""Which messages of the server the kernel has on disk, and what the server may be told of that (OPC 10000-4 §5.14.5).

Rule: a message is acknowledged when all of its samples are on disk, or when it has none. What the kernel refused,
since its disk is dead, is not acknowledged. A server keeps few messages, so the list is bounded: beyond that the oldest
is acknowledged all the same, and counted.
Does not send anything (`publishing.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

MOST_UNACKNOWLEDGED: Final = 64
"""Messages that the server is asked to keep: 250 ms of journal.sync hold five of the shortest publishing interval."""


@dataclass(slots=True, eq=False)
class Message:
    """A NotificationMessage. parts: batches of it that are not on disk yet."""

    subscription: int
    sequence: int
    parts: int


class Acknowledgements:
    """Of one component, over its sessions. early: so many were acknowledged before they were on disk."""

    def __init__(self, most: int = MOST_UNACKNOWLEDGED) -> None:
        self._most = most
        self._waiting: deque[Message] = deque()
        self._due: list[Message] = []
        self.note: Callable[[str], None] = lambda text: None
        self.early = 0

    def received(self, subscription: int, sequence: int, parts: int) -> Message:
        """A message came, in so many batches."""
        message = Message(subscription, sequence, parts)
        if not parts:
            self._due.append(message)
            return message
        self._waiting.append(message)
        if len(self._waiting) > self._most:
            self._due.append(self._waiting.popleft())
            self.early += 1
            if self.early == 1:
                self.note(
                    f"the kernel is slow to store: more than {self._most} messages of the server are not on disk; "
                    "from now on the oldest are acknowledged before they are"
                )
        return message

    def settled(self, message: Message | None) -> None:
        """One of its batches is on disk, or is none any more."""
        if message is None:
            return
        message.parts -= 1
        if not message.parts and message in self._waiting:
            self._waiting.remove(message)
            self._due.append(message)

    def take(self) -> list[tuple[int, int]]:
        """(subscription, sequence number) of what the server may forget; each is given once."""
        due, self._due = self._due, []
        return [(message.subscription, message.sequence) for message in due]

    def known(self, subscription: int, sequences: Sequence[int]) -> None:
        """The server still has these, which came long ago: those that wait for the disk go on waiting."""
        held = {m.sequence for m in self._waiting if m.subscription == subscription}
        due = {m.sequence for m in self._due if m.subscription == subscription}
        self._due += [Message(subscription, s, 0) for s in sequences if s not in held | due]

    def forget(self) -> None:
        """The subscriptions are gone."""
        self._waiting.clear()
        self._due.clear()
