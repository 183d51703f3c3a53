"""A Bedplate as a user runs it, over several lives, and the command line beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bedplate.cli.output import tree
from bedplate.client import Client
from bedplate.endpoints import find

BEDPLATE = Path(sys.executable).with_name("bedplate")
RIGS = Path(__file__).parents[1] / "runtime" / "rigs.py"
WITHIN = 30.0  # s


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Plant:
    """One folder with plant.yaml."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.file = folder / "plant.yaml"
        self.write(text)
        self.environment = os.environ | {
            "BEDPLATE_HOME": str(folder / "home"),
            "XDG_STATE_HOME": str(folder / "state"),
            "TZ": "Europe/Berlin",
        }
        self._running: subprocess.Popen[str] | None = None

    def write(self, text: str, name: str = "plant.yaml") -> Path:
        path = self.folder / name
        path.write_text(text.replace("FOLDER", str(self.folder)))
        return path

    def start(self, *more: str) -> str:
        """Returns the line that says that it runs."""
        command = [str(BEDPLATE), "run", str(self.file), "--plugin", str(RIGS), "--json", *more]
        self._running = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )
        assert self._running.stdout
        told = ""
        for line in self._running.stdout:
            told += line
            if '"running"' in line:
                return line
        raise AssertionError(told)

    def stop(self, *, kill: bool = False) -> None:
        if self._running:
            self._running.kill() if kill else self._running.terminate()
            self._running.communicate(timeout=WITHIN)
            self._running = None

    def __call__(self, *words: str) -> Done:
        """One command, beside whatever runs."""
        done = subprocess.run(
            [str(BEDPLATE), *words],
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.folder,
            timeout=WITHIN * 2,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def status(self) -> Any:
        """As `bedplate status --json` shows it."""
        found = find(None, self.environment)
        with Client(found.address, found.token) as client:
            return tree(client.status())

    def component(self, id_: str) -> Any:
        return next(one for one in self.status()["components"] if one["id"] == id_)

    def pids(self) -> dict[str, int]:
        return {one["name"]: one["pid"] for one in self.status()["processes"]}


def until(condition: Callable[[], Any], within: float = 60.0) -> Any:
    """Waits for what other processes bring about."""
    end = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return found
