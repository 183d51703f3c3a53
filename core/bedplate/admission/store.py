"""Copies of trusted plugins, read-only, each under the sha256 of what it holds. What is trusted runs from here.

Rule: the bytes that are measured are the bytes that are copied, so nothing can be swapped between check and start
in the place they came from. Python is compiled once, in the copy. A copy is measured again before each start, with
what was compiled; one that is not as it was made is thrown away. The store belongs to whoever runs the kernel.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from bedplate.admission.artefact import Artefact, close, differences, digest, of_folder, remove
from bedplate.errors import AdmissionError
from bedplate.private import private_folder, write_private

WITHIN = 300.0  # s, for compiling


class Store:
    """A folder of copies. records: where it is kept what each measured when it was made; nobody else's to write."""

    def __init__(self, folder: Path, records: Path) -> None:
        self.folder = folder
        self._records = records

    def place(self, sha256: str) -> Path:
        """Where the copy of what measures so is, or will be."""
        return self.folder / sha256

    def keep(self, artefact: Artefact, sha256: str, python: str = "") -> Path:
        """The copy of this artefact; makes it when there is none. python: what will run it, "" when it is no Python.

        Raises AdmissionError when it measures otherwise.
        """
        place = self.place(sha256)
        if place.is_dir():
            if self._is_as_made(place):
                return place
            remove(place)  # damaged, or somebody's work: it is made anew from what was trusted
        try:
            self._make(artefact, sha256, python)
        except OSError as error:
            raise AdmissionError(f"{self.folder}: {error.strerror}") from None
        return place

    def _is_as_made(self, place: Path) -> bool:
        try:
            made = self._record(place.name).read_text()
        except OSError:
            return False
        return digest(of_folder(place, compiled=True).measure()) == made

    def _make(self, artefact: Artefact, sha256: str, python: str) -> None:
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        beside = self.folder / f".new-{os.getpid()}-{secrets.token_hex(4)}"
        beside.mkdir(mode=0o755)
        try:
            measured = artefact.copy(beside)
            if digest(measured) != sha256:
                told = differences(artefact.measure(), measured)
                raise AdmissionError(f"it changed while it was copied: {', '.join(told[:3])}")
            if python and any(name.endswith(".py") for name in measured):
                _compile(beside, python)
            close(beside)
            self._keep(beside, sha256)
        finally:
            if beside.exists():
                remove(beside)

    def _keep(self, made: Path, sha256: str) -> None:
        private_folder(self._records)
        record = self._record(sha256)
        content = digest(of_folder(made, compiled=True).measure()).encode()
        os.replace(write_private(record, content), record)
        try:
            os.rename(made, self.place(sha256))
        except OSError:
            if not self._is_as_made(
                self.place(sha256)
            ):  # else another kernel has just made the same
                raise

    def _record(self, sha256: str) -> Path:
        return self._records / f"{sha256}.{sys.implementation.cache_tag}.copy"


def _compile(folder: Path, python: str) -> None:
    """What can't be compiled can't be imported either. The sha256 of the source in it, not its time, so that the same
    source gives the same bytes. Raises AdmissionError when it did not come to its end: half of it would stay half."""
    own = next((p for p in (folder / "env", folder / ".venv") if p.is_dir()), None)
    program = str(own / "bin" / "python") if own else python
    words = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
    try:
        done = subprocess.run(
            [program, "-I", "-S", *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={"PATH": os.defpath},
            timeout=WITHIN,
            start_new_session=True,  # Ctrl-C is for whoever waits for it
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AdmissionError("compiling its Python took longer than five minutes") from None
    if done.returncode < 0:
        raise AdmissionError("compiling its Python was interrupted; start again")
