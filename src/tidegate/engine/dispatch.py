"""
Handing attempts to the executor, and knowing which of them run.

What cannot be handed over now is *held*: there is a reason outside the task, such as a disk without room. It stays QUEUED, counts as no attempt,
and is handed over when the reason is gone.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

from msgspec import Struct

from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.parts import Part
from tidegate.ports.executor import Attempt, Began, Executor, Job, Report
from tidegate.ports.journal import Key

NO_ROOM: Final = "no_room"
NO_WORKER: Final = "no_worker"

log = logging.getLogger(__name__)


class Held(Struct, frozen=True):
    """Why attempts are held, and since when."""

    code: str
    why: str
    since: Instant


class Dispatch:
    """The engine's side of the executor; `room` says why no attempt may begin on this disk, if that is so. Used in the engine's thread, but for `drain` and `held`."""

    def __init__(self, executor: Executor, part: Part, room: Callable[[], str]) -> None:
        self._executor = executor
        self._part = part
        self._room = room
        self._draining = False
        self._running: set[Attempt] = set()
        self._code = ""
        self.owed: list[Job] = []
        """What is held. Another list with each change, so any thread may look."""

    def submit(self, jobs: Sequence[Job]) -> None:
        """Hand over these attempts, after those that are owed; while it drains, leave them to the next host."""
        jobs = [*self.owed, *jobs]
        if self._draining or not jobs:
            self.owed = []
            return
        why = self._room()
        if why:
            self._hold(jobs, NO_ROOM, why)
            return
        try:
            self._executor.submit(jobs)
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of them has begun
            self._hold(jobs, NO_WORKER, error)
        else:
            self.owed = []
            self._part.works()

    def _hold(self, jobs: list[Job], code: str, why: Exception | str) -> None:
        is_known = bool(self.owed) and self._code == code
        self._part.failed(why, quietly=is_known)
        self._code, self.owed = code, jobs

    def held(self) -> tuple[Sequence[Job], Held]:
        """Return which attempts are held, and why."""
        now = self._part.standing()
        return self.owed, Held(self._code, now.why, now.since)

    def cancel(self, attempts: Sequence[tuple[Key, NodeId, int]]) -> None:
        """End these attempts, if they run."""
        self._running.difference_update(attempts)
        self.owed = [job for job in self.owed if (job.key, job.node, job.attempt) not in attempts]
        if not self.owed:
            self._part.works()
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
