"""
What must hold after every event: one function a promise, each with what it says when it is broken.

They look at the graph, the state before, the event, and the state after; they never ask the machine what it meant.
"""

from dataclasses import dataclass, field
from typing import Any

from tidegate.core.messages import (
    Accepted,
    AnswerGiven,
    CancelTask,
    Event,
    Reply,
    Reuse,
    RunTask,
    TaskFailed,
)
from tidegate.core.plan import ROOT
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import (
    ApproveNode,
    BranchNode,
    Forever,
    InputNode,
    SleepNode,
    SubNode,
    TaskNode,
)

GATES = (SleepNode, InputNode, ApproveNode)


@dataclass
class Seen:
    """What the world has seen of the machine so far."""

    runs: set[tuple[NodeId, int]] = field(default_factory=set)
    cancelled: set[tuple[NodeId, int]] = field(default_factory=set)
    acked: dict[NodeId, Any] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    reuse: Reuse | None = None


@dataclass
class Turn:
    """One event and what it did."""

    m: Any
    event: Event
    before: dict[NodeId, Any]
    phase_before: Any
    plan: Any
    state: Any
    commands: list[Any]
    reply: Reply | None


def check(turn: Turn, seen: Seen) -> None:
    """Hold every promise against one turn."""
    terminal_phases_absorb(turn)
    nothing_begins_before_what_it_needs(turn)
    nothing_begins_below_a_failure(turn)
    an_attempt_is_submitted_once(turn, seen)
    a_result_is_that_of_the_current_attempt(turn, seen)
    acknowledged_answers_stay(turn, seen)
    gates_end_in_time(turn)
    waiting_has_a_way_out(turn)
    nothing_is_forgotten(turn)
    nobody_is_asked_in_vain(turn)
    branches_take_one_case(turn)
    the_execution_says_what_its_nodes_say(turn)
    if seen.reuse is not None:
        what_was_done_is_not_done_again(turn, seen.reuse)


def what_was_done_is_not_done_again(turn: Turn, reuse: Reuse) -> None:
    """In an execution that recovers another, results and answers are those of the other."""
    phase = turn.m.state.NodePhase
    for command in turn.commands:
        known = command.node in reuse.outputs or command.node in reuse.graphs
        assert not known, f"{command.node} is run again"
    for id_, now in turn.state.nodes.items():
        if id_ in reuse.answers and now.phase not in (phase.SKIPPED, phase.ABORTED):
            assert now.phase == phase.SUCCEEDED, f"{id_} is asked again"
            assert now.answer == reuse.answers[id_], f"the answer to {id_} became another"


def terminal_phases_absorb(turn: Turn) -> None:
    for id_, old in turn.before.items():
        assert not old.phase.is_terminal or turn.state.nodes[id_] == old, (
            f"{id_} had ended and changed"
        )
    if turn.phase_before.is_terminal:
        assert turn.state.phase == turn.phase_before, "the execution had ended and changed"
        assert not turn.commands, "a command after the end"


def nothing_begins_before_what_it_needs(turn: Turn) -> None:
    phase = turn.m.state.NodePhase
    for id_, now in turn.state.nodes.items():
        if now.phase in (phase.SKIPPED, phase.QUEUED) and not now.attempt:
            continue
        planned = turn.plan.nodes[id_]
        if now.phase == phase.ABORTED and now.began is None and not now.attempt:
            continue
        for up in planned.needs:
            assert turn.state.node(up).phase == phase.SUCCEEDED, (
                f"{id_} began before {up} had succeeded"
            )
        if planned.holder != ROOT:
            holder = turn.state.node(planned.holder)
            assert holder.began is not None, f"{id_} began before what holds it"
            case = planned.node.case
            assert case is None or holder.case == case.index, (
                f"{id_} began in a case that was not taken"
            )


