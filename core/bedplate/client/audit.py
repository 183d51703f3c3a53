"""Lines of the audit log, and whether it is whole, as values of Python."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from bedplate.api.v1 import audit_pb2
from bedplate.client.span import Length, Moment, length, moment


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line. index: rises by one through the whole log · time: ns UTC · verdict: allowed, refused or noted · who:
    identity, empty for nobody the kernel knows · method: how that was proved · rule: what decided · text: more, for
    people · credential: fingerprint · correlation: id of the command or deployment it belongs to · hash: of the line,
    hex · mono: monotonic clock of the machine, s · clock: synced, unsynced or unknown · line: as it stands in the log,
    empty unless it was asked for."""

    index: int
    time: int
    action: str
    verdict: str
    who: str
    method: str
    peer: str
    resource: str
    rule: str
    text: str
    credential: str
    correlation: str
    hash: str
    mono: str
    clock: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """problem: the first thing wrong, in words; empty: none · index: where · anchored: ns UTC of the newest checkpoint
    that an anchor has taken, 0: none · public_key: of the checkpoints, hex."""

    whole: bool
    entries: int
    problem: str
    index: int
    head: str
    anchored: int
    notes: tuple[str, ...]
    public_key: str


NAMES = tuple(field.name for field in fields(AuditEntry))


def request(now: int, since: Moment | Length | None, until: Moment | None, **asked_for: Any) -> Any:
    """asked_for: the other fields of the request. Raises ValueError for a time that can't be read."""
    asked = audit_pb2.ListAuditRequest(**asked_for)
    setattr(asked, "from", moment_of(since, now))
    asked.to = moment_of(until, now)
    return asked


def moment_of(word: Moment | Length | None, now: int) -> int:
    """ns UTC of a moment, or of so long before now; 0 for none. Raises ValueError."""
    if word is None:
        return 0
    try:
        return now - length(word)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return moment(word, now)  # type: ignore[arg-type]


def entry_of(one: Any) -> AuditEntry:
    return AuditEntry(**{name: getattr(one, name) for name in NAMES})


def report_of(one: Any) -> AuditReport:
    return AuditReport(
        *(one.whole, one.entries, one.problem, one.index, one.head, one.anchored),
        notes=tuple(one.notes),
        public_key=one.public_key,
    )
