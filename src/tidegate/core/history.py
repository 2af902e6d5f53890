"""
How history is written down: one line per event, with the event and its changes, as compact bytes.

A value stands in a line once: the event is stored without what its changes hold (`messages.slim`).
Reading a line back needs no knowledge of how the machine decided, so a later machine reads the lines of an earlier one.
"""

import msgspec
from msgspec import Struct

from tidegate.core.messages import Event, slim
from tidegate.core.plan import Plan
from tidegate.core.state import Change, ExecutionState, fold
from tidegate.errors import StoreDamaged


class Line(Struct, frozen=True, array_like=True):
    """One line of an execution's history."""

    event: Event
    changes: list[Change]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Line)


def to_bytes(event: Event, changes: list[Change]) -> bytes:
    """Encode a line."""
    return _encoder.encode((slim(event), changes))


def from_bytes(body: bytes) -> Line:
    """Decode a line. Raises StoreDamaged."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise StoreDamaged(f"a line of history cannot be read: {error}") from error


def replay(plan: Plan, bodies: list[bytes]) -> tuple[Plan, ExecutionState]:
    """Fold a whole history, from the launch on."""
    state = ExecutionState()
    for body in bodies:
        line = from_bytes(body)
        plan = fold(plan, state, line.event, line.changes)
    return plan, state