def nothing_begins_below_a_failure(turn: Turn) -> None:
    """What needs a failed or rejected node, be it through a branch that took it in, never begins."""
    phase = turn.m.state.NodePhase
    fresh = [
        id_
        for id_, now in turn.state.nodes.items()
        if (now.began is not None or now.attempt)
        and (old := turn.before.get(id_), old is None or (old.began is None and not old.attempt))[1]
        and now.phase not in (phase.FAILED, phase.ABORTED)
    ]
    for id_ in fresh:
        for up in everything_before(turn, id_):
            bad = turn.state.node(up).phase in (phase.FAILED, phase.TIMED_OUT)
            assert not bad, f"{id_} began below {up}, which failed"


def everything_before(turn: Turn, node: NodeId) -> list[NodeId]:
    """Return what a node needs, what holds it, what those need, and so on; of a branch also what it took in."""
    plan = turn.plan
    found = dict.fromkeys([node])
    look = [node]
    for id_ in look:
        planned, case = plan.nodes[id_], turn.state.node(id_).case
        before = [*planned.needs]
        if planned.holder != ROOT:
            holder = plan.nodes[planned.holder]
            before += holder.needs
            if holder.holder != ROOT:
                before += plan.nodes[holder.holder].needs
        if isinstance(planned.node, BranchNode) and case is not None and id_ != node:
            before += plan.groups.get((id_, case), ()) + plan.outside.get((id_, case), ())
        fresh = [up for up in before if up not in found]
        found.update(dict.fromkeys(fresh))
        look += fresh
    return look[1:]


def an_attempt_is_submitted_once(turn: Turn, seen: Seen) -> None:
    for command in turn.commands:
        place = (command.node, command.attempt)
        match command:
            case RunTask():
                assert place not in seen.runs, f"{place} submitted twice"
                assert turn.state.nodes[command.node].attempt == command.attempt
                seen.runs.add(place)
            case CancelTask():
                assert place in seen.runs, f"{place} cancelled, and never submitted"
                seen.cancelled.add(place)
            case _:
                raise AssertionError(f"{command} is no command")
    for id_, now in turn.state.nodes.items():
        task = turn.plan.nodes[id_].node
        if isinstance(task, TaskNode):
            assert now.attempt - now.lost <= task.retry.retries + 1, f"{id_}: one retry too many"
            if now.failure is not None and now.failure.code == "BadPath":
                continue  # an input had no value, so there was nothing to submit
            for attempt in range(1, now.attempt + 1):
                assert (id_, attempt) in seen.runs, f"{id_}#{attempt} was never submitted"
    if isinstance(turn.event, TaskFailed) and turn.event.failure.retryable:
        id_, now = turn.event.node, turn.state.node(turn.event.node)
        task = turn.plan.nodes[id_].node if id_ in turn.plan.nodes else None
        if (
            isinstance(task, TaskNode)
            and now.phase.name in ("FAILED", "TIMED_OUT")
            and turn.before.get(id_) != now
        ):
            assert now.attempt - now.lost == task.retry.retries + 1, f"{id_}: one retry too few"
    if turn.state.phase.is_terminal and not turn.phase_before.is_terminal:
        for id_, old in turn.before.items():
            live = old.attempt and old.phase in (
                turn.m.state.NodePhase.QUEUED,
                turn.m.state.NodePhase.RUNNING,
            )
            if live and id_ not in turn.plan.scopes and getattr(turn.event, "node", None) != id_:
                assert (id_, old.attempt) in seen.cancelled, (
                    f"{id_}#{old.attempt} still runs after the end"
                )


def a_result_is_that_of_the_current_attempt(turn: Turn, seen: Seen) -> None:
    reused = seen.reuse.outputs if seen.reuse else {}
    for id_, now in turn.state.nodes.items():
        if now.outputs is not None:
            want = reused.get(id_, {"o0": f"{id_}#{now.attempt}"})
            assert now.outputs == want, f"{id_} took the result of another attempt"


