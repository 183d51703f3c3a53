"""Types for the settings of plugins, so that the deployment file, the editor and the plugin mean the same.

A plugin's `Config` is a pydantic model; these types carry what JSON Schema alone can't say: a duration is a text such
as "250ms" in the file and seconds in Python, a calendar is a name in the file and a Calendar in Python, a tag name is
one of the asset's tags. Secrets are pydantic's SecretStr: in the file a reference, never a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from bedplate.duration import UNITS_NS, format_duration, parse_duration

__all__ = [
    "UNITS_NS",
    "CalendarName",
    "Duration",
    "Migration",
    "NoSettings",
    "TagName",
    "format_duration",
    "parse_duration",
]


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of a plugin's settings from version `to` - 1 to `to`, as data: the kernel does it, also in `check`.

    rename: old → new name · drop: name → why it is not used any more · default: name → what its absence meant before.
    """

    to: int
    rename: Mapping[str, str] = field(default_factory=dict)
    drop: Mapping[str, str] = field(default_factory=dict)
    default: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it stands in config.schema.json. Raises ValueError for a version below 2: the first needs no step."""
        if self.to < 2:
            raise ValueError(f"a migration leads to version 2 or later, not to {self.to}")
        told = {"rename": self.rename, "drop": self.drop, "default": self.default}
        return {"to": self.to} | {name: dict(what) for name, what in told.items() if what}


def _seconds(value: Any) -> Any:
    return parse_duration(value) / 1e9 if isinstance(value, str) else value


def _calendar(value: Any) -> Any:
    from bedplate.calendar import Calendar

    return Calendar.from_dict(value) if isinstance(value, dict) else value


Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    PlainSerializer(lambda seconds: format_duration(round(seconds * 1e9)), when_used="json"),
    WithJsonSchema(
        {"type": "string", "x-bedplate-duration": True, "examples": ["250ms", "1s", "5min"]}
    ),
]
"""Seconds in Python, "250ms" in the file."""

FileName = Annotated[str, WithJsonSchema({"type": "string", "format": "path"})]
"""A file or folder. A relative one starts beside the deployment file; the plugin gets the whole path."""

TagName = Annotated[str, WithJsonSchema({"type": "string", "x-bedplate-tag": True})]
"""Name of a tag of the asset; the kernel checks that it exists and tells the analytic its full path as an input."""

CalendarName = Annotated[
    Any, BeforeValidator(_calendar), WithJsonSchema({"type": "string", "x-bedplate-calendar": True})
]
"""Name of a calendar in the file, a `bedplate.calendar.Calendar` in Python."""


class NoSettings(BaseModel):
    """Settings of a plugin that has none."""

    model_config = ConfigDict(extra="forbid")
