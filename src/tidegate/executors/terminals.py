"""
An executor that gives the attempts of some executions to terminals, and all other attempts to the store's own workers.

Rule 1: an attempt goes to one of the terminals that serve its execution. While there is one, it goes nowhere else.
Rule 2: when a terminal leaves, what it has not taken goes to another one, or to the store's workers. What it has taken is reported as lost, but only once
        all descendants of its workers have been ended, so that a repeated attempt never overlaps with the previous one.
Rule 3: only the operating system, which knows the process, decides that a terminal is gone. Silence does not count: a suspended terminal keeps what it has.
        Of a terminal on another machine nothing but silence is known: it has ended its attempts long before it counts as gone (`ports.terminals`).
Rule 4: a terminal's reports are accepted only for attempts that it has.
"""

import os
import select
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Final

from msgspec.structs import replace

from tidegate.errors import CodeError, Fault, UnknownTerminal
from tidegate.executors.cluster.executor import RayExecutor
from tidegate.executors.fence import is_below
from tidegate.executors.frozen import forget_published
from tidegate.executors.process import SLACK, ProcessExecutor
from tidegate.executors.terminal import Terminal, nothing, unknown, woken
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import PythonTarget
from tidegate.parts import Part
from tidegate.ports.artifacts import Artifacts
from tidegate.ports.executor import (
    Attempt,
    Began,
    Capacity,
    Described,
    Elsewhere,
    Hindered,
    Job,
    Lost,
    Queue,
    Report,
    left,
)
from tidegate.ports.journal import Key
from tidegate.ports.terminals import Answered, Asked, Handed, Join, Joined, Said

IMPORT: Final = 60.0
"""Seconds that importing a module may take: the same as in the store's workers."""

LOOK: Final = 1.0
"""Seconds between two checks that terminals exist, where the system does not report the end of a process."""


