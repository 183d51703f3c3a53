"""The way into every method: identity, gate, deadline, and errors as codes with a sentence.

A method exists by being declared here with its action, so none can be reached past the gate.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from bedplate.contracts import Credential, Subject
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

UNARY_WITHIN = 10.0  # s, when the caller names no deadline, and at most
STALL = 60.0  # s that a caller may leave the next part of an answer unread
Resources = Callable[[Any], Sequence[str]]


class GateLike(Protocol):
    """What the door needs of the gate."""

    async def authenticate(self, credential: Credential) -> Subject:
        """Raises Unauthenticated for no or a wrong credential; NotReady when it can't be told yet."""

    async def check(self, subject: Subject, action: str, *resources: str) -> None:
        """Raises Denied; NotReady, which is one, when another try is worth it."""


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC. shape: unary, stream (server streaming), both. request: message class · call: gets (request, Caller)
    for unary and stream, Caller alone for both · resources: what of it the gate is asked about."""

    service: str
    name: str
    shape: str
    request: Any
    action: str
    call: Callable[..., Any]
    resources: Resources = lambda request: ("",)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and the stream when both sides stream."""

    subject: Subject
    context: Any
    door: Door

    async def check(self, action: str, resources: Sequence[str]) -> None:
        await self.door.gate.check(self.subject, action, *resources)

    async def read(self) -> Any:
        """The next request when both sides stream, or grpc.aio.EOF. Raises ProtocolError for what is none."""
        return _legible(await self.context.read())


class Door:
    """Wraps methods into gRPC handlers."""

    def __init__(self, gate: GateLike) -> None:
        self.gate = gate

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

    async def _enter(self, method: Method, context: Any) -> Caller:
        metadata = {str(key): str(value) for key, value in context.invocation_metadata() or ()}
        token = metadata.get("authorization", "").removeprefix("Bearer ")
        shown = Credential(token, peer=context.peer())
        return Caller(await self.gate.authenticate(shown), context, self)

    def _unary(self, method: Method) -> Callable[[Any, Any], Awaitable[Any]]:
        async def serve(request: Any, context: Any) -> Any:
            async with _Errors(context):
                caller = await self._enter(method, context)
                await caller.check(method.action, method.resources(_legible(request)))
                remaining = context.time_remaining()
                async with asyncio.timeout(min(UNARY_WITHIN, remaining or UNARY_WITHIN)):
                    return await method.call(request, caller)

        return serve

    def _stream(self, method: Method) -> Callable[[Any, Any], Awaitable[None]]:
        async def serve(request: Any, context: Any) -> None:
            async with _Errors(context):
                caller = await self._enter(method, context)
                await caller.check(method.action, method.resources(_legible(request)))
                async with contextlib.aclosing(method.call(request, caller)) as responses:
                    async for response in responses:
                        await _send(response, context)

        return serve

    def _both(self, method: Method) -> Callable[[Any, Any], Awaitable[None]]:
        async def serve(requests: Any, context: Any) -> None:
            async with _Errors(context):
                await method.call(await self._enter(method, context))

        return serve


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
