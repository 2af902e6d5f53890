"""
Attempts that go on where they run while other servers take over their shard, and the reports on them.

The one that runs such an attempt is its keeper. It hands its shard over only once the store has a row for it, and writes there what became of it; the
present owner of the shard applies the report and removes it in one transaction. An attempt without a row is nobody's: its keeper ends it.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol

from tidegate.ports.executor import Attempt, Report


class KeptAttempt(NamedTuple):
    """An attempt that a keeper has. `goes_on`: its report is there, or its keeper is alive and has not reported yet."""

    attempt: Attempt
    goes_on: bool


class AttemptReports(Protocol):
    """The reports of a store that several servers can share. What is read or done in the background is tried until it is done."""

    def follow(
        self,
        deliver: Callable[[Sequence[Report]], None],
        end: Callable[[Collection[Attempt]], None],
        fall_silent: Callable[[], None],
    ) -> None:
        """
        Call `deliver` with reports on attempts that are awaited, or `Lost` for those whose keeper is gone; `end` with handed-over attempts that nobody
        awaits; and `fall_silent` when the others may take this keeper for dead. In other threads.
        """
        ...

    def hand_over(self, attempts: Sequence[Attempt]) -> None:
        """Record that these attempts go on here, though others are about to own their shards. For the engine's thread. Errors: `StoreError`, and then nothing is recorded."""
        ...

    def write(self, report: Report) -> None:
        """Write what became of an attempt that was handed over, in the background; nothing if nobody awaits it."""
        ...

    def found(self) -> list[KeptAttempt]:
        """Return the attempts in the shards that are owned. Errors: `StoreError`."""
        ...

    def wait_for(self, attempts: Sequence[Attempt]) -> None:
        """Look for the reports on these attempts."""
        ...

    def drop(self, attempts: Sequence[Attempt]) -> None:
        """Forget attempts in shards that are owned. For the engine's thread. Errors: `StoreError`."""
        ...

    def forget(self, attempts: Sequence[Attempt]) -> None:
        """Look for the reports on these no longer: they are applied, or another owner looks for them."""
        ...

    def disown(self, attempts: Sequence[Attempt]) -> None:
        """The same for attempts that the history says are unwanted: have their keepers end them, in the background."""
        ...
