"""What is wrong with a setting, in words for people: from the validator's errors to one line each.

Rule: a value that a schema marks as secret never gets into the words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bedplate.config.problems import shown

WRITE_A_REFERENCE = 'is a secret: write a reference, {secret: "env:NAME"} or {secret: "file:/path"}'

# Keywords that check the form of a text; they speak for `type` too.
FORMS = {f"x-bedplate-{form}" for form in ("duration", "size", "rate", "host", "selector")}


class SecretReference:
    """Stands for `{secret: …}` while a schema is checked."""


_TYPES = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a mapping",
    "null": "empty",
}


def leaves(error: Any) -> Iterator[Any]:
    """The errors worth telling: of several branches those of the one that was meant."""
    if error.validator == "type" and _has_form(error):
        return
    if (
        error.validator not in ("anyOf", "oneOf")
        or not error.context
        or "x-bedplate-message" in error.schema
    ):
        yield error
        return
    branches: dict[Any, list[Any]] = {}
    for part in error.context:
        branches.setdefault(part.relative_schema_path[0], []).append(part)
    meant = [parts for parts in branches.values() if not any(map(_not_meant, parts))]
    kinds = [part for part in error.context if part.validator == "const" and part.relative_path]
    if meant:
        for part in min(meant, key=len):
            yield from leaves(part)
    elif kinds:
        kinds[0].validator, kinds[0].validator_value = (
            "enum",
            [part.validator_value for part in kinds],
        )
        yield kinds[0]
    else:
        yield error


def _not_meant(error: Any) -> bool:
    """Whether a branch is another one than was meant: of another type, or with another word that tells its kind."""
    if error.validator == "const":
        return len(error.relative_path) <= 1
    return error.validator in ("type", "enum") and not error.relative_path and not _has_form(error)


def _has_form(error: Any) -> bool:
    """Whether another keyword says better what a scalar should look like."""
    scalar = isinstance(error.instance, str | int | float)
    return scalar and isinstance(error.schema, dict) and bool(FORMS & set(error.schema))


def is_secret_place(schema: Any) -> bool:
    """Whether a schema wants a secret, itself or in one of its branches."""
    if not isinstance(schema, dict):
        return False
    marked = (
        schema.get("writeOnly")
        or schema.get("x-bedplate-secret")
        or schema.get("format") == "password"
    )
    return bool(marked) or any(
        is_secret_place(part) for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
    )


def say(error: Any) -> str:
    schema, wanted, value = error.schema, error.validator_value, error.instance
    if isinstance(value, SecretReference):
        return "can't be a secret"
    if error.validator in ("said", "unknown"):
        return str(error.message)
    if is_secret_place(schema):
        return WRITE_A_REFERENCE
    if isinstance(schema, dict) and "x-bedplate-message" in schema:
        return str(schema["x-bedplate-message"]).replace("{value}", shown(value))
    if error.validator == "form":
        return str(error.message)
    if error.validator in ("type", "anyOf", "oneOf"):
        return _say_type(value, _expected(error))
    words = _SAY.get(str(error.validator))
    return words(value, wanted) if words else f"{shown(value)} does not fit ({error.validator})"


def _expected(error: Any) -> list[str]:
    """What would have fitted: types by name, constants as they are."""
    if error.validator == "type":
        kinds = error.validator_value
        return [_TYPES.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    names: list[str] = []
    for part in error.context or ():
        if part.validator == "const":
            names.append(str(part.validator_value))
        elif part.validator == "enum":
            names += map(str, part.validator_value)
        else:
            names += _expected(part)
    return list(dict.fromkeys(names)) or ["allowed here"]


def _say_type(value: Any, expected: list[str]) -> str:
    wanted = " or ".join(name for name in expected if name != "empty" or len(expected) == 1)
    if value is None:
        return f"is empty; expected {wanted}"
    if isinstance(value, dict | list):
        return f"is a {'mapping' if isinstance(value, dict) else 'list'}; expected {wanted}"
    kind = (
        "true or false"
        if isinstance(value, bool)
        else "text"
        if isinstance(value, str)
        else "a number"
    )
    hint = ""
    if "text" in expected:
        hint = "; put it in quotes"
    elif "true or false" in expected and str(value).lower() in ("yes", "no", "on", "off", "y", "n"):
        hint = f"; write {'true' if str(value).lower() in ('yes', 'on', 'y') else 'false'}"
    return f"{shown(value)} is {kind}; expected {wanted}{hint}"


def _say_choice(value: Any, wanted: Any) -> str:
    return f"{shown(value)} is none of {', '.join(map(str, wanted))[:200]}"


_SAY: dict[str, Callable[[Any, Any], str]] = {
    "enum": _say_choice,
    "const": lambda value, wanted: f"{shown(value)} must be {shown(wanted)}",
    "minimum": lambda value, wanted: f"{shown(value)} is less than {wanted}",
    "maximum": lambda value, wanted: f"{shown(value)} is more than {wanted}",
    "exclusiveMinimum": lambda value, wanted: f"{shown(value)} must be more than {wanted}",
    "exclusiveMaximum": lambda value, wanted: f"{shown(value)} must be less than {wanted}",
    "multipleOf": lambda value, wanted: f"{shown(value)} is no multiple of {wanted}",
    "minLength": lambda value, wanted: (
        "is empty" if not value else f"{shown(value)} is shorter than {wanted}"
    ),
    "maxLength": lambda value, wanted: f"{shown(value)} is longer than {wanted}",
    "minItems": lambda value, wanted: f"needs {wanted} entries, has {len(value)}",
    "maxItems": lambda value, wanted: f"takes {wanted} entries, has {len(value)}",
    "minProperties": lambda value, wanted: "is empty",
    "maxProperties": lambda value, wanted: f"takes {wanted} entries, has {len(value)}",
    "pattern": lambda value, wanted: f"{shown(value)} does not have the form {wanted}",
    "format": lambda value, wanted: f"{shown(value)} is no {wanted}",
    "not": lambda value, _: f"{shown(value)} is not allowed here",
}
