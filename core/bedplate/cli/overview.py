"""The screen of `bedplate status`, built from a Status and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from bedplate.cli.missing import share
from bedplate.cli.problems import mark, problems
from bedplate.cli.samples import local
from bedplate.cli.screen import Column, indented, table
from bedplate.shown import age_text, size_text

if TYPE_CHECKING:
    from bedplate.client.commands import WritesStatus
    from bedplate.client.deployments import DeploymentStatus
    from bedplate.client.status import ComponentStatus, ProcessStatus, Status

ANSWERING = {"up", "degraded"}
QUIET = {"off", "set aside", "stopped"}  # silent, and nobody need look


def overview(status: Status, width: int = 0) -> Iterator[Any]:
    """What to print, from top to bottom. width: 0 when nobody counts columns."""
    yield _header(status, width)
    yield from _problems(status, width)
    sources = [c for c in status.components if c.reader is None and c.kind == "connector"]
    readers = [c for c in status.components if c.reader is not None]
    guards = [c for c in status.components if c.kind == "security"]
    names = [*_groups(sources), *_groups(readers), *(p.name for p in status.processes)]
    first = max([12, *map(cell_len, names)])
    second = max([cell_len(c.use) for c in status.components] + [9])
    for block in (
        _connectors(sources, first, second),
        _readers(readers, first, second),
        _guards(guards, first, second),
        _processes(status, first, second),
        _journal(status, first),
        _writes(status, first),
        _audit(status, first),
    ):
        if block is not None:
            yield ""
            yield indented(block)


def _header(status: Status, width: int) -> Text:
    up = (status.now - status.started) / 1e9
    parts = [f"up {age_text(up, precise=True)}", f"bedplate {status.version}"]
    parts[:0] = _deployment(status.deployment)
    if status.deployment_file:
        parts.append(status.deployment_file)
    left = Text.assemble((status.name, "bold"), *(f" · {part}" for part in parts))
    now: datetime = local(status.now)
    right = f"{now:%a %Y-%m-%d %H:%M:%S %Z}"
    if not width:
        return left + Text(f" · {right}")
    gap = width - cell_len(left.plain) - cell_len(right)
    return left + Text(f"{' ' * gap}{right}" if gap > 1 else f"\n{right}", "dim")


def _deployment(one: DeploymentStatus | None) -> Iterator[str]:
    """Which one runs, and since when that is what boots."""
    if one and one.number:
        when = f"{local(one.applied):%Y-%m-%d %H:%M}"
        how = f"run first {when}" if one.by == "run" else f"applied {when} by {one.by}"
        yield f"deployment {one.number}, {how}"


def _problems(status: Status, width: int) -> Iterator[Any]:
    yield ""
    yield from problems(status, width)
    for notice in status.notices:
        yield indented(
            table([Column(), Column(wraps=True)], [(mark(heavy=False), Text(notice, "dim"))])
        )
    aside = [c for c in status.components if c.state in QUIET - {"stopped"}]
    if aside:
        yield indented(table([Column()] * 3, [*_aside(aside)]))


def _aside(components: Sequence[ComponentStatus]) -> Iterator[tuple[Text, ...]]:
    """Grey, and one line for all of an entry that are silent for the same reason."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for one in components:
        found.setdefault((one.group, one.state, one.reason), []).append(one.id)
    for (group, state, reason), ids in found.items():
        name = ids[0] if len(ids) == 1 else f"{len(ids)} of {group}"
        yield Text(name, "dim"), Text(state, "dim"), Text(reason, "dim")


def _groups(components: Sequence[ComponentStatus]) -> dict[str, list[ComponentStatus]]:
    groups: dict[str, list[ComponentStatus]] = {}
    for one in components:
        groups.setdefault(one.group or one.id, []).append(one)
    return groups


def _uses(group: Sequence[ComponentStatus]) -> str:
    return ", ".join(dict.fromkeys(one.use for one in group))


def _connectors(sources: Sequence[ComponentStatus], first: int, second: int) -> Any:
    columns = [
        Column("connectors", width=first),
        Column("use", width=second),
        Column("devices"),
        Column("tags good"),
        Column("samples/s", align="right"),
        Column("quietest", align="right"),
        Column("complete since 00:00", align="right"),
    ]
    rows = [_connector(name, group) for name, group in _groups(sources).items()]
    return table(columns, rows) if rows else None


def _connector(name: str, group: Sequence[ComponentStatus]) -> tuple[Any, ...]:
    answering = sum(one.state in ANSWERING for one in group)
    awake = [one for one in group if one.state not in QUIET]
    tags, good = sum(one.tags for one in awake), sum(one.tags_good for one in awake)
    quietest = max((one.quietest_seconds for one in group if one.state in ANSWERING), default=0.0)
    return (
        name,
        _uses(group),
        _of(answering, len(awake)),
        _of(good, tags),
        f"{sum(one.samples_per_second for one in group):.0f}",
        age_text(quietest) if good else "–",
        _share_complete(group),
    )


def _share_complete(group: Sequence[ComponentStatus]) -> Text:
    """Of all their tags; `bedplate gaps` says what is missing."""
    whole = [one.completeness for one in group if one.completeness]
    due, came = sum(one.expected for one in whole), sum(one.received for one in whole)
    if not due:
        return Text("–")
    return Text(share(came / due), "" if came >= due else "yellow")


