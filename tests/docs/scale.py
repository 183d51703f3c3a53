"""The scale of the tutorial, and Bedplate on it, as processes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.docs.pages import ROOT

from bedplate.testing import until

EXAMPLES = ROOT / "docs" / "examples"
BEDPLATE = [sys.executable, "-c", "from bedplate.cli import program; program()"]


class Scale:
    """docs/examples/scale_sim.py. port: the same for all its lives."""

    def __init__(self) -> None:
        self.port = 0
        self.plug_in()

    def plug_in(self) -> None:
        program = [sys.executable, str(EXAMPLES / "scale_sim.py"), str(self.port)]
        self._process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.port = int(self._process.stdout.readline().split()[-1])

    def pull_the_plug(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


@dataclass
class Shell:
    """Command lines in a folder, with a home of their own."""

    folder: Path
    program: list[str]

    def __post_init__(self) -> None:
        self.environ = {**os.environ, "BEDPLATE_HOME": str(self.folder / "home")}

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.program, *words],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def json(self, *words: str) -> Any:
        done = self(*words, "--json")
        assert done.stdout.strip(), done.stderr
        return json.loads(done.stdout)

    def until(self, answer: Callable[[], Any], within: float = 60.0) -> Any:
        """The first answer that is something. A command that fails meanwhile is tried again."""
        return until(answer, within)

    @contextlib.contextmanager
    def running(self, *words: str) -> Iterator[str]:
        """`bedplate run … --json`; the address of its API."""
        process = subprocess.Popen(
            [*self.program, "run", *words, "--listen", "127.0.0.1:0", "--json"],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert process.stdout
            yield _address(process.stdout)
        finally:
            process.terminate()
            try:
                process.wait(20)
            finally:
                process.kill()
                process.wait()
                process.stdout.close() if process.stdout else None


def _address(lines: Any) -> str:
    said = []
    for line in lines:
        said.append(line)
        if '"running"' in line:
            return str(json.loads(line)["api"])
    raise AssertionError("".join(said))
