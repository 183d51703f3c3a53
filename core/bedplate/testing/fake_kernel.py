"""The kernel's end of Attach, for tests: it asks, grants credit, and keeps everything that comes.

Unlike the kernel's own end it judges nothing: an answer that comes twice is kept twice, so that a check can say so.
Runs on one loop, knows no transport; `send` takes messages for the plugin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.kinds import Kind
from bedplate.wire import twin

WITHIN = 10.0  # s
PATIENCE = 20.0  # s more that an answer may take on a busy machine before a test calls it silence
Receipt = twin(plugin_pb2.Receipt)


class FakeKernel:
    """One attached plugin.

    first: its first message · hello: the Hello of it · replies: id of an ask → all answers to it · publications,
    notes: in order of arrival · largest: bytes of its largest message · gone: the reason once the stream has ended.
    """

    def __init__(self, kind: Kind, send: Callable[[Any], None], first: Any = None) -> None:
        self.kind = kind
        self.first = first
        self.replies: dict[int, list[Any]] = {}
        self.publications: list[Any] = []
        self.notes: list[Any] = []
        self.largest = 0
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.asked: dict[int, str] = {}
        self._send = send
        self._changed = asyncio.Event()
        self._last = 0

    @property
    def hello(self) -> Any:
        return self.first.hello if self.first is not None else None

    # --- out ---

    def make(self, component: str = "", within: float = WITHIN, **what: Any) -> Any:
        """An ask with an id of its own, not sent yet. within: seconds."""
        self._last += 1
        name = next(iter(what), "")
        self.asked[self._last] = name
        return self.kind.ask(
            id=self._last, component=component, within_ms=int(within * 1000), **what
        )

    def send(self, asks: Sequence[Any] = (), receipts: Sequence[Any] = ()) -> None:
        """One message. Raises ConnectionError once the stream has ended."""
        if self.gone.done():
            raise ConnectionError(self.gone.result())
        message = self.kind.to(asks=asks)
        if receipts:
            message.receipts.extend(receipts)
        self._send(message)

    def post(self, component: str = "", within: float = WITHIN, **what: Any) -> int:
        """Asks without waiting. Returns the id."""
        ask = self.make(component, within, **what)
        self.send([ask])
        return int(ask.id)

    async def ask(
        self,
        component: str = "",
        within: float = WITHIN,
        patience: float = PATIENCE,
        **what: Any,
    ) -> Any:
        """Asks and returns the answer. Raises ConnectionError when the plugin goes, TimeoutError when it is silent."""
        return await self.answer(self.post(component, within, **what), within + patience)

    async def answer(self, ask: int, within: float = WITHIN) -> Any:
        """The last answer to this ask; of a Query the one without next_page."""
        await self.until(lambda: self.answered(ask), within, f"answer to {self.asked.get(ask)}")
        return self.replies[ask][-1]

    def answered(self, ask: int) -> bool:
        replies = self.replies.get(ask, [])
        return bool(replies) and not _more(replies[-1])

    def receipt(
        self, component: str, credit: int = 0, synced: int = 0, refused: int = 0, text: str = ""
    ) -> None:
        """Grants credit, or says what is on disk or not taken."""
        one = Receipt(component=component, credit=credit, synced=synced, refused=refused, text=text)
        self.send(receipts=[one])

    async def until(self, condition: Callable[[], Any], within: float, what: str = "it") -> Any:
        """Waits for something that a message of the plugin brings about.

        Raises TimeoutError when it does not come, ConnectionError when the plugin goes first.
        """
        try:
            async with asyncio.timeout(within):
                while not (found := condition()):
                    if self.gone.done():
                        raise ConnectionError(self.gone.result())
                    self._changed.clear()
                    await self._changed.wait()
                return found
        except TimeoutError:
            raise TimeoutError(f"no {what} within {within:.1f} s") from None

    # --- in ---

    def receive(self, message: Any) -> None:
        """One message of the plugin."""
        self.largest = max(self.largest, message.ByteSize())
        for reply in message.replies:
            self.replies.setdefault(reply.answer.id, []).append(reply)
        self.publications.extend(getattr(message, "publications", ()))
        self.notes.extend(message.notes)
        self._changed.set()

    def end(self, reason: str) -> None:
        """The stream is over."""
        if not self.gone.done():
            self.gone.set_result(reason)
        self._changed.set()


def _more(reply: Any) -> bool:
    """Whether another answer with the same id follows."""
    return "query" in reply.DESCRIPTOR.fields_by_name and bool(reply.query.next_page)
