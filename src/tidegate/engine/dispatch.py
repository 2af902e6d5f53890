"""
Handing attempts to the executor, and tracking which of them run.

An attempt that cannot be handed over now is *held*: for a reason outside the task, such as a full disk, missing code or a missing file,
a machine that is too small, or an executor that accepts nothing. It stays QUEUED, does not count as an attempt, is checked again each time, and continues
when the reason is gone, also with the next owner (`shelf`). What only a worker can find out, such as a missing module, is retried after a pause (`probes`).
"""

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, TypeAlias

from msgspec import Struct

from tidegate.core.attempts import submitted
from tidegate.core.messages import TakenUp
from tidegate.engine.handover import Handover, is_last, whose
from tidegate.engine.ledger import Ledger
from tidegate.engine.memory import Memory
from tidegate.engine.probes import Hindrance, Probes, attempt_of
from tidegate.engine.shelf import Shelf
from tidegate.errors import StoreDamaged, StoreFull, UnknownExecution
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.parts import Parts, reason
from tidegate.ports.clock import Clock
from tidegate.ports.executor import (
    LEFT,
    MISSING,
    NO_CLUSTER,
    NO_OBJECTS,
    NO_ROOM,
    NO_WORKER,
    Attempt,
    Began,
    Elsewhere,
    Executor,
    Hindered,
    Job,
    KeepsAttempts,
    Report,
)
from tidegate.ports.journal import Key
from tidegate.ports.store import Store

LOOKS: Final = 100
"""How many held attempts that still may not start are checked in one turn: some tenths of a millisecond."""

UNWANTED: Final = 1_000
"""How many unwanted attempts are remembered, because an executor may just have reported that they could not start; and differences already reported."""


class Held(Struct, frozen=True):
    """An attempt that is held, why, and since when."""

    job: Job
    code: str
    why: str
    since: Instant


Hinders: TypeAlias = Callable[[Job], Hindrance | None]

log = logging.getLogger(__name__)


def nothing_hinders(job: Job) -> None:
    """Say of any attempt that it may start."""
    del job


def nowhere_else(execution: str) -> str:
    """Say of any execution that its attempts run in the store's workers."""
    del execution
    return ""


def ends_with_nobody(attempt: Attempt) -> bool:
    """Say of any attempt that it may go on."""
    del attempt
    return False


class Outlook(Struct, frozen=True):
    """What is checked before an attempt is handed over: why it cannot start, and in which workers the attempts of an execution run."""

    hinders: Hinders = nothing_hinders
    where: Callable[[str], str] = nowhere_else
    keeping: KeepsAttempts | None = None
    """What keeps attempts beyond this process, if anything does."""
    stays: Callable[[Attempt], bool] = ends_with_nobody
    """Says of which attempts that they end if their execution gets another owner."""


