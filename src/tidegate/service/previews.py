"""
What a recovery would do, node by node: the state machine decides its launch, and nothing is stored.

So the preview is what will happen. It cannot know what a task that runs will return: for the nodes after it, it says what they are compared with.
"""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from tidegate.core.former import BRANCH, TASK, WORKFLOW, counterpart, kind_of, node_at, path_of
from tidegate.core.messages import Former, FormerNode, Launched
from tidegate.core.plan import Planned
from tidegate.core.recovery import ABORT
from tidegate.core.state import ExecutionPhase, ExecutionState, NodePhase, NodeState
from tidegate.core.step import Step, step
from tidegate.engine.folds import Snapshot
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import ApproveNode, InputNode, Instant, TaskNode
from tidegate.service.recovering import APPROVAL, RERUN, SOURCE, Recovery
from tidegate.wire import RecoveryNode, RecoveryView

KEPT, RUNS, ASKED, COMPARED, UNUSED = "kept", "runs", "asked", "compared", "unused"

WHY: Final = {
    RERUN: "you named it",
    APPROVAL: "the code has changed",
    ABORT: "it was aborted",
    SOURCE: "its code has changed",
}
NEW = "it is new"
FAILED = "it had not succeeded"
SIGNATURE = "its signature has changed"
TYPE = "its type has changed"
VALUES = "its inputs have changed"
SHOWN = "what it shows has changed"


def preview(recovery: Recovery) -> RecoveryView:
    """Return what a recovery would do."""
    first, row = recovery.first, recovery.first.row
    launched = Launched(Instant(0), recovery.inputs, reuse=recovery.reuse)
    decided = step(recovery.plan.shared(), ExecutionState(), launched)
    shown = _Shown(recovery, decided)
    nodes = list(shown.nodes())
    notes = list(recovery.notes)
    if decided.phase is ExecutionPhase.FAILED and decided.draft.failure is not None:
        notes.append(f"it would fail at once: {decided.draft.failure.message}")
    return RecoveryView(
        execution=row.id,
        phase=first.state.phase.name,
        workflow=row.workflow_name,
        version=row.version,
        new_version=recovery.workflow.version,
        same_code=recovery.same_code,
        nodes=nodes,
        notes=notes,
    )


