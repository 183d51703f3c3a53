"""What another version of Bedplate would make of this deployment, against the one that is used: in lines for people."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bedplate import strict_json
from bedplate.errors import BedplateError
from bedplate.upgrade.versions import Version

WITHIN = 120.0  # s


@dataclass(frozen=True, slots=True)
class Difference:
    """before, after: numbers of the versions · lines: what changes · problems: why `after` would not run it · one_way:
    why there would be no way back."""

    before: str
    after: str
    lines: tuple[str, ...]
    problems: tuple[str, ...]
    one_way: str = ""


def compare(current: Version | None, other: Version, file: Path) -> Difference:
    """Raises BedplateError when the other version can't even say."""
    new = described(other, file)
    try:
        old = described(current, file) if current else {}
    except BedplateError as error:
        old = {"problems": [str(error)]}
    before = str(old.get("version") or (current.name if current else "nothing"))
    return Difference(
        before, new["version"], tuple(_lines(old, new)), tuple(new["problems"]), _one_way(old, new)
    )


def described(version: Version, file: Path) -> dict[str, Any]:
    """Raises BedplateError."""
    words = [str(version.python), "-I", "-m", "bedplate.upgrade.describe", str(file.absolute())]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=WITHIN, check=False, env=dict(os.environ)
        )
        told: dict[str, Any] = strict_json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise BedplateError(f"{version.name} can't read {file}: {error}") from None
    return told


def _lines(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    before, after = old.get("components", {}), new["components"]
    plugins = {
        (one["plugin"], before.get(id, {}).get("version", ""), one["version"])
        for id, one in after.items()
        if before.get(id, {}).get("version") != one["version"]
    }
    for plugin, was, now in sorted(plugins):
        yield f"{plugin} {was or '–'} → {now}"
    changed = [id for id in after if id in before and before[id]["hash"] != after[id]["hash"]]
    yield from _named("is taken for something else", changed)
    yield from _named("is new", [id for id in after if before and id not in before])
    yield from _named("is gone", [id for id in before if id not in after and not new["problems"]])
    yield from (note for note in new["notes"] if note not in old.get("notes", []))
    if old.get("journal_format", new["journal_format"]) != new["journal_format"]:
        yield f"journal: format {old['journal_format']} → {new['journal_format']}"
    if not before and not new["problems"]:
        yield f"{len(after)} components; the version before can't say what it makes of them"


def _named(what: str, ids: list[str]) -> Iterator[str]:
    if ids:
        more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
        yield f"{', '.join(ids[:5])}{more}: {what}"


def _one_way(old: dict[str, Any], new: dict[str, Any]) -> str:
    known = old.get("journal_format")
    if isinstance(known, int) and new["journal_format"] > known:
        return (
            f"once it has run, the journal is of format {new['journal_format']},"
            f" which {old['version']} does not read: take a backup first"
        )
    return ""
