"""Presses with addresses, steered by files: a single-file plugin, as an author would try one.

`<host>.off` the device is away · `<host>.gone` its temperature is not there any more · `<host>.bug` the plugin has
one · `<host>.mute` it takes a connection and answers nothing · `<name>.exit` its process ends.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bedplate import Bad, Connector, Delivery, Invalid

UNKNOWN = 0x80340000  # BadNodeIdUnknown


class Press(Connector):
    class Config(BaseModel):
        host: str = ""
        port: int = 9100
        folder: str
        password: str = "right"

    async def open(self) -> None:
        self.count = 0
        if self.config.password != "right":
            raise Invalid("the device refuses this password", pointer="/password")
        if self._is("off"):
            raise ConnectionError(f"{self.config.host}:{self.config.port}: no route to host")

    async def read(self, tags: list[Any]) -> list[Any]:
        if self._is("off") or self._is("mute"):
            raise TimeoutError(f"{self.config.host}:{self.config.port} did not answer")
        if self._is("bug"):
            raise ZeroDivisionError("division by zero")
        if self._is("exit"):
            os._exit(7)
        self.count += 1
        gone = self._is("gone")
        return [
            Bad("no such node", UNKNOWN) if gone and tag.address == "temp" else float(self.count)
            for tag in tags
        ]

    def _is(self, what: str) -> bool:
        return (Path(self.config.folder) / f"{self.config.host}.{what}").exists()


class Broker(Connector):
    """A sink that is there unless a file says otherwise."""

    class Config(BaseModel):
        broker_url: str
        folder: str

    async def open(self) -> None:
        if (Path(self.config.folder) / "broker.off").exists():
            raise ConnectionError("broker.example:8883 took no connection")

    async def deliver(self, delivery: Delivery) -> int:
        if (Path(self.config.folder) / "broker.off").exists():
            raise ConnectionError("broker.example:8883 hung up")
        return delivery.until
