"""
The machine: `step(plan, state, event)` decides what one event changes, and what the host should do about it.

It is pure: it looks at its arguments and at nothing else, and leaves the state as it was. `Step.merge` takes the decision up.

Theory of operation. An event settles or moves one node. What follows from that (nodes that may begin, nodes nobody can reach any more,
holders whose last node has ended) is worked off from a queue, not by recursion, so a chain of any length is safe.
Facts may come late or twice: an attempt that is not the current one is ignored, a timer that is not due is ignored.
"""

from collections.abc import Mapping
from typing import assert_never

from msgspec.structs import replace

from tidegate.core.advance import Flow
from tidegate.core.messages import (
    BAD_GRAPH,
    LOST_TOO_OFTEN,
    TASK_TIMED_OUT,
    AbortRequested,
    Accepted,
    AnswerGiven,
    Command,
    Denied,
    Event,
    Failure,
    Launched,
    Reply,
    Reuse,
    RunTask,
    TaskExpanded,
    TaskFailed,
    TaskLost,
    TaskStarted,
    TaskSucceeded,
    TimerFired,
    final,
)
from tidegate.core.plan import ROOT, Kind, Plan
from tidegate.core.signals import answered
from tidegate.core.state import (
    ABORTED,
    FAILED,
    QUEUED,
    RUNNING,
    SKIPPED,
    SUCCEEDED,
    TIMED_OUT,
    WAITING,
    X_RUNNING,
    X_SUCCEEDED,
    X_WAITING,
    Change,
    Draft,
    ExecutionPhase,
    ExecutionState,
    NodeState,
)
from tidegate.errors import CompileError
from tidegate.ir.check import MAX_PLANNED, check, size_of
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Graph, Instant, SleepNode, TaskNode

X = ExecutionPhase

MAX_LOST = 10
"""How often an attempt may die with its host before the node is given up: it is probably what kills the host."""

MAX_NESTED = 200
"""How deep graphs may stand in each other, sub-workflows and what dynamic tasks unfold into."""


class Step:
    """
    What one event leads to: changes to store, commands to carry out after the commit, a reply to send after the commit.

    `nodes` are those that have another state now, with that state; `before` the states of all nodes before, and after `merge`: after it.
    `plan` is the one after this step. Nothing of it counts before `merge`.
    """

    __slots__ = ("_draft", "before", "changes", "commands", "nodes", "phase", "plan", "reply")

    def __init__(self, draft: Draft, commands: list[Command], reply: Reply | None) -> None:
        self._draft = draft
        self.changes: list[Change] = draft.changes
        self.commands = commands
        self.reply = reply
        self.phase = draft.phase
        self.plan = draft.plan
        self.nodes: Mapping[NodeId, NodeState] = draft.nodes
        self.before: Mapping[NodeId, NodeState] = draft.base.nodes

    def merge(self) -> Plan:
        """Fold the changes into the state that was stepped, and return the plan as it is after them."""
        return self._draft.merge()


def step(plan: Plan, state: ExecutionState, event: Event) -> Step:
    """Decide what an event changes. The state is not touched."""
    draft = Draft(plan, state, event.at)
    flow = Flow(draft)
    reply: Reply | None = None
    match event:  # the frequent first: a class pattern that does not match costs more than it looks
        case TaskSucceeded():
            _reported(flow, event)
        case AnswerGiven():
            reply = answered(flow, event)
        case Launched():
            if state.phase is X.QUEUED and not state.open:
                draft.launch(event)
        case TimerFired(node=node, at=at):
            _timer_fired(flow, node, at)
        case AbortRequested():
            reply = _abort_requested(flow, event)
        case _:
            _reported(flow, event)
    flow.run()
    _set_phase(draft)
    return Step(draft, flow.commands, reply)


def outstanding(plan: Plan, state: ExecutionState) -> list[RunTask]:
    """Return the attempts that were submitted and not known to have started: a host that takes an execution up submits them."""
    flow = Flow(Draft(plan, state, Instant(0)))
    return [
        flow.run_task(id_, now.attempt)
        for id_, now in state.nodes.items()
        if now.phase is QUEUED and now.attempt
    ]


def running(plan: Plan, state: ExecutionState) -> list[tuple[NodeId, int]]:
    """Return the attempts that had started: a host that takes an execution up reports them as lost."""
    return [
        (id_, now.attempt)
        for id_, now in state.nodes.items()
        if now.phase is RUNNING and now.attempt and id_ not in plan.scopes
    ]


def reusable(plan: Plan, state: ExecutionState, origin: str) -> Reuse:
    """
    Return what an execution that recovers this one takes over: what has succeeded, and answers that came early and were not used yet.

    What failed, timed out or was rejected is done again. What it took over itself and did not come to is handed on.
    """
    known = state.reuse or Reuse(origin, {}, {}, {})
    outputs, answers, graphs = dict(known.outputs), dict(known.answers), dict(known.graphs)
    for id_, now in state.nodes.items():
        if now.answer is not None and now.phase in (SUCCEEDED, ABORTED, SKIPPED):
            answers[id_] = now.answer
        elif now.phase is SUCCEEDED and now.outputs is not None:
            outputs[id_] = now.outputs
        elif now.phase is SUCCEEDED and isinstance(plan.nodes[id_].node, SleepNode):
            outputs[id_] = {}
        if id_ in plan.scopes and plan.nodes[id_].kind is Kind.TASK:
            graphs[id_] = plan.scopes[id_]
    return Reuse(origin, outputs, answers, graphs)


