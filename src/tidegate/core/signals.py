"""
The race table: what becomes of an answer, depending on its gate.

The order matters. An idempotency key is checked before anything else, then whether the gate still shows what was shown, then its earlier answer,
then how it ended, then whether the execution has ended; only then whether it is open. So a repeated answer gets the same reply
even after the end.

Rule 1: a refusal changes nothing: the same request is decided again, and refused answers cannot fill a store.
The one exception is an answer that arrives at or after the due instant of a timeout that has not fired yet: it fires now.
Rule 2: an idempotency key belongs to its sender. It is stored only with an accepted answer, and only while the execution has not ended.
After the end, every reply follows from a state that never changes again, so an answer can be decided by `step` on the folded state,
without the engine.
Rule 3: repeating an answer under ever new keys does not make a history grow: beyond one key per node, only some are bound. The reply is the same
without.
"""

from msgspec.structs import replace

from tidegate.core.advance import Flow
from tidegate.core.draft import Draft
from tidegate.core.evaluate import same
from tidegate.core.former import answer_to
from tidegate.core.messages import Accepted, AnswerGiven, AnswerRecord, Denied, Reply
from tidegate.core.plan import ROOT
from tidegate.core.questions import differences, digest_of
from tidegate.core.state import (
    QUEUED,
    SUCCEEDED,
    TIMED_OUT,
    X_SUCCEEDED,
    NodeState,
)
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import ApproveNode, Defaults, Expires, InputNode, Instant

SPARE_KEYS = 100
"""Keys that an execution may have beyond one per node, for repeats of an answer under another key: far more than a retrying client makes."""


def answered(flow: Flow, event: AnswerGiven) -> Reply:
    """Decide an answer; its value matches the declared type."""
    draft = flow.draft
    if event.key:
        kept = draft.base.keys.get((event.who, event.key))
        if kept is not None:
            node, known = kept
            return known if node == event.node and _is_told(draft, event) else Denied("key_reused")
    reply = _decide(flow, event)
    if (
        event.key
        and isinstance(reply, Accepted)
        and draft.base.phase < X_SUCCEEDED
        and (draft.changes or _has_room(draft))
    ):
        draft.bind_key(event.who, event.key, event.node, reply)
    return reply


def _has_room(draft: Draft) -> bool:
    """Return whether a key of a repeated answer may be bound, too."""
    base = draft.base
    return len(base.keys) < len(base.nodes) + len(base.past) + SPARE_KEYS


def _is_told(draft: Draft, event: AnswerGiven) -> bool:
    """Return whether the value is that of the answer that a gate has."""
    past = draft.base.past.get(event.node)
    if past is not None:
        return past.has_answer(event.value)
    told = answer_to(draft, event.node, draft.node(event.node))
    return told is not None and same(told.value, event.value)


def _decide(flow: Flow, event: AnswerGiven) -> Reply:
    draft, node = flow.draft, event.node
    planned = draft.plan.nodes.get(node)
    if planned is None and node in draft.base.past:
        return draft.base.past[node].reply(event.value, event.who)
    if planned is None or not isinstance(planned.node, InputNode | ApproveNode):
        return Denied("unknown_signal")
    if event.shown:
        changed = differences(event.shown, digest_of(draft.plan, draft, planned))
        if changed:
            return Denied("changed", changed=changed)
    now = draft.node(node)
    settled = _settled(answer_to(draft, node, now), now, event, _timed_out(planned.node, now))
    if settled is not None:
        return settled
    if draft.phase >= X_SUCCEEDED:
        return Denied("execution_ended", draft.base.ended)
    if now.phase >= SUCCEEDED or not _can_open(draft, node):
        # Skipped; or it ended without being asked, with the sub-workflow around it or because a value is missing, and the others continue.
        return Denied("withdrawn", now.ended)
    answer = AnswerRecord(
        event.value,
        event.at,
        event.who,
        event.via,
        event.comment,
        credential=event.credential,
        shown=event.shown,
    )
    if now.phase is QUEUED:
        if isinstance(planned.node, ApproveNode):
            return Denied("not_waiting_yet")
        draft.put(node, replace(now, answer=replace(answer, early=True)))
        return Accepted(event.at, event.who, early=True)
    if now.due is not None and event.at >= now.due:
        flow.expire(node)
        return Denied("timed_out", now.due)
    flow.answer(node, answer)
    return Accepted(event.at, event.who)


def _timed_out(gate: InputNode | ApproveNode, now: NodeState) -> Instant | None:
    """Return when the time of a gate ran out, which may be long before that was noticed."""
    match gate.patience:
        case Expires(timeout) | Defaults(timeout) if now.began is not None:
            return Instant(now.began + timeout)
        case _:
            return now.ended


def _settled(
    old: AnswerRecord | None, now: NodeState, event: AnswerGiven, timed_out: Instant | None
) -> Reply | None:
    """Return the reply if the gate already has its outcome or its answer."""
    if now.phase is TIMED_OUT or (old is not None and old.by_timeout):
        return Denied("timed_out", timed_out)
    if old is None:
        return None
    if old.who == event.who and same(old.value, event.value):
        return Accepted(old.at, old.who, old.early)
    return Denied("already_answered", old.at, old.who)


def _can_open(draft: Draft, node: NodeId) -> bool:
    """Whether a gate that is not open may still open: no holder around it has ended, or taken another case."""
    plan = draft.plan
    planned = plan.nodes[node]
    while True:
        case = planned.node.case
        holder = planned.holder
        if holder == ROOT:
            return True
        now = draft.node(holder)
        if now.phase >= SUCCEEDED or (case and now.case not in (None, case.index)):
            return False
        planned = plan.nodes[holder]
