"""Every state that a power cut may leave of the files Bedplate writes itself: what was acknowledged is there, nothing
was invented, and starting again changes nothing more (R1)."""

from __future__ import annotations

import os
import time

import pytest
from tests.counts import SOAK, count
from tests.crash_states.enumeration import Count, enumerate_states
from tests.crash_states.mounted import mounted
from tests.crash_states.stores import STORES

SEED = int(os.environ.get("SEED", "0"))
SEEDS, AT_LEAST = count(12, 200), 250_000


@pytest.mark.counted
@pytest.mark.timeout(3600 if SOAK else 300)
@pytest.mark.case("A61", "A63")
def test_a_quarter_of_a_million_states_after_a_power_cut_recover() -> None:
    print(f"replay: SEED={SEED} .venv/bin/python -m pytest -q -s tests/crash_states")
    whole = Count()
    with mounted() as mount:
        for store in STORES:
            count, began = Count(), time.perf_counter()
            for seed in range(SEED, SEED + max(1, SEEDS // store.fewer)):
                enumerate_states(store(), seed, mount, count)
            seconds = time.perf_counter() - began
            print(
                f"{store.name}: {count.states:,} states, {count.again:,} of them after a second cut, {seconds:.1f} s"
            )
            whole.states += count.states
    print(f"{whole.states:,} states")
    assert whole.states >= AT_LEAST
