"""One JSON Schema of the whole file, for editors: completion and red lines while typing. `check` decides, not this.

Looser than `check` where a schema can't look: in components every value may be a text with `$` in it, since types are
filled later, and names of tags, calendars and types are not looked up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bedplate.config.deployment import PluginSchema
from bedplate.config.grammar import COMPONENT, SECTIONS, TAG, TOP, WORDS
from bedplate.config.tags import closed
from bedplate.config.wording import is_secret_place

HOLE = {"type": "string", "pattern": r"\$"}
SECRET = {
    "type": "object",
    "properties": {"secret": {"type": "string", "pattern": "^[a-z][a-z0-9+-]+:."}},
    "required": ["secret"],
    "additionalProperties": False,
}

_VERSIONED = {"type": "string", "pattern": "@[1-9][0-9]*$"}  # settings of an older version


def editor_schema(schemas: Iterable[PluginSchema]) -> dict[str, Any]:
    """Schema (2020-12) of a deployment file with these plugins."""
    plugins = sorted(schemas, key=lambda schema: schema.use)
    sections = {section: _section(kind, plugins) for section, kind in SECTIONS.items()}
    sections["security"] = {"anyOf": [{"const": "none"}, sections["security"]]}
    sections["types"] = _named(_component("connector", plugins, whole=True))
    definitions: dict[str, Any] = {"hole": HOLE, "secret": SECRET}
    for plugin in plugins:
        for part in ("settings", "tag"):
            home = f"{plugin.use}.{part}"
            definitions[home] = _loose(closed(getattr(plugin, part)), f"#/$defs/{home}")
        home = f"{plugin.use}.address"
        definitions[home] = {"anyOf": [_loose(plugin.address, f"#/$defs/{home}/anyOf/0"), HOLE]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Bedplate deployment",
        "type": "object",
        "properties": TOP | sections,
        "required": ["bedplate", "name"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _section(kind: str, plugins: list[PluginSchema]) -> dict[str, Any]:
    return _named(_component(kind, plugins, whole=kind != "connector"))


def _named(entry: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": entry}


def _component(kind: str, plugins: list[PluginSchema], *, whole: bool) -> dict[str, Any]:
    """A component of one kind. whole: it must name its plugin itself."""
    mine = [plugin for plugin in plugins if plugin.kind == kind]
    words = {word: _place(COMPONENT["properties"][word], "") for word in WORDS[kind]}
    words |= {
        "use": {"anyOf": [{"enum": [plugin.use for plugin in mine]}, _VERSIONED]},
        "parameters": {"type": "object"},
    }
    branches = [_branch(plugin, words) for plugin in mine]
    schema = {"type": "object", "properties": words, "allOf": branches}
    return schema | ({"required": ["use"]} if whole else {})


def _branch(plugin: PluginSchema, words: Mapping[str, Any]) -> dict[str, Any]:
    """What `use: x` brings along."""
    own = closed(plugin.settings)
    properties = dict.fromkeys(words, True) | _refs(f"{plugin.use}.settings", own)
    if "tags" in words:
        properties["tags"] = _named(_tag(plugin))
    then = {
        "properties": properties,
        "required": own.get("required", []),
        "additionalProperties": own.get("additionalProperties", False),
    }
    return {"if": {"properties": {"use": {"const": plugin.use}}, "required": ["use"]}, "then": then}


def _tag(plugin: PluginSchema) -> dict[str, Any]:
    own = closed(plugin.tag)
    properties = {name: _place(schema, "") for name, schema in TAG["properties"].items()}
    properties |= _refs(f"{plugin.use}.tag", own) | {
        "address": {"$ref": f"#/$defs/{plugin.use}.address"}
    }
    others = own.get("additionalProperties", False)
    return {"type": "object", "properties": properties, "additionalProperties": others}


def _refs(home: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A plugin's properties, by reference."""
    escaped = {name: name.replace("~", "~0").replace("/", "~1") for name in schema["properties"]}
    return {name: {"$ref": f"#/$defs/{home}/properties/{text}"} for name, text in escaped.items()}


def _loose(schema: Mapping[str, Any], home: str) -> dict[str, Any]:
    """A copy in which every place may also hold a `$` or a reference to a secret. home: where it is put, so that its
    own references still lead there."""
    copy: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties"):
            copy[key] = {name: _place(part, home) for name, part in value.items()}
        elif key == "$defs":
            copy[key] = {name: _loose(part, home) for name, part in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, Mapping):
            copy[key] = _place(value, home)
        elif key in ("anyOf", "oneOf", "allOf"):
            copy[key] = [_loose(part, home) for part in value]
        elif key == "$ref" and home:
            copy[key] = home + value.removeprefix("#")
        else:
            copy[key] = value
    if copy.get("type") == "object" and "properties" in copy:
        copy.setdefault("additionalProperties", False)
    return copy


def _place(schema: Any, home: str) -> Any:
    if not isinstance(schema, Mapping) or not schema:
        return schema
    hole, secret = {"$ref": "#/$defs/hole"}, {"$ref": "#/$defs/secret"}
    if is_secret_place(schema):
        return {"anyOf": [secret, hole]}
    text = '"string"' in json.dumps(schema.get("type", schema))
    return {"anyOf": [_loose(schema, home), hole, *([secret] if text else [])]}
