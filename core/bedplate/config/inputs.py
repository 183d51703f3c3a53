"""Which tags of an asset an analytic's settings name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def named_inputs(settings: Any, tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of an asset that the settings of an analytic name, at any depth: name → full path."""
    found: dict[str, str] = {}

    def look(value: Any) -> None:
        if isinstance(value, str) and value in tags:
            found[value] = tags[value]
        elif isinstance(value, Mapping):
            for inner in value.values():
                look(inner)
        elif isinstance(value, (list, tuple)):
            for inner in value:
                look(inner)

    look(settings)
    return found
