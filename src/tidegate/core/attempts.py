"""
The life of a task's attempts: they start, end, fail and are retried; they are lost with their host, or given back by it.

Rule 1: only the current attempt of a node counts. Reports of any other are ignored: a worker may report long after it was given up.
Rule 2: no number is used twice. Each resubmission takes the next one, so that a report of what an earlier host left running is not mistaken for it;
        only what is known not to have begun there keeps its number.
Rule 3: only a failed attempt uses up a retry.
"""

from collections.abc import Iterator, Mapping
from typing import assert_never

from msgspec.structs import replace

from tidegate.core.advance import Flow
from tidegate.core.draft import Draft
from tidegate.core.messages import (
    LOST_TOO_OFTEN,
    TASK_TIMED_OUT,
    CancelTask,
    Failure,
    TaskFailed,
    TaskLost,
    TaskStarted,
    TaskSucceeded,
    TaskUnfolded,
    final,
)
from tidegate.core.plan import Plan
from tidegate.core.state import (
    FAILED,
    QUEUED,
    RUNNING,
    SUCCEEDED,
    TIMED_OUT,
    WAITING,
    ExecutionState,
    NodeState,
)
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant, Micros, TaskNode

MAX_LOST = 10
"""How many attempts of a node may die with their host before the node fails: it is probably what kills the host."""


def current(
    draft: Draft, event: TaskStarted | TaskSucceeded | TaskUnfolded | TaskFailed | TaskLost
) -> NodeState | None:
    """Return the state of a report's task if the report is about the current attempt and that has not ended, else None."""
    now = draft.node(event.node)
    live = 0 < now.attempt == event.attempt and now.phase in (QUEUED, RUNNING)
    return now if live and event.node not in draft.plan.scopes else None


def reported(flow: Flow, event: TaskStarted | TaskSucceeded | TaskFailed | TaskLost) -> None:
    """Apply the report of an attempt."""
    draft, node = flow.draft, event.node
    now = current(draft, event)
    if now is None:
        return
    freeze_deck(draft, event)
    match event:
        case TaskSucceeded(at=at, outputs=outputs):
            began = _began(now, event)
            lost, again = now.lost, now.reissued
            draft.put(
                node,
                NodeState(
                    SUCCEEDED,
                    now.attempt,
                    lost,
                    began,
                    at,
                    outputs=outputs,
                    reissued=again,
                    origin=now.origin,
                ),
            )
        case TaskStarted(at=at):
            if now.phase is QUEUED:
                draft.put(node, replace(now, phase=RUNNING, began=at))
        case TaskFailed(at=at, failure=failure):
            _failed(flow, node, replace(now, began=_began(now, event)), failure, at)
        case TaskLost(given_back=True):
            flow.submit(node, reissue(now))
        case TaskLost():
            _lost(flow, node, now)
        case _:
            assert_never(event)


def freeze_deck(
    draft: Draft, event: TaskStarted | TaskSucceeded | TaskUnfolded | TaskFailed | TaskLost
) -> None:
    """Record the decks of an ended attempt. Anything it writes after that is ignored."""
    if not isinstance(event, TaskStarted | TaskLost) and event.deck:
        draft.freeze_deck(event.node, event.attempt, event.deck)


def take_up(flow: Flow, unbegun: Mapping[NodeId, int], kept: Mapping[NodeId, int]) -> None:
    """Repeat what ran on an earlier host, and resubmit what is not known to have started there; `unbegun` is known not to have, and `kept` goes on."""
    draft = flow.draft
    # Nodes that fail now come first: they may abort others, which then need not be submitted.
    for node in sorted(_live(draft), key=lambda node: draft.node(node).lost < MAX_LOST):
        now = draft.node(node)
        if kept.get(node) == now.attempt:
            continue
        if now.phase is RUNNING:
            _lost(flow, node, now)
        elif now.phase is QUEUED and unbegun.get(node) == now.attempt:
            flow.commands.append(flow.run_task(node, now))
        elif now.phase is QUEUED:
            flow.submit(node, reissue(now))
    # The clock may have been set back while no host was there to notice.
    hasten(flow, Micros(0))


def hasten(flow: Flow, by: Micros) -> None:
    """Move the ends of pauses forward by as much as the clock was set back, so that no pause becomes longer than intended."""
    draft = flow.draft
    for node, now in draft.base.nodes.items() if draft.live else ():
        if now.phase is not WAITING or now.due is None or not now.attempt:
            continue
        due = Instant(min(now.due - by, draft.at + _pause(_task(flow, node), now)))
        if due < now.due:
            draft.put(node, replace(now, due=due))


def give_back(flow: Flow) -> None:
    """Leave running attempts to the next host. Queued ones stay as they are."""
    draft = flow.draft
    for node in _live(draft):
        now = draft.node(node)
        if now.phase is RUNNING:
            flow.commands.append(CancelTask(node, now.attempt))
            draft.put(node, reissue(now))


def reissue(now: NodeState) -> NodeState:
    """Return a task queued under the next attempt number, without counting the attempt as used or lost."""
    return replace(now, phase=QUEUED, attempt=now.attempt + 1, reissued=now.reissued + 1)


def retries_used(now: NodeState) -> int:
    """Return how many times a task was retried after a failure."""
    return now.attempt - 1 - now.lost - now.reissued


def submitted(plan: Plan, state: ExecutionState) -> Iterator[tuple[NodeId, int]]:
    """Yield the attempts that were submitted or run, by node and number."""
    for node, now in state.nodes.items():
        if now.attempt and now.phase in (QUEUED, RUNNING) and node not in plan.scopes:
            yield node, now.attempt


def _live(draft: Draft) -> list[NodeId]:
    """Return the tasks that have an attempt submitted or running."""
    if not draft.live:
        return []
    return [
        node
        for node, now in draft.base.nodes.items()
        if now.attempt and now.phase in (QUEUED, RUNNING) and node not in draft.plan.scopes
    ]


def _began(now: NodeState, event: TaskSucceeded | TaskFailed) -> Instant:
    """Return when the first attempt of a task started. (An attempt that ends at once does not report its start.)"""
    return Instant(event.at - event.took) if now.began is None else now.began


def _lost(flow: Flow, node: NodeId, now: NodeState) -> None:
    if now.lost >= MAX_LOST:
        message = f"the host died {now.lost + 1} times while it ran this task"
        flow.fail(node, now, final(LOST_TOO_OFTEN, message))
    else:
        again = replace(now, phase=QUEUED, attempt=now.attempt + 1, lost=now.lost + 1)
        flow.submit(node, again)


def _failed(flow: Flow, node: NodeId, now: NodeState, failure: Failure, at: Instant) -> None:
    task = _task(flow, node)
    if not failure.retryable or retries_used(now) >= task.retry.retries:
        phase = TIMED_OUT if failure.code == TASK_TIMED_OUT else FAILED
        flow.fail(node, now, failure, phase)
        return
    pause = _pause(task, now)
    if pause > 0:
        due = Instant(at + pause)
        flow.draft.put(node, replace(now, phase=WAITING, due=due, failure=failure))
    else:
        flow.submit(node, replace(now, phase=QUEUED, attempt=now.attempt + 1, failure=failure))


def _task(flow: Flow, node: NodeId) -> TaskNode:
    task = flow.draft.plan.nodes[node].node
    assert isinstance(task, TaskNode)
    return task


def _pause(task: TaskNode, now: NodeState) -> Micros:
    """Return how long to wait before the attempt after the current one."""
    return Micros(min(task.retry.pause << min(retries_used(now), 40), task.retry.cap))
