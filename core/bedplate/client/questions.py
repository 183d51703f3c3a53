"""Requests of the API from the arguments of the client's methods, and its answers from the responses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bedplate.api.v1 import api_pb2
from bedplate.client.result import Result
from bedplate.client.series import Part
from bedplate.client.span import Length, Moment, length, span
from bedplate.connector.v1 import connector_pb2
from bedplate.model import TagInfo
from bedplate.wire import decode_batch, tag_of

AGGREGATES = ("average", "minimum", "maximum", "first", "last", "count", "sum")
SHORT = {"avg": "average", "mean": "average", "min": "minimum", "max": "maximum"}
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class HistoryQuestion:
    """The arguments of `Client.history`; see there."""

    selectors: Sequence[str]
    last: Length | None = None
    start: Moment | None = None
    end: Moment | None = None
    every: Length | None = None
    agg: str | None = None
    points: int | None = None
    limit: int | None = None
    last_before: bool = False

    def request(self, now: int) -> Any:
        """The message. Raises ValueError for what can't be asked."""
        if self.every is not None and self.points is not None:
            raise ValueError("every and points say the same in two ways; leave one of them out")
        for name, count in (("points", self.points), ("limit", self.limit)):
            if count is not None and count < 1:
                raise ValueError(f"{name} must be at least 1")
        asked = span(now, self.last, self.start, self.end)
        request = api_pb2.QueryRequest(
            selectors=texts(self.selectors),
            to=asked.end,
            every=0 if self.every is None else length(self.every),
            aggregate=self._aggregate(),
            limit=self.limit or 0,
            points=self.points or 0,
            last_before=self.last_before,
        )
        setattr(request, "from", asked.start)  # a word of Python's
        return request

    def _aggregate(self) -> Any:
        windows = self.every is not None or self.points is not None
        name = self.agg or ("average" if windows else "")
        return aggregate(name) if name else connector_pb2.AGGREGATE_UNSPECIFIED


def aggregate(name: str) -> Any:
    """The number of an aggregate. Raises ValueError with the names there are."""
    full = SHORT.get(name.lower(), name.lower())
    if full not in AGGREGATES:
        raise ValueError(f"{name!r} is no aggregate; there are {', '.join(AGGREGATES)}")
    return connector_pb2.Aggregate.Value(f"AGGREGATE_{full.upper()}")


class Gathering:
    """Collects the pages of one answer, whose handles hold for all of it. told: is called with the progress, 0 to 1."""

    def __init__(self, told: Progress | None = None) -> None:
        self._told = told
        self._known: dict[int, TagInfo] = {}
        self._parts: list[Part] = []
        self._history = ""

    def page(self, response: Any) -> Result:
        """The samples of one response. Raises ProtocolError when it is none."""
        fresh = (tag for tag in response.tags if tag.handle not in self._known)
        self._known.update((tag.handle, tag_of(tag)) for tag in fresh)
        parts = [(decode_batch(batch), self._known) for batch in response.batches]
        self._history = getattr(response, "history", "")
        progress = getattr(response, "progress", 1.0)
        if self._told:
            self._told(progress)
        return Result(self._known.values(), parts, history=self._history, progress=progress)

    def take(self, response: Any) -> None:
        self._parts += self.page(response).batches

    def result(self) -> Result:
        """All that was taken."""
        return Result(self._known.values(), self._parts, history=self._history)


def texts(selectors: Sequence[str]) -> list[str]:
    """Selectors as they go out. Raises TypeError for what is no text, ValueError for an empty one."""
    for selector in selectors:
        if not isinstance(selector, str):
            raise TypeError(
                f"a selector is a text, not {type(selector).__name__}: *selectors unpacks a list"
            )
        if not selector.strip("/ "):
            raise ValueError("an empty selector names nothing; '**' is everything")
    return list(selectors)
