"""What a plugin class takes, as plain JSON: its kind, its capabilities, and JSON Schemas of its pydantic models.

Meets the class itself, so it runs in the author's tools and in the probe of a single file, never in the kernel.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from bedplate.contracts import Analytic, Connector, SecurityModule, capabilities_of
from bedplate.errors import AdmissionError
from bedplate.settings import format_duration

KINDS: dict[str, type] = {"connector": Connector, "analytic": Analytic, "security": SecurityModule}


class _Schema(GenerateJsonSchema):
    """Without a title for each field, which only repeats its name."""

    # A default such as SecretStr("") can't be written down, and need not be.
    ignored_warning_kinds = GenerateJsonSchema.ignored_warning_kinds | {"non-serializable-default"}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> dict[str, Any]:
        """A duration's default as it would stand in the file: "5s", not 5.0."""
        described = super().default_schema(schema)
        default = described.get("default")
        if described.get("x-bedplate-duration") and isinstance(default, int | float):
            described["default"] = format_duration(round(default * 1e9)) if default else "0s"
        return described


def kind_of(cls: type) -> str:
    """The kind of a plugin class; empty when it is none, or one of the contract's own classes."""
    return next(
        (kind for kind, base in KINDS.items() if issubclass(cls, base) and cls is not base), ""
    )


def describe(cls: Any) -> dict[str, Any]:
    """One offer as it stands in config.schema.json. Raises AdmissionError when a type has no JSON Schema or the class
    is of no kind."""
    kind = kind_of(cls) if isinstance(cls, type) else ""
    if not kind:
        raise AdmissionError(f"{_name(cls)} is no Connector, Analytic or SecurityModule")
    connector = kind == "connector"
    settings = _model(cls, "Config")
    if steps := _migrations(cls, settings):
        settings["x-bedplate-migrations"] = steps
    return {
        "kind": kind,
        "capabilities": [*capabilities_of(cls)],
        "settings": settings,
        "tag": _model(cls, "TagSettings") if connector else {},
        "address": _address(cls) if connector else {},
        "inputs": [
            name for name, part in settings.get("properties", {}).items() if _is_tag_name(part)
        ],
    }


def _model(cls: Any, name: str) -> dict[str, Any]:
    model = getattr(cls, name)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise AdmissionError(f"{_name(cls)}.{name} must be a pydantic BaseModel")
    try:
        return model.model_json_schema(schema_generator=_Schema)
    except PydanticUserError as error:
        raise AdmissionError(f"{_name(cls)}.{name} has no JSON Schema: {error.message}") from None


def _migrations(cls: Any, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps by version. Raises AdmissionError for what can't be followed."""
    try:
        steps = sorted((step.to_json() for step in cls.migrations), key=lambda step: step["to"])
    except (AttributeError, TypeError, ValueError) as error:
        raise AdmissionError(f"{_name(cls)}.migrations: {error}") from None
    later = {name for step in steps for name in (*step.get("rename", ()), *step.get("drop", ()))}
    known = {*settings.get("properties", {}), *later}
    for step in steps:
        if unknown := {*step.get("rename", {}).values(), *step.get("default", ())} - known:
            raise AdmissionError(
                f"{_name(cls)}.migrations to {step['to']}: `{min(unknown)}` is no setting"
            )
    return steps


def _address(cls: Any) -> dict[str, Any]:
    """{} when the class does not say what an address is: then a tag needs none."""
    if not any("Address" in vars(base) for base in cls.__mro__ if base is not Connector):
        return {}
    try:
        return TypeAdapter(cls.Address).json_schema(schema_generator=_Schema)
    except PydanticUserError as error:
        raise AdmissionError(f"{_name(cls)}.Address has no JSON Schema: {error.message}") from None


def _is_tag_name(part: Any) -> bool:
    """Whether a field is a bedplate.settings.TagName, or one that may be left out."""
    branches = [part, *part.get("anyOf", ())] if isinstance(part, dict) else []
    return any(branch.get("x-bedplate-tag") for branch in branches)


def _name(cls: Any) -> str:
    return str(getattr(cls, "__name__", cls))
