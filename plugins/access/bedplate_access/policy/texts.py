"""Policy files as single policies, each with the place where it stands, so that a mistake is told at its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path

READY_MADE = "ready_made.cedar"
LARGEST = 1 << 20  # bytes of a file


class Broken(Exception):
    """Policies that can't be used: `text` says where and why, a line each."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One policy. file: as it was named · line: of its first word."""

    file: str
    line: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One file as it was read. digest: SHA-256 of its bytes."""

    name: str
    content: str
    digest: str


def of_bytes(name: str, content: bytes) -> PolicyFile:
    """Raises Broken for what is no text."""
    try:
        return PolicyFile(name, content.decode(), sha256(content).hexdigest())
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Broken(f"{name}:{line}: is no text in UTF-8") from None


def ready_made() -> PolicyFile:
    """The policies of the roles."""
    content = resources.files("bedplate_access.policy").joinpath(READY_MADE).read_bytes()
    return of_bytes(READY_MADE, content)


def read(file: Path) -> PolicyFile:
    """Raises Broken for a file that can't be read, or is no text."""
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise Broken(f"{file}: {error.strerror or error}") from None
    if len(content) > LARGEST:
        raise Broken(f"{file}: is larger than 1 MiB")
    return of_bytes(str(file), content)


def statements(file: PolicyFile) -> Iterator[Statement]:
    """Its policies: each ends with a semicolon outside of texts and comments."""
    text, begin, at = file.content, 0, 0
    while at < len(text):
        if text.startswith("//", at):
            at = _after(text, "\n", at)
        elif text[at] == '"':
            at = _end_of_text(text, at)
        elif text[at] == ";":
            yield _statement(file, begin, at + 1)
            begin = at = at + 1
        else:
            at += 1
    rest = _statement(file, begin, len(text))
    if rest.text:
        yield rest


def _statement(file: PolicyFile, begin: int, end: int) -> Statement:
    """Without what stands before its first word."""
    text = file.content
    while begin < end:
        if text.startswith("//", begin):
            begin = min(end, _after(text, "\n", begin))
        elif text[begin].isspace():
            begin += 1
        else:
            break
    return Statement(file.name, text.count("\n", 0, begin) + 1, text[begin:end])


def _after(text: str, what: str, at: int) -> int:
    found = text.find(what, at)
    return len(text) if found < 0 else found + 1


def _end_of_text(text: str, at: int) -> int:
    at += 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at + 1
