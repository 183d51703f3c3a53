"""Values that must be seen nowhere, and the search for them: in bytes of any kind, in the spellings of programs."""

from __future__ import annotations

import base64
import io
import secrets
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path


def canary(place: str) -> str:
    """A secret for a place; its random part is what is sought."""
    return f"cnry-{place}-{secrets.token_hex(12)}"


def spellings(value: str) -> Iterator[bytes]:
    """How it may stand in bytes: plain, UTF-16, hex, Base64 however it lies in what was encoded, backwards."""
    core = value.rpartition("-")[2].encode()
    yield core
    yield core.decode().encode("utf-16-le")
    yield core.decode().encode("utf-16-be")
    yield core.hex().encode()
    yield core.hex().upper().encode()
    yield core[::-1]
    for before in range(3):
        whole = base64.b64encode(bytes(before) + core)
        yield whole[-(-before * 4 // 3) : len(whole) - 4]


def found(wanted: Mapping[str, str], outputs: Mapping[str, bytes]) -> list[str]:
    """Where each is seen, with what stands around it."""
    seen = []
    for place, value in wanted.items():
        for spelt in spellings(value):
            for name, content in outputs.items():
                if (at := content.find(spelt)) >= 0:
                    seen.append(f"{place} in {name}: {content[max(0, at - 80) : at + 40]!r}")
    return seen


def files(folder: Path, but: set[Path]) -> dict[str, bytes]:
    """What lies in a folder, by name; databases and archives opened too."""
    outputs: dict[str, bytes] = {}
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.is_symlink() or file in but:
            continue
        content = file.read_bytes()
        outputs[str(file)] = content
        if content.startswith(b"SQLite format 3"):
            outputs[f"{file} rows"] = _rows(file)
        elif content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                outputs |= {f"{file}/{name}": archive.read(name) for name in archive.namelist()}
    return outputs


def _rows(file: Path) -> bytes:
    """Every value of every table; what is deflated inflated."""
    whole = io.BytesIO()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        names = [
            row[0]
            for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for name in names:
            for row in database.execute(f'SELECT * FROM "{name}"'):
                for value in row:
                    content = value if isinstance(value, bytes) else str(value).encode()
                    whole.write(content + b"\n" + _inflated(content) + b"\n")
    return whole.getvalue()


def _inflated(content: bytes) -> bytes:
    try:
        return zlib.decompress(content)
    except zlib.error:
        return b""


def processes(root: int, but: int) -> dict[str, bytes]:
    """Command lines of a process and all below it, and what they inherited; not what `but` has in its environment."""
    outputs = {}
    for pid in {root, *below(root)}:
        for name in ("cmdline", "environ"):
            if (pid, name) != (but, "environ"):
                try:
                    outputs[f"/proc/{pid}/{name}"] = Path(f"/proc/{pid}/{name}").read_bytes()
                except OSError:
                    continue
    return outputs


def below(root: int) -> set[int]:
    """The processes that descend from one."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(words[1])
    found: set[int] = set()
    while more := {pid for pid, parent in parents.items() if parent in {root, *found}} - found:
        found |= more
    return found
