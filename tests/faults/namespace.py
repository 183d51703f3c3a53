"""A second network, in the kernel of this machine: a namespace behind a pair of virtual interfaces, with a firewall."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
from typing import Self

import pytest


def needed() -> None:
    """Skips at a desk where there is no such thing, and fails in CI."""
    missing = [tool for tool in ("ip", "nft") if not shutil.which(tool)]
    why = f"needs {' and '.join(missing)}; run .make/peers" if missing else ""
    if not why and os.geteuid():
        why = "needs to be root, to make network namespaces"
    if why:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)


class Namespace:
    """near, far: addresses of this side and of the other one."""

    def __init__(self) -> None:
        mark = secrets.token_hex(3)
        self.name, self._link, self._far_link = f"bp-{mark}", f"bn{mark}", f"bf{mark}"
        block = f"10.{200 + secrets.randbelow(50)}.{secrets.randbelow(250)}"
        self.near, self.far = f"{block}.1", f"{block}.2"

    def __enter__(self) -> Self:
        self._ip("netns", "add", self.name)
        try:
            self._ip("link", "add", self._link, "type", "veth", "peer", "name", self._far_link)
            self._ip("link", "set", self._far_link, "netns", self.name)
            self._ip("addr", "add", f"{self.near}/24", "dev", self._link)
            self._ip("link", "set", self._link, "up")
            for words in (
                ("addr", "add", f"{self.far}/24", "dev", self._far_link),
                ("link", "set", self._far_link, "up"),
                ("link", "set", "lo", "up"),
            ):
                self._ip("-n", self.name, *words)
            self._nft("add table inet t; add chain inet t c { type filter hook input priority 0; }")
            self._nft("add chain inet t o { type filter hook output priority 0; }")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        subprocess.run(["ip", "netns", "delete", self.name], check=False)
        subprocess.run(["ip", "link", "delete", self._link], check=False, capture_output=True)

    def __call__(self, *command: str) -> tuple[str, ...]:
        """The command line that runs a program there."""
        return ("ip", "netns", "exec", self.name, *command)

    async def drop(self) -> None:
        """Nothing passes, and nobody is told."""
        await self._rules(
            "add rule inet t c meta l4proto tcp drop; add rule inet t o meta l4proto tcp drop"
        )

    async def refuse(self) -> None:
        """Whatever comes or goes is answered with a RST."""
        await self._rules(
            "add rule inet t c meta l4proto tcp reject with tcp reset;"
            "add rule inet t o meta l4proto tcp reject with tcp reset"
        )

    async def unplug(self) -> None:
        await asyncio.to_thread(self._ip, "link", "set", self._link, "down")

    async def heal(self) -> None:
        await asyncio.to_thread(self._ip, "link", "set", self._link, "up")
        await self._rules("flush chain inet t c; flush chain inet t o")

    async def _rules(self, text: str) -> None:
        await asyncio.to_thread(self._nft, text)

    def _nft(self, text: str) -> None:
        subprocess.run(self("nft", text), check=True)

    def _ip(self, *words: str) -> None:
        subprocess.run(("ip", *words), check=True)
