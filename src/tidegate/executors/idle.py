"""The executor of a process that only stores or reads something: nothing runs, but a module can be imported, and a value checked."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from tidegate.errors import Fault
from tidegate.executors.fork_server import EVERYTHING
from tidegate.executors.machine import UNKNOWN
from tidegate.executors.process import ProcessExecutor
from tidegate.executors.surroundings import Surroundings
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import PythonTarget
from tidegate.ports.artifacts import Artifacts
from tidegate.ports.executor import Attempt, Capacity, Described, Job, Queue, Report, left
from tidegate.ports.journal import Key


class IdleExecutor:
    """Runs nothing: for a moment of ownership in which an answer is stored. Tasks wait for the next owner."""

    def __init__(self, home: Path, artifacts: Artifacts) -> None:
        self._home = home
        self.artifacts = artifacts

    def has_started(self, process: int) -> bool:
        """Return no, because nothing runs."""
        del process
        return False

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        """Start."""
        self._deliver = deliver

    def submit(self, jobs: Sequence[Job]) -> None:
        """Leave these attempts to the next owner of the store, which finds them there."""
        self._deliver([left(job) for job in jobs])

    def cancel(self, key: Key, node: NodeId, attempt: int) -> None:
        """End nothing, because nothing runs."""

    def recall(self, attempts: Sequence[Attempt]) -> None:
        """Leave nothing, because nothing waits."""

    def drain(self) -> "Future[None]":
        """Return a done future, because nothing runs."""
        drained: Future[None] = Future()
        drained.set_result(None)
        return drained

    def close(self) -> None:
        """Release nothing."""

    def attach(self, attempts: Sequence[Attempt]) -> frozenset[Attempt]:
        """Return none."""
        del attempts
        return frozenset()

    def hinders(self, job: Job) -> str:
        """Return nothing that hinders an attempt: it is left to the next owner."""
        del job
        return ""

    @property
    def capacity(self) -> Capacity:
        """Return enough for anything: it is the next owner that runs it."""
        return Capacity(UNKNOWN, UNKNOWN, limits_memory=True)

    def queue(self) -> Queue:
        """Return nobody: it is the next owner that runs anything."""
        return Queue()

    def describe(self, bundle: str, module: str) -> Sequence[Described]:
        """Import a module of a bundle in a worker that is started for it."""
        with self._worker() as workers:
            return workers.describe(bundle, module)

    def check(self, bundle: str, target: PythonTarget, value: Value) -> Sequence[Fault]:
        """Check, in a worker that is started for it, whether an answer matches the author's own type."""
        with self._worker() as workers:
            return workers.check(bundle, target, value)

    @contextmanager
    def _worker(self) -> Iterator[ProcessExecutor]:
        files = self.artifacts.objects
        if files is None:
            with self._worker_in(self._home, EVERYTHING) as workers:
                yield workers
        else:
            # In a home of its own: the socket in that of the store belongs to its owner.
            with (
                files.elsewhere() as home,
                self._worker_in(home, Surroundings(asks=home)) as workers,
            ):
                yield workers

    @contextmanager
    def _worker_in(self, home: Path, surroundings: Surroundings) -> Iterator[ProcessExecutor]:
        workers = ProcessExecutor(home, workers=1, surroundings=surroundings)
        workers.start(lambda _: None)
        try:
            yield workers
        finally:
            workers.close()