class Dispatch:
    """
    The engine's side of the executor; `outlook` says why an attempt cannot start. Used on the engine's thread, except `drain`, `end` and `held`.

    `missing` has what is missing for executions that are held for that.
    """

    def __init__(
        self,
        executor: Executor,
        store: Store,
        parts: Parts,
        clock: Clock,
        outlook: Outlook,
        missing: dict[Key, str],
    ) -> None:
        self._executor = executor
        self._part = parts.part("attempts", tidies=True)
        self._clock = clock
        self._hinders = outlook.hinders
        self._keeping = outlook.keeping
        self._handover = None
        if store.reports is not None and outlook.keeping is None:
            self._handover = Handover(store.reports, executor, outlook.stays)
        self._missing = missing
        self._draining = False
        self._gives_back = False
        self._running: set[Attempt] = set()
        self.out: set[Attempt] = set()
        """Attempts that the executor has, whether or not they have begun."""
        self.serves: Callable[[Key], bool] = lambda _: True
        """Says which executions are decided about here."""
        self.sets_aside: Callable[[Key], bool] | None = None
        """Says of which executions no more attempts are handed over, because another server is about to own them."""
        self._aside: list[Job] = []
        self._recalled: set[Attempt] = set()
        self._held: dict[Attempt, Held] = {}
        self._probes = Probes(outlook.where)
        self.shelf = Shelf(store.journal)
        self.elsewhere = 0
        """How many attempts started where their code imports other packages than at launch."""
        self._kept: dict[Key, dict[NodeId, int]] = {}
        self._differ: dict[Key, str] = {}
        self._cut: set[Attempt] = set()
        """Attempts that `end` has ended, though some may have been handed over in that moment."""
        self._unwanted: deque[Attempt] = deque(maxlen=UNWANTED)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Hand over these attempts, after those that are held; while draining, leave them to the next host."""
        if not (jobs or self._held):
            return
        if self._draining:
            self._held.clear()
            for job in jobs:
                self._leave(job)
            self.shelf.keep()
            return
        if self.sets_aside is not None:
            self._aside += [job for job in jobs if self.sets_aside(job.key)]
            jobs = [job for job in jobs if not self.sets_aside(job.key)]
        free = self._look_again() if self._held else []
        free += [job for job in jobs if not self._is_hindered(job)]
        if free:
            self._hand_over(free)
        self.shelf.keep()
        if not self._held:
            self._probes.clear()
            self._part.works()

    def _look_again(self) -> list[Job]:
        """Return the held attempts that may start now. Every turn of the engine comes here, so it stops after a few that may not; the next ones are checked next time."""
        free, hindered = [], 0
        for each in self.held():
            if self._probes.is_out(attempt_of(each.job)):
                continue
            if not self._is_hindered(each.job):
                free.append(each.job)
            elif (hindered := hindered + 1) == LOOKS:
                break
        return free

    def _hand_over(self, jobs: list[Job]) -> None:
        try:
            self.shelf.release([(job.key, job.node) for job in jobs])
            self.out.update(map(attempt_of, jobs))
            self._executor.submit(jobs)
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of them has begun
            is_known = any(
                each.code in {NO_ROOM, NO_OBJECTS, NO_WORKER} for each in self._held.values()
            )
            for job in jobs:
                self._probes.ended(attempt_of(job), began=False)
                self.out.discard(attempt_of(job))
                # The store may have no room to record that they start.
                code = NO_ROOM if isinstance(error, StoreFull) else NO_WORKER
                self._hold(job, Hindrance(code, reason(error)))
            self._part.failed(error, quietly=is_known)
        else:
            if self._held:
                for job in jobs:
                    if not self._probes.is_out(attempt_of(job)):
                        self._release(attempt_of(job))

    def _is_hindered(self, job: Job) -> bool:
        seen = self._hinders(job)
        hindrance = seen or self._probes.hinders(job, self._clock.now())
        if hindrance is None:
            return False
        self._keep_back(job, hindrance)
        if seen is not None and seen.code == MISSING:
            self._missing[job.key] = seen.why
        return True

    def _keep_back(self, job: Job, hindrance: Hindrance) -> None:
        is_known = self._hold(job, hindrance)
        if not is_known:
            log.warning("execution %s, node %s is held: %s", job.id, job.node, hindrance.why)
        self._part.failed(hindrance.why, quietly=True)

    def _hold(self, job: Job, hindrance: Hindrance) -> bool:
        """Keep an attempt for later; return whether it was already held for that."""
        attempt = attempt_of(job)
        before = self._held.get(attempt)
        is_known = before is not None and before.code == hindrance.code
        since = before.since if before is not None and is_known else None
        since = since or self.shelf.since(attempt, hindrance.code) or self._clock.now()
        self._held.pop(attempt, None)  # to the end: the others are checked before it comes up again
        self._held[attempt] = Held(job, hindrance.code, hindrance.why, since)
        self.shelf.add(attempt, hindrance.code, hindrance.why, since)
        if before is not None:
            self._missing.pop(job.key, None)
        return is_known

    def _release(self, attempt: Attempt) -> None:
        # If another node of the execution is held, it reports that at the next check.
        if self._held.pop(attempt, None) is not None:
            self._missing.pop(attempt.key, None)

    def held(self) -> list[Held]:
        """Return the held attempts, in the order in which they were to start."""
        return list(self._held.values())

    @property
    def holds(self) -> bool:
        """Whether anything is held."""
        return bool(self._held)

    def cancel(self, attempts: Sequence[tuple[Key, NodeId, int]]) -> None:
        """End these attempts, if they run."""
        self._running.difference_update(attempts)
        self.out.difference_update(attempts)
        self._recalled.difference_update(attempts)
        if self._aside:
            self._aside = [job for job in self._aside if attempt_of(job) not in set(attempts)]
        self._unwanted.extend(Attempt(*each) for each in attempts)
        self.shelf.forget([(key, node) for key, node, _ in attempts])
        if self._held:
            for key, node, attempt in attempts:
                self._probes.ended(Attempt(key, node, attempt), began=False)
                self._release(Attempt(key, node, attempt))
            if not self._held:
                self._part.works()
        try:
            if self._handover is not None:
                self._handover.cancel([Attempt(*each) for each in attempts])
            for key, node, attempt in attempts:
                self._executor.cancel(key, node, attempt)
        except Exception:
            log.exception("%d attempts could not be cancelled", len(attempts))
        if self._gives_back:
            for key, node, attempt in attempts:
                self.shelf.add(Attempt(key, node, attempt + 1), LEFT, "", self._clock.now())
            self.shelf.keep()

    def recall(self, wanted: Callable[[Key], bool]) -> None:
        """Take back attempts of these executions that have not begun."""
        waiting = sorted(each for each in self.out - self._running if wanted(each.key))
        self._recalled.update(waiting)
        self._executor.recall(waiting)

    def take_back(self) -> None:
        """Hand over what was set aside, unless it still is."""
        aside, self._aside = self._aside, []
        if aside:
            self.submit(aside)

    def leave_aside(self, is_given: Callable[[Key], bool]) -> None:
        """Leave what was set aside of these executions to their next owner, under the same numbers."""
        aside, self._aside = self._aside, []
        for job in aside:
            if is_given(job.key):
                self._leave(job)
            else:
                self._aside.append(job)
        self.shelf.keep()

    def leave(self, serves: Callable[[Key], bool]) -> None:
        """Forget the attempts of executions that others own by now, and end those that run."""
        self.shelf.leave(serves)
        for attempt in [each for each in self._held if not serves(each.key)]:
            self._probes.ended(attempt, began=False)
            self._release(attempt)
        self._aside = [job for job in self._aside if serves(job.key)]
        gone = sorted(each for each in self.out if not serves(each.key))
        self._recalled.difference_update(gone)
        self._running.difference_update(gone)
        self.out.difference_update(gone)
        self._unwanted.extend(gone)
        cut, self._cut = self._cut, set()
        if self._handover is not None:
            self._handover.give_up(cut, given_back=False)
        if self._keeping is not None:
            self._keeping.release(gone)
            return
        for attempt in gone if self._handover is None else self._handover.release(gone):
            self._executor.cancel(*attempt)

    def end(self, is_lost: Callable[[Key], bool]) -> None:
        """End attempts of executions that others may own by now, from any thread; `leave` follows."""
        for attempt in sorted(self.out.copy()) if self._keeping is None else ():
            if is_lost(attempt.key):
                self._cut.add(attempt)
                self._executor.cancel(*attempt)

    def binding(self, *, keeps: bool) -> Collection[Attempt]:
        """Return the attempts that end if their executions get another owner; with `keeps`, one that knows of those that go on here."""
        if self._keeping is not None:
            return ()
        return self._handover.binding(self.out) if keeps and self._handover else self.out

    def hand_over(self, is_given: Callable[[Key], bool]) -> None:
        """Let the attempts of these executions go on while others take them over. Errors: `StoreError`."""
        if self._handover is not None:
            self._handover.hand_over(sorted(each for each in self.out if is_given(each.key)))

    def follow(
        self,
        deliver: Callable[[Sequence[Report]], None],
        aside: Callable[[Callable[[], None]], None],
    ) -> None:
        """Hear of attempts elsewhere by `deliver`; have the engine's thread do what is to be done about those here by `aside`."""
        if self._handover is not None:
            self._handover.follow(deliver, aside)

    def heard(self, reports: Sequence[Report]) -> list[Report]:
        """Track what runs, hold what could not start, and return the events for the machine."""
        told = []
        for report in reports if self._handover is None else self._handover.sort(reports):
            if isinstance(report.outcome, Hindered):
                self.out.discard(Attempt(report.key, report.node, report.attempt))
                self._hear_hindered(report, report.outcome)
                continue
            if self._is_left(report):
                if self.serves(report.key):
                    self._executor.cancel(report.key, report.node, report.attempt)
                continue
            told.append(report)
            self.shelf.began(report.key, report.node)
            if isinstance(report.outcome, Elsewhere):
                self._note_elsewhere(report, report.outcome.differs)
            elif isinstance(report.outcome, Began):
                self._running.add(Attempt(report.key, report.node, report.attempt))
            else:
                ended = Attempt(report.key, report.node, report.attempt)
                self._running.discard(ended)
                self._recalled.discard(ended)
            if self._held:
                attempt = Attempt(report.key, report.node, report.attempt)
                self._probes.ended(attempt, began=True)
                self._release(attempt)
                if not self._held:
                    self._part.works()
        self.shelf.keep()
        if self._aside and self.sets_aside is None:
            self.take_back()  # nothing is to be given up any longer, so nobody else does it
        return told

    def _is_left(self, report: Report) -> bool:
        """Whether an attempt runs that nobody here wants: an earlier owner has left it, and died before it could end it."""
        if self._keeping is None or not isinstance(report.outcome, Began):
            return False
        return Attempt(report.key, report.node, report.attempt) not in self.out

    def _note_elsewhere(self, report: Report, differs: str) -> None:
        self.elsewhere += 1
        if self._differ.get(report.key) != differs:
            if len(self._differ) >= UNWANTED:
                self._differ.clear()
            self._differ[report.key] = differs
            assert report.job is not None
            log.warning(
                "execution %s continues in another environment than it was launched in: %s",
                report.job.id,
                differs,
            )

    def _hear_hindered(self, report: Report, found: Hindered) -> None:
        job, hindrance = report.job, Hindrance(found.code, found.why)
        assert job is not None
        if found.code == LEFT:
            if attempt_of(job) in self._recalled:
                self._aside.append(job)  # handed over with the next `take_back`, if not given up
            else:
                self._leave(job)
            self._recalled.discard(attempt_of(job))
            return
        if found.code in {NO_ROOM, NO_CLUSTER}:
            # It applies to all of them, and is checked without a trial.
            self._probes.ended(attempt_of(job), began=False)
        else:
            self._probes.failed(job, hindrance, self._clock.now())
        if attempt_of(job) not in self._unwanted:
            self._keep_back(job, hindrance)

    def _leave(self, job: Job) -> None:
        """Leave an attempt to the next owner."""
        if attempt_of(job) not in self._unwanted:
            self.shelf.add(attempt_of(job), LEFT, "", self._clock.now())

    def attach(self, keys: Sequence[Key], memory: Memory) -> None:
        """Find out which attempts outlive the owner that has submitted them, if the executor keeps any; after `shelf.take_up`."""
        keeping = self._keeping or self._handover
        if keeping is None:
            return
        # Not when they are told: that may have to be done again.
        self._kept.clear()
        found = []
        for key in keys if self._handover is None else self._handover.among(keys):
            with suppress(UnknownExecution, StoreDamaged):
                hot, unbegun = memory.get(key), self.shelf.unbegun(key)
                found += [
                    Attempt(key, node, number)
                    for node, number in submitted(hot.plan, hot.state)
                    if unbegun.get(node) != number
                ]
            memory.cool()
        for key, node, number in keeping.attach(found):
            self._kept.setdefault(key, {})[node] = number
            self.out.add(Attempt(key, node, number))

    def taken_up(self, key: Key, at: Instant) -> TakenUp:
        """Return what an execution is told that is taken over: which attempts did not start, and which outlive the owner before."""
        return TakenUp(at, self.shelf.unbegun(key), self._kept.get(key, {}))

    def stored(self, reports: Sequence[Report]) -> None:
        """Tell the executor which reports are stored."""
        ended = [whose(report) for report in reports if is_last(report)]
        self.out.difference_update(ended)
        if self._handover is not None:
            self._handover.stored(ended)
        if reports and self._keeping is not None:
            self._keeping.stored(reports)

    def own(
        self, reports: Sequence[Report], serves: Callable[[Key], bool], ledger: Ledger
    ) -> Iterator[Report]:
        """Yield the reports that concern this engine; those that were handed over meanwhile are passed on."""
        handover = self._handover
        for report in reports:
            if serves(report.key):
                if handover is not None and is_last(report) and handover.follows(whose(report)):
                    ledger.reported.append(whose(report))
                yield report
            elif handover is not None:
                handover.sort([report])

    def running(self) -> list[Key]:
        """Return the executions with an attempt that runs here, and perhaps some without one by now."""
        here = (each for each in self._running if not self._is_elsewhere(each))
        return sorted({attempt.key for attempt in here})

    def _is_elsewhere(self, attempt: Attempt) -> bool:
        return self._handover is not None and self._handover.follows(attempt)

    def give_back(self) -> list[Key]:
        """From now on attempts are cancelled because the host stops: the next one starts them under the next number. Return the executions that have some."""
        self._gives_back = True
        if self._handover is not None:
            self._handover.give_up(given_back=True)
        return self.running() if self._keeping is None else []

    def drain(self) -> "Future[None]":
        """Stop handing over attempts. The future is done when nothing runs."""
        self._draining = True
        return self._executor.drain()
