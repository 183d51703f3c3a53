"""Deployments that were applied, on disk: one folder a number, with the file, its tables and meta.json.

Rule: a number that is there is whole. It is written under another name, synced, renamed, and the folder synced. One
that is broken all the same is told and skipped, never a reason not to start. Blocking; called on a thread. Who may
write is the journal's owner: one at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bedplate import strict_json
from bedplate.config.deployment import sha256
from bedplate.durable import make_folder, sync_folder
from bedplate.errors import BedplateError
from bedplate.planning.moves import Moves

KEPT = 50
FORMAT = 1  # of what is kept; without one it is this
FILE, META, APPLYING = "deployment.yaml", "meta.json", "applying.json"
MOST = 64 << 20  # bytes of one file that is read back


class StoreError(BedplateError):
    """A deployment that was applied can't be read or kept; names it and says why."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One deployment. applied: ns UTC · by: who · sha256: as Source.sha256 · file: as it was named · back_to: number it
    is the same as again; 0: none · moves: all up to this one."""

    number: int
    applied: int
    by: str
    sha256: str
    file: str
    content: bytes = b""
    tables: Mapping[str, bytes] = field(default_factory=dict)
    back_to: int = 0
    moves: Moves = field(default_factory=Moves)


class DeploymentStore:
    """folder: made when something is first kept. broken: what was found unreadable, a line each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broken: list[str] = []

    def numbers(self) -> list[int]:
        """Newest first, the broken too."""
        try:
            names = os.listdir(self.folder)
        except OSError:
            return []
        return sorted(
            (int(name) for name in names if name.isascii() and name.isdecimal()), reverse=True
        )

    def load(self, number: int) -> Applied:
        """Raises StoreError when it is not there or not what was kept."""
        folder = self._place(number)
        try:
            meta = strict_json.loads(_read(folder / META))
            if int(meta.get("format", FORMAT)) > FORMAT:
                raise StoreError(f"deployment {number} was applied by a newer Bedplate: {folder}")
            content = _read(folder / FILE)
            tables = {str(name): _read(folder / _table(i)) for i, name in enumerate(meta["tables"])}
            found = Applied(
                int(meta["number"]),
                int(meta["applied"]),
                str(meta["by"]),
                str(meta["sha256"]),
                str(meta["file"]),
                content,
                tables,
                int(meta["back_to"]),
                Moves.of(meta["moves"]),
            )
        except FileNotFoundError:
            raise StoreError(f"deployment {number} is not kept in {self.folder}") from None
        except OSError as error:
            raise StoreError(f"deployment {number} can't be read: {error}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"deployment {number} is damaged: {folder / META}: {error}") from None
        if found.number != number or digest(content, tables) != found.sha256:
            raise StoreError(f"deployment {number} is damaged: {folder} is not what was kept")
        return found

    def all(self) -> Iterator[Applied]:
        """Those that can be gone back to, newest first."""
        for number in self.numbers():
            try:
                yield self.load(number)
            except StoreError as error:
                if str(error) not in self.broken:
                    self.broken.append(str(error))

    def newest(self) -> Applied | None:
        """What was applied last and can be read; None: nothing."""
        return next(self.all(), None)

    def keep(self, applied: Applied) -> Applied:
        """Keeps it under the next number, and returns it with that. Raises StoreError, and then nothing is kept."""
        number = max(self.numbers(), default=0) + 1
        kept = replace(applied, number=number)
        parts = self.folder / f".new-{number}"
        try:
            make_folder(self.folder, 0o700)
            shutil.rmtree(parts, ignore_errors=True)
            parts.mkdir(mode=0o700)
            for name, content in _files(kept).items():
                _write(parts / name, content)
            sync_folder(parts)
            parts.rename(self._place(number))
            sync_folder(self.folder)
        except OSError as error:
            raise StoreError(
                f"deployment {number} can't be kept in {self.folder}: {error.strerror or error}"
            ) from None
        self._prune()
        return kept

    def _prune(self) -> None:
        """What is in the way or too old goes; a torn one is nobody's loss."""
        old = [self._place(number) for number in self.numbers()[KEPT:]]
        for place in [*old, *self.folder.glob(".new-*")]:
            shutil.rmtree(place, ignore_errors=True)

    def _place(self, number: int) -> Path:
        return self.folder / f"{number:06}"

    # --- one that is under way ---

    def begin(self, words: Mapping[str, Any]) -> None:
        """Writes down that something is being applied. Raises StoreError."""
        try:
            make_folder(self.folder, 0o700)
            _write(self.folder / f".{APPLYING}", json.dumps(words).encode())
            (self.folder / f".{APPLYING}").rename(self.folder / APPLYING)
            sync_folder(self.folder)
        except OSError as error:
            raise StoreError(f"{self.folder} can't be written: {error.strerror or error}") from None

    def end(self) -> None:
        """It has ended, well or not."""
        with contextlib.suppress(OSError):
            (self.folder / APPLYING).unlink(missing_ok=True)
            sync_folder(self.folder)

    def cut_off(self) -> Mapping[str, Any] | None:
        """What was being applied when Bedplate ended."""
        try:
            words = strict_json.loads(_read(self.folder / APPLYING))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            return {}
        return words if isinstance(words, dict) else {}


def digest(content: bytes, tables: Mapping[str, bytes]) -> str:
    """As Source.sha256 of the deployment read from these."""
    return sha256([content, *(tables[name] for name in sorted(tables))])


def store_folder(journal: Path) -> Path:
    """Beside the journal's folder: its deployments are the same installation's."""
    own = "deployments" if journal.name == "journal" else f"{journal.name}-deployments"
    return journal.with_name(own)


class Installations:
    """Which deployment file is of which store, so that one is found though the file says nothing that can be read."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "deployments"

    def remember(self, file: Path, store: Path) -> None:
        """Best effort: without it, the store is found by what the file says of its journal."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            words = json.dumps({"file": str(file), "store": str(store)}).encode()
            if self.find(file) != store:
                part = self._place(file).with_suffix(f".{os.getpid()}")
                _write(part, words)
                part.rename(self._place(file))

    def find(self, file: Path) -> Path | None:
        try:
            words = strict_json.loads(_read(self._place(file)))
            return Path(words["store"]) if words["file"] == str(file) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _place(self, file: Path) -> Path:
        return self._folder / f"{hashlib.sha256(str(file).encode()).hexdigest()[:16]}.json"


def _files(applied: Applied) -> dict[str, bytes]:
    names = list(applied.tables)
    meta = {
        "format": FORMAT,
        "number": applied.number,
        "applied": applied.applied,
        "by": applied.by,
        "sha256": applied.sha256,
        "file": applied.file,
        "back_to": applied.back_to,
        "tables": names,
        "moves": applied.moves.written(),
    }
    tables = {_table(number): applied.tables[name] for number, name in enumerate(names)}
    return {FILE: applied.content, **tables, META: json.dumps(meta, indent=1).encode()}


def _table(number: int) -> str:
    return f"table-{number}.csv"


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MOST + 1)
    if len(content) > MOST:
        raise OSError(0, f"larger than {MOST >> 20} MiB")
    return content


def _write(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
