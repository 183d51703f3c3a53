"""Running subscriptions. Credit goes back when the caller comes for the next update, so that a slow caller slows
nothing but itself; one that takes nothing for 30 s is cut by the kernel, and goes on with `resume_token`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from bedplate.client.calls import SUBSCRIBE, Starter
from bedplate.client.failures import call_error, resume_token
from bedplate.client.link import Link
from bedplate.client.update import Receiver, Update


class Subscription(Iterator[Update]):
    """Updates as they come. Ends by `close`, by leaving its `with`, or with CallError.

    resume_token: after the newest update that was taken. Begun with the call that made it.
    """

    def __init__(self, calls: Starter, opening: Any, link: Link) -> None:
        self._requests: SimpleQueue[Any] = SimpleQueue()
        self._requests.put(opening)
        self._receiver = Receiver()
        self._link = link
        self.resume_token: bytes = opening.open.resume_token
        self._closed = False
        self._call = calls(SUBSCRIBE, iter(self._requests.get, None))

    def __next__(self) -> Update:
        if (grant := self._receiver.grant()) is not None:
            self._requests.put(grant)
        try:
            response = next(self._call)
        except grpc.RpcError as error:
            self._requests.put(None)
            self.resume_token = resume_token(error) or self.resume_token
            if self._closed:
                raise StopIteration from None
            raise call_error(error, self._link) from None
        update = self._receiver.take(response)
        self.resume_token = update.resume_token
        return update

    def close(self) -> None:
        """Ends it; may be called from another thread, and twice."""
        self._closed = True
        self._requests.put(None)
        self._call.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncSubscription(AsyncIterator[Update]):
    """The same for asyncio. Begins when the first update is asked for."""

    def __init__(self, calls: Starter, opening: Any, link: Link) -> None:
        self._calls = calls
        self._opening = opening
        self._receiver = Receiver()
        self._link = link
        self.resume_token: bytes = opening.open.resume_token
        self._closed = False
        self._call: Any = None

    async def __anext__(self) -> Update:
        try:
            response = await self._read()
        except grpc.RpcError as error:
            self.resume_token = resume_token(error) or self.resume_token
            raise await asyncio.to_thread(call_error, error, self._link) from None
        except asyncio.CancelledError:
            if self._closed:
                raise StopAsyncIteration from None
            raise
        if response is grpc.aio.EOF:
            raise StopAsyncIteration
        update = self._receiver.take(response)
        self.resume_token = update.resume_token
        return update

    async def _read(self) -> Any:
        if self._call is None:
            self._call = self._calls(SUBSCRIBE, None)
            await self._write(self._opening)
        elif (grant := self._receiver.grant()) is not None:
            await self._write(grant)
        return await self._call.read()

    async def _write(self, request: Any) -> None:
        with contextlib.suppress(asyncio.InvalidStateError):  # it has ended; the read says why
            await self._call.write(request)

    def close(self) -> None:
        """Ends it; whoever waits for an update sees the end."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
