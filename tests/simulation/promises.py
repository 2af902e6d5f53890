"""
What must hold after every event: one function a promise, each with what it says when it is broken.

They look at the graph, the state before, the event, and the state after; they never ask the machine what it meant.
"""

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from tidegate.core.evaluate import outputs
from tidegate.core.messages import (
    Accepted,
    AnswerGiven,
    CancelTask,
    Denied,
    Event,
    GivenBack,
    Reply,
    Reuse,
    RunTask,
    TakenUp,
    TaskFailed,
    TaskUnfolded,
)
from tidegate.core.plan import ROOT, Planned
from tidegate.core.questions import digest_of, written
from tidegate.core.state import ExecutionPhase as Execution
from tidegate.core.state import NodePhase as Phase
from tidegate.ir.expr import Compare, Condition, Const, InputRef, NodeId, OutputRef
from tidegate.ir.graph import (
    ApproveNode,
    BranchNode,
    Defaults,
    Forever,
    Graph,
    InputNode,
    Otherwise,
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
    given_back: set[tuple[NodeId, int]] = field(default_factory=set)
    acked: dict[NodeId, Any] = field(default_factory=dict)
    givers: dict[NodeId, str] = field(default_factory=dict)
    replies: dict[tuple[str, str], tuple[NodeId, Any, Reply]] = field(default_factory=dict)
    nodes: dict[NodeId, Planned] = field(default_factory=dict)
    scopes: dict[NodeId, Graph] = field(default_factory=dict)
    inputs: dict[NodeId, dict[str, Any]] = field(default_factory=dict)
    gone: set[NodeId] = field(default_factory=set)
    kept_keys: dict[NodeId, str] = field(default_factory=dict)
    reuse: Reuse | None = None


@dataclass
class Turn:
    """One event and what it did."""

    event: Event
    before: dict[NodeId, Any]
    phase_before: Any
    plan: Any
    state: Any
    changes: list[Any]
    commands: list[Any]
    reply: Reply | None


def alike(a: Any, b: Any) -> bool:
    """Whether two answers are the same: to Python, 1 is True."""
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def check(turn: Turn, seen: Seen) -> None:
    """Hold every promise against one turn."""
    a_round_that_is_over_leaves_nothing_but_its_answers(turn, seen)
    terminal_phases_absorb(turn)
    nothing_begins_before_what_it_needs(turn)
    nothing_begins_below_a_failure(turn)
    a_change_of_hosts_repeats_what_ran_and_nothing_else(turn, seen)
    an_attempt_is_submitted_once(turn, seen)
    attempts_get_the_inputs_of_their_round(turn, seen)
    a_result_is_that_of_the_current_attempt(turn, seen)
    acknowledged_answers_stay(turn, seen)
    all_attempts_of_a_node_share_a_key(turn, seen)
    a_refusal_leaves_nothing(turn)
    gates_end_in_time(turn)
    waiting_has_a_way_out(turn)
    nothing_is_forgotten(turn)
    nobody_is_asked_for_nothing(turn)
    branches_take_one_case(turn)
    branches_take_the_case_that_holds(turn)
    the_execution_says_what_its_nodes_say(turn)
    if seen.reuse is not None:
        what_was_done_is_not_done_again(turn, seen.reuse)


def what_was_done_is_not_done_again(turn: Turn, reuse: Reuse) -> None:
    """In an execution that recovers another, results and answers are those of the other."""
    for command in turn.commands:
        known = command.node in reuse.outputs or command.node in reuse.graphs
        assert not known, f"{command.node} is run again"
    for id_, now in turn.state.nodes.items():
        if id_ in reuse.answers and now.phase not in (Phase.SKIPPED, Phase.ABORTED):
            assert now.phase == Phase.SUCCEEDED, f"{id_} is asked again"
            assert now.answer == reuse.answers[id_], f"the answer to {id_} became another"


def a_round_that_is_over_leaves_nothing_but_its_answers(turn: Turn, seen: Seen) -> None:
    """The next round begins when nothing but the call goes on, and no two rounds have an id in common."""
    over = turn.before.keys() - turn.state.nodes.keys()
    if over:
        assert isinstance(turn.event, TaskUnfolded), "nodes are gone, and no round has ended"
        for id_ in over - {turn.event.node}:
            held = any(seen.nodes[other].holder == id_ for other in over)
            old = turn.before[id_].phase
            assert old.is_terminal or held, f"{id_} was {old!r} when its round was over"
            assert old not in (Phase.FAILED, Phase.TIMED_OUT), f"that {id_} failed is forgotten"
        loop = turn.event.node
        while loop in over:
            loop = seen.nodes[loop].holder
        there = came_from(turn.before, seen, loop)
        assert there == turn.event.node, f"{loop} passes on {there}, and not {turn.event.node}"
        seen.inputs[loop] = seen.inputs[turn.event.node]
    seen.nodes |= turn.plan.nodes
    seen.scopes |= turn.plan.scopes
    seen.gone |= over
    met = seen.gone & (turn.plan.nodes.keys() | turn.state.nodes.keys())
    assert not met, f"{met} come again"
    for index in (turn.state.pending, turn.state.open):
        assert not seen.gone & index.keys(), "something of a round that is over is left"
    for id_ in seen.acked.keys() & seen.gone:
        past = turn.state.past[id_]
        giver = seen.givers[id_]
        again = past.reply(seen.acked[id_], giver)
        assert isinstance(again, Accepted), f"the answer to {id_} is lost"
        assert isinstance(past.reply("another", giver), Denied), f"{id_} takes another answer"
        assert past.reply(seen.acked[id_], "cid") == Denied("already_answered", past.at, giver)
    for id_ in turn.state.nodes:
        assert id_.count("~") <= 2 * (id_.count("/") + 1), f"{id_} grows with the rounds"


def came_from(before: dict[NodeId, Any], seen: Seen, node: NodeId) -> NodeId | None:
    """Return the node that the outputs of a task which has unfolded come from, as they are; if there is one."""
    scope = node
    exprs = [*seen.scopes[node].outputs.values()]
    while True:
        if len(exprs) != 1 or not isinstance(exprs[0], OutputRef) or exprs[0].path:
            return None
        prefix = next(
            id_ for id_, each in seen.nodes.items() if each.scope == scope and id_ in before
        )
        node = NodeId(f"{prefix.rpartition('/')[0]}/{exprs[0].node}")
        match seen.nodes[node].node:
            case BranchNode(cases=cases, otherwise=Otherwise(outputs=others)):
                case = before[node].case
                exprs = [*(cases[case].outputs if case < len(cases) else others).values()]
            case SubNode(graph=graph):
                scope, exprs = node, [*graph.outputs.values()]
            case _:
                return node


def attempts_get_the_inputs_of_their_round(turn: Turn, seen: Seen) -> None:
    """An input of the graph is that of the execution, of the task that has unfolded, or of the call that has brought this round."""
    for command in turn.commands:
        if not isinstance(command, RunTask):
            continue
        planned = turn.plan.nodes[command.node]
        seen.inputs[command.node] = command.inputs
        if planned.node.inputs["x"] != InputRef("x"):
            continue
        if planned.scope == ROOT:
            want = turn.state.inputs
        elif planned.scope in seen.inputs:
            want = seen.inputs[planned.scope]
        else:
            continue
        assert command.inputs["x"] == want["x"], f"{command.node} got what was meant for another"


def terminal_phases_absorb(turn: Turn) -> None:
    for id_, old in turn.before.items():
        if id_ not in turn.state.nodes:
            continue
        assert not old.phase.is_terminal or turn.state.nodes[id_] == old, (
            f"{id_} had ended and changed"
        )
    if turn.phase_before.is_terminal:
        assert turn.state.phase == turn.phase_before, "the execution had ended and changed"
        assert not turn.commands, "a command after the end"


def nothing_begins_before_what_it_needs(turn: Turn) -> None:
    for id_, now in turn.state.nodes.items():
        if now.phase in (Phase.SKIPPED, Phase.QUEUED) and not now.attempt:
            continue
        planned = turn.plan.nodes[id_]
        if now.phase == Phase.ABORTED and now.began is None and not now.attempt:
            continue
        for up in planned.needs:
            assert turn.state.node(up).phase == Phase.SUCCEEDED, (
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
    fresh = [
        id_
        for id_, now in turn.state.nodes.items()
        if (now.began is not None or now.attempt)
        and (old := turn.before.get(id_), old is None or (old.began is None and not old.attempt))[1]
        and now.phase not in (Phase.FAILED, Phase.ABORTED)
    ]
    for id_ in fresh:
        for up in everything_before(turn, id_):
            bad = turn.state.node(up).phase in (Phase.FAILED, Phase.TIMED_OUT)
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


def a_change_of_hosts_repeats_what_ran_and_nothing_else(turn: Turn, seen: Seen) -> None:
    """All that is live gets a number of its own, at once or by the next host, but what is known not to have begun; only a death counts as a loss."""
    if not isinstance(turn.event, TakenUp | GivenBack):
        return
    taken = isinstance(turn.event, TakenUp)
    run = {(each.node, each.attempt) for each in turn.commands if isinstance(each, RunTask)}
    live = set()
    for id_, old in turn.before.items():
        now = turn.state.nodes[id_]
        if not old.attempt or old.phase not in (Phase.QUEUED, Phase.RUNNING):
            hastened = replace(now, due=old.due) == old and (now.due or 0) <= (old.due or 0)
            assert hastened or now.phase in (Phase.ABORTED, Phase.SKIPPED), f"{id_} was not live"
            continue
        if id_ in turn.plan.scopes or now.phase.is_terminal:
            continue
        lost = taken and old.phase == Phase.RUNNING
        if old.phase == Phase.QUEUED and unbegun(turn).get(id_) == old.attempt:
            assert now == old, f"{id_} had not begun, and is not as it was"
        elif taken or old.phase == Phase.RUNNING:
            assert now.phase == Phase.QUEUED, f"{id_} ran, and is not repeated"
            assert now.attempt == old.attempt + 1, f"{id_} is repeated under an old number"
            assert now.lost == old.lost + lost, f"{id_}: a loss too many, or too few"
            assert now.reissued == old.reissued + (not lost), f"{id_} uses up a retry"
        else:
            assert now == old, f"{id_} was queued, and is not left alone"
        if taken:
            live.add((id_, now.attempt))
        elif now != old:
            assert CancelTask(id_, old.attempt) in turn.commands, f"{id_} runs on"
            seen.given_back.add((id_, now.attempt))
    assert run >= live if taken else not run, "submitted too much, or too little"


def unbegun(turn: Turn) -> dict[NodeId, int]:
    return turn.event.unbegun if isinstance(turn.event, TakenUp) else {}


def an_attempt_is_submitted_once(turn: Turn, seen: Seen) -> None:
    again = unbegun(turn).items()
    for command in turn.commands:
        place = (command.node, command.attempt)
        match command:
            case RunTask():
                assert place not in seen.runs or place in again, f"{place} submitted twice"
                assert turn.state.nodes[command.node].attempt == command.attempt
                seen.runs.add(place)
            case CancelTask():
                assert place in seen.runs, f"{place} cancelled, and never submitted"
                seen.cancelled.add(place)
            case _:
                raise AssertionError(f"{command} is not a command")
    for id_, now in turn.state.nodes.items():
        task = turn.plan.nodes[id_].node
        if isinstance(task, TaskNode):
            used = now.attempt - now.lost - now.reissued
            assert used <= task.retry.retries + 1, f"{id_}: one retry too many"
            if now.failure is not None and now.failure.code == "BadPath":
                continue  # an input had no value, so there was nothing to submit
            for attempt in range(1, now.attempt + 1):
                known = (id_, attempt) in seen.runs or (id_, attempt) in seen.given_back
                assert known, f"{id_}#{attempt} was never submitted"
    if isinstance(turn.event, TaskFailed) and turn.event.failure.retryable:
        id_, now = turn.event.node, turn.state.node(turn.event.node)
        task = turn.plan.nodes[id_].node if id_ in turn.plan.nodes else None
        if (
            isinstance(task, TaskNode)
            and now.phase.name in ("FAILED", "TIMED_OUT")
            and turn.before.get(id_) != now
        ):
            used = now.attempt - now.lost - now.reissued
            assert used == task.retry.retries + 1, f"{id_}: one retry too few"
    if turn.state.phase.is_terminal and not turn.phase_before.is_terminal:
        for id_, old in turn.before.items():
            live = old.attempt and old.phase in (
                Phase.QUEUED,
                Phase.RUNNING,
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
        key = (event.who, event.key)
        old = seen.replies.get(key) if event.key else None
        if old is not None:
            node, value, first = old
            again = node == event.node and alike(value, event.value)
            assert reply == (first if again else Denied("key_reused")), "a key means another answer"
        elif event.key and isinstance(reply, Accepted) and not turn.phase_before.is_terminal:
            seen.replies[key] = (event.node, event.value, reply)
        if old is None:
            assert getattr(reply, "code", "") != "key_reused", "a key that nobody used is refused"
        if isinstance(reply, Accepted):
            kept = seen.acked.setdefault(event.node, event.value)
            giver = seen.givers.setdefault(event.node, event.who)
            same = alike(kept, event.value) and giver == event.who
            assert same, f"two answers to {event.node} were accepted"
            if old is None:
                what_was_shown_is_what_was_answered(turn, event)
    for id_, value in seen.acked.items():
        if id_ in seen.gone:
            continue
        answer = turn.state.node(id_).answer or (seen.reuse and seen.reuse.answers.get(id_))
        assert answer is not None, f"the accepted answer to {id_} is lost"
        assert alike(answer.value, value), f"the accepted answer to {id_} became another"


def what_was_shown_is_what_was_answered(turn: Turn, event: AnswerGiven) -> None:
    """Digests of two gates are never the same, so one of another gate is never accepted; and the record says what was shown."""
    planned = turn.plan.nodes.get(event.node)
    if planned is None:
        return  # a round that is over
    if event.shown:
        there = written(digest_of(turn.plan, turn.state, planned))
        assert event.shown == there, f"{event.node} was not what was shown"
    before, now = turn.before.get(event.node), turn.state.node(event.node).answer
    if now is not None and (before is None or before.answer is None):
        assert now.shown == event.shown, "what was shown is not recorded"


def all_attempts_of_a_node_share_a_key(turn: Turn, seen: Seen) -> None:
    """The key that a node keeps of the execution that is recovered is one that this had for it, and the same for all attempts."""
    for command in turn.commands:
        if isinstance(command, RunTask):
            kept = seen.kept_keys.setdefault(command.node, command.kept_key)
            assert command.kept_key == kept, f"{command.node} has another key"
            there = seen.reuse.keys.get(command.node) if seen.reuse else None
            assert not kept or (there is not None and kept == there.key), f"{command.node}: {kept}"


def a_refusal_leaves_nothing(turn: Turn) -> None:
    if not isinstance(turn.reply, Denied):
        return
    old = turn.before.get(turn.event.node) if isinstance(turn.event, AnswerGiven) else None
    was_due = old is not None and old.due is not None and turn.event.at >= old.due
    if not (was_due and turn.reply.code == "timed_out"):
        assert not turn.changes, f"refused with {turn.reply.code}, and something is stored"
    assert not any(hasattr(change, "key") for change in turn.changes), "a refusal keeps its key"


def gates_end_in_time(turn: Turn) -> None:
    for id_, now in turn.state.nodes.items():
        node, old = turn.plan.nodes[id_].node, turn.before.get(id_)
        if isinstance(node, ApproveNode) and now.phase == Phase.SUCCEEDED:
            assert now.answer.value is True, f"{id_}: a no was taken for a yes"
        if not isinstance(node, GATES) or not now.phase.is_terminal or old is None or old == now:
            continue
        at = turn.event.at
        if isinstance(node, SleepNode) and now.phase == Phase.SUCCEEDED:
            assert at >= old.due, f"{id_} woke early"
        by_timeout = now.answer is not None and now.answer.by_timeout
        if isinstance(getattr(node, "patience", None), Defaults):
            assert now.phase != Phase.TIMED_OUT, f"{id_} has a default, and does not take it"
            assert not by_timeout or now.answer.value == node.patience.value, f"{id_} took another"
        if now.phase == Phase.TIMED_OUT or by_timeout:
            assert old.due is not None, f"{id_} timed out and had no timeout"
            assert at >= old.due, f"{id_} timed out early"
        elif (
            now.answer is not None
            and not now.answer.early
            and now.phase in (Phase.SUCCEEDED, Phase.FAILED)
        ):
            assert old.due is None or at < old.due, f"{id_} was answered after its timeout"
        if (
            isinstance(node, ApproveNode)
            and now.answer is not None
            and now.answer.value is not True
        ):
            assert now.phase == Phase.FAILED, f"{id_}: a no was ignored"


def waiting_has_a_way_out(turn: Turn) -> None:
    for id_, now in turn.state.nodes.items():
        node = turn.plan.nodes[id_].node
        if now.phase == Phase.WAITING:
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
    busy = False
    for id_, planned in turn.plan.nodes.items():
        now = turn.state.node(id_)
        busy = (
            busy
            or now.phase == Phase.WAITING
            or (bool(now.attempt) and not now.phase.is_terminal and id_ not in turn.plan.scopes)
        )
        if now.phase != Phase.QUEUED or now.attempt:
            continue
        if planned.holder == ROOT:
            is_open = True
        else:
            holder = turn.state.node(planned.holder)
            case = planned.node.case
            is_open = holder.phase == Phase.RUNNING and (
                holder.case == case.index if case else planned.holder in turn.plan.scopes
            )
        if is_open:
            assert any(turn.state.node(u).phase != Phase.SUCCEEDED for u in planned.needs), (
                f"{id_} could begin, and does not"
            )
            dead = {Phase.SKIPPED, Phase.FAILED, Phase.TIMED_OUT, Phase.ABORTED}
            assert not any(turn.state.node(u).phase in dead for u in planned.needs), (
                f"{id_} waits for what will never be"
            )
    assert busy, "stuck: nothing left to wait for"


def nobody_is_asked_for_nothing(turn: Turn) -> None:
    if turn.state.phase.is_terminal:
        return
    for id_, now in turn.state.nodes.items():
        planned = turn.plan.nodes[id_]
        needed = id_ in turn.plan.wanted or any(
            still_undecided(turn, *watcher) for watcher in turn.plan.watchers.get(id_, ())
        )
        if now.phase == Phase.SKIPPED and needed and planned.holder == ROOT:
            unreached = any(turn.state.node(u).phase != Phase.SUCCEEDED for u in planned.needs)
            assert unreached, f"{id_} was withdrawn although somebody needs it"
        if now.phase != Phase.WAITING or not isinstance(planned.node, GATES):
            continue
        if id_ in turn.plan.wanted or not planned.dependents:
            continue
        if any(still_undecided(turn, *watcher) for watcher in turn.plan.watchers.get(id_, ())):
            continue
        users = [turn.state.node(u).phase for u in planned.dependents]
        assert any(p != Phase.SKIPPED for p in users), f"{id_} waits for an answer nobody needs"


def still_undecided(turn: Turn, branch: NodeId, case: int) -> bool:
    """Whether a branch has taken a case, or may still take it."""
    now = turn.state.node(branch)
    return now.phase != Phase.SKIPPED and now.case in (None, case)


def branches_take_the_case_that_holds(turn: Turn) -> None:
    """Of branches that ask a gate only whether it is this or that."""
    for id_, now in turn.state.nodes.items():
        planned = turn.plan.nodes[id_]
        if now.case is None or not isinstance(planned.node, BranchNode):
            continue
        held = [asked(turn, planned, when.condition) for when in planned.node.cases]
        if None not in held:
            want = held.index(True) if True in held else len(held)
            assert now.case == want, f"{id_} took case {now.case}, not {want}"


def asked(turn: Turn, planned: Planned, condition: Condition) -> bool | None:
    """Return whether the answer to a gate is a constant, if that is what a condition asks."""
    match condition:
        case Compare("==", OutputRef(node, path=()), Const(value)):
            gate = turn.state.node(turn.plan.absolute(planned.scope, node))
            return None if gate.answer is None else alike(gate.answer.value, value)
        case _:
            return None


def branches_take_one_case(turn: Turn) -> None:
    for (holder, index), members in turn.plan.groups.items():
        if holder == ROOT or not isinstance(turn.plan.nodes[holder].node, BranchNode):
            continue
        now = turn.state.node(holder)
        if now.phase == Phase.SUCCEEDED or (now.phase == Phase.RUNNING and now.case != index):
            for member in members:
                ended = turn.state.node(member).phase
                want = (Phase.SKIPPED,) if now.case != index else (Phase.SUCCEEDED, Phase.SKIPPED)
                assert ended in want, (
                    f"{member} in case {index} of {holder} (took {now.case}) is {ended!r}"
                )


def the_execution_says_what_its_nodes_say(turn: Turn) -> None:
    state, plan = turn.state, turn.plan
    bad = [i for i, n in state.nodes.items() if n.phase in (Phase.FAILED, Phase.TIMED_OUT)]
    if state.phase == Execution.SUCCEEDED:
        for member in plan.groups[ROOT, 0]:
            assert state.node(member).phase in (Phase.SUCCEEDED, Phase.SKIPPED), (
                f"finished before {member} had"
            )
        assert outputs(plan, state).keys() == plan.scopes[ROOT].outputs.keys()
        assert not bad, f"succeeded although {bad} failed"
    elif state.phase == Execution.FAILED:
        assert state.failure is not None, "failed without a reason"
        assert bad or state.failure.code == "BadPath", "failed, and no node did"
        assert state.failed == ROOT or state.nodes[state.failed].phase in (
            Phase.FAILED,
            Phase.TIMED_OUT,
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
            if n.phase == Phase.WAITING and isinstance(plan.nodes[i].node, GATES)
        ]
        want = Execution.WAITING if gates and not live else Execution.RUNNING
        assert state.phase == want, f"{state.phase!r} with {live} live and {gates} open"
        for id_ in bad:
            scope = plan.nodes[id_].scope
            over = scope != ROOT and state.nodes[scope].phase.is_terminal
            assert over or plan.scopes[scope].finish_others, (
                f"{id_} failed, and {scope or 'the execution'} goes on"
            )
    for id_, now in state.nodes.items():
        if isinstance(plan.nodes[id_].node, SubNode) and now.phase == Phase.SUCCEEDED:
            for member in plan.groups[id_, 0]:
                assert state.node(member).phase in (Phase.SUCCEEDED, Phase.SKIPPED), (
                    f"{id_} ended before {member}"
                )
