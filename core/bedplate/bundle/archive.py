"""The file of a bundle: a zip that is written the same way every time and read as if an enemy had written it.

Owns the container: names, sizes, order, and the MANIFEST that lists the sha256 of every other file in the form of
sha256sum. What the files mean is contents.py's. Rule: a name is judged before a byte of it is unpacked, and what is
unpacked is counted, whatever the archive says of itself. Nothing is compressed (wheels are already), so the same files
give the same bytes everywhere, and nothing can grow while it is unpacked.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bedplate.errors import BedplateError

MANIFEST, SIGNATURE = "MANIFEST", "MANIFEST.minisig"
MOST_FILES = 20_000
MOST_BYTES = 4 << 30  # of all files together
MOST_MANIFEST = 8 << 20
MOST_NAME = 400
CHUNK = 1 << 20
EPOCH = (1980, 1, 1, 0, 0, 0)
# All that zipfile was seen to raise for what is no sound zip.
_DAMAGED = (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError, struct.error)
_END = struct.Struct("<4s4H2IH")  # end of the central directory, without a comment
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)")
_NAME = re.compile(r"[A-Za-z0-9_.+@!~$%&()\[\]{} ,=^'#-]+")


class BundleError(BedplateError):
    """A bundle is not taken. The text says what is wrong with it, and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """path: with / between its levels · sha256: as MANIFEST has it · size: bytes, as the archive says."""

    path: str
    sha256: str
    size: int


def write(stream: BinaryIO, files: Mapping[str, Path | bytes], executable: frozenset[str]) -> None:
    """The same files give the same bytes.

    executable: files that a plugin folder runs as programs.
    """
    with zipfile.ZipFile(stream, "w") as archive:
        for path in sorted(files, key=lambda path: (path not in (MANIFEST, SIGNATURE), path)):
            _refuse_name(path)
            info = zipfile.ZipInfo(path, EPOCH)
            info.create_system = 3
            mode = 0o755 if path in executable else 0o644
            info.external_attr = (stat.S_IFREG | mode) << 16
            with archive.open(info, "w") as target, _opened(files[path]) as source:
                while chunk := source.read(CHUNK):
                    target.write(chunk)


def manifest(files: Mapping[str, Path | bytes]) -> bytes:
    """MANIFEST for these files."""
    lines = []
    for path in sorted(files):
        with _opened(files[path]) as source:
            sha = hashlib.sha256()
            while chunk := source.read(CHUNK):
                sha.update(chunk)
            lines.append(f"{sha.hexdigest()}  {path}\n")
    return "".join(lines).encode()


