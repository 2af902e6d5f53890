"""
Recovery: a failed or aborted execution continues in another one, its successor; this is what the successor takes over.

Rule 1: an execution has one successor. The line that names it is appended to its history together with the launch of the successor, so of
two concurrent recoveries one is refused; and for an execution that has been recovered, its latest successor is recovered instead.
Rule 2: a decision is spent once. After a failure answers and approvals are kept, with who gave them; after an abort by a person, who may
have objected to what was approved, approvals are asked for again.
"""

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import replace

from tidegate.core.draft import Draft
from tidegate.core.evaluate import NoValue
from tidegate.core.former import APPROVE
from tidegate.core.inventory import key_now, unreached, values_of
from tidegate.core.keys import KeptKey, meaning
from tidegate.core.messages import Accepted, Denied, Former, RecoveryRequested, Reply, Reuse
from tidegate.core.plan import ROOT, Kind, Plan
from tidegate.core.state import (
    ABORTED,
    SKIPPED,
    SUCCEEDED,
    ExecutionPhase,
    ExecutionState,
)
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import ApproveNode, Graph, Node, SleepNode, SubNode, TaskNode

T = TypeVar("T")

ABORT = "abort"
"""Why an approval is not kept: the execution was aborted."""

RECOVERABLE = (ExecutionPhase.FAILED, ExecutionPhase.ABORTED)


def recovery_requested(draft: Draft, event: RecoveryRequested) -> Reply:
    """Decide whether an execution continues in the one that is named."""
    if draft.phase not in RECOVERABLE:
        return Denied("not_recoverable", draft.base.ended)
    if draft.successor:
        return Denied("recovered_already", draft.base.ended, execution=draft.successor)
    draft.name_successor(event.successor)
    return Accepted(event.at, event.who)


def reusable(plan: Plan, state: ExecutionState, origin: str) -> Reuse:
    """
    Return what is taken over: results, answers (also early ones that were not used yet), and the graphs of dynamic tasks.

    What failed, timed out or was rejected runs again. A loop continues in the round it was in. What the execution itself took over and
    did not reach is passed on, except for rounds that are over, and for approvals after an abort.
    """
    known = state.reuse or Reuse(origin, {}, {}, {})
    outputs, answers = _current(plan, known.outputs), _current(plan, known.answers)
    graphs, rounds = _current(plan, known.graphs), _current(plan, known.rounds)
    keys = _current(plan, known.keys)
    for id_, now in state.nodes.items():
        if now.answer is not None and now.phase in (SUCCEEDED, ABORTED, SKIPPED):
            answers[id_] = replace(now.answer, kept=now.answer.kept or origin)
        elif now.phase is SUCCEEDED and now.outputs is not None:
            outputs[id_] = now.outputs
        elif now.phase is SUCCEEDED and isinstance(plan.nodes[id_].node, SleepNode):
            outputs[id_] = {}
        if (key := _key(plan, state, id_, origin)) is not None:
            keys[id_] = key
        if id_ in plan.scopes and plan.nodes[id_].kind is Kind.TASK:
            graphs[id_] = plan.scopes[id_]
            if id_ in plan.rounds:
                rounds[id_] = plan.rounds[id_]
    if state.phase is ExecutionPhase.ABORTED:
        answers = {id_: each for id_, each in answers.items() if not _approves(plan, graphs, id_)}
    former = unreached(known.former, state)
    if former is not None and state.phase is ExecutionPhase.ABORTED:
        former = without_approvals(former, ABORT)
    return Reuse(origin, outputs, answers, graphs, rounds, keys, former)


def without_approvals(former: Former, why: str) -> Former:
    """Return what is kept of an execution with other code if approvals are asked for again."""
    nodes = [
        replace(each, answer=None, dropped=why)
        if each.kind == APPROVE and each.answer is not None
        else each
        for each in former.nodes
    ]
    return replace(former, nodes=nodes)


def _key(plan: Plan, state: ExecutionState, node: NodeId, origin: str) -> KeptKey | None:
    """Return the idempotency key of a task that was attempted, and what it stands for; None if its inputs cannot be evaluated."""
    planned = plan.nodes.get(node)
    key = "" if planned is None else key_now(origin, plan, state, planned)
    if planned is None or not key:
        return None
    task = planned.node
    assert isinstance(task, TaskNode), "only tasks have keys"
    try:
        return KeptKey(key, meaning(task, values_of(plan, state, planned)))
    except NoValue:
        return None


def _approves(plan: Plan, graphs: Mapping[NodeId, Graph], node: NodeId) -> bool:
    """Return whether a node is an approval, or may be one: for a node that was not reached, its graph decides."""
    planned = plan.nodes.get(node)
    if planned is not None:
        return isinstance(planned.node, ApproveNode)
    found: Node | None = None
    inside, graph = "", plan.scopes[ROOT]
    for part in node.split("/"):
        own = NodeId(part.partition("~")[0])
        found = graph.nodes.get(own)
        scope = NodeId(f"{inside}{own}")
        inner = found.graph if isinstance(found, SubNode) else graphs.get(scope)
        graph = Graph(name="") if inner is None else inner
        inside = f"{inside}{part}/"
    return found is None or isinstance(found, ApproveNode)


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
