"""What an operator may set for a history. Sizes are texts such as "300GB" in the file and bytes in Python."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from bedplate.settings import Duration, FileName

UNITS = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)")


def parse_size(text: str) -> int:
    """Bytes of a text such as "300GB". Raises ValueError that says how to write one."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no size; write a number and a unit: 500MB, 300GB, 1.5TB")
    return round(float(match[1]) * UNITS[match[2]])


def _bytes(value: Any) -> Any:
    return parse_size(value) if isinstance(value, str) else value


def format_size(size: int) -> str:
    """The shortest text that means it: 300GB."""
    unit = next((u for u in ("TB", "GB", "MB", "kB") if size and size % UNITS[u] == 0), "B")
    return f"{size // UNITS[unit]}{unit}"


_Bytes = Annotated[
    int,
    BeforeValidator(_bytes),
    PlainSerializer(format_size, when_used="json"),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{_SIZE.pattern}$", "examples": ["300GB", "500MB"]}
    ),
]
Size = Annotated[_Bytes, Field(gt=0)]
"""Bytes in Python, "300GB" in the file."""

Positive = Annotated[Duration, Field(gt=0)]


class Keep(BaseModel):
    """How much is kept; without either, everything is. Whole segments go, the oldest first."""

    model_config = ConfigDict(extra="forbid")

    age: Positive | None = Field(None, description="Samples older than this, by source time, go.")
    size: Size | None = Field(None, description="Room on disk that the segments may take together.")


class Seal(BaseModel):
    """When what is held in memory becomes a file; whichever comes first."""

    model_config = ConfigDict(extra="forbid")

    rows: int = Field(
        2_000_000,
        gt=0,
        le=20_000_000,
        description="Samples; while a file is written, memory holds up to 200 bytes for each.",
    )
    age: Positive = Field(300.0, description="Time since the first sample that is not in a file.")


class HistorySettings(BaseModel):
    """Settings of `use: history`."""

    model_config = ConfigDict(extra="forbid")

    folder: FileName = Field(description="Where everything is kept; one history, one folder.")
    keep: Keep = Field(default_factory=Keep, description="How much is kept; default: everything.")
    seal: Seal = Field(default_factory=Seal, description="When samples in memory become a file.")
    threads: int = Field(2, ge=1, le=64, description="Processor cores that one query may use.")
    memory: Size = Field(
        "1GB",
        validate_default=True,
        description="Memory that all queries together may use; beyond it they use disk.",
    )
