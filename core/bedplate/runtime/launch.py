"""What it takes to start a plugin, and the words it is told on stdin. Starts nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bedplate.runtime.census import MEMORY, PROCESSES
from bedplate.runtime.offer import Offer


@dataclass(frozen=True, slots=True)
class Launch:
    """One plugin and kind. offers: use → "module:Class" · file: a single Python file instead · folder: a plugin
    folder · command: what runs it, () for Python · memory, processes: bytes and processes that it may take, with all
    that it starts · place: what a certificate calls it when it runs elsewhere · verify: called before each start, on
    a thread, gives the offer as it may be started now."""

    name: str
    kind: str
    plugin: str
    version: str
    offers: Mapping[str, str]
    file: str | None = None
    python: str = sys.executable
    otlp: str = ""
    memory: int = MEMORY
    processes: int = PROCESSES
    folder: str | None = None
    command: tuple[str, ...] = ()
    place: str = ""
    verify: Callable[[], Offer] | None = None

    @classmethod
    def of(cls, offer: Offer, offers: Iterable[Offer], name: str = "", otlp: str = "") -> Launch:
        """The launch of an offer together with those of the same plugin and kind."""
        together = [o for o in offers if home_of(o) == home_of(offer)] or [offer]
        return cls(
            name or offer.plugin.removeprefix("bedplate-"),
            offer.kind,
            offer.plugin,
            offer.version,
            {o.use: o.target for o in together},
            file=str(offer.file) if offer.file else None,
            python=offer.python,
            otlp=otlp,
            memory=max(o.permissions.memory_bytes for o in together),
            folder=str(offer.folder) if offer.folder else None,
            command=offer.command,
            place=name or offer.plugin,
            verify=offer.verify,
        )

    def moved(self, offer: Offer) -> Launch:
        """The same from where this offer lies."""
        return replace(
            self,
            file=str(offer.file) if offer.file else None,
            folder=str(offer.folder) if offer.folder else None,
            command=offer.command,
            python=offer.python,
        )

    def argv(self) -> list[str]:
        """The program and its words."""
        return [*self.command] or [self.python, "-P", "-m", "bedplate.remote.plugin"]

    def words(self, host: str, token: str) -> dict[str, Any]:
        """The line of JSON. host and token are the contract; the rest is for the Python host."""
        return {
            "host": host,
            "token": token,
            "kind": self.kind,
            "plugin": self.plugin,
            "version": self.version,
            "offers": dict(self.offers),
            "file": self.file,
            "path": [self.folder] if self.folder and not self.command else [],
            "otlp": self.otlp,
        }


def home_of(offer: Offer) -> tuple[str, ...]:
    """Offers of one such key share a process, unless the operator gave them different names."""
    return (offer.kind, offer.plugin, str(offer.file or offer.folder or ""), offer.python)
