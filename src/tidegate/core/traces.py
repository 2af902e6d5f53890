"""
The ids of traces and spans: worked out from what they are about, so every server, every attempt and every reader has the same ones.

They have the form of the W3C's Trace Context, level 1: 16 bytes for a trace, 8 for a span, none of them all zeros.
"""

from collections.abc import Mapping
from hashlib import sha256

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""The variables of OpenTelemetry that say where traces go."""


def is_traced(variables: Mapping[str, str]) -> bool:
    """Return whether traces are sent."""
    return any(variables.get(each) for each in ENDPOINTS)


def trace_of(execution_id: str) -> bytes:
    """Return the id of the trace of an execution."""
    return sha256(f"trace {execution_id}".encode()).digest()[:16]


def span_of(execution_id: str, node: str = "", attempt: int = 0) -> bytes:
    """Return the id of the span of a node's attempt; without a node, that of the whole execution."""
    return sha256(f"span {execution_id} {attempt} {node}".encode()).digest()[:8]


def traceparent(execution_id: str, node: str, attempt: int) -> str:
    """Return the header, or environment variable, that makes what an attempt calls a part of its trace."""
    return f"00-{trace_of(execution_id).hex()}-{span_of(execution_id, node, attempt).hex()}-01"
