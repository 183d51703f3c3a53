"""Who is at the other end of a connection, as the transport knows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
