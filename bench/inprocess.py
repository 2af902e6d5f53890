"""An engine in this process: a real store and clock, and an executor that calls the tasks on one thread of its own."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec

from tidegate.core.messages import AnswerGiven
from tidegate.core.state import ExecutionPhase
from tidegate.engine.arrivals import NewExecution
from tidegate.engine.loop import Engine
from tidegate.errors import Fault
from tidegate.ir.expr import NodeId, OutputRef, Value
from tidegate.ir.graph import (
    Graph,
    InputNode,
    Instant,
    Interface,
    Param,
    PythonTarget,
    TaskNode,
)
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.executor import Attempt, Capacity, Described, Job, Queue, Report, Returned
from tidegate.ports.journal import Batch, Key
from tidegate.stores.sqlite import SqliteStore
from tidegate.stores.sqlite.journal import SqliteJournal

FIRST, GATE, LAST = NodeId("n0"), NodeId("n1"), NodeId("n2")
ANYTIME = Instant(0)


def gate_graph() -> Graph:
    """The cycle that everything is measured with: a task, a gate, a task that takes the answer."""
    number, text = {"type": "integer"}, {"type": "string"}
    target = PythonTarget("bench", "trivial")
    return Graph(
        name="gate",
        interface=Interface({"x": Param(number)}, {"o0": number}),
        nodes={
            FIRST: TaskNode(id=FIRST, name="first", target=target, outputs={"o0": number}),
            GATE: InputNode(id=GATE, name="title", schema=text, after=(FIRST,)),
            LAST: TaskNode(
                id=LAST,
                name="last",
                target=target,
                inputs={"title": OutputRef(GATE, "o0")},
                outputs={"o0": number},
            ),
        },
        outputs={"o0": OutputRef(LAST, "o0")},
    )


def gates_graph(gates: int) -> Graph:
    """Gates one after another, and nothing else: each answer opens the next."""
    number, text = {"type": "integer"}, {"type": "string"}
    return Graph(
        name="gates",
        interface=Interface({"x": Param(number)}, {"o0": text}),
        nodes={
            NodeId(f"n{n}"): InputNode(
                id=NodeId(f"n{n}"),
                name=f"title {n}",
                schema=text,
                after=(NodeId(f"n{n - 1}"),) if n else (),
            )
            for n in range(gates)
        },
        outputs={"o0": OutputRef(NodeId(f"n{gates - 1}"), "o0")},
    )


class Clock:
    """The wall clock."""

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1000)


class Recording:
    """A journal, which also keeps what it was asked to append."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.batches: list[Batch] = []
        self._journal = journal

    def append(self, batch: Batch) -> frozenset[Key]:
        self.batches.append(batch)
        return self._journal.append(batch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)


class Direct:
    """Runs tasks at once, on one thread; `began` says when the last one of each execution was called."""

    def __init__(self) -> None:
        self.began: dict[Key, float] = {}
        self._jobs: queue.SimpleQueue[Sequence[Job] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._deliver: Callable[[Sequence[Report]], None] = lambda _: None

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        self._deliver = deliver
        self._thread.start()

    def queue(self) -> Queue:
        return Queue()

    @property
    def capacity(self) -> Capacity:
        return Capacity(2**62, 2**62, limits_memory=False)

    def submit(self, jobs: Sequence[Job]) -> None:
        self._jobs.put(tuple(jobs))

    def cancel(self, key: Key, node: NodeId, attempt: int) -> None:
        del key, node, attempt

    def recall(self, attempts: Sequence[Attempt]) -> None:
        """Leave nothing: no attempt waits."""

    def drain(self) -> "Future[None]":
        return Future()

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (jobs := self._jobs.get()) is not None:
            reports = []
            for job in jobs:
                if job.node == LAST:
                    self.began[job.key] = time.perf_counter()
                reports.append(Report(job.key, job.node, job.attempt, Returned({"o0": 1})))
            self._deliver(reports)

    def attach(self, attempts: Sequence[Attempt]) -> frozenset[Attempt]:
        del attempts
        return frozenset()

    def describe(self, bundle: str, module: str) -> Sequence[Described]:
        del bundle, module
        return ()

    def check(self, bundle: str, target: PythonTarget, value: Value) -> Sequence[Fault]:
        del bundle, target, value
        return ()


class Host:
    """An engine with one workflow registered, and a count of the executions that have come into each phase."""

    def __init__(
        self, path: Path, *, record: bool = False, store: Any = None, graph: Graph | None = None
    ) -> None:
        self.store: Any = store or SqliteStore.open(path)
        if record:
            self.store.journal = Recording(self.store.journal)
        body = msgspec.msgpack.encode(graph or gate_graph())
        row = WorkflowRow(0, "gate", "1", body, "", "bench", ANYTIME)
        self.workflow = self.store.catalog.put_workflow(row).id
        self.executor = Direct()
        self.engine = Engine(self.store, self.executor, Clock())
        # In this graph an execution comes into each of the phases that are waited for once.
        self._seen: Counter[ExecutionPhase] = Counter()
        self._changed = threading.Condition()
        self.store.changes.subscribe(self._watch)
        self.engine.start()

    def _watch(self, touched: Mapping[Key, ExecutionPhase]) -> None:
        with self._changed:
            self._seen.update(touched.values())
            self._changed.notify_all()

    def wait(self, phase: ExecutionPhase, count: int) -> None:
        """Wait until this many executions have been in a phase."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: self._seen[phase] >= count, timeout=300)
        assert arrived, f"only {self._seen[phase]} of {count} came to {phase.name}"

    def launch(self, name: str) -> Any:
        return self.engine.launch(NewExecution(name, self.workflow, {"x": 1}, fresh=True))

    def answer(self, key: Key, gate: NodeId = GATE) -> Any:
        return self.engine.submit(key, AnswerGiven(ANYTIME, gate, "a title"))

    def close(self) -> None:
        self.engine.stop()
        self.store.close()
