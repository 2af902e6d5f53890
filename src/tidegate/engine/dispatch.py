"""
Handing attempts to the executor, and knowing which of them run.

What the executor does not take is handed over later, and counts as nothing: it is no attempt before it has begun.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import Future

from tidegate.ir.expr import NodeId
from tidegate.ports.executor import Attempt, Began, Executor, Job, Report
from tidegate.ports.journal import Key

log = logging.getLogger(__name__)


class Dispatch:
    """The engine's side of the executor. Used in the engine's thread, but for `drain`."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._draining = False
        self._running: set[Attempt] = set()
        self.owed: list[Job] = []
        """What the executor has not taken."""

    def submit(self, jobs: Sequence[Job]) -> None:
        """Hand over these attempts, after those that are owed; while it drains, leave them to the next host."""
        is_known = bool(self.owed)
        jobs, self.owed = [*self.owed, *jobs], []
        if self._draining or not jobs:
            return
        try:
            self._executor.submit(jobs)
        except Exception as error:
            level = logging.DEBUG if is_known else logging.ERROR
            log.log(level, "%d attempts could not be submitted yet", len(jobs), exc_info=error)
            self.owed = jobs

    def cancel(self, attempts: Sequence[tuple[Key, NodeId, int]]) -> None:
        """End these attempts, if they run."""
        self._running.difference_update(attempts)
        self.owed = [job for job in self.owed if (job.key, job.node, job.attempt) not in attempts]
        try:
            for key, node, attempt in attempts:
                self._executor.cancel(key, node, attempt)
        except Exception:
            log.exception("%d attempts could not be cancelled", len(attempts))

    def note(self, report: Report) -> None:
        """Keep in mind whether an attempt runs."""
        if isinstance(report.outcome, Began):
            self._running.add(Attempt(report.key, report.node, report.attempt))
        elif self._running:
            self._running.discard(Attempt(report.key, report.node, report.attempt))

    def running(self) -> list[Key]:
        """Return the executions with an attempt that runs, and perhaps some in which none does any more."""
        return list({attempt.key for attempt in self._running})

    def drain(self) -> "Future[None]":
        """Hand over nothing any more. The future is done when nothing runs."""
        self._draining = True
        return self._executor.drain()
