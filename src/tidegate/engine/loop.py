"""
The engine: the one thread that changes executions.

It *drains* what has arrived, *decides* each event by `core.step`, *commits* everything in one transaction, and only then *acts*:
answers those who asked, hands attempts to the executor, tells the watchers. Under load the group grows, and the disk's sync is shared; alone, an event commits at once.

If a commit fails, nothing of the group has happened: the executions it touched are forgotten and read again from the store,
whoever asked gets the error, and what tasks have reported is kept and tried again, for it cannot be had twice.
"""

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tidegate.core.messages import (
    Event,
    Launched,
    Reply,
    TaskExpanded,
    TaskFailed,
    TaskLost,
    TaskStarted,
    TaskSucceeded,
    TimerFired,
)
from tidegate.core.state import ExecutionPhase
from tidegate.core.step import outstanding, running, step
from tidegate.engine.ledger import Ledger, job
from tidegate.engine.memory import Hot, Memory, Programs
from tidegate.errors import Overloaded, StoreError, TidegateError
from tidegate.ir.expr import Value
from tidegate.ir.graph import SECOND, Instant
from tidegate.ports import (
    Began,
    Clock,
    Executor,
    Key,
    LaunchRow,
    Lost,
    Raised,
    Report,
    Returned,
    Store,
    Unfolded,
)

log = logging.getLogger(__name__)

GROUP = 2_000
"""How many arrivals are decided in one transaction at most."""

QUEUE = 100_000
"""How many arrivals may wait to be decided; more are refused."""

TIMERS = 1_000
"""How many timers are fired in one transaction at most."""

NAP = 1.0
"""Longest sleep in seconds while a timer is set: wall-clock time may jump, and a timer must not notice it late."""

STUBBORN = 1.0
"""Pause in seconds before a commit that failed is tried again."""


class NewExecution(Struct, frozen=True):
    """What an execution is launched with. `fresh`: the id was made at random just now and cannot be taken."""

    id: str
    workflow: int
    inputs: dict[str, Value]
    who: str = "local"
    via: str = "code"
    project: str = ""
    domain: str = ""
    fresh: bool = False


class Placed(Struct, frozen=True):
    """Where an execution is. `created` is False if its id existed already, and then nothing has changed."""

    key: Key
    created: bool


class _Launch(Struct, frozen=True):
    wanted: NewExecution
    future: "Future[Placed]"


class _Event(Struct, frozen=True):
    key: Key
    event: Event
    future: "Future[Reply | None]"


class _Reports(Struct, frozen=True):
    reports: Sequence[Report]


class _Settle(Struct, frozen=True):
    settled: "Future[bool]"


class _Stop(Struct, frozen=True):
    pass


_Arrival = _Launch | _Event | _Reports | _Settle | _Stop

Watcher = Callable[[Mapping[Key, ExecutionPhase]], None]
"""Called in the engine's thread after a commit, with the executions it touched; must be quick."""


