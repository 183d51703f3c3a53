"""`bedplate demo`: a simulated bottling line on real OPC UA and Modbus, and Bedplate running on it.

The line is two processes that end with this one. The deployment is docs/examples/bottling-line.yaml with free ports.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import click

from bedplate import strict_json
from bedplate.cli.called import program
from bedplate.cli.frame import Invocation, command

EXAMPLE = "bottling-line.yaml"


@command(local=True)
@click.option(
    "--shift", default="10min", show_default=True, help="How long the simulated shift takes."
)
@click.option("--seed", default=7, show_default=True, help="Another seed, another shift.")
@click.option("--plain", is_flag=True, help="Lines instead of the live screen, also in a terminal.")
@click.option(
    "--listen",
    help="Address of the API; by default 127.0.0.1:7443, or any free port when that is taken.",
)
def demo(invocation: Invocation, shift: str, seed: int, plain: bool, listen: str | None) -> None:
    """Runs until Ctrl-C.

    A filler, a capper and a labeller with states, counters, temperatures, power and faults that happen; a ten-minute
    shift shows all of it. Everything listens on this machine alone, and nothing needs to be installed beside Bedplate.
    """
    from bedplate.cli.foreground import run_foreground
    from bedplate.cli.live import Watch
    from bedplate.server.platform import prepare

    me = program()  # before the working directory changes
    _say("starting a bottling line on OPC UA and Modbus …", invocation)
    with contextlib.ExitStack() as stack:
        line = stack.enter_context(_line(shift, seed))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bedplate-demo-")))
        file = folder / EXAMPLE
        file.write_text(_deployment(line), encoding="utf-8")
        prepared = prepare(file)
        _say(f"starting Bedplate on {file} …", invocation)
        watch = Watch(
            me,
            plain=plain or invocation.json or not sys.stdout.isatty(),
            as_json=invocation.json,
        )
        run_foreground(prepared, listen or _listen(prepared.deployment.api.listen), watch.show)
    _say("ended; nothing is left running", invocation)


def _say(text: str, invocation: Invocation) -> None:
    if not invocation.json:
        print(text, flush=True)


@contextlib.contextmanager
def _line(shift: str, seed: int) -> Iterator[dict[str, object]]:
    """The simulator's processes, and where they listen. They end when our end of their stdin closes, however we end."""
    words = ["both", "--until-stdin-closes", "--shift", shift, "--seed", str(seed)]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "bedplate_simline", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield _ready(process.stdout.readline())
    finally:
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(3)
        process.kill()
        process.wait()


def _ready(line: bytes) -> dict[str, object]:
    from bedplate.errors import BedplateError

    try:
        found: dict[str, object] = strict_json.loads(line)
    except ValueError:
        raise BedplateError(
            "the simulated line did not start; is the plugin bedplate-simline installed?"
        ) from None
    return found


def _deployment(line: dict[str, object]) -> str:
    """The example as it stands in the documentation, with the ports that were free."""
    text = _example().replace("opc.tcp://127.0.0.1:48400", str(line["endpoint"]))
    return text.replace("port: 15020", f"port: {line['port']}")


def _example() -> str:
    """From the installed package, or from the checkout it is developed in."""
    packaged = resources.files("bedplate") / "examples" / EXAMPLE
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / "docs" / "examples" / EXAMPLE).read_text(encoding="utf-8")


def _listen(wanted: str) -> str:
    """The usual address when it is free, so that a second terminal needs no --endpoint; else any."""
    host, _, port = wanted.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return f"{host}:0"
    return wanted
