"""
What each decision on a question leads to, said before it is made.

For an approval and for silence the state machine decides an event that is not stored, so what is said is what will happen. What an answer
of another type leads to may depend on its value: there, the nodes that wait for nothing else are named.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from tidegate.core.messages import AnswerGiven, Event, RunTask, TimerFired
from tidegate.core.plan import ROOT
from tidegate.core.state import ExecutionPhase, NodePhase
from tidegate.core.step import Step, step
from tidegate.engine.folds import Snapshot
from tidegate.ir.expr import NodeId, source_order
from tidegate.ir.graph import ApproveNode, Defaults, InputNode, Instant, Node
from tidegate.service.views import kind_of
from tidegate.types.text import show
from tidegate.wire import LeadView, NextNode

FAILS, SUCCEEDS, CONTINUES = "fails", "succeeds", "continues"

NAMED: Final = 3
"""Nodes that a sentence names; the others are counted."""

ASKED: Final = ("input", "approve")


def leads_of(now: Snapshot, node: NodeId) -> list[LeadView]:
    """Return what each decision on an open question leads to."""
    gate, here = now.plan.nodes[node].node, now.state.node(node)
    at = here.began or Instant(0)
    found: list[LeadView] = []
    if isinstance(gate, ApproveNode):
        for decision, value in (("approve", True), ("reject", False)):
            event = AnswerGiven(at, node, value, "", "")
            found.append(_decided(now, node, decision, event))
    elif isinstance(gate, InputNode):
        found.append(_answered(now, node))
    if here.due is not None:
        found.append(_silent(now, node, gate, here.due))
    return found


def _silent(now: Snapshot, node: NodeId, gate: Node, due: Instant) -> LeadView:
    assert isinstance(gate, InputNode | ApproveNode)
    found = _decided(now, node, "timeout", TimerFired(due, node))
    match gate.patience:
        case Defaults(value=value) if isinstance(gate, ApproveNode):
            taken = f"it counts as {'approved' if value is True else 'rejected'}"
        case Defaults(value=value) if isinstance(gate, InputNode):
            taken = f"the answer {_short(gate, value)} is taken"
        case _:
            return found
    return LeadView(
        decision=found.decision, next=found.next, ends=found.ends, text=f"{taken}, and {found.text}"
    )


def _short(gate: InputNode, value: object) -> str:
    text = " ".join(show(gate.schema, value).split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def _decided(now: Snapshot, node: NodeId, decision: str, event: Event) -> LeadView:
    """Return what an event leads to, decided by the state machine and stored nowhere."""
    decided = step(now.plan.shared(), now.state, event)
    following = list(_following(decided))
    ended = decided.nodes[node].phase if node in decided.nodes else NodePhase.WAITING
    if decided.phase is ExecutionPhase.FAILED:
        return LeadView(
            decision=decision, next=[], ends=FAILS, text=f"the execution fails{_withdrawn(decided)}"
        )
    if ended in (NodePhase.FAILED, NodePhase.TIMED_OUT):
        text = "the execution fails once what does not depend on it has ended"
        return LeadView(decision=decision, next=following, ends=FAILS, text=text)
    return _goes_on(decision, following, is_over=decided.phase is ExecutionPhase.SUCCEEDED)


def _withdrawn(decided: Step) -> str:
    """Say how many other questions are asked no more."""
    open_ = [
        id_
        for id_, state in decided.nodes.items()
        if state.phase in (NodePhase.ABORTED, NodePhase.SKIPPED)
        and decided.before[id_] is NodePhase.WAITING
        and kind_of(decided.plan.nodes[id_].node) in ASKED
    ]
    if not open_:
        return ""
    return f", and {_counted(len(open_), 'other question')} {'is' if len(open_) == 1 else 'are'} withdrawn"


def _following(decided: Step) -> Iterator[NextNode]:
    """Yield the tasks that begin and the gates that open."""
    begins = {each.node for each in decided.commands if isinstance(each, RunTask)}
    begins |= {
        id_
        for id_, state in decided.nodes.items()
        if state.phase is NodePhase.WAITING and decided.before[id_] is not NodePhase.WAITING
    }
    for id_ in sorted(begins, key=source_order):
        yield _next(id_, decided.plan.nodes[id_].node)


def _answered(now: Snapshot, node: NodeId) -> LeadView:
    """Return what an answer leads to, whatever it is."""
    plan, state = now.plan, now.state
    while True:
        dependents = plan.nodes[node].dependents
        ready = [
            each
            for each in dependents
            # It waits for this one and for nothing else.
            if state.pending.get(each, plan.nodes[each].wants) == 1
        ]
        if ready or dependents:
            following = [_next(each, plan.nodes[each].node) for each in ready]
            return _goes_on("answer", following, is_over=False)
        holder = plan.nodes[node].holder
        if state.open.get(holder, 0) != 1:
            return _goes_on("answer", [], is_over=False)
        if holder == ROOT:
            return _goes_on("answer", [], is_over=True)
        node = holder


def _next(id_: NodeId, node: Node) -> NextNode:
    return NextNode(node=id_, name=node.name, kind=kind_of(node))


def _goes_on(decision: str, following: list[NextNode], *, is_over: bool) -> LeadView:
    if is_over:
        ends, text = SUCCEEDS, "the execution succeeds"
    elif following:
        ends, text = "", _sentence(following)
    else:
        ends, text = CONTINUES, "the execution continues with what else is under way"
    return LeadView(decision=decision, next=following, ends=ends, text=text)


def _sentence(following: list[NextNode]) -> str:
    groups = (
        ([each for each in following if each.kind in ("task", "workflow")], "runs", "run"),
        ([each for each in following if each.kind in ASKED], "is asked", "are asked"),
        ([each for each in following if each.kind == "sleep"], "begins", "begin"),
        ([each for each in following if each.kind == "branch"], "is decided", "are decided"),
    )
    parts = [
        f"{_names(nodes)} {one if len(nodes) == 1 else many}"
        for nodes, one, many in groups
        if nodes
    ]
    return f"{' and '.join(parts)} next"


def _names(nodes: Iterable[NextNode]) -> str:
    names = [f"`{each.name}`" for each in nodes]
    more = len(names) - NAMED
    if more > 0:
        return f"{', '.join(names[:NAMED])} and {more} more"
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"
