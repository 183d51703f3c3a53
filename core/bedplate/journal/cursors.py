"""Cursors and states of those who asked for theirs, in memory: what a reader is told whose disk can't be asked.

It costs as much memory as the states on disk, which are bounded where they come from.
"""

from __future__ import annotations

from bedplate.journal.engine import Commit

Cursor = tuple[int, dict[str, bytes]]


class Cursors:
    """Of readers that were looked up once, and of the others what they have committed since the start."""

    def __init__(self) -> None:
        self._known: dict[str, Cursor] = {}
        self._since: dict[str, Cursor] = {}  # of those not known; b"": forgotten

    def learn(self, reader: str, cursor: Cursor) -> None:
        """What the disk says; what the reader has committed since the start, on disk or not, is laid over it."""
        position, states = self._since.pop(reader, (cursor[0], {}))
        whole = {**cursor[1], **states}
        self._known[reader] = position, {key: state for key, state in whole.items() if state}

    def take(self, commit: Commit) -> None:
        """On its way to the disk."""
        known = self._known.get(commit.reader)
        _, states = known or self._since.get(commit.reader, (0, {}))
        for key, state in commit.states.items():
            if state or not known:
                states[key] = state
            else:
                states.pop(key, None)
        (self._known if known else self._since)[commit.reader] = commit.position, states

    def get(self, reader: str) -> Cursor | None:
        """None: not known."""
        known = self._known.get(reader)
        return (known[0], dict(known[1])) if known else None
