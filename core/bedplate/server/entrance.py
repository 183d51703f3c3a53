"""What a call brings along, and who that is: over the network by token or client certificate, over the local admin
socket by having come in there. Each of the two has an entrance of its own, so that nothing a peer says makes it local.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from typing import Any

from bedplate.contracts import Credential, Subject
from bedplate.errors import CallError, Unauthenticated
from bedplate.gate.identities import NOBODY, Identities
from bedplate.gate.identity import SOCKET
from bedplate.listening.peer import Peer
from bedplate.server.sessions import Open

LONGEST = 8192  # bytes of a token
METADATA = 16_384  # bytes; gRPC's own limit lets headers pass that are not indexed


class Entrance:
    """peers: who is at the other end of a connection, by gRPC's name for it; None: this is the local admin socket."""

    def __init__(
        self,
        identities: Identities,
        now: Callable[[], int],
        peers: Callable[[str], Peer | None] | None = None,
    ) -> None:
        self.identities = identities
        self._now, self._peers = now, peers

    async def enter(self, context: Any) -> Open:
        """The call of somebody we know. Raises Unauthenticated, NotReady, CallError."""
        opened = self.stranger(context)
        opened.subject = await self._look(opened)
        if opened.peer:
            opened.peer.welcome()
        return opened

    def stranger(self, context: Any) -> Open:
        """The call of whoever it is."""
        credential, peer = self._shown(context)
        task = asyncio.current_task()
        assert task
        who = Subject("", peer=credential.peer)
        return Open(who, credential, task, ends=ends(peer), peer=peer)

    async def look(self, opened: Open) -> Subject:
        """Who has this now, which goes on. Raises Unauthenticated, NotReady."""
        return await self._look(opened, again=True)

    async def _look(self, opened: Open, *, again: bool = False) -> Subject:
        if opened.ends and opened.ends <= self._now():
            self.identities.refused(opened.credential.peer, "tls: the certificate has expired")
            raise Unauthenticated(NOBODY)
        return await self.identities.authenticate(opened.credential, again=again)

    def _shown(self, context: Any) -> tuple[Credential, Peer | None]:
        """What a call brings along; a token goes before the certificate, and is bound to it. Raises Unauthenticated for
        a connection that has gone meanwhile."""
        pairs = context.invocation_metadata() or ()
        metadata = {str(key): value for key, value in pairs}
        if sum(len(key) + len(value) for key, value in pairs) > METADATA:
            raise CallError("metadata beyond 16 KiB", code="RESOURCE_EXHAUSTED")
        word, _, token = str(metadata.get("authorization", "")).partition(" ")
        token = token.strip()[:LONGEST] if word.lower() == "bearer" else ""
        if self._peers is None:
            return Credential(token, peer=SOCKET), None
        peer = self._peers(context.peer())
        if peer is None:
            raise Unauthenticated(NOBODY)
        kind = "ipv6" if peer.address.startswith("[") else "ipv4"
        told, certificate = f"{kind}:{peer.address}", peer.certificate
        bound = hashlib.sha256(certificate).digest() if certificate else b""
        shown = b"" if token else certificate
        return Credential(token, certificate=shown, peer=told, bound=bound), peer


def ends(peer: Peer | None) -> int:
    """ns UTC when the certificate of a connection does; 0 for none."""
    until = peer.shown.get("notAfter") if peer else None
    return int(ssl.cert_time_to_seconds(until)) * 10**9 if until else 0
