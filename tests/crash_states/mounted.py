"""Puts `Folders` where programs look for files: functions of `os` and `open`, for paths below /virtual only."""

from __future__ import annotations

import builtins
import errno
import fcntl
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from tests.crash_states.folders import FIRST_DESCRIPTOR, ROOT, Folders, VirtualFile

FLAGS = {
    "r": os.O_RDONLY, "w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC, "x": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
    "a": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
}  # fmt: skip


OURS = {
    "fsync": "sync", "fdatasync": "sync", "fstat": "stat", "lstat": "stat", "remove": "unlink", "replace": "rename",
    "ftruncate": "truncate",
}  # fmt: skip


class Mount:
    """folders: what is seen now; another one may be put in its place at any time."""

    def __init__(self, folders: Folders) -> None:
        self.folders = folders

    def mine(self, where: Any) -> bool:
        if isinstance(where, int):
            return where >= FIRST_DESCRIPTOR
        return os.fspath(where).startswith(ROOT)

    def first(self, name: str) -> Callable[..., Any]:
        """A function of os whose first argument says whose it is."""
        real, mine = getattr(os, name), OURS.get(name, name)

        def function(where: Any, *more: Any, **named: Any) -> Any:
            if where is None or not self.mine(where):
                return real(where, *more, **named)
            named.pop("dir_fd", None)
            named.pop("follow_symlinks", None)
            where = where if isinstance(where, int) else os.fspath(where)
            more = tuple(os.fspath(m) if isinstance(m, os.PathLike) else m for m in more)
            return getattr(self.folders, mine)(where, *more, **named)

        return function

    def scandir(self, path: Any) -> Any:
        if not self.mine(path):
            return REAL_SCANDIR(path)
        return _Scan(
            [
                _Entry(self.folders, os.fspath(path), n)
                for n in self.folders.listdir(os.fspath(path))
            ]
        )

    def open(self, file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        if not self.mine(file):
            return REAL_OPEN(file, mode, *more, **named)
        plain = mode.replace("b", "").replace("t", "")
        descriptor = file
        if not isinstance(file, int):
            flags = FLAGS[plain[0]] | (os.O_RDWR if "+" in plain else 0)
            descriptor = self.folders.open(os.fspath(file), flags, 0o644)
            if self.folders.node(descriptor).folder:
                self.folders.close(descriptor)
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(file))
        raw = VirtualFile(self.folders, descriptor, plain)
        buffered: Any = io.BufferedWriter(raw) if raw.writable() else io.BufferedReader(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding="utf-8")

    def flock(self, file: Any, how: int) -> None:
        number = file if isinstance(file, int) else file.fileno()
        if number < FIRST_DESCRIPTOR:
            REAL_FLOCK(file, how)


class _Scan(list[Any]):
    """As os.scandir returns it."""

    def __enter__(self) -> _Scan:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


class _Entry:
    def __init__(self, folders: Folders, path: str, name: str) -> None:
        self.name, self.path = name, f"{path}/{name}"
        self._folder = folders.node(self.path).folder

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self._folder

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return not self._folder

    def is_symlink(self) -> bool:
        return False


REAL_OPEN, REAL_SCANDIR, REAL_FLOCK, REAL_RMTREE = io.open, os.scandir, fcntl.flock, shutil.rmtree
NAMES = (
    "open", "close", "write", "pwrite", "read", "pread", "fsync", "fdatasync", "fstat", "stat", "lstat", "ftruncate",
    "truncate", "mkdir", "rename", "replace", "link", "unlink", "remove", "rmdir", "listdir",
)  # fmt: skip


@contextmanager
def mounted() -> Iterator[Mount]:
    """Everything below /virtual is in memory meanwhile."""
    mount = Mount(Folders())

    def rmtree(path: Any, ignore_errors: bool = False, **named: Any) -> None:
        if not mount.mine(path):
            REAL_RMTREE(path, ignore_errors, **named)
            return
        try:
            mount.folders.rmtree(os.fspath(path))
        except OSError:
            if not ignore_errors:
                raise

    fchmod = os.fchmod
    patches = {name: mount.first(name) for name in NAMES}
    with ExitStack() as stack:
        for name, function in patches.items():
            stack.enter_context(mock.patch.object(os, name, function))
        stack.enter_context(mock.patch.object(os, "scandir", mount.scandir))
        stack.enter_context(mock.patch.object(builtins, "open", mount.open))
        stack.enter_context(mock.patch.object(io, "open", mount.open))
        stack.enter_context(mock.patch.object(fcntl, "flock", mount.flock))
        stack.enter_context(mock.patch.object(shutil, "rmtree", rmtree))
        stack.enter_context(
            mock.patch.object(
                os, "fchmod", lambda f, mode: None if mount.mine(f) else fchmod(f, mode)
            )
        )
        yield mount
