"""What lists show, kept beside the journal and written with it, so that no list reads history."""

from typing import Protocol

from msgspec import Struct

from tidegate.core.state import ExecutionPhase
from tidegate.ir.graph import Instant
from tidegate.ports.journal import ExecutionRow, Key, WaitRow


class ExecutionQuery(Struct, frozen=True):
    """Which executions to list, newest first; `before` is the key of the last one of the page before."""

    phases: tuple[ExecutionPhase, ...] = ()
    workflow: str = ""
    project: str = ""
    domain: str = ""
    text: str = ""
    before: Key | None = None
    limit: int = 100
    places: tuple[tuple[str, str], ...] | None = None
    """Only those whose project and domain fit one of these pairs of patterns, in which `*` stands for any characters."""
    since: Instant | None = None
    """Only those launched then or later."""
    until: Instant | None = None
    """Only those launched before."""


class WaitQuery(Struct, frozen=True):
    """
    Which open waits to list, the soonest due first and those without end last, then the oldest.

    `kinds` empty means every kind. `after` is (due or 2**62, opened, key, node) of the last row of the page before.
    """

    kinds: tuple[str, ...] = ("input", "approve")
    key: Key | None = None
    after: tuple[int, int, int, str] | None = None
    limit: int = 100
    places: tuple[tuple[str, str], ...] | None = None
    """Only those of executions whose project and domain fit, as in `ExecutionQuery`."""
    workflow: str = ""
    project: str = ""
    domain: str = ""
    text: str = ""
    """Part of the name of the signal or of the workflow, or of the id of the execution."""


class Counts(Struct, frozen=True):
    """How many executions there are in each phase, and how many waits of each kind."""

    phases: dict[ExecutionPhase, int]
    waits: dict[str, int]


class Listings(Protocol):
    """What lists show. Called from any thread. Errors: `StoreError`."""

    def executions(self, query: ExecutionQuery) -> list[ExecutionRow]:
        """List executions."""
        ...

    def waits(self, query: WaitQuery) -> list[WaitRow]:
        """List what waits."""
        ...

    def counts(self) -> Counts:
        """Count what there is. It reads all executions, so it is not for often."""
        ...
