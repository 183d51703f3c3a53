"""The kernel's figures as observable instruments: read when the exporter asks, counted by plain integers meanwhile.

Every component is measured from outside, so that a stranger's plugin has the same figures as ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from opentelemetry.metrics import Meter, Observation

from bedplate.journal.engine import JournalState
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.lifecycle import State
from bedplate.runtime.supervisor import Supervisor

Read = Callable[[Supervisor], float | None]


def _quietest(supervisor: Supervisor) -> float | None:
    quietest = getattr(supervisor.role, "quietest", None)
    age = quietest() if quietest else -1.0
    return age if age >= 0 else None


def _completeness(kernel: Kernel) -> Iterator[Observation]:
    for supervisor in kernel.tier("source"):
        if one := kernel.ledger.told.get(supervisor.component.id):
            yield Observation(one.ratio, _attributes(supervisor))


def _good(supervisor: Supervisor) -> float | None:
    good = getattr(supervisor.role, "good", None)
    return good() if good else None


COUNTERS: tuple[tuple[str, str, str, Read], ...] = (
    ("bedplate.consumed", "{sample}", "samples taken in", lambda s: s.role.figures.consumed),
    ("bedplate.produced", "{sample}", "samples passed on", lambda s: s.role.figures.produced),
    ("bedplate.dropped", "{sample}", "samples discarded", lambda s: s.role.figures.dropped),
    (
        "bedplate.skipped",
        "{scan}",
        "scans skipped, the one before still under way",
        lambda s: s.role.figures.skipped,
    ),
    (
        "bedplate.restarts",
        "{session}",
        "sessions after the first",
        lambda s: s.role.figures.restarts,
    ),
)
GAUGES: tuple[tuple[str, str, str, Read], ...] = (
    ("bedplate.age", "s", "age of the tag heard longest ago", _quietest),
    (
        "bedplate.credit",
        "{publication}",
        "publications a source may send",
        lambda s: getattr(s.role, "credit", None),
    ),
    ("bedplate.tags.good", "{tag}", "tags whose newest sample is Good", _good),
)
JOURNAL: dict[str, tuple[str, str, Callable[[JournalState, int], float]]] = {
    "bedplate.journal.bytes": ("By", "size of the journal on disk", lambda s, now: s.bytes),
    "bedplate.journal.depth": (
        "{record}",
        "records that it holds",
        lambda s, now: s.appended - s.first + 1 if s.first else 0,
    ),
    "bedplate.journal.unsynced": (
        "{record}",
        "records on their way to disk",
        lambda s, now: s.appended - s.synced,
    ),
    "bedplate.journal.age": (
        "s",
        "age of the oldest record that it holds",
        lambda s, now: (now - s.oldest) / 1e9 if s.oldest else 0.0,
    ),
    "bedplate.journal.room": ("By", "until connectors have to wait", lambda s, now: s.room),
    "bedplate.journal.damaged": (
        "{record}",
        "records found unreadable since the start",
        lambda s, now: s.damaged,
    ),
    "bedplate.journal.syncs": ("{sync}", "syncs since the start", lambda s, now: s.syncs),
}


def instruments(kernel: Kernel, meter: Meter) -> None:
    """Registers everything the kernel shows. Names and meanings: docs/reference/metrics.md."""
    for name, unit, text, read in COUNTERS:
        meter.create_observable_counter(name, [_each(kernel, read)], unit, text)
    for name, unit, text, read in GAUGES:
        meter.create_observable_gauge(name, [_each(kernel, read)], unit, text)
    meter.create_observable_gauge(
        "bedplate.state", [lambda options: _states(kernel)], "1", "1 for the present state"
    )
    meter.create_observable_gauge(
        "bedplate.reader.behind",
        [lambda options: _behind(kernel)],
        "{record}",
        "records that it has not read yet",
    )
    meter.create_observable_gauge(
        "bedplate.isolation",
        [lambda options: _levels(kernel)],
        "1",
        "how a process of plugins is confined: 0 not to 3",
    )
    meter.create_observable_counter(
        "bedplate.gaps",
        [lambda options: [Observation(kernel.spine.gaps)]],
        "{gap}",
        "losses declared in the streams they concern",
    )
    meter.create_observable_gauge(
        "bedplate.completeness",
        [lambda options: _completeness(kernel)],
        "1",
        "samples received to samples expected, since 00:00 in the deployment's time zone",
    )
    for name, (unit, text, of) in JOURNAL.items():
        meter.create_observable_gauge(name, [_journal(kernel, of)], unit, text)


def _attributes(supervisor: Supervisor) -> dict[str, str]:
    component = supervisor.component
    return {
        "component": component.id,
        "use": component.use,
        "kind": component.kind,
        "process": supervisor.place.launch.name,
    }


def _each(kernel: Kernel, read: Read) -> Callable[[Any], Iterable[Observation]]:
    def observe(options: Any) -> Iterator[Observation]:
        for supervisor in list(kernel.components.values()):
            value = read(supervisor)
            if value is not None:
                yield Observation(value, _attributes(supervisor))

    return observe


def _states(kernel: Kernel) -> Iterator[Observation]:
    for supervisor in list(kernel.components.values()):
        for state in State:
            yield Observation(
                int(supervisor.life.state is state), _attributes(supervisor) | {"state": str(state)}
            )


def _levels(kernel: Kernel) -> Iterator[Observation]:
    for place in list(kernel.places.values()):
        if place.level:
            attributes = {"process": place.launch.name, "plugin": place.launch.plugin}
            yield Observation(int(place.level[1:]), attributes)


def _behind(kernel: Kernel) -> Iterator[Observation]:
    appended = kernel.engine.state().appended
    for supervisor in (*kernel.tier("reader"), *kernel.tier("analytic")):
        yield Observation(
            max(0, appended - getattr(supervisor.role, "position", 0)), _attributes(supervisor)
        )


def _journal(
    kernel: Kernel, of: Callable[[JournalState, int], float]
) -> Callable[[Any], Iterable[Observation]]:
    return lambda options: [Observation(of(kernel.engine.state(), kernel.clock.time_ns()))]
