"""History.ListGaps: what is missing and why, and how complete each tag is, from the kernel's ledger."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from bedplate.api.v1 import gaps_pb2
from bedplate.errors import CallError
from bedplate.model import Selector
from bedplate.planning.moves import Moves
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.ledger.answers import Complete, Gap
from bedplate.server.door import Caller, Method
from bedplate.server.known import KnownTags
from bedplate.server.selection import selection

MOST = 10_000  # gaps in an answer


class GapService:
    """Reads the ledger. moves: what was moved; its gaps are told under the path it has now."""

    def __init__(self, kernel: Kernel, moves: Callable[[], Moves] = Moves) -> None:
        self._kernel, self._moves, self._known = kernel, moves, KnownTags(kernel)

    def methods(self) -> list[Method]:
        return [
            Method(
                "bedplate.api.v1.History",
                "ListGaps",
                "unary",
                gaps_pb2.ListGapsRequest,
                "history.gaps",
                self.list_gaps,
            )
        ]

    async def list_gaps(self, request: Any, caller: Caller) -> Any:
        ledger = self._kernel.ledger
        since, until = ledger.range(getattr(request, "from"), request.to)
        if since >= until:
            text = "the range is empty: `from` must be before `to`"
            raise CallError(text, code="INVALID_ARGUMENT")
        complete = await ledger.complete(since, until)
        found = [_followed(gap, self._moves()) for gap in await ledger.gaps(since, until)]
        known = self._known.tags()
        seen = await caller.seen("history.gaps", known)
        told = chain((c.path for c in complete), *(gap.tags for gap in found))
        then = dict.fromkeys(path for path in told if path not in known)
        old = await caller.seen("history.gaps", then)  # a tag of then need not be one of today
        if seen is not known or old is not then:
            found = [part for gap in found if (part := _seen(gap, seen, old))]
            complete = [c for c in complete if c.path in seen or c.path in old]
        wanted = selection(list(request.selectors), [*seen, *old])
        gaps = [message for gap in found for message in messages(gap, wanted)]
        response = gaps_pb2.ListGapsResponse(
            gaps=gaps[-MOST:],
            completeness=[completeness(c) for c in complete if wanted.matches(c.path)],
            omitted=max(0, len(gaps) - MOST),
            to=until,
        )
        setattr(response, "from", since)
        return response


def _followed(gap: Gap, moves: Moves) -> Gap:
    """Under the paths that its device and tags have now."""
    if not moves.all:
        return gap
    tags = tuple(moves.successor(tag, gap.since) for tag in gap.tags)
    return replace(gap, path=moves.successor(gap.path, gap.since), tags=tags)


def _seen(gap: Gap, seen: Collection[str], old: Collection[str]) -> Gap | None:
    """As if it had no tags but those that may be seen; None: it has none."""
    tags = [tag for tag in gap.tags if tag in seen or tag in old]
    if len(tags) == len(gap.tags):
        return gap if tags else None
    if not tags:
        return None
    places = [number for number, tag in enumerate(gap.tags) if tag in seen or tag in old]
    counts = [
        sum(shared(n, len(gap.tags))[place] for place in places) for n in (gap.missing, gap.filled)
    ]
    return replace(gap, tags=tuple(tags), text="", missing=counts[0], filled=counts[1])


def messages(gap: Gap, wanted: Selector) -> Iterator[gaps_pb2.Gap]:
    """One for a device whose tags are all missing and wanted, else one for each tag."""
    tags = [tag for tag in gap.tags if wanted.matches(tag)]
    if gap.whole and len(tags) == len(gap.tags):
        yield _message(gap, gap.path, len(tags), gap.missing, gap.filled)
        return
    missing, filled = shared(gap.missing, len(gap.tags)), shared(gap.filled, len(gap.tags))
    for path, lost, found in zip(gap.tags, missing, filled, strict=True):
        if wanted.matches(path):
            yield _message(gap, path, 1, lost, found)


def shared(count: int, many: int) -> Sequence[int]:
    """A count over so many tags, in whole numbers that add up to it."""
    each, more = divmod(count, max(1, many))
    return [each + (number < more) for number in range(many)]


def _message(gap: Gap, path: str, tags: int, missing: int, filled: int) -> gaps_pb2.Gap:
    message = gaps_pb2.Gap(
        component=gap.component,
        path=path,
        tags=tags,
        to=gap.until,
        reason=gap.reason,  # type: ignore[arg-type]
        text=gap.text,
        missing=missing,
        filled=filled,
    )
    setattr(message, "from", gap.since)  # a word of Python's
    return message


def completeness(one: Complete) -> gaps_pb2.Completeness:
    return gaps_pb2.Completeness(
        component=one.component,
        path=one.path,
        expected=one.expected,
        received=one.received,
        ratio=one.ratio,
    )
