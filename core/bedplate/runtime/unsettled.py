"""How a program is confined whose settings are elsewhere: `bedplate attach` starts it, a kernel elsewhere settles it.

Rule: what a setting names that nobody here knows is any address, but no file and no device: those must be said here.
A default stands for files and devices, never for addresses. What is wider or less than the manifest reads is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bedplate.endpoints import home
from bedplate.isolation import (
    Confinement,
    Grant,
    Level,
    Wanted,
    confine,
    grant,
    this_machine,
    together,
)
from bedplate.isolation.grants import Address, defaults
from bedplate.runtime.launch import Launch
from bedplate.runtime.offer import Offer

_SETTING = re.compile(r"\$([A-Za-z_]\w*)", re.ASCII)


class Unsettled:
    """settings: those that are known here · kernel: host:port that it dials · shown: certificates and key, which it
    reads · sockets: a short folder for its temporary one."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        kernel: str,
        shown: Sequence[Path],
        folder: Path,
        sockets: Path,
        least: Level = Level.L0,
    ) -> None:
        host, _, port = kernel.rpartition(":")
        self._dials = Address("tcp", host, int(port))
        self._settings = settings
        self._shown = tuple(path.absolute() for path in shown)
        self._folder, self._sockets, self._least = folder, sockets, least

    def confine(self, launch: Launch, offers: Sequence[Offer]) -> Confinement:
        """offers: all that the program may be asked for. Raises BedplateError when the least can't be had, or a
        permission not be granted; OSError when a folder can't be made."""
        whole = together([self.grant(offer) for offer in offers])
        whole = replace(
            whole,
            network=(*whole.network, self._dials),
            reads=(*whole.reads, *self._shown),
        )
        wanted = Wanted(
            name=f"attach/{launch.name}/{launch.kind}",
            grant=whole,
            command=launch.argv(),
            code=[Path(place) for place in (launch.folder, launch.file) if place],
            folder=self._folder,
            sockets=self._sockets,
        )
        machine = this_machine(bubblewrap=self._least is Level.L3)
        found = confine(machine, self._least, wanted)
        notes = dict.fromkeys(note for offer in offers for note in self.notes(offer))
        return replace(found, notes=(*found.notes, *notes)) if found.level > Level.L1 else found

    def grant(self, offer: Offer) -> Grant:
        """Raises GrantError."""
        if offer.file is not None:  # no manifest, so nobody can tell what it needs
            return Grant(unconfined=True)
        asked = offer.permissions
        network = tuple(self._anywhere(entry) for entry in asked.network)
        known = defaults(offer.schema.settings) | dict(self._settings)
        permissions = asked.model_copy(update={"network": network})
        return grant(permissions, known, self._folder, (home(),))

    def notes(self, offer: Offer) -> Iterator[str]:
        """What is otherwise than the manifest reads, and how to say it better."""
        if offer.file is not None:
            return
        for entry in offer.permissions.network:
            if (wider := self._anywhere(entry)) != entry:
                yield f"network {entry} is {wider}: {self._cure(entry)} narrows it"
        known = defaults(offer.schema.settings) | dict(self._settings)
        for kind in ("files", "devices"):
            for entry in getattr(offer.permissions, kind):
                if any(known.get(name) in (None, "") for name in _SETTING.findall(entry)):
                    yield f"{kind} {entry} is nothing: {self._cure(entry)} allows it"

    def _anywhere(self, entry: str) -> str:
        """The entry with * for what is not known here."""
        if all(name in self._settings for name in _SETTING.findall(entry)):
            return entry
        if entry.startswith("$"):
            return "tcp:*:*"
        return _SETTING.sub(lambda m: m[0] if m[1] in self._settings else "*", entry)

    def _cure(self, entry: str) -> str:
        unknown = [name for name in _SETTING.findall(entry) if name not in self._settings]
        return " ".join(f"--set {name}=…" for name in dict.fromkeys(unknown))
