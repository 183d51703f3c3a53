"""The tags of one polled session by how often they are read. Groups come and go while the session lasts.

Rule: a group that is not the same any more is asked no further, but what it asked already is still taken, so that no
value is missed between the old pace and the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bedplate.config.deployment import TagSpec

Ends = tuple[Callable[[], None], Callable[[], None]]
"""What ends the pace of a group, and what gives up on the answer that it waits for."""


class ScanGroups:
    """start: begins to read these local handles every so many ns."""

    def __init__(self, start: Callable[[int, list[int]], Ends]) -> None:
        self._start = start
        self._groups: dict[tuple[int, tuple[int, ...]], Ends] = {}
        self._ended: list[Ends] = []

    def set(self, tags: Sequence[TagSpec]) -> None:
        """Reads these from now on, as their scan classes say. Groups that stay the same are not touched."""
        by_pace: dict[int, list[int]] = {}
        for handle, tag in enumerate(tags, 1):
            by_pace.setdefault(tag.scan_ns, []).append(handle)
        wanted = {(ns, tuple(handles)) for ns, handles in by_pace.items()}
        for group in self._groups.keys() - wanted:
            ends = self._groups.pop(group)
            ends[0]()
            self._ended.append(ends)
        for ns, handles in sorted(wanted - self._groups.keys()):
            self._groups[ns, handles] = self._start(ns, [*handles])

    def end(self) -> None:
        """The session is over."""
        for end_pace, give_up in (*self._groups.values(), *self._ended):
            end_pace()
            give_up()
        self._groups, self._ended = {}, []
