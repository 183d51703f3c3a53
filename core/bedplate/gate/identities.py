"""Who calls: asked of the kernel's own authenticators, then of every security module that authenticates, and remembered
for each credential for at most 2 s.

Rule: nobody is who a module does not say he is, now. What is remembered is gone at once when a module says so or its
session ends. Whoever tries credentials that nobody knows has the modules asked for him a few times at once, no more.
Keeps no token: a credential is remembered by its hash.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from bedplate.clock import Clock
from bedplate.contracts import Credential, LoggedIn, Subject
from bedplate.errors import CallError, NotReady, Unauthenticated
from bedplate.gate.audit import Audit, Entry
from bedplate.gate.identity import Authenticator, counted_as, host_of
from bedplate.gate.throttle import Throttle

LASTS = 1.5  # s that an identity is remembered; with the 2 s a silent module may take, a stream is cut within 5
REFUSED_FOR = 0.5  # s that an unknown credential is not asked about again
REMEMBERED = 1024  # credentials
TRIES = 8  # of one address that wait for modules at once
ALL_TRIES = 64
TOLD_AFTER = 5.0  # s after the first refusal that got no line
LONGEST_ID = 256  # bytes
OURS = ("local-token", "local-socket")
NOBODY = "a valid credential is needed"
Key = tuple[bytes, str]


class Knows(Protocol):
    """A security module, as far as it says who somebody is."""

    authenticates: bool

    async def authenticate(self, credential: Credential) -> Subject | LoggedIn | None:
        """Who this is; None: nobody it knows."""


@dataclass(frozen=True, slots=True)
class _Known:
    subject: Subject | None
    until: float  # monotonic, s


class Identities:
    """modules: id → module, those of the moment. Safe to use from many calls at once, on one loop."""

    def __init__(
        self,
        authenticators: Sequence[Authenticator],
        modules: Mapping[str, Knows],
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._authenticators = authenticators
        self._modules = modules
        self._audit = audit
        self._clock = clock
        self._known: OrderedDict[Key, _Known] = OrderedDict()
        self._asking: dict[Key, asyncio.Task[Subject | None]] = {}
        self._tries: Counter[str] = Counter()
        self._throttle = Throttle(clock.monotonic)
        self._untold: set[str] = set()
        self.generation = 0  # how often everything was forgotten

    def forget(self) -> None:
        """Everybody is asked about anew, also whoever is being asked about now."""
        self.generation += 1
        self._known.clear()
        self._asking.clear()

    async def authenticate(self, credential: Credential, *, again: bool = False) -> Subject:
        """Who calls. Raises Unauthenticated, with the same words whatever was wrong; NotReady when a module that might
        know starts; CallError when too many try from there at once. again: of a call that was let in and goes on;
        however many try, it is asked about, or a flood of one's own would keep open what was revoked."""
        if subject := self._ours(credential):
            return subject
        rule, waits = "kernel: no credential", ""
        if credential.token or credential.certificate:
            rule = "kernel: unknown credential"
            try:
                subject = await self._remembered(credential, again=again)
            except NotReady as error:
                waits = str(error)
            if subject and not self._ended(subject):
                return replace(subject, peer=credential.peer)
        self.refused(credential.peer, rule)
        if waits:
            raise NotReady(waits)
        raise Unauthenticated(NOBODY)

    async def log_in(self, credential: Credential) -> LoggedIn:
        """A token for a name and its password. Raises as `authenticate`."""
        found, waits = None, ""
        if credential.name and credential.password:
            with self._trying(credential):
                found, waits = await self._ask(credential)
        if isinstance(found, LoggedIn) and found.token:
            return found
        if waits:
            raise NotReady(waits)
        raise Unauthenticated("name or password is wrong")

    def refused(self, peer: str, rule: str, text: str = "") -> None:
        """Leaves a line; where there are too many from there, one for all of the next seconds."""
        host = counted_as(peer)
        if self._throttle.line(host):
            entry = Entry("authenticate", "refused", peer=peer, rule=rule, text=text)
            self._audit.add(entry, urgent=True)
        elif host not in self._untold:
            self._untold.add(host)
            asyncio.get_running_loop().call_later(TOLD_AFTER, self._tell_rest, host)

    def _tell_rest(self, host: str) -> None:
        self._untold.discard(host)
        if count := self._throttle.untold(host):
            entry = Entry("authenticate", "refused", peer=host, rule="kernel: a flood")
            told = replace(entry, text=f"{count} more calls from this address were refused")
            self._audit.add(told, urgent=True)

    def _ours(self, credential: Credential) -> Subject | None:
        for authenticator in self._authenticators:
            if subject := authenticator(credential.token, credential.peer):
                return subject
        return None

    def _ended(self, subject: Subject) -> bool:
        return bool(subject.until) and subject.until <= self._clock.time_ns()

    async def _remembered(self, credential: Credential, *, again: bool) -> Subject | None:
        key = key_of(credential)
        known = self._known.get(key)
        if known and known.until > self._clock.monotonic():
            return known.subject
        if again:
            return await self._learn(key, credential, again=True)
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._learn(key, credential))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asked(key, task))
        return await asyncio.shield(task)

    def _asked(self, key: Key, task: asyncio.Task[Any]) -> None:
        if self._asking.get(key) is task:
            del self._asking[key]
        if not task.cancelled():
            task.exception()  # whoever waited has it

    async def _learn(
        self, key: Key, credential: Credential, *, again: bool = False
    ) -> Subject | None:
        generation = self.generation
        with contextlib.nullcontext() if again else self._trying(credential):
            found, waits = await self._ask(credential)
        subject = found if isinstance(found, Subject) else None
        if subject is None and waits:
            raise NotReady(waits)
        if generation != self.generation:  # what was answered before counts no more
            return await self._remembered(credential, again=again)
        lasts = LASTS if subject else REFUSED_FOR
        self._known[key] = _Known(subject, self._clock.monotonic() + lasts)
        self._known.move_to_end(key)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return subject

    def _trying(self, credential: Credential) -> _Trying:
        return _Trying(self._tries, counted_as(credential.peer))

    async def _ask(self, credential: Credential) -> tuple[Subject | LoggedIn | None, str]:
        """All modules side by side: the first that knows; and who is still starting, when nobody does."""
        asked: Collection[asyncio.Task[Any]] = [
            asyncio.create_task(_answer(module, credential))
            for module in list(self._modules.values())
            if module.authenticates
        ]
        waits = ""
        try:
            for coming in asyncio.as_completed(asked):
                try:
                    found = await coming
                except NotReady as error:
                    waits = str(error)
                except Unanswered:
                    continue
                else:
                    if found is not None:
                        return found, ""
            return None, waits
        finally:
            for task in asked:
                task.cancel()
                task.add_done_callback(_seen)


