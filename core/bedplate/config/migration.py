"""Settings that were written for an older version of a plugin, as its present version wants them.

A plugin's schema carries the steps as data (`x-bedplate-migrations`), so that `check` needs no plugin code. `use:
helix@1` says that the settings are of version 1; without `@` they are of the present one, and only names that it does
not know any more are taken for what they became. Whatever was changed is told, with the words to write instead. A
tag's own settings are not migrated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from bedplate.config.document import Node
from bedplate.config.filling import like

MIGRATIONS = "x-bedplate-migrations"
_USE = re.compile(r"(?P<name>[^@]*)(?:@(?P<version>[1-9][0-9]{0,5}))?")

Tell = Callable[[Node, str], None]


def split_use(text: str) -> tuple[str, int | None] | None:
    """The plugin and the version of its settings that `use:` names; None when it is neither form."""
    found = _USE.fullmatch(text)
    if found is None:
        return None
    return found["name"], int(found["version"]) if found["version"] else None


def version_of(schema: Mapping[str, Any]) -> int:
    """The version of the settings that a schema describes; 1 when nothing was ever migrated."""
    return max((step["to"] for step in schema.get(MIGRATIONS, ())), default=1)


def migrate(
    settings: Node, schema: Mapping[str, Any], written: int | None, error: Tell, note: Tell
) -> Node:
    """The settings as the schema wants them; the same node when nothing is to be done.

    written: the version they are of, None: the present one. error, note: told of what is wrong, and of what was done.
    """
    parts = dict(settings.items())
    renamed: dict[str, Node] = {}
    known = schema.get("properties", {})
    for step in schema.get(MIGRATIONS, ()):
        older = written is not None and written < step["to"]
        for old, new in step.get("rename", {}).items():
            if old in parts and (older or old not in known):
                renamed.pop(old, None)
                renamed[new] = _rename(parts, old, new, error)
        for old, why in step.get("drop", {}).items():
            if old in parts and (older or old not in known):
                note(parts.pop(old), f"is not used any more: {why}; remove it")
        for name, value in step.get("default", {}).items() if older else ():
            if name not in parts:
                parts[name] = _made(value, name, settings)
                note(settings, f"{name} is {value!r}, as it was in version {written}; write it")
    for new, node in renamed.items():
        note(node, f"is called `{new}` now; write that")
    return settings if parts == settings.value else like(settings, parts)


def _rename(parts: dict[str, Node], old: str, new: str, error: Tell) -> Node:
    node = parts.pop(old)
    if new in parts:
        error(node, f"is the old name of `{new}`, which is written too; remove one of them")
    parts.setdefault(new, node)
    return node


def _made(value: Any, name: str, settings: Node) -> Node:
    """A value that stands nowhere in the file."""
    node = Node(value, settings.file, settings.line, name, settings)
    if isinstance(value, dict):
        node.value = {key: _made(part, key, node) for key, part in value.items()}
    elif isinstance(value, list):
        node.value = [_made(part, f"[{index}]", node) for index, part in enumerate(value)]
    return node
