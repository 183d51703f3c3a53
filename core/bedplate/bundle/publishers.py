"""Whose signatures are taken: one minisign public key a file, in <BEDPLATE_HOME>/publishers/NAME.pub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bedplate.bundle.minisign import PublicKey, SignatureError, read_public
from bedplate.errors import BedplateError
from bedplate.private import private_folder, put_private

ENDING = ".pub"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Publisher:
    """name: what the operator calls it."""

    name: str
    key: PublicKey


class Publishers:
    """home: $BEDPLATE_HOME."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "publishers"

    def all(self) -> tuple[Publisher, ...]:
        """By name. Raises BedplateError when a file is no key, or others may write here."""
        if not self.folder.is_dir():
            return ()
        private_folder(self.folder)
        files = sorted(self.folder.glob(f"*{ENDING}"))
        return tuple(
            Publisher(f.name.removesuffix(ENDING), read_public(f.read_bytes(), str(f)))
            for f in files
        )

    def of(self, id: bytes) -> Publisher | None:
        """The one whose key has this id."""
        return next((publisher for publisher in self.all() if publisher.key.id == id), None)

    def add(self, name: str, key: PublicKey) -> Publisher:
        """Raises BedplateError when the name is taken by another key."""
        if not _NAME.fullmatch(name):
            raise BedplateError(
                f"{name!r} is no name for a publisher; write letters, digits, . _ -"
            )
        private_folder(self.folder.parent)
        private_folder(self.folder)
        known = next((p for p in self.all() if p.name == name), None)
        if known and known.key != key:
            raise BedplateError(
                f"{name} is key {known.key.name}; if it has a new one: bedplate plugins publishers remove {name}"
            )
        file = self.folder / f"{name}{ENDING}"
        put_private(file, key.file())
        return Publisher(name, key)

    def remove(self, name: str) -> Publisher:
        """Raises BedplateError when there is none."""
        known = next((p for p in self.all() if p.name == name), None)
        if known is None:
            raise BedplateError(
                f"there is no publisher {name}; bedplate plugins publishers lists them"
            )
        (self.folder / f"{name}{ENDING}").unlink()
        return known


def key_of(word: str) -> PublicKey:
    """A key as it was typed: a file, or the line itself. Raises SignatureError."""
    file = Path(word)
    if file.is_file():
        return read_public(file.read_bytes(), word)
    try:
        return read_public(word.encode(), "the key")
    except SignatureError:
        raise SignatureError(
            f"{word[:80]!r} is neither a file nor a public key of minisign (56 characters, RW…)"
        ) from None
