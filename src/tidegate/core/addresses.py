"""
How a gate is addressed in an execution: by its handle, its path, or its name. The shape of a text says which of them it is.

A *path* is that of the gate's graph, `/` and the name: `n2/title`, in the third round of a loop `n2~3/title`, at the top `/title`. In a path a
`/` of the name is written `~1`, and a `~` `~0` (as in JSON pointers). A *handle* has the node's id behind `~.` in place of the name: `n2/~.n0`.
A text with a `/` is a path or a handle if its first part is empty or a node of the top graph, which never changes. Any other text is a *name*.

A path or a handle always means the same gate, even after its round. A name means the only gate that ever had it in the execution, before
it opens and after it ended; if several have had it, the one that is open. With an idempotency key, it means the gate whose answer was
accepted under that key.
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
    return _address(plan, node, plan.nodes[node].node.name)


def _address(plan: Plan, node: NodeId, name: str) -> str:
    return name if plan.names[name].times == 1 and "/" not in name else gate_path(node, name)


def handle_of(node: NodeId) -> str:
    """Return the handle of a gate: it means this gate and no other for as long as the execution is kept."""
    scope, _, own = node.rpartition("/")
    return f"{scope}/~.{own}"


def readdressed(plan: Plan, changes: Iterable[Change]) -> Iterator[NodeId]:
    """Yield the gates whose name was unique until these changes, and no longer is. `plan` is the one after the changes."""
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


def resolve(
    plan: Plan, state: ExecutionState, called: str, execution: str, key: tuple[str, str] = ("", "")
) -> NodeId:
    """
    Return the gate that a name, a path or a handle means; `key` is who asks, and the idempotency key of the request.

    A gate of an earlier round is not in the plan. Raises AmbiguousSignal, UnknownSignal.
    """
    bound = state.keys.get(key) if key[1] else None
    if bound is not None and called in _called(plan, state, bound[0]):
        return bound[0]
    if _is_path(plan, called):
        found = _at_path(plan, state, called)
        if found is not None:
            return found
    else:
        known = plan.names.get(called)
        if known is not None:
            return known.first if known.times == 1 else _open(plan, state, called, execution)
    signals = [path_of(plan, state, node) for node in list(plan.gates.values())[:MOST_LISTED]]
    hint = f"its signals are: {', '.join(signals[: 2 * LISTED])}" if signals else "it has none"
    raise UnknownSignal(
        f"execution {execution} has no signal {called[:80]!r}; {hint}", signals=signals
    )


def _is_path(plan: Plan, called: str) -> bool:
    """Return whether a text is a path or a handle, by its shape."""
    first, slash, _ = called.partition("/")
    return bool(slash) and (not first or NodeId(first.partition("~")[0]) in plan.nodes)


def _at_path(plan: Plan, state: ExecutionState, path: str) -> NodeId | None:
    """Return the gate that has a path or a handle."""
    graph, _, last = path.rpartition("/")
    if last.startswith("~."):
        node = NodeId(f"{graph}/{last[2:]}" if graph else last[2:])
        planned = plan.nodes.get(node)
        is_gate = planned is not None and isinstance(planned.node, InputNode | ApproveNode)
        return node if is_gate or node in state.past else None
    name = last.replace("~1", "/").replace("~0", "~")
    if _escaped(name) != last:
        return None
    found = plan.gates.get((graph, name))
    if found is not None:
        return found
    return next(
        (id_ for id_, gate in list(state.past.items()) if path == gate_path(id_, gate.name)), None
    )


def path_of(plan: Plan, state: ExecutionState, node: NodeId) -> str:
    """Return the address of a gate, also of one of an earlier round."""
    return _address(plan, node, _name(plan, state, node))


def _open(plan: Plan, state: ExecutionState, name: str, execution: str) -> NodeId:
    """Return the one open gate with a name that several have had."""
    there = [node for (_, each), node in list(plan.gates.items()) if each == name]
    opened = [node for node in there if state.node(node).phase is WAITING]
    if len(opened) == 1:
        return opened[0]
    paths = [gate_path(node, name) for node in (opened or there)[:MOST_LISTED]]
    how = f"{len(opened)} open signals" if opened else "several signals, none of them open,"
    raise AmbiguousSignal(
        f"execution {execution} has {how} named {name!r}; address one by its path: {', '.join(paths[:LISTED])}",
        paths=paths,
    )


def _called(plan: Plan, state: ExecutionState, node: NodeId) -> tuple[str, str, str]:
    """Return the name, the path and the handle of a gate."""
    name = _name(plan, state, node)
    return name, gate_path(node, name), handle_of(node)


def _name(plan: Plan, state: ExecutionState, node: NodeId) -> str:
    # In this order, because another thread may be merging: a gate is added to `past` before it leaves the plan.
    planned = plan.nodes.get(node)
    return state.past[node].name if planned is None else planned.node.name


def gate_path(node: NodeId, name: str) -> str:
    """Return the path of a gate."""
    return f"{node.rpartition('/')[0]}/{_escaped(name)}"


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
