"""Does what a tutorial says, in its order: writes the files that it shows, types its commands, compares what comes.

A console block named `second` or `third` (a comment above it) is another terminal: its command goes on until the next
one there, or until ^C. What is shown must come, with other numbers; a line with … may have anything there.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.docs.pages import Block, blocks

WITHIN = 60.0  # s for a command
FILES = ("python", "yaml", "toml")
ANYTHING = r"[^\n]*"
NUMBER = r"-?\d+(?:\.\d+)?"


class Walk:
    """One reader, in a folder. port: instead of the one in the page · slower: a command → what is typed instead."""

    def __init__(self, folder: Path, environ: Mapping[str, str], slower: Mapping[str, str]) -> None:
        self.folder = folder
        self.here = folder
        self.environ = dict(environ)
        self.port = free_port()
        self.slower = slower
        self.typed: list[str] = []
        self._terminals: dict[str, subprocess.Popen[str]] = {}

    def follow(self, page: Path) -> None:
        for block in blocks(page, "console", *FILES):
            if block.text.strip() == "^C":
                self._end(block.name)
            elif block.language == "console":
                for command, shown in commands(block):
                    self._type(block.name, command, shown)
            elif block.name:
                self._write(block)

    def _write(self, block: Block) -> None:
        file = self.folder / block.name.removeprefix("docs/examples/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._ported(block.text))

    def _ported(self, text: str) -> str:
        return text.replace("4001", str(self.port))

    def _type(self, terminal: str, command: str, shown: str) -> None:
        self.typed.append(command)
        command = self._ported(self.slower.get(command, command))
        if terminal:
            self._leave(terminal, command, shown)
        elif command.startswith("cd "):
            self.here = self.here / command[3:]
        else:
            self._run(command, shown)

    def _run(self, command: str, shown: str) -> None:
        """Again and again where something runs beside: it may only just have come up."""
        deadline = time.monotonic() + WITHIN
        while True:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=self.here,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=300,
                check=False,
            )
            fits = re.search(pattern(self._ported(shown)), done.stdout)
            expected = bool(done.returncode) == shown.startswith("bedplate: ")
            if fits and expected:
                return
            again = "third" in self._terminals and command.startswith("bedplate")
            if not again or time.monotonic() > deadline:
                raise AssertionError(f"$ {command}\n{done.stdout}\nnot\n{shown}")
            time.sleep(0.2)

    def _leave(self, terminal: str, command: str, shown: str) -> None:
        """Starts it and waits for what is shown, or for anything."""
        self._end(terminal)
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.here,
            env=self.environ | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._terminals[terminal] = process
        assert process.stdout
        first = process.stdout.readline()
        assert re.search(pattern(self._ported(shown)), first), f"$ {command}\n{first}"

    def _end(self, terminal: str) -> None:
        """Ctrl-C."""
        process = self._terminals.pop(terminal, None)
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()

    def end(self) -> None:
        for terminal in list(self._terminals):
            self._end(terminal)


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a console block with what is shown below it."""
    for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown.strip()


def pattern(shown: str) -> str:
    """A regular expression for what is shown."""
    lines = []
    for line in shown.splitlines():
        if line.strip() == "…":
            lines.append(r"[\s\S]*?")
            continue
        parts = re.split(rf"(…|{NUMBER}| +)", line)
        known = {"…": ANYTHING}
        lines.append("".join(known.get(p) or _part(p) for p in parts))
    return r"\s*".join(lines)


def _part(part: str) -> str:
    if re.fullmatch(NUMBER, part):
        return NUMBER
    if part.isspace():
        return r"\s+"
    return re.sub(r"(?<=\w\w)s(?=,|$)", "s?", re.escape(part))  # 4 reads, 1 read


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
