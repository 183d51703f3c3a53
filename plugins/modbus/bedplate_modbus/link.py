"""One TCP connection to a device or gateway, shared by all components of this process with equal connection settings.

Rule: requests take turns; an answer counts only with the transaction and unit of the request that waits for it; a unit
that stays silent costs its neighbours little: it is asked again after a growing pause, and the connection stays. What
shows that the connection itself is broken closes it. Reconnecting is the kernel's: a link dials when somebody opens.
pymodbus keeps connection, frames and transactions; its own retries and reconnecting are off (a repeated request would
meet the late answer to the first).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusIOException
from pymodbus.pdu import ModbusPDU

from bedplate_modbus.answer import GATEWAY, exception_of, words_for
from bedplate_modbus.framing import Answer, StrictFramer

MUTE_AFTER: Final = 3  # requests in a row without any answer, then the next open dials again
LONGEST_PAUSE: Final = (
    10.0  # seconds that a silent unit is spared, as long as the kernel's longest wait
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to connect; equal endpoints share a link. Times in seconds."""

    host: str
    port: int = 502
    connect_timeout: float = 5.0
    request_timeout: float = 3.0
    pause_after_connect: float = 0.0
    time_between_requests: float = 0.0

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(slots=True)
class _Silence:
    """misses: requests in a row without an answer · until: loop time up to which the unit is spared."""

    misses: int = 0
    until: float = 0.0


