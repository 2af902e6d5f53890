"""
The bugs that are planted in the machine: each is what a careless author might have written in the place of one function.

`real` is the function that stands there. Most bugs call it, with something changed before or after.
"""

import copy
from typing import Any

from msgspec.structs import replace

from tidegate.core import state as states
from tidegate.core.messages import Accepted, AnswerRecord, CancelTask, Denied, final
from tidegate.core.plan import ROOT
from tidegate.core.state import NodeChanged
from tidegate.core.state import NodePhase as Phase
from tidegate.ir.graph import (
    ApproveNode,
    BranchNode,
    Defaults,
    Expires,
    InputNode,
    Instant,
    Micros,
    SleepNode,
    SubNode,
)

from .machine import Sabotage
from .world import MINUTE

GATES = (SleepNode, InputNode, ApproveNode)


def nothing(_: Any) -> Any:
    """Do nothing at all."""
    return lambda *_: None


# ---- attempts ----


def any_attempt(real: Any) -> Any:
    def current(draft: Any, event: Any) -> Any:
        attempt = draft.node(event.node).attempt
        return real(draft, replace(event, attempt=attempt)) if attempt else None

    return current


def after_the_end(_: Any) -> Any:
    def current(draft: Any, event: Any) -> Any:
        now = draft.node(event.node)
        live = now.attempt == event.attempt > 0 and event.node not in draft.plan.scopes
        return now if live else None

    return current


def keeps_its_number(real: Any) -> Any:
    def submit(flow: Any, node: Any, now: Any) -> None:
        again = now.failure is not None and now.attempt > 1
        real(flow, node, replace(now, attempt=now.attempt - again))

    return submit


def is_not_repeated(_: Any) -> Any:
    def lost(flow: Any, node: Any, now: Any) -> None:
        flow.draft.put(node, replace(now, phase=Phase.QUEUED, lost=now.lost + 1))

    return lost


def only(*phases: Phase) -> Any:
    def make(real: Any) -> Any:
        return lambda draft: [node for node in real(draft) if draft.node(node).phase in phases]

    return make


def cancels_nothing(real: Any) -> Any:
    def run(flow: Any, *more: Any) -> None:
        real(flow, *more)
        flow.commands[:] = [each for each in flow.commands if not isinstance(each, CancelTask)]

    return run


def submits_it_again(real: Any) -> Any:
    def give_back(flow: Any) -> None:
        real(flow)
        for node, now in flow.draft.nodes.items():
            flow.commands.append(flow.run_task(node, now.attempt))

    return give_back


# ---- time ----


def early(real: Any) -> Any:
    return lambda flow, node, at: real(flow, node, Instant(at + 10 * MINUTE))


def leaves_its_timer(real: Any) -> Any:
    def put(draft: Any, node: Any, now: Any) -> None:
        slept = isinstance(draft.plan.nodes[node].node, SleepNode)
        due = draft.node(node).due if slept and now.phase is Phase.SUCCEEDED else now.due
        real(draft, node, replace(now, due=due))

    return put


def sleeps_too_short(real: Any) -> Any:
    def put(draft: Any, node: Any, now: Any) -> None:
        sleeps = isinstance(draft.plan.nodes[node].node, SleepNode) and now.due is not None
        real(draft, node, replace(now, due=now.due - MINUTE) if sleeps else now)

    return put


