"""History.Query: a question to the component that answers, passed on page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Any

from bedplate.api.v1 import api_pb2
from bedplate.contracts import Aggregate
from bedplate.errors import CallError
from bedplate.planning.moves import Moves
from bedplate.runtime import requests
from bedplate.runtime.kernel import Kernel
from bedplate.server.door import Caller, Method
from bedplate.server.followed import Followed, paths_here
from bedplate.server.known import KnownTags
from bedplate.server.sought import Sought
from bedplate.wire import twin

ACTION = "history.query"


class HistoryService:
    """Serves queries. moves: what was moved, and has its past under other paths."""

    def __init__(self, kernel: Kernel, moves: Callable[[], Moves] = Moves) -> None:
        self._kernel, self._moves, self._known = kernel, moves, KnownTags(kernel)

    def methods(self) -> list[Method]:
        service = "bedplate.api.v1.History"
        return [
            Method(
                service,
                "Query",
                "stream",
                api_pb2.QueryRequest,
                ACTION,
                self.query,
            )
        ]

    async def query(self, request: Any, caller: Caller) -> AsyncIterator[Any]:
        history = self._kernel.history
        if history is None:
            raise CallError("this deployment keeps no history", code="FAILED_PRECONDITION")
        moves, ask = self._moves(), history.query
        sight, sought = caller.sight(ACTION), await self._sought(moves, caller)
        question = self._question(request, sought.selectors(request.selectors))
        if moves.all:
            ask = Followed(history.query, moves, sought.here).pages
        async for page in ask(question):
            if not sight.fresh:
                sight = caller.sight(ACTION)
                if not sought.still(await self._sought(moves, caller)):
                    raise CallError("what you may see has changed; ask again", code="ABORTED")
            if not caller.sees_all(ACTION):
                await sought.leave_out(page)
            yield twin(api_pb2.QueryResponse)(
                tags=page.tags,
                batches=page.batches,
                progress=page.progress,
                history=history.component.id,
            )

    def _question(self, request: Any, selectors: Sequence[str]) -> Any:
        now = self._kernel.clock.time_ns()
        start, end = getattr(request, "from"), request.to or now
        if start >= end:
            raise CallError(
                "the range is empty: `from` must be before `to`", code="INVALID_ARGUMENT"
            )
        every = request.every
        if request.points:
            if not start:
                raise CallError("points need a `from`", code="INVALID_ARGUMENT")
            every = max(1, (end - start) // request.points)
        if every < 0 or (every and (end - start) // every > 10_000_000):
            raise CallError("`every` is too short for this range", code="INVALID_ARGUMENT")
        if request.aggregate not in list(Aggregate):
            raise CallError(f"there is no aggregate {request.aggregate}", code="INVALID_ARGUMENT")
        query = requests.Query(selectors=selectors, every=every, aggregate=request.aggregate)
        setattr(query, "from", start)
        query.to, query.limit, query.last_before = end, request.limit, request.last_before
        return query

    async def _sought(self, moves: Moves, caller: Caller) -> Sought:
        """Among what the caller may see."""

        async def ask(paths: Collection[str]) -> Collection[str]:
            return await caller.seen(ACTION, paths)

        known, registry = self._known.tags(), self._kernel.spine.registry
        there = dict.fromkeys(paths_here(registry.declared, [*registry.table.paths()], moves))
        moved = dict.fromkeys(path for path in there if path not in known)
        seen, also = await ask(known), await ask(moved)
        here = [path for path in there if path in seen or path in also]
        return Sought(seen, here, ask, whole=seen is known and also is moved)
