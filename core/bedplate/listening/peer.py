"""Who is at the other end of a connection, as the transport knows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
from typing import Any

SPARE_CLOSE = 0.3  # s that the last words have to leave


def _nothing() -> None:
    pass


@dataclass(eq=False)
class Peer:
    """One connection. address: host:port, for people · certificate: DER, verified, empty for none · shown: what it
    says, as ssl.getpeercert gives it · settled: called when it is welcomed."""

    address: str
    certificate: bytes = b""
    shown: Mapping[str, Any] = field(default_factory=dict)
    settled: Callable[[], None] = _nothing
    welcomed: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0]

    def welcome(self) -> None:
        """It has said who it is and may stay."""
        if not self.welcomed:
            self.welcomed = True
            self.settled()

    def drop(self) -> None:
        """Ends the connection once the last words had time to leave."""
        asyncio.get_running_loop().call_later(SPARE_CLOSE, self.over.set)


@lru_cache(4096)
def source_of(host: str) -> str:
    """Whom limits count: an IPv6 address stands for its /64, of which one machine has every address (RFC 4291 §2.5.4);
    a link-local one for itself. host: an address, in brackets or not; anything else stands for itself."""
    try:
        found = IPv6Address(host.strip("[]").partition("%")[0])
    except ValueError:
        return host
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return host if found.is_link_local else str(IPv6Network((found, 64), strict=False))
