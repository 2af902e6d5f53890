"""What an execution that recovers another takes over from it."""

from typing import TypeVar

from tidegate.core.messages import Reuse
from tidegate.core.plan import Kind, Plan
from tidegate.core.state import ABORTED, SKIPPED, SUCCEEDED, ExecutionState
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import SleepNode

T = TypeVar("T")


def reusable(plan: Plan, state: ExecutionState, origin: str) -> Reuse:
    """
    Return what is taken over: results, answers (also early ones that were not used yet), and the graphs of dynamic tasks.

    What failed, timed out or was rejected runs again. A loop continues in the round it was in. What the execution itself took over and
    did not reach is passed on, except for rounds that are over.
    """
    known = state.reuse or Reuse(origin, {}, {}, {})
    outputs, answers = _current(plan, known.outputs), _current(plan, known.answers)
    graphs, rounds = _current(plan, known.graphs), _current(plan, known.rounds)
    for id_, now in state.nodes.items():
        if now.answer is not None and now.phase in (SUCCEEDED, ABORTED, SKIPPED):
            answers[id_] = now.answer
        elif now.phase is SUCCEEDED and now.outputs is not None:
            outputs[id_] = now.outputs
        elif now.phase is SUCCEEDED and isinstance(plan.nodes[id_].node, SleepNode):
            outputs[id_] = {}
        if id_ in plan.scopes and plan.nodes[id_].kind is Kind.TASK:
            graphs[id_] = plan.scopes[id_]
            if id_ in plan.rounds:
                rounds[id_] = plan.rounds[id_]
    return Reuse(origin, outputs, answers, graphs, rounds)


def _current(plan: Plan, known: dict[NodeId, T]) -> dict[NodeId, T]:
    return {id_: each for id_, each in known.items() if not _is_over(plan, id_)}


def _is_over(plan: Plan, node: NodeId) -> bool:
    """Whether a node belongs to a round that its loop has left."""
    inside = ""
    for part in node.split("/")[:-1]:
        scope = NodeId(inside + part.partition("~")[0])
        inside = f"{inside}{part}/"
        if scope in plan.rounds and f"{plan.path(scope)}/" != inside:
            return True
    return False
