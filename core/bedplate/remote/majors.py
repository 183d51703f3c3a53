"""Older majors of the contracts: each is one file that turns its messages into today's and back.

A kind's contract grows by adding; when that no longer does, it gets a new major and the old one becomes a Major here,
served for at least ten years beside it (protos/README.md, "Versions"). The kernel behind it knows only today's
messages. There is no older major yet, so MAJORS is empty; tests/versions shows one at work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc.aio

from bedplate.remote.kinds import Kind


class Translation(Protocol):
    """Between one plugin of an older major and the kernel, for the life of a stream. What can't be said in today's
    words is left out; a ProtocolError ends the stream as a breach of the contract."""

    def come(self, message: Any) -> Iterable[Any]:
        """What a message of the plugin means: today's messages, in order."""

    def to(self, message: Any) -> Iterable[Any]:
        """What today's message is for the plugin: messages of its major, in order."""


@dataclass(frozen=True, slots=True)
class Major:
    """One older major. api: its version, for `requires_api` · service: full name · come: class of what the plugin
    sends · translation: makes one for each stream."""

    api: str
    service: str
    kind: Kind
    come: Any
    translation: Callable[[], Translation]


MAJORS: tuple[Major, ...] = ()


class Translated:
    """A stream's context, as if the plugin spoke today's major."""

    def __init__(self, context: Any, translation: Translation) -> None:
        self._context = context
        self._translation = translation
        self._came: deque[Any] = deque()

    async def read(self) -> Any:
        """The next message in today's words; EOF as it is."""
        while not self._came:
            message = await self._context.read()
            if message is grpc.aio.EOF:
                return message
            self._came.extend(self._translation.come(message))
        return self._came.popleft()

    async def write(self, message: Any) -> None:
        for older in self._translation.to(message):
            await self._context.write(older)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)
