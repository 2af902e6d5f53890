"""
How history is encoded: one line per event, with the event and its changes, as compact bytes.

A value is stored once per line: the event is stored without what its changes hold (`messages.slim`).
Reading a line back needs no knowledge of how the machine decided, so a later machine reads the lines of an earlier one.

A line starts with a mark and a checksum of the rest, because a database does not notice when a disk returns another byte than was
written, and a wrong answer must not pass for a right one. Lines without the mark are older than it.
"""

from zlib import crc32

import msgspec
from msgspec import Struct

from tidegate.core.draft import fold
from tidegate.core.messages import Event, slim
from tidegate.core.plan import Plan
from tidegate.core.state import Change, ExecutionState
from tidegate.errors import StoreDamaged


class Line(Struct, frozen=True, array_like=True):
    """One line of an execution's history."""

    event: Event
    changes: list[Change]


MARK, SUM = b"\x01", 4
"""The mark, and the length of the checksum after it. A line without a mark never starts with it: it is an array of two."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Line)


def to_bytes(event: Event, changes: list[Change]) -> bytes:
    """Encode a line."""
    body = _encoder.encode((slim(event), changes))
    return MARK + crc32(body).to_bytes(SUM) + body


def from_bytes(body: bytes) -> Line:
    """Decode a line. Raises StoreDamaged."""
    if body.startswith(MARK):
        known, body = body[1 : 1 + SUM], body[1 + SUM :]
        if crc32(body).to_bytes(SUM) != known:
            raise StoreDamaged("a line of history is not what was written: the disk has changed it")
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
