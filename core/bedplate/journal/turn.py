"""What one sync writes: every record and commit since the one before, later commits of a reader over earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bedplate.journal.engine import Commit
from bedplate.model import Record


@dataclass(slots=True)
class Turn:
    """number: counts the turns, from 1. size: bytes of payload and state. states: by (reader, key); b"" forgets."""

    number: int
    records: list[Record] = field(default_factory=list)
    cursors: dict[str, int] = field(default_factory=dict)
    states: dict[tuple[str, str], bytes] = field(default_factory=dict)
    size: int = 0

    def __bool__(self) -> bool:
        return bool(self.records or self.cursors)

    def add(self, records: Sequence[Record], commit: Commit | None) -> int:
        """Takes these along. Returns by how many bytes it grew."""
        before = self.size
        self.records.extend(records)
        self.size += sum(len(record.payload) for record in records)
        if commit is not None:
            self.cursors[commit.reader] = commit.position
            for key, state in commit.states.items():
                before_it = self.states.get((commit.reader, key), b"")
                self.states[commit.reader, key] = state
                self.size += len(state) - len(before_it)
        return self.size - before
