"""The plugin's side of Attach: all components of one process, or of one inline thread, whatever the transport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from bedplate.errors import Invalid
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.kinds import Kind
from bedplate.remote.outbox import Outbox
from bedplate.remote.serving import SESSIONS
from bedplate.remote.session import Session


class PluginSide:
    """Takes messages of the kernel, gives messages to `send`. offers: what `use:` may name → class.

    Runs on one loop. `done` is set by Shutdown, when everything is closed. redials: sessions outlive the stream.
    """

    def __init__(
        self,
        kind: Kind,
        offers: Mapping[str, type],
        send: Callable[[Any], None],
        *,
        redials: bool = False,
    ) -> None:
        self._kind = kind
        self._offers = offers
        self._outbox = Outbox(kind, send, 0.05, redials=redials)
        self._sessions: dict[str, Session] = {}
        self._stopping: asyncio.Task[None] | None = None
        self.done = asyncio.Event()

    def receive(self, message: Any) -> None:
        """One message of the kernel."""
        for ask in message.asks:
            self._outbox.number(ask)
            match ask.WhichOneof("what"):
                case "ping":
                    self._ok(ask.id)
                case "shutdown":
                    self._ok(ask.id)
                    self._stopping = self._stopping or asyncio.create_task(self.shutdown())
                case _:
                    self._session(ask.component).submit(ask)
        for receipt in getattr(message, "receipts", ()):
            self._session(receipt.component).receipt(receipt)
        for credit in getattr(message, "page_credits", ()):
            ask = self._outbox.ours(credit.id)
            for session in self._sessions.values():
                session.page_credit(ask, credit.pages, enough=credit.enough)

    def cut(self) -> None:
        """The stream ended. Sessions stay as they are, and wait for the Open of the next one."""
        self._outbox.turn()
        for session in self._sessions.values():
            session.cut()

    async def close_unclaimed(self) -> None:
        """Closes what no Open of this stream has taken up again."""
        await asyncio.gather(
            *(s.close() for s in self._sessions.values() if s.stream != self._outbox.stream)
        )

    async def shutdown(self) -> None:
        """Closes every component, side by side."""
        await asyncio.gather(*(session.close() for session in self._sessions.values()))
        self._outbox.flush()
        self.done.set()

    def _session(self, component: str) -> Session:
        if component not in self._sessions:
            session = SESSIONS[self._kind.name](component, self._kind, self._outbox, self._offer)
            self._sessions[component] = session
        return self._sessions[component]

    def _offer(self, use: str) -> type:
        if use not in self._offers:
            raise Invalid(
                f"this plugin does not offer {use!r}; it offers {', '.join(sorted(self._offers))}"
            )
        return self._offers[use]

    def _ok(self, ask: int) -> None:
        reply = self._kind.reply()
        reply.answer.id, reply.answer.code = ask, plugin_pb2.CODE_OK
        self._outbox.reply(reply)
