"""People's decisions as lines of the audit log, written in the transaction that stores the decision itself."""

from collections.abc import Iterator

from tidegate.core.addresses import signal_path
from tidegate.core.messages import AbortRequested, AnswerGiven, Former
from tidegate.core.state import NodePhase
from tidegate.core.step import Step
from tidegate.ir.graph import ApproveNode, Instant
from tidegate.ports.audit import ABORT, DECISION, AuditRow

DONE = NodePhase.SUCCEEDED
KEPT = "kept"
"""The outcome of an approval that was given under other code, and that somebody chose to keep."""


def audited(execution: str, event: AnswerGiven | AbortRequested, step: Step) -> Iterator[AuditRow]:
    """Yield the audit line of a decision; none if the step has changed something else, such as a timeout that was due."""
    at, who, credential, via = event.at, event.who, event.credential, event.via
    if isinstance(event, AbortRequested):
        yield AuditRow(at, ABORT, who, credential, via, "", execution)
        return
    now = step.nodes.get(event.node)
    if now is None or now.answer is None or now.answer.by_timeout:
        return
    path = signal_path(step.plan, event.node)
    is_approval = isinstance(step.plan.nodes[event.node].node, ApproveNode)
    outcome = ("approved" if event.value else "rejected") if is_approval else "answered"
    yield AuditRow(at, DECISION, who, credential, via, "", execution, path, outcome, event.shown)


def kept(execution: str, at: Instant, former: Former, step: Step) -> Iterator[AuditRow]:
    """Yield a line for each approval that a step has kept of an execution with other code: that it still holds is a decision of its own."""
    for id_, now in step.nodes.items():
        if now.origin and now.answer is not None and now.answer.kept_by and now.phase is DONE:
            who, path = now.answer.kept_by, signal_path(step.plan, id_)
            yield AuditRow(
                at, DECISION, who, former.credential, former.via, "", execution, path, KEPT
            )
