"""The alert by which TLS tells the other side why a handshake failed. asyncio closes without sending it; here it is
kept, so that a client whose certificate has expired is told that.
"""

from __future__ import annotations

import ssl
from typing import Any


class Alerting(ssl.SSLObject):
    """For `SSLContext.sslobject_class`."""

    _words: ssl.MemoryBIO

    @classmethod
    def _create(
        cls, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *rest: Any, **more: Any
    ) -> Any:
        made: Any = super()._create(incoming, outgoing, *rest, **more)  # type: ignore[misc]
        made._words = outgoing
        return made

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            error.alert = self._words.read()  # type: ignore[attr-defined]
            raise


def alert_of(error: BaseException) -> bytes:
    """What is left to send; empty for none."""
    found: bytes = getattr(error, "alert", b"")
    return found
