"""Plants of rogues beside one good neighbour: each rogue in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.runtime.plant import OFFERS, RigOffer

from bedplate.admission.permissions import Permissions

ROGUE = Path(__file__).with_name("rogue.py")
COMMAND = (sys.executable, "-P", str(ROGUE))
GOOD = "good: {use: counter, scan_classes: {fast: 50ms}, tags: {number: {address: a, scan: fast}}}"
CAPABILITIES = {"rogue": "read", "rogue-push": "subscribe", "rogue-sink": "deliver"}


def offers(memory: str = "200MiB") -> dict[str, RigOffer]:
    """The rigs and the rogue in each of its trades. A single file, so nobody but the kernel holds it back."""
    limited = Permissions(memory=memory)
    return OFFERS | {
        use: RigOffer(
            use, "connector", (capability,), "", plugin="rogue", file=ROGUE, command=COMMAND,
            permissions=limited,
        )
        for use, capability in CAPABILITIES.items()
    }  # fmt: skip


def beside(rogues: dict[str, str], *, use: str = "rogue") -> str:
    """The text of a plant: id → how, each beside the good one."""
    return "connectors:\n  " + "\n  ".join([GOOD, *lines(rogues, use)]) + "\n"


def lines(rogues: dict[str, str], use: str) -> list[str]:
    more = "deliver: ['**']" if use == "rogue-sink" else "tags: {n: {address: a}}"
    return [
        f"{id}: {{use: {use}, process: {id}, how: '{how}', {more}}}" for id, how in rogues.items()
    ]


def told(kernel: Any, component: str) -> str:
    """Everything that was ever said of a component's states."""
    return " | ".join(t.reason for t in kernel.components[component].life.history)
