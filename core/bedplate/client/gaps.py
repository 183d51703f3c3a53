"""What is missing and why, and how complete tags are, as values of Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bedplate.api.v1 import gaps_pb2
from bedplate.client.span import Length, Moment, span


@dataclass(frozen=True, slots=True)
class Gap:
    """Values that are missing. component: id · path: of the tag, or of the device when all its tags are missing · tags:
    how many · since (inclusive), until (exclusive): ns UTC; until 0: it lasts · reason: unreachable, bad quality,
    missing, throttled, overflow, restart, lost, late; off and maintenance, when nothing was expected · text: in words ·
    missing: samples that were expected and did not come, 0: unknown, or none were · filled: fetched afterwards."""

    component: str
    path: str
    tags: int
    since: int
    until: int
    reason: str
    text: str
    missing: int
    filled: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """How complete a tag is, or a device over all its tags. expected: samples, without those of times when it was off
    or set aside · received: of these · ratio: 0 to 1, 1 when nothing was expected."""

    component: str
    path: str
    expected: int
    received: int
    ratio: float


@dataclass(frozen=True, slots=True)
class GapReport:
    """since (inclusive), until (exclusive): the range, ns UTC · gaps: all that overlap it, by begin · completeness: of
    each tag · omitted: older gaps that were left out."""

    since: int
    until: int
    gaps: tuple[Gap, ...]
    completeness: tuple[Completeness, ...]
    omitted: int


def request(
    selectors: list[str], now: int, last: Length | None, start: Moment | None, end: Moment | None
) -> Any:
    """Without a range: since the beginning of the day in the deployment's time zone. Raises ValueError."""
    asked = gaps_pb2.ListGapsRequest(selectors=selectors)
    if last is not None or start is not None or end is not None:
        times = span(now, last, start, end)
        setattr(asked, "from", times.start)
        asked.to = times.end
    return asked


def report_of(message: Any) -> GapReport:
    """The report in a response."""
    return GapReport(
        getattr(message, "from"),
        message.to,
        tuple(map(_gap, message.gaps)),
        tuple(map(completeness_of, message.completeness)),
        message.omitted,
    )


def completeness_of(one: Any) -> Completeness:
    return Completeness(one.component, one.path, one.expected, one.received, one.ratio)


def _gap(one: Any) -> Gap:
    reason = gaps_pb2.GapReason.Name(one.reason).removeprefix("GAP_REASON_").lower()
    since = getattr(one, "from")
    words = reason.replace("_", " ")
    return Gap(
        one.component, one.path, one.tags, since, one.to, words, one.text, one.missing, one.filled
    )
