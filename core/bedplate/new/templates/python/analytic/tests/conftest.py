"""The analytic as the kernel uses it: opened for an asset, restored, given stretches, asked for its state."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bedplate import Asset, Series, Stretch
from bedplate_my_thing import MyThing

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


class Opened:
    """One life. outputs: name → all values written so far."""

    def __init__(self, state: bytes = b"", limit: float = 50.0) -> None:
        self.plugin = MyThing()
        self.plugin.config = MyThing.Config(tag="level", limit=limit)
        self.plugin.asset = Asset("plant/line1/tank", {"level": "plant/line1/tank/level"})
        self.outputs: dict[str, list[Any]] = {output.name: [] for output in self.plugin.open()}
        if state:
            self.plugin.restore(state)

    def take(self, seconds: list[float], values: list[float], quality: int = 0) -> None:
        """Samples at these seconds, as one stretch."""
        times = START + (np.array(seconds) * SECOND).astype(np.int64)
        codes = np.full(len(times), quality, np.uint32)
        series = Series(times, np.array(values, np.float64), codes)
        for written in self.plugin.process(Stretch({"level": series}, (), int(times[-1]))):
            self.outputs[written.output] += np.asarray(written.value).tolist()


@pytest.fixture
def opened() -> Callable[..., Opened]:
    return Opened
