"""History.Query: a question to the component that answers, passed on page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Any

from bedplate.api.v1 import api_pb2
from bedplate.contracts import Aggregate
from bedplate.errors import CallError
from bedplate.model import is_selector
from bedplate.planning.moves import Moves
from bedplate.runtime import requests
from bedplate.runtime.kernel import Kernel
from bedplate.server.door import Caller, Method
from bedplate.server.followed import Followed, paths_here
from bedplate.server.selection import asked, selection
from bedplate.wire import twin


class HistoryService:
    """Serves queries. moves: what was moved, and has its past under other paths."""

    def __init__(self, kernel: Kernel, moves: Callable[[], Moves] = Moves) -> None:
        self._kernel, self._moves = kernel, moves

    def methods(self) -> list[Method]:
        service = "bedplate.api.v1.History"
        return [
            Method(
                service,
                "Query",
                "stream",
                api_pb2.QueryRequest,
                "history.query",
                self.query,
                self._asked,
            )
        ]

    async def query(self, request: Any, caller: Caller) -> AsyncIterator[Any]:
        history = self._kernel.history
        if history is None:
            raise CallError("this deployment keeps no history", code="FAILED_PRECONDITION")
        question = self._question(request)
        moves, ask = self._moves(), history.query
        if moves.all:
            ask = Followed(history.query, moves, self._here(moves)).pages
        async for page in ask(question):
            yield twin(api_pb2.QueryResponse)(
                tags=page.tags,
                batches=page.batches,
                progress=page.progress,
                history=history.component.id,
            )

    def _question(self, request: Any) -> Any:
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
        query = requests.Query(
            selectors=self._selectors(request.selectors), every=every, aggregate=request.aggregate
        )
        setattr(query, "from", start)
        query.to, query.limit, query.last_before = end, request.limit, request.last_before
        return query

    def _asked(self, request: Any) -> list[str]:
        return asked(request.selectors, self._paths())

    def _paths(self) -> dict[str, None]:
        registry = self._kernel.spine.registry
        return dict.fromkeys([*registry.declared, *registry.table.paths()])

    def _selectors(self, texts: Any) -> list[str]:
        """Tails are resolved over the tags of today; selectors go through, so that the history finds old tags too."""
        here = self._here(self._moves())
        chosen: list[str] = []
        for text in texts or ("**",):
            chosen += [text, f"**/{text}"] if is_selector(text) else self._named(text, here)
        return chosen

    def _named(self, text: str, here: Collection[str]) -> Sequence[str]:
        """What there is now goes before what was moved away."""
        try:
            return selection([text], here).texts
        except CallError as error:
            if error.code != "NOT_FOUND":
                raise
        return selection([text], self._paths()).texts

    def _here(self, moves: Moves) -> dict[str, None]:
        registry = self._kernel.spine.registry
        return dict.fromkeys(paths_here(registry.declared, [*registry.table.paths()], moves))
