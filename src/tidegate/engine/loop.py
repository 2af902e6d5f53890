"""
The engine: the one thread that changes executions.

It *drains* what has arrived, *decides* each event by `core.step`, *commits* everything in one transaction, and only then *acts*:
replies to callers, hands attempts to the executor, notifies watchers. Under load the group grows, and the disk's sync is shared; alone, an event commits at once.

If a commit fails, nothing of the group has happened: the executions it touched are forgotten and read again from the store,
callers get the error, and task reports are kept and retried, because they cannot be obtained again.

If something in a group breaks an assertion, or an execution cannot be read back, everything in the group is decided again, each item separately:
the faulty one is refused and logged, all others continue. If an internal error ends the thread all the same, everybody who waits is told at once.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any

from msgspec.structs import replace

from tidegate.core.messages import Event, GivenBack, Reply, TimerFired
from tidegate.core.state import X_SUCCEEDED
from tidegate.core.step import step
from tidegate.engine.arrivals import (
    Arrival,
    Aside,
    LaunchArrival,
    NewExecution,
    Placed,
    Reports,
    Settle,
    Stop,
    Told,
    Work,
    fail,
    tell,
    turn_away,
)
from tidegate.engine.backwards import Backwards
from tidegate.engine.damage import Damage
from tidegate.engine.dispatch import Dispatch, Outlook
from tidegate.engine.futures import Future
from tidegate.engine.launches import claim, launched
from tidegate.engine.ledger import Ledger
from tidegate.engine.memory import Hot, Memory, collect_seldom
from tidegate.engine.news import News
from tidegate.engine.outcomes import brief, event_of, failed_by, is_of_the_store, spoiled
from tidegate.engine.programs import Programs
from tidegate.engine.sharing import Sharing, not_here
from tidegate.errors import NotHere, Overloaded, StoreError, StoreFull, TidegateError
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import SECOND, Instant
from tidegate.parts import Parts
from tidegate.ports.clock import Clock
from tidegate.ports.executor import Drained, Executor, Report
from tidegate.ports.journal import Due, Key, LaunchRow
from tidegate.ports.shares import Turnover
from tidegate.ports.store import Store

log = logging.getLogger(__name__)

GROUP = 2_000
"""Most arrivals decided in one transaction."""

QUEUE = 100_000
"""Most arrivals in the queue; more are refused."""

TIMERS = 1_000
"""Most timers fired in one transaction."""

NAP = 1.0
"""Longest sleep in seconds while a timer is set: wall-clock time may jump, and a timer must not notice it late."""

STUBBORN = 1.0
"""Pause in seconds before a failed commit is retried."""

CONTESTED = 100
"""How many times in a row another writer may have appended first before that is an error; two alternating writers meet it once or twice."""


class Engine:
    """Runs the executions of one store with one executor, by one clock."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        clock: Clock,
        parts: Parts | None = None,
        outlook: Outlook | None = None,
    ) -> None:
        self.parts = parts or Parts()
        """The parts of this process, for everything built on the engine."""
        self.programs = Programs(store.catalog)
        self._journal = journal = store.journal
        self._changes = store.changes
        self._executor = executor
        self._clock = clock
        self.damage = Damage()
        outlook, holds = outlook or Outlook(), self.damage.holds
        self.dispatch = Dispatch(executor, store, self.parts, clock, outlook, holds)
        self.dispatch.follow(self.deliver, lambda act: self._put(Aside(act)))
        self._memory = memory = Memory(journal, self.programs, self.damage)
        self._news = News(memory, clock, self._stored, self._decide, self._act)
        take_over = partial(self._news.take_over, journal, self.dispatch)
        self.sharing = Sharing(store.shares, memory, self.dispatch, take_over)
        if store.shares is not None:
            store.shares.follow(self._turn_over)
        self.peek, self.read, self.read_light = memory.peek, memory.read, memory.read_light
        self.held = self.dispatch.held
        """For any thread: what is in memory, which may not be stored yet; what is read from the store, for `submit`; which attempts are held."""
        self._arrivals: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        self._kept: list[Report] = []
        self._part = self.parts.part("engine")
        self._store = self.parts.part("store")
        self._backwards = Backwards()
        self._next_due: Instant | None = store.journal.next_due()
        self._stopping = False
        self.turning: tuple[int, float] | None = None
        """The engine's thread, and since when it has been deciding (`time.monotonic`); None while it waits for arrivals."""
        self._stumbled = False
        self._under_way: list[Arrival] = []
        self._sick: set[tuple[Key, NodeId]] = set()
        self._ended: TidegateError | None = None
        self._at_end: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, name="tidegate-engine", daemon=True)

    # ---- from any thread ----

    def start(self) -> None:
        """Start, and take up what an earlier host left."""
        collect_seldom()
        self._executor.start(self.deliver)
        self._thread.start()

    def drain(self) -> Drained:
        """Start no more attempts: what becomes ready stays QUEUED for the next host. The future is done when none runs."""
        return self.dispatch.drain()

    def stop(self) -> None:
        """End what runs, commit what has arrived, give back what did not end by itself, and stop. The next host submits that again."""
        # First, so that what has just ended is still taken up.
        self._executor.close()
        if self._thread.is_alive():
            self._put(Stop())
            self._thread.join()

    def launch(self, wanted: NewExecution) -> Future[Placed]:
        """Launch an execution; its inputs match the interface. The future is done once it is stored."""
        future: Future[Placed] = Future()
        self._accept(LaunchArrival(wanted, future), future)
        return future

    def submit(self, key: Key, event: Event, read: Hot | None = None) -> Future[Reply | None]:
        """Submit an event for an execution (its `at` is set here). The future is done once it is stored. `read`, if given, belongs to the engine from now on."""
        future: Future[Reply | None] = Future()
        self._accept(Told(key, event, future, read), future)
        return future

    def deliver(self, reports: Sequence[Report]) -> None:
        """Take reports on attempts. Never refused."""
        self._arrivals.put(Reports(reports))

    def settle(self) -> None:
        """Return when everything that has arrived is decided. With an executor that runs tasks at once: when nothing more happens by itself."""
        while True:
            settled: Future[bool] = Future()
            self._put(Settle(settled))
            if settled.result():
                return

    def on_end(self, call: Callable[[], None]) -> None:
        """Call this once the engine has ended, for whatever reason (`failure`), and all waiters were told; it must be quick, and not raise."""
        self._at_end.append(call)
        if self._ended is not None:
            self._tell_end()

    def _tell_end(self) -> None:
        while self._at_end:
            self._at_end.pop(0)()

    @property
    def queued(self) -> int:
        """How many requests and reports are waiting for a decision."""
        return self._arrivals.qsize()

    @property
    def failure(self) -> TidegateError | None:
        """Why nothing is decided any longer; None as long as the engine runs."""
        return self._ended

    def _accept(self, arrival: Arrival, future: Future[Any]) -> None:
        if self._arrivals.qsize() > QUEUE:
            why = f"the engine already has {QUEUE:,} requests waiting; try again in a second"
            future.set_exception(Overloaded(why, retry_after=1))
        else:
            self._put(arrival)

    def _put(self, arrival: Arrival) -> None:
        self._arrivals.put(arrival)
        if self._ended is not None:
            # The thread may have checked for the last time before this arrived.
            turn_away(self._arrivals, self._ended)

    # ---- the engine's thread ----

    def _run(self) -> None:
        error: TidegateError = Overloaded(
            "the engine is stopping; try again in a second", retry_after=1
        )
        try:
            self._take_up()
            while not self._stopping:
                group = self._drain()
                self.turning = (threading.get_ident(), monotonic())
                self._turn(group)
                self._memory.cool()
                self.turning = None
            otherwise = "running attempts could not be given back, and will count as lost"
            self._news.tell_all(self.dispatch.give_back, lambda _, now: GivenBack(now), otherwise)
        except BaseException as bug:  # noqa: BLE001 - the thread's edge
            error = failed_by(bug)
            # Quietly, with its traceback at debug level: the code that ends the process for it reports it.
            self._part.failed(bug, quietly=True)
        self._ended = error
        fail(self._under_way, error)
        turn_away(self._arrivals, error)
        self._tell_end()

    def _take_up(self) -> None:
        """Continue what an earlier host left: repeat what was running, and submit what had not started."""
        keys: list[Key] | None = None
        shelf = self.dispatch.shelf
        while (keys is None or keys) and not self._stopping:
            try:
                if keys is None:
                    keys = self._journal.active()
                    shelf.take_up(keys)
                    self.dispatch.attach(keys, self._memory)
                self._news.tell_page(keys[:GROUP], self.dispatch.taken_up)
                keys = keys[GROUP:]
            except StoreError as error:
                # Full, or locked by another program: nobody is served before this is done.
                self._stumbled = True
                self._put_off(self._gather(self._drain()), error)
        self._stumbled = self.dispatch.holds

    def _turn_over(self, wanted: Turnover) -> None:
        """Take and give shards of the store. From any thread."""
        self.sharing.end(wanted.lost)
        self._put(Aside(lambda: self.sharing.turn_over(wanted)))

    def _drain(self) -> list[Arrival]:
        arrivals = self._arrivals
        try:
            first = arrivals.get(timeout=self._patience())
        except queue.Empty:
            return []
        return [first, *(arrivals.get_nowait() for _ in range(min(arrivals.qsize(), GROUP)))]

    def _patience(self) -> float | None:
        """Return how many seconds to wait for arrivals."""
        if self._stumbled or self._next_due is None:
            return STUBBORN if self._stumbled else None
        return min(max(self._next_due - self._clock.now(), 0) / SECOND, NAP)

    def _gather(self, group: list[Arrival]) -> Work:
        self._under_way = group
        work = Work(group, self._kept)
        self._kept = []
        for arrival in group:
            match arrival:
                case Told() | LaunchArrival():
                    pass
                case Reports():
                    work.reports.extend(self.dispatch.heard(arrival.reports))
                case Settle():
                    work.settles.append(arrival)
                case Aside():
                    work.asides.append(arrival)
                case Stop():
                    self._stopping = True
        return work

    def _turn(self, group: list[Arrival]) -> None:
        """Decide one group, commit it, act on it."""
        work = self._gather(group)
        self._stumbled = self._store.is_down and not (self._stopping or self._accepts_writes())
        for aside in work.asides:
            self._turn_aside(aside)
        if news := self._backwards.news(now := self._clock.now()):
            self._news.tell_all(self._journal.active, news, "retries may wait that much longer")
        timers = self._next_due is not None and self._next_due <= now
        try:
            if timers:
                work.due = self._due(now)
        except StoreError as error:
            self._put_off(work, error)
            return
        changed = self._carry_out(work)
        if timers:
            self._look_ahead()
        for arrival in work.settles:
            if not arrival.settled.done():
                busy = changed or self.dispatch.holds or not self._arrivals.empty()
                arrival.settled.set_result(not busy)
        self._under_way = []

    def _turn_aside(self, aside: Aside) -> None:
        try:
            aside.act()
        except StoreError as error:
            self._store.failed(error, quietly=True)
            self._stumbled = True
        self._look_ahead()

    def _due(self, now: Instant) -> list[Due]:
        rows = self._journal.due(now, TIMERS + len(self._sick))
        return [row for row in rows if (row.key, row.node) not in self._sick]

    def _look_ahead(self) -> None:
        """Find out what is due next, after timers have fired."""
        soon = Instant(self._clock.now() + int(STUBBORN * SECOND))
        # Whatever this query returns, there will be another.
        self._next_due = soon
        try:
            due = self._journal.next_due()
        except StoreError as error:
            log.warning("the next timer is not known: %s", error)
            return
        # Faulty ones stay due; they must not keep the engine busy.
        self._next_due = max(due, soon) if due is not None and self._sick else due

    def _carry_out(self, work: Work) -> bool:
        """Decide, commit, act; return whether anything has changed, or may have."""
        try:
            ledger = self._stored(lambda it: self._decide_all(it, work), urgent=work.urgent)
        except Exception as error:  # noqa: BLE001 - one execution, even by a bug of ours, must not stop the others
            if isinstance(error, NotHere):
                # Who asked for what another server owns by now is told so; the rest is decided again.
                self.sharing.forget()
                return self._carry_out(work)
            if is_of_the_store(error):
                return self._put_off(work, error)
            self._memory.clear()
            pieces = work.apart()
            if len(pieces) == 1:
                self._refuse(pieces[0], error)
            else:
                for piece in pieces:
                    self._carry_out(piece)
            return True
        self._act(ledger)
        self.dispatch.stored(work.reports)
        return bool(ledger.touched)

    def _stored(self, decide: Callable[[Ledger], None], *, urgent: bool = False) -> Ledger:
        """Decide and commit; and again, if another writer has appended to one of the executions first."""
        for turn in range(CONTESTED):
            ledger = Ledger(again=turn > 0, urgent=urgent)
            try:
                decide(ledger)
                if not (ledger.touched or ledger.reported):
                    return ledger
                moved = self._journal.append(ledger.batch())
            except BaseException:
                self._forget(ledger)
                raise
            if not moved:
                return ledger
            log.debug("%d executions were changed by another process", len(moved))
            self._forget(ledger)
        raise StoreError("another engine writes in this store: end one of them")

    def _forget(self, ledger: Ledger) -> None:
        """Forget these executions: their state in memory is not stored."""
        for key in ledger.touched:
            self._memory.drop(key)

    def _decide_all(self, ledger: Ledger, work: Work) -> None:
        now = self._clock.now()
        for arrival in work.arrivals:
            match arrival:
                case Told():
                    self._told(ledger, arrival, now)
                case LaunchArrival():
                    self._launch(ledger, arrival.wanted, arrival.future, now)
                case _:
                    pass
        serves = self.sharing.serves
        for report in self.dispatch.own(work.reports, serves, ledger):
            self._decide(ledger, self._memory.get(report.key), event_of(report, now))
        for row in work.due:
            if serves(row.key):
                self._decide(ledger, self._memory.get(row.key), TimerFired(now, row.node))

    def _put_off(self, work: Work, error: Exception) -> bool:
        """Nothing of this is stored: tell the callers, keep the task reports. What only ends something is tried once more; return whether it is stored."""
        log.debug("a group of %d requests was not stored: %s", len(work.arrivals), error)
        # Logged at the next turn if it lasts: the callers learn it from this.
        self._store.failed(error, quietly=True)
        self._stumbled = True
        ending = work.endings() if isinstance(error, StoreFull) else Work()
        fail(work.arrivals, error)
        self._kept.extend(work.reports)
        return bool(ending.arrivals or ending.reports) and self._carry_out(ending)

    def _accepts_writes(self) -> bool:
        """Return whether the store accepts writes again."""
        try:
            self._journal.try_commit()
        except StoreError as error:
            self._store.failed(error)
            return False
        self._store.works()
        return True

    def _refuse(self, work: Work, error: Exception) -> None:
        """Refuse the one thing that cannot be decided."""
        bug = None if isinstance(error, TidegateError) else error
        if bug or not work.arrivals:  # otherwise the callers are told, in one line
            log.error("refused, because it cannot be decided: %r: %s", work, error, exc_info=bug)
        told = AssertionError(f"the engine could not decide this: {brief(error)}") if bug else error
        fail(work.arrivals, told)
        self._sick.update((row.key, row.node) for row in work.due)
        for instead in filter(None, (spoiled(each, error) for each in work.reports)):
            self._carry_out(Work(reports=[instead]))
        self.dispatch.stored(work.reports)

    def _launch(
        self, ledger: Ledger, wanted: NewExecution, future: Future[Placed], now: Instant
    ) -> None:
        existing = None if wanted.fresh and not ledger.again else self._placed(ledger, wanted.id)
        if existing is not None:
            ledger.replies.append((future, Placed(existing, created=False)))
            return
        try:
            if not self.sharing.serves_launch(wanted):
                raise not_here()
            program = self.programs.get(wanted.workflow)
            if wanted.recovers is not None:
                claim(ledger, self._memory, wanted, wanted.recovers, now)
        except TidegateError as error:
            ledger.replies.append((future, error))
            return
        key = self._journal.new_key(wanted.id, now, wanted.recovers)
        hot = Hot(key, wanted.id, program, wanted.project, wanted.domain)
        ledger.launch(LaunchRow(key, wanted.id, wanted.workflow, now, wanted.who, hot.owner.series))
        self._decide(ledger, hot, launched(wanted, program.recorded, now))
        self._memory.put(hot)
        ledger.replies.append((future, Placed(key, created=True)))

    def _placed(self, ledger: Ledger, execution_id: str) -> Key | None:
        """Return the key of an execution by its id, also of one in the group that is not stored yet."""
        row = self._journal.find(execution_id)
        return ledger.placed(execution_id) if row is None else row.key

    def _told(self, ledger: Ledger, told: Told, now: Instant) -> None:
        # What was read counts once: if this must be decided again, it has been changed since.
        read, told.read = told.read, None
        if not self.sharing.decides(told.key):
            ledger.replies.append((told.future, not_here()))
            return
        try:
            hot = self._memory.get(told.key, read)
        except TidegateError as error:
            ledger.replies.append((told.future, error))
            return
        reply = self._decide(ledger, hot, replace(told.event, at=now))
        if hot is read and told.key not in ledger.touched:
            # The journal reports when it has advanced beyond what was read; nothing was appended, so it was not asked.
            self._memory.drop(told.key)
        ledger.replies.append((told.future, reply))

    def _decide(self, ledger: Ledger, hot: Hot, event: Event) -> Reply | None:
        decision = step(hot.plan, hot.state, event)
        ledger.enter(hot, event, decision)
        return decision.reply

    def _act(self, ledger: Ledger) -> None:
        for key, phase in ledger.touched.items():
            if phase >= X_SUCCEEDED:
                self._memory.drop(key)
            else:
                self._memory.weigh(key)
        soonest = ledger.soonest
        if soonest is not None and (self._next_due is None or soonest < self._next_due):
            self._next_due = soonest
        self.dispatch.submit(self.sharing.lasting(ledger.jobs))
        self._stumbled = self._stumbled or self.dispatch.holds
        if ledger.cancels:
            self.dispatch.cancel(ledger.cancels)
        for future, reply in ledger.replies:
            tell(future, reply)
        if ledger.touched:
            self._changes.announce(ledger.touched)
