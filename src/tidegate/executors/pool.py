"""
The pool: runs attempts in workers, and reports on them. One thread, which sleeps until something happens.

Rule 1: an attempt is started at most once. What a worker has not started can be taken back from it, and is then certain not to start (see `frames`).
Rule 2: only the attempt that was running when its worker crashed or overran is blamed; what waited behind it goes back to the head of the queue.
Rule 3: an attempt whose worker is ended is reported once that process and all its descendants are killed; so a repeated attempt
        does not meet the previous one.
Rule 4: a pool that fails, by an internal error or an unusable directory, ends its workers, and leaves its obligations in `orders` to the next pool:
        what had started is reported as lost, what had not is started there. While no worker can be started, attempts wait.
"""

import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import assert_never

from msgspec import DecodeError
from msgspec.structs import replace

from tidegate import disk
from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.executors.backlog import Attempt, attempt_of
from tidegate.executors.child import FOREVER, Child, Query, Ticket, refuse
from tidegate.executors.endings import TERMINATED, ended_by, tail
from tidegate.executors.fence import end_below, end_life
from tidegate.executors.fork_server import BORN, ENDED, UP, ForkServer
from tidegate.executors.frames import Checked, Described, Differs, Done, Ready, Started, Unable, Up
from tidegate.executors.frozen import forget_published, freeze_published
from tidegate.executors.memory import weigh
from tidegate.executors.orders import Orders
from tidegate.executors.roster import CLOSED, GRACE, MOMENT, Roster, Site, expect
from tidegate.executors.verdicts import Ending, outcome_of
from tidegate.executors.written import look
from tidegate.home import BLOBS, SCRATCH
from tidegate.ir.graph import SECOND, Micros
from tidegate.logs import Logs, keep_log
from tidegate.ports.executor import (
    LEFT,
    NO_OBJECTS,
    NO_ROOM,
    Began,
    Elsewhere,
    Hindered,
    Job,
    Lost,
    Outcome,
    Raised,
    Report,
)

ANNOUNCE_AFTER = 0.1
"""Seconds after which the start of an attempt is reported."""
DEAF = 10
"""How many times the fork server is asked to end a worker, before it is ended directly."""
GIVE_UP = 5.0
"""Seconds after which closing no longer waits for processes that the system cannot end."""


