"""What a backup says of itself: the last file in it, by which every other one is judged."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from bedplate import strict_json
from bedplate.backup.sealed import BackupError

NAME = "manifest.json"
FORM = 1


@dataclass(frozen=True, slots=True)
class Part:
    """A root as it was. path: where · user: whose · single: a file, not a folder · files, size: what was taken of it ·
    left: bytes that were not, since nobody asked for them."""

    kind: str
    name: str
    path: str
    user: str
    single: bool
    files: int = 0
    size: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """One file. path: in the tar · database: a copy of SQLite's own."""

    path: str
    size: int
    sha256: str
    database: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """version: of the Bedplate that made it · made: RFC 3339 · missing: secrets that were in no file."""

    deployment: str
    version: str
    made: str
    host: str
    parts: list[Part] = field(default_factory=list)
    files: list[Member] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def to_json(self) -> bytes:
        return json.dumps({"backup": FORM, **asdict(self)}, indent=1).encode()


def read(content: bytes) -> Manifest:
    """Raises BackupError for one that another version made in another form."""
    try:
        plain: dict[str, Any] = strict_json.loads(content)
        form = plain.pop("backup")
        if form != FORM:
            raise BackupError(f"it is a backup of form {form}, and this Bedplate reads form {FORM}")
        parts = [Part(**one) for one in plain.pop("parts")]
        files = [Member(**one) for one in plain.pop("files")]
        return Manifest(**plain, parts=parts, files=files)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupError("its list of contents is damaged") from None
