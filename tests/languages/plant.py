"""`bedplate run` with plugins in Python, JavaScript and, where there is Go, in Go; all read one simulated machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.end_to_end.machines import HELIX
from tests.languages.examples import Machine

import bedplate
from bedplate.errors import CallError

BEDPLATE = Path(sys.executable).with_name("bedplate")
WITHIN = 30.0  # s
TAGS = "{speed: {address: 1, scan: fast}, wished: {address: 2, scan: fast}, old: {address: 99}}"
TEXT = """
bedplate: 1
name: packing
plugins: {folders: [FOLDERS]}
calendars:
  holidays: {all: {days: mon-sun, from: 06:00, to: 22:00}, closed: [2000-01-01/2999-12-31]}
types:
TYPES
connectors:
ROWS
  history: {use: history, deliver: ["**"], folder: history}
analytics: {rolling: {use: rolling, for: packer-js, of: speed, window: 1s, every: 1s}}
security: SECURITY
journal: {folder: journal, sync: 50ms}
"""


class Plant:
    """languages: whose connector runs, as js, go and helix of Python. client: of this kernel, in Python."""

    def __init__(self, folder: Path, machine: Machine, plugins: dict[str, Path]) -> None:
        self.languages = [
            "helix",
            *(["js"] if "js" in plugins else []),
            *(["go"] if "go" in plugins else []),
        ]
        uses = {"helix": "helix", "js": "helix-js", "go": "helix-go"}
        settings = (
            f"host: 127.0.0.1, port: {machine.port}, scan_classes: {{fast: 250ms}}, tags: {TAGS}"
        )
        types = [f"  packer-{one}: {{use: {uses[one]}, {settings}}}" for one in self.languages]
        rows = [
            f"  packers-{one}: {{type: packer-{one}, path: acme/$name, each: {{{one}: {{}}}}}}"
            for one in self.languages
        ]
        guard = "{shifts: {use: shifts, calendar: holidays, actions: ['alarms.*']}}"
        text = TEXT.replace("FOLDERS", ", ".join(map(str, plugins.values())))
        text = text.replace("TYPES", "\n".join(types)).replace("ROWS", "\n".join(rows))
        self.file = folder / "packing.yaml"
        self.file.write_text(text.replace("SECURITY", guard if "shifts" in plugins else "none"))
        (folder / "helix.py").write_text(HELIX)
        self.process = subprocess.Popen(
            [
                *(str(BEDPLATE), "run", str(self.file), "--plugin", str(folder / "helix.py")),
                *("--json", "--listen", "127.0.0.1:0"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def start(self) -> None:
        """Returns once the API serves."""
        until(lambda: '"running"' in self.said() or self.process.poll() is not None, self.said)
        assert self.process.poll() is None, self.said()
        told = next(line for line in self.lines if '"running"' in line)
        self.client = bedplate.connect(json.loads(told)["api"])

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def said(self) -> str:
        return "".join(self.lines)

    def processes(self) -> dict[str, Any]:
        """Of plugins, by the name of the plugin; none while a security module is away, which denies."""
        try:
            status = self.client.status()
        except CallError:
            return {}
        return {one.plugin: one for one in status.processes if one.plugin}

    def history(self, path: str) -> dict[int, float]:
        """Time → value of every sample that is not Bad."""
        try:
            result = self.client.history(path, last="10m")
        except CallError:  # it is not up yet, or the tag not there
            return {}
        if path not in result:
            return {}
        series = result[path]
        rows = zip(
            series.time.astype("int64").tolist(),
            series.value.tolist(),
            series.quality.tolist(),
            strict=True,
        )
        return {at: value for at, value, code in rows if not code & 0x80000000}

    def killed(self, plugin: str) -> Any:
        """Kills the process of a plugin; what it was, once another has been started for it."""
        before = until(lambda: self.processes().get(plugin), self.said)
        os.kill(before.pid, signal.SIGKILL)
        until(lambda: self._restarts(plugin) > before.restarts, self.said)
        return before

    def _restarts(self, plugin: str) -> int:
        found = self.processes().get(plugin)
        return found.restarts if found else 0

    def end(self) -> None:
        if hasattr(self, "client"):
            self.client.close()
        self.process.terminate()
        try:
            self.process.wait(WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reading.join()
        assert self.process.stdout
        self.process.stdout.close()


def until(what: Callable[[], Any], told: Callable[[], str] = str, within: float = 60.0) -> Any:
    """Asks until the answer is true, and returns it. told: what to say when it never is."""
    deadline = time.monotonic() + within
    while not (answer := what()):
        assert time.monotonic() < deadline, told()
        time.sleep(0.05)
    return answer
