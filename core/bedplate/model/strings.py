"""Strings: a column of texts or blobs. Immutable.

Holds the bytes as they travel and decodes a text only when it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Strings:
    """A column of texts or blobs: all bytes one after the other, and where each ends.

    joined: bytes; end: (n,) uint32, not decreasing, the last one is len(joined); read-only.
    """

    joined: bytes
    end: NDArray[np.uint32]
    text: bool = True

    def __post_init__(self) -> None:
        if self.end.flags.writeable:
            end = self.end.view()
            end.flags.writeable = False
            object.__setattr__(self, "end", end)

    @classmethod
    def of(cls, items: Iterable[str | bytes], *, text: bool = True) -> Strings:
        """A column of these. Raises ValueError for one of another type, and for half a surrogate pair."""
        kind = str if text else bytes
        items = list(items)
        for item in items:
            if not isinstance(item, kind):
                raise ValueError(f"{item!r:.80} is no {kind.__name__}")
        encoded: Any = [item.encode() for item in items] if text else items  # type: ignore[union-attr]
        lengths = np.fromiter(map(len, encoded), dtype=np.uint64, count=len(encoded))
        return cls(b"".join(encoded), np.cumsum(lengths).astype(np.uint32), text)

    @classmethod
    def joined_of(cls, parts: Sequence[Strings]) -> Strings:
        """One column of several, at least one, all of texts or all of blobs."""
        starts = np.cumsum([0, *(len(part.joined) for part in parts[:-1])], dtype=np.uint64)
        ends = [part.end + start for part, start in zip(parts, starts, strict=True)]
        whole = b"".join([part.joined for part in parts])
        return cls(whole, np.concatenate(ends).astype(np.uint32), parts[0].text)

    def __len__(self) -> int:
        return len(self.end)

    def __getitem__(self, index: int) -> str | bytes:
        index = range(len(self.end))[index]
        start = int(self.end[index - 1]) if index else 0
        item = self.joined[start : int(self.end[index])]
        return item.decode("utf-8", "replace") if self.text else item

    def longest(self) -> int:
        """Bytes of the longest; 0 for an empty column."""
        return int(np.diff(self.end.astype(np.int64), prepend=0).max(initial=0))

    def tolist(self) -> list[Any]:
        return [self[i] for i in range(len(self))]

    def take(self, index: NDArray[Any]) -> Strings:
        """Those that index (positions or a mask) names, in that order."""
        chosen = np.flatnonzero(index) if index.dtype == bool else index
        starts = np.concatenate(([0], self.end[:-1])) if len(self) else self.end
        parts = [self.joined[int(starts[i]) : int(self.end[i])] for i in chosen]
        ends = np.cumsum(np.fromiter(map(len, parts), np.uint64, len(parts)))
        return Strings(b"".join(parts), ends.astype(np.uint32), self.text)
