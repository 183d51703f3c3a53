"""Where a log ends: what its next line follows. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bedplate.audit.chain import GENESIS, Link, link

TORN, MISSING, BEGIN, SEALED, STOP = (
    "audit.torn",
    "audit.missing",
    "audit.begin",
    "audit.sealed",
    "audit.stop",
)
FIRST = frozenset({BEGIN, SEALED, MISSING})  # what a file begins with
_SEGMENT = re.compile(rb',"segment":"([0-9a-f]{16})"')
_ACTION = re.compile(rb',"action":"([a-z._]+)"')


@dataclass(frozen=True, slots=True)
class Tail:
    """index, head, segment, action: of the last line of the chain; 0, zeros and "" for none · rest: what lies behind it
    and is no line of it."""

    index: int = 0
    head: str = GENESIS
    segment: str = ""
    action: str = ""
    rest: bytes = b""


def numbered(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Where each line begins, and the line without its end."""
    at = 0
    while at < len(content):
        end = content.find(b"\n", at)
        end = len(content) if end < 0 else end
        yield at, content[at:end]
        at = end + 1


def tail_of(content: bytes, before: Tail | None = None) -> Tail:
    """By following the chain from the first line: what does not follow is the rest. before: of the file before."""
    tail = before or Tail()
    index, head, segment, action = tail.index, tail.head, tail.segment, tail.action
    end = plain = 0
    began = False
    for at, line in numbered(content):
        found = link(line)
        if found is None or not found.sound:
            continue
        if not began and not index:
            if action_of(found) not in FIRST:
                continue
            began, head, index, plain = True, found.prev, found.index - 1, at
        if found.prev != head or found.index <= index:
            continue  # behind a hole; a line that tells of the hole follows the one before it
        index, head, action = found.index, found.hash, action_of(found)
        segment = segment_of(found) or segment
        end = at + len(line) + 1
    rest = content[end or plain :] if index else b""
    return Tail(index, head, segment, action, rest)


def last_sound(content: bytes) -> Tail:
    """The last line that is whole by itself, whatever lies before it."""
    segment, last = "", Tail()
    for at, line in numbered(content):
        found = link(line)
        if found and found.sound:
            segment = segment_of(found) or segment
            end = at + len(line) + 1
            last = Tail(found.index, found.hash, segment, action_of(found), content[end:])
    return last


def segment_of(found: Link) -> str:
    """Of a line that names one; empty for others. A text can't look like it: its quotes are escaped."""
    match = _SEGMENT.search(found.record)
    return match[1].decode() if match else ""


def action_of(found: Link) -> str:
    match = _ACTION.search(found.record)
    return match[1].decode() if match else ""


def described(rest: bytes) -> dict[str, object]:
    """Bytes that are no line of the chain, so that `verify` knows them again."""
    return {"bytes": len(rest), "sha256": hashlib.sha256(rest).hexdigest()}
