"""
An executor whose tasks run in warm child processes of this machine: a bundle's code is imported there and never here.

Not for Windows, which lacks process groups and the required kind of descriptor inheritance.
"""

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial
from pathlib import Path

from tidegate import disk
from tidegate.errors import CodeError, Fault, StoreFull
from tidegate.executors.backlog import attempt_of
from tidegate.executors.child import Query, refuse, remove_scratch
from tidegate.executors.fence import Mark, end_earlier, end_life, is_of, new_mark
from tidegate.executors.fork_server import EVERYTHING
from tidegate.executors.frames import (
    Assignment,
    Check,
    Checked,
    Describe,
    Described,
    DescribedWorkflow,
    Unable,
    Up,
)
from tidegate.executors.machine import memory, tells_memory
from tidegate.executors.orders import Orders
from tidegate.executors.pool import Pool
from tidegate.executors.roster import CLOSED, Site
from tidegate.executors.surroundings import Surroundings
from tidegate.home import SCRATCH
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import ORDINARY, PythonTarget
from tidegate.parts import Parts
from tidegate.ports.executor import Attempt, Capacity, Job, Queue, Report, left
from tidegate.ports.journal import Key

IDLE = 300.0
"""Seconds after which an idle worker ends."""

SLACK = 30.0
"""Seconds that a question may wait for a worker, beyond its own timeout."""


log = logging.getLogger(__name__)


