"""Drives the module as the kernel does, with a clock that stands still until it is told to go on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from bedplate import Credential, LoggedIn, Subject
from bedplate_access import Access
from bedplate_access.folder import Folder
from bedplate_access.passwords import Hashing
from bedplate_access.registry import Registry
from bedplate_access.store import Store

DAY = 86_400 * 10**9
PEER = "ipv4:10.20.0.5:40112"
GOOD = "Zebra-lorry-91-quartz"


def quick() -> Hashing:
    """As weak as it gets: these passwords are no secret."""
    return Hashing(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


class Clock:
    """Wall and monotonic; they go on together unless one is set."""

    def __init__(self) -> None:
        self.ns = time.time_ns()
        self.s = 1000.0

    def time_ns(self) -> int:
        return self.ns

    def monotonic(self) -> float:
        return self.s

    def goes_on(self, seconds: float) -> None:
        self.s += seconds
        self.ns += int(seconds * 1e9)


class Driven:
    """A module that is open. notes: what it said · forgot: how often it had the kernel forget."""

    def __init__(self, folder: Path, clock: Clock, **settings: Any) -> None:
        self.folder, self.clock = Folder(folder), clock
        self.notes: list[str] = []
        self.forgot = 0
        self.module = Access()
        self.module.config = Access.Config(folder=str(folder), **settings)
        self.module.note = self.notes.append
        self.module.forget = self._forgets
        self.module.time_ns, self.module.monotonic = clock.time_ns, clock.monotonic
        self.module.hashing = quick

    def _forgets(self) -> None:
        self.forgot += 1

    async def by_token(self, token: str, bound: bytes = b"") -> Subject | None:
        found = await self.module.authenticate(Credential(token=token, peer=PEER, bound=bound))
        assert not isinstance(found, LoggedIn)
        return found

    async def by_password(self, name: str, password: str, bound: bytes = b"") -> LoggedIn | None:
        shown = Credential(name=name, password=password, peer=PEER, bound=bound)
        found = await self.module.authenticate(shown)
        assert not isinstance(found, Subject)
        return found

    async def by_certificate(self, der: bytes) -> Subject | None:
        found = await self.module.authenticate(Credential(certificate=der, peer=PEER))
        assert not isinstance(found, LoggedIn)
        return found

    async def looks(self) -> None:
        """The next look at the store, now."""
        await self.module._watched.look()


@asynccontextmanager
async def opened(
    folder: Path, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[Driven]:
    driven = Driven(folder, clock or Clock(), **settings)
    await driven.module.open()
    try:
        yield driven
    finally:
        await driven.module.close()


@contextmanager
def registry(folder: Folder | Path, clock: Clock | None = None) -> Iterator[Registry]:
    """As somebody at the machine has it, beside the module that runs."""
    store = Store(folder if isinstance(folder, Folder) else Folder(folder))
    try:
        yield Registry(store, "hand", (clock or Clock()).time_ns, quick())
    finally:
        store.close()
