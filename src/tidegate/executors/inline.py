"""
An executor that runs tasks where they are submitted, in the caller's thread: for measurements and tests, where nothing may happen in between.

A task that crashes takes its caller with it, and timeouts and limits are not enforced: use the process executor for those.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from tidegate.errors import CodeError, Fault
from tidegate.executors.machine import UNKNOWN
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import Graph, PythonTarget
from tidegate.ports.executor import (
    Attempt,
    Capacity,
    Described,
    Job,
    Outcome,
    Queue,
    Raised,
    Report,
    Returned,
    Unfolded,
    left,
)
from tidegate.ports.journal import Key
from tidegate.sdk.faults import faults_of
from tidegate.sdk.invoke import Callee, invoke
from tidegate.sdk.requirements import not_kept_here
from tidegate.sdk.trace import TaskRun
from tidegate.sdk.workplace import failure_here, workplace
from tidegate.types.values import FileStore

log = logging.getLogger(__name__)


class InlineExecutor:
    """
    An `Executor` without processes. `load` returns the task of a target, for instance `tasks.__getitem__`.

    More may be submitted within a task or a delivery: it runs after what is already there, in the outermost `submit`.
    """

    def __init__(self, load: Callable[[PythonTarget], Callee], blobs: FileStore) -> None:
        self._load = load
        self._blobs = blobs
        self._deliver: Callable[[Sequence[Report]], None] | None = None
        self._jobs: deque[Job] = deque()
        self._told: set[str] = set()
        self._busy = False
        self._closed = False

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        """Start."""
        self._deliver = deliver

    def submit(self, jobs: Sequence[Job]) -> None:
        """Run these attempts and deliver one group of reports on all of them; the same for what that leads to."""
        assert self._deliver is not None, "start() comes first"
        if self._closed:
            self._deliver([left(job) for job in jobs])
            return
        self._jobs.extend(jobs)
        if self._busy:
            return
        self._busy = True
        try:
            while self._jobs:
                reports = []
                while self._jobs:
                    job = self._jobs.popleft()
                    reports.append(Report(job.key, job.node, job.attempt, self._run(job)))
                self._deliver(reports)
        finally:
            self._busy = False

    def cancel(self, key: Key, node: NodeId, attempt: int) -> None:
        """Forget an attempt that has not started."""
        self._jobs = deque(
            job for job in self._jobs if (job.key, job.node, job.attempt) != (key, node, attempt)
        )

    def recall(self, attempts: Sequence[Attempt]) -> None:
        """Leave nothing: no attempt waits."""
        del attempts

    def drain(self) -> "Future[None]":
        """Leave what has not started, and start nothing more."""
        self.close()
        drained: Future[None] = Future()
        drained.set_result(None)
        return drained

    def close(self) -> None:
        """Leave what has not started."""
        self._closed = True
        if self._deliver is not None and self._jobs:
            rest, self._jobs = self._jobs, deque()
            self._deliver([left(job) for job in rest])

    def attach(self, attempts: Sequence[Attempt]) -> frozenset[Attempt]:
        """Return none: an attempt ends before `submit` returns."""
        del attempts
        return frozenset()

    @property
    def capacity(self) -> Capacity:
        """Return enough for anything: one attempt runs at a time, with what this process has."""
        return Capacity(UNKNOWN, UNKNOWN, limits_memory=False)

    def queue(self) -> Queue:
        """Return nobody: everything submitted has run."""
        return Queue()

    def describe(self, bundle: str, module: str) -> Sequence[Described]:
        """Refuse: what runs here is already imported."""
        del bundle
        raise CodeError(f"module {module!r} cannot be registered here; launch its workflows")

    def check(self, bundle: str, target: PythonTarget, value: Value) -> Sequence[Fault]:
        """Return what is wrong with a value by the author's own type, which is already imported."""
        del bundle
        return faults_of(target, value, self._blobs)

    def _run(self, job: Job) -> Outcome:
        for note in not_kept_here(job.target.name, job.requires):
            if note not in self._told:
                self._told.add(note)
                log.warning("%s", note)
        try:
            task = self._load(job.target)
            with workplace(job.target.module) as place:
                run = TaskRun(
                    job.id,
                    job.node,
                    job.attempt,
                    job.idempotency_key,
                    place,
                    job.setting.launched_from,
                )
                result = invoke(
                    task,
                    job.inputs,
                    dynamic=job.dynamic,
                    blobs=self._blobs,
                    run=run,
                    environment=job.requires.environment,
                )
        except KeyboardInterrupt:
            raise  # an interrupt at the terminal is for all of us
        except BaseException as error:  # noqa: BLE001 - the edge to the author's code: sys.exit() too fails the attempt alone
            return Raised(failure_here(error))
        return Unfolded(result) if isinstance(result, Graph) else Returned(result)
