"""A gate with a log in a folder, or on a disk that fails when told to."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bedplate.audit.entry import Stamps
from bedplate.audit.log import ChainLog
from bedplate.contracts import Check, Decision, Subject, Verdict
from bedplate.gate.audit import Audit

ADMIN = Subject("local-token", ("admin",), "ipv4:127.0.0.1:5", "token")
SOCKET = Subject("local-socket", ("admin",), "unix:", "socket")
VIEWER = Subject("vera", ("viewer",), "ipv4:127.0.0.1:6", "token")


class StillClock:
    """Stands at 2026-11-22T22:31:00.123456Z."""

    def time_ns(self) -> int:
        return 1_795_386_660_123_456_000

    def monotonic(self) -> float:
        return 0.0


class BadDisk:
    """A log whose disk fails while `error` is set. written: what a good disk got."""

    def __init__(self) -> None:
        self.error = 0
        self.written = b""
        self.appends = 0

    def _fail(self) -> None:
        if self.error:
            raise OSError(self.error, errno.errorcode[self.error], "audit.jsonl")

    def open(self) -> Sequence[Mapping[str, Any]]:
        self._fail()
        return ()

    def append(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        self.appends += 1
        self._fail()
        self.written += b"".join(json.dumps(record).encode() + b"\n" for record in records)
        return records

    def close(self) -> Sequence[Mapping[str, Any]]:
        return ()


class Module:
    """A security module that does what `answer` does."""

    def __init__(self, answer: Callable[[Sequence[Check]], Any]) -> None:
        self._answer = answer
        self.asked: list[Check] = []

    async def authorize(self, subject: Subject, checks: Sequence[Check]) -> Any:
        self.asked += checks
        result = self._answer(checks)
        return await result if hasattr(result, "__await__") else result


def allowing(checks: Sequence[Check]) -> list[Decision]:
    return [Decision(Verdict.ALLOW)] * len(checks)


def denying(checks: Sequence[Check]) -> list[Decision]:
    return [Decision(Verdict.DENY, "not on Sundays")] * len(checks)


def audit(folder: Path, heard: Callable[[Mapping[str, Any]], None] | None = None) -> Audit:
    clock = StillClock()
    return Audit(ChainLog(folder, Stamps(clock)), clock, heard)


def lines(folder: Path) -> list[dict[str, Any]]:
    """What stands in the log, without what the log says of itself."""
    return [line for line in every_line(folder) if not line["action"].startswith("audit.")]


def every_line(folder: Path) -> list[dict[str, Any]]:
    """What stands in the log, each line parsed by itself."""
    content = (folder / "audit.jsonl").read_bytes()
    assert content.endswith(b"\n")
    return [json.loads(line) for line in content.decode("ascii").splitlines()]


def asked(folder: Path) -> list[dict[str, Any]]:
    """What somebody asked for: without what the kernel notes of itself."""
    return [line for line in lines(folder) if line["verdict"] != "noted"]
