"""The attempts that no worker has yet, by bundle, in order of arrival."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from tidegate.ports.executor import Job

Attempt: TypeAlias = tuple[int, str, int]
"""What identifies an attempt: execution, node, number."""


def attempt_of(job: Job) -> Attempt:
    """Return the identity of a job's attempt."""
    return job.key, job.node, job.attempt


class Backlog:
    """A queue per bundle. What is put back goes to its head."""

    def __init__(self) -> None:
        self._queues: dict[str, OrderedDict[Attempt, tuple[int, Job]]] = {}
        self._last = 0
        self._first = 0

    def __contains__(self, bundle: object) -> bool:
        return bundle in self._queues

    def add(self, jobs: Iterable[Job]) -> None:
        """Put jobs at the end."""
        for job in jobs:
            self._last += 1
            queue = self._queues.setdefault(job.bundle, OrderedDict())
            queue[attempt_of(job)] = (self._last, job)

    def put_back(self, jobs: Iterable[Job]) -> None:
        """Put jobs, in their order, before all others."""
        for job in reversed(list(jobs)):
            self._first -= 1
            queue = self._queues.setdefault(job.bundle, OrderedDict())
            queue[attempt_of(job)] = (self._first, job)
            queue.move_to_end(attempt_of(job), last=False)

    def first(self, bundle: str) -> Job | None:
        """Return the first job of a bundle without removing it; None if there is none."""
        return self.next(bundle) if bundle in self._queues else None

    def next(self, bundle: str) -> Job:
        """Return the first job of a bundle that has some."""
        return next(iter(self._queues[bundle].values()))[1]

    def take(self, bundle: str) -> Job:
        """Take the first job of a bundle that has some."""
        queue = self._queues[bundle]
        _, (_, job) = queue.popitem(last=False)
        if not queue:
            del self._queues[bundle]
        return job

    @property
    def is_empty(self) -> bool:
        """Whether there is no job here."""
        return not self._queues

    def take_all(self, bundle: str) -> Iterator[Job]:
        """Take every job of a bundle."""
        while bundle in self._queues:
            yield self.take(bundle)

    def drop(self, attempt: Attempt) -> bool:
        """Forget an attempt; False if it is not here."""
        for bundle, queue in self._queues.items():
            if attempt in queue:
                del queue[attempt]
                if not queue:
                    del self._queues[bundle]
                return True
        return False

    def count(self, bundle: str) -> int:
        """Return how many jobs of a bundle are here."""
        return len(self._queues.get(bundle, ()))

    def bundles(self) -> list[str]:
        """Return the bundles that have jobs here, ordered by the arrival of their first job."""
        return sorted(self._queues, key=self._arrival)

    def _arrival(self, bundle: str) -> int:
        number, _ = next(iter(self._queues[bundle].values()))
        return number
