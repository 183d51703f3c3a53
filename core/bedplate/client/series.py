"""The samples of one tag, in columns, and how batches become them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.errors import ProtocolError
from bedplate.model import Batch, DataType, Strings, TagInfo
from bedplate.model.quality import good_mask
from bedplate.shown import value_text, with_unit

Tags = Mapping[int, TagInfo]  # by handle
Part = tuple[Batch, Tags]
Piece = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]  # times, values, qualities


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Series:
    """Samples of one tag, by time.

    time: (n,) datetime64[ns], source time in UTC · value: (n,) float64, int64, uint64 or bool; object for texts and
    blobs or when the tag changed its type to one of them · quality: (n,) uint32, OPC UA StatusCodes, 0 is Good.
    """

    tag: TagInfo
    time: NDArray[np.datetime64]
    value: NDArray[Any]
    quality: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.value)

    @property
    def path(self) -> str:
        return self.tag.path

    @property
    def unit(self) -> str:
        return self.tag.unit

    @property
    def good(self) -> NDArray[np.bool_]:
        """(n,) bool, True where the quality is Good."""
        return good_mask(self.quality)

    def __repr__(self) -> str:
        newest = f", newest {self.newest()} at {self.time[-1]}Z" if len(self) else ""
        return f"<Series {self.path}: {len(self)} samples{newest}>"

    def newest(self) -> str:
        """The last value with its unit, as people read it; empty without samples."""
        if not len(self):
            return ""
        return with_unit(value_text(self.value[-1], self.tag.states), self.unit)


def by_path(tags: Iterable[TagInfo], parts: Iterable[Part]) -> dict[str, Series]:
    """The samples of these batches by path, sorted; a tag that was told but has no samples has an empty series.

    Raises ProtocolError when a batch uses a handle nobody explained.
    """
    pieces: dict[str, list[Piece]] = {tag.path: [] for tag in tags}
    newest = {tag.path: tag for tag in tags}
    for batch, known in parts:
        for handle, piece in _split(batch):
            if handle not in known:
                raise ProtocolError(f"a batch uses handle {handle}, which was not explained")
            tag = newest[known[handle].path] = known[handle]
            pieces.setdefault(tag.path, []).append(piece)
    return {path: _join(newest[path], pieces[path]) for path in sorted(pieces)}


def _split(batch: Batch) -> Iterator[tuple[int, Piece]]:
    value = objects(batch.value) if isinstance(batch.value, Strings) else batch.value
    piece = (batch.times().view("datetime64[ns]"), value, batch.qualities())
    if len(batch.tag) == 1:
        yield int(batch.tag[0]), piece
        return
    order = np.argsort(batch.tag, kind="stable")
    handles = batch.tag[order]
    starts = np.flatnonzero(np.concatenate(([True], handles[1:] != handles[:-1])))
    for index in np.split(order, starts[1:]) if len(order) else ():
        yield int(batch.tag[index[0]]), (piece[0][index], piece[1][index], piece[2][index])


def objects(strings: Strings) -> NDArray[np.object_]:
    """Texts or blobs as an object array."""
    column = np.empty(len(strings), object)
    column[:] = strings.tolist()
    return column


def _join(tag: TagInfo, pieces: list[Piece]) -> Series:
    if not pieces:
        kind = (
            np.dtype(object)
            if tag.data_type in (DataType.TEXT, DataType.BLOB)
            else tag.data_type.dtype
        )
        return Series(tag, np.empty(0, "datetime64[ns]"), np.empty(0, kind), np.empty(0, np.uint32))
    time, value, quality = (
        one[0] if len(one) == 1 else np.concatenate(one) for one in zip(*pieces, strict=True)
    )
    if np.any(time[1:] < time[:-1]):
        order = np.argsort(time, kind="stable")
        time, value, quality = time[order], value[order], quality[order]
    return Series(tag, time, value, quality)