def waits_too_short(real: Any) -> Any:
    def open_gate(flow: Any, node: Any, patience: Any) -> None:
        if isinstance(patience, Expires | Defaults):
            patience = replace(patience, timeout=Micros(patience.timeout // 2))
        real(flow, node, patience)

    return open_gate


def always_times_out(_: Any) -> Any:
    def expire(flow: Any, node: Any) -> None:
        now = flow.draft.node(node)
        flow.fail(node, now, final("TimeoutExpired", ""), Phase.TIMED_OUT)

    return expire


def not_yet(when: Any) -> Any:
    """Decide an answer that comes too late as if it had come in time."""

    def make(real: Any) -> Any:
        def decide(flow: Any, event: Any) -> Any:
            due = flow.draft.node(event.node).due
            late = due is not None and when(event.at, due)
            return real(flow, replace(event, at=Instant(due - 1)) if late else event)

        return decide

    return make


# ---- answers ----


def second_wins(real: Any) -> Any:
    def settled(old: Any, now: Any, event: Any) -> Any:
        return None if now.phase is Phase.QUEUED else real(old, now, event)

    return settled


def early_is_lost(real: Any) -> Any:
    def put(draft: Any, node: Any, now: Any) -> None:
        if now.phase is not Phase.QUEUED or now.answer is None:
            real(draft, node, now)

    return put


def early_is_not_used(real: Any) -> Any:
    def begin(flow: Any, node: Any) -> None:
        now = flow.draft.node(node)
        if now.answer is not None:
            flow.draft.nodes[node] = replace(now, answer=None)
        real(flow, node)

    return begin


def no_is_yes(real: Any) -> Any:
    def answer(flow: Any, node: Any, given: Any) -> None:
        approves = isinstance(flow.draft.plan.nodes[node].node, ApproveNode)
        real(flow, node, replace(given, value=True) if approves else given)

    return answer


def without_key(real: Any) -> Any:
    def answered(flow: Any, event: Any) -> Any:
        reply = real(flow, replace(event, key=""))
        if event.key and isinstance(reply, Accepted):
            flow.draft.bind_key(event.who, event.key, event.node, reply)
        return reply

    return answered


def anybodys_key(real: Any) -> Any:
    """Take a key of somebody else for one's own."""

    def answered(flow: Any, event: Any) -> Any:
        others = [who for who, key in flow.draft.base.keys if key == event.key and event.key]
        return real(flow, replace(event, who=others[0]) if others else event)

    return answered


def anybodys_answer(real: Any) -> Any:
    """Tell two people that theirs was taken."""

    def settled(old: Any, now: Any, event: Any) -> Any:
        return real(old, now, event if old is None else replace(event, who=old.who))

    return settled


def any_value(_: Any) -> Any:
    """Look at the key and not at what is asked for under it."""
    return lambda draft, event: True


def shown_or_not(real: Any) -> Any:
    def decide(flow: Any, event: Any) -> Any:
        return real(flow, replace(event, shown=""))

    return decide


def not_compared(_: Any) -> Any:
    return lambda shown, digest: ()


def without_key_after_the_end(real: Any) -> Any:
    def answered(flow: Any, event: Any) -> Any:
        over = flow.draft.phase.is_terminal
        return real(flow, replace(event, key="") if over else event)

    return answered


def binds(when: Any) -> Any:
    """Bind a key where none should be."""

    def make(real: Any) -> Any:
        def answered(flow: Any, event: Any) -> Any:
            over = flow.draft.base.phase.is_terminal
            reply = real(flow, event)
            if event.key and when(reply, over):
                flow.draft.bind_key(event.who, event.key, event.node, reply)
            return reply

        return answered

    return make


def another_gate(real: Any) -> Any:
    def decide(flow: Any, event: Any) -> Any:
        gates = flow.draft.plan.gates.values()
        return real(flow, replace(event, node=min(gates, default=event.node)))

    return decide


def approved_unborn(real: Any) -> Any:
    def decide(flow: Any, event: Any) -> Any:
        reply = real(flow, event)
        if reply == Denied("not_waiting_yet"):
            answer = AnswerRecord(event.value, event.at, event.who, event.via, early=True)
            now = flow.draft.node(event.node)
            flow.draft.put(event.node, replace(now, answer=answer))
            return Accepted(event.at, event.who, early=True)
        return reply

    return decide


def python_equal(_: Any) -> Any:
    return lambda a, b: a == b


# ---- what leads to what ----


def any_need(real: Any) -> Any:
    def one_need_less(draft: Any, node: Any) -> None:
        real(draft, node)
        if draft.pending[node] == 1:
            draft.ready.append(node)

    return one_need_less


def one_is_enough(real: Any) -> Any:
    def one_held_less(draft: Any, holder: Any) -> None:
        real(draft, holder)
        if draft.open[holder] == 1:
            draft.empty.append(holder)

    return one_held_less


def withdraws(undecided: bool, wanted: bool) -> Any:
    """Withdraw a gate although a branch that may still need it is undecided, or although an output of the graph is it."""

    def make(_: Any) -> Any:
        def withdraw(flow: Any, node: Any) -> None:
            draft, plan = flow.draft, flow.draft.plan
            planned = plan.nodes[node]
            if not isinstance(planned.node, GATES) or draft.node(node).phase >= Phase.SUCCEEDED:
                return
            if node in plan.wanted and not wanted:
                return
            if any(draft.node(each).phase is not Phase.SKIPPED for each in planned.dependents):
                return
            for branch, index in plan.watchers.get(node, ()):
                now = draft.node(branch)
                taken = (index,) if undecided else (None, index)
                if now.phase is not Phase.SKIPPED and now.case in taken:
                    return
            flow.skip(node)

        return withdraw

    return make


def spares_the_case(_: Any) -> Any:
    def pass_over(flow: Any, branch: Any, index: Any) -> None:
        for outside in flow.draft.plan.outside.get((branch, index), ()):
            flow._withdraw(outside)

    return pass_over


def skips_one(_: Any) -> Any:
    def skip(flow: Any, node: Any) -> None:
        now = flow.draft.node(node)
        if now.phase < Phase.SUCCEEDED:
            ended = flow.draft.at
            flow.draft.put(node, replace(now, phase=Phase.SKIPPED, ended=ended, due=None))

    return skip


def spares_open_gates(real: Any) -> Any:
    def begun(draft: Any, scope: Any) -> Any:
        return [node for node in real(draft, scope) if draft.node(node).phase is not Phase.WAITING]

    return begun


def begins_below_a_failure(real: Any) -> Any:
    def begin(flow: Any, node: Any) -> None:
        draft = flow.draft
        holder = draft.plan.nodes[node].holder
        known = draft.node(holder)
        if known.phase is Phase.FAILED:
            draft.nodes[holder] = replace(known, phase=Phase.RUNNING)
        real(flow, node)
        if known.phase is Phase.FAILED:
            draft.nodes[holder] = known

    return begin


def wrong_scope(real: Any) -> Any:
    def passed_on(plan: Any, now: Any, node: Any, output: Any) -> Any:
        scope, expr = real(plan, now, node, output)
        planned = plan.nodes[node]
        return (planned.scope if isinstance(planned.node, SubNode) else scope), expr

    return passed_on


def all_cases(real: Any) -> Any:
    def open_group(draft: Any, holder: Any, case: Any = 0) -> None:
        planned = draft.plan.nodes.get(holder)
        if planned is not None and isinstance(planned.node, BranchNode):
            for each in range(3):
                real(draft, holder, each)
        else:
            real(draft, holder, case)

    return open_group


def failure_stays_inside(real: Any) -> Any:
    def fail(flow: Any, node: Any, now: Any, failure: Any, phase: Any = Phase.FAILED) -> None:
        draft = flow.draft
        scope = draft.plan.nodes[node].scope
        if scope == ROOT or draft.plan.scopes[scope].finish_others:
            real(flow, node, now, failure, phase)
            return
        began = draft.at if now.began is None else now.began
        draft.put(
            node,
            replace(now, phase=phase, began=began, ended=draft.at, due=None, failure=failure),
        )
        flow.abort_begun(scope)
        if draft.node(scope).phase < Phase.SUCCEEDED:
            draft.put(scope, replace(draft.node(scope), phase=Phase.SUCCEEDED, ended=draft.at))

    return fail


def hides_what_was_before(_: Any) -> Any:
    def failed_in(flow: Any, holder: Any) -> Any:
        draft = flow.draft
        group = draft.plan.groups.get((holder, draft.node(holder).case or 0), ())
        bad = (Phase.FAILED, Phase.TIMED_OUT)
        return next((each for each in group if draft.node(each).phase in bad), None)

    return failed_in


def ends_what_has_ended(_: Any) -> Any:
    def abort(flow: Any, event: Any) -> Any:
        flow.abort_begun(ROOT)
        flow.draft.set_phase(states.ExecutionPhase.ABORTED, final("Aborted", ""))
        return Accepted(event.at, event.who)

    return abort


def writes_through(real: Any) -> Any:
    def put(draft: Any, node: Any, now: Any) -> None:
        real(draft, node, now)
        draft.base.nodes[node] = now

    return put


# ---- history ----


def forgets(kind: type) -> Any:
    def make(real: Any) -> Any:
        return lambda draft, change, event: (
            None if isinstance(change, kind) else real(draft, change, event)
        )

    return make


def forgets_timers(real: Any) -> Any:
    def to_bytes(event: Any, changes: Any) -> Any:
        return real(
            event,
            [
                replace(each, state=replace(each.state, due=None))
                if isinstance(each, NodeChanged)
                else each
                for each in changes
            ],
        )

    return to_bytes


# ---- recovery ----


def two_successors(_: Any) -> Any:
    def requested(draft: Any, event: Any) -> Any:
        draft.name_successor(event.successor)
        return Accepted(event.at, event.who)

    return requested


def takes_over_no(part: str) -> Any:
    def make(real: Any) -> Any:
        return lambda flow, node, reuse: real(flow, node, replace(reuse, **{part: {}}))

    return make


def reuses(change: Any) -> Any:
    """Change what a recovery takes along."""

    def make(real: Any) -> Any:
        def reusable(plan: Any, state: Any, origin: Any) -> Any:
            return change(real, plan, state, origin)

        return reusable

    return make


def sleeps_again(real: Any, plan: Any, state: Any, origin: Any) -> Any:
    reuse = real(plan, state, origin)
    return replace(reuse, outputs={id_: each for id_, each in reuse.outputs.items() if each})


def forgets_unused(real: Any, plan: Any, state: Any, origin: Any) -> Any:
    reuse = real(plan, state, origin)
    used = {
        id_: each for id_, each in reuse.answers.items() if state.node(id_).phase is Phase.SUCCEEDED
    }
    return replace(reuse, answers=used)


def takes_a_no_along(real: Any, plan: Any, state: Any, origin: Any) -> Any:
    reuse = real(plan, state, origin)
    told = {id_: now.answer for id_, now in state.nodes.items() if now.answer is not None}
    return replace(reuse, answers={**reuse.answers, **told})


def begins_again(real: Any, plan: Any, state: Any, origin: Any) -> Any:
    fresh = copy.copy(state)
    fresh.reuse = None
    return real(plan, fresh, origin)


def unfolds_again(real: Any, plan: Any, state: Any, origin: Any) -> Any:
    return replace(real(plan, state, origin), graphs={})


def first_round_again(real: Any, plan: Any, state: Any, origin: Any) -> Any:
    return replace(real(plan, state, origin), rounds={})


# ---- rounds of a loop ----


def one_path_for_all(_: Any) -> Any:
    return lambda plan, scope: scope


def goes_on_beside_others(_: Any) -> Any:
    return lambda draft, holder: 1


def forgets_failures(real: Any) -> Any:
    """Let go of a round in which something has failed while the others went on."""

    def loop_of(flow: Any, node: Any) -> Any:
        whole = type(flow).failed_in
        type(flow).failed_in = lambda *_: None
        try:
            return real(flow, node)
        finally:
            type(flow).failed_in = whole

    return loop_of


def looks_from_outside(real: Any) -> Any:
    def given(plan: Any, scope: Any, name: Any) -> Any:
        rounds = plan.rounds
        plan.rounds = {}
        try:
            return real(plan, scope, name)
        finally:
            plan.rounds = rounds

    return given


def any_call(real: Any) -> Any:
    """Take a round for over although something is still made of what the call returns."""
    return lambda exprs, inner, known: known


def counts_the_call(real: Any) -> Any:
    def unfold(draft: Any, node: Any, graph: Any, now: Any = None) -> None:
        live = draft.live
        real(draft, node, graph, now)
        draft.live = live

    return unfold


def forgets_the_past(real: Any) -> Any:
    return lambda name, answer, ended: real(name, None, ended)


def same_digest(_: Any) -> Any:
    return lambda value: b"digest"


def in_place_of_all(real: Any) -> Any:
    """Let a plan grow that all executions share."""

    def settled(plan: Any) -> Any:
        plan._below.is_shared = False
        return real(plan)

    return settled


def leaves_its_nodes(real: Any) -> Any:
    def forget(draft: Any, planned: Any) -> None:
        now = draft.node(planned.id)
        real(draft, planned)
        draft.base.nodes[planned.id] = now

    return forget


SABOTEURS = [
    Sabotage("a stale attempt is accepted", "attempts.current", any_attempt),
    Sabotage("a result is taken after the end", "attempts.current", after_the_end),
    Sabotage("one retry too many", "attempts.retries_used", lambda real: lambda now: real(now) - 1),
    Sabotage("a lost attempt uses up a retry", "attempts.retries_used", lambda real: lambda now: real(now) + now.lost),
    Sabotage("a failed attempt that may be retried is not", "attempts.retries_used", lambda _: lambda now: 99),
    Sabotage("a retry keeps its number", "advance.Flow.submit", keeps_its_number),
    Sabotage("a lost attempt is not repeated", "attempts._lost", is_not_repeated),
    Sabotage("what ran is not found at a restart", "attempts._live", only(Phase.QUEUED)),
    Sabotage("what was submitted is not submitted again at a restart", "attempts._live", only(Phase.RUNNING)),
    Sabotage("what is submitted again keeps its number", "attempts.reissue", lambda _: lambda now: replace(now, phase=Phase.QUEUED)),
    Sabotage("what has not begun gets another number", "attempts.take_up", lambda real: lambda flow, _: real(flow, {})),
    Sabotage("what has not begun is not submitted", "attempts.take_up", lambda real: lambda flow, _: real(flow, {}) or flow.commands.clear()),
    Sabotage("what may have begun keeps its number", "attempts.take_up", lambda real: lambda flow, _: real(flow, {id_: now.attempt for id_, now in flow.draft.base.nodes.items()})),
    Sabotage("what is given back uses up a retry", "attempts.retries_used", lambda real: lambda now: real(now) + now.reissued),
    Sabotage("what is given back counts as lost", "attempts.reissue", lambda _: lambda now: replace(now, phase=Phase.QUEUED, attempt=now.attempt + 1, lost=now.lost + 1)),
    Sabotage("what is given back runs on", "attempts.give_back", cancels_nothing),
    Sabotage("what is given back is submitted", "attempts.give_back", submits_it_again),
    Sabotage("a timer fires early", "step._timer_fired", early),
    Sabotage("a timer is left behind", "draft.Draft.put", leaves_its_timer),
    Sabotage("a timeout is set too short", "advance.Flow._open_gate", waits_too_short),
    Sabotage("a sleep is too short", "draft.Draft.put", sleeps_too_short),
    Sabotage("the timeout is not looked at when an answer comes", "signals._decide", not_yet(lambda at, due: at >= due)),
    Sabotage("the last instant is too late", "signals._decide", not_yet(lambda at, due: at == due)),
    Sabotage("the answer of the timeout is not taken", "advance.Flow.expire", always_times_out),
    Sabotage("the second answer wins", "signals._settled", second_wins),
    Sabotage("an early answer is lost", "draft.Draft.put", early_is_lost),
    Sabotage("an early answer is not used", "advance.Flow._begin", early_is_not_used),
    Sabotage("a no is a yes", "advance.Flow.answer", no_is_yes),
    Sabotage("True is 1", "evaluate.same", python_equal),
    Sabotage("keys are forgotten", "draft.Draft.bind_key", nothing),
    Sabotage("a key is not looked at", "signals.answered", without_key),
    Sabotage("a key is everybody's", "signals.answered", anybodys_key),
    Sabotage("a key is of any value", "signals._is_told", any_value),
    Sabotage("the same answer is everybody's", "signals._settled", anybodys_answer),
    Sabotage("what was shown is not looked at", "signals._decide", shown_or_not),
    Sabotage("what was shown is not compared", "signals.differences", not_compared),
    Sabotage("a key is not looked at after the end", "signals.answered", without_key_after_the_end),
    Sabotage("a refusal keeps its key", "signals.answered", binds(lambda reply, over: isinstance(reply, Denied))),
    Sabotage("a key is kept after the end", "signals.answered", binds(lambda reply, over: isinstance(reply, Accepted) and over)),
    Sabotage("an answer goes to another gate", "signals._decide", another_gate),
    Sabotage("a gate that cannot open can be answered", "signals._can_open", lambda _: lambda draft, node: True),
    Sabotage("an approval is given before there is anything to approve", "signals._decide", approved_unborn),
    Sabotage("a node begins when any need is met", "draft.Draft._one_need_less", any_need),
    Sabotage("dependents are not counted down", "draft.Draft._one_need_less", nothing),
    Sabotage("a holder ends too early", "draft.Draft._one_held_less", one_is_enough),
    Sabotage("gates are not withdrawn", "advance.Flow._withdraw", nothing),
    Sabotage("needed gates are withdrawn", "advance.Flow._withdraw", withdraws(undecided=False, wanted=True)),
    Sabotage("a gate is withdrawn while another branch that needs it is undecided", "advance.Flow._withdraw", withdraws(undecided=True, wanted=False)),
    Sabotage("the case not taken is not skipped", "advance.Flow._pass_over", spares_the_case),
    Sabotage("skipping stops at the first node", "advance.Flow._skip", skips_one),
    Sabotage("abort leaves attempts running", "advance.Flow.abort_begun", cancels_nothing),
    Sabotage("abort spares open gates", "draft.Draft.begun", spares_open_gates),
    Sabotage("a failure goes unnoticed by others", "advance.Flow.abort_begun", nothing),
    Sabotage("a failed scope still begins nodes", "advance.Flow._begin", begins_below_a_failure),
    Sabotage("a failure inside does not reach what holds it", "advance.Flow.fail", failure_stays_inside),
    Sabotage("a branch hides the failure before it", "advance.Flow.failed_in", hides_what_was_before),
    Sabotage("the outputs of another scope", "evaluate._passed_on", wrong_scope),
    Sabotage("both cases are taken", "draft.Draft.open_group", all_cases),
    Sabotage("an ended execution is aborted", "step._abort_requested", ends_what_has_ended),
    Sabotage("step writes into the state", "draft.Draft.put", writes_through),
    Sabotage("what has unfolded is lost at a restart", "draft.Draft.repeat", forgets(states.NodeUnfolded)),
    Sabotage("keys are lost at a restart", "draft.Draft.repeat", forgets(states.KeyBound)),
    Sabotage("timers are lost at a restart", "history.to_bytes", forgets_timers),
    Sabotage("history forgets the outputs", "history.to_bytes", lambda real: lambda event, changes: real(event, changes[:1])),
    Sabotage("a recovered task is run again", "advance.Flow._take_over", takes_over_no("outputs")),
    Sabotage("a recovered answer may be given again", "draft.Draft.answer_to", lambda _: lambda draft, node, now: now.answer),
    Sabotage("an execution has two successors", "step.recovery_requested", two_successors),
    Sabotage("the successor is lost at a restart", "draft.Draft.repeat", forgets(states.SuccessorNamed)),
    Sabotage("an approval outlives an abort", "recovery._approves", lambda _: lambda *_: False),
    Sabotage("an answer is given again after an abort", "recovery._approves", lambda _: lambda *_: True),
    Sabotage("a recovered loop begins again", "advance.Flow._take_over", takes_over_no("rounds")),
    Sabotage("a sleep is slept again by a recovery", "recovery.reusable", reuses(sleeps_again)),
    Sabotage("a recovery forgets what was answered early", "recovery.reusable", reuses(forgets_unused)),
    Sabotage("a recovery takes a no along", "recovery.reusable", reuses(takes_a_no_along)),
    Sabotage("a recovery of a recovery begins again", "recovery.reusable", reuses(begins_again)),
    Sabotage("what has unfolded is unfolded again by a recovery", "recovery.reusable", reuses(unfolds_again)),
    Sabotage("a recovery forgets the round", "recovery.reusable", reuses(first_round_again)),
    Sabotage("a recovery brings back rounds that are over", "recovery._is_over", lambda _: lambda plan, node: False),
    Sabotage("an unfolded task counts as running", "draft.Draft.unfold", counts_the_call),
    Sabotage("a step grows the plan that others share", "plan.Growth.settled", in_place_of_all),
    Sabotage("rounds share their ids", "plan.Plan.path", one_path_for_all),
    Sabotage("a round ends while something of it goes on", "draft.Draft.unsettled", goes_on_beside_others),
    Sabotage("a round ends though something is made of the call", "unfolding._handed", any_call),
    Sabotage("a round that had a failure is let go", "unfolding._loop_of", forgets_failures),
    Sabotage("a round takes its inputs from the first one", "evaluate._given", looks_from_outside),
    Sabotage("the answers of a round are forgotten with it", "past.past_gate", forgets_the_past),
    Sabotage("any answer to a round that is over is the same again", "past.digest_of", same_digest),
    Sabotage("the nodes of a round stay in the state", "draft.Draft._forget", leaves_its_nodes),
]  # fmt: skip
