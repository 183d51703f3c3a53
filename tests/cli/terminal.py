"""A terminal of a given size for a command line, to see what a person sees."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from dataclasses import dataclass

PROGRAM = [sys.executable, "-c", "from bedplate.cli import program; program()"]
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Seen:
    """raw: with the sequences that colour it; lines: what stands on the screen."""

    code: int
    raw: str

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in CONTROL.sub("", self.raw).replace("\r", "").split("\n")]


def see(
    *arguments: str,
    environ: Mapping[str, str],
    columns: int = 80,
    rows: int = 24,
    until: str = "",
    types: str = "",
) -> Seen:
    """Runs it; with until, types this once that text has appeared, or presses Ctrl-C. Gives up after 30 s."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environ = {"TERM": "xterm-256color", **environ}
    process = subprocess.Popen(
        [*PROGRAM, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environ
    )
    os.close(slave)
    raw = b""
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            try:
                part = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            raw += part
            if until and until in raw.decode(errors="replace"):
                until = ""
                if types:
                    os.write(master, types.encode())
                else:
                    process.send_signal(signal.SIGINT)
        return Seen(process.wait(10), raw.decode())
    finally:
        process.kill()
        process.wait()
        os.close(master)
