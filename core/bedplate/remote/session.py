"""One component inside a plugin: its object, the calls to it, and what their exceptions mean.

The author fails, the kernel retries: each Open builds a new object. Calls never overlap, except that `subscribe`,
`query`, `read_history` and those of a security module run beside the others. A call that runs out of time ends the
session, but for `read_history`. Here, where plugins are loaded (remote/plugin.py) and in the kernel's supervisor are
the only places that catch every exception.
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import ValidationError

from bedplate.errors import Invalid, ProtocolError, Refused
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.kinds import Kind
from bedplate.remote.outbox import Outbox
from bedplate.telemetry import CONTROL, span
from bedplate.wire import twin

BESIDE = {"subscribe", "query", "read_history", "authorize", "authenticate"}
PATIENT = {"read"}  # answers that may wait for the linger
CLOSE_WITHIN = 5.0  # s
LOST = (OSError, EOFError, TimeoutError)


class Session:
    """A component from its first Open to the end of the process. Subclasses serve the asks of one kind."""

    def __init__(
        self, component: str, kind: Kind, outbox: Outbox, offers: Callable[[str], type]
    ) -> None:
        self.component = component
        self.kind = kind
        self.outbox = outbox
        self._offers = offers
        self.object: Any = None
        self.opened = False
        self._ended = ""
        self._busy = False
        self._queue: deque[tuple[Any, float]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._beside: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix=component)
        self.stream = outbox.stream  # of its newest Open

    # --- what a kind serves ---

    def build(self, cls: type, ask: Any) -> Any:
        """A new object with everything it is promised before `open`."""
        raise NotImplementedError

    async def after_open(self, result: Any, reply: Any) -> None:
        """Fills the reply to Open."""

    async def serve(self, what: str, ask: Any, reply: Any) -> None:
        """Serves one ask of the kind, filling the reply."""
        raise NotImplementedError

    def receipt(self, receipt: Any) -> None:
        """What the kernel says of publications."""

    def page_credit(self, ask: int, pages: int, *, enough: bool) -> None:
        """More pages of an answer are wanted, or enough of them."""

    def on_end(self) -> None:
        """The session is over: let go of what this kind holds for it."""

    def on_cut(self) -> None:
        """The stream is gone, the session goes on."""

    def goes_on(self, open_: Any) -> bool:
        """Whether the session that is open serves this Open too. Asked only after a cut."""
        return False

    async def go_on(self, open_: Any, reply: Any) -> None:
        """Serves this Open by the session that is open."""

    # --- asks ---

    def submit(self, ask: Any) -> None:
        """Takes an ask; its answer goes to the outbox. Writes go first."""
        deadline = asyncio.get_running_loop().time() + (ask.within_ms or 3_600_000) / 1000
        what = ask.WhichOneof("what")
        if what in BESIDE:
            answering = self._start_beside(self._answer(ask, what, deadline))
            answering.add_done_callback(lambda task: self._answer_instead(task, ask.id))
            return
        if what == "close":
            self._interrupt()
        if what in ("write", "close"):
            self._queue.appendleft((ask, deadline))
        else:
            self._queue.append((ask, deadline))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    def cut(self) -> None:
        """The stream is gone: nobody waits for answers any more. A call that runs is left to end."""
        self._queue.clear()
        self.on_cut()

    def _interrupt(self) -> None:
        """Close is legal at any time: it does not wait behind a call that hangs."""
        if self._worker and self._busy:
            self._worker.cancel()

    async def _work(self) -> None:
        while self._queue:
            ask, deadline = self._queue.popleft()
            self._busy = True
            await self._answer(ask, ask.WhichOneof("what"), deadline)
            self._busy = False

    def _start_beside(self, call: Any) -> asyncio.Task[None]:
        task = asyncio.create_task(call)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        return task

    def _answer_instead(self, task: asyncio.Task[None], ask: int) -> None:
        """For a task that was cancelled before its first step, and so could not answer itself."""
        if task.cancelled():
            reply = self.kind.reply()
            reply.answer.id = ask
            self._explain(reply, ConnectionError("the session was closed"))
            self.outbox.reply(reply)

    def run_beside(self, method: str, *arguments: Any) -> None:
        """Runs a call of the author beside the others; it is not meant to end, and when it does the session is over.
        A plain def gets a thread of its own, so that other calls need not wait for it."""
        self._start_beside(self._until_lost(method, arguments))

    async def _until_lost(self, method: str, arguments: Sequence[Any]) -> None:
        threads = ThreadPoolExecutor(1, thread_name_prefix=f"{self.component} {method}")
        try:
            await self._run(threads, getattr(self.object, method), *arguments)
            raise ConnectionError(f"{method} returned")
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.lost(error)
        finally:
            threads.shutdown(wait=False)

    async def _answer(self, ask: Any, what: str | None, deadline: float) -> None:
        reply = self.kind.reply()
        reply.answer.id = ask.id
        reply.answer.code = plugin_pb2.CODE_OK
        try:
            if what in CONTROL and ask.traceparent:
                with span(f"serve {what}", ask.traceparent, component=self.component):
                    await self._dispatch(ask, what, deadline, reply)
            else:
                await self._dispatch(ask, what, deadline, reply)
        except asyncio.CancelledError:
            self._abandon_thread()
            self._explain(reply, ConnectionError("the session was closed"))
        except Exception as error:
            self._explain(reply, error)
        self.outbox.reply(reply, urgent=what not in PATIENT)

    async def _dispatch(self, ask: Any, what: str | None, deadline: float, reply: Any) -> None:
        loop = asyncio.get_running_loop()
        if not self.outbox.waits(ask.id):  # of a stream that is gone
            return
        if what == "close":
            await self.close(min(CLOSE_WITHIN, deadline - loop.time()))
        elif what is None:  # an ask of a later minor
            reply.answer.code = plugin_pb2.CODE_UNSUPPORTED
        elif loop.time() >= deadline:
            reply.answer.code = plugin_pb2.CODE_EXPIRED
        elif what == "open":
            await self._open(ask.open, deadline, reply)
        elif self._ended or not self.opened:
            raise ConnectionError(self._ended or "not open")
        elif what in ("subscribe", "query"):
            await self.serve(what, ask, reply)
        elif what == "read_history":
            await self._beside_in_time(self.serve(what, ask, reply), deadline, reply)
        else:
            await self._timed(self.serve(what, ask, reply), deadline, what)

    async def _beside_in_time(self, call: Awaitable[None], deadline: float, reply: Any) -> None:
        """One that costs nothing but itself when it is late."""
        timer = asyncio.timeout_at(deadline)
        try:
            async with timer:
                await call
        except TimeoutError:
            if not timer.expired():
                raise
            reply.answer.code = plugin_pb2.CODE_EXPIRED
            reply.answer.text = "it took too long"

    async def _timed(self, call: Awaitable[Any], deadline: float, what: str) -> Any:
        timer = asyncio.timeout_at(deadline)
        try:
            async with timer:
                return await call
        except TimeoutError as error:
            if not timer.expired():
                raise
            self._abandon_thread()
            self._end(f"{what} did not end in time")
            raise TimeoutError(self._ended) from error

    # --- the object ---

    async def _open(self, open_: Any, deadline: float, reply: Any) -> None:
        before, self.stream = self.stream, self.outbox.stream
        if before != self.stream and self.opened and not self._ended and self.goes_on(open_):
            await self.go_on(open_, reply)
            return
        await self.close()
        self._ended = ""
        self.object = self.build(self._offers(open_.use), open_)
        self.object.note, self.object.forget = self._note, self._forget
        result = await self._timed(self.call("open"), deadline, "open")
        self.opened = True
        await self.after_open(result, reply)

    async def close(self, within: float = CLOSE_WITHIN) -> None:
        """Ends the session and lets the object release what it holds; bounded, since an author may hang."""
        for task in list(self._beside):
            task.cancel()
        if self._beside:
            await asyncio.wait(list(self._beside), timeout=1)
        self._end("closed")
        if self.opened:
            self.opened = False
            try:
                async with asyncio.timeout(within):
                    await self.call("close")
            except Exception as error:
                self._note(f"close failed: {error}")
        self.object = None
        self._abandon_thread()

    def _abandon_thread(self) -> None:
        """A thread can't be stopped: one that hangs keeps its call, and the next call gets another thread."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._threads = ThreadPoolExecutor(1, thread_name_prefix=self.component)

    def _end(self, why: str) -> None:
        self._ended = self._ended or why
        self.on_end()

    async def call(self, method: str, *arguments: Any) -> Any:
        """One call of the author's code: awaited, or on this component's thread when it is a plain def."""
        return await self._run(self._threads, getattr(self.object, method), *arguments)

    async def _run(self, threads: ThreadPoolExecutor, function: Any, *arguments: Any) -> Any:
        if inspect.iscoroutinefunction(function):
            return await function(*arguments)
        return await on_thread(threads, function, *arguments)

    # --- words ---

    def _explain(self, reply: Any, error: Exception) -> None:
        answer = reply.answer
        answer.text = sentence(error)
        match error:
            case Refused():
                answer.code = plugin_pb2.CODE_REFUSED
            case Invalid():
                answer.code = plugin_pb2.CODE_INVALID
                answer.problems.add(
                    pointer=error.pointer, text=str(error), tag=self.handle(error.tag)
                )
            case ValidationError():
                answer.code = plugin_pb2.CODE_INVALID
                for one in error.errors():
                    pointer = "/" + "/".join(map(str, one["loc"]))
                    answer.problems.add(pointer=pointer, text=one["msg"])
            case NotImplementedError():
                answer.code = plugin_pb2.CODE_UNSUPPORTED
            case _ if isinstance(error, LOST):
                answer.code = plugin_pb2.CODE_UNREACHABLE
            case _:
                answer.code = plugin_pb2.CODE_FAULT
                answer.trace = "".join(traceback.format_exception(error))[-16_384:]

    def handle(self, tag: str) -> int:
        """The handle of a tag by name; 0 when there is none."""
        return 0

    def _note(self, text: str, *, severity: int = 100) -> None:
        note = plugin_pb2.Note(component=self.component, text=text[:2000], severity=severity)
        self.outbox.loop.call_soon_threadsafe(self.outbox.note, _twin_note(note))

    def _forget(self) -> None:
        note = plugin_pb2.Note(component=self.component, forget=True)
        self.outbox.loop.call_soon_threadsafe(self.outbox.note, _twin_note(note))

    def lost(self, error: Exception) -> None:
        """A call that runs beside ended the session: tell the kernel, which closes and opens again."""
        reply = self.kind.reply()
        self._explain(reply, error)
        self._end(reply.answer.text)
        note = plugin_pb2.Note(
            component=self.component,
            text=reply.answer.text,
            lost=True,
            code=reply.answer.code,
        )
        self.outbox.note(_twin_note(note))


def _twin_note(note: plugin_pb2.Note) -> Any:
    return twin(plugin_pb2.Note).FromString(note.SerializeToString())


def sentence(error: BaseException) -> str:
    """An exception in one sentence for people."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    text = " ".join(str(error).split())
    if isinstance(error, (Refused, Invalid, ProtocolError)) and text:
        return text
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{where}"
    kind = type(error).__name__
    if isinstance(error, LOST) and text:
        return text
    return f"{kind}: {text}" if text else kind


async def on_thread(threads: ThreadPoolExecutor, function: Any, *arguments: Any) -> Any:
    """What a plain def returns or raises. A future can't carry StopIteration, and whoever awaits it would wait for
    ever: `next()` on something that is used up is a bug like any other."""

    def called() -> Any:
        try:
            return function(*arguments)
        except StopIteration as error:
            raise RuntimeError("StopIteration: next() of something that has no more") from error

    return await asyncio.get_running_loop().run_in_executor(threads, called)
