"""Is a log what the kernel wrote? Finds the first entry that is not, and says by file, line and number what is wrong.

By itself a chain shows what was edited, taken out, put in or moved. That its end was cut off, or all of it written
anew, shows by the key on disk, by the verification key, or by a checkpoint that somebody else keeps. Blocking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bedplate.audit.chain import GENESIS, Link, link, mac_of
from bedplate.audit.files import CURRENT, files_of
from bedplate.audit.key_file import Key
from bedplate.audit.tail import BEGIN, FIRST, MISSING, TORN, action_of, numbered, segment_of


@dataclass(frozen=True, slots=True)
class Problem:
    """The first thing wrong. line: of the file, from 1; 0: the file as a whole · index: number of the entry."""

    file: str
    line: int
    index: int
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}  entry {self.index}: {self.text}"


@dataclass(slots=True)
class Report:
    """entries: looked at · first, last: their numbers · head: hash of the last · notes: what is no problem and should
    be known · segments: runs of keys, with the first line of each · keyed: entries whose MAC was checked."""

    entries: int = 0
    first: int = 0
    last: int = 0
    head: str = ""
    problem: Problem | None = None
    notes: list[str] = field(default_factory=list)
    segments: dict[str, int] = field(default_factory=dict)
    keyed: int = 0
    hashes: dict[int, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return self.problem is None


@dataclass(frozen=True, slots=True)
class _Place:
    """A line where it stands."""

    file: str
    number: int
    at: int


class Walk:
    """Goes through the files once. keys: verification keys, for MACs · wanted: entries whose hash is kept ·
    partial: an export, which may begin anywhere."""

    def __init__(
        self, keys: Iterable[Key] = (), wanted: Iterable[int] = (), *, partial: bool = False
    ) -> None:
        self.report = Report()
        self._partial = partial
        self._keys = {key.segment: key for key in keys}
        self._checks = bool(self._keys)
        self._key: Key | None = None
        self._wanted = set(wanted)
        self._head, self._index = GENESIS, 0
        self._plain, self._plain_bytes = hashlib.sha256(), 0
        self._removed: set[tuple[int, str]] = set()
        self._opening: tuple[int, str, _Place] | None = None
        self._unlike: tuple[int, _Place] | None = None
        self._loose: tuple[int, _Place] | None = None  # a line of a chain without its beginning

    def file(self, name: str, content: bytes) -> None:
        """The next file, all of it. Stops at the first problem."""
        skip = 0
        for number, (at, line) in enumerate(numbered(content), 1):
            if self.report.problem:
                return
            if at < skip:
                continue
            place, found = _Place(name, number, at), link(line)
            if not self._index and not self._begins(found):
                self._take_plain(place, found, content[at : at + len(line) + 1])
            elif found is None or not found.sound or not _ended(content, at, line):
                skip = self._torn(place, found, content)
            else:
                self._follow(place, found)

    def end(self) -> Report:
        """What can be said only at the end."""
        report = self.report
        if self._opening and not report.problem:
            index, head, place = self._opening
            if (index - 1, head) not in self._removed:
                self._wrong(
                    place, index, f"entries 1 to {index - 1} are missing, and nothing says why"
                )
        if self._unlike and not any(i >= self._unlike[0] for i, _ in self._removed):
            text = "what stands before it was changed, put there or taken away"
            place = self._unlike[1]
            report.problem = Problem(place.file, place.number, self._unlike[0], text)
        if self._loose and not report.entries and not report.problem:
            self._wrong(self._loose[1], self._loose[0], "the entries before it are missing")
        elif not report.entries and not report.problem and self._plain_bytes:
            report.notes.append("no chain: written by a version that had none")
        report.head, report.last = self._head if report.entries else "", self._index
        return report

    def _begins(self, found: Link | None) -> bool:
        if found is None:
            return False
        return self._partial or (found.sound and action_of(found) in FIRST)

    def _take_plain(self, place: _Place, found: Link | None, content: bytes) -> None:
        if found and not self._loose:
            self._loose = found.index, place
        self._plain.update(content)
        self._plain_bytes += len(content)

    def _torn(self, place: _Place, found: Link | None, content: bytes) -> int:
        """Bytes that are no line of the chain are none of it only where the next line says so. Returns their end."""
        for at, line in numbered(content[place.at :]):
            after = link(line)
            if (
                at
                and after
                and after.sound
                and after.canonical
                and after.prev == self._head
                and action_of(after) == TORN
            ):
                rest = content[place.at : place.at + at]
                if _told(after.fields().get("torn"), rest):
                    self.report.notes.append(
                        f"{place.file}:{place.number}  {after.fields()['text']}"
                    )
                    return place.at + at
        index = found.index if found else self._index + 1
        text = (
            "edited: its content is not what its hash says"
            if found
            else "this is no line of the log"
        )
        self._wrong(place, index, text)
        return 0

    def _follow(self, place: _Place, found: Link) -> None:
        if not self._index:
            self._first(place, found)
        elif text := self._astray(found):
            self._wrong(place, found.index, text)
        elif not found.canonical:
            self._wrong(place, found.index, "not written as the kernel writes")
        if self.report.problem:
            return
        try:
            self._special(place, found)
        except (ValueError, KeyError, TypeError, AttributeError):
            self._wrong(place, found.index, "its fields are not those of such a line")
        if not self.report.problem:
            self._check_mac(place, found)
        self._index, self._head = found.index, found.hash
        self.report.entries += 1
        if found.index in self._wanted:
            self.report.hashes[found.index] = found.hash

    def _first(self, place: _Place, found: Link) -> None:
        self.report.first = found.index
        if self._partial:
            return
        if found.index > 1:
            self._opening = found.index, found.prev, place
            if self._plain_bytes:
                self._wrong(place, found.index, "something was put before it")
        elif found.prev != GENESIS:
            self._wrong(place, 1, "it is not the beginning of a log")

    def _astray(self, found: Link) -> str:
        expected, index = self._index + 1, found.index
        if found.prev == self._head and index == expected:
            return ""
        if index > expected:
            gone = (
                f"entry {expected} is"
                if index == expected + 1
                else f"entries {expected} to {index - 1} are"
            )
            return f"{gone} missing before it"
        if index < expected:
            return f"it stands behind entry {self._index}: put in, repeated or moved"
        return f"it does not follow from entry {self._index}: one of the two was replaced"

    def _special(self, place: _Place, found: Link) -> None:
        action = action_of(found)
        if action == MISSING:
            self._wrong(place, found.index, str(found.fields()["text"]))
        elif action == "audit.removed":
            through = found.fields().get("through", {})
            self._removed.add((int(through.get("index", 0)), str(through.get("head", ""))))
        elif action == BEGIN:
            self._begin(place, found)
        if (segment := segment_of(found)) and self._key is None:
            self._use(place, found, segment)

    def _begin(self, place: _Place, found: Link) -> None:
        fields, segment = found.fields(), segment_of(found)
        if (
            not self._index
            and not self._partial
            and not _agrees(fields.get("plain"), self._plain_bytes, self._plain)
        ):
            self._unlike = found.index, place  # no problem when the log says that it was removed
        if self._index:
            self.report.notes.append(
                f"{place.file}:{place.number}  entry {found.index}: {fields['text']}"
            )
        self._key = None
        self._use(place, found, segment)

    def _use(self, place: _Place, found: Link, segment: str) -> None:
        self.report.segments.setdefault(segment, found.index)
        if not self._checks:
            return
        key = self._keys.get(segment)
        if key is None or key.index > found.index:
            text = f"from here on by key {segment}, which none of the verification keys is"
            self._wrong(place, found.index, text)
        else:
            self._key = key

    def _check_mac(self, place: _Place, found: Link) -> None:
        if self._key is None and self._checks and not self.report.segments:
            self._guess(place, found)
        if self._key is None:
            return
        self._key = self._key.at(found.index)
        if mac_of(self._key.key, found.hash) != found.mac:
            text = "its MAC is not by the key of the kernel: from here on the log was written anew"
            self._wrong(place, found.index, text)
        self.report.keyed += 1

    def _guess(self, place: _Place, found: Link) -> None:
        """An export may begin where nothing names the key."""
        for key in self._keys.values():
            if (
                key.index <= found.index
                and mac_of(key.at(found.index).key, found.hash) == found.mac
            ):
                self._key = key
                self.report.segments[key.segment] = found.index
                return
        self._wrong(place, found.index, "its MAC is by none of the verification keys")

    def _wrong(self, place: _Place, index: int, text: str) -> None:
        if not self.report.problem:
            self.report.problem = Problem(place.file, place.number, index, text)


def verify(
    place: Path,
    *,
    keys: Sequence[Key] = (),
    wanted: Iterable[int] = (),
    stands: Key | None = None,
    live: bool = False,
    most: int = 0,
) -> Report:
    """place: the folder of a log, or a file that was exported. stands: the key that lay beside the log before it was
    read; it tells when the end was cut off · live: the kernel is writing, so an unfinished line is none · most:
    so many of the newest files; 0: all.

    Raises OSError."""
    every = files_of(place)
    files = every[-most:]
    walk = Walk(keys, wanted, partial=not place.is_dir() or len(files) < len(every))
    for path in files:
        content = path.read_bytes()
        if live and path.name == CURRENT:
            content = content[: content.rfind(b"\n") + 1]
        walk.file(path.name, content)
    report = walk.end()
    if not report.problem and place.is_dir():
        report.problem = _ahead(files, report, stands, keys)
    return report


def _ahead(
    files: Sequence[Path], report: Report, stands: Key | None, keys: Sequence[Key]
) -> Problem | None:
    """By the key on disk, which goes on after each line and never back."""
    name = files[-1].name if files else CURRENT
    last = report.last
    if stands and stands.index > last + 1:
        gone = f"entries {last + 1} to {stands.index - 1}"
        text = f"{gone} are missing at the end: the key on disk has gone on past them"
        return Problem(name, 0, last + 1, text)
    if stands and keys and all(key.segment != stands.segment for key in keys):
        text = f"the key on disk is of run {stands.segment}, which none of the verification keys is"
        return Problem(name, 0, last, text)
    if keys and stands is None:
        report.notes.append("no key lies on disk: an end that was cut off would not be seen")
    first = next((key for key in keys if stands and key.segment == stands.segment), None)
    if stands and first and first.at(stands.index).key != stands.key:
        return Problem(
            name, 0, last, "the key on disk is not the one that follows from the verification key"
        )
    return None


def _ended(content: bytes, at: int, line: bytes) -> bool:
    return at + len(line) < len(content)


def _told(described: object, rest: bytes) -> bool:
    """rest: may have got a line end, so that the next line begins on its own."""
    if not isinstance(described, Mapping):
        return False
    known = (described.get("bytes"), described.get("sha256"))
    return any(
        known == (len(one), hashlib.sha256(one).hexdigest())
        for one in (rest, rest.removesuffix(b"\n"))
    )


def _agrees(described: object, size: int, sha: hashlib._Hash) -> bool:
    if described is None:
        return size == 0
    if not isinstance(described, Mapping):
        return False
    return (described.get("bytes"), described.get("sha256")) == (size, sha.hexdigest())
