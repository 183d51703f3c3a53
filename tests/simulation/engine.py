"""The embedded engine over a virtual disk: everything above the files is the code that plants run.

What stands in is `Files` (the SQLite file, its folder, its lock) and the two threads; numbering, group commit, the
tail, quota, trouble and the turning to a new file are `bedplate.journal.embedded` itself. It passes the engines'
conformance suite (tests/journal/test_engine_contract.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.simulation.disk import DiskReader, DiskWriter, VirtualDisk, VirtualThread

from bedplate.clock import Clock
from bedplate.errors import JournalError
from bedplate.journal.damage import Damage
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.files import Files
from bedplate.journal.quota import Quota
from bedplate.journal.turn import Turn
from bedplate.journal.writer import Standing
from bedplate.model import Record

FOLDER = Path("virtual")


class SimulatedFiles(Files):
    """The same surface, on a virtual disk."""

    def __init__(self, disk: VirtualDisk, now: Callable[[], int]) -> None:
        self.folder, self.path, self._now = FOLDER, FOLDER / "journal", now
        self.damage = Damage()
        self.writer: Any = DiskWriter(disk)
        self.reader: Any = DiskReader(disk)
        self._disk = disk
        self._mine = False

    def open(self) -> Standing:
        if self._disk.owned:
            raise JournalError("the journal is in use")
        self._disk.owned = self._mine = True
        return self._not_before(self._disk.file.newest, self.writer.open(self._now()))

    @property
    def gone(self) -> bool:
        return False

    def renew(
        self, error: BaseException, before: int, known: Sequence[Record], tables: Sequence[Record]
    ) -> None:
        self._disk.renew(before, known, tables)
        self.damage.file(f"the journal's file was broken ({error}); it goes on in a new one")

    def write(self, turn: Turn) -> None:
        self.writer.write(turn)

    def close(self) -> None:
        self.writer.close()
        if self._mine:
            self._disk.owned = self._mine = False


class SimulatedEngine(EmbeddedEngine):
    """An `Engine` (see there). disk: outlives it."""

    def __init__(self, disk: VirtualDisk, *, clock: Clock, **more: Any) -> None:
        super().__init__(FOLDER, clock=clock, **more)
        self._disk = disk
        self._files = files = SimulatedFiles(disk, clock.time_ns)
        self._path, self._damage = files.path, files.damage
        self._writer, self._reader = files.writer, files.reader
        self._quota = Quota(FOLDER, more.get("size"), more.get("min_free", 0), disk.free)

    def _thread(self, name: str) -> Any:
        dice, disk = self._disk.dice, self._disk
        if name == "journal-read":
            return VirtualThread(lambda: dice.uniform(0, 0.001))
        return VirtualThread(lambda: dice.uniform(0, disk.slow))
