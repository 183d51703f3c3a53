"""What `bedplate doctor journal` shows: a survey for people, records for tools."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bedplate.cli.output import iso, json_value, tree
from bedplate.cli.samples import day
from bedplate.cli.screen import Column, table
from bedplate.journal.engine import Loss
from bedplate.journal.gap import words_of_loss
from bedplate.journal.survey import Survey
from bedplate.journal.taking_out import Taken
from bedplate.model import quality
from bedplate.shown import size_text

TOLD = 20  # losses that are told one by one
Rows = Iterable[Taken | Loss]


def _write_lines(rows: Rows) -> list[Loss]:
    """One document a line. Returns what could not be read."""
    lost: list[Loss] = []
    for row in rows:
        if not isinstance(row, Taken):
            lost.append(row)
            continue
        line: dict[str, Any] = {"stream": row.stream, "epoch": row.epoch, "seq": row.seq}
        line |= {"position": row.position, "received": iso(row.received), "kind": row.kind}
        if row.kind == "batch":
            line["samples"] = [
                [path, iso(time), json_value(value), quality.name(code)]
                for path, time, value, code in row.samples
            ]
        else:
            line[row.kind] = tree(row.body)
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    return lost


def _write_csv(rows: Rows) -> list[Loss]:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["path", "time", "value", "quality", "received", "stream", "epoch", "seq"])
    lost: list[Loss] = []
    for row in rows:
        if not isinstance(row, Taken):
            lost.append(row)
            continue
        tail = [iso(row.received), row.stream, row.epoch, row.seq]
        for path, time, value, code in row.samples:
            out.writerow([path, iso(time), json_value(value), quality.name(code), *tail])
    return lost


WRITERS: dict[str, Callable[[Rows], list[Loss]]] = {"jsonl": _write_lines, "csv": _write_csv}


def losses_told(losses: Iterable[Loss]) -> Iterator[str]:
    losses = list(losses)
    yield from (words_of_loss(loss) for loss in losses[:TOLD])
    if len(losses) > TOLD:
        yield f"and {len(losses) - TOLD:,} more"


def as_json(found: Survey) -> dict[str, Any]:
    told: dict[str, Any] = tree(found)
    return {"sound": found.sound} | told | {"path": str(found.path)}


def told(found: Survey) -> Iterator[Any]:
    """For people: what there is, then what is wrong with it."""

    owner = f"in use by process {found.owner}" if found.owner else "no Bedplate has it"
    yield f"{found.path} · format {found.format} · {owner}"
    log = f", {size_text(found.log)} of log beside it" if found.log else ""
    yield f"{size_text(found.bytes)}, {size_text(found.free)} of them free{log}"
    span = f", positions {found.first:,} to {found.last:,}" if found.records else ""
    yield f"{found.records:,} records with {found.samples:,} samples in {len(found.epochs)} epochs{span}"
    if found.streams:
        columns = [Column("stream"), *(Column(t, "right") for t in ("records", "samples", "gaps"))]
        rows = [
            (name, f"{s.records:,}", f"{s.samples:,}", f"{s.gaps:,}", day(s.first), day(s.last))
            for name, s in sorted(found.streams.items())
        ]
        yield ""
        yield table([*columns, Column("from"), Column("to")], rows)
    if found.cursors:
        reading = [
            (name, f"{at:,}", f"{max(0, found.last - at):,}", size_text(found.states.get(name, 0)))
            for name, at in found.cursors.items()
        ]
        titles = ("cursor", "behind", "states")
        yield ""
        yield table([Column("reader"), *(Column(t, "right") for t in titles)], reading)
    yield ""
    yield from _verdict(found)


def _verdict(found: Survey) -> Iterator[str]:
    for name in found.broken:
        yield f"  moved aside before: {name}"
    for line in losses_told(found.declared):
        yield f"  declared: {line}"
    for trouble in found.troubles[:TOLD]:
        yield f"✖ {trouble}"
    for line in losses_told(found.unknown):
        yield f"✖ {line}"
    if found.sound:
        yield "✔ sound: every record is what was written"
    else:
        yield "  do: stop Bedplate, then `bedplate doctor journal repair`; its next start does the same"