class Unanswered(Exception):
    """A module failed; its reason is told where modules are looked after."""


class _Trying:
    """One that waits for modules."""

    def __init__(self, tries: Counter[str], host: str) -> None:
        self._tries, self._host = tries, host

    def __enter__(self) -> None:
        if self._tries[self._host] >= TRIES or self._tries.total() >= ALL_TRIES:
            raise CallError("too many tries at once; try again", code="RESOURCE_EXHAUSTED")
        self._tries[self._host] += 1

    def __exit__(self, *_: object) -> None:
        self._tries[self._host] -= 1
        if not self._tries[self._host]:
            del self._tries[self._host]


def key_of(credential: Credential) -> Key:
    """What a credential is remembered by: who shows it from where."""
    parts = (
        credential.token.encode("utf-8", "replace"),
        credential.bound,
        credential.certificate,
    )
    each = (hashlib.sha256(part).digest() for part in parts)  # so that none can run into another
    return hashlib.sha256(b"".join(each)).digest(), host_of(credential.peer)


async def _answer(module: Knows, credential: Credential) -> Subject | LoggedIn | None:
    """What a module says, if it may say so: nobody else is the kernel's own."""
    task = asyncio.ensure_future(module.authenticate(credential))
    try:
        await asyncio.wait([task])
    finally:
        task.cancel()
    if task.cancelled():
        raise Unanswered
    if (error := task.exception()) is not None:
        raise error if isinstance(error, NotReady) else Unanswered
    found = task.result()
    subject = found.subject if isinstance(found, LoggedIn) else found
    if not isinstance(subject, Subject) or not 0 < len(subject.id.encode()) <= LONGEST_ID:
        return None
    if subject.id in OURS or subject.method == "socket":
        return None
    return found


def _seen(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
