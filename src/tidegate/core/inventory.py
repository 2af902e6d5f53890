"""
What the nodes of an execution produced, recorded for the execution that recovers it with other code (`core.former`).

Every round of a loop counts, because the first one may have to run again; what earlier rounds produced is only in the history. What this
execution was to keep of an earlier one, and has not reached, is passed on.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from tidegate.core.draft import fold
from tidegate.core.evaluate import NoValue, evaluate
from tidegate.core.former import (
    BRANCH,
    WORKFLOW,
    early_meaning,
    key_of,
    kind_of,
    meanings,
    node_at,
    positions,
    target_of,
)
from tidegate.core.former import (
    TASK as TASKS,
)
from tidegate.core.history import Line
from tidegate.core.keys import kept_key, own_key
from tidegate.core.messages import AnswerRecord, Former, FormerNode, Reuse
from tidegate.core.plan import ROOT, TASK, Plan, Planned
from tidegate.core.state import (
    ABORTED,
    QUEUED,
    SKIPPED,
    SUCCEEDED,
    ExecutionState,
    NodeState,
    NodeUnfolded,
)
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import Graph, InputNode, SleepNode, TaskNode

EARLIER: Final = "^"
"""Prefix for the ids of an execution recovered before this one, once per generation: no node's id begins with it."""


class Inventory:
    """The recorded nodes of an execution, by id."""

    def __init__(self) -> None:
        self._nodes: dict[NodeId, FormerNode] = {}
        self._positions: dict[int, tuple[Graph, dict[NodeId, bytes]]] = {}

    def take_rounds(self, origin: str, plan: Plan, lines: Iterable[Line]) -> None:
        """Record the finished rounds of loops, from the history of an execution with this code; `plan` is the one that it began with."""
        state = ExecutionState()
        plan = plan.shared()
        for line in lines:
            for change in line.changes:
                if isinstance(change, NodeUnfolded) and change.node in plan.scopes:
                    self._take(origin, plan, state, list(_inside(plan, change.node)))
            plan = fold(plan, state, line.event, line.changes)

    def take(self, origin: str, plan: Plan, state: ExecutionState) -> list[FormerNode]:
        """Record an execution in its final state; return everything that was recorded, and what the execution passes on."""
        plan, state = _with_kept(plan, state)
        self._take(origin, plan, state, list(plan.nodes))
        return [*self._nodes.values(), *_passed_on(plan, state)]

    def _take(
        self, origin: str, plan: Plan, state: ExecutionState, nodes: Iterable[NodeId]
    ) -> None:
        for id_ in nodes:
            planned = plan.nodes[id_]
            if kind_of(planned.node) != BRANCH:
                self._nodes[id_] = self._taken(origin, plan, state, planned)

    def _taken(
        self, origin: str, plan: Plan, state: ExecutionState, planned: Planned
    ) -> FormerNode:
        node, now = planned.node, state.node(planned.id)
        answer = _answer(now, origin)
        means = meanings(plan, state, planned)
        if answer is not None and answer.early and isinstance(node, InputNode):
            means = (early_meaning(node),)
        is_graph = planned.id in plan.scopes and planned.kind is TASK
        return FormerNode(
            planned.id,
            plan.path(planned.scope) if planned.scope else "",
            node.name,
            kind_of(node),
            self._position(plan.scopes[planned.scope], node.id),
            means[0] if means else b"",
            target_of(node),
            _outputs(planned, now),
            answer,
            plan.scopes[planned.id] if is_graph else None,
            plan.rounds.get(planned.id) if is_graph else None,
            key_now(origin, plan, state, planned),
        )

    def _position(self, graph: Graph, node: NodeId) -> bytes:
        known = self._positions.get(id(graph))
        if known is None:
            # Keep the graph as well: it must not be collected while its `id()` is the key.
            known = self._positions[id(graph)] = (graph, positions(graph))
        return known[1][node]


