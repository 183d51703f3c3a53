"""Start the line from Python: for the demo, for tests, for tutorials.

Owns: one simulator process as a context manager, its ready line, its end.
Rule: leaving the context ends the process, and so does the death of the one that started it.
Does not serve anything itself.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from types import TracebackType
from typing import Any, Final, Self

from bedplate_simline.serving import interrupts_later

END_WITHIN: Final = 5.0
"""Seconds a process has to end by itself before it is killed."""


class Simulator:
    """`python -m bedplate_simline ARGUMENTS --until-stdin-closes` as a context manager.

        with Simulator("both", "--shift", "2min") as line:
            line.ready()      # {"endpoint": "opc.tcp://127.0.0.1:…", "host": …, "port": …}

    stderr goes where the caller's goes, or to `stderr` as in `subprocess.Popen`.
    """

    def __init__(self, *arguments: str, stderr: int | None = None) -> None:
        self._said: dict[str, Any] | None = None
        with interrupts_later():
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bedplate_simline", *arguments, "--until-stdin-closes"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )

    def ready(self, within: float = 30.0) -> dict[str, Any]:
        """What the process said when it listened: `endpoint`, or `host` and `port`, or all.

        Waits for it at most `within` seconds. Raises TimeoutError when nothing came, EOFError when
        the process ended instead (it has said why on stderr).
        """
        if self._said is None:
            self._said = self._first_line(within)
        return self._said

    def _first_line(self, within: float) -> dict[str, Any]:
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], within)[0]:
            raise TimeoutError(f"the simulated line was not ready within {within:g} s")
        line = self.process.stdout.readline()
        if not line:
            raise EOFError(f"the simulated line ended with exit code {self.process.wait()}")
        ready: dict[str, Any] = json.loads(line)
        return ready

    def close_stdin(self) -> None:
        """Tell the process to end, as the death of this one would."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def end(self) -> int:
        """End the process, by force if it does not listen; its exit code."""
        self.close_stdin()
        try:
            return self.process.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
