"""The way into every method: identity, gate, deadline, and errors as codes with a sentence.

A method exists by being declared here with its action, so none can be reached past the gate.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from bedplate.contracts import Subject
from bedplate.errors import (
    BedplateError,
    CallError,
    Denied,
    Invalid,
    JournalError,
    NotReady,
    ProtocolError,
    Unauthenticated,
)
from bedplate.gate.gate import Reasons
from bedplate.gate.memory import Memory
from bedplate.gate.sight import Sight
from bedplate.server.entrance import Entrance
from bedplate.server.sessions import Open, Sessions

UNARY_WITHIN = 10.0  # s, when the caller names no deadline, and at most
STALL = 60.0  # s that a caller may leave the next part of an answer unread
Named = Callable[[Any, "Caller"], Awaitable[Sequence[str]]]


class GateLike(Protocol):
    """What the door needs of the gate."""

    memory: Memory

    def bar(self, subject: Subject, action: str) -> None:
        """Raises Denied for what the kernel's table does not allow, whatever it is done to."""

    async def check(self, subject: Subject, action: str, *resources: str, told: str = "") -> None:
        """Raises Denied; NotReady, which is one, when another try is worth it."""

    def write_down(self, subject: Subject, action: str, rule: str) -> None:
        """A refusal that was found behind the gate."""

    async def reasons(self, subject: Subject, action: str, resource: str = "") -> Reasons:
        """Whether this is allowed now, and by which rules."""

    def open_to(self, subject: Subject, action: str) -> bool:
        """Whether there is no module to ask."""

    async def look(
        self, subject: Subject, action: str, paths: Collection[str], *, keep: bool = True
    ) -> tuple[Collection[str], float]:
        """Those of these full paths that this action may show, and how long that may be remembered."""


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC. shape: unary, stream (server streaming), both. request: message class · call: gets (request, Caller)
    for unary and stream, Caller alone for both · named: of one that changes things, these things by their full paths,
    looked for among what the caller may see, so that what is hidden is not found: (request, Caller), raises CallError.
    Without it the gate is asked about the platform itself, and a method that shows things asks `Caller.seen` · open:
    for those whom nobody knows yet; it lets in whom it wants itself."""

    service: str
    name: str
    shape: str
    request: Any
    action: str
    call: Callable[..., Any]
    named: Named | None = None
    within: float = 0.0  # s, of a unary one; 0: as any other
    open: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and the stream when both sides stream."""

    subject: Subject
    context: Any
    door: Door
    opened: Open | None = None

    async def check(self, action: str, resources: Sequence[str] = (), told: str = "") -> None:
        await self.door.gate.check(self.subject, action, *resources, told=told)

    async def seen(self, action: str, paths: Collection[str]) -> Collection[str]:
        """Those of these full paths that this action may show, in their order; the same object when all may. Raises
        Denied, NotReady when a security module has no answer."""
        return (await self.door.gate.look(self.subject, action, paths))[0]

    def write_down(self, action: str, rule: str) -> None:
        """A refusal, for the audit log; whoever found it raises it."""
        self.door.gate.write_down(self.subject, action, rule)

    def sees_all(self, action: str) -> bool:
        """Whether nobody decides what this action may show: the deployment has no security module."""
        return self.door.gate.open_to(self.subject, action)

    def sight(self, action: str) -> Sight:
        """The same for a stream, which must ask again."""
        return Sight(self.door.gate, self.subject, action)

    async def write(self, response: Any) -> None:
        """Waits while the caller does not read. Raises CallError when that takes too long."""
        await _send(response, self.context)

    async def read(self) -> Any:
        """The next request when both sides stream, or grpc.aio.EOF. Raises ProtocolError for what is none."""
        return _legible(await self.context.read())


