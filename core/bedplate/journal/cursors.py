"""Cursors and states of those who asked for theirs, in memory: what a reader is told whose disk can't be asked.

It costs as much memory as the states on disk, which are bounded where they come from.
"""

from __future__ import annotations

from bedplate.journal.engine import Commit

Cursor = tuple[int, dict[str, bytes]]


class Cursors:
    """Of readers that were looked up once; the others are not known."""

    def __init__(self) -> None:
        self._known: dict[str, Cursor] = {}

    def learn(self, reader: str, cursor: Cursor) -> None:
        """What the disk says, with everything on it that the reader ever committed."""
        self._known[reader] = cursor[0], dict(cursor[1])

    def take(self, commit: Commit) -> None:
        """On its way to the disk."""
        if commit.reader in self._known:
            _, states = self._known[commit.reader]
            for key, state in commit.states.items():
                if state:
                    states[key] = state
                else:
                    states.pop(key, None)
            self._known[commit.reader] = commit.position, states

    def get(self, reader: str) -> Cursor | None:
        """None: not known."""
        known = self._known.get(reader)
        return (known[0], dict(known[1])) if known else None
