"""What systemd is told: sd_notify(3) in a few lines. Does nothing where nobody asked for it (no NOTIFY_SOCKET).

The watchdog is fed from the kernel's own loop, so a loop that hangs is noticed; pid and interval come from systemd.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping


class Notice:
    """environ: of this process."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        spare = environ.get("WATCHDOG_USEC", "")
        self.every = int(spare) / 3e6 if mine and spare.isdecimal() else 0.0  # s

    def ready(self, status: str) -> None:
        self._tell(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    async def keep_alive(self) -> None:
        """Until it is cancelled; returns at once where nobody watches."""
        while self.every:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self.every)

    def _tell(self, text: str) -> None:
        """Best effort: a service goes on though nobody listens."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.setblocking(False)
            door.sendto(text.encode(), self._address)
