"""What `bedplate audit verify` finds, from files or from a Bedplate, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from bedplate.audit.anchor import anchor_file, compare
from bedplate.audit.checkpoint import NAME as SIGNING
from bedplate.audit.checkpoint import Checkpoint, log_of, read_checkpoints, signer
from bedplate.audit.entry import rfc3339
from bedplate.audit.key_file import KeyFile
from bedplate.audit.verification_key import read_keys, waits
from bedplate.audit.verify import verify
from bedplate.cli.audit_lines import refuse_empty
from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation
from bedplate.shown import plain

LONG = 500


@dataclass
class Verdict:
    """problem: the first thing wrong; empty: none · proved: by what, in words · notes: what should be known."""

    entries: int
    first: int
    last: int
    head: str
    problem: str = ""
    index: int = 0
    file: str = ""
    line: int = 0
    proved: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.problem


def of_bedplate(invocation: Invocation) -> int:
    """As the kernel sees it itself."""
    with invocation.client() as client:
        found = client.verify_audit()
    told = Verdict(found.entries, 0, 0, found.head, found.problem, found.index)
    told.notes = list(found.notes)
    if not found.anchored:
        told.notes.append("nobody else has seen it: audit.anchor, docs/how-to/audit.md")
    told.proved = (
        [f"newest checkpoint that an anchor has: {rfc3339(found.anchored)}"]
        if found.anchored
        else []
    )
    return _tell(invocation, told)


def of_place(
    invocation: Invocation,
    place: Path,
    anchors: Sequence[Path],
    keys: Sequence[Path],
    public: str | None,
) -> int:
    """Of files. Raises BedplateError, OSError."""
    refuse_empty(place)
    stands = KeyFile(place).load() if place.is_dir() else None
    seen = {path: list(_seen(path, place, public)) for path in anchors}
    wanted = {one.index for found in seen.values() for one in found}
    given = [key for path in keys for key in read_keys(path)]
    report = verify(place, keys=given, wanted=wanted, stands=stands, live=place.is_dir())
    problem = report.problem
    for path, found in seen.items():
        other = compare(report, found, str(path))
        if other and (problem is None or 0 < other.index < problem.index):
            problem = other
    told = Verdict(report.entries, report.first, report.last, report.head)
    if problem:
        told.problem, told.index = problem.text, problem.index
        told.file, told.line = problem.file, problem.line
    told.notes = report.notes
    if place.is_dir() and waits(place):
        told.notes.append(
            "the verification key lies beside the log, so MACs prove nothing: bedplate audit key FILE"
        )
    if public is None:
        told.notes.extend(_by_its_own_key(place, anchors))
    if problem is None:  # of a log that is not whole nothing is proved
        told.proved = [*_proved(report.keyed, stands is not None, seen)]
    return _tell(invocation, told)


def _by_its_own_key(place: Path, anchors: Sequence[Path]) -> Iterator[str]:
    """Who can write the log can replace the key that lies beside it."""
    for path in anchors:
        ours = anchor_file(path, signer(place).log)
        there = sorted(path.glob(anchor_file(path, "*").name)) if path.is_dir() else []
        others = [one.stem.rpartition("-")[2] for one in there if one != ours]
        told = f"; {path} has checkpoints of other logs too: {', '.join(others[:10])}"
        yield (
            "the key of the checkpoints was taken from beside the log, where it may have been replaced: "
            f"--public HEX with the one that was noted down{told if others else ''}"
        )


def _seen(anchor: Path, place: Path, public: str | None) -> Iterator[Checkpoint]:
    if public is None:
        if not (place / SIGNING).exists():
            raise click.UsageError("--public HEX says by which key the checkpoints are signed")
        public = signer(place).public
    try:
        log = log_of(public)
        if len(bytes.fromhex(public)) != 32:
            raise ValueError
    except ValueError:
        raise click.UsageError(
            f"--public {plain(public)} is no public key: 64 hex digits"
        ) from None
    file = anchor_file(anchor, log)
    if anchor.is_dir() and not file.exists():
        return  # the place is there, and has seen nothing of this log
    yield from read_checkpoints(file, public)


def _proved(keyed: int, stands: bool, seen: dict[Path, list[Checkpoint]]) -> Iterator[str]:
    if keyed:
        yield f"{keyed:,} MACs by the verification key"
    if stands:
        yield "the key on disk stands where the log ends"
    for path, found in seen.items():
        newest = f", the newest of {found[-1].time}" if found else ""
        yield f"{len(found):,} checkpoints of {path}{newest}"


def _tell(invocation: Invocation, told: Verdict) -> int:
    code = Exit.DONE if told.whole else Exit.PROBLEMS
    if invocation.json:
        row: dict[str, Any] = {"whole": told.whole, **vars(told)}
        click.echo(json.dumps(row))
        return code
    screen = invocation.screen
    if told.problem:
        where = f"{told.file}:{told.line}  " if told.line else f"{told.file}  " if told.file else ""
        screen.show(Text(f"✖ {where}entry {told.index}: {plain(told.problem, LONG)}", "red"))
    else:
        span = f", {told.first} to {told.last}" if told.last else ""
        screen.show(Text(f"✔ {told.entries:,} entries{span}: whole", "green"))
        screen.show(f"  head      {told.head}")
    for text in told.proved if told.whole else ():
        screen.show(f"  proved    {text}")
    for text in told.notes:
        screen.show(f"  note      {plain(text, LONG)}")
    return code
