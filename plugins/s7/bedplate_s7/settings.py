"""Types of the settings that the deployment file has for S7."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import WithJsonSchema

TypeName = Literal[
    "bool", "byte", "char", "sint", "usint", "word", "int", "uint", "dword", "dint", "udint", "real", "time", "lword",
    "lint", "ulint", "lreal", "string", "wstring",
]  # fmt: skip
Host = Annotated[str, WithJsonSchema({"type": "string", "x-bedplate-host": True})]


def without_null(schema: dict[str, Any]) -> None:
    """A setting that is left out is left out, never null."""
    for entry in schema["properties"].values():
        entry.update(entry.pop("anyOf")[0])
        del entry["default"]
