"""
The rounds of a loop as a list shows them: each with a few small values that came out in it.

A round is removed from the state when the next one takes its place, so what a list shows of it is made just before.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tidegate.core.plan import Plan
from tidegate.core.state import ExecutionState, NodePhase
from tidegate.core.titles import scalar, scalars
from tidegate.ir.expr import NodeId, Value, source_order
from tidegate.ir.graph import InputNode, Instant, TaskNode

MOST: Final = 6
"""Values that a list shows of a round: twice what a line has room for, so that a reader may choose."""


class PastRound(Struct, frozen=True, gc=False):
    """A round that another one has replaced: its number, the last line of history that it saw, when it began and ended, and small values."""

    number: int
    seq: int
    began: Instant
    ended: Instant
    values: dict[str, Value]


def values_of(plan: Plan, state: ExecutionState, scope: NodeId) -> dict[str, Value]:
    """Return the small values that came out of the nodes of a graph, those of the last nodes first."""
    found: dict[str, Value] = {}
    for node in sorted(plan.members.get(scope, ()), key=source_order, reverse=True):
        for name, value in _outputs(plan, state, node):
            for part, each in scalars({name: value}):
                found.setdefault(part, scalar(each))
                if len(found) == MOST:
                    return found
    return found


def _outputs(plan: Plan, state: ExecutionState, node: NodeId) -> Iterator[tuple[str, Value]]:
    """Yield what a node has produced itself; an output called `o0` has the name of the node."""
    now, planned = state.node(node), plan.nodes[node].node
    if now.phase is not NodePhase.SUCCEEDED:
        return
    match planned:
        case TaskNode() if now.outputs is not None:
            for name, value in now.outputs.items():
                yield planned.name if name == "o0" else name, value
        case InputNode() if now.answer is not None:
            yield planned.name, now.answer.value
        case _:
            return
