"""An answer of the history, of which something may not be seen: page by page, since handles are those of a page."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from bedplate.connector.v1 import connector_pb2
from bedplate.model import Batch
from bedplate.server.sought import Sought
from bedplate.wire import decode_batch, encode_batch, twin


async def visible(paths: Collection[str]) -> Collection[str]:
    return [path for path in paths if "secret" not in path]


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        (["a", "b", "c"], ["a", "secret", "c"], ["a", "c"]),
        (["a", "secret", "c"], ["a", "b", "c"], ["a", "b", "c"]),
    ],
)
async def test_each_page_is_looked_at_for_what_is_hidden(
    first: list[str], second: list[str], shown: list[str]
) -> None:
    sought = Sought([], [], visible, whole=True)
    for paths in (first, second):
        handles = range(1, len(paths) + 1)
        batch = Batch.of([*handles], [1] * len(paths), [1.0] * len(paths))
        page = twin(connector_pb2.QueryReply)(batches=[encode_batch(batch)])
        for handle, path in zip(handles, paths, strict=True):
            page.tags.add(handle=handle, path=path)
        await sought.leave_out(page)
    assert [tag.path for tag in page.tags] == shown
    left = [int(one) for encoded in page.batches for one in decode_batch(encoded).tags()]
    assert left == [second.index(path) + 1 for path in shown]
