"""What a component does while it is open, and how its session may end. The supervisor does the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bedplate.config.deployment import Component
from bedplate.errors import BedplateError, ProtocolError
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment
from bedplate.runtime import lifecycle
from bedplate.runtime.spine import Spine


class Unreachable(BedplateError):
    """The session is over: connection lost."""


class Refusal(Unreachable):
    """The other side said no. text: its words · reply: all of the answer."""

    def __init__(self, text: str, reply: Any) -> None:
        super().__init__(f"refused: {text}")
        self.text, self.reply = text, reply


class Bug(BedplateError):
    """The session is over: the plugin's mistake. trace: for its author."""

    def __init__(self, text: str, trace: str = "") -> None:
        super().__init__(text)
        self.trace = trace


class SettingsRefused(BedplateError):
    """The plugin refuses its settings."""


@dataclass
class Figures:
    """Plain counters, read by observable instruments and by status. dropped: samples that came when nobody had asked
    for them · notes_left_out: more than one reads."""

    restarts: int = 0
    dropped: int = 0
    notes_left_out: int = 0
    skipped: int = 0
    consumed: int = 0
    produced: int = 0
    problems: dict[int, str] = field(default_factory=dict)


class Role:
    """What a component does while it is open; one subclass per way of working. keeps_on: a program elsewhere goes on
    with it while the kernel is away."""

    keeps_on = False

    def __init__(self, component: Component, spine: Spine) -> None:
        self.component = component
        self.spine = spine
        self.figures = Figures()
        self.attachment: Attachment | None = None
        self.may_publish: Callable[[str], bool] = lambda path: True
        self.slow: Callable[[str], None] = lambda text: None  # an answer is overdue, in words
        self.well: Callable[[], None] = lambda: None  # answers come again
        self.off: Callable[[], bool] = lambda: False  # silent, and not expected to speak
        self.forget: Callable[[], None] = lambda: None  # what was answered before counts no more
        self.said: Callable[[str], None] = lambda text: None  # a note, in words
        self.state: Callable[[], lifecycle.State] = lambda: lifecycle.State.STOPPED

    async def open_message(self) -> Any:
        raise NotImplementedError

    def check_published(self, paths: Iterable[str]) -> None:
        """Raises SettingsRefused for a tag that the manifest does not let the plugin publish."""
        if beyond := next((path for path in paths if not self.may_publish(path)), ""):
            raise SettingsRefused(
                f"{beyond} is not within tags.publish of the manifest of {self.component.use}"
            )

    async def serve(self, attachment: Attachment, reply: Any) -> None:
        """Works until the session ends. Raises Unreachable, Bug, ConnectionError, TimeoutError; cancelled to stop."""
        raise NotImplementedError

    async def ask(self, attachment: Attachment, within: float, **what: Any) -> Any:
        """The reply when it says OK; tells when it takes long. Raises as `ok`, and as Attachment.ask."""
        loop, name = asyncio.get_running_loop(), next(iter(what))
        after = lifecycle.SLOW_WORK
        telling = loop.call_later(after, self.slow, f"{name} has not answered for {after:.0f} s")
        try:
            reply = await attachment.ask(self.component.id, within, **what)
        finally:
            telling.cancel()
        if telling.when() <= loop.time():
            self.well()
        return ok(reply)

    def on_lost(self) -> None:
        """The session ended without being asked to, or did not begin. May be told more than once."""

    def set_aside(self, aside: bool) -> None:
        """Whether people work on its device, so that what it says counts for nothing."""

    def closed(self) -> None:
        """Close was answered, or nobody is left to answer: what comes now was asked for by nobody."""

    def publication(self, publication: Any) -> None:
        raise ProtocolError("publishes without having been asked to")


def ok(reply: Any) -> Any:
    """The reply when it says OK. Raises what its code means."""
    answer = reply.answer
    match answer.code:
        case plugin_pb2.CODE_OK:
            return reply
        case plugin_pb2.CODE_UNREACHABLE | plugin_pb2.CODE_EXPIRED:
            raise Unreachable(answer.text or "no answer in time")
        case plugin_pb2.CODE_INVALID:
            texts = [f"{p.pointer}: {p.text}" if p.pointer else p.text for p in answer.problems]
            raise SettingsRefused("; ".join(texts) or answer.text)
        case plugin_pb2.CODE_REFUSED:
            raise Refusal(answer.text, reply)
        case plugin_pb2.CODE_UNSUPPORTED:
            raise Bug("does not support what its manifest declares")
    raise Bug(answer.text or f"answered code {answer.code}", answer.trace)
