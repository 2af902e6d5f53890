"""One group of events on its way into the store: the rows it writes, and what is to be done once they are safe."""

from concurrent.futures import Future
from typing import Any

from msgspec import structs

from tidegate.core.history import to_bytes
from tidegate.core.messages import CancelTask, Event, RunTask
from tidegate.core.state import ExecutionPhase, NodePhase
from tidegate.core.step import Step
from tidegate.engine.memory import Hot
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import ApproveNode, InputNode, Instant, Node, SleepNode
from tidegate.ports.executor import Job
from tidegate.ports.journal import Batch, HistoryRow, Key, LaunchRow, PhaseRow, WaitEnd, WaitRow

WAITING = NodePhase.WAITING


class Ledger:
    """
    Collects what a group of events changes. `batch()` is stored; after that, and only then, the rest is acted upon.

    `soonest` is the earliest instant that something in it waits for.
    """

    __slots__ = (
        "_ends",
        "_history",
        "_launches",
        "_phases",
        "_waits",
        "cancels",
        "jobs",
        "replies",
        "soonest",
        "touched",
    )

    def __init__(self) -> None:
        self._launches: dict[Key, LaunchRow] = {}
        self._history: list[HistoryRow] = []
        self._phases: dict[Key, PhaseRow] = {}
        self._waits: dict[tuple[Key, NodeId], WaitRow] = {}
        self._ends: dict[tuple[Key, NodeId], WaitEnd] = {}
        self.jobs: list[Job] = []
        self.cancels: list[tuple[Key, NodeId, int]] = []
        self.replies: list[tuple[Future[Any], Any]] = []
        self.soonest: Instant | None = None
        self.touched: dict[Key, ExecutionPhase] = {}

    def launch(self, row: LaunchRow) -> None:
        """A new execution; its first step follows."""
        self._launches[row.key] = row

    def placed(self, execution_id: str) -> Key | None:
        """Return the key of an execution that this group launches."""
        for row in self._launches.values():
            if row.id == execution_id:
                return row.key
        return None

    def enter(self, hot: Hot, event: Event, step: Step) -> None:
        """Take a step up: write its rows, fold it into the execution, and keep its commands for later."""
        if step.changes:
            key, phase = hot.key, step.phase
            hot.seq += 1
            self._history.append(HistoryRow(key, hot.seq, to_bytes(event, step.changes)))
            self._enter_waits(key, step)
            if phase is not hot.state.phase:
                self._phases[key] = PhaseRow(key, phase, event.at)
            hot.plan = step.merge()
            self.touched[key] = phase
        for command in step.commands:
            match command:
                case RunTask():
                    self.jobs.append(job(hot, command))
                case CancelTask(node, attempt):
                    self.cancels.append((hot.key, node, attempt))

    def batch(self) -> Batch:
        """Return the rows."""
        phases = self._phases
        launches = [
            structs.replace(row, phase=phases.pop(key).phase) for key, row in self._launches.items()
        ]
        return Batch(
            launches,
            self._history,
            list(phases.values()),
            list(self._waits.values()),
            list(self._ends.values()),
        )

    def _enter_waits(self, key: Key, step: Step) -> None:
        before = step.before
        for id_, now in step.nodes.items():
            if now.phase is WAITING:
                node, opened = step.plan.nodes[id_].node, now.began
                assert opened is not None, "a node that waits has begun"
                place = (key, id_)
                self._waits[place] = WaitRow(key, id_, wait_kind(node), node.name, opened, now.due)
                self._ends.pop(place, None)
                if now.due is not None and (self.soonest is None or now.due < self.soonest):
                    self.soonest = now.due
            elif id_ in before and before[id_].phase is WAITING:
                place = (key, id_)
                self._waits.pop(place, None)
                self._ends[place] = WaitEnd(key, id_)


def wait_kind(node: Node) -> str:
    """Return the kind of a wait: that of the gate, or `retry` for a task that pauses before it is tried again."""
    match node:
        case InputNode():
            return "input"
        case SleepNode():
            return "sleep"
        case ApproveNode():
            return "approve"
        case _:
            return "retry"


def job(hot: Hot, run: RunTask) -> Job:
    """Return what the executor is told about an attempt."""
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
    )
