"""
Listings: what lists show, kept as rows beside the journal and written with it. No list reads history, and none scans a table.

A text matches if it is contained in the other, both case-folded by Unicode (`str.casefold`); so the result is the same in every database.
"""

from collections.abc import Mapping, Sequence
from typing import Generic, NewType, Protocol, TypeVar

from msgspec import Struct

from tidegate.core.state import ExecutionPhase
from tidegate.ir.graph import Instant
from tidegate.ports.journal import Counts, ExecutionRow, Key, Series, WaitRow

Mark = NewType("Mark", bytes)
"""How far a reader is in a list: at the last row of a page. Opaque, and specific to one store and one order."""

R = TypeVar("R")
P = TypeVar("P")

Patterns = tuple[tuple[str, str], ...]
"""Pairs of patterns of a project and a domain, in which `*` stands for any characters."""


def fits(pattern: str, name: str) -> bool:
    """Return whether a name matches a pattern, in which `*` stands for any characters. It looks for each part once, so no pattern is expensive."""
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
    """Part of the execution's id or of the workflow's name; of a wait, also of its name, title, figures, or the first line of its prompt."""


class ExecutionQuery(Struct, frozen=True):
    """Which executions to list, newest first; `before` is the key of the last one of the previous page."""

    where: Narrowing = Narrowing()
    phases: tuple[ExecutionPhase, ...] = ()
    endings: tuple[str, ...] = ()
    """Also those that ended in one of these ways (`core.endings`); with neither phases nor endings, all."""
    since: Instant | None = None
    """Only those launched then or later."""
    until: Instant | None = None
    """Only those launched before."""
    before: Key | None = None
    limit: int = 100


class Span(Struct, frozen=True):
    """Waits that are due from an instant on, and before another, to the minute. None: without that bound."""

    since: Instant | None = None
    until: Instant | None = None


NEVER_DUE = Span(Instant(2**62), None)
"""Waits without a due time."""


class Sort(Struct, frozen=True):
    """
    What a list of waits is sorted by, other than the order of `WaitQuery`: `due`, `opened`, `title`, or `figure`, the one called `figure`.

    What has no such value comes last in both directions; equals are in the usual order.
    """

    by: str
    figure: str = ""
    descending: bool = False


class WaitQuery(Struct, frozen=True):
    """
    Which waits to list: earliest due first and those without a due time last, then those of the oldest execution first, in source order.

    Due times count to the second, or to the minute if there was an hour until then.

    `kinds` empty means every kind. `key` selects one execution, and then other filters do not apply.
    """

    where: Narrowing = Narrowing()
    kinds: tuple[str, ...] = ("input", "approve")
    key: Key | None = None
    after: Mark | None = None
    limit: int = 100
    due: Span | None = None
    sort: Sort | None = None


class SeriesCount(Struct, frozen=True):
    """How many questions wait in one series, at most as many as were to be counted, and when the first of them is due."""

    series: Series
    count: int
    soonest: Instant | None


class ListedWait(Struct, frozen=True):
    """A wait in a list. `workflow` is the number of the version. `damaged` says why its row cannot be read; then `wait` has what can be."""

    wait: WaitRow
    workflow: int
    mark: Mark
    damaged: str = ""
    launched_by: str = ""


class Page(Struct, Generic[R, P], frozen=True):
    """
    Rows of a list.

    `rest` is where to continue if a text search was given up before the page was full, because it had read too many rows; the page may even be
    empty then. Without it, a page that is not full is the last one.
    """

    rows: list[R]
    rest: P | None = None


class Listings(Protocol):
    """What lists show. Called from any thread. Errors: `StoreError`."""

    def executions(self, query: ExecutionQuery) -> Page[ExecutionRow, Key]:
        """List executions."""
        ...

    def waits(self, query: WaitQuery) -> Page[ListedWait, Mark]:
        """List what waits. Errors: `InvalidValue` for a mark of another order, and for more waits than can be sorted."""
        ...

    def waiting(self, keys: Sequence[Key], most: int) -> Mapping[Key, list[str]]:
        """Return the names of the open gates of each of these executions, the first `most` of each, in source order."""
        ...

    def waits_by_series(
        self, kinds: Sequence[str], within: Patterns | None, most: int
    ) -> list[SeriesCount]:
        """Count the waits of each series that matches, each up to `most`; series without any are left out."""
        ...

    def counts(self) -> Counts:
        """Return totals, from counters that each commit maintains."""
        ...
