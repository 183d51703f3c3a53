"""The first key of each run, with which every MAC of it can be made again: `bedplate audit key` takes it away from
here, to where who may write the log may not read. While it lies here, the MACs prove nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from bedplate.audit.key_file import Key
from bedplate.durable import sync_folder
from bedplate.errors import BedplateError
from bedplate.private import put_private
from bedplate.strict_json import loads

NAME = "verification.key"


def put_key(folder: Path, key: Key) -> None:
    """Beside those that wait to be taken. Raises OSError."""
    waiting = [one for one in _waiting(folder) if one.segment != key.segment]
    put_private(folder / NAME, dump([*waiting, key]))


def _waiting(folder: Path) -> list[Key]:
    try:
        return read_keys(folder / NAME)
    except (FileNotFoundError, BedplateError):
        return []


def waits(folder: Path) -> bool:
    """Whether one is still here."""
    return (folder / NAME).exists()


def take(folder: Path, to: Path) -> list[Key]:
    """Moves them to a new file of mode 0600. Raises BedplateError, OSError; then they are still here."""
    if not waits(folder):
        raise BedplateError(
            f"{folder}: the verification key was taken already. It can't be made again: that is the point of it"
        )
    if to.exists():
        raise BedplateError(f"{to} is there already; choose another name")
    if to.absolute().parent.resolve() == folder.resolve():
        raise BedplateError(f"{to}: not beside the log; keep the key elsewhere")
    keys = read_keys(folder / NAME)
    put_private(to.absolute(), dump(keys))
    _erase(folder / NAME)
    return keys


def _erase(path: Path) -> None:
    """Overwritten first, as far as the drive lets us."""
    with open(path, "r+b") as stream:
        stream.write(bytes(path.stat().st_size))
        stream.flush()
    path.unlink()
    sync_folder(path.parent)


def dump(keys: Iterable[Key]) -> bytes:
    rows = ({"segment": k.segment, "index": k.index, "key": k.key.hex()} for k in keys)
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def read_keys(path: Path) -> list[Key]:
    """Raises FileNotFoundError; BedplateError for what is no such file."""
    found = []
    try:
        for line in path.read_text("ascii").splitlines():
            row = loads(line)
            key = Key(str(row["segment"]), int(row["index"]), bytes.fromhex(row["key"]))
            if len(key.key) != 32:
                raise ValueError
            found.append(key)
    except (ValueError, KeyError, TypeError, UnicodeDecodeError):
        raise BedplateError(f"{path} is no verification key of an audit log") from None
    return found
