"""A machine for classic BPF as seccomp uses it, so that a filter can be asked without being put on."""

from __future__ import annotations

import struct

ALLOW, KILL = 0x7FFF0000, 0x80000000
MASK = 0xFFFFFFFF


def ask(program: bytes, audit: int, number: int, *arguments: int) -> int:
    """What the filter says of a call: ALLOW, KILL, or ERRNO and the number. Raises IndexError when it has no end."""
    words = [argument & ((1 << 64) - 1) for argument in (*arguments, *[0] * 6)[:6]]
    data = struct.pack("=IIQ6Q", number & MASK, audit, 0, *words)
    code = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    register, at = 0, 0
    while True:
        operation, yes, no, value = code[at]
        at += 1
        match operation:
            case 0x20:
                (register,) = struct.unpack_from("=I", data, value)
            case 0x54:
                register &= value
            case 0x06:
                return value
            case 0x15 | 0x35 | 0x45:
                held = {
                    0x15: register == value,
                    0x35: register >= value,
                    0x45: bool(register & value),
                }
                at += yes if held[operation] else no
            case _:
                raise ValueError(f"unknown instruction {operation:#x}")
