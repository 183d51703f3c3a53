"""The connector: a folder that takes what the journal has and answers questions about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bedplate.contracts import Connector, Delivery, Page, Query
from bedplate_history.answer import Answer
from bedplate_history.archive import Archive
from bedplate_history.intake import Clock, Intake
from bedplate_history.keeper import Keeper
from bedplate_history.reader import Reader
from bedplate_history.settings import HistorySettings
from bedplate_history.view import View


class History(Connector):
    """Keeps every sample it is given, once, in Parquet files that any tool reads.

    `deliver` and `query` run on different threads; a third one, the keeper, writes the files. clock: the module `time`
    unless a test sets another before `open`.
    """

    Config = HistorySettings
    config: HistorySettings
    clock: Clock = time

    def open(self) -> None:
        """Takes the folder. Raises OSError when it is not to be had, Invalid when a newer version wrote it."""
        settings = self.config
        self._archive = Archive(Path(settings.folder), self.note, threading.Condition())
        self._archive.open()
        try:
            folder = self._archive.folder
            self._reader = Reader(folder.samples, folder.spill, settings.threads, settings.memory)
            self._intake = Intake(self._archive, settings.seal.rows, self.clock, self.note)
            self._keeper = Keeper(
                self._archive, self._intake, settings.seal, settings.keep, self.clock
            )
            self._keeper.start()
        except BaseException:
            self._archive.close()
            raise

    def close(self) -> None:
        """Ends what queries run, seals what is in memory, lets go of the folder. What could not be sealed comes again
        from the journal."""
        self._reader.close()
        self._keeper.stop()
        self._archive.close()

    def cursor(self) -> int:
        """The journal position up to which everything is in synced files."""
        with self._archive.lock:
            return self._archive.cursor

    def deliver(self, delivery: Delivery) -> int:
        """Takes what is new of a delivery into memory; waits when two tails are full. Returns the durable
        position, which lags by what is not sealed. Records that can't be read are set aside. Raises
        OSError when the disk takes no more."""
        return self._intake.deliver(delivery)

    def query(self, query: Query) -> Iterator[Page]:
        """Samples or aggregates over files and memory as they are at the first page. Tags are by type, then
        path; a path whose type changed is several tags. `last_before` means samples only; with `limit`, an
        aggregate gives its newest windows. Raises Refused for a question without sense, OSError when the
        history closes meanwhile."""
        with ExitStack() as stack:
            with self._archive.lock:
                stack.enter_context(self._archive.pinned())
                view = View(self._archive.segments, self._intake.blocks())
            yield from Answer(query, view, self._archive, self._reader).pages()
