"""A Bedplate for the time of a test: `bedplate run FILE` as a process of its own, on a free port of this machine.

Nothing of the user's is touched: it has a home of its own. Journal and history lie beside the file, so the file belongs
into a folder of the test (pytest's tmp_path).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bedplate import strict_json

if TYPE_CHECKING:
    from bedplate.client import Client

COMMAND = (sys.executable, "-P", "-c", "from bedplate.cli import main; main()")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Running:
    """A Bedplate that runs. address: of its API, host:port · environ: with which programs find it and its token."""

    address: str
    environ: dict[str, str]

    def client(self) -> Client:
        """A client; close it, or use it in a `with`."""
        from bedplate.client import connect
        from bedplate.endpoints import find

        return connect(self.address, find(self.address, self.environ).token)


@contextlib.contextmanager
def running(file: Path, *plugins: Path, within: float = 30.0) -> Iterator[Running]:
    """Runs a deployment file, with these single-file plugins or plugin folders; ends it with the block.

    within: s until its API is there. Raises AssertionError with what it said when it does not run.
    """
    with tempfile.TemporaryDirectory(prefix="bp-") as home:
        environ = {**os.environ, "BEDPLATE_HOME": home}
        named = [word for plugin in plugins for word in ("--plugin", str(plugin))]
        process = subprocess.Popen(
            [*COMMAND, "run", str(file), *named, "--listen", "127.0.0.1:0", "--json"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            address = _address(process, within)
            yield Running(address, environ | {"BEDPLATE_ENDPOINT": address})
        finally:
            _end(process)


def until(answer: Callable[[], T], within: float = 30.0) -> T:
    """The first answer that is something (true, not empty), asked again and again. within: s.

    An answer that raises BedplateError, LookupError or AssertionError is no answer yet. Raises AssertionError with the
    last of it.
    """
    from bedplate.errors import BedplateError

    last: Any = None
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if last := answer():
                return last
        except (BedplateError, LookupError, AssertionError) as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"nothing within {within:g} s; last: {last!r}")


def _address(process: subprocess.Popen[str], within: float) -> str:
    """What its first lines of JSON say."""
    import threading

    timer = threading.Timer(within, process.kill)
    timer.start()
    said = []
    assert process.stdout
    for line in process.stdout:
        said.append(line)
        if '"running"' in line:
            timer.cancel()
            return str(strict_json.loads(line)["api"])
    timer.cancel()
    raise AssertionError(f"bedplate run did not come up within {within:g} s:\n{''.join(said)}")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
