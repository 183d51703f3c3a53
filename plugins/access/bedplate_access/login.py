"""Logging in with a name and a password, and what is shown from then on.

Rule: an unknown name, a wrong password, a disabled owner and a lock are answered alike and in the same time. A password
is checked off the loop, few at a time, since each check takes 64 MiB.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bedplate import Credential, LoggedIn, Subject
from bedplate_access.attempts import MOST, WITHIN, Attempts
from bedplate_access.passwords import Hashing
from bedplate_access.roster import Roster
from bedplate_access.sessions import Login, Sessions
from bedplate_access.settings import Config

AT_A_TIME, WAITING = 2, 12  # checks of passwords
STEP = 0.25  # s: a no comes at one of these, which says nothing of what was found out on the way
WITHIN_CALL = 1.6  # s; the kernel ends the session of a module that takes 2, and all logins with it
SAYS_AGAIN = 60.0  # s before the same is said again
SAID = 30  # different things in that time; the audit log has each refusal anyway
Recognised = Callable[[str, Credential, str, int], Subject | None]


class Logins:
    """note: says something in words. prepare: before the first one."""

    def __init__(
        self,
        settings: Config,
        hashing: Hashing,
        now: Callable[[], int],
        monotonic: Callable[[], float],
        note: Callable[[str], None],
    ) -> None:
        self.hashing = hashing
        self._attempts = Attempts(monotonic)
        self._sessions = Sessions(settings.idle, settings.longest, monotonic, now)
        self._monotonic, self._note = monotonic, note
        self._threads = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="access password")
        self._waiting = 0
        self._said: OrderedDict[str, float] = OrderedDict()

    async def prepare(self) -> None:
        """The hash of nobody, so that the first unknown name takes no longer than others."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, lambda: self.hashing.nobody)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def log_in(
        self, shown: Credential, roster: Roster, recognised: Recognised
    ) -> LoggedIn | None:
        """Who this is, with a token for further calls; None: nobody, for whatever reason."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        delay = self._attempts.begin(shown.name)
        who = roster.able(shown.name) if delay is not None else None
        right = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WITHIN_CALL):
                await asyncio.sleep(delay or 0.0)
                right = await self._checked(who.password if who else "", shown.password)
        if not right or who is None:
            self._failed(shown, delay)
            await asyncio.sleep(STEP - (loop.time() - began) % STEP)
            return None
        self._attempts.right(shown.name)
        login, token = self._sessions.begin(who, shown.bound)
        subject = recognised(who.name, shown, f"password:{who.name}", login.until)
        return LoggedIn(subject, token) if subject else None

    def by_session(
        self, shown: Credential, roster: Roster, recognised: Recognised
    ) -> Subject | None:
        """Who logged in so; None: nobody, or it is over."""
        login = self._sessions.used(shown.token, shown.bound)
        if login is None or _changed(login, roster):
            return None
        return recognised(login.name, shown, f"password:{login.name}", login.until)

    def forget(self, roster: Roster) -> None:
        """Ends the logins of those who are no longer who they were."""
        self._sessions.end(lambda login: _changed(login, roster))

    def say(self, text: str) -> None:
        """Tells of something that strangers can cause: the same thing once a minute, and not too much of it."""
        now = self._monotonic()
        while self._said and now - next(iter(self._said.values())) >= SAYS_AGAIN:
            self._said.popitem(last=False)
        if text not in self._said and len(self._said) < SAID:
            self._said[text] = now
            self._note(text)

    async def _checked(self, kept: str, password: str) -> bool:
        if self._waiting >= WAITING:
            return False
        self._waiting += 1
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self.hashing.verify, kept, password)
        finally:
            self._waiting -= 1

    def _failed(self, shown: Credential, delay: float | None) -> None:
        if delay is not None and self._attempts.left(shown.name) == 0:
            minutes = round(WITHIN / 60)
            self.say(
                f"{shown.name[:128]!r}: no password counts for up to {minutes} min after {MOST} wrong ones,"
                f" the last from {host_of(shown.peer)}"
            )


def host_of(peer: str) -> str:
    """Its address without the port, which differs from call to call."""
    kind, _, rest = peer.partition(":")
    return rest.rpartition(":")[0] if kind in ("ipv4", "ipv6") else peer


def _changed(login: Login, roster: Roster) -> bool:
    owner = roster.able(login.name)
    return owner is None or owner.password != login.password
