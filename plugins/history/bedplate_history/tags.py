"""Every (path, value type) that was ever kept, each with a small number of its own; and which handle means which.

Numbers rise from 0 and are never reused. They live in memory until the first segment that uses them is committed, and
are known outside the catalogue to nobody: files carry paths. Not thread-safe; the owner holds the lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bedplate import strict_json
from bedplate.model import Batch, DataType, Selector, TagInfo, TagTable, is_selector

EPOCHS_REMEMBERED = 3


@dataclass(frozen=True, slots=True)
class StoredTag:
    """number: index in all bit sets · about: JSON of unit, description, counter and states."""

    number: int
    path: str
    data_type: DataType
    about: str

    def info(self, handle: int, data_type: DataType) -> TagInfo:
        """As an answer tells of it, its batches being of data_type."""
        about = strict_json.loads(self.about)
        states = {int(code): label for code, label in about.pop("states", {}).items()}
        return TagInfo(handle, self.path, data_type, states=states, **about)


def _about(tag: TagInfo) -> str:
    facts = {
        "unit": tag.unit,
        "description": tag.description,
        "address": tag.address,
        "writable": tag.writable,
        "counter": tag.counter,
        "states": {str(code): label for code, label in tag.states.items()},
    }
    return json.dumps({name: fact for name, fact in facts.items() if fact}, sort_keys=True)


class StoredTags:
    """All of them, and what the catalogue does not know yet (`unsaved`)."""

    def __init__(self, stored: Iterable[StoredTag] = ()) -> None:
        self._tags = sorted(stored, key=lambda tag: tag.number)
        self._numbers = {(tag.path, tag.data_type): tag.number for tag in self._tags}
        self._handles: dict[tuple[int, DataType], NDArray[np.int64]] = {}
        self._unsaved: dict[int, StoredTag] = {}

    def __len__(self) -> int:
        return len(self._tags)

    def __getitem__(self, number: int) -> StoredTag:
        return self._tags[number]

    def unsaved(self) -> list[StoredTag]:
        return list(self._unsaved.values())

    def saved(self, tags: Iterable[StoredTag]) -> None:
        """The catalogue has these; one that changed since stays unsaved."""
        for tag in tags:
            if self._unsaved.get(tag.number) == tag:
                del self._unsaved[tag.number]

    def number(self, path: str, data_type: DataType, about: str = "{}") -> int:
        """The number of a path and type, a new one where there is none; refreshes what is known about it."""
        number = self._numbers.get((path, data_type))
        if number is None:
            number = len(self._tags)
            self._numbers[path, data_type] = number
            self._tags.append(
                self._unsaved.setdefault(number, StoredTag(number, path, data_type, about))
            )
        elif self._tags[number].about != about:
            self._tags[number] = self._unsaved[number] = replace(self._tags[number], about=about)
        return number

    def numbers(self, batch: Batch, epoch: int, table: TagTable) -> NDArray[np.uint32]:
        """(n,) numbers of the tags of a batch of this epoch, or (1,) when one stands for all. Raises KeyError for a
        handle that the table does not have."""
        known = self._handles_of(epoch, table.limit, batch.data_type)
        if not len(batch.tag):
            return batch.tag
        if int(batch.tag.max()) >= len(known):
            raise KeyError(int(batch.tag.max()))
        found = known[batch.tag]
        if (found < 0).any():
            for handle in np.unique(batch.tag[found < 0]).tolist():
                tag = table[handle]
                known[handle] = self.number(tag.path, batch.data_type, _about(tag))
            found = known[batch.tag]
        return found.astype(np.uint32)

    def refresh(self, epoch: int, table: TagTable) -> None:
        """A table was told anew: takes over units, descriptions and labels of the tags in use."""
        for (of, data_type), known in self._handles.items():
            if of == epoch:
                for handle in np.flatnonzero(known >= 0).tolist():
                    if handle in table:
                        self.number(table[handle].path, data_type, _about(table[handle]))

    def _handles_of(self, epoch: int, limit: int, data_type: DataType) -> NDArray[np.int64]:
        """Handle → number, -1 where it was not met yet."""
        known = self._handles.get((epoch, data_type), np.empty(0, np.int64))
        if len(known) < limit:
            newest = sorted({epoch, *(of for of, _ in self._handles)})[-EPOCHS_REMEMBERED:]
            kept = {key: column for key, column in self._handles.items() if key[0] in newest}
            known = np.concatenate((known, np.full(limit - len(known), -1, np.int64)))
            self._handles = {**kept, (epoch, data_type): known}
        return known

    def matching(self, selectors: Iterable[str]) -> list[StoredTag]:
        """Those that full paths and selectors name, by type, then path. Raises ValueError for a malformed selector."""
        texts = set(selectors)
        exact = {text for text in texts if not is_selector(text)}
        numbers = [self._numbers.get((path, kind)) for path in exact for kind in DataType]
        found = {number: self._tags[number] for number in numbers if number is not None}
        if exact != texts:
            wanted = Selector(texts - exact)
            found |= {tag.number: tag for tag in list(self._tags) if wanted.matches(tag.path)}
        return sorted(found.values(), key=lambda tag: (tag.data_type, tag.path))
