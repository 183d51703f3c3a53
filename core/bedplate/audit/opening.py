"""What a start makes of the log it finds: where it goes on, with which key, and what it has to say about it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bedplate.audit.chain import link
from bedplate.audit.entry import Entry
from bedplate.audit.key_file import Key, KeyFile
from bedplate.audit.tail import (
    BEGIN,
    FIRST,
    MISSING,
    SEALED,
    STOP,
    TORN,
    Tail,
    action_of,
    described,
    last_sound,
    tail_of,
)
from bedplate.audit.verification_key import put_key
from bedplate.strict_json import loads
from bedplate.version import __version__

RESTORED = "restored.json"  # put there by `bedplate backup restore`
Note = tuple[Entry, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Opening:
    """tail: what the next line follows · key: None when a new run of keys has to begin · why: it has to · torn: bytes
    at the end that are no line · gone: lines that were taken away, by the key · damaged: the file does not hang
    together · after: file that was put aside, when a new one begins · plain: size and SHA-256 of what has no chain."""

    tail: Tail
    key: Key | None
    why: str = ""
    torn: bytes = b""
    gone: int = 0
    damaged: bool = False
    after: str = ""
    plain: tuple[int, str] = (0, "")

    @staticmethod
    def of(content: bytes, sealed: Sequence[Path], key: Key | None, folder: Path) -> Opening:
        """content: of the current file · sealed: the others. Raises OSError."""
        before = None if _begins(content) else _before(sealed)
        tail, damaged = tail_of(content, before), False
        torn = tail.rest
        if key is None or key.index > tail.index + 1:
            last = last_sound(content)
            if last.index > tail.index:
                tail, damaged, torn = last, True, last.rest
        why, plain = "", (0, "")
        if not tail.index and key and key.index > 1:
            tail, torn = replace(tail, segment=key.segment), b""  # all of it was taken away
        if not tail.index and not (key and key.index > 1):
            why, plain, torn = "the log begins", _plain(content, sealed), b""
        elif (folder / RESTORED).exists():
            why = _restored(folder)
        elif key is None:
            why = "its key was lost"
        elif key.segment != tail.segment:
            why = "its key was another one"
        gone = max(0, key.index - tail.index - 1) if key and not why else 0
        used = None if why or not key else key.at(max(key.index, tail.index + 1))
        after = sealed[-1].name if sealed and not content and tail.index else ""
        return Opening(tail, used, why, torn, gone, damaged, after, plain)

    def notes(self) -> Iterator[Note]:
        """What stands in the log before anything else, without the begin of a run and of the kernel."""
        if self.after:
            text = f"goes on after {self.after}, which ends with line {self.tail.index}"
            sealed = {"segment": self.tail.segment, "sealed": self.after}
            yield Entry(SEALED, "noted", resource=self.after, text=text), sealed
        if self.torn:
            text = f"{len(self.torn)} bytes at the end of the log were no line: torn by a power cut"
            yield Entry(TORN, "noted", text=text), {"torn": described(self.torn)}
        if self.damaged:
            text = "the log does not hang together: bedplate audit verify says where"
            yield Entry("audit.damaged", "noted", text=text), {}
        if self.gone:
            first, last = self.tail.index + 1, self.tail.index + self.gone
            text = f"lines {first} to {last} were taken away: the key had gone on to {last + 1}"
            yield Entry(MISSING, "noted", text=text), {}

    def start(self, told: str) -> Entry:
        """The first thing a kernel says."""
        how = "in order" if self.tail.action == STOP else "not in order: killed, or a power cut"
        if not self.tail.index:
            text = f"Bedplate {__version__} starts{f' {told}' if told else ''}; for the first time"
            return Entry("audit.start", "noted", text=text)
        last = f"the last stop was {how}"
        text = f"Bedplate {__version__} starts{f' {told}' if told else ''}; {last}; head {self.tail.head}"
        return Entry("audit.start", "noted", text=text)


def begin(
    opening: Opening, keys: KeyFile, folder: Path, random: Callable[[int], bytes]
) -> tuple[Key, Entry, dict[str, Any]]:
    """A run of keys, from the next line on. Its first one lies where `bedplate audit key` takes it. Raises OSError."""
    key = Key(random(8).hex(), opening.tail.index + 1, random(32))
    put_key(folder, key)
    keys.begin(key)
    text, more = opening.why, {"segment": key.segment}
    size, sha = opening.plain
    if size:
        text += f" after {size} bytes that are no chain, as an earlier version wrote; they are kept"
        return (
            key,
            Entry(BEGIN, "noted", text=text),
            more | {"plain": {"bytes": size, "sha256": sha}},
        )
    return (
        key,
        Entry(BEGIN, "noted", text=f"{text}; the lines from here on have a key of their own"),
        more,
    )


def _begins(content: bytes) -> bool:
    """It names by itself what it follows."""
    first = link(content[: content.find(b"\n")])
    return first is not None and first.sound and action_of(first) in FIRST


def _before(sealed: Sequence[Path]) -> Tail | None:
    """Where the file before the current one ended; a beginning that is torn is judged by the one before that."""
    if not sealed:
        return None
    last = sealed[-1].read_bytes()
    found = tail_of(last, None if _begins(last) else _before(sealed[:-1]))
    return replace(found, rest=b"") if found.index else None


def _plain(content: bytes, sealed: Sequence[Path]) -> tuple[int, str]:
    """Size and SHA-256 of what there is without a chain."""
    sha, size = hashlib.sha256(), 0
    for path in sealed:
        older = path.read_bytes()
        sha.update(older)
        size += len(older)
    if content and not content.endswith(b"\n"):
        content += b"\n"  # which is put there before the chain begins
    sha.update(content)
    return size + len(content), sha.hexdigest()


def _restored(folder: Path) -> str:
    try:
        found = loads((folder / RESTORED).read_text())
        return f"restored from the backup {found['backup']} of {found['made']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "restored from a backup"
