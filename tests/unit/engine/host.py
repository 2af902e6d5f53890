"""An engine with a real store, a clock that stands still, and an executor whose outcomes the test decides."""

import concurrent.futures
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from tidegate.core.history import from_bytes
from tidegate.core.messages import AnswerGiven, Event
from tidegate.core.state import ExecutionState
from tidegate.engine.arrivals import NewExecution, Placed
from tidegate.engine.dispatch import NO_ROOM, Outlook
from tidegate.engine.folds import snapshot
from tidegate.engine.futures import Future
from tidegate.engine.loop import Engine
from tidegate.engine.probes import Hindrance
from tidegate.errors import StoreError, StoreFull
from tidegate.ir.expr import NodeId, OutputRef
from tidegate.ir.graph import (
    SECOND,
    Graph,
    InputNode,
    Instant,
    Interface,
    Micros,
    PythonTarget,
    Retry,
    SleepNode,
    TaskNode,
)
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.executor import Attempt, Drained, Job, Outcome, Report, Returned
from tidegate.ports.journal import Batch, Due, Key, Recorded
from tidegate.stores.sqlite import SqliteStore
from tidegate.stores.sqlite.journal import SqliteJournal

FIRST, GATE, LAST, NAP = NodeId("n0"), NodeId("n1"), NodeId("n2"), NodeId("n3")
TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
TARGET = PythonTarget("tests", "task")
NOON = Instant(1_800_000_000 * SECOND)
LONGEST = 20.0
"""Seconds after which something that was promised has not happened."""


def cycle() -> Graph:
    """A task, a gate, a task that takes the answer."""
    return Graph(
        name="cycle",
        interface=Interface({}, {"o0": NUMBER}),
        nodes={
            FIRST: TaskNode(id=FIRST, name="first", target=TARGET, outputs={"o0": NUMBER}),
            GATE: InputNode(id=GATE, name="title", schema=TEXT, after=(FIRST,)),
            LAST: TaskNode(
                id=LAST,
                name="last",
                target=TARGET,
                inputs={"title": OutputRef(GATE, "o0")},
                outputs={"o0": NUMBER},
                retry=Retry(retries=1, pause=Micros(0)),
            ),
        },
        outputs={"o0": OutputRef(LAST, "o0")},
    )


def gate() -> Graph:
    """A gate, and nothing else."""
    return Graph(
        name="gate",
        interface=Interface({}, {"o0": TEXT}),
        nodes={GATE: InputNode(id=GATE, name="title", schema=TEXT)},
        outputs={"o0": OutputRef(GATE, "o0")},
    )


def flaky(retry: Retry) -> Graph:
    """A task that may be tried again, and nothing else."""
    node = TaskNode(id=LAST, name="last", target=TARGET, outputs={"o0": NUMBER}, retry=retry)
    return Graph(name="flaky", nodes={LAST: node})


def nap(seconds: float) -> Graph:
    """A sleep, and nothing else."""
    duration = Micros(round(seconds * SECOND))
    return Graph(
        name=f"nap-{seconds}", nodes={NAP: SleepNode(id=NAP, name="nap", duration=duration)}
    )


class Disk(SqliteStore):
    """The store in memory; it counts commits and looks at timers, notes whose history is read, can be full, can take its time, and fails a read as often as `faults` says."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.journal = Watched(self)
        self.commits = 0
        self.looks = 0
        self.reads: list[Key] = []
        self.full = False
        self.reserve = False
        self.faults: Counter[str] = Counter()
        self.entered = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.go_on.set()

    def damage(self, key: Key) -> None:
        """Break the history of one execution."""
        with self._connections.transaction() as connection:
            connection.execute("UPDATE history SET body = x'c1' WHERE key = ?", (key,))


class Watched(SqliteJournal):
    """The journal of such a disk."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk.journal._connections, disk.journal._search)
        self.disk = disk

    def append(self, batch: Batch) -> frozenset[Key]:
        self.disk.commits += 1
        self.disk.entered.release()
        assert self.disk.go_on.wait(LONGEST)
        if self.disk.full and not (batch.urgent and self.disk.reserve):
            raise StoreFull("no room is left on the disk")
        return super().append(batch)

    def try_commit(self) -> None:
        if self.disk.full:
            raise StoreFull("no room is left on the disk")

    def due(self, until: Instant, limit: int) -> list[Due]:
        self.disk.looks += 1
        self._fault("due")
        return super().due(until, limit)

    def next_due(self) -> Instant | None:
        self._fault("next_due")
        return super().next_due()

    def history(self, key: Key, after: int = 0, limit: int | None = None) -> list[bytes]:
        self.disk.reads.append(key)
        return super().history(key, after, limit)

    def recorded(
        self, execution_ids: Sequence[str], limit: int | None = None
    ) -> list[Recorded | None]:
        found = super().recorded(execution_ids, limit)
        self.disk.reads.extend(each.key for each in found if each is not None)
        return found

    def active(self) -> list[Key]:
        self._fault("active")
        return super().active()

    def _fault(self, method: str) -> None:
        if self.disk.faults[method]:
            self.disk.faults[method] -= 1
            raise StoreError("cannot read the store (Input/output error)")


