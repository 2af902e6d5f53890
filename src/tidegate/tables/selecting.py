"""
A page of rows: filtered, searched and sorted over all rows of a table.

The numbers of the rows that match are kept for the next page. Only the rows of a page are read in full: a sort reads one column.
"""

from collections.abc import Sequence
from math import isfinite, isnan
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.errors import Fault, InvalidValue
from tidegate.tables.shape import (
    MOMENTS,
    NUMBERS,
    ROW,
    ColumnKind,
    Shape,
    shown_of,
    source_of,
    value_of,
)

COMPARED: Final = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}

MOST_BYTES: Final = 4 * 1024 * 1024
"""Characters of text in one page: if there are more, all cells are cut to their share of it, and those are listed."""

MOST_READ: Final = 16 * 1024 * 1024
"""Characters that are read for one page, if every cell is as long as it may be."""


class Filter(Struct, frozen=True, forbid_unknown_fields=True):
    """One condition on a column; a row must meet all of them."""

    column: str
    op: str
    value: str | int | float | bool | None = None


class RowQuery(Struct, frozen=True, kw_only=True):
    """Which rows, and which of their columns."""

    offset: int = 0
    limit: int = 200
    sort: list[str] = []
    filter: list[Filter] = []
    q: str = ""
    columns: str = ""
    cell: int = 1000


class RowHits:
    """The numbers of the rows that met the last condition, in a table of the database."""

    def __init__(self) -> None:
        self._of: tuple[Any, ...] = ()
        self._count = 0

    def of(self, database: Any, source: str, condition: tuple[str, list[Any]]) -> int:
        """Have those of a condition there; return how many there are."""
        key = (source, condition[0], *condition[1])
        if self._of != key:
            self._of = ()
            where, values = condition
            database.execute(
                f"CREATE OR REPLACE TEMP TABLE hits AS SELECT {ROW} FROM {source} WHERE {where}",
                values,
            )
            self._count = database.execute("SELECT count(*) FROM hits").fetchone()[0]
            self._of = key
        return self._count


def select(
    database: Any, table: Path, shape: Shape, given: dict[str, Any], hits: RowHits
) -> dict[str, Any]:
    """Return a page. Errors: `InvalidValue`, naming the part of the query; those of DuckDB."""
    query = msgspec.convert(given, RowQuery)
    source = source_of(table, shape)
    condition = _condition(shape, query)
    matching = hits.of(database, source, condition) if condition else shape.total
    chosen = chosen_of(shape, query.columns)
    numbers = _numbers(database, source, shape, query, filtered=condition is not None)
    rows = _rows(database, source, shape, query, chosen, numbers)
    cut = _shorten(rows, query.cell)
    return {
        "columns": [
            {"name": shape.columns[n].name, "type": shape.columns[n].kind, "position": n}
            for n in chosen
        ],
        "wide": len(shape.columns),
        "rows": rows,
        "numbers": list(numbers),
        "cut": cut,
        "offset": query.offset,
        "total": shape.total,
        "matching": matching,
    }


def chosen_of(shape: Shape, text: str) -> list[int]:
    """Return the positions of the chosen columns: `0-39,57`, or all if it is empty. Errors: `InvalidValue`."""
    if not text:
        return list(range(len(shape.columns)))
    found: dict[int, None] = {}
    for each in text.split(","):
        first, _, last = each.partition("-")
        try:
            begin, end = int(first), int(last or first)
        except ValueError:
            raise _wrong(
                "columns", f"{each[:40]!r} is not a position or a range, as in 0-39,57"
            ) from None
        found |= dict.fromkeys(range(max(0, begin), min(end, len(shape.columns) - 1) + 1))
    return list(found)


def _numbers(
    database: Any, source: str, shape: Shape, query: RowQuery, *, filtered: bool
) -> Sequence[int]:
    """Return the numbers of the rows of a page, in its order."""
    if not query.sort:
        if not filtered:
            return range(
                min(query.offset, shape.total), min(query.offset + query.limit, shape.total)
            )
        select = f"SELECT {ROW} FROM hits"
        order = ROW
    else:
        order = ", ".join([*(_order(shape, each) for each in query.sort), ROW])
        among = f" WHERE {ROW} IN (SELECT {ROW} FROM hits)" if filtered else ""
        select = f"SELECT {ROW} FROM {source}{among}"
    told = database.execute(
        f"{select} ORDER BY {order} LIMIT ? OFFSET ?", [query.limit, query.offset]
    ).fetchall()
    return [number for (number,) in told]


def _order(shape: Shape, sort: str) -> str:
    names = [each.name for each in shape.columns]
    if sort in names:
        return f"{value_of(shape, names.index(sort))} ASC NULLS LAST"
    if sort.startswith("-") and sort[1:] in names:
        return f"{value_of(shape, names.index(sort[1:]))} DESC NULLS LAST"
    raise _wrong("sort", f"there is no column {sort.removeprefix('-')[:80]!r}")


