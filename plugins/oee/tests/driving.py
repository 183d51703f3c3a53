"""Drives the class as the kernel does: opens it, hands it stretches, keeps its state. Times are local clock times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from bedplate import Asset, Stretch, Written
from bedplate.contracts import Series
from bedplate.model import Strings
from bedplate_oee import Oee

S = 1_000_000_000
MIN = 60 * S
GOOD, BAD, UNCERTAIN = 0, 0x80310000, 0x40900000
STATES = {0: "stopped", 1: "running", 2: "idle", 3: "fault", 4: "setup"}
CALENDAR = {
    "name": "three-shift",
    "timezone": "Europe/Berlin",
    "shifts": {
        "early": {"days": ["mon-sun"], "from": "06:00", "to": "14:00", "breaks": ["09:00-09:15", "12:00-12:45"]},
        "late": {"days": ["mon-sun"], "from": "14:00", "to": "22:00"},
    },
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "state": "state",
    "total": "parts_total",
    "good": "parts_good",
    "running": ["running"],
    "ideal_rate": 60.0,
    "calendar": CALENDAR,
    "every": "10s",
}


def at(clock: str, day: str = "2026-03-02", zone: str = "Europe/Berlin") -> int:
    """ns of a local time such as 06:00 or 06:00:10.5, a Monday unless told otherwise."""
    moment = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(zone))
    return round(moment.timestamp() * 1000) * 1_000_000


def series(times: Any, values: Any, quality: Any = None, received: Any = None) -> Series:
    """times, received: ns, or clock times."""
    codes = np.zeros(len(values), np.uint32) if quality is None else np.array(quality, np.uint32)
    is_text = isinstance(values[0], str)
    column = Strings.of(values) if is_text else np.array(values)
    stamps = np.array([at(t) if isinstance(t, str) else t for t in times], np.int64)
    return Series(stamps, column, codes, None if received is None else np.array(received, np.int64))


class Driver:
    """One asset under test."""

    def __init__(self, labels: Mapping[int, str] | None = STATES, **changes: Any) -> None:
        self.labels = labels
        self.config = CONFIG | changes
        self.notes: list[str] = []
        self.samples: dict[str, dict[int, tuple[Any, int]]] = {}
        self.object = self.build()

    def build(self) -> Oee:
        one = Oee()
        one.config = Oee.Config.model_validate(self.config)
        rate = self.config["ideal_rate"]
        tags = [self.config[name] for name in ("state", "total", "good")]
        tags += [rate["tag"]] if isinstance(rate, dict) else []
        labels = {self.config["state"]: self.labels} if self.labels else {}
        one.asset = Asset("acme/press", {tag: f"acme/press/{tag}" for tag in tags}, labels)
        one.component, one.note = "oee", self.notes.append
        self.outputs = {output.name: output for output in one.open()}
        return one

    def restart(self, **changes: Any) -> None:
        """A crash of the plugin right after a commit."""
        state = self.object.state()
        self.config = self.config | changes
        self.object = self.build()
        self.object.restore(state)

    def stretch(self, until: int | str, **inputs: Series) -> None:
        """Takes what is written into `samples`: name → time → (value, quality). Each time comes once, in order."""
        moment = at(until) if isinstance(until, str) else until
        for written in self.object.process(Stretch(inputs, (), moment)):
            assert isinstance(written, Written)
            self._keep(written)

    def _keep(self, written: Written) -> None:
        assert written.output in self.outputs
        times = np.atleast_1d(written.time)
        values = np.atleast_1d(written.value)
        codes = np.zeros(len(times)) if written.quality is None else written.quality
        mine = self.samples.setdefault(written.output, {})
        for time, value, code in zip(times.tolist(), values.tolist(), codes.tolist(), strict=True):
            assert time > next(reversed(mine), 0), (
                f"{written.output} at {time} came twice or too late"
            )
            mine[time] = (value, int(code))

    def value(self, name: str, moment: int | str) -> Any:
        """What was written with this time."""
        return self.samples[name][at(moment) if isinstance(moment, str) else moment][0]

    def quality(self, name: str, moment: int | str) -> int:
        return self.samples[name][at(moment) if isinstance(moment, str) else moment][1]
