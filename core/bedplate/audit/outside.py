"""What happened beside the kernel, such as a backup: noted in a file, which the kernel that runs, or the next, turns
into a line. It is worth what the note of somebody is worth who may write there anyway. Blocking."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from bedplate.audit.entry import Entry
from bedplate.private import put_private
from bedplate.strict_json import loads

ACTIONS = re.compile(
    r"backup\.[a-z_]{1,30}", re.ASCII
)  # the log's own words are the kernel's alone
LONGEST = 10_000  # bytes of a note
MOST = 100  # at once


def leave(folder: Path, action: str, text: str, who: str) -> None:
    """Nothing where there is no log yet. Raises OSError."""
    if folder.is_dir():
        row = {"action": action, "text": text, "who": who}
        put_private(folder / f"note-{secrets.token_hex(8)}.json", json.dumps(row).encode())


def notes(folder: Path) -> Iterator[tuple[Path, Entry]]:
    """Those that wait. Raises OSError."""
    for path in sorted(folder.glob("note-*.json"))[:MOST]:
        with open(path, "rb") as stream:
            content = stream.read(LONGEST)
        try:
            row = loads(content)
            action, text, who = (str(row[name]) for name in ("action", "text", "who"))
        except (ValueError, KeyError, TypeError):
            action, text, who = "audit.note", f"{path.name} is no note", ""
        if action != "audit.note" and not ACTIONS.fullmatch(action):
            action, text = "audit.note", f"as {action[:100]!r}: {text}"
        yield path, Entry(action, "noted", who, "outside", text=text)