def acknowledged_answers_stay(turn: Turn, seen: Seen) -> None:
    event, reply = turn.event, turn.reply
    if isinstance(event, AnswerGiven) and reply is not None:
        old = seen.replies.get(event.key) if event.key else None
        if old is not None:
            fresh = getattr(reply, "code", "") == "key_reused"
            assert reply == old or fresh, "the same key got another reply"
        elif event.key and getattr(reply, "code", "") != "unknown_signal":
            seen.replies[event.key] = reply
        if isinstance(reply, Accepted) and old is None:
            kept = seen.acked.setdefault(event.node, event.value)
            assert kept == event.value, f"two different answers to {event.node} were accepted"
    for id_, value in seen.acked.items():
        answer = turn.state.node(id_).answer or (seen.reuse and seen.reuse.answers.get(id_))
        assert answer is not None, f"the accepted answer to {id_} is lost"
        assert answer.value == value, f"the accepted answer to {id_} became another"


def gates_end_in_time(turn: Turn) -> None:
    phase = turn.m.state.NodePhase
    for id_, now in turn.state.nodes.items():
        node, old = turn.plan.nodes[id_].node, turn.before.get(id_)
        if isinstance(node, ApproveNode) and now.phase == phase.SUCCEEDED:
            assert now.answer.value is True, f"{id_}: a no was taken for a yes"
        if not isinstance(node, GATES) or not now.phase.is_terminal or old is None or old == now:
            continue
        at = turn.event.at
        if isinstance(node, SleepNode) and now.phase == phase.SUCCEEDED:
            assert at >= old.due, f"{id_} woke early"
        by_timeout = now.answer is not None and now.answer.by_timeout
        if now.phase == phase.TIMED_OUT or by_timeout:
            assert old.due is not None, f"{id_} timed out and had no timeout"
            assert at >= old.due, f"{id_} timed out early"
        elif (
            now.answer is not None
            and not now.answer.early
            and now.phase in (phase.SUCCEEDED, phase.FAILED)
        ):
            assert old.due is None or at < old.due, f"{id_} was answered after its timeout"
        if (
            isinstance(node, ApproveNode)
            and now.answer is not None
            and now.answer.value is not True
        ):
            assert now.phase == phase.FAILED, f"{id_}: a no was ignored"


def waiting_has_a_way_out(turn: Turn) -> None:
    for id_, now in turn.state.nodes.items():
        node = turn.plan.nodes[id_].node
        if now.phase == turn.m.state.NodePhase.WAITING:
            asks = isinstance(node, InputNode | ApproveNode)
            assert now.began is not None, f"nobody could tell since when {id_} waits"
            assert now.due is not None or asks, f"nothing would ever wake {id_}"
            if asks:
                assert (now.due is None) == isinstance(node.patience, Forever), (
                    f"{id_}: a timeout too many or too few"
                )
            if isinstance(node, SleepNode):
                assert now.due == now.began + node.duration, f"{id_}: due at the wrong time"
            elif asks and not isinstance(node.patience, Forever):
                assert now.due == now.began + node.patience.timeout, f"{id_}: due at the wrong time"
        else:
            assert now.due is None, f"a timer is left for {id_}"


def nothing_is_forgotten(turn: Turn) -> None:
    """A node that could begin has begun; an execution that goes on has something that goes on."""
    if turn.state.phase.is_terminal:
        left = [i for i, n in turn.state.nodes.items() if not n.phase.is_terminal]
        assert not left, f"{left} live on after the end"
        return
    phase = turn.m.state.NodePhase
    busy = False
    for id_, planned in turn.plan.nodes.items():
        now = turn.state.node(id_)
        busy = (
            busy
            or now.phase == phase.WAITING
            or (bool(now.attempt) and not now.phase.is_terminal and id_ not in turn.plan.scopes)
        )
        if now.phase != phase.QUEUED or now.attempt:
            continue
        if planned.holder == ROOT:
            is_open = True
        else:
            holder = turn.state.node(planned.holder)
            case = planned.node.case
            is_open = holder.phase == phase.RUNNING and (
                holder.case == case.index if case else planned.holder in turn.plan.scopes
            )
        if is_open:
            assert any(turn.state.node(u).phase != phase.SUCCEEDED for u in planned.needs), (
                f"{id_} could begin, and does not"
            )
            dead = {phase.SKIPPED, phase.FAILED, phase.TIMED_OUT, phase.ABORTED}
            assert not any(turn.state.node(u).phase in dead for u in planned.needs), (
                f"{id_} waits for what will never be"
            )
    assert busy, "stuck: nothing left to wait for"


