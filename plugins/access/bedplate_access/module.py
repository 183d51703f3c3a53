"""The security module: who somebody is, and whether they may.

Who: by what the store knows (tokens, passwords, certificates), or by an issuer. Rule: what is not known for sure is
nobody, in the same words and the same time. Whether: within the scope of the token they came with, and as the policies
say (bedplate_access.policy).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bedplate import Check, Credential, Decision, LoggedIn, SecurityModule, Subject, Verdict
from bedplate_access import bootstrap, certificates
from bedplate_access.folder import Folder
from bedplate_access.issuer import Issuer, TokenRefusal
from bedplate_access.keys import Keys, source_of
from bedplate_access.login import WITHIN_CALL, Logins, host_of
from bedplate_access.passwords import Hashing
from bedplate_access.policy import Policies
from bedplate_access.recognition import Recognition, outside
from bedplate_access.registry import TOKEN
from bedplate_access.roster import BOOTSTRAP
from bedplate_access.sessions import SESSION
from bedplate_access.settings import Config as Settings
from bedplate_access.store import Store
from bedplate_access.watched import Look, Watched

BY = "access module"
TOLD = 100  # changes of one look; the kernel takes no flood of words
BEYOND = Decision(Verdict.DENY, "outside the scope of the token", 3600.0)


class Access(SecurityModule):
    """Who is known stands in `folder`; nothing of it is in the settings."""

    Config = Settings

    time_ns: Callable[[], int] = staticmethod(time.time_ns)
    monotonic: Callable[[], float] = staticmethod(time.monotonic)
    hashing: Callable[[], Hashing] = Hashing

    async def open(self) -> None:
        self._folder = Folder(Path(self.config.folder).absolute())
        self._who = Recognition(self.config, self.time_ns)
        hashing, clocks = self.hashing(), (self.time_ns, self.monotonic)
        self._logins = Logins(self.config, hashing, *clocks, self.note)
        # One may wait for the issuer, and never two: the other judges those whose keys are known.
        self._network = ThreadPoolExecutor(2, thread_name_prefix="access issuer")
        self._issuer = self._make_issuer()
        self._policies = Policies(self.config, self.files, self.note, self.time_ns)
        self._watched = Watched(self._open_store, self._changed, self._failed)
        self._ending: asyncio.Task[None] | None = None
        await self._watched.open()
        await self._logins.prepare()
        self._policies.watch()
        if words := self._policies.words:
            self.note(words)

    async def close(self) -> None:
        if self._ending:
            await asyncio.wait([self._ending])
        await self._policies.close()
        await self._watched.close()
        self._logins.close()
        self._network.shutdown(wait=False)

    async def authenticate(self, credential: Credential) -> Subject | LoggedIn | None:
        found = await self._recognised(credential)
        subject = found.subject if isinstance(found, LoggedIn) else found
        if subject:
            self._watched.used("identities", subject.id, self.time_ns())
        if subject and "admin" in subject.roles and subject.id != BOOTSTRAP:
            self._end_bootstrap()
        return found

    async def authorize(self, subject: Subject, checks: Sequence[Check]) -> list[Decision]:
        beyond = [outside(subject, check) for check in checks]
        within = [check for check, out in zip(checks, beyond, strict=True) if not out]
        decided = iter(self._policies.decide(subject, within))
        return [BEYOND if out else next(decided) for out in beyond]

    # --- who ---

    async def _recognised(self, shown: Credential) -> Subject | LoggedIn | None:
        roster = self._who.roster
        if shown.bound and shown.bound.hex() in roster.denied:
            self._logins.say(f"a certificate from {host_of(shown.peer)} was revoked")
            return None
        if shown.certificate:
            return self._by_certificate(shown)
        if shown.name or shown.password:
            return await self._logins.log_in(shown, roster, self._who.subject)
        if shown.token.startswith(SESSION):
            return self._logins.by_session(shown, roster, self._who.subject)
        if shown.token.startswith(TOKEN):
            return self._by_token(shown)
        if self._issuer and shown.token.count(".") == 2:
            return await self._by_issuer(self._issuer, shown)
        return None

    def _by_token(self, shown: Credential) -> Subject | None:
        found = self._who.by_token(shown)
        if found is None:
            return None
        token, subject = found
        self._watched.used("tokens", token.id, self.time_ns())
        return subject

    def _by_certificate(self, shown: Credential) -> Subject | None:
        try:
            subject = self._who.by_certificate(shown)
        except certificates.Refusal as refusal:
            self._logins.say(f"a certificate from {host_of(shown.peer)} {refusal}")
            return None
        self._watched.used("certificates", subject.credential, self.time_ns())
        return subject

    async def _by_issuer(self, issuer: Issuer, shown: Credential) -> Subject | None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(WITHIN_CALL):
                claimed = await loop.run_in_executor(
                    self._network, issuer.judge, shown.token, shown.bound
                )
        except (TokenRefusal, TimeoutError) as refusal:
            why = str(refusal) or "could not be judged in time: the keys do not come"
            self._logins.say(f"a token of the issuer from {host_of(shown.peer)} {why}")
            return None
        return self._who.by_issuer(claimed, shown)

    def _make_issuer(self) -> Issuer | None:
        if self.config.oidc is None:
            return None
        try:
            keys = Keys(source_of(self.config.oidc, self.files), self.monotonic)
        except OSError as error:
            raise OSError(f"{self.config.oidc.ca}: {error}") from None
        self._network.submit(keys.find, "")  # so that the first who comes need not wait
        return Issuer(self.config.oidc, keys, self.time_ns)

    # --- the store ---

    def _open_store(self) -> Store:
        """What is there; or, the first time, a new one."""
        if self._folder.store.exists():
            return Store(self._folder)
        store = bootstrap.begin(self._folder, BY, self.time_ns, self._logins.hashing)
        self.note(f"first start: {bootstrap.told(self._folder)}")
        return store

    def _changed(self, look: Look) -> None:
        self._who.roster = look.roster
        self._logins.forget(look.roster)
        for change in look.changes[:TOLD]:
            self.note(f"{change.text} (by {change.by})")
        if (more := len(look.changes) - TOLD) > 0:
            last = look.changes[-1].n
            self.note(f"and {more:,} more changes up to number {last}: bedplate access changes")
        if look.changes:
            self.forget()

    def _failed(self, text: str) -> None:
        self._who.close()
        self._logins.forget(self._who.roster)
        self.note(text)
        self.forget()

    def _end_bootstrap(self) -> None:
        first = self._who.roster.able(BOOTSTRAP)
        if first is None or self._ending:
            return

        def end(store: Store) -> None:
            bootstrap.end(store, BY, self.time_ns, self._logins.hashing)

        async def work() -> None:
            try:
                await self._watched.with_store(end)
            except OSError as error:
                self.note(f"the bootstrap token could not be ended: {error}")
            self._ending = None

        self._ending = asyncio.create_task(work())
