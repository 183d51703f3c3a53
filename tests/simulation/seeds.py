"""Runs a range of seeds, and says at the first that fails how to see it again."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from tests.counts import count
from tests.simulation.books import Broken
from tests.simulation.world import World

SEEDS = count(1000, 20_000)  # split over three files
SHOWN = 60  # lines of the log before the end


def run(first: int, seeds: int) -> Counter[str]:
    """All of them, or the one that SEED names. Returns how often each fault happened."""
    met: Counter[str] = Counter()
    wanted = os.environ.get("SEED")
    for seed in [int(wanted)] if wanted else range(first, first + seeds):
        met += one(seed)
    return met


def one(seed: int) -> Counter[str]:
    world = World(seed)
    try:
        world.run()
    except Broken as broken:
        told(world, str(broken))
    return world.trouble.met


def told(world: World, why: str) -> None:
    lines = [f"replay: .venv/bin/python -m tests.simulation {world.seed}", *world.log[-SHOWN:]]
    print(*lines, sep="\n")
    pytest.fail(f"seed {world.seed}: {why}", pytrace=False)