class TerminalExecutor:
    """
    An `Executor` over the store's own workers, and `Terminals`.

    `artifacts` are those of the store; `part` is the thread that notices when terminals are gone; it starts with the first terminal.
    """

    def __init__(
        self, own: ProcessExecutor | RayExecutor, artifacts: Artifacts, part: Part
    ) -> None:
        self._own = own
        self.recall = own.recall  # what is for a terminal stays
        self.artifacts = artifacts
        self.attach, self.describe = own.attach, own.describe
        self.keeping = own if isinstance(own, RayExecutor) else None
        """What keeps attempts of the store. Those in terminals are lost, as the next owner finds out."""
        self._blobs = artifacts.blobs
        self._logs = artifacts.logs
        self._part = part
        self._lock = Lock()
        self._serving: dict[str, list[Terminal]] = {}  # by execution; below, by secret
        self._known: dict[str, Terminal] = {}
        self._waiting: dict[str, dict[Attempt, Job]] = {}
        """Attempts that wait for a terminal to take them, by execution."""
        self._taken: dict[Attempt, Terminal] = {}
        self._numbers = 0
        self._deliver: Callable[[Sequence[Report]], None] = _nobody
        self._drained: Future[None] | None = None
        self._own_drained = False
        self._closed = False
        self._watches = False
        self._news = self._waker = -1
        """A pipe that wakes the thread, once there is one."""

    # ---- the store's own workers, and what concerns both ----

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        """Start."""
        self._deliver = deliver
        self._own.start(deliver)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Run these attempts where they belong."""
        if self._serving:
            jobs = self._without_theirs(jobs)
        if jobs:
            self._own.submit(jobs)

    def cancel(self, key: Key, node: NodeId, attempt: int) -> None:
        """End this attempt, wherever it runs."""
        which = Attempt(key, node, attempt)
        wake = nothing
        with self._lock:
            terminal = self._taken.pop(which, None)
            for waiting in self._waiting.values():
                waiting.pop(which, None)
            if terminal is not None:
                terminal.taken.pop(which, None)
                terminal.running.discard(which)
                terminal.unwanted.append(which)
                wake = woken(terminal)
        if terminal is None:
            self._own.cancel(key, node, attempt)
        else:
            wake()
            self._look_at_drain()

    def drain(self) -> "Future[None]":
        """Start no more attempts; the future is done when none runs, neither here nor in terminals."""
        drained: Future[None] = Future()
        with self._lock:
            self._drained = drained
            rest = self._take_waiting()
        self._deliver([left(job) for job in rest])
        self._own.drain().add_done_callback(lambda _: self._look_at_drain(own=True))
        return drained

    def close(self) -> None:
        """End what runs here; attempts in terminals are not waited for. Those that have not started are `LEFT`."""
        with self._lock:
            self._closed = True
            terminals = list(self._known.values())
            rest = self._take_waiting()
        self._own.close()
        self._deliver([left(job) for job in rest])
        self._part.stop()
        self._stir()
        for each in terminals:
            self._refuse(each)
            woken(each)()
        self._part.join()

    def hinders(self, job: Job) -> str:
        """Return why an attempt cannot be handed over; empty if it can."""
        return "" if self.where(job.id) else self._own.hinders()

    def has_started(self, process: int) -> bool:
        """Return whether a process belongs to a task or a worker of this store, or of a terminal that serves it."""
        if self._own.has_started(process):
            return True
        # A root terminal's workers have an environment, with the mark in it, that only root can read.
        tops = {each.process for each in self._known.copy().values()}
        return bool(tops) and is_below(tops, process)

    @property
    def capacity(self) -> Capacity:
        """Return the capacity for attempts: that of the store's workers, since the machine is the same."""
        return self._own.capacity

    def queue(self) -> Queue:
        """Return what runs and what waits, in the store's workers and in terminals."""
        own = self._own.queue()
        if not self._known:
            return own
        with self._lock:
            running = [job for each in self._known.values() for job in each.taken.values()]
            waiting = [job for jobs in self._waiting.values() for job in jobs.values()]
        return replace(own, running=[*own.running, *running], waiting=[*own.waiting, *waiting])

    def where(self, execution: str) -> str:
        """Return an identifier of where the attempts of an execution run: empty for the store's own workers."""
        found = self._serving.get(execution) if self._serving else None
        return found[0].secret if found else ""

    def has(self, attempt: Attempt) -> bool:
        """Return whether a terminal has this attempt, or is to take it."""
        with self._lock:
            return attempt in self._taken or any(attempt in each for each in self._waiting.values())

    def check(self, bundle: str, target: PythonTarget, value: Value) -> Sequence[Fault]:
        """Check that a value matches a type: in a terminal that has this code, if there is one."""
        with self._lock:
            terminal = next((t for t in self._known.values() if t.bundle == bundle), None)
        if terminal is not None:
            with suppress(UnknownTerminal):
                return self._ask(terminal, Asked(0, bundle, target.module, target, value)).faults
        return self._own.check(bundle, target, value)

    # ---- terminals ----

    def join(self, wanted: Join, process: int) -> Joined:
        """Let a terminal serve an execution. Errors: `UnknownTerminal` if its process is gone."""
        for each in self._known.copy().values():
            # It lost the connection for a moment, and has ended what it had.
            if process and each.process == process:
                self._let_go(each)
        terminal = Terminal(wanted, process)
        with self._lock:
            if self._closed:
                raise unknown()
            begins, self._watches = not self._watches, True
            self._known[terminal.secret] = terminal
            self._serving.setdefault(wanted.execution, []).append(terminal)
        if begins:
            self._news, self._waker = os.pipe()
            os.set_blocking(self._waker, False)
            self._part.run(self._watch)
        self._stir()
        # Held attempts may start in this terminal: the engine checks again.
        self._deliver(())
        return Joined(terminal.secret)

    def take(self, secret: str, wake: Callable[[], None]) -> Handed:
        """Return a terminal's current work. Errors: `UnknownTerminal`, here and below."""
        with self._lock:
            terminal = self._find(secret)
            unwanted, terminal.unwanted = terminal.unwanted, []
            asked = list(terminal.asks)
            terminal.asks.clear()
            jobs = self._jobs_for(terminal)
            terminal.wake = wake if not (jobs or unwanted or asked) else nothing
        return Handed(jobs, unwanted, asked)

    def say(self, secret: str, said: Said) -> None:
        """Accept a terminal's reports."""
        with self._lock:
            terminal = self._find(secret)
            mine = {(job.id, job.node, job.attempt) for job in terminal.taken.values()}
        for text in said.printed:
            if (text.execution, text.node, text.attempt) in mine:
                whose = text.execution, text.node, text.attempt
                self._logs.take_in(*whose, text.body, text.start, whole=text.whole)
        for deck in said.published:
            if (deck.execution, deck.node, deck.attempt) in mine:
                with suppress(
                    OSError
                ):  # as in a worker: a deck that cannot be stored does not fail the attempt
                    self._logs.publish_deck(deck.execution, deck.node, deck.attempt, deck.page)
        for each in said.answers:
            with self._lock:
                future = terminal.asked.pop(each.number, None)
            if future is not None:
                _settle(future, each)
        reports = [found for each in said.reports if (found := self._accepted(terminal, each))]
        if reports:
            self._deliver(reports)
            self._look_at_drain()
            with self._lock:
                # The terminal may now have room for more.
                wake = woken(terminal) if terminal.execution in self._waiting else nothing
            wake()

    def store(self, secret: str, chunks: Iterable[bytes]) -> str:
        """Store a file of an attempt; return its digest."""
        self._find(secret)
        return self._blobs.put(chunks)

    def leave(self, secret: str) -> None:
        """Release a terminal that has ended its workers."""
        self._let_go(self._find(secret))

    def describe_there(self, secret: str, bundle: str, module: str) -> Sequence[Described]:
        """Have a terminal describe the workflows of a module. Errors: `CodeError`."""
        return self._ask(self._find(secret), Asked(0, bundle, module)).workflows

    # ---- internals ----

    def _without_theirs(self, jobs: Sequence[Job]) -> list[Job]:
        """Queue what terminals are to run, and return the rest."""
        rest: list[Job] = []
        wakes: list[Callable[[], None]] = []
        drained: list[Job] = []
        with self._lock:
            for job in jobs:
                serving = [t for t in self._serving.get(job.id, ()) if t.serves(job)]
                if not serving:
                    rest.append(job)
                elif self._drained is not None or self._closed:
                    drained.append(job)
                else:
                    self._waiting.setdefault(job.id, {})[_attempt(job)] = job
                    wakes += map(woken, serving)
        if drained:
            self._deliver([left(job) for job in drained])
        for wake in wakes:
            wake()
        return rest

    def _jobs_for(self, terminal: Terminal) -> list[Job]:
        waiting = self._waiting.get(terminal.execution)
        room = terminal.room - len(terminal.taken)
        if not waiting or room <= 0:
            return []
        jobs = [job for job in waiting.values() if terminal.serves(job)][:room]
        for job in jobs:
            attempt = _attempt(job)
            del waiting[attempt]
            terminal.taken[attempt] = job
            self._taken[attempt] = terminal
        if not waiting:
            del self._waiting[terminal.execution]
        return jobs

    def _accepted(self, terminal: Terminal, report: Report) -> Report | None:
        """Return a report in the form in which it is passed on; None if this terminal does not have the attempt."""
        attempt = Attempt(report.key, report.node, report.attempt)
        with self._lock:
            job = terminal.taken.get(attempt)
            if job is None:
                return None
            if isinstance(report.outcome, Began | Elsewhere):
                terminal.running.add(attempt)
            else:
                self._forget(terminal, attempt)
        forget_published(report.outcome, job, self._logs)
        self._store_log(job, ended=not isinstance(report.outcome, Began | Elsewhere))
        return replace(
            report, job=job if isinstance(report.outcome, Hindered | Elsewhere) else None
        )

    def _store_log(self, job: Job, *, ended: bool) -> None:
        """Have what an attempt prints stored where all servers find it, if the files of the store are in one place."""
        if (objects := self.artifacts.objects) is not None:
            (objects.settle if ended else objects.follow)(job.id, job.node, job.attempt)

    def _forget(self, terminal: Terminal, attempt: Attempt) -> None:
        terminal.taken.pop(attempt, None)
        terminal.running.discard(attempt)
        self._taken.pop(attempt, None)

    def _ask(self, terminal: Terminal, question: Asked) -> Answered:
        """Ask a terminal, and wait. Errors: `CodeError`."""
        answer: Future[Answered] = Future()
        with self._lock:
            self._numbers += 1
            terminal.asked[self._numbers] = answer
            terminal.asks.append(replace(question, number=self._numbers))
            wake = woken(terminal)
        wake()
        try:
            found = answer.result(IMPORT + 2 * SLACK)
        except TimeoutError:
            raise CodeError(
                f"{question.module}: the terminal asked to import it does not reply"
            ) from None
        if found.error:
            raise CodeError(found.error, **({"trace": found.trace} if found.trace else {}))
        return found

    def _let_go(self, terminal: Terminal) -> None:
        with self._lock:
            if self._known.pop(terminal.secret, None) is None:
                return
            serving = self._serving[terminal.execution]
            serving.remove(terminal)
            if not serving:
                del self._serving[terminal.execution]
            rest = self._waiting.pop(terminal.execution, {})
            taken = list(terminal.taken.values())
            for job in taken:
                self._forget(terminal, _attempt(job))
            wake = woken(terminal)
        wake()
        if terminal.watched is not None:
            os.close(terminal.watched)
        self._stir()
        self._refuse(terminal)
        if self._closed:
            return
        self._deliver([Report(j.key, j.node, j.attempt, Lost()) for j in taken])
        if rest:
            self.submit(list(rest.values()))
        self._look_at_drain()

    def _refuse(self, terminal: Terminal) -> None:
        with self._lock:
            asked, terminal.asked = terminal.asked, {}
        for future in asked.values():
            with suppress(InvalidStateError):
                future.set_exception(unknown())

    def _take_waiting(self) -> list[Job]:
        rest = [job for jobs in self._waiting.values() for job in jobs.values()]
        self._waiting.clear()
        return rest

    def _look_at_drain(self, *, own: bool = False) -> None:
        drained = self._drained
        self._own_drained = self._own_drained or own
        if drained is not None and self._own_drained and not self._taken:
            with suppress(InvalidStateError):
                drained.set_result(None)

    def _find(self, secret: str) -> Terminal:
        terminal = self._known.get(secret)
        if terminal is None or self._closed:
            raise unknown()
        terminal.heard = monotonic()
        return terminal

    # ---- the thread that notices when terminals are gone ----

    def _stir(self) -> None:
        with suppress(OSError):
            os.write(self._waker, b"!")

    def _watch(self) -> None:
        while not self._part.is_stopped:
            for terminal in self._gone():
                # End its descendants first: even slow ones are gone before its attempts are repeated.
                if not terminal.is_afar:
                    self._own.end_life(terminal.life)
                self._let_go(terminal)

    def _gone(self) -> Iterator[Terminal]:
        waiting = select.poll()
        waiting.register(self._news, select.POLLIN)
        with self._lock:
            known = list(self._known.values())
        by_descriptor = {each.watched: each for each in known if each.watched is not None}
        for descriptor in by_descriptor:
            waiting.register(descriptor, select.POLLIN)
        unwatched = [e for e in known if e.watched is None and (e.process or e.is_afar)]
        for descriptor, _ in waiting.poll(LOOK * 1000 if unwatched else None):
            if descriptor == self._news:
                os.read(self._news, 4096)
            elif descriptor in by_descriptor:
                yield by_descriptor[descriptor]
        yield from (each for each in unwatched if each.is_gone())


def _attempt(job: Job) -> Attempt:
    return Attempt(job.key, job.node, job.attempt)


def _nobody(_: Sequence[Report]) -> None:
    """Deliver to nobody: the executor has not started."""


def _settle(future: "Future[Answered]", answer: Answered) -> None:
    with suppress(InvalidStateError):
        future.set_result(answer)