@dataclass(slots=True, eq=False)
class Link:
    """A connection and its users. Get one from `acquire`, and give it back to `release` as often."""

    endpoint: Endpoint
    users: int = 0
    _client: AsyncModbusTcpClient | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _silent: dict[int, _Silence] = field(default_factory=dict)
    _unanswered: int = 0
    _rest_until: float = 0.0
    _asking: bool = False
    _broken: str = ""

    async def ready(self) -> None:
        """Connects, unless the connection stands and answers. Raises ConnectionError or TimeoutError."""
        async with self._turn:
            if self._client and self._client.connected and self._unanswered < MUTE_AFTER:
                return
            self.hang_up("")
            self._silent.clear()
            await self._dial()

    async def ask(self, request: ModbusPDU) -> bytes:
        """Sends a request and returns the answer from its function code on; at most one request is on its way.

        Raises TimeoutError when the unit does not answer (the gateway's word for it counts too), or did not lately;
        ConnectionError when the connection is broken, after closing it. Cancelling leaves the connection usable: the
        late answer is recognised by its transaction.
        """
        async with self._turn:
            if self._silent:
                self._spare(request.dev_id)
            if self._rest_until:
                await asyncio.sleep(self._rest_until - _now())
            answer = await self._exchange(self._standing(), request)
            self._unanswered = 0
            return self._checked(request, answer)

    def hang_up(self, why: str) -> None:
        """Closes the connection. why: what users of the link are told."""
        client, self._client = self._client, None
        self._broken = why
        self._unanswered = 0
        if client:
            client.close()

    async def _dial(self) -> None:
        _quiet_library()
        end = self.endpoint
        client = self._client = AsyncModbusTcpClient(
            end.host,
            port=end.port,
            timeout=end.request_timeout,
            retries=0,
            reconnect_delay=0,
            trace_connect=self._on_connection,
        )
        client.set_max_no_responses(
            1 << 30
        )  # one silent unit must not make it close the connection
        client.ctx.framer = StrictFramer(self._on_garbage)
        client.ctx.max_buffer_size = StrictFramer.MAX_SIZE
        try:
            # not client.connect(): it keeps the reason of a failure to itself
            async with asyncio.timeout(end.connect_timeout):
                await client.ctx.call_create()
        except TimeoutError:
            raise TimeoutError(
                f"{end} took no connection within {end.connect_timeout:g} s"
            ) from None
        except OSError as error:
            raise ConnectionError(f"{end}: {_reason(error)}") from error
        await asyncio.sleep(end.pause_after_connect)

    def _standing(self) -> AsyncModbusTcpClient:
        """The client to send with. Raises ConnectionError when there is none, or half an answer is left over."""
        client = self._client
        if client is None or not client.connected:
            raise ConnectionResetError(f"{self.endpoint} {self._broken or 'closed the connection'}")
        if client.ctx.recv_buffer:
            self.hang_up("stopped in the middle of an answer")
            raise ConnectionResetError(f"{self.endpoint} {self._broken}")
        return client

    async def _exchange(self, client: AsyncModbusTcpClient, request: ModbusPDU) -> ModbusPDU:
        self._asking = True
        try:
            answer: ModbusPDU = await client.execute(False, request)
            return answer
        except ModbusIOException:
            self._unanswered += 1
            raise self._missed(request.dev_id, "did not answer") from None
        except ConnectionException:
            raise ConnectionResetError(f"{self.endpoint} closed the connection") from None
        finally:
            self._asking = False
            if self.endpoint.time_between_requests:
                self._rest_until = _now() + self.endpoint.time_between_requests

    def _checked(self, request: ModbusPDU, answer: ModbusPDU) -> bytes:
        """pymodbus lets transaction 0 pass, and any unit as an answer to unit 0."""
        asked = request.transaction_id, request.dev_id
        if (answer.transaction_id, answer.dev_id) != asked or not isinstance(answer, Answer):
            self.hang_up(
                f"answered transaction {asked[0]} of unit {asked[1]} "
                f"as {answer.transaction_id} of {answer.dev_id}"
            )
            raise ConnectionResetError(f"{self.endpoint} {self._broken}")
        exception = exception_of(answer.body, request.function_code)
        if exception in GATEWAY:
            raise self._missed(request.dev_id, f"is unreachable: {words_for(exception)}")
        if self._silent:
            self._silent.pop(request.dev_id, None)
        return answer.body

    # silent units ------------------------------------------------------------------------------------------------

    def _spare(self, unit: int) -> None:
        silence = self._silent.get(unit)
        left = silence.until - _now() if silence else 0.0
        if left > 0:
            raise TimeoutError(
                f"unit {unit} at {self.endpoint} is silent; it is asked again in {left:.1f} s"
            )

    def _missed(self, unit: int, how: str) -> TimeoutError:
        silence = self._silent.setdefault(unit, _Silence())
        silence.misses += 1
        silence.until = _now() + min(2.0 ** min(silence.misses - 1, 8), LONGEST_PAUSE)
        within = f" within {self.endpoint.request_timeout:g} s" if how == "did not answer" else ""
        return TimeoutError(f"unit {unit} at {self.endpoint} {how}{within}")

    # called by pymodbus ------------------------------------------------------------------------------------------

    def _on_connection(self, made: bool) -> None:
        if not made:
            self._fail("closed the connection")

    def _on_garbage(self, why: str) -> None:
        self._fail(why)
        self.hang_up(why)

    def _fail(self, why: str) -> None:
        """Ends the wait for an answer that will not come."""
        future = self._client.ctx.response_future if self._client else None
        if self._asking and future and not future.done():
            future.set_exception(ConnectionResetError(f"{self.endpoint} {why}"))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _reason(error: OSError) -> str:
    """What an operator can use: "Connection refused", not the call that failed."""
    if isinstance(error, socket.gaierror) or error.errno is None:
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _quiet_library() -> None:
    """pymodbus logs what our exceptions say, with hex dumps; an operator who sets its level keeps it."""
    log = logging.getLogger("pymodbus")
    if log.level == logging.NOTSET:
        log.setLevel(logging.CRITICAL)


# The links in use, by event loop: a connection belongs to its loop, and nothing else ties components of a process.
_LINKS: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Endpoint, Link]]] = (
    WeakKeyDictionary()
)


async def acquire(endpoint: Endpoint) -> Link:
    """The link of this endpoint, connected. Raises ConnectionError or TimeoutError, and then holds nothing."""
    links = _LINKS.setdefault(asyncio.get_running_loop(), {})
    link = links.setdefault(endpoint, Link(endpoint))
    link.users += 1
    try:
        await link.ready()
    except BaseException:
        release(link)
        raise
    return link


def release(link: Link) -> None:
    """Gives a link back; the last user's connection is closed."""
    link.users -= 1
    if link.users == 0:
        link.hang_up("was closed")
        _LINKS.get(asyncio.get_running_loop(), {}).pop(link.endpoint, None)
