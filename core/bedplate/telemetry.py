"""OpenTelemetry, at its edges only: spans of control calls, and the exporters, when the deployment names a collector.

Nothing here is called per sample or per batch. Figures are plain counters that `runtime/instruments.py` shows to
observable instruments. Without a collector the API's no-op spans are all that runs; the SDK is not even imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate, trace

CONTROL = frozenset({"open", "close", "write", "browse", "subscribe", "query", "shutdown"})
"""Asks that get a span. Read, Deliver, Process and Ping are data and heartbeat."""

_tracer = trace.get_tracer("bedplate")


def traceparent() -> str:
    """W3C Trace Context of the present span; empty when there is none."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def span(name: str, parent: str = "", **attributes: str) -> Iterator[trace.Span]:
    """A span around a control call. parent: traceparent of the caller, on the other side of a process boundary.

    It says that the call failed, and not how: what an exception says goes past everything that hides secrets.
    """
    context = propagate.extract({"traceparent": parent}) if parent else None
    kept = {f"bedplate.{key}": value for key, value in attributes.items()}
    with _tracer.start_as_current_span(
        name, context, attributes=kept, record_exception=False, set_status_on_exception=False
    ) as opened:
        well = False
        try:
            yield opened
            well = True
        finally:
            if not well:
                opened.set_status(trace.StatusCode.ERROR)


class Exporters:
    """What sends to the collector; `shutdown` sends the rest, within a second or two."""

    def __init__(
        self, endpoint: str, service: str, instance: str, interval: float, *, traces: bool
    ) -> None:
        """endpoint: "http://127.0.0.1:4317". Raises ImportError without the extra `otlp`."""
        from opentelemetry.sdk.resources import Resource

        self._endpoint = endpoint
        self._secure = not endpoint.startswith("http://")
        self._resource = Resource.create({"service.name": service, "service.instance.id": instance})
        self.meter_provider: Any = None
        self._tracer_provider: Any = None
        if interval:
            self._start_metrics(interval)
        if traces:
            self._start_traces()

    def _start_metrics(self, interval: float) -> None:
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        exporter = OTLPMetricExporter(endpoint=self._endpoint, insecure=not self._secure, timeout=2)
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=interval * 1000)
        self.meter_provider = MeterProvider([reader], self._resource)

    def _start_traces(self) -> None:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        exporter = OTLPSpanExporter(endpoint=self._endpoint, insecure=not self._secure, timeout=2)
        self._tracer_provider = TracerProvider(resource=self._resource)
        self._tracer_provider.add_span_processor(
            BatchSpanProcessor(exporter, schedule_delay_millis=1000)
        )
        trace.set_tracer_provider(self._tracer_provider)

    def shutdown(self) -> None:
        for provider in (self.meter_provider, self._tracer_provider):
            if provider is not None:
                provider.shutdown()
