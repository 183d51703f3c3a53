"""Strict frames for pymodbus: nothing but a whole, plausible MBAP frame is ever taken for an answer.

Rule: what can't be a frame makes the connection unusable, because nobody knows where the next frame begins; waiting for
luck could hand one tag's registers to another. Answers stay bytes: `answer.py` reads them against what was asked.
MBAP header: Modbus Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU

BACKLOG: Final = 8192  # bytes of late answers that may wait at once
SHORTEST, LONGEST = 3, 254  # unit, function and at least one byte; unit and 253 bytes


class Answer(ModbusPDU):
    """body: from the function code on, as received. pymodbus fills in dev_id and transaction_id from the header."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.body = body


class _Undecoded(DecodePDU):
    def decode(self, frame: bytes) -> ModbusPDU:
        return Answer(frame)


class StrictFramer(FramerSocket):
    """Calls `give_up` with the reason at the first bytes that can't be part of a frame."""

    MAX_SIZE = (
        1 << 20
    )  # pymodbus would drop a longer backlog without a word; BACKLOG judges it instead

    def __init__(self, give_up: Callable[[str], None]) -> None:
        super().__init__(_Undecoded(False))
        self._give_up = give_up

    def decode(self, data: bytes) -> tuple[int, int, int, bytes]:
        why = _impossible(data)
        if not why:
            return super().decode(data)
        self._give_up(why)
        return len(data), 0, 0, self.EMPTY


def _impossible(data: bytes) -> str:
    size = len(data)
    if size > BACKLOG:
        return f"sent {size} bytes that nobody asked for"
    if size >= 4 and data[2] | data[3]:
        return f"sent {data[:8].hex(' ')}, which begins no Modbus frame"
    if size >= 6 and not SHORTEST <= (data[4] << 8 | data[5]) <= LONGEST:
        return f"sent a frame of {int.from_bytes(data[4:6], 'big')} bytes"
    return ""
