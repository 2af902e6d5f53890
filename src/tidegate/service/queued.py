"""
Why an attempt that was asked for has not begun: it is held, or it waits for a free worker, and behind what.

What is held is known to the engine, who waits to the executor; both are asked when somebody looks, so that attempts which need not wait cost nothing.
Only executions of the same project and domain are named: who sees this one may see those.
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
"""Who has waited for less is not told of: most attempts wait for some milliseconds."""
LOOKS: Final = 10_000
"""How many that wait are looked through for those of one execution: some milliseconds."""
NAMED: Final = 3
"""How many of those that run are named."""


class Queued:
    """Looks for what has not begun."""

    def __init__(
        self, engine: Engine, executor: Executor, executions: Executions, clock: Clock
    ) -> None:
        self._engine = engine
        self._executor = executor
        self._executions = executions
        self._clock = clock

    def of(self, view: ExecutionView) -> dict[str, HeldView]:
        """Return why nodes of an execution have not begun, by their ids."""
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
        """Yield what runs, as workflow and task, as far as whoever sees this execution may see it."""
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
    """Say for what an attempt waits: `before` it are as many that wait; `names` are what runs, one more than are named."""
    if queue.trouble:
        return f"waits for a worker: {queue.trouble}"
    behind = []
    if queue.running:
        count = len(queue.running)
        said = f"{count} attempts that run" if count > 1 else "an attempt that runs"
        named = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
        behind.append(f"{said} ({named})" if named else said)
    if before:
        behind.append(f"{before} that wait" if before > 1 else "one that waits")
    return f"waits for {_wanted(job)}" + (f", behind {' and '.join(behind)}" if behind else "")


def _wanted(job: Job) -> str:
    asked = job.requires
    if asked.cpu <= ORDINARY.cpu and not asked.mem:
        return "a free worker"
    wanted = f"{cpus(asked.cpu)} free cpu"
    return f"{wanted} and {size(asked.mem)} of memory" if asked.mem else wanted
