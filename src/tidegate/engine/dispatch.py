"""
Handing attempts to the executor, and knowing which of them run.

What the executor does not take is handed over later, and counts as nothing: it is no attempt before it has begun. So is what lacks something
outside of it, its code or a file: it is held, looked at again each time, and goes on when that is there.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeAlias

from tidegate.ir.expr import NodeId
from tidegate.ports.executor import Attempt, Began, Executor, Job, Report
from tidegate.ports.journal import Key

Lacks: TypeAlias = Callable[[Job], str]
"""Says what an attempt cannot begin without and that is missing; empty if it has all."""

log = logging.getLogger(__name__)


def lacks_nothing(job: Job) -> str:
    """Say of any attempt that it has all."""
    del job
    return ""


class Dispatch:
    """The engine's side of the executor. Used in the engine's thread, but for `drain`."""

    def __init__(self, executor: Executor, lacks: Lacks, holds: dict[Key, str]) -> None:
        self._executor = executor
        self._lacks = lacks
        self._holds = holds
        self._draining = False
        self._running: set[Attempt] = set()
        self.owed: list[Job] = []
        """What the executor has not taken."""
        self.held: dict[Attempt, Job] = {}
        """What lacks something."""

    def submit(self, jobs: Sequence[Job]) -> None:
        """Hand over these attempts, after those that are owed; while it drains, leave them to the next host."""
        is_known = bool(self.owed)
        jobs, self.owed = [*self.owed, *self.held.values(), *jobs], []
        jobs = [] if self._draining else [job for job in jobs if self._may_begin(job)]
        if not jobs:
            return
        try:
            self._executor.submit(jobs)
        except Exception as error:
            level = logging.DEBUG if is_known else logging.ERROR
            log.log(level, "%d attempts could not be submitted yet", len(jobs), exc_info=error)
            self.owed = jobs

    def _may_begin(self, job: Job) -> bool:
        """Return whether an attempt has all it needs; if not, it is held, and that is said once."""
        why = self._lacks(job)
        if not why:
            self._release(Attempt(job.key, job.node, job.attempt))
            return True
        attempt = Attempt(job.key, job.node, job.attempt)
        if attempt not in self.held:
            log.warning("execution %s, node %s is held: %s", job.id, job.node, why)
        self.held[attempt] = job
        self._holds[job.key] = why
        return False

    def _release(self, attempt: Attempt) -> None:
        # Another node of the execution that is held says so again at the next look.
        if self.held.pop(attempt, None) is not None:
            self._holds.pop(attempt.key, None)

    @property
    def is_behind(self) -> bool:
        """Whether something is to be handed over later."""
        return bool(self.owed or self.held)

    def cancel(self, attempts: Sequence[tuple[Key, NodeId, int]]) -> None:
        """End these attempts, if they run."""
        self._running.difference_update(attempts)
        for key, node, attempt in attempts:
            self._release(Attempt(key, node, attempt))
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
