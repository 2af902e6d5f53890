"""
How a gate is addressed in an execution: by its name, its path, or the id of its node.

A path is that of the gate's graph, `/` and the name: `n2/title`, in the third round of a loop `n2~3/title`. A path or an id always means the
same gate, also when its round is over. A name means the only gate that ever had it in the execution, before it opens and after it ended; if
several have had it, the one that is open. With an idempotency key, it means the gate whose answer was accepted under that key.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from tidegate.core.plan import Plan
from tidegate.core.state import WAITING, Change, ExecutionState, NodeUnfolded
from tidegate.errors import AmbiguousSignal, UnknownSignal
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import ApproveNode, Graph, InputNode, SubNode

LISTED = 10
"""Most paths in a message; the details of the error have more."""

MOST_LISTED = 1_000


def signal_path(plan: Plan, node: NodeId) -> str:
    """Return the address of a gate: its name if no other gate of the execution has had it, else its path."""
    name = plan.nodes[node].node.name
    return name if plan.names[name].times == 1 else gate_path(node, name)


def readdressed(plan: Plan, changes: Iterable[Change]) -> Iterator[NodeId]:
    """Yield the gates whose name was unique until these changes, and is not any longer. `plan` is the one after the changes."""
    brought = Counter(
        name
        for change in changes
        if isinstance(change, NodeUnfolded)
        for name in _names(change.graph)
    )
    for name, times in brought.items():
        known = plan.names[name]
        if known.times == times + 1 and known.first in plan.nodes:
            yield known.first


def _names(graph: Graph) -> Iterator[str]:
    """Yield the name of each gate that takes answers, in a graph and in those of its sub-workflows."""
    for node in graph.nodes.values():
        match node:
            case InputNode(name=name) | ApproveNode(name=name):
                yield name
            case SubNode(graph=inner):
                yield from _names(inner)
            case _:
                pass


def resolve(plan: Plan, state: ExecutionState, name: str, execution: str, key: str = "") -> NodeId:
    """
    Return the gate that a name, a path or an id means; `key` is the idempotency key of the request.

    A gate of an earlier round is not in the plan. Raises AmbiguousSignal, UnknownSignal.
    """
    bound = state.keys.get(key) if key else None
    if bound is not None and name in _called(plan, state, bound[0]):
        return bound[0]
    known = plan.names.get(name)
    if known is not None:
        return known.first if known.times == 1 else _open(plan, state, name, execution)
    found = _at_path(plan, name)
    if found is not None:
        return found
    planned, id_ = plan.nodes.get(NodeId(name)), NodeId(name)
    if id_ in state.past or (planned and isinstance(planned.node, InputNode | ApproveNode)):
        return id_
    for id_, gate in list(state.past.items()):
        if name == gate_path(id_, gate.name):
            return id_
    signals = [path_of(plan, state, node) for node in list(plan.gates.values())[:MOST_LISTED]]
    hint = f"it has: {', '.join(signals[: 2 * LISTED])}" if signals else "it has none"
    raise UnknownSignal(
        f"execution {execution} has no signal {name[:80]!r}; {hint}", signals=signals
    )


def _at_path(plan: Plan, path: str) -> NodeId | None:
    """Return the gate that has a path; None if there is none, or its round is over."""
    # A name may have slashes, too. What comes before a cut is looked up only while it is the path of a graph, so there are no more
    # look-ups than graphs in each other, however many slashes a stranger sends.
    cut = path.find("/")
    while cut >= 0:
        graph = path[:cut]
        found = plan.gates.get((graph, path[cut + 1 :]))
        if found is not None:
            return found
        scope, _, round_ = graph.rpartition("~")
        if graph not in plan.scopes and not (round_.isdecimal() and scope in plan.rounds):
            return None
        cut = path.find("/", cut + 1)
    return None


def path_of(plan: Plan, state: ExecutionState, node: NodeId) -> str:
    """Return the address of a gate, also of one of an earlier round."""
    name, path, _ = _called(plan, state, node)
    return name if plan.names[name].times == 1 else path


def _open(plan: Plan, state: ExecutionState, name: str, execution: str) -> NodeId:
    """Return the open gate that has a name, of several that have had it."""
    there = [node for (_, each), node in list(plan.gates.items()) if each == name]
    opened = [node for node in there if state.node(node).phase is WAITING]
    if len(opened) == 1:
        return opened[0]
    paths = [gate_path(node, name) for node in (opened or there)[:MOST_LISTED]]
    how = f"{len(opened)} open signals" if opened else "several signals, none of them open,"
    raise AmbiguousSignal(
        f"execution {execution} has {how} named {name!r}; name one by its path: {', '.join(paths[:LISTED])}",
        paths=paths,
    )


def _called(plan: Plan, state: ExecutionState, node: NodeId) -> tuple[str, str, str]:
    """Return the name, the path and the id of a gate."""
    # In this order, as another thread may merge: a gate is added to `past` before it leaves the plan.
    planned = plan.nodes.get(node)
    name = state.past[node].name if planned is None else planned.node.name
    return name, gate_path(node, name), node


def gate_path(node: NodeId, name: str) -> str:
    """Return the path of a gate."""
    return f"{node.rpartition('/')[0]}/{name}"
