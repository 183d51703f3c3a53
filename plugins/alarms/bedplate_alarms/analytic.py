"""The analytic `alarms`: one object for each asset, a watch for each limit, one look at each tag."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bedplate import Analytic, Event, Invalid, Output, Stretch, Written, strict_json
from bedplate.event_time import EventTime
from bedplate.model import AlarmState, EventKind
from bedplate_alarms.condition import Readings
from bedplate_alarms.settings import AlarmsConfig
from bedplate_alarms.watch import NS, Known, Watch

VERSION = 1
_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)


class Alarms(Analytic):
    """Limits on the tags of an asset, after ISA-18.2. Writes events, no samples.

    The source of an alarm is <asset path>/<name of the limit>. Results depend on state and stretches alone; any split
    of the same samples gives the same events, in the same order.
    """

    Config = AlarmsConfig
    config: AlarmsConfig

    def open(self) -> Sequence[Output]:
        """Names no outputs. Raises Invalid when a limit's tag is not one of the asset's, or its text is no label."""
        lateness = round(self.config.lateness * NS)
        self._watches: dict[str, Watch] = {}
        self._times: dict[str, EventTime] = {}
        self._gone: dict[str, dict[str, Any]] = {}
        self._puzzled: set[str] = set()
        self._written = b""  # what `state` gave last, until something changes
        for name, limit in self.config.limits.items():
            path = self.asset.inputs.get(limit.tag)
            at = f"/limits/{name}"
            if path is None:
                raise Invalid(f"{self.asset.path} has no tag {limit.tag}", pointer=f"{at}/tag")
            labels = self.asset.labels.get(limit.tag, {})
            if isinstance(limit.target, str) and labels and limit.target not in labels.values():
                known = ", ".join(labels.values())
                text = f"{limit.tag} has no state {limit.target!r}; it has {known}"
                raise Invalid(text, pointer=f"{at}/{limit.question}")
            source = f"{self.asset.path}/{name}"
            self._watches[source] = Watch(source, limit, path, labels, lateness, self.component)
            self._times.setdefault(limit.tag, EventTime(lateness))
        return ()

    def process(self, stretch: Stretch) -> Iterable[Written | Event]:
        """The events of a stretch, in the order in which the kernel could know them."""
        found = self._dismissed(stretch.until) if self._gone else []
        readings = {
            tag: Readings(self._times[tag].take(series))
            for tag, series in stretch.inputs.items()
            if tag in self._times
        }
        said = _acknowledgements(stretch.events)
        for source, watch in self._watches.items():
            new = readings.get(watch.tag)
            if new is not None:
                self._check_type(watch, new)
            found += watch.advance(new, said.get(source, ()), stretch.until)
        if found or readings:
            self._written = b""
        if len(found) > 1:
            found.sort(key=lambda one: one.at)
        return [one.event for one in found]

    def state(self) -> bytes:
        """JSON: the time lines, and each limit at which anything ever happened."""
        if not self._written:
            self._written = self._write()
        return self._written

    def _write(self) -> bytes:
        watches = {source: state for source, w in self._watches.items() if (state := w.state())}
        times = {tag: [time.newest, time.last] for tag, time in self._times.items()}
        whole = {"version": VERSION, "times": times, "limits": watches | self._gone}
        return _JSON.encode(whole).encode()

    def restore(self, state: bytes) -> None:
        """Takes back what `state` gave; limits that are new start as new. Raises Invalid when it can't read it."""
        try:
            whole = strict_json.loads(state, nan=True)
            if whole["version"] != VERSION:
                raise Invalid(f"the state of {self.asset.path} is of version {whole['version']}")
            for tag, (newest, last) in whole["times"].items():
                if tag in self._times:
                    self._times[tag].newest, self._times[tag].last = newest, last
            for source, kept in whole["limits"].items():
                own = f"{self.asset.path}/{source.rpartition('/')[2]}"
                if own in self._watches and (own == source or own not in whole["limits"]):
                    self._watches[own].restore(kept)  # also when the asset was elsewhere
                elif own == source and AlarmState(kept["state"]) is not AlarmState.NORMAL:
                    self._gone[source] = kept
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Invalid(f"the state of {self.asset.path} can't be read: {error}") from error

    def _dismissed(self, until: int) -> list[Known]:
        """Ends the alarms of limits that the deployment no longer has: nobody else would."""
        found = []
        a_watch = next(iter(self._watches.values()))
        for source, kept in self._gone.items():
            ended = replace(
                a_watch.alarm,
                state=AlarmState.NORMAL,
                tag="",
                condition="",
                do="",
                active_since=kept.get("active_since", 0),
                returned_at=until,
            )
            text = "no longer watched: the deployment has no such limit any more"
            event = replace(a_watch.event(until, text), source=source, alarm=ended)
            found.append(Known((until, 0), event))
        self._gone = {}
        return found

    def _check_type(self, watch: Watch, readings: Readings) -> None:
        if watch.source in self._puzzled or watch.delayed.condition.fits(readings.values):
            return
        self._puzzled.add(watch.source)
        self.note(f"{watch.source}: {watch.tag} can't be compared: {watch.alarm.condition}")


def _acknowledgements(events: Sequence[Event]) -> dict[str, list[Event]]:
    said: dict[str, list[Event]] = {}
    for event in events:
        if event.kind == EventKind.ACKNOWLEDGE:
            said.setdefault(event.source, []).append(event)
    return said
