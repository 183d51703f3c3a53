"""Access: who somebody is taken for, a token for a password, and who is connected. What somebody may is answered beside
it, in `check_access`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bedplate.api.v1 import access_pb2
from bedplate.contracts import Credential, Subject
from bedplate.errors import BedplateError, CallError, Denied
from bedplate.gate.audit import Audit, Entry
from bedplate.gate.identities import Identities
from bedplate.gate.identity import counted_as
from bedplate.server.door import Caller, Method
from bedplate.server.sessions import Sessions

AT_LEAST = 0.1  # s that a login takes, right or wrong
TRIES, EVERY = 5, 1.0  # of one address at once, and s until it has another one
ADDRESSES = 4096  # that tried lately
LONGEST = 1024  # bytes of a name, and of a password


class Tries:
    """Logins that an address has left: so many at once, one more every second."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._paid: dict[str, float] = {}  # until when all tries are paid for, the oldest first

    def take(self, host: str) -> bool:
        """One of them; whether there was one."""
        now = self._monotonic()
        paid = max(now, self._paid.pop(host, now)) + EVERY
        fits = paid - now <= TRIES * EVERY
        self._paid[host] = paid if fits else paid - EVERY
        while len(self._paid) > ADDRESSES:
            del self._paid[next(iter(self._paid))]
        return fits


class AccessService:
    """Reads who is connected; changes nothing."""

    def __init__(
        self,
        identities: Identities,
        sessions: Sessions,
        audit: Audit,
        monotonic: Callable[[], float],
    ) -> None:
        self._identities, self._sessions, self._audit = identities, sessions, audit
        self._tries = Tries(monotonic)

    def methods(self) -> list[Method]:
        service, pb = "bedplate.api.v1.Access", access_pb2
        return [
            Method(service, "WhoAmI", "unary", pb.WhoAmIRequest, "access.whoami", self.who),
            Method(
                service, "Login", "unary", pb.LoginRequest, "access.login", self.log_in, open=True
            ),
            Method(
                service,
                "ListSessions",
                "unary",
                pb.ListSessionsRequest,
                "access.sessions",
                self.list,
            ),
        ]

    async def who(self, request: Any, caller: Caller) -> Any:
        return _who(caller.subject)

    async def log_in(self, request: Any, caller: Caller) -> Any:
        """In the same time and words whatever is wrong. The name stands in the log, unless it may be a password."""
        peer = caller.subject.peer
        if not self._tries.take(counted_as(peer)):
            text = "too many tries from this address; one a second"
            raise CallError(text, code="RESOURCE_EXHAUSTED")
        least = asyncio.create_task(asyncio.sleep(AT_LEAST))
        bound = caller.opened.credential.bound if caller.opened else b""
        shown = Credential("", request.name, request.password, peer=peer, bound=bound)
        try:
            if max(len(request.name.encode()), len(request.password.encode())) > LONGEST:
                shown = Credential(peer=peer)
            found = await self._identities.log_in(shown)
        except BedplateError as error:
            await least
            rule = "kernel: no answer" if not isinstance(error, Denied) else "kernel: login"
            rule = rule if request.name and request.password else "kernel: no credential"
            self._audit.add(Entry("access.login", "refused", peer=peer, rule=rule), urgent=True)
            raise
        await least
        subject = found.subject
        entry = Entry("access.login", "allowed", subject.id, subject.method, peer)
        if not await self._audit.write(entry):
            raise Denied("nobody is logged in while the audit log can't be written")
        return access_pb2.LoginResponse(token=found.token, who=_who(subject))

    async def list(self, request: Any, caller: Caller) -> Any:
        found = access_pb2.ListSessionsResponse()
        for one in self._sessions.now():
            found.sessions.add(
                who=_who(one.subject),
                since=one.since,
                last=one.last,
                streams=one.streams,
                calls=one.calls,
            )
        return found


def _who(subject: Subject) -> access_pb2.WhoAmIResponse:
    return access_pb2.WhoAmIResponse(
        id=subject.id,
        roles=subject.roles,
        groups=subject.groups,
        method=subject.method,
        credential=subject.credential,
        peer=subject.peer,
        until=subject.until,
    )
