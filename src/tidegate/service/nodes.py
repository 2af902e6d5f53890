"""
Nodes of an execution: which one a name or an id refers to, and what each of them was given.

Rule: a view of a whole execution contains inputs only if they are small, since it also contains the outputs they come from.
"""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from tidegate.core.evaluate import NoValue, evaluate
from tidegate.core.plan import Plan, Planned
from tidegate.core.state import ExecutionState
from tidegate.core.waits import Preview, fitted
from tidegate.engine.folds import Snapshot
from tidegate.errors import AmbiguousNode, UnknownNode
from tidegate.ir.expr import Expr, NodeId, Value, source_order
from tidegate.ir.graph import ApproveNode, InputNode, Node, SubNode, TaskNode
from tidegate.wire import PreviewView

LISTED = 20
"""Most nodes that an error lists: what fits on one screen."""

Inputs: TypeAlias = tuple[dict[str, Value], dict[str, PreviewView]]
"""Complete values by name, and the beginnings of those that are too large."""

_encode = msgspec.json.Encoder().encode


class Measured:
    """Cuts inputs to the size that a view has room for. A value that many nodes share is encoded once. Use one instance per view."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Value, bytes]] = {}

    def cut(self, values: Mapping[str, Value]) -> Inputs:
        """Return the values that fit, and the beginnings of the others."""
        whole, cut = fitted(values, self.encoded) if values else ({}, {})
        return whole, {name: preview_view(each) for name, each in cut.items()}

    def encoded(self, value: Value) -> bytes:
        """Return a value as JSON."""
        if not isinstance(value, list | dict | str):
            return _encode(value)
        known = self._known.get(id(value))
        if known is None:
            # Keep the value itself as well: otherwise its `id()` could be reused for another object.
            known = self._known[id(value)] = (value, _encode(value))
        return known[1]


def preview_view(preview: Preview) -> PreviewView:
    """Return the beginning of a value."""
    return PreviewView(text=preview.text, size=preview.size)


def inputs_of(plan: Plan, state: ExecutionState, planned: Planned) -> dict[str, Value]:
    """Return what a node was given, by name: the arguments of a task or sub-workflow, what a gate shows, and the `value` to be approved. Empty before it begins."""
    now = state.node(planned.id)
    if now.began is None and not now.attempt:
        return {}
    found = {}
    for name, expr in _given(planned.node).items():
        try:
            found[name] = evaluate(plan, state, planned.scope, expr)
        except NoValue:
            continue
    return found


def _given(node: Node) -> Mapping[str, Expr]:
    match node:
        case TaskNode(inputs=inputs) | SubNode(inputs=inputs):
            return inputs
        case ApproveNode():
            return {**node.question.show, "value": node.subject}
        case InputNode():
            return node.question.show
        case _:
            return {}


def nodes_called(now: Snapshot, called: str) -> list[NodeId]:
    """Return the nodes that an id or a name refers to, in the order of the source; all of them if it is empty. Errors: `UnknownNode`."""
    nodes = now.plan.nodes
    if called and NodeId(called) in nodes:
        return [NodeId(called)]
    found = [id_ for id_, planned in nodes.items() if called in ("", planned.node.name)]
    if called and not found:
        names = list(dict.fromkeys(planned.node.name for planned in nodes.values()))
        there = ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
        raise UnknownNode(f"execution {now.row.id} has no node {called[:80]!r}; it has: {there}")
    return sorted(found, key=source_order)


def only_node(now: Snapshot, called: str, among: list[NodeId], what: str = "") -> NodeId:
    """Return the only node of a list. `what` says what they have in common beyond their name. Errors: `AmbiguousNode`, which lists their ids."""
    if len(among) == 1:
        return among[0]
    there = ", ".join(among[:LISTED]) + (", ..." if len(among) > LISTED else "")
    raise AmbiguousNode(
        f"execution {now.row.id} has {len(among)} nodes named {called[:80]!r}{what}; name one by its id: {there}",
        nodes=among[:LISTED],
    )
