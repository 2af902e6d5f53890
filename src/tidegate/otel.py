"""
Sending spans by the OpenTelemetry protocol (OTLP over HTTP), with the library of that project.

Where to, with which headers and in which pauses is said by its own variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_BSP_*`,
`OTEL_SERVICE_NAME`); without an endpoint nothing is sent.
"""

import logging
from collections.abc import Sequence
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from tidegate.ports.traces import TraceSpan

CLOSING_MS = 3_000
"""How long the last spans may take to be sent."""

log = logging.getLogger(__name__)


class OtelSpans:
    """`Spans`."""

    def __init__(self) -> None:
        self._resource = Resource.create()
        if str(self._resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            self._resource = self._resource.merge(Resource({SERVICE_NAME: "tidegate"}))
        self._scope = InstrumentationScope("tidegate", version("tidegate"))
        self._sending = BatchSpanProcessor(OTLPSpanExporter())

    def send(self, spans: Sequence[TraceSpan]) -> None:
        """Take spans; they are sent in the background."""
        for each in spans:
            self._sending.on_end(self._readable(each))

    def close(self) -> None:
        """Send what was taken."""
        self._sending.force_flush(CLOSING_MS)
        self._sending.shutdown()  # type: ignore[no-untyped-call]

    def _readable(self, span: TraceSpan) -> ReadableSpan:
        return ReadableSpan(
            name=span.name,
            context=_identity(span.trace, span.id),
            parent=_identity(span.trace, span.parent) if span.parent else None,
            resource=self._resource,
            attributes=dict(span.facts),
            status=Status(StatusCode.ERROR, span.failed) if span.failed else Status(StatusCode.OK),
            start_time=span.began * 1_000,
            end_time=span.ended * 1_000,
            instrumentation_scope=self._scope,
        )


def _identity(trace: bytes, span: bytes) -> SpanContext:
    return SpanContext(
        trace_id=int.from_bytes(trace),
        span_id=int.from_bytes(span),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
