"""
Who gets what: the workers there are, what waits for them, and which worker is given which attempt.

A worker has one attempt at a time, plus the next one if its last took only a moment: asking for it would take as long. The bundle with the earliest waiting attempt is served first;
if it has no worker, the first idle one makes room for one, unless that one has only just started.
"""

import itertools
import os
import selectors
import signal
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec import Struct

from tidegate import disk
from tidegate.core.messages import TASK_RAISED, final
from tidegate.core.traces import is_traced, traceparent
from tidegate.executors import shares
from tidegate.executors.backlog import Backlog
from tidegate.executors.child import FOREVER, Child, Query, Ticket, refuse, working_directory
from tidegate.executors.endings import last_words, tail
from tidegate.executors.fence import Mark, end_life
from tidegate.executors.fork_server import EVERYTHING, ForkServer
from tidegate.executors.frames import Run, Setup, pack
from tidegate.executors.memory import WEIGH_EVERY
from tidegate.executors.surroundings import Surroundings
from tidegate.home import SCRATCH
from tidegate.ir.graph import ORDINARY
from tidegate.parts import Part, reason
from tidegate.ports.executor import Capacity, Job, Outcome, Raised

MOMENT = 0.02
"""Seconds: an attempt that takes longer has none queued behind it in its worker."""
CLOSED = "the workers were closed"
GRACE = 0.5
"""Seconds between asking a process to end and ending it."""
IMPORT_LIMIT = 300.0
"""Seconds that importing the code of an attempt with a timeout may take; the timeout starts after it."""
TENURE = 1.0
"""Seconds that a worker stays with its bundle, although another bundle has none; starting a worker takes a tenth of that."""
FALSE_STARTS = 5
"""Consecutive workers that cannot be started before questions fail."""
SILENT = 5.0
"""Seconds after which a fork server that does not reply counts as down. It replies within 20 ms (measured, idle machine)."""
HUNG = 30.0
"""Seconds after which such a fork server is ended, and everything it has forked is lost: late, because a machine that swaps may only be slow."""
EXTRA = 2
"""Workers beyond the cap, for questions while all others run attempts."""

# One count for all pools of this process, which may share a directory.
_numbers = itertools.count(1)


class Site(Struct, frozen=True):
    """Where workers run, how many there may be and what their attempts may take, the seconds after which an idle one ends, their owner, and the parts that report on them."""

    home: Path
    workers: int
    capacity: Capacity
    idle: float
    mark: Mark
    pool: Part
    fork_server: Part
    surroundings: Surroundings = EVERYTHING
    strict: bool | None = None
    """Whether attempts are held where their code imports other packages than at launch; None: as the execution says."""
    store: str = ""
    """Where bundles are, and blobs that are not in `home`."""


