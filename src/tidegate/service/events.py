"""
Events as they are shown: with values in the history of one execution, without values in the stream of all of them.

A line that cannot be read is shown as an event of kind `Damaged`, so that readers can continue after it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple, TypeVar, assert_never

from msgspec import to_builtins

from tidegate.core.history import Line, from_bytes
from tidegate.core.messages import AnswerGiven, Launched, TaskFailed
from tidegate.core.state import (
    DeckFrozen,
    DifferenceNoted,
    KeyBound,
    NodeChanged,
    NodeState,
    NodeUnfolded,
    PhaseChanged,
    SuccessorNamed,
)
from tidegate.engine.damage import Damage
from tidegate.errors import StoreDamaged
from tidegate.ports.journal import ExecutionRow, Journal
from tidegate.service.moments import moment
from tidegate.wire import EventView

LEFT_OUT = frozenset({"at", "graph", "outputs", "failure", "took"})
"""Parts of an event that the history leaves out, because they are large or stored elsewhere."""

TOLD = ("node", "attempt", "who", "via")
"""Parts of an event that the stream shows."""

NAMED, NAMED_BYTES = 100, 8_192
"""Most changed nodes that a message of the stream names, and most bytes of their names: a page redraws these one by one."""

MESSAGE = 200
"""Characters of a failure's message in the stream: a line or two of a terminal."""

PAGE_BYTES = 1024 * 1024
"""Bytes of history after which a page ends: the size limit of one value, so that a page has at most twice that."""

FIRST, MOST = 8, 512
"""Lines read at once: few at first, since each may be as large as a page; more while they are small."""

T = TypeVar("T")


def within_bytes(
    read: Callable[[list[T], int], Sequence[T]], size: Callable[[T], int], limit: int
) -> list[T]:
    """Return up to `limit` items of `read`, stopping after `PAGE_BYTES`. `read` gets the items so far and how many to add."""
    found: list[T] = []
    weight, step = 0, FIRST
    while len(found) < limit and weight < PAGE_BYTES:
        wanted = min(step, limit - len(found))
        more = read(found, wanted)
        for each in more:
            if weight >= PAGE_BYTES:
                break
            weight += size(each)
            found.append(each)
        if len(more) < wanted:
            break
        step = min(2 * step, MOST)
    return found


def history_page(
    journal: Journal, damage: Damage, row: ExecutionRow, after: int, limit: int
) -> list[EventView]:
    """Return a page of an execution's history, after event number `after`."""

    def read(found: list[bytes], count: int) -> list[bytes]:
        return journal.history(row.key, after + len(found), count)

    views = []
    for number, body in enumerate(within_bytes(read, len, limit), start=after + 1):
        try:
            views.append(event_view(number, from_bytes(body)))
        except StoreDamaged as error:
            why = StoreDamaged(f"line {number}: {error.message}")
            named = damage.noticed(row.key, row.id, why)
            views.append(damaged_event(journal, row, number, named.message))
    return views


def event_view(number: int, line: Line) -> EventView:
    """Return a line of history: what the event says, and under `changes` the new phase of each node."""
    event, moved = line.event, _moved(line)
    details: dict[str, Any] = {
        name: to_builtins(value)
        for name in event.__struct_fields__
        if name not in LEFT_OUT and (value := getattr(event, name)) not in ("", None)
    }
    if moved.own is not None and moved.own.answer is not None and isinstance(event, AnswerGiven):
        details["value"] = moved.own.answer.value
        details["shown"] = moved.own.answer.shown or "no"
    if moved.failure:
        details["failure"] = moved.failure
    if moved.phase:
        details["phase"] = moved.phase
    if moved.nodes:
        details["changes"] = moved.nodes
    return EventView(seq=number, at=moment(event.at), kind=type(event).__name__, details=details)


def event_line(number: int, line: Line) -> EventView:
    """Return a line of history for the stream: which nodes changed and how, without values. `changed` counts all of them, named or not."""
    event, moved = line.event, _moved(line)
    details: dict[str, Any] = {
        name: value for name in TOLD if (value := getattr(event, name, "")) not in ("", None)
    }
    if isinstance(event, Launched) and event.reuse is not None:
        details["origin"] = event.reuse.origin
    if moved.failure:
        details["failure"] = moved.failure[:MESSAGE]
    if moved.phase:
        details["phase"] = moved.phase
    if moved.nodes:
        room, named = NAMED_BYTES, {}
        for node, phase in islice(moved.nodes.items(), NAMED):
            room -= len(node)
            if room >= 0:
                named[node] = phase
        details |= {"changes": named, "changed": len(moved.nodes)}
    return EventView(seq=number, at=moment(event.at), kind=type(event).__name__, details=details)


class _Moved(NamedTuple):
    """What a line changed: nodes and their phases, the execution's phase, the state of the event's own node, and why it failed."""

    nodes: dict[str, str]
    phase: str
    own: NodeState | None
    failure: str


def _moved(line: Line) -> _Moved:
    about = getattr(line.event, "node", None)
    nodes: dict[str, str] = {}
    phase_now, failure, own = "", "", None
    for change in line.changes:
        match change:
            case NodeChanged(node, state):
                nodes[node] = state.phase.name
                if node == about:
                    own = state
            case PhaseChanged(phase):
                phase_now = phase.name
            case NodeUnfolded() | KeyBound() | DifferenceNoted() | DeckFrozen() | SuccessorNamed():
                pass
            case _:
                assert_never(change)
    if isinstance(line.event, TaskFailed) and own is not None and own.failure is not None:
        failure = own.failure.message
    return _Moved(nodes, phase_now, own, failure)


def damaged_event(journal: Journal, row: ExecutionRow, number: int, why: str) -> EventView:
    """Return a placeholder for a line that cannot be read. Its time is that of the line before, or of the launch."""
    at = row.launched
    if number > 1:
        with suppress(StoreDamaged, IndexError):
            at = from_bytes(journal.history(row.key, number - 2, 1)[0]).event.at
    return EventView(seq=number, at=moment(at), kind="Damaged", details={"message": why})
