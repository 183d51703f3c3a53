"""Lines as syslog: RFC 5424 messages over TLS (RFC 5425), or over TCP (RFC 6587, octets counted) or UDP (RFC 5426)
where somebody says so by name. Facility 13, log audit; the message is the line as it stands in the log.

Syslog knows no receipts. A line counts as arrived when the other side's system has taken it and the connection was
still good ten seconds later: a receiver that dies with what it has not read gets that again from the next connection.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import fcntl
import os
import re
import socket
import ssl
import termios
from collections import deque
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from bedplate.audit.chain import Link
from bedplate.audit.forwarding import Lines
from bedplate.audit.tail import action_of

SETTLE = 10.0  # s
WITHIN = 10.0  # s for a connection, and for a page
AUDIT = 13 << 3
SEVERITY = {b"allowed": 6, b"noted": 5, b"refused": 4}
_VERDICT = re.compile(rb',"verdict":"([a-z]+)"')
_TIME = re.compile(rb',"time":"([0-9TZ:.-]{1,40})"')


class Syslog:
    """address: "tls://host:6514" · tls: folder with ca.pem, and cert.pem and key.pem where the receiver asks for one;
    None: what the system trusts."""

    def __init__(
        self,
        address: str,
        tls: Path | None,
        monotonic: Callable[[], float],
        settle: float = SETTLE,
    ) -> None:
        parts = urlsplit(address)
        self._scheme, self._host, self._port = (
            parts.scheme,
            parts.hostname or "",
            parts.port or 6514,
        )
        self._tls, self._monotonic, self._settle = tls, monotonic, settle
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.Task[bytes] | None = None
        self._datagrams: socket.socket | None = None
        self._sent: deque[tuple[float, int]] = deque()
        self._settled = 0
        self._name = socket.gethostname()[:255] or "-"

    async def open(self) -> None:
        self._sent.clear()
        self._settled = 0
        try:
            if self._scheme == "udp":
                self._datagrams = await asyncio.to_thread(self._bound)
                return
            context = await asyncio.to_thread(self._context) if self._scheme == "tls" else None
            opening = asyncio.open_connection(self._host, self._port, ssl=context)
            reader, self._writer = await asyncio.wait_for(opening, WITHIN)
        except TimeoutError:
            raise OSError(0, f"{self._host}:{self._port} does not answer") from None
        except ssl.SSLError as error:
            raise OSError(0, f"{self._host}:{self._port}: {error.reason or error}") from None
        self._reader = asyncio.create_task(reader.read(1))

    def _context(self) -> ssl.SSLContext:
        ca = str(self._tls / "ca.pem") if self._tls else None
        context = ssl.create_default_context(cafile=ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._tls and (self._tls / "cert.pem").exists():
            context.load_cert_chain(self._tls / "cert.pem", self._tls / "key.pem")
        return context

    def _bound(self) -> socket.socket:
        family, kind, proto, _, where = socket.getaddrinfo(
            self._host, self._port, type=socket.SOCK_DGRAM
        )[0]
        made = socket.socket(family, kind | socket.SOCK_NONBLOCK, proto)
        made.connect(where)
        return made

    async def send(self, lines: Lines) -> None:
        await self._put([self._message(one, line) for one, line in lines])
        self._sent.append((self._monotonic(), lines[-1][0].index))

    async def checkpoint(self, line: bytes) -> None:
        head = f"<{AUDIT + 5}>1 - {self._name} bedplate {os.getpid()} checkpoint - "
        await self._put([head.encode() + line.rstrip(b"\n")])

    def _message(self, one: Link, line: bytes) -> bytes:
        verdict, time = _VERDICT.search(one.record), _TIME.search(one.record)
        severity = SEVERITY.get(verdict[1] if verdict else b"", 5)
        stamp = time[1].decode() if time else "-"
        action = action_of(one)[:32] or "-"
        head = f"<{AUDIT + severity}>1 {stamp} {self._name} bedplate {os.getpid()} {action} - "
        return head.encode() + line

    async def _put(self, messages: list[bytes]) -> None:
        self._still_there()
        if self._datagrams:
            for message in messages:
                with contextlib.suppress(BlockingIOError):
                    self._datagrams.send(message)
            return
        assert self._writer
        self._writer.write(b"".join(b"%d %s" % (len(one), one) for one in messages))
        try:
            await asyncio.wait_for(self._writer.drain(), WITHIN)
        except TimeoutError:
            raise OSError(0, f"{self._host}:{self._port} takes nothing") from None

    def settled(self) -> int:
        self._still_there()
        if self._waits():
            return self._settled
        old = self._monotonic() - self._settle
        while self._sent and self._sent[0][0] <= old:
            self._settled = self._sent.popleft()[1]
        return self._settled

    def _still_there(self) -> None:
        if self._reader and self._reader.done():
            raise OSError(0, f"{self._host}:{self._port} has closed the connection")

    def _waits(self) -> bool:
        """Whether bytes are here that the other side's system has not taken."""
        if not self._writer:
            return False
        under = self._writer.get_extra_info("socket")
        room = array.array("i", [0])
        with contextlib.suppress(OSError):
            fcntl.ioctl(under.fileno(), termios.TIOCOUTQ, room)
        return bool(room[0] or self._writer.transport.get_write_buffer_size())

    async def close(self) -> None:
        if self._reader:
            self._reader.cancel()
            await asyncio.wait([self._reader])
            self._reader = None
        if self._writer:
            self._writer.close()
            with contextlib.suppress(OSError, TimeoutError, ssl.SSLError):
                await asyncio.wait_for(self._writer.wait_closed(), 1.0)
            self._writer = None
        if self._datagrams:
            self._datagrams.close()
            self._datagrams = None