class Archive:
    """A bundle that is being read. Raises BundleError for all that no honest bundle has. A context."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self._stream = file.open("rb")
        except OSError as error:
            raise BundleError(f"{file}: {error.strerror}") from None
        try:
            _refuse_many(self._stream)
            self._zip = zipfile.ZipFile(self._stream)
        except BundleError as error:
            self._stream.close()
            raise BundleError(f"{file}: {error}") from None
        except _DAMAGED as error:
            self._stream.close()
            raise BundleError(f"{file}: is no bundle: {error}") from None

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()
        self._stream.close()

    def check(self) -> None:
        """Everything that can be known without unpacking a byte."""
        infos = self._zip.infolist()
        if len(infos) > MOST_FILES:
            raise BundleError(
                f"{self.file}: holds {len(infos):,} files; a bundle has at most {MOST_FILES:,}"
            )
        names = _Names()
        for info in infos:
            try:
                _check(info)
                names.add(info.filename)
            except BundleError as error:
                raise BundleError(f"{self.file}: {error}") from None
        if sum(info.file_size for info in infos) > MOST_BYTES:
            raise BundleError(f"{self.file}: unpacks to more than {MOST_BYTES >> 30} GiB")

    def has(self, path: str) -> bool:
        return path in self._zip.namelist()

    def read(self, path: str, most: int) -> bytes:
        """One file that is small. Raises BundleError when there is none, or it is larger."""
        target = io.BytesIO()
        self._copy(self._info(path), target, most)
        return target.getvalue()

    def entries(self) -> tuple[Entry, ...]:
        """What MANIFEST lists, which is exactly what is there. Reads no other file."""
        listed = dict(_listed(self.read(MANIFEST, MOST_MANIFEST), self.file))
        there = {name for name in self._zip.namelist() if name not in (MANIFEST, SIGNATURE)}
        if more := sorted(there - listed.keys()):
            raise BundleError(f"{self.file}: {more[0]} is in it and not in its MANIFEST")
        if less := sorted(listed.keys() - there):
            raise BundleError(f"{self.file}: its MANIFEST lists {less[0]}, which is not there")
        return tuple(Entry(p, sha, self._info(p).file_size) for p, sha in sorted(listed.items()))

    def unpack(self, entry: Entry, target: Path) -> None:
        """Writes one file where there is none yet. Raises BundleError when it is not what MANIFEST lists."""
        target.parent.mkdir(parents=True, exist_ok=True)
        info = self._info(entry.path)
        with target.open("xb") as stream:
            sha = self._copy(info, stream, info.file_size)
        if sha != entry.sha256:
            raise BundleError(f"{self.file}: {entry.path} is not what its MANIFEST lists")
        target.chmod(0o755 if info.external_attr >> 16 & 0o100 else 0o644)

    def _info(self, path: str) -> zipfile.ZipInfo:
        try:
            return self._zip.getinfo(path)
        except KeyError:
            raise BundleError(f"{self.file}: is no bundle, it has no {path}") from None

    def _copy(self, info: zipfile.ZipInfo, target: BinaryIO, most: int) -> str:
        sha, size = hashlib.sha256(), 0
        for chunk in self._chunks(info):
            size += len(chunk)
            if size > most:
                raise BundleError(f"{self.file}: {info.filename} is larger than it may be")
            sha.update(chunk)
            target.write(chunk)
        return sha.hexdigest()

    def _chunks(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        try:
            with self._zip.open(info) as source:
                while chunk := source.read(CHUNK):
                    yield chunk
        except _DAMAGED as error:
            raise BundleError(f"{self.file}: {info.filename} is damaged: {error}") from None


class _Names:
    """Files and the folders they lie in; no two that any file system would take for one."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: dict[str, str] = {}

    def add(self, path: str) -> None:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if _folded(folder) in self._files:
                raise BundleError(f"{folder!r} is both a file and a folder")
            if self._folders.setdefault(_folded(folder), folder) != folder:
                raise BundleError(f"{folder!r} is there in two spellings")
        if _folded(path) in self._files or _folded(path) in self._folders:
            raise BundleError(f"{path!r} is there twice")
        self._files.add(_folded(path))


def _folded(path: str) -> str:
    return unicodedata.normalize("NFKC", path).casefold()


def _check(info: zipfile.ZipInfo) -> None:
    """One entry, by what the archive says of it."""
    _refuse_name(info.filename)
    if info.orig_filename != info.filename:
        raise BundleError(f"the name {info.orig_filename[:80]!r} is not taken")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        what = "a link" if kind == stat.S_IFLNK else "a device or the like"
        raise BundleError(f"{info.filename} is {what}; a bundle holds only files")
    if info.flag_bits & 0x1:
        raise BundleError(f"{info.filename} is encrypted")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise BundleError(f"{info.filename} is compressed; a bundle holds its files as they are")


def _refuse_many(stream: BinaryIO) -> None:
    """Before the list of files is read: how long it says it is. Zip64 is for what is larger than a bundle may be."""
    stream.seek(0, os.SEEK_END)
    size = stream.tell()
    stream.seek(max(0, size - _END.size - 20))
    tail = stream.read()
    end = tail[-_END.size :]
    if len(end) < _END.size or not end.startswith(b"PK\5\6"):
        raise BundleError("is no bundle, or not all of it is there")
    if tail.startswith(b"PK\6\7") and len(tail) == _END.size + 20:
        raise BundleError("is larger than a bundle may be")
    length = _END.unpack(end)[5]
    if length > MOST_FILES * (46 + MOST_NAME):
        raise BundleError(f"lists more than the {MOST_FILES:,} files that a bundle may have")


def _listed(content: bytes, file: Path) -> Iterator[tuple[str, str]]:
    seen = set()
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise BundleError(f"{file}: its MANIFEST is no text") from None
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None or found[2] in seen:
            raise BundleError(f"{file}: its MANIFEST is damaged at {line[:80]!r}")
        seen.add(found[2])
        yield found[2], found[1]


def _refuse_name(path: str) -> None:
    """A name that could mean another place, here or on another system."""
    parts = path.split("/")
    if len(path) > MOST_NAME or not all(_NAME.fullmatch(part) for part in parts):
        raise BundleError(f"the name {path[:80]!r} is not taken")
    if any(part in (".", "..") or part.endswith((" ", ".")) for part in parts):
        raise BundleError(f"the name {path[:80]!r} is not taken, it could mean another place")


def _opened(content: Path | bytes) -> BinaryIO:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
