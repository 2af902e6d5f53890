"""
What happens to the graph that a dynamic task returns: it unfolds under that task, or it is the next round of a loop.

A dynamic task that calls itself and returns exactly what the call returns is a loop. Nested, its rounds would be as deep as they are many, and
none could be dropped. So when the call returns a graph, and nothing else in its round is in progress, that graph replaces the round: everything
else in it has ended, and nothing refers to it. Inputs of the call that the graph refers to are evaluated and kept with the round. Each round
has separate node ids (`Plan.path`), so that an answer, a report or a timer never reaches another round.
"""

from msgspec.structs import replace

from tidegate.core.advance import Flow
from tidegate.core.attempts import current, freeze_deck
from tidegate.core.evaluate import evaluate
from tidegate.core.messages import BAD_GRAPH, TaskUnfolded, final
from tidegate.core.plan import ROOT, Round
from tidegate.core.state import RUNNING
from tidegate.errors import CompileError
from tidegate.ir.check import MAX_PLANNED, check, size_of
from tidegate.ir.expr import Expr, NodeId, OutputRef, Value
from tidegate.ir.graph import BranchNode, Graph, Otherwise, TaskNode

MAX_NESTED = 200
"""How deep graphs may be nested: sub-workflows, and graphs of dynamic tasks."""

MAX_ROUNDS = 10_000
"""Most rounds of a loop: about 50,000 events (Temporal's limit for one execution is 51,200), which take a second to fold (measured: 70 us a round)."""


def unfold(flow: Flow, event: TaskUnfolded) -> None:
    """Lay out the graph that an attempt returned."""
    draft, node = flow.draft, event.node
    now = current(draft, event)
    if now is None:
        return
    freeze_deck(draft, event)
    loop = _loop_of(flow, node)
    wrong = _wrong_with(flow, event.graph, node, loop)
    if wrong:
        flow.fail(node, now, final(BAD_GRAPH, wrong))
    elif loop is None:
        draft.unfold(node, event.graph)
        began = event.at if now.began is None else now.began
        draft.put(node, replace(now, phase=RUNNING, began=began))
    else:
        draft.unfold(loop, event.graph, Round(_rounds(flow, loop) + 1, _given(flow, node, event)))
        draft.put(loop, draft.node(loop))


def _loop_of(flow: Flow, node: NodeId) -> NodeId | None:
    """
    Return the enclosing call of the same task if this one is in tail position: its outputs are exactly those of this one, and nothing else in it is under way.

    Branches, sub-workflows and other dynamic tasks may be in between, if each of them passes the outputs on and holds nothing else that is under way.
    """
    draft = flow.draft
    plan = draft.plan
    task = plan.nodes[node].node
    assert isinstance(task, TaskNode)
    handed = {name: name for name in task.outputs}
    inner = plan.nodes[node]
    while inner.holder != ROOT and draft.unsettled(inner.holder) == 1:
        outer = plan.nodes[inner.holder]
        names = _handed(_outputs(flow, outer.id), inner.node.id, handed)
        if names is None or flow.failed_in(outer.id) is not None:
            return None
        if isinstance(outer.node, TaskNode) and outer.node.target == task.target:
            return outer.id if names == {name: name for name in task.outputs} else None
        inner, handed = outer, names
    return None


def _outputs(flow: Flow, holder: NodeId) -> dict[str, Expr]:
    """Return where the outputs of a holder come from; of a branch, those of the case it has taken."""
    draft = flow.draft
    node, case = draft.plan.nodes[holder].node, draft.node(holder).case
    if not isinstance(node, BranchNode):
        return draft.plan.scopes[holder].outputs
    assert case is not None, "a branch that holds something has taken a case"
    if case < len(node.cases):
        return node.cases[case].outputs
    return node.otherwise.outputs if isinstance(node.otherwise, Otherwise) else {}


def _handed(exprs: dict[str, Expr], inner: NodeId, known: dict[str, str]) -> dict[str, str] | None:
    """Return which output of the call each output of a holder is, or None unless all are outputs of the node `inner`, passed on unchanged."""
    found = {
        name: known[expr.output]
        for name, expr in exprs.items()
        if isinstance(expr, OutputRef)
        and expr.node == inner
        and expr.output in known
        and not expr.path
    }
    return found if len(found) == len(exprs) else None


def _given(flow: Flow, node: NodeId, event: TaskUnfolded) -> dict[str, Value]:
    """Return the values of the inputs that a call's graph refers to. (A graph traced from Python refers to none.)"""
    draft = flow.draft
    planned = draft.plan.nodes[node]
    assert isinstance(planned.node, TaskNode)
    return {
        name: evaluate(draft.plan, draft, planned.scope, planned.node.inputs[name])
        for name in event.graph.interface.inputs
        if name in planned.node.inputs
    }


def _rounds(flow: Flow, loop: NodeId) -> int:
    known = flow.draft.plan.rounds.get(loop)
    return 1 if known is None else known.number


def _wrong_with(flow: Flow, graph: Graph, node: NodeId, loop: NodeId | None) -> str:
    """Return why a graph cannot be laid out under a node, or nothing."""
    draft = flow.draft
    under = node if loop is None else loop
    if under.count("/") >= MAX_NESTED:
        return f"graphs would be nested more than {MAX_NESTED} deep; does a dynamic task call itself without end?"
    if loop is not None and _rounds(flow, loop) >= MAX_ROUNDS:
        return f"it has called itself {MAX_ROUNDS:,} times; end the loop, or launch another execution that continues it"
    if len(draft.plan.nodes) + len(draft.base.past) + size_of(graph) > MAX_PLANNED:
        return f"the execution would have more than {MAX_PLANNED:,} nodes, counting the gates of earlier rounds"
    try:
        check(graph)
    except CompileError as error:
        return error.message
    return ""
