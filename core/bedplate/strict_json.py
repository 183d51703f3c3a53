"""JSON of a file or of a stranger, read strictly: what two readers could understand differently is refused.

Python's reader takes NaN and Infinity, two values for one key, integers that no other program holds, halves of a
surrogate pair, and goes as deep as its stack allows. This one refuses all of that, with a ValueError as json's own. It
knows nothing of what the text means, and bounds no size: whoever reads the bytes does.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

MAX_DEPTH = 64
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?')
_BRACKETS = re.compile(r"[\[{\]}]")


def loads(content: bytes | bytearray | str, *, depth: int = MAX_DEPTH, nan: bool = False) -> Any:
    """The value. nan: takes NaN and Infinity, as in what Python itself wrote down. Raises ValueError."""
    text = content if isinstance(content, str) else content.decode("utf-8")
    if text.count("[") + text.count("{") > depth and _deeper(text, depth):
        raise ValueError(f"deeper than {depth}")
    value = json.loads(
        text,
        object_pairs_hook=_unique,
        parse_constant=float if nan else _no_constant,
        parse_int=_int,
        parse_float=float if nan else _finite,
    )
    if "\\u" in text or not text.isascii():
        _check(value)
    return value


def _deeper(text: str, depth: int) -> bool:
    level = 0
    for bracket in _BRACKETS.findall(_STRING.sub("", text)):
        level += 1 if bracket in "[{" else -1
        if level > depth:
            return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {ascii(twice)[:60]} stands twice")
    return found


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _int(text: str) -> int:
    value = int(text) if len(text) <= 20 else 1 << 64
    if not -(1 << 63) <= value < 1 << 64:
        raise ValueError("an integer has more than 64 bits")
    return value


def _check(value: Any) -> None:
    """Raises UnicodeEncodeError, a ValueError, for half a surrogate pair anywhere in it."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict):
        for key, part in value.items():
            key.encode()
            _check(part)
    elif isinstance(value, list):
        for part in value:
            _check(part)
