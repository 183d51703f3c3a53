"""Requests that write one value, and whether the answer confirms it.

Rule: a value goes out in one request that touches nothing but the value: functions 5 and 6 for one coil or register, 15
and 16 for more (or always, where the device wants that), 22 for a bit or half a register. Never read, change and write
back: between the two the device may have changed the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import WriteMultipleCoilsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    MaskWriteRegisterRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from bedplate import Refused
from bedplate_modbus.answer import exception_of, words_for
from bedplate_modbus.codec import encode
from bedplate_modbus.point import READ_ONLY, Point


def request_for(point: Point, value: Any, *, multiple: bool) -> ModbusPDU:
    """The request that writes a value. multiple: functions 15 and 16 for single ones too.

    Raises Refused when the value does not fit or the register can't be written; nothing was sent then.
    """
    if point.register_type in READ_ONLY:
        raise Refused(f"a {point.register_type} can't be written")
    data, mask = encode(point.form, value)
    place: dict[str, Any] = {"address": point.address, "dev_id": point.unit}
    if point.register_type == "coil":
        coil = WriteMultipleCoilsRequest if multiple else WriteSingleCoilRequest
        return coil(bits=[bool(data[0])], **place)
    registers = np.frombuffer(data, ">u2").tolist()
    if not all(mask):
        owned = int.from_bytes(mask, "big")
        return MaskWriteRegisterRequest(and_mask=0xFFFF ^ owned, or_mask=registers[0], **place)
    if len(registers) == 1 and not multiple:
        return WriteSingleRegisterRequest(registers=registers, **place)
    return WriteMultipleRegistersRequest(registers=registers, **place)


def confirm(request: ModbusPDU, body: bytes, point: Point) -> None:
    """Takes the answer to a write. Raises Refused when the device says no, and ConnectionError when it confirms
    something else: whether it wrote is not known then."""
    exception = exception_of(body, request.function_code)
    if exception == 1 and isinstance(request, MaskWriteRegisterRequest):
        raise Refused(
            f"the device can't write part of a register (no function 22): {point.where()}; "
            "write the whole register"
        )
    if exception:
        raise Refused(f"{words_for(exception)}: {point.where()}")
    sent = bytes([request.function_code]) + request.encode()
    echo = sent if isinstance(request, MaskWriteRegisterRequest) else sent[:5]
    if body != echo:
        raise ConnectionResetError(f"answered a write of {point.where()} with {body.hex(' ')}")
