"""What security modules have decided, for as long as each said that it may be remembered, and never longer.

Goes by a monotonic clock. Bounded: what was asked for longest ago is forgotten first. A decision belongs to one module,
one subject with all that it was decided by (id, roles, groups, way and credential, network address without its port),
one action and one resource. A module that says `forget`, or whose session ends, is forgotten at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bedplate.contracts import Subject

MOST = 400_000  # decisions
LONGEST = 3600.0  # s
Who = tuple[Any, ...]
Key = tuple[str, Who, str]  # module, subject, action


@dataclass(frozen=True, slots=True)
class Kept:
    """until: on the monotonic clock · rule: by which it is denied, empty: it is not. One object for many resources."""

    until: float
    rule: str = ""


NOTHING: Mapping[str, Kept] = {}


def who(subject: Subject) -> Who:
    """All that a module may decide by, except the moment."""
    host, _, port = subject.peer.rpartition(":")
    peer = host if port.isdigit() else subject.peer
    return (
        subject.id,
        subject.roles,
        subject.groups,
        subject.method,
        subject.credential,
        peer,
    )


class Memory:
    """now: a monotonic clock, s. On one loop."""

    def __init__(self, now: Callable[[], float], most: int = MOST) -> None:
        self.now = now
        self._most = most
        self._count = 0
        self._groups: OrderedDict[Key, dict[str, Kept]] = OrderedDict()
        self._generations: dict[str, int] = {}
        self.generation = 0  # rises whenever anything is forgotten before its time

    def of(self, key: Key) -> Mapping[str, Kept]:
        """By resource; some may be out of date."""
        found = self._groups.get(key)
        if found is None:
            return NOTHING
        self._groups.move_to_end(key)
        return found

    def ticket(self, module: str) -> int:
        """To be given back with what is decided from now on: an answer that a `forget` overtook is not kept."""
        return self._generations.get(module, 0)

    def keep(self, key: Key, ticket: int, decided: Iterable[tuple[str, Kept]]) -> None:
        """Takes decisions of one module, subject and action."""
        if ticket != self.ticket(key[0]):
            return
        kept = self._groups.setdefault(key, {})
        self._groups.move_to_end(key)
        before = len(kept)
        kept.update(decided)
        self._count += len(kept) - before
        while self._count > self._most:
            _, oldest = self._groups.popitem(last=False)
            self._count -= len(oldest)

    def forget(self, module: str) -> None:
        """Nothing that this module decided counts any more."""
        self._generations[module] = self.ticket(module) + 1
        self.generation += 1
        for key in [key for key in self._groups if key[0] == module]:
            self._count -= len(self._groups.pop(key))

    def __len__(self) -> int:
        return self._count
