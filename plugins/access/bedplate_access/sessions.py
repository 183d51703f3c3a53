"""Logins: in memory alone, so that a restart ends them. What was given out is kept as its SHA-256.

One ends 15 min after its last use, 12 h after it began, with another password, and when its owner is disabled; shown
with another client certificate than it began with it is nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bedplate_access.registry import digest
from bedplate_access.roster import Identity

SESSION = "bps_"
MOST_OF_ONE = 16  # logins of one name; the oldest go first


@dataclass
class Login:
    """password: the hash it was checked against · began, last: monotonic s · until: ns UTC."""

    name: str
    password: str = field(repr=False)
    bound: bytes
    began: float
    last: float
    until: int


class Sessions:
    """idle, longest: s."""

    def __init__(
        self, idle: float, longest: float, monotonic: Callable[[], float], now: Callable[[], int]
    ) -> None:
        self._idle, self._longest = idle, longest
        self._monotonic, self._now = monotonic, now
        self._logins: dict[bytes, Login] = {}

    def begin(self, who: Identity, bound: bytes) -> tuple[Login, str]:
        """A new one, and what its owner shows from now on."""
        self._drop_old()
        own = [key for key, one in self._logins.items() if one.name == who.name]
        for key in own[: max(0, len(own) + 1 - MOST_OF_ONE)]:
            del self._logins[key]
        now = self._monotonic()
        until = self._now() + int(self._longest * 1e9)
        login = Login(who.name, who.password, bound, now, now, until)
        shown = SESSION + secrets.token_urlsafe(32)
        self._logins[digest(shown)] = login
        return login, shown

    def used(self, shown: str, bound: bytes) -> Login | None:
        """The login that this stands for, which counts as use of it; None: none any more."""
        login = self._logins.get(digest(shown))
        if login is None or self._over(login) or login.bound != bound:
            return None
        login.last = self._monotonic()
        return login

    def end(self, names: Callable[[Login], bool]) -> None:
        """Those that it says are over."""
        self._logins = {key: one for key, one in self._logins.items() if not names(one)}

    def _over(self, login: Login) -> bool:
        now = self._monotonic()
        return (
            now - login.last >= self._idle
            or now - login.began >= self._longest
            or self._now() >= login.until
        )

    def _drop_old(self) -> None:
        self.end(self._over)
