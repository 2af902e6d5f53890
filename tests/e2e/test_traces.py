"""What happened to an execution is one trace, sent by the OpenTelemetry protocol when it has ended."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.e2e.conftest import Terminal

FLOW = """
import os
from datetime import timedelta
from tidegate import approve, task, workflow

@task
def told() -> str:
    return os.environ["TRACEPARENT"]

@task
def fails(text: str) -> str:
    raise ValueError("no such thing")

@workflow
def flow() -> str:
    return fails(text=approve(told(), "fine", timeout=timedelta(hours=1)))
"""


class Collector:
    """Takes spans as a collector does."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.names: list[str] = []
        self.more = threading.Condition()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def take(self, request: Any) -> None:
        with self.more:
            for resource in request.resource_spans:
                self.names += [
                    each.value.string_value
                    for each in resource.resource.attributes
                    if each.key == "service.name"
                ]
                for scope in resource.scope_spans:
                    self.spans += scope.spans
            self.more.notify_all()

    def wait(self, count: int) -> dict[str, Any]:
        """Wait for this many spans, and return them by name."""
        with self.more:
            assert self.more.wait_for(lambda: len(self.spans) >= count, 30), self.spans
            return {each.name: each for each in self.spans}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


def facts(span: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_an_execution_is_one_trace_and_says_who_decided(tidegate: Terminal, collector: Collector):
    where = f"http://127.0.0.1:{collector.server.server_address[1]}"
    tidegate.environment |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": where,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    tidegate.write("flow.py", FLOW)
    server = tidegate.start("serve", "--port", "0")
    server.says("at http://127.0.0.1:")
    assert tidegate("run", "flow.py", "flow", "--id", "e1", "--detach").code == 0

    first = collector.wait(1)
    assert set(first) == {"told"}, "a span is sent although nothing of it has ended"
    shown = tidegate("show", "e1", "--json").json
    assert tidegate("approve", "e1", "fine").code == 0
    spans = collector.wait(4)

    whole = spans["flow.flow"]
    assert {each.trace_id for each in spans.values()} == {whole.trace_id}
    assert whole.parent_span_id == b""
    for name in ("told", "fine", "fails"):
        assert spans[name].parent_span_id == whole.span_id
    gate = facts(spans["fine"])
    assert gate["tidegate.kind"] == "approve"
    assert gate["tidegate.answered_via"] == "cli"
    assert gate["tidegate.answered_by"]
    assert "no such thing" in spans["fails"].status.message
    assert "no such thing" in whole.status.message
    assert facts(whole)["tidegate.phase"] == "FAILED"
    for each in spans.values():
        assert whole.start_time_unix_nano <= each.start_time_unix_nano <= each.end_time_unix_nano
    assert set(collector.names) == {"tidegate"}
    # What the task was told makes whatever it calls a part of its span.
    told = f"00-{whole.trace_id.hex()}-{spans['told'].span_id.hex()}-01"
    assert told in str(shown)
