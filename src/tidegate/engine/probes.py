"""
Why attempts could not start, as found out by a worker, and when that is checked again.

A reason that prevents one attempt from starting applies to all others of its task and bundle. So they are held without being tried, and after a pause
one of them is tried for all: if it starts, so do the others; if not, the pause is doubled, up to a minute.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct

from tidegate.ir.graph import SECOND, Instant, Micros, Target
from tidegate.ports.executor import Attempt, Job

FIRST_PAUSE: Final = Micros(SECOND)
LONGEST_PAUSE: Final = Micros(60 * SECOND)


class Hindrance(NamedTuple):
    """Why an attempt cannot start: a code, and a sentence."""

    code: str
    why: str


What: TypeAlias = tuple[str, Target, str, bool, str]
"""A kind of attempt: a bundle, a task of it, what was recorded when they were launched, whether that must match here; and where they run."""


class _Block(Struct):
    """What prevents attempts from starting; `again` is when one of them is tried, `out` which one is being tried."""

    hindrance: Hindrance
    pause: Micros
    again: Instant
    out: Attempt | None = None


class Probes:
    """The tasks that are known not to start; `where` says by the id of an execution in which workers its attempts run. Used on the engine's thread."""

    def __init__(self, where: Callable[[str], str]) -> None:
        self._where = where
        self._blocks: dict[What, _Block] = {}

    def hinders(self, job: Job, now: Instant) -> Hindrance | None:
        """Return why an attempt cannot start; None if it can, or if it is the one to try."""
        block = self._blocks.get(self._what(job)) if self._blocks else None
        if block is None:
            return None
        if block.out is not None or now < block.again:
            return block.hindrance
        block.out = attempt_of(job)
        return None

    def failed(self, job: Job, hindrance: Hindrance, now: Instant) -> None:
        """Record that an attempt could not start."""
        what = self._what(job)
        block = self._blocks.get(what)
        if block is None:
            again = Instant(now + FIRST_PAUSE)
            self._blocks[what] = _Block(hindrance, FIRST_PAUSE, again)
        elif block.out == attempt_of(job):
            pause = min(Micros(2 * block.pause), LONGEST_PAUSE)
            self._blocks[what] = _Block(hindrance, pause, Instant(now + pause))

    def ended(self, attempt: Attempt, *, began: bool) -> None:
        """Record that an attempt has started, or that its outcome is unknown because it is no longer wanted."""
        for what, block in self._blocks.items():
            if block.out == attempt:
                block.out = None
                if began:
                    del self._blocks[what]
                return

    def clear(self) -> None:
        """Forget everything: nothing is held."""
        self._blocks.clear()

    def _what(self, job: Job) -> What:
        setting = job.setting
        return job.bundle, job.target, setting.recorded, setting.strict, self._where(job.id)

    def is_out(self, attempt: Attempt) -> bool:
        """Whether this attempt is being tried."""
        return any(block.out == attempt for block in self._blocks.values())


def attempt_of(job: Job) -> Attempt:
    """Return the kind of a job's attempt."""
    return Attempt(job.key, job.node, job.attempt)
