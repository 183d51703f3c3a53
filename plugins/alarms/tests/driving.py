"""Drives the class as the kernel does: opens it, hands it stretches, keeps its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bedplate import Asset, Event, Stretch
from bedplate.contracts import Series
from bedplate.model import EventKind, Strings
from bedplate_alarms import Alarms

S = 1_000_000_000
START = 1_700_000_000 * S
GOOD, BAD, UNCERTAIN = 0, 0x80310000, 0x40900000


def series(times: Any, values: Any, quality: Any = None, received: Any = None) -> Series:
    """times, received: seconds after START."""
    column = values
    if not isinstance(values, Strings):
        is_text = len(values) and isinstance(values[0], str)
        column = Strings.of(values) if is_text else np.array(values)
    codes = np.zeros(len(column), np.uint32) if quality is None else np.array(quality, np.uint32)
    return Series(ns(times), column, codes, None if received is None else ns(received))


def ns(seconds: Any) -> Any:
    return START + np.round(np.array(seconds, np.float64) * S).astype(np.int64)


class Driver:
    """One asset under test. Times are seconds after START."""

    def __init__(self, config: Mapping[str, Any], labels: Mapping[str, Mapping[int, str]]) -> None:
        self.config, self.labels = config, labels
        self.notes: list[str] = []
        self.object = self.build()

    def build(self) -> Alarms:
        one = Alarms()
        one.config = Alarms.Config.model_validate(self.config)
        tags = {limit.tag for limit in one.config.limits.values()}
        one.asset = Asset(
            "acme/line1/press", {t: f"acme/line1/press/{t}" for t in tags}, self.labels
        )
        one.component, one.note = "press-alarms", self.notes.append
        assert list(one.open()) == []
        return one

    def restart(self, config: Mapping[str, Any] | None = None) -> None:
        """A crash of the plugin right after a commit."""
        state = self.object.state()
        self.config = config or self.config
        self.object = self.build()
        self.object.restore(state)

    def stretch(self, until: float, *events: Event, **inputs: Series) -> list[Event]:
        found = list(self.object.process(Stretch(inputs, events, int(ns(until)))))
        assert all(isinstance(event, Event) for event in found)
        return found  # type: ignore[return-value]

    def states(self, until: float, *events: Event, **inputs: Series) -> list[tuple[str, float]]:
        """(state, time in seconds) of each event."""
        found = self.stretch(until, *events, **inputs)
        return [(e.alarm.state.name, (e.time - START) / S) for e in found if e.alarm]


def acknowledge(at: float, limit: str = "hot", by: str = "maria", text: str = "") -> Event:
    source = f"acme/line1/press/{limit}"
    return Event(source, EventKind.ACKNOWLEDGE, int(ns(at)), text, by=by)


def drive(
    labels: Mapping[str, Mapping[int, str]] | None = None, lateness: str = "1s", **limits: Any
) -> Driver:
    """drive(hot={...}, cold={...}): an asset with these limits."""
    return Driver({"limits": limits, "lateness": lateness}, labels or {})
