"""(h): many components on one machine: how long they take to come up, what they cost at a steady pace, what they hold.

200 devices of 5 tags, read once a second: in one process, and in 20 of 10 devices each. 40 devices read every 250 ms.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.benchmarks import machine
from tests.benchmarks.figures import Figure
from tests.benchmarks.plan import Plan
from tests.benchmarks.plant import devices, plant
from tests.benchmarks.steady import SETTLE, window

DEVICES, TAGS, PROCESSES = 200, 5, 20
QUICK = "scan_classes: {normal: 250ms}\n"


def many(plan: Plan) -> Iterator[Figure]:
    for processes in (1, PROCESSES):
        yield from _measured(
            plan,
            f"{DEVICES} devices in {processes} process{'es' * (processes > 1)}",
            _text(processes),
        )


def quick(plan: Plan) -> Iterator[Figure]:
    """What design B6 counts: forty machines, each asked four times a second."""
    yield from _measured(plan, "40 devices read every 250 ms", QUICK + devices(40, 10))


def _text(processes: int) -> str:
    whole = devices(DEVICES, TAGS)
    if processes == 1:
        return whole
    for number in range(DEVICES):
        whole = whole.replace(
            f"      d{number}: {{}}", f"      d{number}: {{part: p{number % processes}}}"
        )
    return whole.replace(
        "    use: free\n", "    use: free\n    parameters: {part: required}\n    process: $part\n"
    )


def _measured(plan: Plan, what: str, text: str) -> Iterator[Figure]:
    with machine.foreign() as foreign:
        began = time.monotonic()
        with plant(plan.folder / what.replace(" ", "-"), text) as running:
            up = time.monotonic() - began
            time.sleep(SETTLE)
            windows = [window(running, plan.seconds) for _ in range(max(1, plan.rounds // 3))]
            memory = {name: machine.proportional(pid) for name, pid in running.pids().items()}
    kernel = [one.cpu["kernel"] for one in windows]
    plugins = [one.total - one.cpu["kernel"] for one in windows]
    yield Figure("h", f"{what}: from the start until all are up", [up], "s", None, foreign.cores)
    yield Figure("h", f"{what}: CPU, kernel", kernel, "% of a core", None, foreign.cores)
    yield Figure("h", f"{what}: CPU, plugins", plugins, "% of a core", None, foreign.cores)
    yield Figure(
        "h", f"{what}: memory, kernel (PSS)", [memory.pop("kernel")], "MB", None, foreign.cores
    )
    yield Figure(
        "h", f"{what}: memory, plugins (PSS)", [sum(memory.values())], "MB", None, foreign.cores
    )
