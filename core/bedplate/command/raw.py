"""From what is wanted, in the unit of the tag, to what goes over the wire; and back, to tell whether it is there.

Rule: the type must be right and the number must fit, or there is no raw value. Only where the device holds whole
numbers behind a `scale` is the nearest raw step taken, and said: what is wanted is then what that step reads, half a
step away at most. Nothing is cut off, wrapped round or parsed.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from bedplate.command.plant import Point
from bedplate.model import DataType

MOST_BYTES = 4096  # of a text or blob
WHOLE = 2**53  # up to here every integer is a float64
FLOAT32_MAX = float(np.finfo(np.float32).max)
_INTEGER = re.compile(r"(u?)int(8|16|32|64)", re.ASCII)
_NAMES = {DataType.FLOAT64: "number", DataType.BOOL: "bool", DataType.TEXT: "text"}


class Unfit(ValueError):
    """A value that can't be written to this tag. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """value: as it will read when it is there · raw: for the wire · text: how one became the other; empty: as it is."""

    value: Any
    raw: Any
    text: str = ""


def wanted(point: Point, value: Any) -> Wanted:
    """Raises Unfit."""
    value = typed(point, value)
    if isinstance(value, bool | str | bytes):
        return Wanted(value, value)
    if point.scale is None:
        return Wanted(value, _unscaled(point, value))
    gain, offset = point.scale
    raw = (value - offset) / gain if gain else math.nan
    if not math.isfinite(raw):
        raise Unfit(f"{exact(value)} is beyond what the scale can turn back")
    bounds = integer_bounds(point.raw_type)
    if bounds is None:
        return _narrowed(point, value, _real(point, raw))
    nearest = _within(round(raw), point.raw_type)
    there = nearest * gain + offset
    changed = not math.isclose(there, value, rel_tol=1e-9, abs_tol=abs(gain) * 1e-6)
    text = f"{exact(value)} becomes {there:.10g}, the nearest step of the device" if changed else ""
    return Wanted(there if changed else value, nearest, text)


def _narrowed(point: Point, value: float, raw: float) -> Wanted:
    """Behind a large offset the steps of a float32 are wide: what it will read may be out of range."""
    there = served(point, as_float32(raw))
    bounds = (point.range, point.limits.range if point.limits else None)
    spans = [pair[1] - pair[0] for pair in bounds if pair]
    near = math.isclose(there, value, rel_tol=1e-6, abs_tol=1e-4 * min(spans, default=0.0))
    if near or point.raw_type.lower() != "float32":
        return Wanted(value, raw)
    text = f"{exact(value)} becomes {there:.10g}, the nearest step of the device"
    return Wanted(there, raw, text)


def typed(point: Point, value: Any) -> Any:
    """A value in the type of the tag; a label of its states as its number. Raises Unfit."""
    kind = DataType.FLOAT64 if point.scale else point.data_type
    if point.states and isinstance(value, str) and kind is not DataType.TEXT:
        value = _labelled(point, value)
    match kind:
        case DataType.UNSPECIFIED:
            raise Unfit("its type is not known yet: it has had no value")
        case DataType.BOOL | DataType.TEXT | DataType.BLOB:
            wanted_type = {DataType.BOOL: bool, DataType.TEXT: str}.get(kind, bytes)
            if type(value) is not wanted_type:
                raise Unfit(_wrong(value, kind))
            return _short(value)
        case DataType.FLOAT64:
            value = _float(value)
        case _:
            value = _integer(value, kind)
    if point.states and value not in point.states:
        raise Unfit(f"{exact(value)} is none of its states: {_states(point)}")
    return value


def same(point: Point, sent: Any, read: Any) -> bool:
    """Whether a device reads back what was sent; both raw. Numbers that it may hold as float32 are compared so."""
    if isinstance(sent, bool) or isinstance(read, bool):
        return (
            isinstance(read, bool | int) and isinstance(sent, bool | int) and int(sent) == int(read)
        )
    if isinstance(sent, str | bytes) or isinstance(read, str | bytes):
        return type(sent) is type(read) and bool(sent == read)
    if isinstance(sent, float) and point.raw_type.lower() != "float64":
        return _alike32(sent, read)
    return bool(sent == read)


