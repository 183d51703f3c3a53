"""Where remote plugins dial in: a listener that asks everybody for a certificate and keeps nobody for long who has not
said Hello. What a certificate says of its place is read by the host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bedplate.listening.listener import Limits, Listener
from bedplate.listening.peer import Peer
from bedplate.remote.credentials import Credentials

__all__ = ["Peer", "TlsListener"]

HANDSHAKE_WITHIN, WELCOMED_WITHIN = 5.0, 10.0  # s
MOST_UNWELCOMED = 32  # connections that have not said Hello


class TlsListener(Listener):
    """refused: told in a sentence of each connection that may not come in."""

    def __init__(
        self, files: Credentials, run_folder: Path, server: Path, refused: Callable[[str], None]
    ) -> None:
        limits = Limits(
            silent=MOST_UNWELCOMED,
            strangers=MOST_UNWELCOMED,
            each=1024,
            most=1024,
            begins_within=HANDSHAKE_WITHIN,
            welcomed_within=WELCOMED_WITHIN,
        )
        super().__init__(
            run_folder, server, refused, tls=files.serving, limits=limits, who="a program"
        )

    async def start(self, listen: str) -> str:
        """Returns the address with its real port. Raises OSError when it is taken."""
        try:
            return await super().start(listen)
        except OSError as error:
            raise OSError(f"plugins.listen: cannot listen at {listen}: {error.strerror}") from None
