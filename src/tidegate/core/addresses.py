"""How a gate is addressed in an execution: by its name if that is unique there, else by its path."""

from tidegate.core.plan import Plan
from tidegate.errors import AmbiguousSignal, UnknownSignal
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import ApproveNode, InputNode


def signal_path(plan: Plan, node: NodeId) -> str:
    """Return what addresses the signal of a gate: its name if that is unique in the execution, else its path."""
    planned = plan.nodes[node]
    name = planned.node.name
    if len(plan.signals.get(name, ())) == 1:
        return name
    return f"{planned.scope}/{name}"


def resolve(plan: Plan, name: str, execution: str) -> NodeId:
    """
    Return the gate that a name or a path means.

    A name counts if it is unique in the execution; a path is that of the workflow the signal stands in, `/` and its name; the id of the gate's node does too.
    """
    there = plan.signals.get(name, ())
    if len(there) == 1:
        return there[0]
    if len(there) > 1:
        paths = [signal_path(plan, node) for node in there]
        raise AmbiguousSignal(
            f"execution {execution} has {len(there)} signals named {name!r}; name one by its path: {', '.join(paths[:10])}",
            paths=paths,
        )
    for cut in (at for at, char in enumerate(name) if char == "/"):  # a name may have slashes, too
        for node in plan.signals.get(name[cut + 1 :], ()):
            if plan.nodes[node].scope == name[:cut]:
                return node
    direct = plan.nodes.get(NodeId(name))
    if direct is not None and isinstance(direct.node, InputNode | ApproveNode):
        return direct.id
    signals = [signal_path(plan, node) for nodes in plan.signals.values() for node in nodes]
    hint = f"it has: {', '.join(signals[:20])}" if signals else "it has none"
    raise UnknownSignal(
        f"execution {execution} has no signal {name[:80]!r}; {hint}", signals=signals[:1000]
    )
