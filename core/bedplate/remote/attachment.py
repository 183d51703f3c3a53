"""The kernel's end of Attach: asks with answers, publications and notes, whatever the transport.

Runs on the kernel's loop. Asks of one turn of the loop leave as one message; receipts ride along, at the latest after
the linger.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from bedplate.config.veil import Veil
from bedplate.connector.v1 import connector_pb2
from bedplate.errors import ProtocolError
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.kinds import Kind
from bedplate.remote.pages import AHEAD, Arriving
from bedplate.telemetry import CONTROL, span, traceparent
from bedplate.wire import twin

MARGIN = 1.0  # s: an answer may come this much later than the ask allowed before it counts as none
HURRY = (
    16  # publications: so much new credit does not wait for the linger, a fast source would starve
)
REMEMBERED = 10_000  # asks whose answers nobody waits for any more
_NOTHING = Veil()
_Receipt = twin(plugin_pb2.Receipt)
_PageCredit = twin(connector_pb2.PageCredit)


class Silence(TimeoutError):
    """No answer, though every ask must have one: the plugin broke the contract."""


class Attachment:
    """One attached plugin process or thread.

    publication, note: called for each that arrives. gone: a future with the reason once the stream has ended.
    """

    def __init__(
        self, kind: Kind, send: Callable[[Any], None], hello: Any = None, linger: float = 0.05
    ) -> None:
        self.kind = kind
        self.hello = hello
        self.origin = ""  # where a remote plugin dialled from
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.publication: Callable[[Any], None] = lambda publication: None
        self.note: Callable[[Any], None] = lambda note: None
        self.breach: Callable[[str], None] = self.end
        self.veil: Callable[[], Veil] = lambda: _NOTHING  # takes secrets out of what it says
        self._send = send
        self._linger = linger
        self._asks: list[Any] = []
        self._receipts: dict[str, Any] = {}
        self._waiting: dict[int, asyncio.Future[Any] | Arriving] = {}
        self._forgotten: dict[int, None] = {}
        self._page_credits: list[Any] = []
        self._last = 0
        self._soon = False
        self._timer: asyncio.TimerHandle | None = None

    # --- out ---

    async def ask(
        self, component: str, within: float, *, margin: float | None = None, **what: Any
    ) -> Any:
        """Asks, and returns the reply. within: seconds; margin: that the answer may come later.

        Raises ConnectionError when the plugin goes meanwhile, Silence when it does not answer.
        """
        name = next(iter(what))
        late = within + (MARGIN if margin is None else margin)
        if name not in CONTROL:
            return await self._ask(component, (within, late), "", what)
        with span(f"ask {name}", component=component):
            return await self._ask(component, (within, late), traceparent(), what)

    async def _ask(
        self, component: str, times: tuple[float, float], trace: str, what: dict[str, Any]
    ) -> Any:
        within, late = times
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        ask = self._post(component, within, trace, what)
        self._waiting[ask] = future
        try:
            async with asyncio.timeout(late):
                return await future
        except TimeoutError as error:
            name = next(iter(what))
            raise Silence(f"no answer within {late:.1f} s to {name}") from error
        finally:
            if self._waiting.pop(ask, None) and not (future.done() and not future.cancelled()):
                self._forget(ask)

    def ask_template(self, template: Any, within: float) -> asyncio.Future[Any]:
        """The same for a prepared Ask that is sent again and again; the caller watches the time."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.gone.done():
            future.set_exception(ConnectionError(self.gone.result()))
            return future
        self._last += 1
        template.id, template.within_ms = self._last, int(within * 1000)
        self._waiting[self._last] = future
        self._asks.append(template)
        self._flush_soon()
        return future

    async def stream(self, component: str, within: float, **what: Any) -> AsyncIterator[Any]:
        """Asks, and yields every reply up to and including the last one (for Query)."""
        pages = Arriving()
        what["query"].credit = AHEAD
        ask = self._post(component, within, "", what)
        self._waiting[ask] = pages
        try:
            while True:
                async with asyncio.timeout(within + MARGIN):
                    reply = await pages.get()
                if not reply.query.next_page:
                    self._waiting.pop(ask, None)
                yield reply
                if not reply.query.next_page:
                    return
                self._grant(_PageCredit(id=ask, pages=1))
        finally:
            if self._waiting.pop(ask, None):
                self._forget(ask)
                self._grant(_PageCredit(id=ask, enough=True))

    def _post(self, component: str, within: float, trace: str, what: dict[str, Any]) -> int:
        if self.gone.done():
            raise ConnectionError(self.gone.result())
        self._last += 1
        self._asks.append(
            self.kind.ask(
                id=self._last,
                component=component,
                within_ms=int(within * 1000),
                traceparent=trace,
                **what,
            )
        )
        self._flush_soon()
        return self._last

    def receipt(
        self, component: str, credit: int = 0, synced: int = 0, refused: int = 0, text: str = ""
    ) -> None:
        """Grants credit, or says what is on disk or refused."""
        one = self._receipts.setdefault(component, _Receipt(component=component))
        one.credit += credit
        one.synced = max(one.synced, synced)
        if refused:
            if one.refused:  # a receipt names one
                self.flush()
                one = self._receipts.setdefault(component, _Receipt(component=component))
            one.refused, one.text = refused, text
        if one.credit >= HURRY:
            self._flush_soon()
        elif not (self._soon or self._timer):
            self._timer = asyncio.get_running_loop().call_later(self._linger, self.flush)

    def untold(self, component: str) -> int:
        """Credit of a receipt that has not left yet."""
        receipt = self._receipts.get(component)
        return receipt.credit if receipt else 0

    def _grant(self, credit: Any) -> None:
        self._page_credits.append(credit)
        self._flush_soon()

    def give_up(self, template: Any) -> None:
        """Nobody waits any more for the answer to a prepared Ask that was sent."""
        if self._waiting.pop(template.id, None):
            self._forget(template.id)

    def _forget(self, ask: int) -> None:
        """An answer may still come; one to an ask so long ago that it is not remembered is a breach."""
        self._forgotten[ask] = None
        if len(self._forgotten) > REMEMBERED:
            del self._forgotten[next(iter(self._forgotten))]

    def _flush_soon(self) -> None:
        if not self._soon:
            self._soon = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Sends what is due, as one message."""
        if self._timer:
            self._timer.cancel()
        self._soon, self._timer = False, None
        if not (self._asks or self._receipts or self._page_credits) or self.gone.done():
            return
        message = self.kind.to(asks=self._asks)
        if self._receipts:
            message.receipts.extend(self._receipts.values())
        if self._page_credits:
            message.page_credits.extend(self._page_credits)
        self._asks, self._receipts, self._page_credits = [], {}, []
        self._send(message)

    # --- in ---

    def receive(self, message: Any) -> None:
        """One message of the plugin. After the end of the stream nothing of it counts, also not the rest of a message
        that broke the contract."""
        if message.HasField("hello"):
            self.breach("said Hello again")
            return
        parts: list[tuple[Callable[[Any], None], Any]] = [
            *((self._take_reply, reply) for reply in message.replies),
            *((self.publication, one) for one in getattr(message, "publications", ())),
            *((self._take_note, note) for note in message.notes),
        ]
        for take, part in parts:
            if self.gone.done():
                return
            take(part)

    def _take_note(self, note: Any) -> None:
        if note.text and (veil := self.veil()):
            note.text = veil(note.text)
        self.note(note)

    def _take_reply(self, reply: Any) -> None:
        if veil := self.veil():
            hide(reply, veil)
        waiting = self._waiting.get(reply.answer.id)
        if isinstance(waiting, Arriving):
            if not waiting.put(reply):
                self.breach(f"sent more pages of ask {reply.answer.id} than it had credit for")
        elif waiting is not None:
            del self._waiting[reply.answer.id]
            if not waiting.done():
                waiting.set_result(reply)
        elif reply.answer.id in self._forgotten:
            if not (self.kind.name == "connector" and reply.query.next_page):
                self._forgotten.pop(reply.answer.id, None)
        else:
            self.breach(f"answered ask {reply.answer.id}, which nobody asked")

    def end(self, reason: str) -> None:
        """The stream is over. Everyone who waits gets ConnectionError."""
        if self.gone.done():
            return
        self.gone.set_result(reason)
        waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            if isinstance(one, asyncio.Future) and not one.done():
                one.set_exception(ConnectionError(reason))
            elif isinstance(one, Arriving):
                one.put(_gone_reply(self.kind, reason))


def hide(reply: Any, veil: Veil) -> None:
    """Takes secrets out of all that a reply says in words."""
    answer = reply.answer
    if answer.text or answer.trace:
        answer.text, answer.trace = veil(answer.text), veil(answer.trace)
    for said in (answer, getattr(reply, "read", None), getattr(reply, "read_history", None)):
        for problem in said.problems if said is not None else ():
            problem.text = veil(problem.text)
    for decision in getattr(reply, "decisions", ()):
        decision.reason = veil(decision.reason)


def _gone_reply(kind: Kind, reason: str) -> Any:
    reply = kind.reply()
    reply.answer.code, reply.answer.text = plugin_pb2.CODE_UNREACHABLE, reason
    return reply


def expect(reply: Any) -> Any:
    """The reply when it says OK. Raises ProtocolError when that is impossible, so that no code goes unseen."""
    if reply.answer.code == plugin_pb2.CODE_UNSPECIFIED:
        raise ProtocolError("answer without a code")
    return reply
