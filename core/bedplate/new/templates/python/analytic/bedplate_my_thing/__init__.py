"""How long, and how often, a value was above a limit: one object for each asset.

The result depends on state and samples alone: no clock, no randomness. So a crash changes nothing, and any split of the
same samples into stretches gives the same outputs.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from bedplate import Analytic, DataType, Invalid, Output, Series, Stretch, Written
from bedplate.event_time import EventTime
from bedplate.model.quality import good_mask
from bedplate.settings import Duration, TagName

VERSION = 1  # of the state; raise it when its meaning changes


class MyThing(Analytic):
    """Two counters that only grow; divide and compare them where you show them."""

    class Config(BaseModel):
        """What the operator sets. Each description stands in the editor, and in what `check` says."""

        model_config = ConfigDict(extra="forbid")

        tag: TagName = Field(description="The tag that is watched.")
        limit: float = Field(description="Above it the time counts.")
        lateness: Duration = Field(5.0, description="How long a sample may be under way.")

    def open(self) -> Sequence[Output]:
        if self.config.tag not in self.asset.inputs:
            raise Invalid(f"{self.asset.path} has no tag {self.config.tag}", pointer="/tag")
        self.times = EventTime(round(self.config.lateness * 1e9))
        self.above = False
        self.since = 0  # ns: when the newest sample was true
        self.nanoseconds = 0
        self.crossings = 0
        return [
            Output("seconds_above", unit="s", description="How long it was above the limit."),
            Output("times_above", DataType.INT64, description="How often it rose above it."),
        ]

    def process(self, stretch: Stretch) -> Iterable[Written]:
        """Columns in, columns out. A sample that is not Good ends the time above: nobody knows."""
        series = stretch.inputs.get(self.config.tag)
        if series is None:
            return
        arrived = self.times.take(series)  # in order of time, without those that are late
        if not len(arrived.event):
            return
        above = self.is_above(arrived.series)
        before = np.concatenate([[self.above], above[:-1]])
        since = np.concatenate([[self.since], arrived.event[:-1]])
        total = self.nanoseconds + np.cumsum(np.where(before, arrived.event - since, 0))
        crossings = self.crossings + np.cumsum(above & ~before)
        self.above, self.since = bool(above[-1]), int(arrived.event[-1])
        self.nanoseconds, self.crossings = int(total[-1]), int(crossings[-1])
        yield Written("seconds_above", arrived.event, total / 1e9)
        yield Written("times_above", arrived.event, crossings)

    def is_above(self, series: Series) -> Any:
        """Of each sample. Text is above nothing."""
        if not isinstance(series.value, np.ndarray):
            return np.zeros(len(series), np.bool_)
        return good_mask(series.quality) & (series.value > self.config.limit)

    def state(self) -> bytes:
        kept = [self.times.newest, self.times.last]
        kept += [self.above, self.since, self.nanoseconds, self.crossings]
        return json.dumps({"version": VERSION, "kept": kept}).encode()

    def restore(self, state: bytes) -> None:
        try:
            found = json.loads(state)
            if found["version"] != VERSION:
                raise Invalid(f"the state of {self.asset.path} is of version {found['version']}")
            self.times.newest, self.times.last, *rest = found["kept"]
            self.above, self.since, self.nanoseconds, self.crossings = rest
        except (ValueError, LookupError, TypeError) as error:
            raise Invalid(f"the state of {self.asset.path} can't be read: {error}") from error
