"""The contracts as a page: every service, call, message, field and enum value of protos/, with its comment.

The files are read as text: they are written in one form (buf lint), and a comment stands above or behind what it is
about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.pages import ROOT, table

ORDER = ("plugin", "connector", "analytic", "security", "record", "api")
_RPC = re.compile(r"rpc (\w+)\((stream )?([\w.]+)\) returns \((stream )?([\w.]+)\);")
_FIELD = re.compile(r"(?:(repeated) )?(map<[^>]+>|[\w.]+) (\w+) = (\d+);(?: // (.*))?")
_VALUE = re.compile(r"([A-Z][A-Z0-9_]*) = (\d+);(?: // (.*))?")


@dataclass
class Part:
    """A service, message or enum. rows: (what, type or number, comment)."""

    kind: str
    name: str
    about: str
    rows: list[tuple[str, str, str]] = field(default_factory=list)


def parts(file: Path) -> list[Part]:
    """What a file declares, in its order."""
    found: list[Part] = []
    above: list[str] = []
    oneof = ""
    for line in map(str.strip, file.read_text().splitlines()):
        if line.startswith("//"):
            above.append(line.removeprefix("//").strip())
            continue
        if head := re.fullmatch(r"(service|message|enum) (\w+) \{(\}?)", line):
            found.append(Part(head[1], head[2], " ".join(above)))
        elif started := re.fullmatch(r"oneof (\w+) \{", line):
            oneof = started[1]
        elif line == "}":
            oneof = ""
        elif found:
            found[-1].rows += _row(line, " ".join(above), oneof)
        above = []
    return found


def _row(line: str, above: str, oneof: str) -> Iterator[tuple[str, str, str]]:
    if call := _RPC.fullmatch(line):
        shape = f"{call[2] or ''}{call[3]} → {call[4] or ''}{call[5]}"
        yield call[1], shape, above
    elif found := _FIELD.fullmatch(line):
        kind = f"{found[1]} {found[2]}" if found[1] else found[2]
        told = found[5] or above
        yield f"{found[3]} = {found[4]}", kind, f"one of `{oneof}`: {told}" if oneof else told
    elif value := _VALUE.fullmatch(line):
        yield f"{value[1]} = {value[2]}", "", value[3] or above


def files() -> dict[str, Path]:
    """area → its file."""
    return {area: ROOT / "protos/bedplate" / area / "v1" / f"{area}.proto" for area in ORDER}


def contracts() -> str:
    return "\n".join(line for area, file in files().items() for line in _file(area, file))


def _file(area: str, file: Path) -> Iterator[str]:
    yield f"## bedplate.{area}.v1\n"
    for part in parts(file):
        yield f"### {part.kind} {part.name}\n\n{part.about}\n"
        titles = {"service": ["call", "", ""], "message": ["field", "type", ""]}
        if part.rows:
            rows = [
                (f"`{what}`", f"`{kind}`" if kind else "", about) for what, kind, about in part.rows
            ]
            yield table(titles.get(part.kind, ["value", "", ""]), rows)
