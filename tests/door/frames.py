"""HTTP/2 by hand: a peer that may say what no library would (RFC 9113, RFC 7541). Just enough of it."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, END_HEADERS = 1, 4
LARGEST = 16_384  # bytes of a frame


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def headers(stream: int, pairs: Sequence[tuple[str, bytes]], flags: int = 0) -> bytes:
    """HEADERS and as many CONTINUATION as it takes."""
    block = b"".join(b"\0" + _text(name.encode()) + _text(value) for name, value in pairs)
    parts = [block[at : at + LARGEST] for at in range(0, len(block), LARGEST)]
    made = []
    for number, part in enumerate(parts):
        last = END_HEADERS if number == len(parts) - 1 else 0
        kind = CONTINUATION if number else HEADERS
        made.append(frame(kind, last | (0 if number else flags), stream, part))
    return b"".join(made)


def call(stream: int, path: str, token: str, *more: tuple[str, bytes], end: bool = False) -> bytes:
    """The head of a call of gRPC."""
    pairs = [
        (":method", b"POST"),
        (":scheme", b"http"),
        (":path", path.encode()),
        (":authority", b"bedplate"),
        ("content-type", b"application/grpc"),
        ("te", b"trailers"),
        ("authorization", f"Bearer {token}".encode()),
        *more,
    ]
    return headers(stream, pairs, END_STREAM if end else 0)


def message(stream: int, body: bytes, *, compressed: bool = False, end: bool = True) -> bytes:
    """A message of gRPC as DATA frames."""
    whole = struct.pack(">BI", compressed, len(body)) + body
    parts = [whole[at : at + LARGEST] for at in range(0, len(whole), LARGEST)]
    made = [frame(DATA, 0, stream, part) for part in parts[:-1]]
    return b"".join([*made, frame(DATA, END_STREAM if end else 0, stream, parts[-1])])


def huffman_a(count: int) -> bytes:
    """`a` so many times, a multiple of 8, as a Huffman-coded string: 5 bits each."""
    coded = b"\x18\xc6\x31\x8c\x63" * (count // 8)
    return _whole(0x80, 7, len(coded)) + coded


class Coded(bytes):
    """A string that is coded already."""


def _text(value: bytes) -> bytes:
    return bytes(value) if isinstance(value, Coded) else _whole(0, 7, len(value)) + value


def _whole(first: int, bits: int, number: int) -> bytes:
    """RFC 7541 §5.1."""
    most = (1 << bits) - 1
    if number < most:
        return bytes([first | number])
    made, number = [first | most], number - most
    while number >= 128:
        made.append(number % 128 + 128)
        number //= 128
    return bytes([*made, number])


def connect(address: str, within: float = 5.0) -> socket.socket:
    """Shaken hands, without a word of the other side read."""
    host, _, port = address.rpartition(":")
    made = socket.create_connection((host, int(port)), timeout=within)
    made.sendall(PREFACE + frame(SETTINGS, 0, 0))
    return made


def received(connection: socket.socket) -> Iterator[tuple[int, int, int, bytes]]:
    """Kind, flags, stream and payload of each frame, until the other side hangs up."""
    held = b""
    while True:
        while len(held) >= 9:
            size = int.from_bytes(held[:3], "big")
            if len(held) < 9 + size:
                break
            kind, flags, stream = struct.unpack(">BBI", held[3:9])
            yield kind, flags, stream, held[9 : 9 + size]
            held = held[9 + size :]
        try:
            more = connection.recv(65_536)
        except ConnectionError:
            return
        if not more:
            return
        held += more


def outcome(connection: socket.socket, stream: int = 1) -> str:
    """How a call ended: "grpc 8", "reset 7", "goaway 11 too_many_pings", or "closed". Reads headers as gRPC writes
    them."""
    for kind, flags, on, payload in received(connection):
        if kind == RST and on == stream:
            return f"reset {int.from_bytes(payload[:4], 'big')}"
        if kind == GOAWAY:
            return f"goaway {int.from_bytes(payload[4:8], 'big')} {payload[8:].decode('ascii', 'replace')}"
        if kind == HEADERS and on == stream and flags & END_STREAM:
            at = payload.find(b"grpc-status")
            if at >= 0:
                size = payload[at + 11]
                return f"grpc {payload[at + 12 : at + 12 + size].decode()}"
            return f"headers {payload!r}"
    return "closed"
