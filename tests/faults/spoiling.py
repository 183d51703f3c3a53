"""A wire between a plugin and its device on which some of the device's answers are spoilt, in all but the bytes of a
value: those have no checksum, and nobody could tell."""

from __future__ import annotations

import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Way = Callable[[bytes, bytes, int, random.Random], bytes]


def flipped(answer: bytes, before: bytes, head: int, dice: random.Random) -> bytes:
    spoilt = bytearray(answer)
    for _ in range(dice.randrange(1, 4)):
        spoilt[dice.randrange(min(head, len(spoilt)))] ^= 1 << dice.randrange(8)
    return bytes(spoilt)


def other_byte(answer: bytes, before: bytes, head: int, dice: random.Random) -> bytes:
    place = dice.randrange(min(head, len(answer)))
    return answer[:place] + dice.randbytes(1) + answer[place + 1 :]


def truncated(answer: bytes, before: bytes, head: int, dice: random.Random) -> bytes:
    return answer[: dice.randrange(len(answer))]


def oversize(answer: bytes, before: bytes, head: int, dice: random.Random) -> bytes:
    return answer + dice.randbytes(dice.choice([1, 7, 100, 70_000]))


def stale(answer: bytes, before: bytes, head: int, dice: random.Random) -> bytes:
    return before + answer if dice.random() < 0.5 else before


def noise(answer: bytes, before: bytes, head: int, dice: random.Random) -> bytes:
    return dice.randbytes(dice.randrange(1, 600))


def zeros(answer: bytes, before: bytes, head: int, dice: random.Random) -> bytes:
    return bytes(dice.randrange(1, 600))


def twice(answer: bytes, before: bytes, head: int, dice: random.Random) -> bytes:
    return answer + answer


def nothing(answer: bytes, before: bytes, head: int, dice: random.Random) -> bytes:
    return b""


WAYS: list[Way] = [
    *(flipped, flipped, other_byte, truncated, oversize, stale, noise, zeros, twice, nothing),
]


class Spoiler:
    """on: whether answers are spoilt, one in three · sent: how many, by way · head: bytes before the value."""

    def __init__(self, there: int, head: int, seed: int) -> None:
        self.on = False
        self.sent: Counter[str] = Counter()
        self._there, self._head, self._dice = there, head, random.Random(seed)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._link, args=(near,), daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _link(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection(("127.0.0.1", self._there)) as far:
            back = threading.Thread(target=self._answers, args=(far, near), daemon=True)
            back.start()
            while asked := near.recv(1 << 16):
                far.sendall(asked)
            far.shutdown(socket.SHUT_RDWR)
            back.join(5)

    def _answers(self, far: socket.socket, near: socket.socket) -> None:
        before = b"\0"
        with suppress(OSError):
            while answer := far.recv(1 << 16):
                if self.on and self._dice.random() < 1 / 3:
                    way = self._dice.choice(WAYS)
                    self.sent[way.__name__] += 1
                    near.sendall(way(answer, before, self._head, self._dice))
                else:
                    near.sendall(answer)
                before = answer
            near.shutdown(socket.SHUT_RDWR)


@contextmanager
def spoiling(there: int, head: int, seed: int) -> Iterator[Spoiler]:
    """Between a client and 127.0.0.1:there."""
    one = Spoiler(there, head, seed)
    threading.Thread(target=one.serve, daemon=True).start()
    try:
        yield one
    finally:
        one.close()
