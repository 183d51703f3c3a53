"""The program that a plugin folder names in [run]: found, and held against this machine, without being started.

What can be seen from outside is told before anything runs: a program that is not there, that nobody may execute, that
was built for another processor, or whose interpreter is missing.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path

from bedplate.errors import AdmissionError

# e_machine of ELF headers (gABI, chapter 4) by what `uname -m` says
_MACHINES = {"x86_64": 62, "aarch64": 183, "armv7l": 40, "armv6l": 40, "i686": 3, "riscv64": 243}
_NAMES = {62: "x86_64", 183: "aarch64", 40: "32-bit ARM", 3: "32-bit x86", 243: "riscv64"}


def program(command: Sequence[str], folder: Path) -> tuple[str, ...]:
    """The command with its places filled in: what begins with `./`, and every later word that names a file of the
    folder, is that file. Raises AdmissionError with one sentence that says what to do."""
    first, *words = command
    file = _found(first, folder)
    if problem := unfit(file):
        raise AdmissionError(f"[run] command: {problem}")
    return *_through_env(file), *(_word(word, folder) for word in words)


def unfit(file: Path) -> str:
    """Why this machine can't run a program; empty when nothing speaks against it."""
    if not file.is_file():
        return f"{file} is no file"
    if not os.access(file, os.X_OK):
        return f"{file} is not executable; chmod +x {file.name}"
    try:
        with file.open("rb") as stream:
            head = stream.read(256)
    except OSError:
        return ""  # what may be run need not be readable
    if head.startswith(b"\x7fELF"):
        return _processor(file, head)
    return _interpreter(file) if head.startswith(b"#!") else ""


def _found(first: str, folder: Path) -> Path:
    if "/" in first:
        file = Path(os.path.normpath(folder / first))
        if not file.exists():
            raise AdmissionError(f"[run] command: there is no {file}")
        return file
    found = shutil.which(first)
    if found is None:
        beside = (
            f"; for the file in its folder write ./{first}" if (folder / first).exists() else ""
        )
        raise AdmissionError(
            f"[run] command: no program `{first}` is on PATH{beside or '; install it'}"
        )
    return Path(found).absolute()


def _word(word: str, folder: Path) -> str:
    file = folder / word
    if word.startswith("./") and not file.exists():
        raise AdmissionError(f"[run] command: there is no {file}")
    inside = not os.path.isabs(word) and ".." not in Path(word).parts
    return os.path.normpath(file) if inside and (word.startswith("./") or file.is_file()) else word


def _through_env(file: Path) -> tuple[str, ...]:
    """A script that begins with `#!/usr/bin/env node` is started as `node script` at once: a confined plugin may become
    one program, and env would be it."""
    words = _first_line(file)
    if not words or Path(words[0]).name != "env":
        return (str(file),)
    rest = words[2:] if words[1:2] == ["-S"] else words[1:]
    found = shutil.which(rest[0]) if rest and "=" not in rest[0] else None
    return (found, *rest[1:], str(file)) if found else (str(file),)


def _first_line(file: Path) -> list[str]:
    """The words after #!, as they may stand on a terminal."""
    try:
        with file.open("rb") as stream:
            head = stream.read(256)
    except OSError:
        return []
    if not head.startswith(b"#!"):
        return []
    words = head[2:].split(b"\n")[0].decode("utf-8", "replace").split()
    return ["".join(c if c.isprintable() else "?" for c in word) for word in words]


def _processor(file: Path, head: bytes) -> str:
    mine = platform.machine()
    built = int.from_bytes(head[18:20], "little" if head[5:6] == b"\x01" else "big")
    if mine not in _MACHINES or built == _MACHINES[mine]:
        return ""
    other = _NAMES.get(built, "another processor")
    return f"{file} is built for {other}, and this machine is {mine}; install the build for it"


def _interpreter(file: Path) -> str:
    words = _first_line(file)
    if not words:
        return f"{file} names no interpreter after #! in its first line"
    if not Path(words[0]).exists():
        return f"{file} is run by {words[0]}, which is not there; install it"
    if Path(words[0]).name != "env":
        return ""
    named = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "")
    if named and shutil.which(named) is None:
        return f"{file} is run by `{named}`, which is not on PATH; install it"
    return ""
