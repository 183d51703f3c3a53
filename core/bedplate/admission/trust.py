"""Which plugins an operator trusts: name, version, sha256 of all their files, and what they may do.

Owns <BEDPLATE_HOME>/trusted.json (mode 0600, replaced whole) and the measures beside it, by which a changed file can
be named. A measure is kept under its own sha256, so it can't be changed unnoticed. Whether a plugin still is what was
trusted is guard.py's.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bedplate import strict_json
from bedplate.admission.artefact import Measure, read_text, text
from bedplate.admission.permissions import Permissions
from bedplate.errors import BedplateError
from bedplate.private import private_folder, put_private

NAME, MEASURES = "trusted.json", "trusted"
SCHEMA = 1
MAX_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Grant:
    """One version of a plugin that somebody trusts. sha256: of its measure · publisher: name of the key that signed
    its bundle, "" for none · by: who trusted it · at: RFC 3339."""

    name: str
    version: str
    sha256: str
    permissions: Permissions
    publisher: str = ""
    by: str = ""
    at: str = ""

    def to_dict(self) -> dict[str, Any]:
        plain = asdict(replace(self, permissions=Permissions()))
        return plain | {
            "permissions": self.permissions.model_dump(mode="json", exclude_defaults=True)
        }


class TrustFile:
    """The grants of one user. home: $BEDPLATE_HOME."""

    def __init__(self, home: Path) -> None:
        self.path = home / NAME
        self._measures = home / MEASURES

    def grants(self) -> tuple[Grant, ...]:
        """By name and version. Raises BedplateError when the file can't be read, or others may have written it."""
        try:
            with self.path.open("rb") as stream:
                mode = os.fstat(stream.fileno()).st_mode & 0o777
                content = stream.read(MAX_BYTES)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise BedplateError(f"{self.path}: {error.strerror}") from None
        if mode & 0o022:
            raise BedplateError(
                f"{self.path} may be written by others (mode {mode:04o}): look what it says, then"
                f" chmod 600 {self.path}"
            )
        return tuple(sorted(_grants(content, self.path), key=lambda g: (g.name, g.version)))

    def grant(self, name: str, version: str) -> Grant | None:
        return next((g for g in self.grants() if (g.name, g.version) == (name, version)), None)

    def add(self, grant: Grant, measure: Measure) -> None:
        """Takes the place of one of the same name and version. Raises BedplateError."""
        with self._alone():
            private_folder(self._measures)
            self._write(self._measures / f"{grant.sha256}.sha256", text(measure))
            others = [
                g for g in self.grants() if (g.name, g.version) != (grant.name, grant.version)
            ]
            self._save([*others, grant])

    def remove(self, name: str, version: str = "") -> tuple[Grant, ...]:
        """Those taken away: all versions of a name, or one. Raises BedplateError."""
        with self._alone():
            grants = self.grants()
            gone = tuple(g for g in grants if g.name == name and version in ("", g.version))
            if gone:
                self._save([g for g in grants if g not in gone])
            kept = {g.sha256 for g in grants if g not in gone}
            for grant in gone:
                if grant.sha256 not in kept:
                    (self._measures / f"{grant.sha256}.sha256").unlink(missing_ok=True)
        return gone

    def measure(self, sha256: str) -> Measure | None:
        """What was trusted, file by file; None when that is lost."""
        with suppress(OSError, ValueError):
            content = (self._measures / f"{sha256}.sha256").read_bytes()
            if hashlib.sha256(content).hexdigest() == sha256:
                return read_text(content)
        return None

    def _save(self, grants: list[Grant]) -> None:
        plain = {"schema": SCHEMA, "trusted": [grant.to_dict() for grant in grants]}
        self._write(self.path, json.dumps(plain, indent=2, ensure_ascii=False).encode() + b"\n")

    def _write(self, file: Path, content: bytes) -> None:
        try:
            put_private(file, content)
        except OSError as error:
            raise BedplateError(f"{file}: {error.strerror}") from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One change at a time, also of two commands at once."""
        private_folder(self.path.parent)
        with self.path.with_name(f".{NAME}.lock").open("ab") as lock:
            os.fchmod(lock.fileno(), 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _grants(content: bytes, path: Path) -> Iterator[Grant]:
    try:
        plain = strict_json.loads(content)
        if plain["schema"] != SCHEMA:
            raise BedplateError(
                f"{path} is of form {plain['schema']}, and this Bedplate reads form {SCHEMA}"
            )
        for one in plain["trusted"]:
            permissions = Permissions.model_validate(one["permissions"])
            words = {k: str(one[k]) for k in ("name", "version", "sha256", "publisher", "by", "at")}
            yield Grant(**words, permissions=permissions)
    except (ValueError, KeyError, TypeError, ValidationError):
        raise BedplateError(
            f"{path} is damaged; take it away and trust your plugins again: bedplate plugins trust NAME"
        ) from None
