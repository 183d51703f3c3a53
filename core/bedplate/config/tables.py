"""Which tables a deployment file names, without checking anything else of it."""

from __future__ import annotations

from bedplate.config.document import read


def tables_named(content: bytes, name: str) -> list[str]:
    """What stands at `each:` of connectors as text, in the order of the file. Never raises."""
    root, _ = read(content, name)
    section = root.get("connectors") if root is not None and isinstance(root.value, dict) else None
    if section is None or not isinstance(section.value, dict):
        return []
    entries = (entry for _, entry in section.items() if isinstance(entry.value, dict))
    found = (entry.get("each") for entry in entries)
    return list(dict.fromkeys(one.value for one in found if one and isinstance(one.value, str)))
