"""A controller whose answers are spoilt on the way: a value is right, or there is none."""

from __future__ import annotations

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from plugins.s7.tests.conftest import Controller
from tests.faults.spoiling import WAYS, spoiling

from bedplate.testing import plugged
from bedplate_s7 import S7

SEED = int(os.environ.get("BEDPLATE_SEED", random.randrange(2**32)))
FRAMES = 2000
SIDE_BY_SIDE = 8
HEAD = 25  # bytes before the value: TPKT 4, COTP 3, S7 14, item 4
TAGS = {
    "word": ("DB1.DBW8", 65_535),
    "dword": ("DB1.DBD14", 4_000_000_000),
    "byte": ("DB1.DBB34", 128),
    "marker": ("MW20", 4711),
}


@pytest.mark.slow
def test_two_thousand_spoilt_frames_never_become_a_value(
    plc: Controller, capsys: pytest.CaptureFixture[str]
) -> None:
    print(f"replay: BEDPLATE_SEED={SEED} make test ARGS={__file__}")
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        seeds = range(SEED, SEED + SIDE_BY_SIDE)
        results = [*threads.map(lambda seed: read_through(plc, seed), seeds)]
    sent = sum((sent for sent, _ in results), Counter[str]())
    outcome = sum((outcome for _, outcome in results), Counter[str]())
    assert sent.total() >= FRAMES
    assert set(sent) == {way.__name__ for way in WAYS}
    assert outcome["right"] > FRAMES // 4
    with capsys.disabled():
        print(f" [{sent.total()} frames: {dict(outcome)}] ", end="")


def read_through(plc: Controller, seed: int) -> tuple[Counter[str], Counter[str]]:
    """Reads as the kernel would, with a new connection after each loss, until enough frames were spoilt."""
    outcome: Counter[str] = Counter()
    tags = {name: address for name, (address, _) in TAGS.items()}
    with plugged(S7) as plugin, spoiling(plc.port, HEAD, seed) as wire:
        settings = {"host": "127.0.0.1", "port": wire.port, "timeout": "100ms"}
        while wire.sent.total() < FRAMES // SIDE_BY_SIDE:
            try:
                wire.on = False
                one = plugin.connector(settings, tags)
                wire.on = True
                while wire.sent.total() < FRAMES // SIDE_BY_SIDE:
                    for name, reading in one.read().items():
                        assert not reading.good or reading.value == TAGS[name][1], (name, reading)
                        outcome["right" if reading.good else "Bad"] += 1
            except (ConnectionError, TimeoutError) as error:
                outcome[type(error).__name__] += 1
    return wire.sent, outcome
