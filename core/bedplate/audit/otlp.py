"""Lines as OpenTelemetry log records, over the OTLP exporter of the extra `otlp`. The collector answers each page, so a
line that was sent has arrived."""

from __future__ import annotations

import asyncio
from typing import Any

from bedplate.audit.chain import Link
from bedplate.audit.entry import time_ns_of
from bedplate.audit.forwarding import Lines
from bedplate.strict_json import loads

WITHIN = 5  # s


class OtlpLogs:
    """endpoint: "http://127.0.0.1:4317" · service: name of the deployment. Raises ImportError without the extra."""

    def __init__(self, endpoint: str, service: str) -> None:
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.sdk.resources import Resource

        secure = not endpoint.startswith("http://")
        self._endpoint = endpoint
        self._exporter = OTLPLogExporter(endpoint=endpoint, insecure=not secure, timeout=WITHIN)
        self._resource = Resource.create({"service.name": service})
        self._settled = 0

    async def open(self) -> None:
        self._settled = 0

    async def send(self, lines: Lines) -> None:
        await asyncio.to_thread(self._export, [self._record(*line) for line in lines])
        self._settled = lines[-1][0].index

    async def checkpoint(self, line: bytes) -> None:
        row = loads(line)
        made = self._made(time_ns_of(row["time"]), "checkpoint", line.decode().strip(), {})
        await asyncio.to_thread(self._export, [made])

    def settled(self) -> int:
        return self._settled

    async def close(self) -> None:
        """The exporter keeps its channel; the next page tries it again."""

    def _export(self, records: list[Any]) -> None:
        if self._exporter.export(records).name != "SUCCESS":
            raise OSError(0, f"the collector at {self._endpoint} does not take it")

    def _record(self, one: Link, line: bytes) -> Any:
        fields = one.fields()
        named = {
            f"bedplate.audit.{k}": str(v) for k, v in fields.items() if isinstance(v, str | int)
        }
        return self._made(time_ns_of(fields["time"]), fields["action"], line.decode(), named)

    def _made(self, at: int, event: str, body: str, attributes: dict[str, str]) -> Any:
        from opentelemetry._logs import LogRecord, SeverityNumber
        from opentelemetry.sdk._logs import ReadableLogRecord

        refused = attributes.get("bedplate.audit.verdict") == "refused"
        record = LogRecord(
            timestamp=at,
            observed_timestamp=at,
            severity_number=SeverityNumber.WARN if refused else SeverityNumber.INFO,
            severity_text="WARN" if refused else "INFO",
            body=body,
            attributes=attributes,
            event_name=f"bedplate.audit.{event}",
        )
        return ReadableLogRecord(record, self._resource)