def _of(count: int, whole: int) -> Text:
    return Text(f"{count} of {whole}", "" if count >= whole else "yellow")


def _readers(readers: Sequence[ComponentStatus], first: int, second: int) -> Any:
    columns = [
        Column("readers", width=first),
        Column("use", width=second),
        Column("behind"),
        Column(wraps=True),
    ]
    rows = [_reader(name, group) for name, group in _groups(readers).items()]
    return table(columns, rows) if rows else None


def _reader(name: str, group: Sequence[ComponentStatus]) -> tuple[Any, ...]:
    behind = max(one.reader.behind_seconds for one in group if one.reader)
    dropped = sum(one.dropped for one in group)
    states = [one for one in group if one.state != "up"]
    said = [one.detail for one in group if one.detail][:1] if len(group) == 1 else []
    words = [*dict.fromkeys(one.state for one in states), *said]
    words += [f"{dropped:,} samples lost"] if dropped else []
    return (
        name,
        _uses(group),
        age_text(behind),
        Text(" · ".join(words), "yellow" if states or dropped else ""),
    )


def _guards(guards: Sequence[ComponentStatus], first: int, second: int) -> Any:
    columns = [
        Column("security", width=first),
        Column("use", width=second),
        Column("state"),
        Column(wraps=True),
    ]
    rows = [(one.id, one.use, one.state, one.reason if one.state != "up" else "") for one in guards]
    return table(columns, rows) if rows else None


def _processes(status: Status, first: int, second: int) -> Any:
    columns = [
        Column("processes", width=first),
        Column("up", width=second),
        Column("CPU", align="right"),
        Column("memory", align="right"),
        Column("restarts", align="right"),
        Column("isolation"),
    ]
    up = (status.now - status.started) / 1e9
    kernel = (
        "kernel",
        age_text(up),
        _share(status.cpu_seconds, up),
        size_text(status.memory_bytes),
        "",
        "",
    )
    return table(columns, [kernel, *(_process(one, status.now) for one in status.processes)])


def _process(one: ProcessStatus, now: int) -> tuple[Any, ...]:
    up = (now - one.started) / 1e9 if one.started else 0.0
    if one.placement == "remote":
        here = age_text(up) if one.peer else Text("away", "yellow")
        return one.name, here, "", "", str(one.restarts), "remote"
    if not one.pid:
        return one.name, Text("not running", "yellow"), "", "", str(one.restarts), ""
    restarts = Text(str(one.restarts), "yellow" if one.restarts else "")
    return (
        one.name,
        age_text(up),
        _share(one.cpu_seconds, up),
        size_text(one.memory_bytes),
        restarts,
        one.isolation,
    )


def _share(cpu: float, up: float) -> str:
    """Of one core, since the start."""
    return f"{100 * cpu / up:.1f} %" if up > 0 else ""


def _writes(status: Status, first: int) -> Any:
    """Nothing where writes are off by the file and nobody wrote."""
    writes = status.writes
    if writes is None or not (writes.enabled or writes.sent):
        return None
    words = Text("on", "") if writes.enabled else Text("off", "dim")
    if writes.off:
        words = Text(f"off: {writes.off}", "yellow")
    words += Text(f", {writes.sent} since {local(writes.since):%H:%M}")
    if writes.sent:
        words += _outcomes(writes)
    if writes.refused:
        words += Text(f", {writes.refused} not sent", "dim")
    if writes.waiting:
        words += Text(f" · {writes.waiting} for a second person: bedplate write --list", "yellow")
    return table([Column(width=first), Column(wraps=True)], [(Text("writes", "dim"), words)])


def _audit(status: Status, first: int) -> Any:
    if not status.audit:
        return None
    good = status.audit.startswith("chain whole, anchored")
    words = Text(status.audit, "" if good else "yellow")
    return table([Column(width=first), Column(wraps=True)], [(Text("audit", "dim"), words)])


def _outcomes(writes: WritesStatus) -> Text:
    if writes.verified == writes.sent:
        return Text(", all verified" if writes.sent > 1 else ", verified")
    told = Text(f", {writes.verified} verified")
    for count, word in ((writes.mismatch, "mismatch"), (writes.unknown, "unknown")):
        told += Text(f", {count} {word}", "red") if count else Text("")
    return told


def _journal(status: Status, first: int) -> Any:
    journal = status.journal
    waiting = max(0, journal.appended - journal.synced)
    if journal.state not in ("", "synced"):
        state = Text(f"NOT STORED: {journal.state}", "red")
    else:
        state = Text(f"{waiting:,} records on their way to disk" if waiting else "all on disk")
    kept = f", {age_text(journal.oldest_seconds)} kept" if journal.oldest_seconds else ""
    words = Text(f"{size_text(journal.bytes)} {journal.engine}{kept} · ") + state
    if journal.full and journal.full != journal.state:
        words += Text(f" · {journal.full}", "red")
    elif journal.room_seconds:
        words += Text(f" · room for {age_text(journal.room_seconds)}")
    if journal.bytes_written_yearly >= 1e10:
        words += Text(f" · {journal.bytes_written_yearly / 1e12:.2f} TB written a year")
    if lost := journal.gaps:
        words += Text(f" · {lost:,} gaps declared", "yellow")
    return table([Column(width=first), Column(wraps=True)], [(Text("journal", "dim"), words)])
