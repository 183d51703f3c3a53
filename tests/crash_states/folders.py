"""A file system in memory that writes down what is asked of it, and what of that a power cut may leave (ALICE style).

Promises are those of POSIX and no more: what fsync of a file covered is there; an entry of a folder is there once the
folder was synced; entries of one folder survive in their order. Everything else may be gone, torn at sectors, zero, or
garbage, and later writes may be there without earlier ones.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

SECTOR = 512
ROOT = "/virtual"
FIRST_DESCRIPTOR = 1_000_000


@dataclass
class Node:
    """A file, a folder, or a link. entries: of a folder."""

    number: int
    mode: int
    content: bytearray = field(default_factory=bytearray)
    entries: dict[str, int] = field(default_factory=dict)
    target: str = ""

    @property
    def folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


class Folders:
    """log: what was done, in order; see `Cut`."""

    def __init__(self) -> None:
        self.nodes: dict[int, Node] = {1: Node(1, stat.S_IFDIR | 0o700)}
        self.log: list[tuple[Any, ...]] = []
        self._last = 1
        self._descriptors: dict[int, list[Any]] = {}

    # --- names ---

    def _walk(self, path: str) -> tuple[Node, str]:
        """The folder that a path lies in, and its last name."""
        names = [name for name in path.removeprefix(ROOT).split("/") if name]
        node = self.nodes[1]
        for name in names[:-1]:
            node = self._child(node, name, path)
        if not node.folder:
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return node, names[-1] if names else ""

    def _child(self, node: Node, name: str, path: str) -> Node:
        if name not in node.entries:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return self.nodes[node.entries[name]]

    def node(self, path: str | int) -> Node:
        if isinstance(path, int):
            found: Node = self._descriptors[path][0]
            return found
        parent, name = self._walk(path)
        return self._child(parent, name, path) if name else parent

    def _new(self, mode: int) -> Node:
        self._last = max(self._last, *self.nodes) + 1
        node = self.nodes[self._last] = Node(self._last, mode)
        return node

    def _link(self, parent: Node, name: str, number: int) -> None:
        parent.entries[name] = number
        self.log.append(("link", parent.number, name, number))

    # --- descriptors ---

    def open(self, path: str, flags: int, mode: int = 0o777) -> int:
        parent, name = self._walk(path)
        if name and name not in parent.entries:
            if not flags & os.O_CREAT:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            node = self._new(stat.S_IFREG | (mode & 0o777))
            self.log.append(("create", node.number, node.mode))
            self._link(parent, name, node.number)
        elif flags & os.O_CREAT and flags & os.O_EXCL:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        else:
            node = self.node(path)
        if flags & os.O_TRUNC and node.content:
            self._truncate(node, 0)
        number = FIRST_DESCRIPTOR + len(self._descriptors)
        while number in self._descriptors:
            number += 1
        self._descriptors[number] = [node, 0, bool(flags & os.O_APPEND)]
        return number

    def close(self, descriptor: int) -> None:
        del self._descriptors[descriptor]

    def write(self, descriptor: int, content: bytes) -> int:
        node, position, appends = self._descriptors[descriptor]
        at = len(node.content) if appends else position
        self._descriptors[descriptor][1] = at + self.pwrite(descriptor, content, at)
        return len(content)

    def pwrite(self, descriptor: int, content: bytes, at: int) -> int:
        node, content = self.node(descriptor), bytes(content)
        if len(node.content) < at:
            node.content.extend(bytes(at - len(node.content)))
        node.content[at : at + len(content)] = content
        self.log.append(("write", node.number, at, content))
        return len(content)

    def read(self, descriptor: int, count: int) -> bytes:
        node, position, _ = self._descriptors[descriptor]
        found = bytes(node.content[position : position + count])
        self._descriptors[descriptor][1] += len(found)
        return found

    def pread(self, descriptor: int, count: int, at: int) -> bytes:
        return bytes(self.node(descriptor).content[at : at + count])

    def seek(self, descriptor: int, to: int, whence: int = 0) -> int:
        node, position, _ = self._descriptors[descriptor]
        to += (0, position, len(node.content))[whence]
        self._descriptors[descriptor][1] = to
        return to

    def truncate(self, where: str | int, size: int) -> None:
        self._truncate(self.node(where), size)

    def _truncate(self, node: Node, size: int) -> None:
        del node.content[size:]
        node.content.extend(bytes(size - len(node.content)))
        self.log.append(("truncate", node.number, size))

    def sync(self, descriptor: int) -> None:
        self.log.append(("sync", self.node(descriptor).number))

    def stat(self, where: str | int) -> os.stat_result:
        node = self.node(where)
        size = len(node.content)
        uid = os.geteuid()
        return os.stat_result((node.mode, node.number, 1, 1, uid, uid, size, 0, 0, 0))

    # --- changes of names ---

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        parent, name = self._walk(path)
        if not name or name in parent.entries:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        node = self._new(stat.S_IFDIR | (mode & 0o777))
        self.log.append(("create", node.number, node.mode))
        self._link(parent, name, node.number)

    def symlink(self, target: str, path: str) -> None:
        parent, name = self._walk(path)
        node = self._new(stat.S_IFLNK | 0o777)
        node.target = target
        self.log.append(("create", node.number, node.mode))
        self._link(parent, name, node.number)

    def link(self, source: str, path: str) -> None:
        parent, name = self._walk(path)
        if name in parent.entries:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        self._link(parent, name, self.node(source).number)

    def rename(self, source: str, target: str) -> None:
        old, name = self._walk(source)
        number = self._child(old, name, source).number
        new, other = self._walk(target)
        there = new.entries.get(other)
        if there is not None and self.nodes[there].entries:
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), target)
        del old.entries[name]
        new.entries[other] = number
        self.log.append(("rename", old.number, name, new.number, other, number))

    def unlink(self, path: str) -> None:
        parent, name = self._walk(path)
        self._child(parent, name, path)
        del parent.entries[name]
        self.log.append(("unlink", parent.number, name))

    def rmdir(self, path: str) -> None:
        if self.node(path).entries:
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)
        self.unlink(path)

    def rmtree(self, path: str) -> None:
        for name in self.listdir(path):
            below = f"{path}/{name}"
            if self.node(below).folder:
                self.rmtree(below)
            else:
                self.unlink(below)
        self.rmdir(path)

    def listdir(self, path: str | int) -> list[str]:
        node = self.node(path)
        if not node.folder:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        return list(node.entries)

    def acknowledge(self, what: Any) -> None:
        """Somebody was told that this is on disk."""
        self.log.append(("ack", what))

    def picture(self) -> tuple[Any, ...]:
        """Everything that can be seen from the root, to compare."""
        return tuple(self._seen(self.nodes[1], ""))

    def _seen(self, node: Node, path: str) -> Iterator[tuple[str, int, bytes]]:
        yield path, node.mode, bytes(node.content)
        for name in sorted(node.entries):
            yield from self._seen(self.nodes[node.entries[name]], f"{path}/{name}")


class VirtualFile(io.RawIOBase):
    """What `open` returns, below its buffer."""

    def __init__(self, folders: Folders, descriptor: int, mode: str) -> None:
        self._folders, self._descriptor = folders, descriptor
        self._reads, self._writes = "r" in mode or "+" in mode, mode[0] in "wax" or "+" in mode

    def readable(self) -> bool:
        return self._reads

    def writable(self) -> bool:
        return self._writes

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def readinto(self, buffer: Any) -> int:
        found = self._folders.read(self._descriptor, len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def write(self, content: Any) -> int:
        return self._folders.write(self._descriptor, bytes(content))

    def seek(self, to: int, whence: int = 0) -> int:
        return self._folders.seek(self._descriptor, to, whence)

    def tell(self) -> int:
        return self._folders.seek(self._descriptor, 0, 1)

    def truncate(self, size: int | None = None) -> int:
        size = self.tell() if size is None else size
        self._folders.truncate(self._descriptor, size)
        return size

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._folders.close(self._descriptor)


class Cut:
    """What is on the disk for sure, and what waits, after so many steps of a log."""

    def __init__(self, begin: Folders) -> None:
        self._modes = {number: node.mode for number, node in begin.nodes.items()}
        self._sure = {number: bytes(node.content) for number, node in begin.nodes.items()}
        self._entries = {number: dict(node.entries) for number, node in begin.nodes.items()}
        self._writes: dict[int, list[tuple[Any, ...]]] = {}
        self._names: dict[int, list[tuple[Any, ...]]] = {}

    def step(self, entry: tuple[Any, ...]) -> None:
        match entry:
            case ("create", number, mode):
                self._modes[number], self._sure[number], self._entries[number] = mode, b"", {}
            case ("write" | "truncate", number, *_):
                self._writes.setdefault(number, []).append(entry)
            case ("link" | "unlink", folder, *_):
                self._names.setdefault(folder, []).append(entry)
            case ("rename", old, name, new, other, number):
                if old == new:
                    self._names.setdefault(old, []).append(entry)
                else:
                    self._names.setdefault(old, []).append(("unlink", old, name))
                    self._names.setdefault(new, []).append(("link", new, other, number))
            case ("sync", number):
                content = bytearray(self._sure[number])
                for write in self._writes.pop(number, ()):
                    _apply(content, write)
                self._sure[number] = bytes(content)
                for change in self._names.pop(number, ()):
                    _rename(self._entries[number], change)

    @property
    def waits(self) -> bool:
        return bool(self._writes or self._names)

    def images(self, dice: Random, more: int) -> Iterator[Folders]:
        """What may be found: nothing of what waits, all, the one without the other, and `more` by chance."""
        yield self._image(lambda n: 0, "none", dice)
        if self.waits:
            yield self._image(lambda n: n, "all", dice)
            yield self._image(lambda n: n, "none", dice)
            yield self._image(lambda n: 0, "all", dice)
            for how in ("zero", "garbage", "late", *["torn"] * more)[:more]:
                yield self._image(lambda n: dice.randint(n // 2, n), how, dice)

    def _image(self, names: Any, how: str, dice: Random) -> Folders:
        made = Folders()
        made.nodes = {}
        entries = {number: dict(found) for number, found in self._entries.items()}
        for folder, changes in self._names.items():
            for change in changes[: names(len(changes))]:
                _rename(entries[folder], change)
        for number, mode in self._modes.items():
            content = self._content(number, how, dice)
            made.nodes[number] = Node(number, mode, content, entries[number])
        return made

    def _content(self, number: int, how: str, dice: Random) -> bytearray:
        content = bytearray(self._sure[number])
        writes = self._writes.get(number, ())
        if how == "none" or not writes:
            return content
        if how == "late":
            writes = writes[len(writes) // 2 :]
        for write in writes:
            if how in ("all", "late") or write[0] == "truncate":
                _apply(content, write)
            else:
                _partly(content, write, how, dice)
        return content


def _apply(content: bytearray, write: tuple[Any, ...]) -> None:
    if write[0] == "truncate":
        del content[write[2] :]
        content.extend(bytes(write[2] - len(content)))
        return
    _, _, at, data = write
    content.extend(bytes(max(0, at - len(content))))
    content[at : at + len(data)] = data


def _partly(content: bytearray, write: tuple[Any, ...], how: str, dice: Random) -> None:
    """Some of its sectors; the others as they were, zero, or garbage. The length may be there before the bytes."""
    _, _, at, data = write
    end = at + len(data)
    for start in range(at - at % SECTOR, end, SECTOR):
        first, last = max(start, at), min(start + SECTOR, end)
        if dice.random() < 0.5:
            piece = data[first - at : last - at]
        elif how == "torn":
            continue
        else:
            piece = bytes(last - first) if how == "zero" else dice.randbytes(last - first)
        _apply(content, ("write", 0, first, piece))


def _rename(entries: dict[str, int], change: tuple[Any, ...]) -> None:
    match change:
        case ("link", _, name, number):
            entries[name] = number
        case ("unlink", _, name):
            entries.pop(name, None)
        case ("rename", _, name, _, other, number):
            entries.pop(name, None)
            entries[other] = number
