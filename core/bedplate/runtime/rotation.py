"""A secret that has changed reaches the component that has it, and no other: it gets a new session, the kernel goes on.

Every few seconds, and when the operating system says so, what secrets come from is looked at; it is read when it looks
different. What can't be had is told once and changes nothing: the session goes on with what it has.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping

from bedplate.runtime.secret_book import Held, SecretBook
from bedplate.runtime.supervisor import Supervisor

EVERY = 5.0  # s
ASK_EVERY = 12  # looks: what only a plugin knows is asked once a minute


class Rotation:
    """Of one kernel."""

    def __init__(self, book: SecretBook, components: Mapping[str, Supervisor]) -> None:
        self._book, self._components = book, components
        self._now = asyncio.Event()
        self._looks = 0
        self._troubled: dict[str, str] = {}

    def look_now(self) -> None:
        """Not later; plugins are asked too."""
        self._looks = 0
        self._now.set()

    async def run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._now.wait()
            self._now.clear()
            await self.look()

    async def look(self) -> None:
        """Looks once at the secrets of all components."""
        again = self._looks % ASK_EVERY == 0
        self._looks += 1
        for id_, supervisor in list(self._components.items()):
            held = self._book.held.get(id_)
            if held is None or not held.references:
                continue
            if changed := await held.changed(again=again):
                supervisor.renew(f"secret {' and '.join(changed)} has changed")
            self._tell_trouble(held)

    def _tell_trouble(self, held: Held) -> None:
        text = self._trouble(held)
        if text and text != self._troubled.get(held.component, ""):
            self._book.told(held.component, "absent", text)
        self._troubled[held.component] = text

    def _trouble(self, held: Held) -> str:
        """Of a session that goes on; one that can't begin says why itself."""
        supervisor = self._components.get(held.component)
        goes_on = supervisor is not None and supervisor.role.attachment is not None
        return (
            f"{held.trouble}; {held.component} goes on with what it has"
            if held.trouble and goes_on
            else ""
        )

    def problems(self) -> Iterable[str]:
        """What can't be had now, for `status`."""
        return filter(None, map(self._trouble, self._book.held.values()))
