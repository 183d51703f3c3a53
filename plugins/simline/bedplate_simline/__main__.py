"""The command line: `python -m bedplate_simline opcua | modbus | both`.

Owns: arguments and exit codes: 0 ended when told, 1 could not serve, 2 wrong arguments.
Rule: what needs asyncua or pymodbus is imported by the command that serves it.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

from bedplate_simline.plant import Plant
from bedplate_simline.serving import heed_interrupts, run_until_told

_SECONDS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0}


def duration(text: str) -> float:
    """Seconds of "90s", "10min" or "8h". Raises ArgumentTypeError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|min|h)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r}: a duration looks like 90s, 10min or 8h")
    return float(found[1]) * _SECONDS[found[2]]


def shift_length(text: str) -> float:
    """A duration from 10 s to 7 days. Raises ArgumentTypeError for anything else."""
    seconds = duration(text)
    if not 10.0 <= seconds <= 7 * 86_400.0:
        raise argparse.ArgumentTypeError(f"{text!r}: a shift lasts from 10s to 168h")
    return seconds


def build_parser() -> argparse.ArgumentParser:
    """The parser of all three commands."""
    parser = argparse.ArgumentParser(
        prog="python -m bedplate_simline",
        description="A simulated bottling line: filler, capper, labeller. Says in one line of "
        "JSON on stdout where it listens; ends on SIGTERM, SIGINT or as --until-stdin-closes says.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    opcua = commands.add_parser("opcua", help="the line's PLC, an OPC UA server")
    modbus = commands.add_parser("modbus", help="its energy meters, a Modbus TCP server")
    both = commands.add_parser("both", help="both, each a process of its own, on the same plant")
    for command in (opcua, modbus, both):
        _add_plant(command)
    for command in (opcua, modbus):
        command.add_argument("--port", type=int, default=0, help="0: any free one (default)")
    both.add_argument("--opcua-port", type=int, default=0, help="0: any free one (default)")
    both.add_argument("--modbus-port", type=int, default=0, help="0: any free one (default)")
    _add_security(opcua)
    opcua.add_argument("--announce-writes", action="store_true", help=argparse.SUPPRESS)
    return parser


def _add_plant(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--seed", type=int, default=7, help="decides everything random (default: %(default)s)")
    add(
        "--shift",
        type=shift_length,
        default=600.0,
        metavar="TIME",
        help="real time that an eight-hour shift takes: 10min (default), 8h, 90s",
    )
    add("--start-ns", type=int, metavar="NS", help="when the plant started, Unix time (now)")
    add("--until-stdin-closes", action="store_true", help="end when stdin does: no orphan is left")


def _add_security(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--certificate", type=Path, help="server certificate: offers Basic256Sha256")
    add("--private-key", type=Path, help="and its key, PEM or DER")
    add("--trusted", type=Path, metavar="FOLDER", help="refuse clients whose certificate is not in")
    add("--encrypted-only", action="store_true", help="no endpoint without security")
    add("--user", help="refuse everybody but this user …")
    add("--password", help="… with this password")
    add("--application-uri", help="must be the URI in the certificate")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to end; the exit code."""
    heed_interrupts()
    options = build_parser().parse_args(arguments)
    if options.start_ns is None:
        options.start_ns = time.time_ns()
    serve = {"opcua": _serve_opcua, "modbus": _serve_modbus, "both": _serve_both}[options.command]
    try:
        serve(options)
    except (OSError, ValueError) as error:
        print(f"bedplate_simline {options.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _serve_opcua(options: argparse.Namespace) -> None:
    from bedplate_simline.opcua import LineServer
    from bedplate_simline.opcua_security import Security
    from bedplate_simline.serving import plant_clock, say

    def announce(name: str, value: float) -> None:
        if options.announce_writes:
            say({"write": name, "value": value})

    named = ("certificate", "private_key", "trusted", "user", "password", "application_uri")
    given = {name: value for name in named if (value := getattr(options, name)) is not None}
    security = Security(encrypted_only=options.encrypted_only, **given)
    plant = _plant(options)
    server = LineServer(plant, plant_clock(options.start_ns), announce)
    _run(options, plant, server.serve(options.host, options.port, security))


def _serve_modbus(options: argparse.Namespace) -> None:
    from bedplate_simline.modbus import MeterServer
    from bedplate_simline.serving import plant_clock

    plant = _plant(options)
    server = MeterServer(plant, plant_clock(options.start_ns))
    _run(options, plant, server.serve(options.host, options.port))


def _plant(options: argparse.Namespace) -> Plant:
    return Plant(options.seed, options.shift)


def _run(options: argparse.Namespace, plant: Plant, serving: Coroutine[Any, Any, None]) -> None:
    """Serve; a line {"write": "filler.speed_setpoint", "value": 90} on stdin is carried out."""

    def carry_out(message: dict[str, Any]) -> None:
        try:
            plant.write(message["write"], float(message["value"]))
        except (KeyError, PermissionError, TypeError, ValueError) as error:
            print(f"bedplate_simline: not carried out: {message}: {error}", file=sys.stderr)

    run_until_told(serving, until_stdin_closes=options.until_stdin_closes, on_line=carry_out)


def _serve_both(options: argparse.Namespace) -> None:
    from bedplate_simline.both import serve_both

    shared = [
        f"--host={options.host}",
        f"--seed={options.seed}",
        f"--shift={options.shift}s",
        f"--start-ns={options.start_ns}",
    ]
    run_until_told(
        serve_both(
            [*shared, f"--port={options.opcua_port}"],
            [*shared, f"--port={options.modbus_port}"],
        ),
        until_stdin_closes=options.until_stdin_closes,
    )


if __name__ == "__main__":
    sys.exit(main())
