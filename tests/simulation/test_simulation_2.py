"""The whole pipeline, simulated: part 2 of three, so that they run side by side."""

from __future__ import annotations

import pytest
from tests.counts import SOAK
from tests.simulation.seeds import SEEDS, run


@pytest.mark.counted
@pytest.mark.timeout(7200 if SOAK else 600)
def test_part_2_of_the_seeds_keeps_the_promise_whatever_goes_wrong() -> None:
    met = run(1 * SEEDS // 3, SEEDS // 3 + 1)
    print(met)
