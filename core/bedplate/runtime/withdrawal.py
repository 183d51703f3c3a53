"""What a component leaves behind when it goes, or reads or brings less than before: tags that nobody brings any more,
and a cursor that nobody moves.

A tag goes with a last sample of quality BadOutOfService (OPC 10000-4 §7.39.2), so that whoever follows it sees its end;
what was kept of it stays in the history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from bedplate.journal.engine import Commit, Entry
from bedplate.model import Body, DataType, TagInfo, quality
from bedplate.runtime.backfill import missed
from bedplate.runtime.produced import reader_of
from bedplate.runtime.spine import Pair, Spine
from bedplate.scan.current import introduce
from bedplate.wire import encode_batch


def withdraw(spine: Spine, component: str, keep: Collection[str] = ()) -> list[str]:
    """The tags of a component but those to keep leave the catalog and what is current. Returns their paths.
    Raises JournalError; then they are gone all the same."""
    registry = spine.registry
    paths = [path for path in registry.owned(component) if path not in keep]
    pairs = list(_last_samples(spine, f"{component}/live", paths))
    registry.withdraw(paths)
    spine.append(pairs)
    return paths


def _last_samples(spine: Spine, stream: str, paths: Sequence[str]) -> Iterator[Pair]:
    registry, current, now = spine.registry, spine.current, spine.clock.time_ns()
    found = (registry.table.newest(path) for path in paths)
    tags = [tag for tag in found if tag and current.has(tag.handle)]
    handles = [tag.handle for tag in tags if tag.stream]
    if older := [tag for tag in tags if not tag.stream]:  # from before the start, told to nobody
        fresh, entry = introduce(registry, current, stream, _kinds(older), now)
        yield entry, None
        handles += fresh
    code = quality.BAD_OUT_OF_SERVICE
    for batch in current.batches(np.array(sorted(handles), np.uint32), code, now):
        entry = Entry(stream, Body.BATCH, encode_batch(batch), now, samples=len(batch))
        yield entry, batch


def _kinds(tags: Sequence[TagInfo]) -> list[tuple[str, DataType]]:
    return [(tag.path, tag.data_type) for tag in tags]


async def forget(spine: Spine, component: str) -> None:
    """How far a component was, and its states: one of this name begins anew. Raises JournalError."""
    for reader in (component, reader_of(component), missed.reader_of(component)):
        position, states = await spine.engine.cursor(reader)
        if position or states:
            spine.append((), Commit(reader, 0, dict.fromkeys(states, b"")))
