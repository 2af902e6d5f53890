"""
Why an attempt has not started yet: it is held, or it waits for a free worker, and behind which others.

The engine knows what is held, the executor what waits; both are asked only when somebody looks, so that other attempts pay nothing for it.
Only executions of the same project and domain are named: a caller who sees this one may see those.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from tidegate.engine.loop import Engine
from tidegate.errors import UnknownExecution
from tidegate.ir.amounts import cpus, size
from tidegate.ir.graph import ORDINARY, SECOND, Micros
from tidegate.ports.clock import Clock
from tidegate.ports.executor import BUSY, NO_WORKER, Executor, Job, Queue
from tidegate.service.executions import Executions
from tidegate.service.moments import moment
from tidegate.wire import ExecutionView, HeldView

SOON: Final = Micros(SECOND)
"""Attempts that have waited for less are not reported: most wait for some milliseconds."""
LOOKS: Final = 10_000
"""Most waiting attempts searched for those of one execution: some milliseconds."""
NAMED: Final = 3
"""Most running attempts that are named."""


class Queued:
    """Looks for attempts that have not started."""

    def __init__(
        self, engine: Engine, executor: Executor, executions: Executions, clock: Clock
    ) -> None:
        self._engine = engine
        self._executor = executor
        self._executions = executions
        self._clock = clock

    def of(self, view: ExecutionView) -> dict[str, HeldView]:
        """Return why nodes of an execution have not started, by their ids."""
        found = {
            str(each.job.node): HeldView(code=each.code, message=each.why, since=moment(each.since))
            for each in self._engine.held()
            if each.job.id == view.id
        }
        queue = self._executor.queue()
        since = self._clock.now() - SOON
        names: list[str] | None = None
        for before, job in enumerate(islice(queue.waiting, LOOKS)):
            if job.id != view.id or job.at > since:
                continue
            if names is None:
                names = list(islice(self._names(view, queue.running), NAMED + 1))
            found[str(job.node)] = HeldView(
                code=NO_WORKER if queue.trouble else BUSY,
                message=sentence(job, queue, before, names),
                since=moment(job.at),
            )
        return found

    def _names(self, view: ExecutionView, running: Sequence[Job]) -> Iterator[str]:
        """Yield what is running, as workflow and task, as far as a caller who sees this execution may see it."""
        told: set[str] = set()
        for job in running:
            try:
                row = self._executions.row(job.id)
            except UnknownExecution:
                continue
            name = f"{row.workflow_name}·{job.target.name}"
            if (row.project, row.domain) == (view.project, view.domain) and name not in told:
                told.add(name)
                yield name


def sentence(job: Job, queue: Queue, before: int, names: Sequence[str]) -> str:
    """Say what an attempt waits for: `before` it there are this many others; `names` are what is running, one more than is named."""
    if queue.trouble:
        return f"waits for a worker: {queue.trouble}"
    behind = []
    if queue.running:
        count = len(queue.running)
        said = f"{count} running attempts" if count > 1 else "a running attempt"
        named = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
        behind.append(f"{said} ({named})" if named else said)
    if before:
        behind.append(f"{before} waiting attempts" if before > 1 else "a waiting attempt")
    return f"waits for {_wanted(job)}" + (f", behind {' and '.join(behind)}" if behind else "")


def _wanted(job: Job) -> str:
    asked = job.requires
    if asked.cpu <= ORDINARY.cpu and not asked.mem:
        return "a free worker"
    wanted = f"{cpus(asked.cpu)} free cpu"
    return f"{wanted} and {size(asked.mem)} of memory" if asked.mem else wanted