def nobody_is_asked_in_vain(turn: Turn) -> None:
    phase = turn.m.state.NodePhase
    if turn.state.phase.is_terminal:
        return
    for id_, now in turn.state.nodes.items():
        planned = turn.plan.nodes[id_]
        if now.phase == phase.SKIPPED and id_ in turn.plan.wanted and planned.holder == ROOT:
            unreached = any(turn.state.node(u).phase != phase.SUCCEEDED for u in planned.needs)
            assert unreached, f"{id_} was withdrawn although the result needs it"
        if now.phase != phase.WAITING or not isinstance(planned.node, GATES):
            continue
        if id_ in turn.plan.wanted or id_ in turn.plan.watchers or not planned.dependents:
            continue
        users = [turn.state.node(u).phase for u in planned.dependents]
        assert any(p != phase.SKIPPED for p in users), f"{id_} waits for an answer nobody needs"


def branches_take_one_case(turn: Turn) -> None:
    phase = turn.m.state.NodePhase
    for (holder, index), members in turn.plan.groups.items():
        if holder == ROOT or not isinstance(turn.plan.nodes[holder].node, BranchNode):
            continue
        now = turn.state.node(holder)
        if now.phase == phase.SUCCEEDED or (now.phase == phase.RUNNING and now.case != index):
            for member in members:
                ended = turn.state.node(member).phase
                want = (phase.SKIPPED,) if now.case != index else (phase.SUCCEEDED, phase.SKIPPED)
                assert ended in want, (
                    f"{member} in case {index} of {holder} (took {now.case}) is {ended!r}"
                )


def the_execution_says_what_its_nodes_say(turn: Turn) -> None:
    phase, state, plan = turn.m.state.NodePhase, turn.state, turn.plan
    execution = turn.m.state.ExecutionPhase
    bad = [i for i, n in state.nodes.items() if n.phase in (phase.FAILED, phase.TIMED_OUT)]
    if state.phase == execution.SUCCEEDED:
        for member in plan.groups[ROOT, 0]:
            assert state.node(member).phase in (phase.SUCCEEDED, phase.SKIPPED), (
                f"finished before {member} had"
            )
        assert turn.m.evaluate.outputs(plan, state).keys() == plan.scopes[ROOT].outputs.keys()
        assert not bad, f"succeeded although {bad} failed"
    elif state.phase == execution.FAILED:
        assert state.failure is not None, "failed without a reason"
        assert bad or state.failure.code == "BadPath", "failed, and no node did"
        assert state.failed == ROOT or state.nodes[state.failed].phase in (
            phase.FAILED,
            phase.TIMED_OUT,
        )
    elif not state.phase.is_terminal:
        live = [
            i
            for i, n in state.nodes.items()
            if n.attempt and not n.phase.is_terminal and i not in plan.scopes
        ]
        gates = [
            i
            for i, n in state.nodes.items()
            if n.phase == phase.WAITING and isinstance(plan.nodes[i].node, GATES)
        ]
        want = execution.WAITING if gates and not live else execution.RUNNING
        assert state.phase == want, f"{state.phase!r} with {live} live and {gates} open"
        for id_ in bad:
            scope = plan.nodes[id_].scope
            over = scope != ROOT and state.nodes[scope].phase.is_terminal
            assert over or plan.scopes[scope].finish_others, (
                f"{id_} failed, and {scope or 'the execution'} goes on"
            )
    for id_, now in state.nodes.items():
        if isinstance(plan.nodes[id_].node, SubNode) and now.phase == phase.SUCCEEDED:
            for member in plan.groups[id_, 0]:
                assert state.node(member).phase in (phase.SUCCEEDED, phase.SKIPPED), (
                    f"{id_} ended before {member}"
                )