def key_now(origin: str, plan: Plan, state: ExecutionState, planned: Planned) -> str:
    """Return the idempotency key of a task that was attempted, or whose result was kept; empty for others."""
    task, now = planned.node, state.node(planned.id)
    if not isinstance(task, TaskNode):
        return ""
    reuse = state.reuse
    if not now.attempt:
        kept = reuse.former if reuse is not None else None
        found = node_at(kept, now.origin) if kept is not None and now.origin else None
        known = None if reuse is None else reuse.keys.get(planned.id)
        return found.key if found is not None else known.key if known is not None else ""
    own = own_key(origin, planned.id, state.setting.keys)
    try:
        inputs = values_of(plan, state, planned)
    except NoValue:
        return own
    if reuse is None:
        return own
    known_key = kept_key(reuse.keys, planned.id, task, inputs)
    return known_key or key_of(reuse.former, now.origin, task, inputs) or own


def values_of(plan: Plan, state: ExecutionState, planned: Planned) -> dict[str, Value]:
    """Return the inputs of a task. Raises NoValue."""
    task = planned.node
    assert isinstance(task, TaskNode), "only tasks have attempts"
    return {name: evaluate(plan, state, planned.scope, expr) for name, expr in task.inputs.items()}


def unreached(former: Former | None, state: ExecutionState) -> Former | None:
    """Return what an execution was to keep of one with other code, minus what it has already kept."""
    if former is None:
        return None
    inside = {scope for each in former.nodes for scope in _bases(each.scope)}
    return replace(
        former,
        nodes=[each for each in former.nodes if each.at not in state.matched or each.at in inside],
    )


def _bases(scope: str) -> tuple[str, str]:
    """Return the path of a graph, and the same path without the number of a loop's round."""
    base, tilde, number = scope.rpartition("~")
    return (scope, base) if tilde and number.isdigit() else (scope, scope)


def _answer(now: NodeState, origin: str) -> AnswerRecord | None:
    if now.answer is None or now.phase not in (SUCCEEDED, ABORTED, SKIPPED):
        return None
    return replace(now.answer, kept=now.answer.kept or origin)


def _outputs(planned: Planned, now: NodeState) -> dict[str, Value] | None:
    if now.phase is not SUCCEEDED:
        return None
    return {} if isinstance(planned.node, SleepNode) else now.outputs


def _inside(plan: Plan, scope: NodeId) -> Iterator[NodeId]:
    """Yield the nodes of a graph, and of all graphs in it."""
    todo = [scope]
    while todo:
        for node in plan.members[todo.pop()]:
            yield node
            if node in plan.scopes:
                todo.append(node)


def _with_kept(plan: Plan, state: ExecutionState) -> tuple[Plan, ExecutionState]:
    """Return an execution as if it had reached everything that it was to keep of one with the same code."""
    reuse = state.reuse
    if reuse is None:
        return plan, state
    growth = plan.growing()
    for id_ in sorted(reuse.graphs, key=lambda each: each.count("/")):
        if id_ in growth.nodes and id_ not in growth.scopes:
            growth.unfold(id_, reuse.graphs[id_], reuse.rounds.get(id_))
    state = state.copied()
    kept = {id_: NodeState(SUCCEEDED, outputs=each) for id_, each in reuse.outputs.items()}
    kept |= {id_: NodeState(SUCCEEDED, answer=each) for id_, each in reuse.answers.items()}
    for id_, each in kept.items():
        now = state.node(id_)
        if id_ in growth.nodes and now.phase is QUEUED and not now.attempt and now.answer is None:
            state.nodes[id_] = each
    return growth, state


def _passed_on(plan: Plan, state: ExecutionState) -> Iterator[FormerNode]:
    """
    Yield what an execution was to keep of one with other code, and has not kept.

    Each graph of the earlier execution is replaced by the one that it was matched with; what is nested in it moves along, under ids that no node here has.
    """
    reuse: Reuse | None = state.reuse
    left = unreached(None if reuse is None else reuse.former, state)
    if left is None:
        return
    scopes = {state.node(id_).origin: id_ for id_ in plan.scopes if id_ != ROOT}
    scopes[""] = ROOT
    for each in left.nodes:
        carries = each.outputs is not None or each.answer or each.graph or each.key
        if each.at in state.matched or not (carries or _may_hold(each)):
            continue
        path, base = _bases(each.scope)
        known = scopes.get(base)
        yield replace(
            each,
            at=NodeId(f"{EARLIER}{each.at}"),
            scope=f"{EARLIER}{path}" if known is None else f"{known}{path.removeprefix(base)}",
        )


def _may_hold(node: FormerNode) -> bool:
    return node.kind in (TASKS, WORKFLOW)
