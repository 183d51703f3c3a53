"""Who asks: what a call brings along, turned into a Subject. Each way of proving it is one small callable.

`peer` is what the transport says of the other end, never what the caller says: "unix:" for the local admin socket,
whose folder of mode 0700 is the proof, "ipv4:host:port" or "ipv6:[host]:port" otherwise.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable

from bedplate.contracts import Subject
from bedplate.listening.peer import source_of

Authenticator = Callable[[str, str], Subject | None]
"""(token, peer) → who it is, or None: not by this way."""
SOCKET = "unix:"  # the peer of a call over the local admin socket


def by_token(expected: str) -> Authenticator:
    """The holder of the local token, on this machine: over the network it is no credential. Compared in constant
    time."""
    wanted = expected.encode()

    def authenticate(token: str, peer: str) -> Subject | None:
        if not wanted or not hmac.compare_digest(token.encode("utf-8", "replace"), wanted):
            return None
        return Subject("local-token", ("admin",), peer, "token") if is_local(peer) else None

    return authenticate


def by_socket(token: str, peer: str) -> Subject | None:
    """Whoever can reach the local admin socket: the same user, or root."""
    return Subject("local-socket", ("admin",), peer, "socket") if peer == SOCKET else None


def is_local(peer: str) -> bool:
    """Whether it is on this machine."""
    if peer == SOCKET:
        return True
    host = host_of(peer)
    try:
        return host != peer and ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_of(peer: str) -> str:
    """Its address without the port: "10.20.0.5", "[fe80::1]"; the peer itself where there is no port."""
    kind, _, rest = peer.partition(":")
    return rest.rpartition(":")[0] if kind in ("ipv4", "ipv6") else peer


def counted_as(peer: str) -> str:
    """Whom limits count it as: its address, or for IPv6 the network that it may choose addresses from."""
    return source_of(host_of(peer))
