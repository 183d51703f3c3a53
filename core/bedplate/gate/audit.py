"""The kernel's audit file: one JSON line for each decision, refusals and changes synced before they are answered.

The kernel alone writes it. When it can't be written, changes are refused and data flows on. The hash chain comes with
the security issue; `_line` is the one place that builds a line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from bedplate.clock import Clock
from bedplate.gate.token import private

ROTATE = 64 << 20  # bytes


class Audit:
    """Append-only. failed: why it can't be written, empty when it can."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self.failed = ""
        self._descriptor = -1
        self._size = 0
        self._open()

    @property
    def file(self) -> Path:
        return self._folder / "audit.jsonl"

    def _open(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.chmod(self._folder, 0o700)
            private(self._folder)
            self._descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._size = os.fstat(self._descriptor).st_size
        except OSError as error:
            self.failed = f"{self.file}: {error.strerror}"

    def write(self, entry: Mapping[str, str], *, sync: bool) -> bool:
        """Writes one line. False when it could not; `failed` says why."""
        line = self._line(entry)
        try:
            if self._size > ROTATE:
                self._rotate()
            os.write(self._descriptor, line)
            if sync:
                os.fdatasync(self._descriptor)
        except OSError as error:
            self.failed = f"{self.file}: {error.strerror}"
            return False
        self._size += len(line)
        self.failed = ""
        return True

    def _line(self, entry: Mapping[str, str]) -> bytes:
        whole = {"time": self._clock.time_ns(), **entry}
        return json.dumps(whole, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"

    def _rotate(self) -> None:
        os.close(self._descriptor)
        self.file.rename(self._folder / f"audit.{self._clock.time_ns()}.jsonl")
        self._open()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
