"""Traces: where spans go that have ended."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from tidegate.ir.graph import Instant


class TraceSpan(Struct, frozen=True):
    """
    Something that has ended: an execution, or a node of one. `parent` is empty for an execution. `failed` says why it did; empty if it did not.

    `facts` are its attributes, by their names.
    """

    trace: bytes
    id: bytes
    parent: bytes
    name: str
    began: Instant
    ended: Instant
    failed: str = ""
    facts: Mapping[str, str | int] = {}


class Spans(Protocol):
    """Sends spans to where traces are kept."""

    def send(self, spans: Sequence[TraceSpan]) -> None:
        """Take spans; they are sent in the background, and dropped if that fails for long."""
        ...

    def close(self) -> None:
        """Send what was taken, for a few seconds at most."""
        ...
