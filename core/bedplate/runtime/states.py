"""The states of one analytic: what changed since its last commit, and how much there is of them in all.

Bounded, because Open brings all of them back in one message, and the journal keeps them in its database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from bedplate.errors import ProtocolError
from bedplate.planning.moves import replaced

KEYS_MOST = 10_000
BYTES_MOST = (
    12 << 20
)  # of keys and values together: with the rest of an Open below the 16 MiB of a message


class States:
    """committed: what it had when its session began. changed: since the last commit; b"" forgets a key."""

    def __init__(self, committed: Mapping[str, bytes] | None = None) -> None:
        self._sizes = {key: len(key) + len(value) for key, value in (committed or {}).items()}
        self._bytes = sum(self._sizes.values())
        self.changed: dict[str, bytes] = {}

    def take(self, told: Iterable[tuple[str, bytes]]) -> None:
        """Takes what a reply says, or nothing. Raises ProtocolError for more than an analytic may keep."""
        new = dict(told)
        sizes = {key: len(key) + len(value) if value else 0 for key, value in new.items()}
        known = self._sizes
        size = self._bytes + sum(sizes.values()) - sum(known.get(key, 0) for key in sizes)
        added = sum(1 for key, one in sizes.items() if one and key not in known)
        count = (
            len(known) + added - sum(1 for key, one in sizes.items() if not one and key in known)
        )
        if count > max(KEYS_MOST, len(known)):
            raise ProtocolError(f"keeps {count:,} states; {KEYS_MOST:,} are the most")
        if size > max(BYTES_MOST, self._bytes):
            mine, most = size / (1 << 20), BYTES_MOST >> 20
            raise ProtocolError(f"keeps {mine:,.1f} MiB of states; {most} MiB are the most")
        self._bytes = size
        known.update(sizes)
        for key in [key for key, one in sizes.items() if not one]:
            del known[key]
        self.changed.update(new)

    def committed(self) -> None:
        self.changed = {}


def inherited(
    states: Mapping[str, bytes], here: Collection[str], moved: Iterable[tuple[str, str]]
) -> dict[str, bytes]:
    """What changes in an analytic's states because assets were moved: each state goes with its machine. here: paths of
    its assets now · moved: (from, to). A place where something stands keeps what it has."""
    changes: dict[str, bytes] = {}
    for was, to in moved:
        for path, state in states.items():
            now = replaced(path, was, to)
            if now and now in here and now not in states and path not in here:
                changes |= {now: state, path: b""}
    return changes