class ProcessExecutor:
    """
    An `Executor` over at most `workers` processes, one per processor if None.

    `home` is that of the store: its workers find bundles and blobs there, and write logs.
    `idle` is the seconds after which an idle worker ends. `strict`: whether an attempt is held where its code imports other packages
    than recorded; None leaves that to how its execution was launched. `surroundings` are what tasks inherit from this process.
    """

    def __init__(
        self,
        home: Path,
        workers: int | None = None,
        *,
        idle: float = IDLE,
        parts: Parts | None = None,
        strict: bool | None = None,
        surroundings: Surroundings = EVERYTHING,
    ) -> None:
        parts, store = parts or Parts(), surroundings.store
        self._mark = new_mark(store or home, surroundings.kind)
        slots = workers or os.cpu_count() or 1
        self._site = Site(
            home=home.absolute(),
            workers=slots,
            capacity=Capacity(slots * ORDINARY.cpu, memory(), tells_memory()),
            idle=idle,
            mark=self._mark,
            pool=parts.part("pool"),
            fork_server=parts.part("fork-server"),
            surroundings=surroundings,
            strict=strict,
            store=str((store or home).absolute()),
        )
        self._orders: Orders | None = None
        self._runs = False
        self._deliver: Callable[[Sequence[Report]], None] = lambda _: None

    @property
    def life(self) -> str:
        """Return the mark that distinguishes its processes from those of every other life of the store."""
        return self._mark.life

    def has_started(self, process: int) -> bool:
        """Return whether a process belongs to a task or a worker of this store."""
        return is_of(self._mark, process)

    def end_life(self, life: str) -> None:
        """End what another life of this store, as returned by `life`, has started."""
        end_life(Mark(self._mark.store, life))

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        """Start; no process is started before it is needed."""
        assert self._orders is None
        self._orders, self._deliver = Orders(), deliver
        self._site.pool.run(self._be_a_pool)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Run these attempts, earlier ones first, when there is room."""
        if not self._running().put(lambda pool: pool.submit(jobs)):
            self._deliver([left(job) for job in jobs])

    def cancel(self, key: Key, node: NodeId, attempt: int) -> None:
        """End this attempt if it still runs; it is not reported on, unless it ends at this moment."""
        self._running().put(lambda pool: pool.cancel((key, node, attempt)))

    def recall(self, attempts: Sequence[Attempt]) -> None:
        """Leave those of these attempts that no worker has."""
        self._running().put(lambda pool: pool.recall(attempts))

    def drain(self) -> "Future[None]":
        """Start no more attempts. Running ones may end, and are reported on; the future is done when nothing runs."""
        drained: Future[None] = Future()
        if not (self._running().put(lambda pool: pool.drain(drained)) and self._runs):
            # The next pool, if there is one, learns of it before it starts anything.
            with suppress(InvalidStateError):
                drained.set_result(None)
        return drained

    def attach(self, attempts: Sequence[Attempt]) -> frozenset[Attempt]:
        """Return none: what an earlier owner of this home has left running is ended, and the files of its workers are removed."""
        del attempts
        end_earlier(self._mark)
        # By its life and not by its process id, which a container may give to each owner.
        for path in self._left():
            remove_scratch(path)
        # Looked for again: what could not be emptied may have another name by now.
        for path in self._left():
            log.warning(
                "%s was left by an owner of this store that was killed, and cannot be removed%s: remove it",
                path,
                _whose(path),
            )
        return frozenset()

    @property
    def capacity(self) -> Capacity:
        """Return the capacity for attempts: a processor per worker, and the memory of this machine."""
        return self._site.capacity

    def hinders(self) -> str:
        """Return why nothing can be handed over: nothing hinders that here."""
        return ""

    def queue(self) -> Queue:
        """Return what workers have, and what is waiting. The pool's thread continues meanwhile: its state is copied at once."""
        orders = self._running()
        running = []
        for child in orders.children.copy():
            with suppress(IndexError):  # it has just ended
                work = child.tickets[0].work
                running += [work] if isinstance(work, Job) else []
        if len(orders.jobs) <= len(running):
            return Queue(running)
        begun = set(map(attempt_of, running))
        jobs = orders.jobs.copy()
        waiting = [job for attempt, job in jobs.items() if attempt not in begun]
        return Queue(running, waiting, self._site.pool.why or self._site.fork_server.why)

    def _left(self) -> list[Path]:
        """Return what earlier lives have left among the files of workers."""
        found = (self._site.home / SCRATCH).glob("*")
        return [path for path in found if not path.name.startswith(self._mark.life)]

    def describe(
        self, bundle: str, module: str, timeout: float = 60.0
    ) -> tuple[DescribedWorkflow, ...]:
        """
        Import a module of a bundle in a worker, compile every workflow in it, and return them in source order.

        Errors: `CodeError`, with file and line in the message and the traceback in `details["trace"]`, if the module cannot be imported,
        takes longer than `timeout` seconds, or ends its process; `StoreFull` if there is no room for a worker and its files.
        """
        if why := disk.lacks_room(self._site.home):
            raise StoreFull(f"no room is left on the disk to import {module}: {why}")
        reply = self._ask(bundle, module, partial(Describe, module=module), timeout)
        assert isinstance(reply, Described)
        return reply.workflows

    def check(
        self, bundle: str, target: PythonTarget, value: Value, timeout: float = 60.0
    ) -> tuple[Fault, ...]:
        """
        Check, in a worker, whether a stored value matches a Python type that a module of a bundle defines under a name; return what is wrong.

        For answers whose type requires more than its schema: a validator, say. Errors: `CodeError`, like `describe`.
        """
        reply = self._ask(
            bundle, target.module, partial(Check, target=target, value=value), timeout
        )
        assert isinstance(reply, Checked)
        return reply.faults

    def close(self) -> None:
        """End every worker, and return when all are gone. Running attempts are not reported on."""
        orders = self._orders
        if orders is None:
            return
        self._site.pool.stop()
        orders.put(lambda pool: pool.close())
        self._site.pool.join()
        orders.close()
        for query in orders.queries:
            refuse(query, CLOSED)
        self._site.fork_server.stop()

    def _be_a_pool(self) -> None:
        self._runs = True
        try:
            Pool(self._site, self._running(), self._deliver).run()
        finally:
            self._runs = False

    def _ask(self, bundle: str, about: str, ask: Callable[[int], Assignment], timeout: float) -> Up:
        answer: Future[Up] = Future()
        query = Query(bundle, about, ask, answer, timeout)
        if not self._running().put(lambda pool: pool.ask(query)):
            refuse(query, CLOSED)
        try:
            reply = answer.result(timeout + SLACK)
        except TimeoutError:
            raise CodeError(f"{about}: no worker was free to import it; try again") from None
        if isinstance(reply, Unable):
            failure = reply.failure
            raise CodeError(failure.message, trace=failure.trace)
        return reply

    def _running(self) -> Orders:
        assert self._orders is not None, "start() comes first"
        return self._orders


def _whose(path: Path) -> str:
    """Say who owns a file, if it belongs to another user or contains something that does."""
    for each in (path, *path.rglob("*")):
        with suppress(OSError):
            if (owner := each.lstat().st_uid) != os.geteuid():
                return f", because {each} belongs to user {owner}"
    return ""
