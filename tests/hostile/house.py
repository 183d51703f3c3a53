"""What hostile plugins are let loose in: a kernel, a journal, a token, a neighbour, sockets, a process to harm."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bedplate.admission.describing import describe
from bedplate.clock import SystemClock
from bedplate.isolation import Level, Machine, this_machine
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.runtime.kernel import Kernel
from bedplate.server.platform import prepare

HERE = Path(__file__).parent
MANIFEST = """
manifest = 1
name = "hostile"
version = "6.6.6"
requires_api = ">=1,<2"
[[offer]]
use = "hostile"
kind = "connector"
class = "plugin:Hostile"
capabilities = ["read"]
[permissions]
network = ["tcp:$host:$port"]
files = ["$folder"]
secrets = ["$password"]
memory = "256MiB"
"""


@contextmanager
def targets(folder: Path, token: Path) -> Iterator[dict[str, Any]]:
    """Whom and what an attempt is made on; all of it is there and would do what it is asked for."""
    with ExitStack() as opened:
        listeners = [opened.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        path, abstract = folder / "their.sock", f"\0bedplate-hostile-{os.getpid()}"
        for address in (str(path), abstract):
            listener = opened.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen()
        victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        opened.callback(victim.wait)
        opened.callback(victim.send_signal, signal.SIGKILL)
        (folder / "neighbour").mkdir()
        (folder / "neighbour" / "secret.py").write_text("KEY = 1\n")
        (folder / "journal").mkdir(exist_ok=True)
        (folder / "mine").mkdir()
        yield {
            "pid": os.getpid(),
            "victim": victim.pid,
            "token": str(token),
            "journal": str(folder / "journal"),
            "other": str(folder / "neighbour" / "secret.py"),
            "outside": str(folder / "outside"),
            "folder": str(folder / "mine"),
            "declared": listeners[0].getsockname()[1],
            "undeclared": listeners[1].getsockname()[1],
            "socket": str(path),
            "abstract": abstract,
        }


def unconfined(at: dict[str, Any]) -> dict[str, str]:
    """What becomes of the same attempts when nobody prevents them."""
    done = subprocess.run(
        [sys.executable, str(HERE / "hostile.py"), json.dumps(at)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def plugin_folder(folder: Path, manifest: str = MANIFEST) -> Path:
    """The hostile plugin as somebody would ship it."""
    sys.path.insert(0, str(HERE))
    try:
        from tests.hostile.plugin import Hostile

        described = describe(Hostile)
    finally:
        sys.path.remove(str(HERE))
    folder.mkdir(parents=True)
    for name in ("hostile.py", "plugin.py"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    (folder / "bedplate-plugin.toml").write_text(manifest)
    (folder / "config.schema.json").write_text(json.dumps({"offers": {"hostile": described}}))
    return folder


@asynccontextmanager
async def house(
    folder: Path,
    components: dict[str, Any],
    level: Level,
    environment: Callable[[Path], None] = lambda folder: None,
) -> AsyncIterator[Kernel]:
    """A kernel with these components of the hostile plugin. environment: gives its folder one of its own."""
    shipped = plugin_folder(folder / "shipped" / "hostile")
    environment(shipped)
    file = folder / "plant.yaml"
    plan = {
        "bedplate": 1,
        "name": "house",
        "journal": {"folder": "journal"},
        "plugins": {"folders": [str(shipped)], "min_isolation": str(level)},
        "scan_classes": {"normal": "100ms"},
        "connectors": components,
    }
    file.write_text(json.dumps(plan))
    prepared = prepare(file)
    engine = EmbeddedEngine(folder / "journal", clock=SystemClock(), sync=0.05)
    kernel = Kernel(prepared.deployment, prepared.admission.offers, engine, linger=0.02)
    try:
        await kernel.start()
        yield kernel
    finally:
        await kernel.stop()


def machine_with(level: Level) -> Machine:
    """This machine, where it can do so much; otherwise the test is skipped, loudly."""
    machine = this_machine(bubblewrap=True)
    if level <= machine.best:
        return machine
    why = f"{level} CANNOT BE TESTED HERE: {machine.why_not[level]}"
    if os.environ.get("CI") and level < Level.L3:
        pytest.fail(why)
    pytest.skip(why)
