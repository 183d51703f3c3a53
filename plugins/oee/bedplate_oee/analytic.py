"""The analytic `oee`: one object for each asset. Holds samples until nothing older can come, then does the sums.

Results are written at multiples of `every` since 1970 within each shift, and at its end: the last of a shift carry the
time of its end, the first of the next one the first multiple after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate import Analytic, DataType, Event, Invalid, Output, Stretch, Written, strict_json
from bedplate.calendar import Calendar
from bedplate.model import Strings
from bedplate.model.quality import BAD_WAITING
from bedplate_oee.account import Account, Moments
from bedplate_oee.held import (
    PLANNED_STOP,
    RUNNING,
    Held,
    Samples,
    read_count,
    read_rate,
    state_reader,
)
from bedplate_oee.kpi import Elements, indicators
from bedplate_oee.settings import OeeConfig
from bedplate_oee.span import Span

VERSION = 1
NS = 1_000_000_000
STEP = NS  # the account is brought up to date this often, so that little is held
_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)
OUTPUTS = (
    Output("availability", unit="1", description="APT / PBT of the shift so far, ISO 22400-2"),
    Output("performance", unit="1", description="Effectiveness, PRU * PQ / APT; may exceed 1"),
    Output("quality", unit="1", description="Quality ratio, GQ / PQ"),
    Output("oee", unit="1", description="OEE index: availability * performance * quality"),
    Output("planned_time", unit="s", description="PBT, planned busy time of the shift so far"),
    Output("run_time", unit="s", description="APT, actual production time of the shift so far"),
    Output("unknown_time", unit="s", description="Planned time in which the state was not known"),
    Output("total_count", description="PQ, parts of the shift so far"),
    Output("good_count", description="GQ, good parts of the shift so far"),
    Output("shift", DataType.TEXT, description="Name of the shift"),
)


class Oee(Analytic):
    """Overall equipment effectiveness of an asset, each shift from its start, after ISO 22400-2:2014.

    Results depend on state and stretches alone; any split of the same samples gives the same results.
    """

    Config = OeeConfig
    config: OeeConfig

    def open(self) -> Sequence[Output]:
        """Names the outputs. Raises Invalid when a tag is not one of the asset's, or a state is no label of its."""
        config = self.config
        lateness = round(config.lateness * NS)
        self._every, self._silence = round(config.every * NS), round(config.silence * NS)
        self._span: Span | None = None
        self._account = Account()
        self._at: int | None = None  # all before is in the account, ns
        self._heard = 0  # the last sample in the account, ns
        self._due = 0  # nothing is written before, ns
        self._puzzled = False
        self._state = Held(lateness, state_reader(self._classes(), self._labels()))
        self._total, self._good = Held(lateness, read_count), Held(lateness, read_count)
        self._rate = Held(lateness, read_rate, keep=False)
        self._inputs = [
            ("state", config.state, self._state),
            ("total", config.total, self._total),
            ("good", config.good, self._good),
        ]
        if isinstance(config.ideal_rate, float):
            self._rate.first, self._rate.level = 0, config.ideal_rate
        else:
            self._inputs.append(("ideal_rate", config.ideal_rate.tag, self._rate))
        for _, tag, _ in self._inputs:
            if tag not in self.asset.inputs:
                raise Invalid(f"{self.asset.path} has no tag {tag}")
        if not isinstance(config.calendar, Calendar):
            raise Invalid("must be a calendar of the deployment", pointer="/calendar")
        return OUTPUTS

    def process(self, stretch: Stretch) -> Iterable[Written | Event]:
        """Results whose time has come, each with its time."""
        for _, tag, held in self._inputs:
            series = stretch.inputs.get(tag)
            if series is not None and len(series):
                held.add(series)
                if held is self._state:
                    self._check_type(series.value)
        if self._at is None:
            self._at = self._start(stretch)
        reached = self._state.clock.watermark(stretch.until) - 1
        if self._at is None or reached < self._due:
            return ()
        return self._sum_up(reached)

    def _start(self, stretch: Stretch) -> int | None:
        """Event time of the first sample that was received."""
        first = [
            (int((series.time if series.received is None else series.received)[0]), held.event[0])
            for _, tag, held in self._inputs[:3]  # of a rate, samples that say nothing are not kept
            if (series := stretch.inputs.get(tag)) is not None and len(series) and held.event
        ]
        self._heard = min(first)[1] if first else 0
        return self._heard if first else None

    def _sum_up(self, reached: int) -> list[Written]:
        """Takes what lies up to the last moment at which results are due."""
        written: list[Written] = []
        assert self._at is not None
        while True:
            if self._span is None or self._span.end <= self._at:
                self._span = Span.at(self.config.calendar, self._at)
            span, grid = self._span, reached // STEP * STEP
            end = span.end if span.end <= reached else min(grid, span.end)
            begin = self._known_from()
            if begin is not None and self._at < begin < end:
                end = begin
            if end <= self._at:
                self._due = min(grid + STEP, span.end)
                return written
            written += self._take(span, self._at, end)
            self._at = end

    def _known_from(self) -> int | None:
        """From when every input is known, None: not yet."""
        firsts = [held.first for held in (self._state, self._total, self._good, self._rate)]
        known = [first for first in firsts if first is not None]
        return max(known) if len(known) == len(firsts) else None

    def _take(self, span: Span, start: int, end: int) -> list[Written]:
        """Puts what lies in (start, end] into the account; what is to be written of it."""
        samples = {held: held.take(start, end) for _, _, held in self._inputs}
        points = self._points(span, start, end)
        at = self._moments(start, end, points, [one.event for one in samples.values()])
        if not span.name:
            return []
        if self._account.began != span.start:
            self._account = Account(span.start)
        begin = self._known_from()
        elements = None
        if begin is not None and begin <= start:
            none = np.zeros(0, np.int64), np.zeros(0, np.float64)
            rate = samples.get(self._rate) or Samples(self._rate.level, False, *none)
            counters = samples[self._total], samples[self._good]
            elements = self._account.advance(span, at, samples[self._state], *counters, rate)
        return self._write(span, at, len(points), elements)

    def _moments(
        self, start: int, end: int, points: NDArray[np.int64], events: list[NDArray[np.int64]]
    ) -> Moments:
        wanted = np.concatenate((points, [end]))
        heard = self._heard
        self._heard = max([heard, *(int(one[-1]) for one in events if len(one))])
        moments = Moments(start, end, wanted, heard, self._silence, points[:0])
        return (
            moments._replace(events=np.sort(np.concatenate(events))) if moments.quiet else moments
        )

    def _points(self, span: Span, start: int, end: int) -> NDArray[np.int64]:
        """When results are due in (start, end]: by the clock, and at the end of a shift."""
        if not span.name:
            return np.zeros(0, np.int64)
        first = (start // self._every + 1) * self._every
        points = np.arange(first, end + 1, self._every, dtype=np.int64)
        if end == span.end and end % self._every:
            points = np.append(points, end)
        return points

    def _write(self, span: Span, at: Moments, n: int, elements: Elements | None) -> list[Written]:
        """The first n points, less those at which nothing was heard for long; without elements: not known yet."""
        due = at.heard_at()[:n]
        if n and at.end == span.end:
            due[-1] = True
        times = at.points[:n][due]
        if not len(times):
            return []
        written = []
        if not self._account.told:
            self._account.told = True
            written.append(Written("shift", int(times[0]), span.name))
        if elements is None:
            none = np.full(len(times), np.nan)
            codes = np.full(len(times), BAD_WAITING, np.uint32)
            names = [output.name for output in OUTPUTS if output.data_type != DataType.TEXT]
            return written + [Written(name, times, none, codes) for name in names]
        for name, (value, quality) in indicators(elements).items():
            written.append(Written(name, times, value[:n][due], quality[:n][due]))
        for name, column in _quantities(elements).items():
            written.append(Written(name, times, column[:n][due]))
        return written

    def state(self) -> bytes:
        """JSON: where the account stands, and what is held of each input."""
        at = self._at or 0
        held = {name: [self.asset.inputs[tag], *held.state(at)] for name, tag, held in self._inputs}
        whole = {
            "version": VERSION,
            "at": self._at,
            "heard": self._heard,
            "account": self._account.state(),
            "inputs": held,
        }
        return _JSON.encode(whole).encode()

    def restore(self, state: bytes) -> None:
        """Takes back what `state` gave. An input that is another tag now starts as new. Raises Invalid when it can't
        read it."""
        try:
            whole = strict_json.loads(state, nan=True)
            if whole["version"] != VERSION:
                raise Invalid(f"the state of {self.asset.path} is of version {whole['version']}")
            self._at, self._heard = whole["at"], whole["heard"]
            self._account = Account(*whole["account"])
            for name, tag, held in self._inputs:
                path, *kept = whole["inputs"].get(name, [""])
                if path == self.asset.inputs[tag]:
                    held.restore(kept, self._at or 0)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Invalid(f"the state of {self.asset.path} can't be read: {error}") from error

    def _labels(self) -> Mapping[int, str]:
        return self.asset.labels.get(self.config.state, {})

    def _classes(self) -> dict[int | str, float]:
        """What each state that the settings name means. Raises Invalid for a label that the tag does not have."""
        found: dict[int | str, float] = {}
        known = self._labels().values()
        groups = {"running": RUNNING, "planned_stops": PLANNED_STOP}
        for setting, meaning in groups.items():
            for name in getattr(self.config, setting):
                if isinstance(name, str) and known and name not in known:
                    text = f"{self.config.state} has no state {name!r}; it has {', '.join(known)}"
                    raise Invalid(text, pointer=f"/{setting}")
                found[name] = meaning
        return found

    def _check_type(self, values: Any) -> None:
        if self._puzzled or self._labels() or isinstance(values, Strings):
            return
        if not any(isinstance(name, int) for name in self.config.running):
            self._puzzled = True
            self.note(
                f"{self.asset.inputs[self.config.state]} is a number and has no `states:`; write numbers in `running`"
            )


def _quantities(elements: Elements) -> dict[str, NDArray[np.float64]]:
    return {
        "planned_time": elements.pbt,
        "run_time": elements.apt,
        "unknown_time": elements.unknown,
        "total_count": elements.total,
        "good_count": elements.good,
    }
