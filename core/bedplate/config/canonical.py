"""Canonical JSON, so that equal meaning has equal bytes and so an equal hash (RFC 8785).

One departure: integers keep all their digits, where RFC 8785 would round those beyond 2^53.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any


def canonical(value: Any) -> bytes:
    """Canonical bytes of a JSON value. Raises ValueError for NaN, infinity, keys that are no text and other types."""
    return _text(value).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{_text(key)}:{_text(value[key])}" for key in keys) + "}"
    raise ValueError(f"{type(value).__name__} has no canonical form")


def _number(value: float) -> str:
    """As ECMAScript writes a number (RFC 8785 §3.2.2.3). Python finds the same shortest digits."""
    if not math.isfinite(value):
        raise ValueError("NaN and infinity have no canonical form")
    if value == 0:
        return "0"
    mantissa, _, power = f"{value!r}e0".partition("e")
    whole, _, part = mantissa.lstrip("-").partition(".")
    digits = (whole + part).lstrip("0")
    point = len(whole) + int(power.split("e")[0]) - (len(whole + part) - len(digits))
    digits = digits.rstrip("0")
    sign = "-" if value < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+d}"
