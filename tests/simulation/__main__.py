"""`python -m tests.simulation SEED [STEPS]`: one run again, with everything that happened."""

from __future__ import annotations

import sys
import time

from tests.simulation.books import Broken
from tests.simulation.world import STEPS, World


def main(words: list[str]) -> int:
    if not words or not all(word.isdecimal() for word in words):
        print(__doc__)
        return 2
    seed, steps = int(words[0]), int(words[1]) if len(words) > 1 else STEPS
    world = World(seed, steps)
    began = time.perf_counter()
    try:
        world.run()
    except Broken as broken:
        print(*world.log, sep="\n")
        print(f"\nseed {seed}: {broken}")
        return 1
    print(*world.log, sep="\n")
    print(
        f"\nseed {seed}: all is well; {time.perf_counter() - began:.2f} s for {world.clock.monotonic() - 1000:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