class Roster:
    """The workers, and what waits for them. `add` takes reports on jobs for which no worker could be started."""

    def __init__(
        self,
        site: Site,
        selector: selectors.BaseSelector,
        add: Callable[[Job, Outcome], None],
    ) -> None:
        self.children: list[Child] = []
        self.queries: deque[Query] = deque()
        self.backlog = Backlog()
        self.fork_server: ForkServer | None = None
        self.failures = 0
        """Consecutive workers that could not be started."""
        self.hire_after = 0.0
        """When the next worker can be started after a failure."""
        self._site = site
        self._selector = selector
        self._add = add
        self._now = 0.0

    def place(self, now: float, *, attempts: bool) -> None:
        """Give questions to workers, and attempts if any may start; start the workers that are needed."""
        self._now = now
        self._place_queries()
        if not attempts:
            return
        for bundle in self.backlog.bundles():
            if self._place(bundle):
                return

    def put_back(self, tickets: list[Ticket]) -> None:
        """Requeue what was taken back from a worker, before all others."""
        self.backlog.put_back([t.work for t in tickets if isinstance(t.work, Job)])
        self.queries.extendleft(t.work for t in tickets if isinstance(t.work, Query))

    def dismiss(self, child: Child) -> None:
        """Take an ended worker off the list."""
        self.stop_listening(child)
        self.children.remove(child)

    def stop_listening(self, child: Child) -> None:
        """Stop listening to a worker."""
        if child.events:
            self._selector.unregister(child.stream)
            child.events = 0

    def lose_fork_server(self) -> tuple[int, str]:
        """Release a fork server that has ended, and end its workers with their descendants; return its exit code and its last output."""
        assert self.fork_server is not None
        self._selector.unregister(self.fork_server.control)
        words = tail(self.fork_server.printed)
        code = self.fork_server.close()
        self.fork_server = None
        # First, because it finds a worker's descendants; outside Linux there are only process groups.
        end_life(self._site.mark)
        for child in self.children:
            if child.process is not None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.process, signal.SIGKILL)
        return code, words

    def start_fork_server(self, now: float) -> ForkServer:
        """Start a fork server. Errors: `OSError`."""
        self._site.fork_server.begins()
        self.fork_server = ForkServer(
            self._scratch(next(_numbers)), self._site.mark, now, self._site.surroundings
        )
        self._selector.register(self.fork_server.control, selectors.EVENT_READ, self.fork_server)
        return self.fork_server

    def tend(self, now: float) -> None:
        """Restart a failed fork server, and end one that hangs."""
        self._now = now
        fork_server, part = self.fork_server, self._site.fork_server
        if self._site.pool.is_down and now >= self.hire_after and not self._is_wanted():
            self._site.pool.begins()  # nothing needs a worker, so nothing else will show that it works
        if fork_server is None:
            # Even if nothing needs it, so that it is known to work again.
            if part.is_down and now >= self.hire_after:
                try:
                    self.start_fork_server(now)
                except OSError as error:
                    self.cannot_start(part, f"it cannot be started: {reason(error)}")
            return
        silent = self._silent_since(fork_server)
        if now >= silent + HUNG:
            fork_server.kill()
        elif now >= silent + SILENT and not part.is_down:
            part.failed("its process does not reply")

    def next_look(self, now: float) -> float:
        """Return when something needs attention because of time alone."""
        soonest = self.hire_after if self.hire_after > now else FOREVER
        if self.fork_server is not None:
            silent = self._silent_since(self.fork_server)
            later = (at for at in (silent + SILENT, silent + HUNG) if at > now)
            soonest = min(soonest, *later, FOREVER)
        return soonest

    def _is_wanted(self) -> bool:
        return bool(self.queries or self.backlog.bundles())

    def _silent_since(self, fork_server: ForkServer) -> float:
        """Return since when the fork server has owed a reply."""
        asked = [each.asked for each in self.children if each.process is None and not each.ready]
        return min([*asked, FOREVER if fork_server.is_up else fork_server.since])

    def cannot_start(self, part: Part, why: str, words: str = "") -> None:
        """
        Record why no worker can be started; it is retried after a while.

        Attempts wait for that. Questions do not, once it has failed a few times: somebody waits for an answer. `words` is the output.
        """
        last = last_words(words)
        self.hire_after = time.monotonic() + part.failed(f"{why}: {last}" if last else why)
        self.failures += 1
        if self.failures >= FALSE_STARTS:
            for query in self.queries:
                refuse(query, why, words)
            self.queries.clear()

    def is_surplus(self, child: Child) -> bool:
        """Return whether a worker is surplus. Small attempts have more workers than the cap, which stay while more of these come."""
        return (
            len(self.children) > self._site.workers
            and child.bundle not in self.backlog
            and sum(not each.ending for each in self.children) > self._site.workers
        )

    def flush(self, child: Child) -> None:
        """Send a worker what there is room for, and wait for room for the rest."""
        child.flush()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if child.unsent else 0)
        if child.events not in {0, events}:
            child.events = events
            self._selector.modify(child.stream, events, child)

    def _room(self) -> int:
        return shares.room(self.children, self._site.capacity)

    def _may_begin(self, bundle: str) -> bool:
        """Return whether the first attempt of a bundle, if there is one, fits beside those that run."""
        first = self.backlog.first(bundle)
        return first is not None and shares.fits(first, self.children, self._site.capacity)

    def _hire(self, bundle: str) -> Child | None:
        """Start a worker; None if that fails, and then for a while no other is tried."""
        if self._now < self.hire_after:
            return None
        if self._site.pool.is_down:
            self._site.pool.begins()
        number = next(_numbers)
        try:
            scratch = self._scratch(number)
            setup = Setup(
                home=str(self._site.home),
                bundle=bundle,
                directory=str(working_directory(scratch)),
                printed=str(scratch),
                strict=self._site.strict,
                store=self._site.store,
                asks=str(self._site.surroundings.asks or ""),
            )
            fork_server = self.fork_server or self.start_fork_server(self._now)
            child = Child(number, bundle, setup, scratch, fork_server)
        except (BrokenPipeError, ConnectionResetError):
            return None  # the fork server is gone, which will be noticed at once
        except OSError as error:
            self.cannot_start(self._site.pool, f"no worker can be started: {reason(error)}")
            return None
        child.asked = self._now
        child.events = selectors.EVENT_READ
        self._selector.register(child.stream, child.events, child)
        self.children.append(child)
        return child

    def _scratch(self, number: int) -> Path:
        """Return a file for output. Errors: `OSError` if its directory is missing, and cannot be made."""
        scratch = self._site.home / SCRATCH
        disk.make_directory(scratch, durable=False)
        return scratch / f"{self._site.mark.life}-{number}.out"

    def _place_queries(self) -> None:
        for query in self.queries.copy():
            child = next((c for c in self.children if c.bundle == query.bundle and _free(c)), None)
            if child is None and self._room() > -EXTRA * ORDINARY.cpu:
                child = self._hire(query.bundle)
            if child is not None:
                self.queries.remove(query)
                ticket = child.assign(query, partial(_question, query))
                expect(ticket, self._now)
                self.flush(child)

    def _place(self, bundle: str) -> bool:
        """Hand out jobs of a bundle. True if nothing behind it may start: it has no worker, or requests more than is left, and must get what becomes free next."""
        staff = [c for c in self.children if c.bundle == bundle and not c.ending]
        for child in staff:
            while not child.tickets and self._may_begin(bundle):
                self._assign(child)
        while self._may_begin(bundle) and self._room() >= shares.needed(self.backlog.next(bundle)):
            hired = self._hire(bundle)
            if hired is None:
                break
            staff.append(hired)
            self._assign(hired)
        first = self.backlog.first(bundle)
        waits = first is not None and shares.is_heavy(first) and not self._may_begin(bundle)
        if first is not None and not waits:
            self._make_room(bundle, needy=not staff)
            self._assign_ahead(bundle, staff)
        for child in staff:
            self.flush(child)
        if waits:
            return True
        leaving = any(c.ending for c in self.children)
        settled = any(self._now >= c.hired + TENURE for c in self.children)
        return not staff and bundle in self.backlog and not leaving and settled

    def _make_room(self, bundle: str, *, needy: bool) -> None:
        """End idle workers of other bundles, as many as can be used."""
        wanted = self.backlog.count(bundle) - sum(c.ending for c in self.children)
        for child in self.children:
            other = child.bundle != bundle and _free(child)
            spare = child.bundle not in self.backlog or (
                needy and self._now >= child.hired + TENURE
            )
            if wanted > 0 and other and spare:
                child.end(self._now + GRACE)
                wanted -= 1

    def _assign_ahead(self, bundle: str, staff: list[Child]) -> None:
        for child in staff:
            if bundle not in self.backlog:
                return
            if not (child.quick and len(child.tickets) == 1):
                continue
            head = child.tickets[0]
            if self._now >= head.since + MOMENT or not isinstance(head.work, Job):
                continue
            if shares.may_follow(self.backlog.next(bundle), head.work):
                self._assign(child)

    def _assign(self, child: Child) -> None:
        job = self.backlog.take(child.bundle)
        try:
            strict = job.setting.strict and not self._site.surroundings.may_differ(job.id)
            ticket = child.assign(job, partial(_order, job, strict=strict))
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            failure = final(TASK_RAISED, f"the inputs cannot be sent: {error}")
            self._add(job, Raised(failure))
            return
        if child.ready and len(child.tickets) == 1:
            expect(ticket, self._now)


