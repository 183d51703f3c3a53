"""A controller whose answers are spoilt on the way: a value is right, or there is none."""

from __future__ import annotations

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from plugins.ethernetip.tests.conftest import Controller
from tests.counts import count
from tests.faults.spoiling import WAYS, spoiling

from bedplate.testing import plugged
from bedplate_ethernetip import EthernetIp

SEED = int(os.environ.get("BEDPLATE_SEED", random.randrange(2**32)))
FRAMES = count(500, 2000)  # of which each third costs cpppo a connection, and that takes it long
SIDE_BY_SIDE = 8
HEAD = 46  # bytes before a value: encapsulation 24, common packet format 22 with the reply's service and status
VALUES = {"Count": -70_000, "Level": 12.5, "Precise": 0.1, "Wide": 4_000_000_000}


@pytest.mark.counted
@pytest.mark.slow
def test_spoilt_frames_never_become_a_value(
    logix: Controller, capsys: pytest.CaptureFixture[str]
) -> None:
    print(f"replay: BEDPLATE_SEED={SEED} make test ARGS={__file__}")
    with plugged(EthernetIp) as plugin:
        truly = plugin.connector(logix.settings, {name: name for name in VALUES})
        for name, value in VALUES.items():
            truly.write(name, value)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        seeds = range(SEED, SEED + SIDE_BY_SIDE)
        results = [*threads.map(lambda seed: read_through(logix, seed), seeds)]
    sent = sum((sent for sent, _ in results), Counter[str]())
    outcome = sum((outcome for _, outcome in results), Counter[str]())
    assert sent.total() >= FRAMES // SIDE_BY_SIDE * SIDE_BY_SIDE
    assert set(sent) == {way.__name__ for way in WAYS}
    assert outcome["right"] > FRAMES // 4
    with capsys.disabled():
        print(f" [{sent.total()} frames: {dict(outcome)}] ", end="")


def read_through(logix: Controller, seed: int) -> tuple[Counter[str], Counter[str]]:
    """Reads as the kernel would, with a new connection after each loss, until enough frames were spoilt."""
    outcome: Counter[str] = Counter()
    with plugged(EthernetIp) as plugin, spoiling(logix.port, HEAD, seed) as wire:
        settings = {"host": "127.0.0.1", "port": wire.port, "timeout": "100ms"}
        while wire.sent.total() < FRAMES // SIDE_BY_SIDE:
            try:
                wire.on = False
                one = plugin.connector(settings, {name: name for name in VALUES})
                wire.on = True
                while wire.sent.total() < FRAMES // SIDE_BY_SIDE:
                    for name, reading in one.read().items():
                        assert not reading.good or reading.value == VALUES[name], (name, reading)
                        outcome["right" if reading.good else "Bad"] += 1
            except (ConnectionError, TimeoutError) as error:
                outcome[type(error).__name__] += 1
    return wire.sent, outcome
