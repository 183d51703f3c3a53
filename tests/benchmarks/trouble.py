"""(i) trouble: what a plugin that misbehaves costs the others, and the kernel. Not asserted by any test.

Twenty good devices of fifty tags, each read ten times a second in one process, beside a rogue of `tests/faults` in
another. Compared with the same without it, in a kernel of its own each time: samples a second of the good ones, growth
of the kernel's memory, and how long it took from the first ask until the trouble was told.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import machine
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.plan import Plan
from tests.benchmarks.plant import ROOT

DEVICES, TAGS = 20, 50
TROUBLE = {
    "exits": "rogue",
    "kills itself": "rogue",
    "stops": "rogue",
    "raises": "rogue",
    "leaks": "rogue",
    "starts too many processes": "rogue",
    "prints without end": "rogue",
    "sends garbage": "rogue",
    "floods with notes": "rogue",
    "publishes though nobody asked": "rogue",
    "does not stop": "rogue-push",
}
NAMES = ("calm", *TROUBLE)


def trouble(plan: Plan) -> Iterator[Figure]:
    """One row for each kind of trouble, and the worst growth of the kernel's memory."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in NAMES}
    rounds = min(plan.rounds, 3)
    with machine.foreign() as foreign:
        for turn in range(rounds):
            for name in plan.rotated(NAMES, turn):
                found[name].append(_lived(plan.folder / f"{turn}-{NAMES.index(name)}", name, plan))
    for name in TROUBLE:
        pairs = zip(found[name], found["calm"], strict=True)
        ratios = [one["rate"] / calm["rate"] for one, calm in pairs]
        what = f"the others' samples a second beside a plugin that {name}, to without it"
        yield Figure("i", what, ratios, "", Target("≥", 0.9), foreign.cores)
    for name in TROUBLE:
        told = [one["told"] for one in found[name] if one["told"] >= 0]
        if told:
            yield Figure("i", f"until it is told that a plugin {name}", told, "s", Target("≤", 5.0))
    grown = [max(found[name][turn]["grown"] for name in TROUBLE) for turn in range(rounds)]
    calm = [one["grown"] for one in found["calm"]]
    yield Figure(
        "i", "growth of the kernel's memory, the worst of them", grown, "MB", Target("≤", 20)
    )
    yield Figure("i", "the same without any trouble", calm, "MB")


def _lived(folder: Path, name: str, plan: Plan) -> dict[str, float]:
    folder.mkdir(parents=True)
    words = [sys.executable, "-m", "tests.benchmarks.trouble", str(folder), name, str(plan.seconds)]
    ended = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"{name}: {ended.stderr[-500:]}")
    told: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return told


async def _live(folder: Path, name: str, seconds: float) -> dict[str, float]:
    from tests.faults.rogues import lines, offers
    from tests.runtime.plant import plant, state, until

    tags = ", ".join(f"t{n}: {{address: a, scan: fast}}" for n in range(TAGS))
    good = [
        f"d{n}: {{use: counter, scan_classes: {{fast: 100ms}}, tags: {{{tags}}}}}"
        for n in range(DEVICES)
    ]
    rogue = [] if name == "calm" else lines({"rogue": name}, TROUBLE[name])
    text = "connectors:\n  " + "\n  ".join([*good, *rogue]) + "\n"
    async with plant(folder, text, offers=offers()) as kernel:
        await until(lambda: all(state(kernel, f"d{n}") == "up" for n in range(DEVICES)), within=60)
        roles = [kernel.components[f"d{n}"].role for n in range(DEVICES)]
        await asyncio.sleep(1)
        memory = machine.resident(os.getpid())
        before, began = sum(r.figures.consumed for r in roles), asyncio.get_running_loop().time()
        await asyncio.sleep(seconds)
        passed = asyncio.get_running_loop().time() - began
        rate = (sum(r.figures.consumed for r in roles) - before) / passed
        grown = machine.resident(os.getpid()) - memory
        return {"rate": rate, "grown": grown, "told": _told(kernel)}


def _told(kernel: Any) -> float:
    """Seconds from the first Open that was answered, which the first ask follows at once, to the first word of trouble;
    -1 when there was none."""
    rogue = kernel.components.get("rogue")
    history = list(rogue.life.history) if rogue else []
    opened = next((t.at for t in history if t.reason == "opened"), 0)
    trouble = next((t.at for t in history if opened and t.at > opened), 0)
    return (trouble - opened) / 1e9 if trouble else -1.0


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_live(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])))))