class Pool:
    """Carries out `orders` until it is closed, or fails. Everything here belongs to the pool's thread."""

    def __init__(
        self, site: Site, orders: Orders, deliver: Callable[[Sequence[Report]], None]
    ) -> None:
        self._site = site
        self._logs = Logs(site.home)
        self._objects = site.surroundings.objects
        blobs = BlobDirectory(site.home / BLOBS) if self._objects is None else self._objects.files
        self._blobs = BlobFiles(blobs)
        self._orders = orders
        self._deliver = deliver
        self._selector = selectors.DefaultSelector()
        self._roster = Roster(site, self._selector, self._add)
        self._endings: dict[Child, Ending] = {}
        self._reports: list[Report] = []
        self._closed_at = FOREVER
        self._now = time.monotonic()

    @property
    def _closing(self) -> bool:
        return self._closed_at < FOREVER

    def run(self) -> None:
        """Run the pool until it is closed and every worker is gone. Errors: whatever ends it; then nothing is lost, and nothing runs."""
        try:
            disk.make_directory(self._site.home / SCRATCH, durable=False)
            self._selector.register(self._orders.awake, selectors.EVENT_READ)
            self._take_over()
            self._loop()
        finally:
            self._let_go()

    def _take_over(self) -> None:
        """Continue what a failed pool has left."""
        self._roster.backlog.add(self._orders.jobs.values())
        self._orders.children = self._roster.children
        self._roster.queries.extend(self._orders.queries)
        self._orders.queries.clear()
        self._orders.wake()

    def _loop(self) -> None:
        while self._now < self._closed_at + GIVE_UP if self._roster.children else not self._closing:
            ready = self._selector.select(self._pause())
            self._now = time.monotonic()
            for key, _ in ready:
                if key.data is None:
                    self._read_orders()
                elif key.data is self._roster.fork_server and isinstance(key.data, ForkServer):
                    self._hear_fork_server(key.data)
                elif key.data in self._roster.children:
                    self._roster.flush(key.data)
                    self._listen(key.data)
            for child in self._roster.children.copy():
                self._look_at(child)
            if not self._closing:
                self._roster.tend(self._now)
                self._roster.place(self._now, attempts=self._may_begin())
                self._look_at_drain()
            self._report()

    def _let_go(self) -> None:
        """End all workers, and release every descriptor. After an internal error nothing else can be relied on, so each step stands alone."""
        lost: list[Job] = []
        for child in self._roster.children:
            with suppress(Exception):
                self._roster.put_back(child.take_back())
            for ticket in child.tickets:
                if isinstance(ticket.work, Job):
                    lost.append(ticket.work)
                else:
                    refuse(ticket.work, "its worker was ended; try again")
            if child.process is not None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.process, signal.SIGKILL)
        if self._roster.fork_server is not None:
            with suppress(Exception):
                self._roster.fork_server.close()
        if self._roster.children and not self._closing:
            # Also unreported ones, and their descendants.
            end_life(self._site.mark)
        for child in self._roster.children:
            with suppress(Exception):
                child.close()
        self._selector.close()
        self._orders.queries.extend(self._roster.queries)
        if self._closing:
            with suppress(Exception):
                self._leave_rest()
        else:
            for job in lost:
                self._add(job, Lost())
        self._report()

    def _leave_rest(self) -> None:
        """Leave what no worker has started to the next owner."""
        self._read_orders()
        for bundle in self._roster.backlog.bundles():
            for job in self._roster.backlog.take_all(bundle):
                self._add(job, Hindered(LEFT, ""))

    # ---- wishes, carried out by the pool's thread ----

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take jobs into the queue."""
        self._orders.jobs.update((attempt_of(job), job) for job in jobs)
        self._roster.backlog.add(jobs)

    def ask(self, query: Query) -> None:
        """Take a question."""
        if self._closing:
            refuse(query, CLOSED)
        else:
            self._roster.queries.append(query)

    def cancel(self, attempt: Attempt) -> None:
        """Forget an attempt, and end its worker if it runs."""
        self._orders.jobs.pop(attempt, None)
        if self._roster.backlog.drop(attempt):
            return
        for child in self._roster.children:
            for ticket in child.tickets:
                if isinstance(ticket.work, Job) and attempt_of(ticket.work) == attempt:
                    self._end_for(child, Ending(ticket))
                    # It had not started if it came back into the queue.
                    self._roster.backlog.drop(attempt)
                    return

    def recall(self, attempts: Sequence[Attempt]) -> None:
        """Leave those of these attempts that no worker has."""
        for attempt in filter(self._roster.backlog.drop, attempts):
            self._add(self._orders.jobs[attempt], Hindered(LEFT, ""))

    def drain(self, drained: "Future[None]") -> None:
        """Start no more attempts. The future is done when none runs."""
        self._orders.drained = drained
        for child in self._roster.children:
            self._roster.put_back(child.take_back())

    def close(self) -> None:
        """End every worker."""
        self._closed_at = self._now
        for child in self._roster.children:
            child.end(self._now + GRACE)
        for query in self._roster.queries:
            refuse(query, CLOSED)
        self._roster.queries.clear()

    # ---- what workers say ----

    def _read_orders(self) -> None:
        while (wish := self._orders.next()) is not None:
            wish(self)
            self._orders.done()

    def _hear_fork_server(self, fork_server: ForkServer) -> None:
        numbered = {child.number: child for child in self._roster.children}
        try:
            for what, number, argument in fork_server.hear():
                child = numbered.get(number)
                if what in (UP, BORN):
                    fork_server.is_up = True
                    self._site.fork_server.works()
                if child is None:
                    continue
                if what == BORN:
                    child.process = argument
                elif what == ENDED:
                    child.code = argument
        except EOFError:
            code, words = self._roster.lose_fork_server()
            for child in numbered.values():
                # Those that were alive are killed now, through no fault of theirs.
                self._report_ended(child, -signal.SIGTERM)
            if not self._closing:
                why = f"its process ended with {ended_by(code)}"
                self._roster.cannot_start(self._site.fork_server, why, words)

    def _listen(self, child: Child) -> None:
        try:
            said = child.hear()
            for message in said:
                self._take_in(child, message)
        except EOFError:
            # It is about to end; or its task has closed all descriptors, and nothing more will come.
            self._roster.stop_listening(child)
        except (ValueError, DecodeError):
            self._roster.stop_listening(child)
            child.kill()

    def _take_in(self, child: Child, message: Up) -> None:
        if child in self._endings:
            return  # it was told to end, and reports after that do not count
        match message:
            case Ready():
                child.ready = True
                child.hired = self._now
                self._roster.failures = 0
                self._site.pool.works()
                self._await_next(child)
            case Started(number):
                ticket = _head(child, number)
                if isinstance(ticket.work, Job):
                    child.loaded.add(ticket.work.target)
                    if ticket.announced:
                        self._announce(child, ticket)
                    if ticket.work.timeout is not None:
                        ticket.deadline = self._now + ticket.work.timeout / SECOND
            case Differs(number, differs):
                ticket = _head(child, number)
                if isinstance(ticket.work, Job):
                    self._add(ticket.work, Elsewhere(differs))
            case Done(number, micros, outcome):
                ticket = self._finish(child, number)
                if isinstance(ticket.work, Job):
                    if not isinstance(outcome, Hindered):
                        child.quick = micros < MOMENT * SECOND
                    self._add(ticket.work, outcome, micros)
            case Described(number) | Checked(number) | Unable(number):
                ticket = self._finish(child, number)
                if isinstance(ticket.work, Query):
                    ticket.work.answer.set_result(message)
            case _:
                assert_never(message)

    def _finish(self, child: Child, number: int) -> Ticket:
        ticket = _head(child, number)
        child.tickets.popleft()
        ticket.unlink_live()
        self._await_next(child)
        return ticket

    def _await_next(self, child: Child) -> None:
        # The next one starts about now. Never before: the end of the previous one is reported first.
        if child.tickets:
            expect(child.tickets[0], self._now)
        else:
            child.idle_since = self._now

    def _add(self, job: Job, outcome: Outcome, micros: int = 0) -> None:
        if not isinstance(outcome, Began | Elsewhere):
            self._orders.jobs.pop(attempt_of(job), None)
            forget_published(outcome, job, self._logs)
            if self._objects is not None and not isinstance(outcome, Hindered):
                self._objects.settle(job.id, job.node, job.attempt)
        whose = job if isinstance(outcome, Hindered | Elsewhere) else None
        self._reports.append(Report(job.key, job.node, job.attempt, outcome, Micros(micros), whose))

    def _report(self) -> None:
        if self._reports:
            self._deliver(self._reports)
            self._reports = []

    # ---- timers ----

    def _pause(self) -> float | None:
        soonest = FOREVER
        for child in self._roster.children:
            soonest = min(soonest, _next_look(child, self._site.idle))
        soonest = min(soonest, self._roster.next_look(self._now))
        return None if soonest == FOREVER else max(0.0, soonest - time.monotonic())

    def _look_at(self, child: Child) -> None:
        if child.code is not None:
            self._report_ended(child, child.code)
        elif child.ending:
            if self._now >= child.kill_at:
                child.kill_at = self._now + GRACE
                self._kill(child)
        elif child.process is None:
            pass  # the fork server is checked for that
        elif not child.tickets:
            if child.ready and (
                self._now >= child.idle_since + self._site.idle or self._roster.is_surplus(child)
            ):
                child.end(self._now + GRACE)
        else:
            self._look_at_head(child, child.tickets[0])

    def _look_at_drain(self) -> None:
        drained = self._orders.drained
        if drained is None or drained.done():
            return
        if not any(
            isinstance(t.work, Job) for child in self._roster.children for t in child.tickets
        ):
            self._report()
            with suppress(InvalidStateError):  # no pool ran for a moment, so nothing did
                drained.set_result(None)

    def _kill(self, child: Child) -> None:
        """End a worker; if the fork server does not, end it directly, and then its silence is its end."""
        child.kill()
        child.kills += 1
        if child.kills > DEAF and child.process is not None:
            end_below(child.process)
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process, signal.SIGKILL)
            if child.kills > DEAF + 1 and not child.events:
                child.code = -signal.SIGKILL

    def _look_at_head(self, child: Child, head: Ticket) -> None:
        if self._now >= head.deadline:
            self._end_for(child, Ending(head, expired=True))
            return
        if self._now >= head.weigh and (used := weigh(head, child.process)):
            self._end_for(child, Ending(head, used=used))
            return
        if self._now >= head.since + MOMENT and len(child.tickets) > 1:
            self._roster.put_back(child.take_back())
        if self._now >= head.since + ANNOUNCE_AFTER and not head.announced:
            head.announced = True
            head.look, head.looked = self._now, head.since
            self._announce(child, head)
        elif self._now >= head.look and (why := look(child, head, self._site.home)):
            self._end_for(child, Ending(head, overfull=why))

    def _announce(self, child: Child, ticket: Ticket) -> None:
        """Report that an attempt has started, once its code is imported: until then it may turn out that it cannot."""
        if isinstance(ticket.work, Job) and ticket.work.target in child.loaded and not ticket.began:
            ticket.began = True
            self._add(ticket.work, Began())
            self._link_live(child, ticket, ticket.work)

    def _link_live(self, child: Child, ticket: Ticket, job: Job) -> None:
        path = self._logs.live_path(job.id, job.node, job.attempt)
        with suppress(OSError):  # a log that cannot be watched does not stop it
            disk.make_directory(path.parent, durable=False)
            path.unlink(missing_ok=True)
            path.hardlink_to(child.scratch)
            ticket.live = path
        if self._objects is not None:
            self._objects.follow(job.id, job.node, job.attempt)

    def _may_begin(self) -> bool:
        """Whether attempts may start now. For lack of room on the disk, or of the object store, they may not, and the engine holds them."""
        if self._orders.drained is not None:
            return False
        backlog = self._roster.backlog
        if backlog.is_empty:
            return True
        code, why = NO_ROOM, disk.lacks_room(self._site.home)
        if not why and self._objects is not None:
            code, why = NO_OBJECTS, self._objects.why
        if not why:
            return True
        for child in self._roster.children:
            self._roster.put_back(child.take_back())
        for bundle in backlog.bundles():
            for job in backlog.take_all(bundle):
                self._add(job, Hindered(code, why))
        return False

    # ---- how workers end ----

    def _end_for(self, child: Child, ending: Ending) -> None:
        """End a worker because of its current attempt, unless that turns out to be over."""
        if child.ending:
            return
        self._roster.put_back(child.take_back())
        # From here on nothing starts in it, and a report on earlier work is available.
        self._listen(child)
        if ending.ticket in child.tickets:
            self._endings[child] = ending
            child.end(self._now + GRACE)

    def _report_ended(self, child: Child, code: int) -> None:
        """Report on what an ended worker had started, and release it."""
        self._roster.put_back(child.take_back())
        self._listen(child)
        self._roster.dismiss(child)
        ending = self._endings.pop(child, None)
        for ticket in child.tickets:
            ticket.unlink_live()
            self._account(child, ticket, code, ending)
        if not child.ready and not child.ending and code not in TERMINATED:
            why = f"no worker can be started: its process ends at once with {ended_by(code)}"
            self._roster.cannot_start(self._site.pool, why, tail(child.printed))
        child.close()

    def _account(self, child: Child, ticket: Ticket, code: int, ending: Ending | None) -> None:
        match ticket.work:
            case Query() as query:
                refuse(query, *self._unanswered(query, child, code, ending))
            case Job() as job:
                self._orders.jobs.pop(attempt_of(job), None)
                outcome = outcome_of(job, code, ending, child.printed)
                with suppress(OSError):  # a log that cannot be kept does not stop it
                    keep_log(child.printed, self._logs.path(job.id, job.node, job.attempt))
                if self._closing:
                    # The next owner submits it; if it has started, as another attempt.
                    if not ticket.began and job.target not in child.loaded:
                        self._add(job, Hindered(LEFT, ""))
                    return
                if isinstance(outcome, Raised):
                    outcome = replace(outcome, deck=freeze_published(job, self._logs, self._blobs))
                if outcome is not None:
                    self._add(job, outcome)
            case _:
                assert_never(ticket.work)

    def _unanswered(
        self, query: Query, child: Child, code: int, ending: Ending | None
    ) -> tuple[str, str]:
        """Return why a question has no answer, and what was printed."""
        if self._closing:
            return CLOSED, ""
        if ending is not None:
            return f"importing it takes longer than {query.timeout:g} s", ""
        return f"importing it ends the process with {ended_by(code)}", tail(child.printed)


def _head(child: Child, number: int) -> Ticket:
    if not child.tickets or child.tickets[0].number != number:
        raise ValueError(f"assignment {number} is not the one that is running")
    return child.tickets[0]


def _next_look(child: Child, idle: float) -> float:
    """Return when a worker needs attention because of time alone."""
    soonest = FOREVER
    if child.ending:
        return min(soonest, child.kill_at)
    if child.process is None:
        return soonest
    if not child.tickets:
        return min(soonest, child.idle_since + idle)
    head = child.tickets[0]
    soonest = min(soonest, head.deadline, head.weigh)
    if head.announced:
        soonest = min(soonest, head.look)
    else:
        soonest = min(soonest, head.since + ANNOUNCE_AFTER)
    if len(child.tickets) > 1:
        soonest = min(soonest, head.since + MOMENT)
    return soonest
