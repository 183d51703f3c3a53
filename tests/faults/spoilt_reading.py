"""A connector reads from a device whose answers are spoilt on the way: a value is right, or there is none."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.faults.spoiling import WAYS, spoiling

from bedplate import Connector
from bedplate.testing import plugged

SEED = int(os.environ.get("BEDPLATE_SEED", random.randrange(2**32)))
SIDE_BY_SIDE = 8


@dataclass(frozen=True, slots=True)
class SpoiltReading:
    """head: bytes before a value in a frame of the device · tags: address and value of each."""

    connector: type[Connector]
    port: int
    head: int
    tags: Mapping[str, tuple[str, object]]

    def check(self, frames: int) -> str:
        """Until so many frames were spoilt: no value was wrong, enough were right. What came of it, in words."""
        with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
            seeds = range(SEED, SEED + SIDE_BY_SIDE)
            results = [*threads.map(lambda seed: self._read(seed, frames // SIDE_BY_SIDE), seeds)]
        sent = sum((sent for sent, _ in results), Counter[str]())
        outcome = sum((outcome for _, outcome in results), Counter[str]())
        assert sent.total() >= frames // SIDE_BY_SIDE * SIDE_BY_SIDE
        assert set(sent) == {way.__name__ for way in WAYS}
        assert outcome["right"] > frames // 4
        return f"{sent.total()} frames: {dict(outcome)}"

    def _read(self, seed: int, frames: int) -> tuple[Counter[str], Counter[str]]:
        """As the kernel would, with a new connection after each loss."""
        outcome: Counter[str] = Counter()
        addresses = {name: address for name, (address, _) in self.tags.items()}
        with plugged(self.connector) as plugin, spoiling(self.port, self.head, seed) as wire:
            settings = {"host": "127.0.0.1", "port": wire.port, "timeout": "100ms"}
            while wire.sent.total() < frames:
                try:
                    wire.on = False
                    one = plugin.connector(settings, addresses)
                    wire.on = True
                    while wire.sent.total() < frames:
                        for name, reading in one.read().items():
                            right = reading.value == self.tags[name][1]
                            assert not reading.good or right, (name, reading)
                            outcome["right" if reading.good else "Bad"] += 1
                except (ConnectionError, TimeoutError) as error:
                    outcome[type(error).__name__] += 1
        return wire.sent, outcome
