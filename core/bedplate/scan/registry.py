"""The kernel's tags: which path has which handle in this epoch, and who owns it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from bedplate.errors import ConfigError, Problem
from bedplate.journal.engine import Entry
from bedplate.model import Body, DataType, TagInfo, TagTable
from bedplate.wire import table_message


@dataclass(frozen=True, slots=True)
class Declared:
    """What the deployment says of a tag beyond its handle."""

    path: str
    component: str
    unit: str = ""
    description: str = ""
    address: str = ""
    writable: bool = False
    counter: bool = False
    states: dict[int, str] = field(default_factory=dict)


class Registry:
    """Gives out handles. One component owns a path; a change of type is a new handle. version: rises with each change
    of what is known of a tag."""

    def __init__(self, epoch: int) -> None:
        self.table = TagTable(epoch)
        self.streams: dict[str, list[int]] = {}
        self.owner: dict[str, str] = {}
        self.declared: dict[str, Declared] = {}
        self.version = 0

    def declare(self, tags: Iterable[Declared]) -> None:
        """Takes ownership of paths. Raises ConfigError when another component owns one."""
        for tag in tags:
            owner = self.owner.setdefault(tag.path, tag.component)
            if owner != tag.component:
                text = f"is already a tag of {owner}"
                raise ConfigError([Problem(tag.component, 0, tag.path, text)])
            self.declared[tag.path] = tag
            self.version += 1

    def handles(
        self,
        stream: str,
        wanted: Iterable[tuple[str, DataType]],
        now: int,
        *,
        in_force: bool = True,
    ) -> tuple[list[int], Entry]:
        """New handles for (path, type), and the record that tells every reader of them. in_force: whether what is
        current and live of these paths goes by them from now on."""
        fresh = [self._put(path, kind, stream, in_force) for path, kind in wanted]
        self.version += 1
        payload = table_message(self.table.epoch, stream, fresh).SerializeToString()
        return [tag.handle for tag in fresh], Entry(stream, Body.TAGS, payload, now)

    def _put(self, path: str, kind: DataType, stream: str, in_force: bool) -> TagInfo:
        known = self.declared.get(path) or Declared(path, stream.partition("/")[0])
        tag = TagInfo(
            self.table.take_handle(),
            path,
            kind,
            stream,
            known.unit,
            known.description,
            known.address,
            known.writable,
            known.counter,
            known.states,
        )
        self.table.put(tag, in_force=in_force)
        self.streams.setdefault(stream, []).append(tag.handle)
        return tag

    def restored(self, tag: TagInfo) -> TagInfo:
        """The handle of this epoch for a tag known from an earlier one. It has no stream until somebody delivers it:
        then it gets a handle of its own, and this one only names the old value."""
        known = self.table.newest(tag.path)
        if known is not None and known.data_type is tag.data_type:
            return known
        fresh = replace(tag, handle=self.table.take_handle(), stream="")
        self.table.put(fresh)
        return fresh

    def owned(self, component: str) -> list[str]:
        """Paths of one component."""
        return [path for path, owner in self.owner.items() if owner == component]

    def withdraw(self, paths: Iterable[str]) -> None:
        """These are nobody's tags any more, and current no longer."""
        for path in paths:
            self.owner.pop(path, None)
            self.declared.pop(path, None)
            self.table.retire(path)
            self.version += 1

    def newest_handles(self) -> list[int]:
        """The handle in force of each path."""
        return [tag.handle for path in self.table.paths() if (tag := self.table.newest(path))]