class Engine:
    """Runs the executions of one store with one executor, by one clock."""

    def __init__(self, store: Store, executor: Executor, clock: Clock) -> None:
        self.programs = Programs(store)
        self._store = store
        self._executor = executor
        self._clock = clock
        self._memory = Memory(store, self.programs)
        self._arrivals: queue.SimpleQueue[_Arrival] = queue.SimpleQueue()
        self._kept: list[Report] = []
        self._watchers: list[Watcher] = []
        self._last_key = store.last_key()
        self._next_due: Instant | None = store.next_due()
        self._stopping = False
        self._stumbled = False
        self._thread = threading.Thread(target=self._run, name="tidegate-engine", daemon=True)

    # ---- from any thread ----

    def start(self) -> None:
        """Begin, and take up what an earlier host left."""
        self._executor.start(self.deliver)
        self._thread.start()

    def stop(self) -> None:
        """Commit what has arrived, and end. Attempts that still run are repeated by the next host."""
        if self._thread.is_alive():
            self._arrivals.put(_Stop())
            self._thread.join()
        self._executor.close()

    def launch(self, wanted: NewExecution) -> "Future[Placed]":
        """Launch an execution; its inputs fit the interface. The future is done once it is stored."""
        future: Future[Placed] = Future()
        self._accept(_Launch(wanted, future), future)
        return future

    def submit(self, key: Key, event: Event) -> "Future[Reply | None]":
        """Tell an execution something (its `at` is set here). The future is done once it is stored."""
        future: Future[Reply | None] = Future()
        self._accept(_Event(key, event, future), future)
        return future

    def deliver(self, reports: Sequence[Report]) -> None:
        """Take what became of attempts. Never refused."""
        self._arrivals.put(_Reports(reports))

    def settle(self) -> None:
        """Return when all that has arrived is decided. With an executor that runs tasks at once: when nothing more happens by itself."""
        while True:
            settled: Future[bool] = Future()
            self._arrivals.put(_Settle(settled))
            if settled.result():
                return

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher` after each commit."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Call it no more."""
        self._watchers.remove(watcher)

    def _accept(self, arrival: _Arrival, future: "Future[Any]") -> None:
        if self._stopping or self._arrivals.qsize() > QUEUE:
            why = "is stopping" if self._stopping else f"has {QUEUE:,} requests waiting"
            future.set_exception(Overloaded(f"the engine {why}; try again in a second", retry_after=1))
        else:
            self._arrivals.put(arrival)

    # ---- the engine's thread ----

    def _run(self) -> None:
        self._take_up()
        while not self._stopping:
            group = self._drain()
            self._turn(group)
            self._memory.cool()

    def _take_up(self) -> None:
        """Repeat what was running when an earlier host died, and submit what had not started."""
        keys = self._store.active()
        for start in range(0, len(keys), GROUP):
            ledger = Ledger()
            for key in keys[start : start + GROUP]:
                hot = self._memory.get(key)
                lost = running(hot.plan, hot.state)
                ledger.jobs.extend(job(hot, run) for run in outstanding(hot.plan, hot.state))
                for node, attempt in lost:
                    self._decide(ledger, hot, TaskLost(self._clock.now(), node, attempt))
            if ledger.touched:
                self._store.commit(ledger.batch())
            self._act(ledger)
            self._memory.cool()

    def _drain(self) -> list[_Arrival]:
        arrivals = self._arrivals
        try:
            first = arrivals.get(timeout=self._patience())
        except queue.Empty:
            return []
        group = [first]
        for _ in range(min(arrivals.qsize(), GROUP)):
            group.append(arrivals.get_nowait())
        return group

    def _patience(self) -> float | None:
        """Return how many seconds to wait for arrivals."""
        if self._stumbled:
            return STUBBORN
        if self._next_due is None:
            return None
        return min(max(self._next_due - self._clock.now(), 0) / SECOND, NAP)

    def _turn(self, group: list[_Arrival]) -> None:
        """Decide one group, commit it, act on it."""
        ledger = Ledger()
        reports, self._kept = self._kept, []
        futures: list[Future[Any]] = []
        for arrival in group:
            match arrival:
                case _Reports(more):
                    reports.extend(more)
                case _Launch(future=future) | _Event(future=future):
                    futures.append(future)
                case _Settle(settled):
                    futures.append(settled)
                case _Stop():
                    self._stopping = True
        try:
            fired = self._decide_all(ledger, group, reports)
            if ledger.touched:
                self._store.commit(ledger.batch())
            if fired:
                self._next_due = self._store.next_due()
        except StoreError as error:
            self._undo(ledger, futures, error)
            self._kept = reports
            return
        self._stumbled = False
        self._act(ledger)
        for arrival in group:
            if isinstance(arrival, _Settle):
                arrival.settled.set_result(self._arrivals.empty() and not ledger.touched)

    def _decide_all(
        self, ledger: Ledger, group: list[_Arrival], reports: Sequence[Report]
    ) -> bool:
        """Decide everything that has arrived, and the timers that are due; return whether there were any."""
        now = self._clock.now()
        for arrival in group:
            match arrival:
                case _Launch(wanted, future):
                    self._launch(ledger, wanted, future, now)
                case _Event(key, event, future):
                    self._told(ledger, key, replace(event, at=now), future)
                case _:
                    pass
        for report in reports:
            self._decide(ledger, self._memory.get(report.key), _event_of(report, now))
        if self._next_due is None or self._next_due > now:
            return False
        for row in self._store.due(now, TIMERS):
            self._decide(ledger, self._memory.get(row.key), TimerFired(now, row.node))
        return True

    def _undo(self, ledger: Ledger, futures: "list[Future[Any]]", error: StoreError) -> None:
        """Nothing of the group is stored: forget what memory has of it, and tell those who asked."""
        log.error("a group of %d requests was not stored: %s", len(futures), error)
        self._stumbled = True
        for key in ledger.touched:
            self._memory.drop(key)
        for future in futures:
            if not future.done():
                future.set_exception(error)

    def _launch(
        self, ledger: Ledger, wanted: NewExecution, future: "Future[Placed]", now: Instant
    ) -> None:
        existing = None if wanted.fresh else self._placed(ledger, wanted.id)
        if existing is not None:
            ledger.replies.append((future, Placed(existing, created=False)))
            return
        try:
            program = self.programs.get(wanted.workflow)
        except TidegateError as error:
            future.set_exception(error)
            return
        # A key that is not stored in the end is left out: keys only grow.
        key = self._last_key = Key(self._last_key + 1)
        hot = Hot(key, wanted.id, program)
        ledger.launch(
            LaunchRow(
                key, wanted.id, wanted.workflow, now, wanted.who, wanted.project, wanted.domain
            )
        )
        self._decide(ledger, hot, Launched(now, wanted.inputs, wanted.who, wanted.via))
        self._memory.put(hot)
        ledger.replies.append((future, Placed(key, created=True)))

    def _placed(self, ledger: Ledger, execution_id: str) -> Key | None:
        """Return the key of an execution by its id, also of one in the group that is not stored yet."""
        row = self._store.find(execution_id)
        return ledger.placed(execution_id) if row is None else row.key

    def _told(self, ledger: Ledger, key: Key, event: Event, future: "Future[Reply | None]") -> None:
        try:
            hot = self._memory.get(key)
        except TidegateError as error:
            future.set_exception(error)
            return
        reply = self._decide(ledger, hot, event)
        ledger.replies.append((future, reply))

    def _decide(self, ledger: Ledger, hot: Hot, event: Event) -> Reply | None:
        decision = step(hot.plan, hot.state, event)
        ledger.enter(hot, event, decision)
        return decision.reply

    def _act(self, ledger: Ledger) -> None:
        for key, phase in ledger.touched.items():
            if phase.is_terminal:
                self._memory.drop(key)
        soonest = ledger.soonest
        if soonest is not None and (self._next_due is None or soonest < self._next_due):
            self._next_due = soonest
        if ledger.jobs:
            self._executor.submit(ledger.jobs)
        for key, node, attempt in ledger.cancels:
            self._executor.cancel(key, node, attempt)
        for future, reply in ledger.replies:
            future.set_result(reply)
        if ledger.touched:
            for watcher in self._watchers:
                watcher(ledger.touched)


def _event_of(report: Report, at: Instant) -> Event:
    node, attempt = report.node, report.attempt
    match report.outcome:
        case Began():
            return TaskStarted(at, node, attempt)
        case Returned(outputs):
            return TaskSucceeded(at, node, attempt, outputs)
        case Unfolded(graph):
            return TaskExpanded(at, node, attempt, graph)
        case Raised(failure):
            return TaskFailed(at, node, attempt, failure)
        case Lost():
            return TaskLost(at, node, attempt)
