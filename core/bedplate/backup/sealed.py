"""The file of a backup: a tar of two age files. `key.age` is a key made for this backup, locked with the passphrase;
`content.age` is everything else, locked with that key.

Both are plain age (C2SP/age), made and read by pyrage, so that nothing of ours is needed to open one:
`age -d key.age > key; age -d -i key content.age | tar x`. Rule: under its final name there is a whole file or none.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from bedplate.durable import sync_folder
from bedplate.endpoints import is_alive
from bedplate.errors import BedplateError

KEY, CONTENT = "key.age", "content.age"
BLOCK = tarfile.BLOCKSIZE
MOST_KEY = 1 << 16
PART = ".part-"
MISSING = "backups are encrypted with the package pyrage: pip install 'bedplate[backup]'"


class BackupError(BedplateError):
    """A backup can't be made, read or put back. Nothing has changed."""


def seal(target: Path, passphrase: str, write: Callable[[BinaryIO], None]) -> int:
    """Makes target, of mode 0600, of what write puts into the stream it is given; returns its size.

    Raises BackupError, OSError and what write raises; then there is no target.
    """
    age = library()
    identity = age.x25519.Identity.generate()
    locked = age.passphrase.encrypt(str(identity).encode(), passphrase)
    sweep(target.parent, PART)
    beside = target.with_name(f"{PART}{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "w+b") as stream:
            _member(stream, KEY, len(locked))
            stream.write(_padded(locked))
            _content(stream, age, identity, write)
            stream.flush()
            os.fsync(stream.fileno())
        size = beside.stat().st_size
        _name(beside, target)
    finally:
        beside.unlink(missing_ok=True)
    return size


def _content(stream: IO[bytes], age: Any, identity: Any, write: Callable[[BinaryIO], None]) -> None:
    """Its size is known when it is written, so its head is written twice."""
    at = stream.tell()
    _member(stream, CONTENT, 0)
    with _piped(write) as plain:
        age.encrypt_io(plain, stream, [identity.to_public()])
    end = stream.seek(0, os.SEEK_END)
    stream.write(bytes(-end % BLOCK + 2 * BLOCK))
    stream.seek(at)
    _member(stream, CONTENT, end - at - BLOCK)


def _member(stream: IO[bytes], name: str, size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    stream.write(info.tobuf(tarfile.GNU_FORMAT))


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % BLOCK)


def _name(beside: Path, target: Path) -> None:
    """Refuses to replace a file, whoever made it meanwhile."""
    try:
        os.link(beside, target)
    except FileExistsError:
        raise BackupError(f"{target} is there already; choose another name") from None
    except OSError:  # a file system without links, such as that of many sticks
        if target.exists():
            raise BackupError(f"{target} is there already; choose another name") from None
        os.rename(beside, target)
    sync_folder(target.parent)


@contextmanager
def _piped(write: Callable[[BinaryIO], None]) -> Iterator[IO[bytes]]:
    """The reading end of what write writes on a thread. Raises what write raised."""
    there, here = os.pipe()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with open(here, "wb") as stream:
                write(cast(BinaryIO, stream))
        except (BedplateError, OSError, ValueError, tarfile.TarError) as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="backup", daemon=True)
    thread.start()
    try:
        with open(there, "rb") as plain:
            yield plain
    finally:
        thread.join()
    if failed:
        raise failed[0]


def unseal(file: Path, passphrase: str, read: Callable[[BinaryIO], None]) -> None:
    """Gives read the content as it is decrypted; what is damaged is told at the end, so nothing of it counts before.

    Raises BackupError for a wrong passphrase and for what is no backup or not whole; what read raises.
    """
    age = library()
    with file.open("rb") as stream:
        locked = stream.read(_size(stream, KEY, file))
        stream.seek(-len(locked) % BLOCK, os.SEEK_CUR)
        size = _size(stream, CONTENT, file)
        if os.fstat(stream.fileno()).st_size < stream.tell() + size:
            raise BackupError(f"{file} is cut off; take another copy of it")
        identity = _unlocked(age, locked, passphrase, file)

        def decrypt(plain: BinaryIO) -> None:
            try:
                age.decrypt_io(_Part(stream, size), plain, [identity])
            except (age.DecryptError, OSError) as error:
                raise BackupError(f"{file} is damaged: {error}; take another copy of it") from None

        with _piped(decrypt) as plain:
            read(cast(BinaryIO, plain))
            while plain.read(1 << 20):
                pass


def _unlocked(age: Any, locked: bytes, passphrase: str, file: Path) -> Any:
    try:
        text = age.passphrase.decrypt(locked, passphrase).decode()
        return age.x25519.Identity.from_str(text)
    except age.DecryptError as error:
        raise BackupError(
            f"{file}: the passphrase is wrong, or the file damaged ({error})"
        ) from None
    except (age.IdentityError, UnicodeDecodeError):
        raise BackupError(f"{file} is damaged: it holds no key") from None


def _size(stream: IO[bytes], name: str, file: Path) -> int:
    head = stream.read(BLOCK)
    try:
        info = tarfile.TarInfo.frombuf(head, "utf-8", "strict")
    except tarfile.HeaderError:
        raise BackupError(f"{file} is no backup of Bedplate, or damaged") from None
    if info.name != name or info.size < 0 or (name == KEY and info.size > MOST_KEY):
        raise BackupError(f"{file} is no backup of Bedplate, or damaged")
    return info.size


class _Part:
    """The next bytes of a file, and no more."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream, self._left = stream, size

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        content = self._stream.read(wanted)
        self._left -= len(content)
        return content


def sweep(folder: Path, prefix: str) -> None:
    """Takes away what processes that live no more left under PREFIX, their number, and more."""
    for left in folder.glob(f"{prefix}*"):
        number = left.name.removeprefix(prefix).partition("-")[0]
        if not number.isdecimal() or is_alive(int(number)):
            continue
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def library() -> Any:
    """pyrage. Raises BackupError when it is not installed."""
    try:
        import pyrage
    except ImportError:
        raise BackupError(MISSING) from None
    return pyrage
