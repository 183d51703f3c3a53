"""`make bench`: measures, and prints one table of ratios and CPU per sample. make bench ARGS="a c --rounds 5".

Whatever is compared is measured in interleaved rounds in one run, and compared as a ratio, round by round; the table
shows medians. Foreign is the CPU that others took of the machine meanwhile, in cores: above a tenth it was not quiet.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.benchmarks import (
    access,
    disk,
    idle,
    kept,
    kernel_part,
    ledger,
    machine,
    many,
    pipeline,
    placements,
    protocols,
    steady,
    trouble,
)
from tests.benchmarks.figures import Figure, table
from tests.benchmarks.plan import ENOUGH, Plan
from tests.benchmarks.plant import ROOT

Bench = Callable[[Plan], Iterator[Figure]]
BENCHES: dict[str, list[Bench]] = {
    "a": [kernel_part.inside, ledger.counted, pipeline.to_subscriber],
    "b": [pipeline.to_history, kept.sealed],
    "c": [idle.idle, steady.steady, steady.with_history, steady.growth],
    "d": [kept.asked, kept.current],
    "e": [protocols.modbus, protocols.opcua],
    "f": [steady.steady],
    "g": [disk.disk, disk.journal],
    "h": [placements.placements, placements.started, many.many, many.quick],
    "i": [trouble.trouble],
    "j": [access.access],
}
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
OTHERS = {"h", "i", "j"}  # measured at another time than the rest, in a table of their own
OTHERS_BEGIN = "<!-- table of placements -->\n"
FAILURES = (OSError, RuntimeError, AssertionError, subprocess.SubprocessError, StopIteration)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], metavar="a b c d e f g h i j")
    parser.add_argument("--rounds", type=int, default=ENOUGH, help=f"default {ENOUGH}")
    parser.add_argument("--quick", action="store_true", help="3 rounds on a tenth of the data")
    parser.add_argument("--folder", type=Path, help="on the disk that is to be measured")
    parser.add_argument(
        "--write", action="store_true", help="put the table into docs/benchmarks.md"
    )
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, _ended)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=asked.folder) as folder:
        plan = Plan(Path(folder), asked.rounds)
        if asked.quick:
            plan = Plan(Path(folder), 3, scale=0.1, seconds=2)
        figures, failed = measured(plan, asked.names or [n for n in BENCHES if n not in OTHERS])
    report = f"{headline(plan)}\n\n{table(figures)}\n"
    print(report)
    if asked.write:
        put(report, OTHERS_BEGIN if OTHERS.issuperset(asked.names or BENCHES) else BEGIN)
    return 1 if failed else 0


def measured(plan: Plan, names: list[str]) -> tuple[list[Figure], bool]:
    """Figures of all that could be measured; whether something could not."""
    figures: list[Figure] = []
    failed = False
    for bench in dict.fromkeys(bench for name in names for bench in BENCHES[name]):
        began = time.monotonic()
        own = plan.within(bench.__name__)
        own.folder.mkdir()
        try:
            figures += list(bench(own))
        except FAILURES as error:
            failed = True
            print(f"{bench.__name__} failed: {error}", file=sys.stderr)
        print(f"{bench.__name__}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return sorted(figures, key=lambda figure: figure.name), failed


def headline(plan: Plan) -> str:
    now = datetime.now(UTC)
    return f"{now:%Y-%m-%d %H:%M} UTC · {machine.described()} · {plan.rounds} interleaved rounds"


def put(report: str, begin: str) -> None:
    """The report in its place on the page."""
    before, _, rest = PAGE.read_text().partition(begin)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{begin}\n{report}\n{END}{after}")


def _ended(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)  # so that every plant is stopped


if __name__ == "__main__":
    raise SystemExit(main())