def served(point: Point, raw: Any) -> Any:
    """A raw value as the kernel serves it."""
    if point.scale is None or isinstance(raw, bool | str | bytes) or raw is None:
        return raw
    return raw * point.scale[0] + point.scale[1]


def alike(one: Any, other: Any) -> bool:
    """Whether two values of a tag are the same for people: floats to what float32 holds."""
    if isinstance(one, float) or isinstance(other, float):
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (one, other))
        return numbers and _alike32(one, other)
    return type(one) is type(other) and bool(one == other)


def _alike32(one: float, other: float) -> bool:
    """The same float32; of what none holds, the same number."""
    held = as_float32(one)
    if one == other or not held or math.isinf(held):
        return one == other
    return held == as_float32(other)


def as_float32(value: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.float32(value))


def exact(value: Any) -> str:
    """A value with every digit, on one line of ASCII."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case bytes():
            return f"{value[:64].hex()}{'…' if len(value) > 64 else ''} ({len(value)} bytes)"
    return json.dumps(str(value)[:200])


def integer_bounds(raw_type: str) -> tuple[int, int] | None:
    """What a whole number of this type can be; None: it is none."""
    match = _INTEGER.fullmatch(raw_type.lower())
    if not match:
        return None
    bits = int(match[2])
    return (0, 2**bits - 1) if match[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _unscaled(point: Point, value: Any) -> Any:
    if integer_bounds(point.raw_type) is None:
        return _real(point, value) if isinstance(value, float) else value
    if isinstance(value, float):
        if not value.is_integer():
            raise Unfit(f"{exact(value)} is no whole number; the device holds {point.raw_type}")
        value = int(value)
    return _within(value, point.raw_type)


def _within(raw: int, raw_type: str) -> int:
    low, high = integer_bounds(raw_type) or (raw, raw)
    if not low <= raw <= high:
        raise Unfit(f"{raw} does not fit into {raw_type}, which holds {low} to {high}")
    return raw


def _real(point: Point, raw: float) -> float:
    if point.raw_type.lower() == "float32":
        if abs(raw) > FLOAT32_MAX:
            raise Unfit(f"{exact(raw)} does not fit into float32")
        if raw and not as_float32(raw):
            raise Unfit(f"{exact(raw)} is too small for float32")
    return raw


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit(_wrong(value, DataType.FLOAT64))
    if isinstance(value, int) and abs(value) > WHOLE:
        raise Unfit(f"{value} has more digits than a number of this tag holds")
    if not math.isfinite(value):
        raise Unfit(f"{value} is no number that a machine can be set to")
    return float(value)


def _integer(value: Any, kind: DataType) -> int:
    if type(value) is not int:
        raise Unfit(_wrong(value, kind))
    return _within(value, kind.name.lower())


def _labelled(point: Point, label: str) -> int:
    numbers = [number for number, text in point.states.items() if text == label]
    if len(numbers) != 1:
        why = (
            "stands for several numbers" if numbers else f"is none of its states: {_states(point)}"
        )
        raise Unfit(f"{exact(label)} {why}")
    return numbers[0]


def _states(point: Point) -> str:
    return ", ".join(f"{number} {label}" for number, label in sorted(point.states.items())[:12])


def _short(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    try:
        size = len(value.encode()) if isinstance(value, str) else len(value)
    except UnicodeEncodeError:
        raise Unfit("the text is not Unicode") from None
    if size > MOST_BYTES:
        raise Unfit(f"is longer than {MOST_BYTES} bytes")
    return value


def _wrong(value: Any, kind: DataType) -> str:
    wants = _NAMES.get(kind, "whole number" if kind is not DataType.BLOB else "blob")
    return f"{exact(value)} is a {_kind(value)}; the tag holds a {wants}"


def _kind(value: Any) -> str:
    names = {bool: "bool", int: "whole number", float: "number", str: "text", bytes: "blob"}
    return names.get(type(value), "thing")
