"""Tags and the table of their handles.

A handle (uint32) stands for one path with one type within one epoch and is never reused in it; handle 0 is never
given out, so an unset field can't be mistaken for a tag.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bedplate.model.column import DataType

FORBIDDEN = frozenset("/*?[]{}#+$")
LINES = ("Zl", "Zp")  # line and paragraph separators
MAX_SEGMENT_BYTES = 128


@dataclass(frozen=True, slots=True)
class TagInfo:
    """What is known of one handle. unit: UCUM where there is one; states: labels of an enumeration."""

    handle: int
    path: str
    data_type: DataType
    stream: str = ""
    unit: str = ""
    description: str = ""
    address: str = ""
    writable: bool = False
    counter: bool = False
    states: Mapping[int, str] = field(default_factory=dict)


class TagTable:
    """Append-only handles of one epoch, for all streams of a kernel, or for what a reader has been told."""

    def __init__(self, epoch: int, tags: Iterable[TagInfo] = ()) -> None:
        self.epoch = epoch
        self._by_handle: dict[int, TagInfo] = {}
        self._newest: dict[str, TagInfo] = {}
        self._next = 1
        for tag in tags:
            self.put(tag)

    def __len__(self) -> int:
        return len(self._by_handle)

    def __iter__(self) -> Iterator[TagInfo]:
        return iter(self._by_handle.values())

    def __contains__(self, handle: object) -> bool:
        return handle in self._by_handle

    def __getitem__(self, handle: int) -> TagInfo:
        return self._by_handle[handle]

    def newest(self, path: str) -> TagInfo | None:
        """The handle in force for a path: the one given out last."""
        return self._newest.get(path)

    def paths(self) -> Iterator[str]:
        return iter(self._newest)

    @property
    def limit(self) -> int:
        """One more than the largest handle: the size of an array indexed by handle."""
        return self._next

    def put(self, tag: TagInfo, *, in_force: bool = True) -> None:
        """Takes a tag with the handle it came with; in_force: for its path from now on. Raises ValueError when the
        handle means something else."""
        known = self._by_handle.get(tag.handle)
        if tag.handle < 1 or (known and (known.path, known.data_type) != (tag.path, tag.data_type)):
            raise ValueError(f"handle {tag.handle} of {tag.path} is not free")
        self._by_handle[tag.handle] = tag
        if in_force:
            self._newest[tag.path] = tag
        self._next = max(self._next, tag.handle + 1)

    def retire(self, path: str) -> None:
        """No handle is in force for this path any more. Those that were given out keep their meaning."""
        self._newest.pop(path, None)

    def take_handle(self) -> int:
        """The next free handle."""
        handle = self._next
        self._next += 1
        return handle


def segment_problem(segment: str) -> str:
    """Why a text can't be a segment of a path; empty when it can."""
    if not segment:
        return "a name can't be empty"
    if segment in (".", ".."):
        return "is a step between folders, not a name"
    if segment != unicodedata.normalize("NFC", segment):
        return "must be in Unicode normal form C"
    if len(segment.encode("utf-8", "replace")) > MAX_SEGMENT_BYTES:
        return f"is longer than {MAX_SEGMENT_BYTES} bytes"
    bad = sorted({c for c in segment if c in FORBIDDEN or _never(unicodedata.category(c))})
    if bad:
        return f"must not contain {' '.join(repr(c)[1:-1] for c in bad)}"
    return ""


def _never(category: str) -> bool:
    return category[0] == "C" or category in LINES


def path_problem(path: str) -> str:
    """Why a text can't be a path; empty when it can."""
    for segment in path.split("/"):
        if problem := segment_problem(segment):
            return problem
    return ""
