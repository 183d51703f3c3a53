"""The API's figures as observable instruments, beside the kernel's: read when the exporter asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opentelemetry.metrics import Meter, Observation

Figures = Callable[[], Mapping[str, int]]
"""By the last word of each name, since the start."""
COUNTERS = (
    ("bedplate.api.refused", "{connection}", "connections refused: TLS, too many, what they sent"),
    ("bedplate.api.hurried", "{connection}", "connections that were too slow, or made room"),
    ("bedplate.api.cut", "{call}", "calls and streams ended, of somebody who is not let in now"),
)
GAUGES = (
    ("bedplate.api.connections", "{connection}", "connections of the API"),
    ("bedplate.api.streams", "{stream}", "subscriptions and watches that are open"),
)


def api_instruments(figures: Figures, meter: Meter) -> None:
    """Registers them. Names and meanings: docs/reference/metrics.md."""
    for name, unit, text in COUNTERS:
        meter.create_observable_counter(name, [_of(figures, name)], unit, text)
    for name, unit, text in GAUGES:
        meter.create_observable_gauge(name, [_of(figures, name)], unit, text)


def _of(figures: Figures, name: str) -> Callable[[object], list[Observation]]:
    word = name.rpartition(".")[2]
    return lambda options: [Observation(figures()[word])]
