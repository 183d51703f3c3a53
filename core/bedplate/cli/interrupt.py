"""Ctrl-C ends a command, whatever the command is in the middle of.

Python raises KeyboardInterrupt between any two instructions of the main thread: inside a lock of a library it comes out
as another error, and where the main thread waits in C it does not come at all. So a thread that does nothing else
hears of the signal too, through the wakeup file descriptor. Commands that end in order by themselves (`run`, `demo`)
take the descriptor over with their own handler.
"""

from __future__ import annotations

import os
import signal
import threading

PATIENCE = 3.0  # s that a command has to end by itself


class Interrupt:
    """Knows whether SIGINT came, and ends the process with code when it still lives a while later."""

    def __init__(self, code: int, patience: float | None = None) -> None:
        self._code = code
        self._patience = PATIENCE if patience is None else patience
        self._came = threading.Event()

    def watch(self) -> None:
        """From now on, in the main thread."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(target=self._listen, args=(reader,), daemon=True).start()

    def came(self) -> bool:
        """Whether it came; right also for an error that was raised because of it a moment ago."""
        return self._came.wait(0.05)

    def _listen(self, reader: int) -> None:
        while signal.SIGINT not in os.read(reader, 64):
            pass
        self._came.set()
        threading.Event().wait(self._patience)
        os._exit(self._code)
