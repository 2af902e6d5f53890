"""An executor whose attempts take some time of the simulation. It knows what runs anywhere, and what has begun."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from random import Random
from typing import Any

from msgspec.structs import replace

from tidegate.core.messages import TASK_RAISED, Failure
from tidegate.ports.executor import (
    Attempt,
    Began,
    Capacity,
    Job,
    Outcome,
    Raised,
    Report,
    Returned,
    Unfolded,
    left,
)

from .timeline import SECOND, Machine, Timeline
from .world import GraphMaker

SHORT, LONG = (0.005, 0.05, 1, 4, 12, 25), (1, 4, 12, 25)
"""How many seconds attempts last."""


class Crew:
    """The workers of one process. `begins` tells the run which attempts begin; with `long`, they last for longer, and late reports come later."""

    capacity = Capacity(1_000, 2**30, limits_memory=True)

    def __init__(
        self,
        timeline: Timeline,
        machine: Machine,
        begins: Callable[["Crew", Job], None],
        *,
        long: bool,
    ) -> None:
        self._lasts = LONG if long else SHORT
        self._late = (0.2, 1, 3, 8) if long else (0.001, 0.2)
        self._likely = 0.8 if long else 0.3
        self.machine = machine
        self.rng: Random = timeline.rng
        self.waiting: dict[Attempt, Job] = {}
        self.live: dict[Attempt, Job] = {}
        self.deliver: Callable[[Sequence[Report]], None] = lambda _: None
        self._timeline = timeline
        self._begins = begins
        self._draining = False

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        self.deliver = deliver

    def submit(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            attempt = Attempt(job.key, job.node, job.attempt)
            self.waiting[attempt] = job
            pause = self.rng.choice([0, 1_000, SECOND // 2])
            self._at(pause, lambda a=attempt: self._begin(a))

    def _at(self, after: int, call: Callable[[], object]) -> None:
        # Workers are processes of their own: they go on while the server is stopped, and end when it does.
        def happens() -> None:
            if not self.machine.dead:
                call()

        self._timeline.at(after, happens)

    def _tell(self, report: Report) -> None:
        self._timeline.at(1_000, lambda: self.deliver([report]), self.machine)

    def _begin(self, attempt: Attempt) -> None:
        job = None if self._draining else self.waiting.pop(attempt, None)
        if job is None:
            return
        self.live[attempt] = job
        self._begins(self, job)
        if job.attempt > 1 and self.rng.random() < self._likely:
            # What an earlier attempt had to say has found its way only now.
            old = Attempt(job.key, job.node, job.attempt - 1)
            late = Report(*old, self._outcome(replace(job, attempt=old.number)))
            self._at(round(self.rng.choice(self._late) * SECOND), lambda: self._tell(late))
        lasts = round(self.rng.choice(self._lasts) * SECOND)
        if lasts > SECOND // 10:
            self._at(SECOND // 10, lambda: self._say_began(attempt))
        self._at(lasts, lambda: self._end(attempt))

    def _say_began(self, attempt: Attempt) -> None:
        if attempt in self.live:
            self._tell(Report(*attempt, Began()))

    def _end(self, attempt: Attempt) -> None:
        job = self.live.pop(attempt, None)
        if job is not None:
            self._tell(Report(*attempt, self._outcome(job)))

    def _outcome(self, job: Job) -> Outcome:
        if self.rng.random() < 0.15:
            return Raised(Failure(TASK_RAISED, "no"))
        if job.dynamic:
            return Unfolded(GraphMaker(self.rng, 0).make(self.rng.randint(0, 3), outputs=1))
        return Returned({"o0": f"{job.node}#{job.attempt}"})

    def cancel(self, key: Any, node: Any, attempt: int) -> None:
        gone = Attempt(key, node, attempt)
        self.waiting.pop(gone, None)
        job = self.live.pop(gone, None)
        if job is not None and self.rng.random() < 0.7:
            # It had just ended, and its report is on its way.
            report = Report(*gone, self._outcome(job))
            late = self.rng.choice([1_000, SECOND, 8 * SECOND, 20 * SECOND])
            self._timeline.at(late, lambda: self.deliver([report]), self.machine)

    def recall(self, attempts: Sequence[Attempt]) -> None:
        for each in attempts:
            job = self.waiting.pop(each, None)
            if job is not None:
                self._tell(left(job))

    def drain(self) -> "Future[None]":
        self._draining = True
        drained: Future[None] = Future()
        drained.set_result(None)
        return drained

    def close(self) -> None:
        waiting, self.waiting = self.waiting, {}
        self.live.clear()
        self.deliver([left(job) for job in waiting.values()])

    def attach(self, attempts: Sequence[Attempt]) -> frozenset[Attempt]:
        return frozenset()
