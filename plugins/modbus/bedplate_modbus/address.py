"""Where a tag lies in a device: a number as on the wire, or a Modicon number in quotes.

Rule: every way to write an address has one reading. A number counts from 0, as on the wire; six digits in quotes are
Modicon's and count from 1; five digits that could be either are refused with both readings.
Does not know what is stored there; that is `codec.py`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, StrictInt, StrictStr, WithJsonSchema

RegisterType = Literal["coil", "discrete_input", "holding_register", "input_register"]

MODICON: Final[dict[str, RegisterType]] = {
    "0": "coil",
    "1": "discrete_input",
    "3": "input_register",
    "4": "holding_register",
}
_LEAD: Final = {register_type: digit for digit, register_type in MODICON.items()}
_MODICON_TEXT: Final = re.compile(r"[0134]\d{5}", re.ASCII)
_WIRE_TEXT: Final = re.compile(r"0|[1-9]\d{0,4}", re.ASCII)

# 0 to 65535 without 40000 to 49999, and 1 to 65536 in five digits or more: what a pattern can say of them.
_UP_TO_65535 = (
    "[0-9]|[1-9][0-9]{1,3}|[1235][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
)
_FROM_00001 = (
    "0000[1-9]|000[1-9][0-9]|00[1-9][0-9]{2}|0[1-9][0-9]{3}|[1-5][0-9]{4}|"
    "6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-6]"
)
_HOW = (
    'write a number from 0 to 65535 as on the wire, or a Modicon number in quotes such as "400001"'
)
_BOTH = (
    "{value} has two readings: a wire address, counted from 0, or a Modicon number, 40001 more than on the wire. "
    'Write six digits in quotes, counted from 1: "440002" is wire address 40001, "400001" is wire address 0'
)

SCHEMA: Final[dict[str, Any]] = {
    "description": "Wire address from 0 (a number), or Modicon from 1 (six digits in quotes).",
    "examples": [19026, "400001"],
    "anyOf": [
        {
            "type": "integer",
            "allOf": [
                {
                    "minimum": 0,
                    "maximum": 65535,
                    "x-bedplate-message": f"{{value}} is no Modbus address; {_HOW}",
                },
                {"not": {"minimum": 40000, "maximum": 49999}, "x-bedplate-message": _BOTH},
            ],
        },
        {
            "type": "string",
            "allOf": [
                {"not": {"pattern": "^4[0-9]{4}$"}, "x-bedplate-message": _BOTH},
                {
                    "pattern": f"^(({_UP_TO_65535})|4[0-9]{{4}}|[0134]({_FROM_00001}))$",
                    "x-bedplate-message": f"{{value}} is no Modbus address; {_HOW}",
                },
            ],
        },
    ],
}


def resolve(address: int | str, register_type: RegisterType) -> tuple[RegisterType, int]:
    """Register type and wire address, 0 to 65535. A Modicon number brings its own register type.

    Raises ValueError, in words, for what is no address and for what has two readings.
    """
    if isinstance(address, str):
        if _MODICON_TEXT.fullmatch(address):
            return _from_modicon(address)
        if not _WIRE_TEXT.fullmatch(address):
            raise ValueError(f'"{address}" is no Modbus address; {_HOW}')
        address = int(address)
    if not 0 <= address <= 65535:
        raise ValueError(f"{address} is no Modbus address; {_HOW}")
    if address // 10000 == 4 or (address // 10000 == 3 and register_type == "input_register"):
        raise ValueError(_two_readings(address, register_type))
    return register_type, address


def _from_modicon(text: str) -> tuple[RegisterType, int]:
    number = int(text[1:])
    if not 1 <= number <= 65536:
        raise ValueError(
            f'"{text}" is no Modicon number: they go from {text[0]}00001 to {text[0]}65536'
        )
    return MODICON[text[0]], number - 1


def _two_readings(address: int, register_type: RegisterType) -> str:
    lead = str(address // 10000)
    wire = address - int(lead) * 10000 - 1
    first = f'"{_LEAD[register_type]}{address + 1:05}"'
    if wire < 0:
        return (
            f"{address} looks like a Modicon number, which begin at {address + 1}; "
            f"for wire address {address} write {first}"
        )
    return (
        f"{address} has two readings: wire address {address} (write {first}), or Modicon {address}, "
        f'which is wire address {wire} (write {wire} or "{lead}{wire + 1:05}")'
    )


def _checked(address: int | str) -> int | str:
    resolve(address, "holding_register")
    return address


Address = Annotated[StrictInt | StrictStr, AfterValidator(_checked), WithJsonSchema(SCHEMA)]
"""As written; `resolve` reads it, since a number's register type stands elsewhere."""
