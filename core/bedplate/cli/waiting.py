"""A bar on stderr for reads that take longer than a second, when a person waits for them."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

PATIENCE = 1.0  # s


class Waiting:
    """Shows nothing at all when stderr is no terminal. on_screen: the answer itself appears on the same terminal, so
    that the bar goes as soon as it does."""

    def __init__(self, on_screen: bool) -> None:
        self._on_screen = on_screen and sys.stdout.isatty()
        self._bar = Progress(
            TextColumn("reading history"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=1.0)
        self._patience = threading.Timer(PATIENCE, self._begin)
        self._patience.daemon = True
        self._shown = False

    def tell(self, fraction: float) -> None:
        """How far it is, 0 to 1."""
        self._bar.update(self._task, completed=fraction)

    def pause_for(self, samples: int) -> None:
        """So many samples are about to be shown."""
        if samples and self._on_screen:
            self._end()

    def _begin(self) -> None:
        self._shown = True
        self._bar.start()

    def _end(self) -> None:
        self._patience.cancel()
        if self._shown:
            self._bar.stop()

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._patience.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()
