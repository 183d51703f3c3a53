"""What a unit answered: the bytes it carries, or why it carries none.

Rule: an answer counts only when function, byte count and length are exactly what was asked for; pymodbus compares none
of these with the request. Exception codes: Modbus Application Protocol V1.1b3, 7.
Does not wait or retry; that is `link.py` and `reader.py`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bedplate.model import quality
from bedplate_modbus.plan import Block

READ_FUNCTION: Final = {"coil": 1, "discrete_input": 2, "holding_register": 3, "input_register": 4}

_NAMES: Final = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, not done yet",
    6: "device busy",
    7: "negative acknowledgement",
    8: "memory parity error",
    10: "gateway has no path",
    11: "gateway got no answer",
}
_CODES: Final = {
    1: quality.CODES["BadNotSupported"],
    2: quality.CODES["BadNodeIdUnknown"],
    3: quality.BAD_OUT_OF_RANGE,
}
_ONE_TAG_MAY_CAUSE: Final = {2, 3, 4}
GATEWAY: Final = {10, 11}


class Unfit(Exception):
    """An answer without values. why: in words · code: StatusCode · divisible: one tag of several may be the cause."""

    def __init__(self, why: str, code: int, *, divisible: bool) -> None:
        super().__init__(why)
        self.why = why
        self.code = code
        self.divisible = divisible


def exception_of(body: bytes, function: int) -> int:
    """The exception code in an answer to `function`; 0 when it is no exception."""
    return body[1] if len(body) == 2 and body[0] == function | 0x80 else 0


def words_for(exception: int) -> str:
    """Name of an exception code: "illegal data address"."""
    return _NAMES.get(exception, f"exception {exception}")


def values_in(body: bytes, block: Block) -> bytes:
    """The bytes of a block: two for each register, high byte first, or one (0 or 1) for each coil.

    body: the answer from its function code on. Raises Unfit.
    """
    function = READ_FUNCTION[block.register_type]
    if exception := exception_of(body, function):
        raise Unfit(
            words_for(exception),
            _CODES.get(exception, quality.BAD_DEVICE_FAILURE),
            divisible=exception in _ONE_TAG_MAY_CAUSE,
        )
    if body[0] != function:
        why = f"answered with function {body[0]} instead of {function}"
        raise Unfit(why, quality.BAD_DECODING, divisible=False)
    found, wanted = len(body) - 2, block.length if block.size == 2 else (block.count + 7) // 8
    if found != wanted or body[1] != wanted:
        why = f"answered {found} bytes of values instead of {wanted}"
        raise Unfit(why, quality.BAD_DECODING, divisible=True)
    if block.size == 2:
        return body[2:]
    bits = np.frombuffer(body, np.uint8, offset=2)
    return np.unpackbits(bits, count=block.count, bitorder="little").tobytes()