def _rows(
    database: Any,
    source: str,
    shape: Shape,
    query: RowQuery,
    chosen: list[int],
    numbers: Sequence[int],
) -> list[list[Any]]:
    if not numbers or not chosen:
        return [[] for _ in numbers]
    longest = min(query.cell, MOST_READ // (len(numbers) * len(chosen)) + 20)
    shown = ", ".join(shown_of(shape, n, longest) for n in chosen)
    if isinstance(numbers, range):
        among = f"{ROW} BETWEEN {numbers.start} AND {numbers.stop - 1}"
    else:
        among = f"{ROW} IN ({', '.join(map(str, numbers))})"
    told = database.execute(f"SELECT {ROW}, {shown} FROM {source} WHERE {among}").fetchall()
    by_number = {row[0]: [_plain(each) for each in row[1:]] for row in told}
    return [by_number[number] for number in numbers]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _shorten(rows: list[list[Any]], longest: int) -> list[list[int]]:
    """Cut long cells where they are; return which ones: row and column, counted in the page."""
    texts = [len(each) for row in rows for each in row if isinstance(each, str)]
    if sum(min(each, longest) for each in texts) > MOST_BYTES:
        longest = min(longest, MOST_BYTES // len(texts) + 20)
    cut = []
    for at, row in enumerate(rows):
        for n, each in enumerate(row):
            if isinstance(each, str) and len(each) > longest:
                row[n] = each[:longest]
                cut.append([at, n])
    return cut


def _condition(shape: Shape, query: RowQuery) -> tuple[str, list[Any]] | None:
    """Return the condition of a query in SQL and the values in it; None if it has none."""
    parts: list[str] = []
    values: list[Any] = []
    for each in query.filter:
        part, bound = _filter(shape, each)
        parts.append(part)
        values += bound
    if query.q:
        part, bound = _search(shape, query.q)
        parts.append(part)
        values += bound
    return (" AND ".join(f"({each})" for each in parts), values) if parts else None


def _filter(shape: Shape, given: Filter) -> tuple[str, list[Any]]:
    names = [each.name for each in shape.columns]
    if given.column not in names:
        raise _wrong("filter", f"there is no column {given.column[:80]!r}")
    n = names.index(given.column)
    value, kind = value_of(shape, n), shape.columns[n].kind
    if given.op == "missing":
        return f"{value} IS NULL", []
    if given.op == "present":
        return f"{value} IS NOT NULL", []
    if given.op == "contains":
        return f"contains(lower(CAST({value} AS VARCHAR)), lower(?))", [str(given.value)]
    if given.op not in COMPARED:
        there = ", ".join([*COMPARED, "contains", "missing", "present"])
        raise _wrong("filter", f"{given.op[:40]!r} is not one of {there}")
    return f"{value} {COMPARED[given.op]} {_parameter(kind)}", [_bound(kind, given)]


def _parameter(kind: ColumnKind) -> str:
    if kind is ColumnKind.DATE:
        return "CAST(? AS DATE)"
    return "CAST(? AS TIMESTAMP)" if kind is ColumnKind.INSTANT else "?"


def _bound(kind: ColumnKind, given: Filter) -> Any:
    value = given.value
    if kind in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong("filter", f"{given.column[:80]!r} has numbers; {value!r} is not one")
        return value
    if kind is ColumnKind.BOOLEAN:
        if not isinstance(value, bool):
            raise _wrong("filter", f"{given.column[:80]!r} has yes or no: give true or false")
        return value
    if not isinstance(value, str):
        raise _wrong("filter", f"{given.column[:80]!r} is compared with a text")
    if kind in MOMENTS:
        return value.removesuffix("Z")
    return value


def _search(shape: Shape, text: str) -> tuple[str, list[Any]]:
    """Return what finds a text in any column: inside a text, as the whole of a number, as the beginning of a date."""
    number = _number(text)
    parts: list[str] = []
    values: list[Any] = []
    for n, column in enumerate(shape.columns):
        value = value_of(shape, n)
        if column.kind in (ColumnKind.TEXT, ColumnKind.OTHER):
            # Twice as quick where no letter has another case.
            if text.lower() == text.upper():
                parts.append(f"contains({value}, ?)")
                values.append(text)
            else:
                parts.append(f"{value} ILIKE ? ESCAPE '\\'")
                values.append(f"%{_escaped(text)}%")
        elif column.kind in NUMBERS and number is not None:
            parts.append(f"{value} = ?")
            values.append(number)
        elif column.kind in MOMENTS and text[:1].isdigit():
            parts.append(f"starts_with(CAST({value} AS VARCHAR), ?)")
            values.append(text.replace("T", " "))
    return (" OR ".join(parts), values) if parts else ("false", [])


def _number(text: str) -> int | float | None:
    try:
        return int(text) if text.lstrip("-").isdigit() and len(text) < 19 else float(text)
    except ValueError:
        return None


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def _wrong(part: str, why: str) -> InvalidValue:
    return InvalidValue(f"{part}: {why}", [Fault((part,), why)])
