"""
A page of a list, found without reading the list.

A list is merged from arms, each of which an index yields in the order of the list: one series of one kind, say. Rows are taken from the
arms one by one until the page is full, and an arm is opened only when its turn comes. So a page costs a page, however long the list is.

Rows that must contain a text, or may be of many series, are first searched where the list starts, which finds common ones. A rare text
is then looked up in the search index; and only if that names too many rows, or the text is too short for it, the list is read further.
That is given up after some time, and the page says where, so that no text costs a search of everything at once.
"""

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from tidegate.stores.database import Database, SqlConnection
from tidegate.stores.rows import Bindings

GLANCE = 1_000
"""Rows that are read where a list starts: some 0.5 ms. Finding out that a text is in no row takes as long."""

EXAMINED = 20_000
"""
Rows in which a text is searched for one page: measured, 1.5 µs each, so some 30 ms. A short text without matches is searched in a
million rows in 50 pages, and the client can stop.
"""

MAX_ARMS = 50
"""Arms that are merged without first reading the start of the whole list. Each costs some 10 µs to open."""

Hit: TypeAlias = tuple[Any, ...]
"""A row of an arm: its place in the list, its identity, and whether it matches."""


class Hits(NamedTuple):
    """What was found for a page, and the row after which it was given up before the page was full, if it was."""

    found: list[Hit]
    rest: Hit | None = None


class Sought(NamedTuple):
    """
    What is listed: of these `parts` (phases or kinds), of these `series`; None means everything.

    `span` says where in the list. A row matches if it has the `text`, or is of one of the `named` series, whose workflow has it in its name.
    """

    span: Bindings
    parts: Sequence[int]
    series: Sequence[int] | None
    text: str
    named: Sequence[int]
    limit: int

    @property
    def many(self) -> bool:
        """Whether these are many arms."""
        return self.series is not None and len(self.series) * len(self.parts) > MAX_ARMS


class Arm(NamedTuple):
    """An arm that is not open yet, and the place of its first row."""

    head: Any
    open: Callable[[], Iterator[Hit]]


class Order(NamedTuple):
    """
    A list, by the name of its statements, and the place before all others.

    `name` gives all rows of one part, or with `whole` of all parts; `name_of_series` those of an arm, and `heads_of_name` the first place of
    each arm. `name_searched` and `name_of_series_searched` do the same where not all rows match.
    """

    name: str
    first: Any
    whole: bool


EXECUTIONS = Order("executions", -(2**63), whole=True)
WAITS = Order("waits", b"", whole=False)


class Arms:
    """The arms of a list at one moment."""

    def __init__(
        self, database: Database, connection: SqlConnection, order: Order, sought: Sought
    ) -> None:
        self._database = database
        self._connection = connection
        self._order = order
        self._sought = sought

    def page(self, few: Callable[[], list[Hit] | None]) -> Hits:
        """Return a page; `few` returns all rows with the text but those of the named series, or None if they are many."""
        sought = self._sought
        if sought.text or sought.many:
            found = self.glance(narrow=not sought.many)
            if found is not None:
                return Hits(found)
        if sought.text:
            if (hits := few()) is not None:
                return self._first([*self._of(sought.named, ""), *_known(hits)])
            return self._searched(EXAMINED, narrow=True)
        if sought.series is None:
            return self._first(self._whole(every=False))
        return self._first(self._of(sought.series, ""))

    def glance(self, *, narrow: bool = False) -> list[Hit] | None:
        """Return the page if it is found where the list starts, or where its arms do."""
        hits = self._searched(GLANCE, narrow=narrow)
        return None if hits.rest is not None else hits.found

    def _searched(self, most: int, *, narrow: bool) -> Hits:
        """Read this many rows of the list, or of its arms alone, and return those that match."""
        sought = self._sought
        if narrow and sought.series is not None:
            arms = self._of(sought.series, sought.text, every=True)
        else:
            arms = self._whole(every=True)
        found = []
        for seen, hit in enumerate(_merged(arms), start=1):
            if hit[-1]:
                found.append(hit)
            if len(found) >= sought.limit:
                break
            if seen >= most:
                return Hits(found, hit)
        return Hits(found)

    def _first(self, arms: Iterable[Arm]) -> Hits:
        return Hits(list(islice(_merged(arms), self._sought.limit)))

    def _whole(self, *, every: bool) -> list[Arm]:
        """Return the whole list: the rows that match, or `every` row and whether it does."""
        sought, order = self._sought, self._order
        narrow = every or sought.text or sought.series is not None
        bindings: Bindings = {
            "parts": json.dumps(sought.parts),
            "wanted": None if sought.series is None else json.dumps(sought.series),
            "text": sought.text,
            "named": json.dumps(sought.named),
            "every": every,
        }
        name = f"{order.name}_searched" if narrow else order.name
        return [
            Arm(order.first, partial(self._rows, name, {**bindings, "part": part}))
            for part in ([None] if order.whole else sought.parts)
        ]

    def _of(self, series: Sequence[int], text: str, *, every: bool = False) -> list[Arm]:
        """Return the arms of series; the named ones match as they are."""
        sought, name = self._sought, self._order.name
        named = frozenset(sought.named)
        heads: Bindings = {
            "wanted": json.dumps(series),
            "parts": json.dumps(sought.parts),
            # Each arm has a row in the page, unless it is one without the text.
            "limit": -1 if text else sought.limit,
        }
        arms = []
        for head, number, part in self._rows(f"heads_of_{name}", heads) if series else ():
            searched = "_searched" if text and number not in named else ""
            bindings = {"series": number, "part": part, "text": text, "every": every}
            arms.append(Arm(head, partial(self._rows, f"{name}_of_series{searched}", bindings)))
        return arms

    def _rows(self, statement: str, bindings: Bindings) -> Iterator[Any]:
        sql = self._database.sql[statement]
        return self._database.stream(self._connection, sql, {**self._sought.span, **bindings})


def _known(hits: Iterable[Hit]) -> list[Arm]:
    """Return the arm of known rows."""
    rows = sorted(hits)
    return [Arm(rows[0][0], lambda: iter(rows))] if rows else []


def _merged(arms: Iterable[Arm]) -> Iterator[Hit]:
    """Return the rows of all arms in order."""
    coming = sorted(arms, key=lambda arm: arm.head, reverse=True)
    opened: list[tuple[Hit, int, Iterator[Hit]]] = []
    while coming or opened:
        while coming and (not opened or coming[-1].head <= opened[0][0][0]):
            rows = coming.pop().open()
            if (first := next(rows, None)) is not None:
                # The second element keeps equal rows from being compared by what follows.
                heapq.heappush(opened, (first, len(coming), rows))
        if opened:
            hit, arm, rows = opened[0]
            yield hit
            if (following := next(rows, None)) is None:
                heapq.heappop(opened)
            else:
                heapq.heapreplace(opened, (following, arm, rows))