class Door:
    """Wraps methods into gRPC handlers."""

    def __init__(self, gate: GateLike, entrance: Entrance, sessions: Sessions) -> None:
        self.gate, self.entrance, self.sessions = gate, entrance, sessions

    def handlers(self, methods: Sequence[Method]) -> list[Any]:
        by_service: dict[str, dict[str, Any]] = {}
        for method in methods:
            by_service.setdefault(method.service, {})[method.name] = self._handler(method)
        return [
            grpc.method_handlers_generic_handler(name, found) for name, found in by_service.items()
        ]

    def _handler(self, method: Method) -> Any:
        kinds = {
            "unary": (grpc.unary_unary_rpc_method_handler, self._unary),
            "stream": (grpc.unary_stream_rpc_method_handler, self._stream),
            "both": (grpc.stream_stream_rpc_method_handler, self._both),
        }
        make, wrap = kinds[method.shape]
        return make(
            wrap(method),
            request_deserializer=_decoder(method.request),
            response_serializer=lambda message: message.SerializeToString(),
        )

    @contextlib.asynccontextmanager
    async def _entered(self, method: Method, context: Any) -> AsyncIterator[Caller]:
        """A call of somebody we know, while it lasts; what it fails with is its answer."""
        async with _Errors(context):
            if method.open:
                stranger = self.entrance.stranger(context)
                yield Caller(stranger.subject, context, self, stranger)
                return
            opened = await self.entrance.enter(context)
            with self.sessions.calling(opened, method.action):
                yield Caller(opened.subject, context, self, opened)

    def _unary(self, method: Method) -> Callable[[Any, Any], Awaitable[Any]]:
        async def serve(request: Any, context: Any) -> Any:
            async with self._entered(method, context) as caller:
                async with asyncio.timeout(_within(method, context)):
                    await _admit(method, _legible(request), caller)
                    return await method.call(request, caller)

        return serve

    def _stream(self, method: Method) -> Callable[[Any, Any], Awaitable[None]]:
        async def serve(request: Any, context: Any) -> None:
            async with self._entered(method, context) as caller:
                await _admit(method, _legible(request), caller)
                async with contextlib.aclosing(method.call(request, caller)) as responses:
                    async for response in responses:
                        await _send(response, context)

        return serve

    def _both(self, method: Method) -> Callable[[Any, Any], Awaitable[None]]:
        async def serve(requests: Any, context: Any) -> None:
            async with self._entered(method, context) as caller:
                await method.call(caller)

        return serve


async def _admit(method: Method, request: Any, caller: Caller) -> None:
    """Raises Denied, NotReady, and what naming raises, once the kernel's table allows the action."""
    if method.open:
        return
    if method.named is None:
        told = ", ".join(getattr(request, "selectors", ()))
        await caller.check(method.action, told=told)
        return
    caller.door.gate.bar(caller.subject, method.action)
    await caller.check(method.action, await method.named(request, caller))


def _within(method: Method, context: Any) -> float:
    """s that a unary call may take: what its caller gave it, and never longer than we do."""
    remaining, within = context.time_remaining(), method.within or UNARY_WITHIN
    return within if remaining is None else min(within, max(0.0, remaining))


async def _send(response: Any, context: Any) -> None:
    """Waits while the caller does not read. Raises CallError when that takes too long: an answer holds files open."""
    try:
        async with asyncio.timeout(STALL):
            await context.write(response)
    except TimeoutError:
        text = f"nothing was read for {STALL:.0f} s"
        raise CallError(text, code="ABORTED") from None


def _decoder(message: Any) -> Callable[[bytes], Any]:
    """Decodes requests; None for what is none of them, so that it is answered like any other mistake, and only to those
    whom we know."""

    def decode(encoded: bytes) -> Any:
        try:
            return message.FromString(encoded)
        except DecodeError:
            return None

    return decode


def _legible(request: Any) -> Any:
    if request is None:
        raise ProtocolError("the request can't be decoded: it is no message of this method")
    return request


class _Errors:
    """Exceptions as codes. A caller sees a sentence, or for what nobody foresaw an id that the log explains."""

    def __init__(self, context: Any) -> None:
        self._context = context

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if error is None or isinstance(
            error, (asyncio.CancelledError, GeneratorExit, grpc.aio.AbortError)
        ):
            return False
        code, text = _code(error)
        await self._context.abort(code, text)
        return True


def _code(error: BaseException) -> tuple[grpc.StatusCode, str]:
    match error:
        case Unauthenticated():
            return grpc.StatusCode.UNAUTHENTICATED, str(error)
        case NotReady() | JournalError():
            return grpc.StatusCode.UNAVAILABLE, str(error)
        case Denied():
            return grpc.StatusCode.PERMISSION_DENIED, str(error)
        case CallError():
            return grpc.StatusCode[error.code or "INTERNAL"], str(error)
        case Invalid() | ProtocolError():
            return grpc.StatusCode.INVALID_ARGUMENT, str(error)
        case TimeoutError():
            return grpc.StatusCode.DEADLINE_EXCEEDED, "not done in time"
        case BedplateError():
            return grpc.StatusCode.FAILED_PRECONDITION, str(error)
    number = secrets.token_hex(4)
    print(f"error {number}:", "".join(traceback.format_exception(error)), file=sys.stderr)
    return grpc.StatusCode.INTERNAL, f"unexpected error {number}; the kernel's log has the detail"