def expect(ticket: Ticket, now: float) -> None:
    """Record that an assignment starts about now, and until when it must have progressed so that another instant counts."""
    ticket.since = now
    match ticket.work:
        case Query(timeout=timeout):
            ticket.deadline = now + timeout
        case Job(timeout=timeout):
            ticket.deadline = FOREVER if timeout is None else now + IMPORT_LIMIT
            if ticket.work.requires.mem_limit is not None:
                ticket.weigh = now + WEIGH_EVERY


def _free(child: Child) -> bool:
    return not child.tickets and not child.ending


def _question(query: Query, number: int) -> bytes:
    return pack(query.ask(number))


def _environment(job: Job) -> dict[str, str]:
    """Return the variables of an attempt: its own, and, where traces are sent, what makes its calls a part of its trace."""
    if not is_traced(os.environ):
        return job.requires.environment
    return {
        "TRACEPARENT": traceparent(job.id, job.node, job.attempt),
        **job.requires.environment,
    }


def _order(job: Job, number: int, *, strict: bool) -> bytes:
    run = Run(
        number=number,
        id=job.id,
        node=job.node,
        attempt=job.attempt,
        target=job.target,
        inputs=job.inputs,
        idempotency_key=job.idempotency_key,
        dynamic=job.dynamic,
        timed=job.timeout is not None,
        environment=_environment(job),
        recorded=job.setting.recorded,
        launched_from=job.setting.launched_from,
        strict=strict,
    )
    return pack(run)
