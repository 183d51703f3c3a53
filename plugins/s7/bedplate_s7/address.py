"""Addresses as STEP 7 and TIA Portal write them: DB1.DBD4, DB1.DBX0.3, MW20, I0.0, Q1.2, with or without a %.

German letters (E, A) mean the same as English ones (I, Q). Knows nothing of types: a letter only says how wide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

WIDTHS: Final = {"X": 1, "": 1, "B": 1, "W": 2, "D": 4}
AREAS: Final = {"I": "I", "E": "I", "Q": "Q", "A": "Q", "M": "M"}
PATTERN: Final = (
    r"^%?(DB[1-9]\d{0,4}\.DB(X\d{1,5}\.[0-7]|[BWD]\d{1,5})|[IEQAM](\d{1,5}\.[0-7]|[BWD]\d{1,5}))$"
)
_DB = re.compile(r"DB(\d+)\.DB([XBWD])(\d+)(?:\.([0-7]))?")
_AREA = re.compile(r"([IEQAM])([BWD]?)(\d+)(?:\.([0-7]))?")
LAST_BYTE: Final = 65_535


@dataclass(frozen=True, slots=True)
class Place:
    """area: DB, I, Q or M · db: 0 where there is none · byte: from 0 · bit: None for whole bytes · width: bytes that
    the letter names."""

    area: str
    db: int
    byte: int
    bit: int | None
    width: int


def place_of(text: str) -> Place:
    """Raises ValueError in words for what is no address."""
    written = text.removeprefix("%")
    if found := _DB.fullmatch(written):
        db, letter, byte, bit = int(found[1]), found[2], int(found[3]), found[4]
        area = "DB"
    elif found := _AREA.fullmatch(written):
        area, letter, byte, bit = AREAS[found[1]], found[2], int(found[3]), found[4]
        db = 0
    else:
        raise ValueError(f"{text!r} is no address, such as DB1.DBD4, DB1.DBX0.3, MW20 or I0.0")
    if (bit is None) == (letter in ("", "X")):
        raise ValueError(f"{text!r}: a bit is written DBX0.3 or M0.3, and only a bit has one")
    if byte > LAST_BYTE or db > LAST_BYTE:
        raise ValueError(f"{text!r}: numbers go up to {LAST_BYTE}")
    return Place(area, db, byte, None if bit is None else int(bit), WIDTHS[letter])


def _checked(text: str) -> str:
    place_of(text)
    return text


Address: Any = Annotated[
    str,
    Field(
        pattern=PATTERN,
        description="As TIA Portal shows it: DB1.DBD4, DB1.DBX0.3, MW20, I0.0, Q1.2; E and A are I and Q",
        examples=["DB1.DBD4"],
    ),
    AfterValidator(_checked),
]
