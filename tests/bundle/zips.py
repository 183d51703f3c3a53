"""Archives as an enemy would make them."""

from __future__ import annotations

import hashlib
import io
import stat
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path

Entry = tuple[str, bytes, int]  # name, content, kind (stat.S_IF…)


def made(file: Path, entries: Iterable[Entry], *, manifest: bytes | None = None) -> Path:
    """A stored zip with these entries and a MANIFEST that lists them, unless another is given."""
    listed = list(entries)
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content, _ in listed]
    whole = "".join(lines).encode() if manifest is None else manifest
    with zipfile.ZipFile(file, "w") as archive:
        for name, content, kind in [("MANIFEST", whole, stat.S_IFREG), *listed]:
            info = zipfile.ZipInfo("x", (1980, 1, 1, 0, 0, 0))
            info.filename = name
            info.create_system = 3
            info.external_attr = (kind | 0o644) << 16
            archive.writestr(info, content)
    return file


def many(file: Path, count: int) -> Path:
    """A zip of so many empty files, written by hand, since zipfile takes minutes for it."""
    entry = struct.Struct("<4s6H3I5H2I")
    with file.open("wb") as stream:
        for start in range(0, count, 10_000):
            block = io.BytesIO()
            for n in range(start, min(count, start + 10_000)):
                name = b"f%07d" % n
                head = entry.pack(b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0)
                block.write(head + name)
            stream.write(block.getvalue())
        size = stream.tell()
        short = min(count, 0xFFFF)
        stream.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, short, short, size, 0, 0))
    return file
