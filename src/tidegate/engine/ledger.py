"""One group of events on its way into the store: the rows it writes, and what is to be done once they are safe."""

from collections import defaultdict
from typing import Any

from msgspec import structs

from tidegate.core.addresses import readdressed
from tidegate.core.endings import ending_of
from tidegate.core.history import to_bytes
from tidegate.core.messages import AbortRequested, AnswerGiven, CancelTask, Event, RunTask
from tidegate.core.state import ExecutionPhase, NodePhase
from tidegate.core.step import Step
from tidegate.core.waits import wait_kind
from tidegate.engine.decisions import audited, kept
from tidegate.engine.futures import Future
from tidegate.engine.memory import Hot
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.ports.audit import AuditRow
from tidegate.ports.executor import Job
from tidegate.ports.journal import (
    Batch,
    Counts,
    HistoryRow,
    Key,
    LaunchRow,
    PhaseRow,
    WaitEnd,
    WaitRow,
)
from tidegate.ports.rows import wait_row

WAITING = NodePhase.WAITING


class Ledger:
    """
    Collects the changes of a group of events. `batch()` is stored; after that, and only then, the rest is acted upon.

    `soonest` is the earliest instant that something in it waits for, `again` whether it is decided again because another writer appended first,
    `urgent` whether it may use the room that is set aside.
    """

    __slots__ = (
        "_audit",
        "_counts",
        "_ends",
        "_history",
        "_keys",
        "_launches",
        "_phases",
        "_waits",
        "again",
        "cancels",
        "jobs",
        "replies",
        "reported",
        "soonest",
        "touched",
        "urgent",
    )

    def __init__(self, *, again: bool = False, urgent: bool = False) -> None:
        self.again = again
        self.urgent = urgent
        self._audit: list[AuditRow] = []
        self._counts = Counts(defaultdict(int), defaultdict(int))
        self._keys: dict[str, Key] = {}
        self._launches: dict[Key, LaunchRow] = {}
        self._history: list[HistoryRow] = []
        self._phases: dict[Key, PhaseRow] = {}
        self._waits: dict[tuple[Key, NodeId], WaitRow] = {}
        self._ends: dict[tuple[Key, NodeId], WaitEnd] = {}
        self.jobs: list[Job] = []
        self.cancels: list[tuple[Key, NodeId, int]] = []
        self.reported: list[tuple[Key, NodeId, int]] = []
        self.replies: list[tuple[Future[Any], Any]] = []
        self.soonest: Instant | None = None
        self.touched: dict[Key, ExecutionPhase] = {}

    def launch(self, row: LaunchRow) -> None:
        """A new execution; its first step follows."""
        self._launches[row.key] = row
        self._keys[row.id] = row.key
        self._counts.phases[row.phase] += 1

    def placed(self, execution_id: str) -> Key | None:
        """Return the key of an execution that this group launches."""
        return self._keys.get(execution_id)

    def enter(self, hot: Hot, event: Event, step: Step) -> None:
        """Take a step: write its rows, fold it into the execution, and keep its commands for later."""
        if step.changes:
            key, phase = hot.key, step.phase
            hot.seq += 1
            body = to_bytes(event, step.changes)
            hot.written += len(body)
            self._history.append(HistoryRow(key, hot.seq, body))
            if isinstance(event, AnswerGiven | AbortRequested):
                self._audit.extend(audited(hot.id, event, step))
            reuse = step.draft.reuse
            if reuse is not None and reuse.former is not None and reuse.former.kept_by:
                self._audit.extend(kept(hot.id, event.at, reuse.former, step))
            self._enter_waits(hot, step)
            if step.plan is not hot.plan:
                self._enter_paths(hot, step)
            before = hot.state.phase
            if phase is not before:
                ending = ending_of(step.plan, step.draft, event) if phase.is_terminal else None
                self._phases[key] = PhaseRow(key, phase, event.at, ending)
                self._counts.phases[before] -= 1
                self._counts.phases[phase] += 1
            hot.plan = step.merge()
            self.touched[key] = phase
        for command in step.commands:
            match command:
                case RunTask():
                    self.jobs.append(job(hot, command, event.at))
                case CancelTask(node, attempt):
                    self.cancels.append((hot.key, node, attempt))

    def batch(self) -> Batch:
        """Return the rows."""
        phases = self._phases
        launches = [
            row
            if phases[key].ending is not None
            else structs.replace(row, phase=phases.pop(key).phase)
            for key, row in self._launches.items()
        ]
        return Batch(
            launches,
            self._history,
            list(phases.values()),
            list(self._waits.values()),
            list(self._ends.values()),
            self._counts,
            self._audit,
            self.reported,
            self.urgent,
        )

    def _enter_waits(self, hot: Hot, step: Step) -> None:
        """Record what starts and stops waiting; before the step is merged, because the earlier state is needed for that."""
        key, before = hot.key, step.before
        for id_, now in step.nodes.items():
            waited = before[id_] is WAITING
            if now.phase is WAITING:
                planned = step.plan.nodes[id_]
                wait = (key, id_)
                row = self._waits[wait] = wait_row(hot.owner, step.plan, step.draft, planned)
                self._ends.pop(wait, None)
                if not waited:
                    self._counts.waits[row.kind] += 1
                if now.due is not None and (self.soonest is None or now.due < self.soonest):
                    self.soonest = now.due
            elif waited:
                wait = (key, id_)
                self._waits.pop(wait, None)
                self._ends[wait] = WaitEnd(key, id_)
                self._counts.waits[wait_kind(step.plan.nodes[id_].node)] -= 1

    def _enter_paths(self, hot: Hot, step: Step) -> None:
        """Rewrite the rows that must be addressed by their path now, because an unfolded graph has a gate with the same name."""
        for id_ in readdressed(step.plan, step.changes):
            if step.draft.node(id_).phase is WAITING:
                row = wait_row(hot.owner, step.plan, step.draft, step.plan.nodes[id_])
                self._waits[hot.key, id_] = row


def job(hot: Hot, run: RunTask, at: Instant) -> Job:
    """Return the executor's job for a requested attempt."""
    return Job(
        hot.key,
        hot.id,
        run.node,
        run.attempt,
        run.target,
        run.inputs,
        hot.bundle,
        run.timeout,
        run.dynamic,
        requires=run.requires,
        at=at,
        setting=hot.state.setting,
        kept_key=run.kept_key,
    )
