"""A long answer of the history is looked at again when what its caller may see has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.policy.callers import SILENT, Decide, Module, caller, hiding

from bedplate.api.v1 import api_pb2
from bedplate.connector.v1 import connector_pb2
from bedplate.contracts import Subject
from bedplate.errors import CallError
from bedplate.gate.gate import Gate
from bedplate.runtime.kernel import Kernel
from bedplate.server.history import HistoryService
from bedplate.wire import twin

TAGS = {path: SimpleNamespace(unit="") for path in ("acme/oven/recipe", "acme/filler/speed")}


async def pages(query: Any) -> AsyncIterator[Any]:
    for n in range(3):
        yield twin(connector_pb2.QueryReply)(progress=n / 2)


def kernel() -> Kernel:
    table = SimpleNamespace(limit=1, paths=list, newest=lambda path: None)
    registry = SimpleNamespace(version=1, declared=TAGS, table=table)
    history = SimpleNamespace(query=pages, component=SimpleNamespace(id="files"))
    made = SimpleNamespace(
        spine=SimpleNamespace(registry=registry),
        clock=SimpleNamespace(time_ns=lambda: 10),
        history=history,
    )
    return cast(Kernel, made)


async def told(after: Decide) -> int:
    """How many pages come when this is decided from the second on."""
    module = Module(hiding("nothing", remember=60))
    gate = Gate({"door": module}, SILENT)
    somebody = caller(Subject("vera", ("viewer",)), gate)
    count = 0
    async for _ in HistoryService(kernel()).query(api_pb2.QueryRequest(), somebody):
        count += 1
        module.decide = after
        gate.memory.forget("door")
    return count


async def test_an_answer_ends_when_something_of_it_may_be_seen_no_longer() -> None:
    with pytest.raises(CallError, match="has changed") as cut:
        await told(hiding("oven", remember=60))
    assert cut.value.code == "ABORTED"


async def test_an_answer_goes_on_when_others_have_changed() -> None:
    assert await told(hiding("cellar", remember=60)) == 3
