"""Copies of trusted plugins, read-only, each under the sha256 of what it holds. What is trusted runs from here.

Rule: the bytes that are measured are the bytes that are copied, so nothing can be swapped between check and start
in the place they came from. A copy is measured again before each start; one that is not as its name says is thrown
away. The store belongs to whoever runs the kernel.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from bedplate.admission.artefact import Artefact, close, differences, digest, of_folder, remove
from bedplate.errors import AdmissionError


class Store:
    """A folder of copies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, sha256: str) -> Path:
        """Where the copy of what measures so is, or will be."""
        return self.folder / sha256

    def cache(self, sha256: str) -> Path:
        """Where Python keeps what it compiled of it: what lies beside files was measured by nobody."""
        return self.folder / ".compiled" / sha256

    def keep(self, artefact: Artefact, sha256: str) -> Path:
        """The copy of this artefact; makes it when there is none. Raises AdmissionError when it measures otherwise."""
        place = self.place(sha256)
        if place.is_dir():
            if digest(of_folder(place).measure()) == sha256:
                return place
            remove(place)  # damaged, or somebody's work: it is made anew from what was trusted
        try:
            self._make(artefact, sha256, place)
        except OSError as error:
            raise AdmissionError(f"{self.folder}: {error.strerror}") from None
        return place

    def _make(self, artefact: Artefact, sha256: str, place: Path) -> None:
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        beside = self.folder / f".new-{os.getpid()}-{secrets.token_hex(4)}"
        beside.mkdir(mode=0o700)
        try:
            measured = artefact.copy(beside)
            if digest(measured) != sha256:
                told = differences(artefact.measure(), measured)
                raise AdmissionError(f"it changed while it was copied: {', '.join(told[:3])}")
            close(beside)
            try:
                os.rename(beside, place)
            except OSError:
                if not place.is_dir():  # else another kernel has just made the same
                    raise
        finally:
            if beside.exists():
                remove(beside)
