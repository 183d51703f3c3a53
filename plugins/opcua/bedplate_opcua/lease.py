"""What of a component outlives its session: the subscription that the server holds on to, and what came of it.

Owns: what a session leaves to the next, and who may have it.
Rule: in memory only, one per component, for the same settings and tags alone. A session that was closed in an
orderly way leaves nothing behind.
Does not talk to the server (`takeover.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bedplate import Batch, Tag
from bedplate_opcua.acknowledging import Acknowledgements, Message
from bedplate_opcua.backlog import Backlog
from bedplate_opcua.settings import Config
from bedplate_opcua.subscription import Subscription

MOST_WAITING: Final = 100_000
MOST_TRIES: Final = 5
"""Sessions that break while they take over; then it is the subscription that breaks them, and a new one is made."""
MOST_KEPT: Final = 256


@dataclass(slots=True)
class Lease:
    """subscriptions: as on the server · next: sequence number of the next message, by subscription · missing: tags that
    have no node there, by handle · whole: monitored items are as we know them · doubtful: messages that were handed
    over, and the session ended before word of them · newest: source time of the last sample by handle · came: those
    with one in this session."""

    config: Config
    tags: tuple[Tag, ...]
    subscriptions: dict[int, Subscription] = field(default_factory=dict)
    next: dict[int, int] = field(default_factory=dict)
    missing: dict[int, int] = field(default_factory=dict)
    whole: bool = False
    tries: int = 0
    doubtful: list[Message] = field(default_factory=list)
    backlog: Backlog = field(default_factory=lambda: Backlog(MOST_WAITING))
    acknowledgements: Acknowledgements = field(default_factory=Acknowledgements)
    newest: NDArray[np.int64] = field(init=False)
    came: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        size = 1 + max((tag.handle for tag in self.tags), default=0)
        self.newest, self.came = np.zeros(size, np.int64), np.zeros(size, bool)

    @property
    def may_be_taken_over(self) -> bool:
        return bool(self.subscriptions) and self.whole and self.tries < MOST_TRIES

    def saw(self, batches: Sequence[Batch]) -> None:
        """Samples of these subscriptions came."""
        for batch in batches:
            tags = batch.tags()
            self.newest[tags] = batch.times()
            self.came[tags] = True

    def forget(self) -> None:
        """The subscriptions are gone. What came of them is still to be handed over."""
        self.subscriptions.clear()
        self.next.clear()
        self.missing.clear()
        self.acknowledgements.forget()
        self.doubtful.clear()
        self.tries, self.whole = 0, False


class Leases:
    """Those of a process, by component."""

    def __init__(self) -> None:
        self._kept: dict[str, Lease] = {}

    def take(self, component: str, config: Config, tags: Sequence[Tag]) -> Lease:
        """What the last session left; a fresh one when there was none, or under other settings."""
        kept = self._kept.pop(component, None)
        if kept is not None and kept.config == config and kept.tags == tuple(tags):
            return kept
        return Lease(config, tuple(tags))

    def keep(self, component: str, lease: Lease) -> None:
        """For the next session of this component."""
        self._kept.pop(component, None)
        self._kept[component] = lease
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]

    def forget(self, component: str) -> None:
        """The session was closed in an orderly way."""
        self._kept.pop(component, None)