class _Shown:
    """The view of a launch that has been decided."""

    def __init__(self, recovery: Recovery, decided: Step) -> None:
        self._recovery = recovery
        self._first: Snapshot = recovery.first
        self._former: Former | None = recovery.reuse.former
        self._draft, self._plan = decided.draft, decided.plan
        self._listed: set[str] = set()
        self._running: set[str] = set()

    def nodes(self) -> Iterator[RecoveryNode]:
        """Yield the nodes of the new execution, then those of the old one that may be compared with them, or that are no longer used."""
        for planned in self._plan.nodes.values():
            kind = kind_of(planned.node)
            now = self._draft.node(planned.id)
            old = self._old(planned, now)
            if old is not None:
                self._listed.add(old.at)
                if kind == TASK and now.attempt:
                    self._running.add(old.at)
            if kind not in (BRANCH, WORKFLOW):
                found = self._shown(planned, kind, now, old)
                if found is not None:
                    yield found
        for each in () if self._former is None else self._former.nodes:
            if each.at not in self._listed and _came_to(each):
                below = self._is_below_what_runs(each)
                line = RecoveryNode(
                    node=each.at,
                    name=each.name,
                    kind=each.kind,
                    becomes=COMPARED if below else UNUSED,
                )
                yield self._told(line, each)

    def _old(self, planned: Planned, now: NodeState) -> FormerNode | None:
        if self._former is None:
            return None
        if now.origin:
            return node_at(self._former, now.origin)
        path = path_of(self._draft, planned.scope)
        if path is None:
            return None
        graph = self._plan.scopes[planned.scope]
        return counterpart(self._former, path, graph, planned.node.id)

    def _shown(
        self, planned: Planned, kind: str, now: NodeState, old: FormerNode | None
    ) -> RecoveryNode | None:
        line = RecoveryNode(
            node=self._id(planned, old), name=planned.node.name, kind=kind, becomes=KEPT
        )
        if now.phase in (NodePhase.SUCCEEDED, NodePhase.RUNNING):
            return self._told(line, old, now)
        if now.phase.is_terminal:
            return None
        if now.phase is NodePhase.QUEUED and not now.attempt and self._may_come(planned, old):
            becomes = KEPT if old is None else COMPARED
            return self._told(replace(line, becomes=becomes), old, now)
        is_gate = isinstance(planned.node, InputNode | ApproveNode)
        why = self._why(planned, old)
        return self._told(replace(line, becomes=ASKED if is_gate else RUNS, why=why), old, now)

    def _id(self, planned: Planned, old: FormerNode | None) -> str:
        if self._former is not None:
            return "" if old is None else old.at
        return planned.id if planned.id in self._first.plan.nodes else ""

    def _may_come(self, planned: Planned, old: FormerNode | None) -> bool:
        """Return whether there is something that a node that has not begun may keep."""
        reuse = self._recovery.reuse
        if self._former is not None:
            return old is not None and _came_to(old)
        return planned.id in reuse.outputs or planned.id in reuse.answers

    def _why(self, planned: Planned, old: FormerNode | None) -> str:
        """Return why a node's result is not kept."""
        if self._former is None:
            return self._why_by_id(planned.id)
        if old is None:
            return NEW
        if old.dropped:
            return WHY[old.dropped]
        if not _came_to(old):
            return FAILED if old.key else ""
        is_gate = isinstance(planned.node, InputNode | ApproveNode)
        target = str(planned.node.target) if isinstance(planned.node, TaskNode) else ""
        if target and old.target not in self._former.alike.get(target, ()):
            return SIGNATURE
        if is_gate:
            return self._why_asked(planned, old)
        return VALUES

    def _why_asked(self, planned: Planned, old: FormerNode) -> str:
        was = self._first.plan.nodes.get(old.at)
        gate = planned.node
        same = (
            was is not None
            and isinstance(gate, InputNode | ApproveNode)
            and isinstance(was.node, InputNode | ApproveNode)
            and was.node.schema == gate.schema
        )
        return SHOWN if same else TYPE

    def _why_by_id(self, node: NodeId) -> str:
        was = self._first.state.node(node)
        if was.answer is not None and self._first.state.phase is ExecutionPhase.ABORTED:
            return WHY[ABORT]
        return FAILED if was.attempt else ""

    def _told(
        self, line: RecoveryNode, old: FormerNode | None, now: NodeState | None = None
    ) -> RecoveryNode:
        """Return a line that also says who gave the answer, and whether the node is kept although it has changed."""
        answer = None if now is None else now.answer
        if answer is None and old is not None:
            answer = old.answer
        if answer is None and line.node in self._first.state.nodes:
            answer = self._first.state.node(NodeId(line.node)).answer
        who = "" if answer is None else "the timeout" if answer.by_timeout else answer.who
        is_kept = line.becomes in (KEPT, COMPARED)
        changed = is_kept and old is not None and self._has_changed(old)
        return replace(line, who=who, changed=changed)

    def _has_changed(self, old: FormerNode) -> bool:
        """Return whether a node that is kept has a changed source, or a question with a changed text."""
        if old.at in self._recovery.changed:
            return True
        was = self._first.plan.nodes.get(old.at)
        if was is None or not isinstance(was.node, InputNode):
            return False
        new = self._draft.matched_with(old.at)
        gate = self._plan.nodes[new].node if new is not None else None
        return isinstance(gate, InputNode) and gate.question.prompt != was.node.question.prompt

    def _is_below_what_runs(self, node: FormerNode) -> bool:
        """Return whether a node was in the graph of a dynamic task that will run again: only then will it be known whether the new graph has that node."""
        assert self._former is not None
        scope = node.scope
        while scope:
            base, tilde, number = scope.rpartition("~")
            at = base if tilde and number.isdigit() else scope
            if at in self._running:
                return True
            holder = node_at(self._former, at)
            scope = "" if holder is None else holder.scope
        return False


def _came_to(node: FormerNode) -> bool:
    return node.outputs is not None or node.answer is not None or node.graph is not None