def _set_phase(draft: Draft) -> None:
    if draft.phase >= X_SUCCEEDED:
        return
    phase = X_WAITING if draft.gates and not draft.live else X_RUNNING
    if phase is not draft.phase:
        draft.set_phase(phase)


def _reported(
    flow: Flow, event: TaskStarted | TaskSucceeded | TaskExpanded | TaskFailed | TaskLost
) -> None:
    """Take up what became of an attempt, unless it is not the current one: a lost worker may report long after it was given up."""
    draft, node = flow.draft, event.node
    now = draft.node(node)
    if (
        now.attempt != event.attempt
        or now.phase not in (QUEUED, RUNNING)
        or node in draft.plan.scopes
    ):
        return
    match event:
        case TaskSucceeded(at=at, outputs=outputs):
            began = _began(now, event)
            draft.put(node, NodeState(SUCCEEDED, now.attempt, now.lost, began, at, outputs=outputs))
        case TaskStarted(at=at):
            if now.phase is QUEUED:
                draft.put(node, replace(now, phase=RUNNING, began=at))
        case TaskExpanded():
            _expand(flow, event, now)
        case TaskFailed(at=at, failure=failure):
            _attempt_failed(flow, node, replace(now, began=_began(now, event)), failure, at)
        case TaskLost():
            if now.lost >= MAX_LOST:
                message = f"the host died {now.lost + 1} times while it ran this task"
                flow.fail(node, now, final(LOST_TOO_OFTEN, message))
            else:
                flow.submit(
                    node, replace(now, phase=QUEUED, attempt=now.attempt + 1, lost=now.lost + 1)
                )
        case _:
            assert_never(event)


def _began(now: NodeState, event: TaskSucceeded | TaskFailed) -> Instant:
    """Return when the first attempt of a task began, at the end of one: an attempt that ends at once was not announced."""
    return Instant(event.at - event.took) if now.began is None else now.began


def _attempt_failed(
    flow: Flow, node: NodeId, now: NodeState, failure: Failure, at: Instant
) -> None:
    task = flow.draft.plan.nodes[node].node
    assert isinstance(task, TaskNode)
    used = now.attempt - 1 - now.lost
    if not failure.retryable or used >= task.retry.retries:
        phase = TIMED_OUT if failure.code == TASK_TIMED_OUT else FAILED
        flow.fail(node, now, failure, phase)
        return
    pause = min(task.retry.pause << min(used, 40), task.retry.cap)
    if pause > 0:
        due = Instant(at + pause)
        flow.draft.put(node, replace(now, phase=WAITING, due=due, failure=failure))
    else:
        flow.submit(node, replace(now, phase=QUEUED, attempt=now.attempt + 1, failure=failure))


def _expand(flow: Flow, event: TaskExpanded, now: NodeState) -> None:
    draft, node = flow.draft, event.node
    wrong = _wrong_with(event.graph, node, len(draft.plan.nodes))
    if wrong:
        flow.fail(node, now, final(BAD_GRAPH, wrong))
        return
    draft.expand(node, event.graph)
    began = event.at if now.began is None else now.began
    flow.draft.put(node, replace(now, phase=RUNNING, began=began))


def _wrong_with(graph: Graph, node: NodeId, planned: int) -> str:
    """Return why a graph cannot be laid out under a node, beside so many others, or nothing."""
    if node.count("/") >= MAX_NESTED:
        return f"graphs would stand more than {MAX_NESTED} deep in each other; does a dynamic task call itself without end?"
    if planned + size_of(graph) > MAX_PLANNED:
        return f"the execution would have more than {MAX_PLANNED:,} nodes"
    try:
        check(graph)
    except CompileError as error:
        return error.message
    return ""


def _timer_fired(flow: Flow, node: NodeId, at: Instant) -> None:
    planned = flow.draft.plan.nodes.get(node)
    if planned is None:
        return
    now = flow.draft.node(node)
    if now.phase is not WAITING or now.due is None or at < now.due:
        return
    match planned.node:
        case SleepNode():
            flow.draft.put(node, replace(now, phase=SUCCEEDED, due=None, ended=at))
        case TaskNode():
            flow.submit(node, replace(now, phase=QUEUED, attempt=now.attempt + 1, due=None))
        case _:
            flow.expire(node)


def _abort_requested(flow: Flow, event: AbortRequested) -> Reply:
    draft = flow.draft
    if draft.phase is X.ABORTED:
        return Accepted(draft.base.ended or event.at, "")
    if draft.phase >= X_SUCCEEDED:
        return Denied("execution_ended", draft.base.ended)
    flow.abort_begun(ROOT)
    reason = event.reason or "aborted"
    draft.set_phase(X.ABORTED, final("Aborted", reason))
    return Accepted(event.at, event.who)
