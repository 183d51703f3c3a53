"""Who asks: what a call brings along, turned into a Subject. Each way of proving it is one small callable.

`peer` is what the transport says of the other end, never what the caller says: "unix:…" for the local admin socket,
whose folder of mode 0700 is the proof, "ipv4:host:port" otherwise.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from bedplate.contracts import Subject

Authenticator = Callable[[str, str], Subject | None]
"""(token, peer) → who it is, or None: not by this way."""


def by_token(expected: str) -> Authenticator:
    """The holder of the local token. Compared in constant time."""
    wanted = expected.encode()

    def authenticate(token: str, peer: str) -> Subject | None:
        if not wanted or not hmac.compare_digest(token.encode("utf-8", "replace"), wanted):
            return None
        return Subject("local-token", ("admin",), peer, "token")

    return authenticate


def by_socket(token: str, peer: str) -> Subject | None:
    """Whoever can reach the local admin socket: the same user, or root."""
    return Subject("local-socket", ("admin",), peer, "socket") if peer.startswith("unix:") else None
