"""Where what was moved has its history: under the paths it had, each up to the moment it left them.

Rule: samples stay under the path they were stored with; questions for the new path are asked of the old ones too.
Moves are kept in the order they were applied, over all deployments; going there and back again is no circle, and what
was applied at once (two machines that changed places) happened at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

EVER = 1 << 62  # ns


@dataclass(frozen=True, slots=True)
class Move:
    """path: where it is now · was: where it was · at: ns UTC, when that was applied."""

    path: str
    was: str
    at: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is stored under `path` from start (inclusive) to end (exclusive), ns UTC."""

    path: str
    start: int
    end: int


class Moves:
    """All moves so far, oldest first."""

    def __init__(self, moves: Iterable[Move] = ()) -> None:
        self.all: tuple[Move, ...] = tuple(moves)

    @classmethod
    def of(cls, written: Any) -> Moves:
        """From JSON: [[path, was, at], …]. Raises ValueError."""
        try:
            return cls(Move(str(path), str(was), int(at)) for path, was, at in written)
        except TypeError as error:
            raise ValueError(f"no list of moves: {error}") from None

    def written(self) -> list[list[Any]]:
        """As JSON."""
        return [[move.path, move.was, move.at] for move in self.all]

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """(from, to) of each."""
        return frozenset((move.was, move.path) for move in self.all)

    def with_more(self, moves: Iterable[tuple[str, str]], at: int) -> Moves:
        """The same with those that are applied now, each (from, to)."""
        return Moves([*self.all, *(Move(to, was, at) for was, to in moves)])

    def stretches(self, path: str) -> list[Stretch]:
        """Where the history of a path lies, newest first; its own comes first."""
        return list(self._stretches(path, len(self.all), EVER))

    def _stretches(self, path: str, known: int, end: int) -> Iterator[Stretch]:
        """known: moves that had been applied by then."""
        given_up = [m.at for m in self.all[:known] if replaced(path, m.was, m.path) is not None]
        yield Stretch(path, max(given_up, default=0), end)
        for number in reversed(range(known)):
            move = self.all[number]
            before = replaced(path, move.path, move.was)
            if before is not None:
                at_once = sum(one.at == move.at for one in self.all[:number])
                yield from self._stretches(before, number - at_once, min(end, move.at))
                return

    def successor(self, path: str, time: int) -> str:
        """The path under which a sample of this path and time belongs now."""
        moved = 0  # when it was moved last: of those that were applied at once, one counts
        for move in self.all:
            after = replaced(path, move.was, move.path) if moved < move.at > time else None
            if after is not None:
                path, moved = after, move.at
        return path

    def left(self, path: str) -> bool:
        """Whether something moved away from this path."""
        return any(replaced(path, move.was, move.path) is not None for move in self.all)


def replaced(path: str, place: str, by: str) -> str | None:
    """A path at or below a place, with another place instead; None when it is not there."""
    if path == place:
        return by
    return by + path[len(place) :] if path.startswith(f"{place}/") else None


def restored(moves: Sequence[Move], until: int) -> Moves:
    """Those that had been applied by a moment, ns UTC."""
    return Moves(move for move in moves if move.at <= until)
