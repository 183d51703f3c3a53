"""The file of a recorded conversation: a header and then one fact a line, all JSON.

    {"bedplate_capture": 1, "use": …, "settings": …, "tags": …, "endpoints": ["10.0.0.12:502"], …}
    {"t": 0.412, "session": 1}                               the plugin was opened, for the first time
    {"t": 0.431, "open": 1, "to": 0}                         connection 1, to the first endpoint
    {"t": 0.433, "sent": 1, "bytes": "AAEAAAAGAQMAAAAC"}     plugin → device, base64
    {"t": 0.441, "received": 1, "bytes": …}                  device → plugin
    {"t": 0.442, "read": [["temperature", 21.4, "Good", ""]]}  what the plugin made of it
    {"t": 9.1, "close": 1, "by": "device", "why": ""}
    {"t": 9.2, "error": "…"}                                 why a session ended

t: seconds since the start, only for people. Bytes are kept whole, so the file holds what was sent, passwords too: it is
made for its owner alone (0600). Settings hold references to secrets, not secrets.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

from bedplate import strict_json
from bedplate.errors import BedplateError

VERSION = 1
MAX_BYTES = 256 << 20  # of one file
SENT, RECEIVED = "sent", "received"


class Recorder:
    """Writes a recording. full: it holds as much as it may; what comes then is left out."""

    def __init__(
        self, file: Path, header: Mapping[str, Any], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Raises BedplateError when the file is there already or can't be made."""
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise BedplateError(f"{file} is there already; choose another -o FILE") from None
        except OSError as error:
            raise BedplateError(f"{file}: {error.strerror}") from None
        self._stream: BinaryIO = os.fdopen(descriptor, "wb")
        self._clock = clock
        self._began = clock()
        self.size = 0
        self._line({"bedplate_capture": VERSION, **header})

    @property
    def full(self) -> bool:
        return self.size >= MAX_BYTES

    def fact(self, **what: Any) -> None:
        """One line, with its time."""
        if not self.full:
            self._line({"t": round(self._clock() - self._began, 6), **what})

    def data(self, direction: str, connection: int, content: bytes) -> None:
        """Bytes that passed. direction: SENT or RECEIVED."""
        self.fact(**{direction: connection, "bytes": base64.b64encode(content).decode()})

    def _line(self, what: Mapping[str, Any]) -> None:
        line = json.dumps(what, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._stream.write(line)
        self.size += len(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()


@dataclass(slots=True)
class Conversation:
    """One connection. to: index of its endpoint · steps: (SENT or RECEIVED, bytes) in turns, never two of one kind
    in a row · ended_by: plugin, device, or "" while it lasted · why: when it broke."""

    to: int
    steps: list[tuple[str, bytes]] = field(default_factory=list)
    ended_by: str = ""
    why: str = ""

    def add(self, direction: str, content: bytes) -> None:
        if self.steps and self.steps[-1][0] == direction:
            content = self.steps.pop()[1] + content
        self.steps.append((direction, content))

    @property
    def requests(self) -> int:
        return sum(direction == SENT for direction, _ in self.steps)


@dataclass(slots=True)
class Session:
    """One life of the plugin. reads: what each gave, rows of name, value, quality, reason · error: why it ended."""

    reads: list[list[tuple[str, Any, str, str]]] = field(default_factory=list)
    error: str = ""


@dataclass(slots=True)
class Recording:
    """A recording, whole. conversations: by number of the connection, in order."""

    header: Mapping[str, Any]
    sessions: list[Session] = field(default_factory=list)
    conversations: dict[int, Conversation] = field(default_factory=dict)

    @property
    def endpoints(self) -> Sequence[str]:
        return [str(one) for one in self.header["endpoints"]]

    def at(self, endpoint: int) -> list[Conversation]:
        """Those with one endpoint."""
        return [one for one in self.conversations.values() if one.to == endpoint]


def load(file: Path) -> Recording:
    """Reads a recording. A last line that was cut off is left out. Raises BedplateError with the line."""
    try:
        if file.stat().st_size > 2 * MAX_BYTES:
            raise BedplateError(f"{file} is larger than any recording")
        lines = file.read_bytes().split(b"\n")
    except OSError as error:
        raise BedplateError(f"{file}: {error.strerror}") from None
    return parse(lines[:-1], str(file))


def parse(lines: Sequence[bytes], name: str) -> Recording:
    """Whole lines as a recording. Raises BedplateError with the line."""
    read = 0
    try:
        recording = Recording(_header(_fact(lines[0] if lines else b"{}")))
        for line in lines[1:]:
            read += 1
            _take(recording, _fact(line))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        what = str(error) if isinstance(error, ValueError) else "is not understood"
        text = f"{name}:{read + 1}: {what}; recordings are made by `bedplate capture`"
        raise BedplateError(text) from None
    return recording


def _fact(line: bytes) -> dict[str, Any]:
    try:
        fact = strict_json.loads(line, nan=True)
    except ValueError:
        fact = None
    if not isinstance(fact, dict):
        raise ValueError("is no JSON object")
    return fact


def _header(found: dict[str, Any]) -> dict[str, Any]:
    version = found.get("bedplate_capture")
    if version is None:
        raise ValueError("this is no recording")
    if version != VERSION:
        raise ValueError(f"a recording of form {version}; this Bedplate reads form {VERSION}")
    kinds = {"use": str, "settings": dict, "tags": dict, "endpoints": list}
    for key, kind in kinds.items():
        if not isinstance(found.get(key), kind):
            raise ValueError(f"the header has no {key}")
    return found


def _take(recording: Recording, fact: dict[str, Any]) -> None:
    for direction in (SENT, RECEIVED):
        if direction in fact:
            try:
                content = base64.b64decode(fact["bytes"], validate=True)
            except binascii.Error:
                raise ValueError("bytes that are no base64") from None
            recording.conversations[fact[direction]].add(direction, content)
            return
    if "open" in fact:
        recording.conversations[int(fact["open"])] = Conversation(int(fact["to"]))
    elif "close" in fact:
        ended = recording.conversations[fact["close"]]
        ended.ended_by, ended.why = str(fact["by"]), str(fact["why"])
    elif "session" in fact:
        recording.sessions.append(Session())
    elif "read" in fact:
        rows = [(str(name), value, str(q), str(why)) for name, value, q, why in fact["read"]]
        recording.sessions[-1].reads.append(rows)
    elif "error" in fact and recording.sessions:
        recording.sessions[-1].error = str(fact["error"])
