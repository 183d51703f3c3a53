"""What machines read: JSON of samples, events and status. Times are ISO 8601 in UTC, values keep every digit."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np

from bedplate.model import quality

SINCE_1970 = {  # fields that hold ns UTC; 0 is never
    *("time", "received", "started", "now", "since", "until", "at"),
    *("active_since", "returned_at", "acknowledged_at", "applied", "submitted", "ended"),
}


def iso(ns: int) -> str | None:
    """2026-11-19T01:47:10.123Z with as many digits as the time has, at least three; None for never."""
    if not ns:
        return None
    unit: Literal["ms", "us", "ns"] = (
        "ms" if ns % 1_000_000 == 0 else "us" if ns % 1000 == 0 else "ns"
    )
    return f"{np.datetime_as_string(np.datetime64(ns, 'ns'), unit)}Z"


def json_value(value: Any) -> Any:
    """A value as JSON can hold it: blobs in base64, NaN and infinities as null."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def tree(thing: Any) -> Any:
    """A dataclass, or what holds them, as JSON can hold it."""
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return {f.name: _field(f.name, getattr(thing, f.name)) for f in dataclasses.fields(thing)}
    if isinstance(thing, Mapping):
        return {str(key): tree(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [tree(one) for one in thing]
    if hasattr(thing, "name") and hasattr(thing, "value"):  # an enumeration
        return str(thing.name).lower()
    return json_value(thing)


def _field(name: str, value: Any) -> Any:
    if name in SINCE_1970 and isinstance(value, int):
        return iso(value)
    return quality.name(value) if name == "quality" else tree(value)


def sample(path: str, ns: int, value: Any, code: int, **more: Any) -> dict[str, Any]:
    return {
        "path": path,
        "time": iso(ns),
        "value": json_value(value),
        "quality": quality.name(code),
        **more,
    }


def write_json(thing: Any) -> None:
    """One document, indented, on stdout."""
    json.dump(tree(thing), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def write_lines(things: Iterable[Any]) -> None:
    """One document a line, for what has no end."""
    for thing in things:
        sys.stdout.write(json.dumps(tree(thing), ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()
