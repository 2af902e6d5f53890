"""
The machine: `step(plan, state, event)` decides what one event changes, and what the host should do about it.

It is pure: it reads nothing but its arguments, and does not change the state. `Step.merge` applies the decision.

Theory of operation. An event settles or moves one node. The consequences (nodes that may start, nodes that can no longer be reached,
holders whose last node has ended) are processed from a queue, not by recursion, so a chain of any length is safe.
Facts may arrive late or twice: an attempt that is not the current one is ignored, a timer that is not due is ignored.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from tidegate.core.advance import Flow
from tidegate.core.attempts import give_back, hasten, reported, take_up
from tidegate.core.draft import Draft
from tidegate.core.messages import (
    AbortRequested,
    Accepted,
    AnswerGiven,
    ClockSetBack,
    Command,
    Denied,
    EnvironmentDiffers,
    Event,
    GivenBack,
    Launched,
    RecoveryRequested,
    Reply,
    TakenUp,
    TaskSucceeded,
    TaskUnfolded,
    TimerFired,
    final,
)
from tidegate.core.plan import ROOT, Plan
from tidegate.core.recovery import recovery_requested
from tidegate.core.signals import answered
from tidegate.core.state import (
    QUEUED,
    SUCCEEDED,
    WAITING,
    X_RUNNING,
    X_SUCCEEDED,
    X_WAITING,
    Change,
    ExecutionPhase,
    ExecutionState,
    NodePhase,
    NodeState,
)
from tidegate.core.unfolding import unfold
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant, SleepNode, TaskNode

X = ExecutionPhase


class Step:
    """
    What one event leads to: changes to store, commands to carry out after the commit, a reply to send after the commit.

    `nodes` gives the states of the nodes that it changes, `before` the phases that these had before it. `plan` and `draft` are the execution
    after it, for evaluating expressions. Nothing takes effect before `merge`.
    """

    __slots__ = ("before", "changes", "commands", "draft", "nodes", "phase", "plan", "reply")

    def __init__(self, draft: Draft, commands: list[Command], reply: Reply | None) -> None:
        self.draft = draft
        self.changes: list[Change] = draft.changes
        self.commands = commands
        self.reply = reply
        self.phase = draft.phase
        self.plan = draft.plan
        self.nodes: Mapping[NodeId, NodeState] = draft.nodes
        self.before: Mapping[NodeId, NodePhase] = draft.before

    def merge(self) -> Plan:
        """Apply the changes to the state that was stepped, and return the plan after them."""
        return self.draft.merge()


def step(plan: Plan, state: ExecutionState, event: Event) -> Step:
    """Decide what an event changes. The state is not touched."""
    draft = Draft(plan, state, event.at)
    flow = Flow(draft)
    reply: Reply | None = None
    match event:  # frequent events first: a class pattern that does not match is not cheap
        case TaskSucceeded():
            reported(flow, event)
        case AnswerGiven():
            reply = answered(flow, event)
        case Launched():
            if state.phase is X.QUEUED and not state.open:
                draft.launch(event)
        case TimerFired(node=node, at=at):
            _timer_fired(flow, node, at)
        case AbortRequested():
            reply = _abort_requested(flow, event)
        case RecoveryRequested():
            reply = recovery_requested(draft, event)
        case TaskUnfolded():
            unfold(flow, event)
        case TakenUp(unbegun=unbegun, kept=kept):
            take_up(flow, unbegun, kept)
        case GivenBack():
            give_back(flow)
        case ClockSetBack(by=by):
            hasten(flow, by)
        case EnvironmentDiffers(differs=differs):
            if draft.phase < X_SUCCEEDED:
                draft.note_difference(differs)
        case _:
            reported(flow, event)
    flow.run()
    _set_phase(draft)
    return Step(draft, flow.commands, reply)


def _set_phase(draft: Draft) -> None:
    if draft.phase >= X_SUCCEEDED:
        return
    phase = X_WAITING if draft.gates and not draft.live else X_RUNNING
    if phase is not draft.phase:
        draft.set_phase(phase)


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
