"""Sealing: a frozen tail becomes one segment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bedplate_history.block import Block
from bedplate_history.segment import Segment, SegmentWriter, bit_set, file_name
from bedplate_history.sorting import by_type, ranks, sorted_tables
from bedplate_history.tags import StoredTags
from bedplate_history.tail import Tail


def seal(folder: Path, tail: Tail, tags: StoredTags) -> Segment | None:
    """The samples of a tail that no longer changes, in a file that is synced; None when it has none. On any exception
    there is no file. Raises OSError."""
    blocks = by_type(tail.blocks())
    if not blocks:
        return None
    segment = _described(tail, blocks, len(tags))
    paths, rank = ranks(_present(blocks, len(tags)), tags)
    writer = SegmentWriter(folder, segment.file)
    try:
        for table in sorted_tables(blocks, paths, rank):
            writer.write(table)
        return writer.finish(segment)
    except BaseException:
        writer.discard()
        raise


def _described(tail: Tail, blocks: Sequence[Block], tag_count: int) -> Segment:
    first = min(int(block.position[0]) for block in blocks)
    last = max(int(block.position[-1]) for block in blocks)
    return Segment(
        file=file_name(first, last),
        first_position=first,
        last_position=last,
        cursor=max(tail.until, last),
        first_time=min(block.first_time for block in blocks),
        last_time=max(block.last_time for block in blocks),
        received=tail.received,
        rows=tail.rows,
        size=0,
        tags=bit_set(_present(blocks, tag_count)),
    )


def _present(blocks: Sequence[Block], tag_count: int) -> np.typing.NDArray[np.bool_]:
    """Which tag numbers have samples."""
    present = np.zeros(tag_count, np.bool_)
    for block in blocks:
        present[block.tag] = True
    return present
