"""What is missing, from when to when: as the gap ledger has it, else as far as qualities tell."""

from __future__ import annotations

from typing import Any

from bedplate.api.v1 import gaps_pb2
from bedplate.errors import CallError
from bedplate.runtime.causes import Kind
from bedplate.runtime.source import Source
from bedplate.server.explain.case import Case
from bedplate.shown import some

SHOWN = 4
MINUTE = 60_000_000_000  # ns
HOUR = 3_600_000_000_000  # ns: of the past, when nothing is wrong now
NOT_LOST = (gaps_pb2.GAP_REASON_OFF, gaps_pb2.GAP_REASON_MAINTENANCE)


async def lost(case: Case) -> list[str]:
    """A line a gap; one line when nothing is missing, or when it can't be told."""
    reader = case.first is not None and hasattr(case.first.role, "position")
    if reader or case.subject.kind == "journal":
        return _of_reader(case)
    try:
        since = case.cause.since - MINUTE if case.cause else case.now - HOUR
        return _lines(case, await _gaps(case, since))
    except CallError:
        return _of_qualities(case)


async def _gaps(case: Case, since: int) -> list[Any]:
    components, mine = set(case.subject.components), case.subject.tag
    return [
        g
        for g in await case.kernel.ledger.gaps(since)
        if g.component in components
        and (not mine or g.whole or mine in g.tags)
        and g.reason not in NOT_LOST
        and not (g.filled and g.filled >= g.missing > 0)
    ]


def _lines(case: Case, gaps: list[Any]) -> list[str]:
    if not gaps:
        return ["nothing in the last hour" if case.cause is None else "nothing yet"]
    lines = [_line(case, gap) for gap in sorted(gaps, key=lambda g: (g.since, g.component))]
    lines = list(dict.fromkeys(lines))
    more = [f"and {len(lines) - SHOWN} more: bedplate gaps {case.subject.name}"]
    return lines[-SHOWN:] + (more if len(lines) > SHOWN else [])


def _line(case: Case, gap: Any) -> str:
    names = [path.rpartition("/")[2] for path in gap.tags]
    what = f"all {len(names)} tags" if gap.whole and len(names) > 1 else some(names)
    if len(case.subject.components) > 1:
        what = f"{what} of {gap.component}"
    until = case.at(gap.until) if gap.until else "now"
    count = f", {gap.missing:,} samples" if gap.missing else ""
    return f"{what} from {case.at(gap.since)} to {until}{count}"


def _of_reader(case: Case) -> list[str]:
    """What is in the journal is not lost yet."""
    one = case.first
    buffer = getattr(one.role, "buffer", None) if one else None
    if buffer and buffer.lost.records:
        return [
            f"for {case.subject.name} alone {buffer.lost.samples:,} samples of {buffer.lost.words}: {buffer.why}"
        ]
    if case.kernel.spine.not_stored or case.kernel.engine.state().failed:
        return ["what arrives while nothing is stored; how much is told once it goes on"]
    return ["nothing: what waits is in the journal"]


def _of_qualities(case: Case) -> list[str]:
    since = case.lapsed() or (case.cause.since if case.cause else 0)
    if not since or (case.subject.tag and case.good):
        return ["nothing that can be seen"]
    if case.cause and case.cause.kind is Kind.TAGS and not case.subject.tag:
        return [f"the tags named above, from {case.at(since)} to now"]
    name = case.subject.tag.rpartition("/")[2] or _tags(case)
    return [f"{name} from {case.at(since)} to now"]


def _tags(case: Case) -> str:
    count = sum(len(s.role.tags) for s in case.supervisors() if isinstance(s.role, Source))
    return f"{count} tags"