class Clock:
    """Stands still until it is moved; breaks if it is told to."""

    def __init__(self) -> None:
        self.instant = NOON
        self.broken = False

    def now(self) -> Instant:
        if self.broken:
            raise ZeroDivisionError("the clock is broken")
        return self.instant


class Crew:
    """An executor: with `work` it returns outcomes at once; without, it only notes what it was given."""

    def __init__(self, work: Callable[[Job], Outcome] | None = None) -> None:
        self.work = work
        self.jobs: list[Job] = []
        self.cancelled: list[Attempt] = []
        self.refuses = 0
        self.deliver: Callable[[Sequence[Report]], None] = lambda _: None

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        self.deliver = deliver

    def submit(self, jobs: Sequence[Job]) -> None:
        if self.refuses:
            self.refuses -= 1
            raise RuntimeError("no process can be started")
        self.jobs.extend(jobs)
        if self.work is not None:
            self.deliver([Report(job.key, job.node, job.attempt, self.work(job)) for job in jobs])

    def cancel(self, key: Key, node: NodeId, attempt: int) -> None:
        self.cancelled.append(Attempt(key, node, attempt))

    def attach(self, attempts: Sequence[Attempt]) -> frozenset[Attempt]:
        return frozenset(attempts)

    def release(self, attempts: Sequence[Attempt]) -> None:
        pass

    def stored(self, reports: Sequence[Report]) -> None:
        pass

    def drain(self) -> Drained:
        self.drained: Drained = concurrent.futures.Future()
        return self.drained

    def close(self) -> None:
        pass

    def report(self, job: Job, outcome: Outcome) -> None:
        self.deliver([Report(job.key, job.node, job.attempt, outcome)])


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that nobody tells of."""
    give_up = time.monotonic() + LONGEST
    while not holds():
        assert time.monotonic() < give_up, "it has not happened"
        time.sleep(0.002)


def one(_: Job) -> Outcome:
    return Returned({"o0": 1})


class Host:
    """One owner of a store; `keeps`: its executor keeps attempts beyond it. `again` is the next one after this one has stopped in good order, `after_death` after it has died."""

    def __init__(
        self,
        store: Disk,
        *,
        work: Callable[[Job], Outcome] | None = one,
        clock: Any = None,
        keeps: bool = False,
    ) -> None:
        self.store = store
        self.clock = clock or Clock()
        self.crew = Crew(work)
        self.looks = 0
        self.lack = ""
        """Why there is no room for attempts."""
        outlook = Outlook(self._hinders, keeping=self.crew if keeps else None)
        self.engine = Engine(store, self.crew, self.clock, outlook=outlook)
        self._numbers: dict[str, int] = {}

    def _hinders(self, _: Job) -> Hindrance | None:
        self.looks += 1
        return Hindrance(NO_ROOM, self.lack) if self.lack else None

    def start(self) -> "Host":
        self.engine.start()
        return self

    def again(self, *, work: Callable[[Job], Outcome] | None = None) -> "Host":
        """Stop; another engine takes the store up."""
        self.engine.stop()
        return self._next(work)

    def after_death(self, *, work: Callable[[Job], Outcome] | None = None) -> "Host":
        """End the engine where it stands; another one takes the store up."""
        self.dies()
        return self._next(work)

    def dies(self) -> None:
        """End the engine where it stands."""
        self.clock.broken = True
        with suppress(StoreError):
            self.engine.settle()
        self.engine.stop()
        self.clock.broken = False

    def _next(self, work: Callable[[Job], Outcome] | None) -> "Host":
        host = Host(self.store, work=work, clock=self.clock)
        host.lack = self.lack
        host.start()
        if not self.lack:
            host.engine.settle()
        return host

    def launch(self, graph: Graph, id_: str, *, fresh: bool = False) -> Future[Placed]:
        if graph.name not in self._numbers:
            row = WorkflowRow(0, graph.name, "1", msgspec.msgpack.encode(graph), "", "", NOON)
            self._numbers[graph.name] = self.store.catalog.put_workflow(row).id
        return self.engine.launch(NewExecution(id_, self._numbers[graph.name], {}, fresh=fresh))

    def launched(self, graph: Graph, id_: str) -> Key:
        key = self.launch(graph, id_).result(LONGEST).key
        self.engine.settle()
        return key

    def answer(self, key: Key, value: Any = "words") -> Future[Any]:
        return self.engine.submit(key, AnswerGiven(Instant(0), GATE, value))

    def state(self, key: Key) -> ExecutionState:
        row = self.store.journal.get(key)
        assert row is not None
        return snapshot(self.store.journal, self.engine.programs, row).state

    def phase(self, key: Key) -> str:
        row = self.store.journal.get(key)
        assert row is not None
        return row.phase.name

    def events(self, key: Key) -> list[Event]:
        return [from_bytes(body).event for body in self.store.journal.history(key)]
