"""
Listings: what lists show, kept as rows beside the journal and written with it. No list reads history, and none scans a table.

A text matches if both, folded as Unicode folds case (`str.casefold`), contain each other; so it is the same in every database.
"""

from collections.abc import Mapping, Sequence
from typing import Generic, NewType, Protocol, TypeVar

from msgspec import Struct

from tidegate.core.state import ExecutionPhase
from tidegate.ir.graph import Instant
from tidegate.ports.journal import Counts, ExecutionRow, Key, WaitRow

Mark = NewType("Mark", bytes)
"""How far one has read in a list: of the last row of a page. Opaque, and of one store and one order."""

R = TypeVar("R")
P = TypeVar("P")

Patterns = tuple[tuple[str, str], ...]
"""Pairs of patterns of a project and a domain, in which `*` stands for any characters."""


def fits(pattern: str, name: str) -> bool:
    """Return whether a name fits a pattern, in which `*` stands for any characters. It looks for each part once, so no pattern is expensive."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    *inner, last = rest
    at, end = len(first), len(name) - len(last)
    if at > end or not (name.startswith(first) and name.endswith(last)):
        return False
    for part in inner:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


class Narrowing(Struct, frozen=True):
    """Which executions are meant: exact names where they are not empty, and `within` the patterns if they are given."""

    workflow: str = ""
    project: str = ""
    domain: str = ""
    within: Patterns | None = None
    text: str = ""
    """Part of the execution's id or of the workflow's name; of a wait, also of its name or title."""


class ExecutionQuery(Struct, frozen=True):
    """Which executions to list, newest first; `before` is the key of the last one of the page before."""

    where: Narrowing = Narrowing()
    phases: tuple[ExecutionPhase, ...] = ()
    since: Instant | None = None
    """Only those launched then or later."""
    until: Instant | None = None
    """Only those launched before."""
    before: Key | None = None
    limit: int = 100


class WaitQuery(Struct, frozen=True):
    """
    Which waits to list: the soonest due first and those without end last, then those of the oldest execution first, as they stand in its source.

    When they are due counts to the second, or to the minute if there was an hour until then.

    `kinds` empty means every kind. `key` is of one execution, and the narrowing does not count then.
    """

    where: Narrowing = Narrowing()
    kinds: tuple[str, ...] = ("input", "approve")
    key: Key | None = None
    after: Mark | None = None
    limit: int = 100


class ListedWait(Struct, frozen=True):
    """A wait in a list. `workflow` is the number of the version. `damaged` says why its row cannot be read, and then `wait` is what can."""

    wait: WaitRow
    workflow: int
    mark: Mark
    damaged: str = ""


class Page(Struct, Generic[R, P], frozen=True):
    """
    Rows of a list.

    `rest` is where to go on if a text was searched for in so many rows that it was given up before the page was full; there may be no row
    at all then. Without it, a page that is not full is the last one.
    """

    rows: list[R]
    rest: P | None = None


class Listings(Protocol):
    """What lists show. Called from any thread. Errors: `StoreError`."""

    def executions(self, query: ExecutionQuery) -> Page[ExecutionRow, Key]:
        """List executions."""
        ...

    def waits(self, query: WaitQuery) -> Page[ListedWait, Mark]:
        """List what waits."""
        ...

    def waiting(self, keys: Sequence[Key], most: int) -> Mapping[Key, list[str]]:
        """Return the names of the open gates of each of these executions, the first `most` of each, as they stand in the source."""
        ...

    def counts(self) -> Counts:
        """Return how much there is, from counters that each commit keeps true."""
        ...
