"""Listings in SQL."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice

from msgspec import structs

from tidegate.errors import InvalidValue
from tidegate.ports.journal import Counts, ExecutionRow, Key, Series
from tidegate.ports.listings import (
    ExecutionQuery,
    ListedWait,
    Mark,
    Narrowing,
    Page,
    Patterns,
    SeriesCount,
    Sort,
    WaitQuery,
    fits,
)
from tidegate.stores.arms import EXECUTIONS, WAITS, Arms, Hit, Hits, Sought
from tidegate.stores.database import Candidates, Database, SqlConnection
from tidegate.stores.rows import (
    KIND_NUMBERS,
    KINDS,
    LATEST,
    PARTS,
    Bindings,
    Row,
    bounds_of,
    counts_of,
    execution_row,
    folded,
    listed_wait,
    mark_of,
    marked,
    parts_of,
)

SORTED = 250_000
"""Waits that are read and sorted for a page in another order than that of the list: with this many, a page takes a second."""

SPAN = 10_000
"""Executions of a time span that are all read and sorted (some 10 ms); for more, the list itself is read."""


class _Known:
    """A series, with the name of its workflow in searchable form."""

    __slots__ = ("named", "series")

    def __init__(self, series: Series) -> None:
        self.series = series
        self.named = folded(series.workflow)


class SqlListings:
    """`Listings`."""

    def __init__(self, database: Database, candidates: Candidates) -> None:
        self._database = database
        self._candidates = candidates
        self._sql = database.sql
        self._series: Mapping[int, _Known] = {}

    def executions(self, query: ExecutionQuery) -> Page[ExecutionRow, Key]:
        """List executions, newest first."""
        with self._database.snapshot() as connection:
            hits = self._execution_hits(connection, query)
            keys = json.dumps([key for _, key, _ in hits.found])
            rows = connection.execute(self._sql["execution_rows"], {"keys": keys})
            rest = None if hits.rest is None else Key(hits.rest[1])
            return Page([execution_row(row) for row in rows], rest)

    def waits(self, query: WaitQuery) -> Page[ListedWait, Mark]:
        """List what waits, earliest due first."""
        with self._database.snapshot() as connection:
            if query.sort is not None and query.key is None:
                return self._sorted_waits(connection, query, query.sort)
            hits = self._wait_hits(connection, query)
            waits = json.dumps([(key, node) for _, key, node, _ in hits.found])
            rows = connection.execute(self._sql["wait_rows"], {"waits": waits})
            rest = None if hits.rest is None else Mark(hits.rest[0])
            return Page([listed_wait(row) for row in rows], rest)

    def waiting(self, keys: Sequence[Key], most: int) -> Mapping[Key, list[str]]:
        """Return the names of the open gates of each of these executions."""
        found: dict[Key, list[str]] = {key: [] for key in keys}
        bindings = {"keys": json.dumps(keys)}
        for key, name in self._database.rows(self._sql["waiting_names"], bindings):
            if len(found[key]) < most:
                found[key].append(name)
        return found

    def waits_by_series(
        self, kinds: Sequence[str], within: Patterns | None, most: int
    ) -> list[SeriesCount]:
        """Count the waits of each series that matches, each up to `most`."""
        with self._database.snapshot() as connection:
            known = self._known(connection)
            admitted = _admitting(within)
            bindings = {
                "wanted": json.dumps([n for n, each in known.items() if admitted(each.series)]),
                "parts": json.dumps([KIND_NUMBERS[kind] for kind in kinds]),
                "limit": most,
            }
            rows = connection.execute(self._sql["count_waits_of"], bindings)
            return [
                SeriesCount(known[number].series, count, soonest)
                for number, count, soonest in rows
                if count
            ]

    def counts(self) -> Counts:
        """Return totals."""
        return counts_of(self._database.rows(self._sql["counters"], {}))

    # -- executions --

    def _execution_hits(self, connection: SqlConnection, query: ExecutionQuery) -> Hits:
        sought = self._sought_executions(connection, query)
        arms = Arms(self._database, connection, EXECUTIONS, sought)
        hits: list[Hit] | None = None
        if (query.since, query.until) != (None, None):
            hits = arms.glance() or self._of_a_span(connection, sought)
        if hits is None:
            return arms.page(partial(self._few_executions, connection, sought))
        return Hits(hits)

    def _of_a_span(self, connection: SqlConnection, sought: Sought) -> list[Hit] | None:
        """Return the page if few executions were launched in a time span; else None, and the span says where in the list they are."""
        span = sought.span
        bindings = {**span, "limit": SPAN + 1}
        rows: list[Row] = connection.execute(self._sql["launched_between"], bindings).fetchall()
        if len(rows) > SPAN:
            ((least, last),) = connection.execute(self._sql["keys_launched_between"], span)
            span["least"], span["before"] = least, min(span["before"], last + 1)
            return None
        fits, before, named = _fitting(sought), span["before"], frozenset(sought.named)
        keys = [
            key
            for key, part, series, id_ in rows
            if key < before
            and (
                (fits(part, series) and sought.text in id_.lower())
                or (series in named and part in sought.parts)
            )
        ]
        return [(-key, key, 1) for key in sorted(keys, reverse=True)[: sought.limit]]

    def _sought_executions(self, connection: SqlConnection, query: ExecutionQuery) -> Sought:
        text = folded(query.where.text)
        known = self._known(connection)
        series = _narrowed(known, query.where)
        parts = parts_of(query.phases, query.endings)
        if series is None and len(parts) < len(PARTS):
            series = list(known)
        span: Bindings = {
            "before": LATEST if query.before is None else query.before,
            "least": 0,
            "since": -LATEST if query.since is None else query.since,
            "until": LATEST if query.until is None else query.until,
        }
        named = _named(known, series, text)
        return Sought(span, parts, series, text, named, query.limit)

    def _few_executions(self, connection: SqlConnection, sought: Sought) -> list[Hit] | None:
        rows = self._candidates.executions(connection, sought.text)
        if rows is None:
            return None
        span, fits = sought.span, _fitting(sought)
        return [
            (-key, key, 1)
            for key, part, series, launched in rows
            if key < span["before"]
            and span["since"] <= launched < span["until"]
            and fits(part, series)
        ]

    # -- waits --

    def _wait_hits(self, connection: SqlConnection, query: WaitQuery) -> Hits:
        kinds = [KIND_NUMBERS[kind] for kind in query.kinds or KINDS]
        least, before = bounds_of(query.due)
        after = b"" if query.after is None else bytes(query.after)
        span: Bindings = {"after": max(least, after), "before": before}
        if query.key is not None:
            bindings = {**span, "key": query.key}
            rows = connection.execute(self._sql["waits_of_execution"], bindings)
            return Hits(list(islice((row for row in rows if row[-1] in kinds), query.limit)))
        text = folded(query.where.text)
        known = self._known(connection)
        series = _narrowed(known, query.where)
        sought = Sought(span, kinds, series, text, _named(known, series, text), query.limit)
        arms = Arms(self._database, connection, WAITS, sought)
        return arms.page(partial(self._few_waits, connection, sought))

    def _sorted_waits(
        self, connection: SqlConnection, query: WaitQuery, sort: Sort
    ) -> Page[ListedWait, Mark]:
        """Return a page of a list in another order: all that may match are read."""
        text = folded(query.where.text)
        known = self._known(connection)
        series = _narrowed(known, query.where)
        kinds = [KIND_NUMBERS[kind] for kind in query.kinds or KINDS]
        least, before = bounds_of(query.due)
        wanted = {"wanted": json.dumps(list(known) if series is None else series)}
        parts = {"parts": json.dumps(kinds)}
        counted = connection.execute(
            self._sql["count_waits_of"], {**wanted, **parts, "limit": SORTED + 1}
        )
        if sum(count for _, count, _ in counted) > SORTED:
            why = f"more than {SORTED:,} questions wait there, which are too many to sort: choose a workflow or a project, or leave out `sort`"
            raise InvalidValue(why)
        first, value, last_key = marked(query.after, sort)
        bindings: Bindings = {
            **parts,
            "wanted": None if series is None else wanted["wanted"],
            "named": json.dumps(_named(known, series, text)),
            "text": text,
            "after": least,
            "before": before,
            "sort": sort.by,
            "figure": sort.figure,
            "descending": sort.descending,
            "first": first,
            "none": value is None,
            "last": value,
            "last_key": last_key,
            "limit": query.limit,
        }
        found: list[Row] = connection.execute(self._sql["waits_sorted"], bindings).fetchall()
        waits = json.dumps([(key, node) for _, key, node, _ in found])
        rows = connection.execute(self._sql["wait_rows"], {"waits": waits})
        listed = {each.mark: each for each in map(listed_wait, rows)}
        return Page(
            [
                structs.replace(listed[order], mark=mark_of(sort, value, order))
                for order, _, _, value in found
            ]
        )

    def _few_waits(self, connection: SqlConnection, sought: Sought) -> list[Hit] | None:
        rows = self._candidates.waits(connection, sought.text)
        if rows is None:
            return None
        fits, after, before = _fitting(sought), sought.span["after"], sought.span["before"]
        return [
            (order, key, node, 1)
            for order, key, node, kind, series in rows
            if after < order < before and fits(kind, series)
        ]

    # -- series --

    def _known(self, connection: SqlConnection) -> Mapping[int, _Known]:
        """Return all series by their number; those added since the last time are read."""
        known = self._series
        bindings = {"after": max(known, default=0)}
        rows: list[Row] = connection.execute(self._sql["series"], bindings).fetchall()
        if rows:
            # Replaced as a whole, because other threads read it.
            known = self._series = {
                **known,
                **{number: _Known(Series(*series)) for number, *series in rows},
            }
        return known


def _narrowed(known: Mapping[int, _Known], where: Narrowing) -> list[int] | None:
    """Return the matching series; None for all of them."""
    if not (where.workflow or where.project or where.domain or where.within is not None):
        return None
    admitted = _admitting(where.within)
    return [
        number
        for number, each in known.items()
        if where.workflow in ("", each.series.workflow)
        and where.project in ("", each.series.project)
        and where.domain in ("", each.series.domain)
        and admitted(each.series)
    ]


def _named(known: Mapping[int, _Known], series: Iterable[int] | None, text: str) -> list[int]:
    """Return the wanted series whose workflow has a text in its name."""
    if not text:
        return []
    return [
        number for number in (known if series is None else series) if text in known[number].named
    ]


def _fitting(sought: Sought) -> Callable[[int, int], bool]:
    """Return whether a row of a phase or kind, and of a series, matches, and is not of a named series, which is listed separately."""
    parts, apart = frozenset(sought.parts), frozenset(sought.named)
    allowed = None if sought.series is None else frozenset(sought.series)
    return lambda part, series: (
        part in parts and series not in apart and (allowed is None or series in allowed)
    )


def _admitting(patterns: Patterns | None) -> Callable[[Series], bool]:
    """Return whether a series matches one of these pairs of patterns."""
    if patterns is None:
        return lambda _: True
    return lambda series: any(
        fits(project, series.project) and fits(domain, series.domain)
        for project, domain in patterns
    )
