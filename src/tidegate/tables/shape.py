"""What is known of a converted table: its columns and how many rows it has; and how its columns are written in SQL."""

from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import Struct


class ColumnKind(StrEnum):
    """What a column holds."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    TEXT = "text"
    OTHER = "other"


NUMBERS: Final = frozenset({ColumnKind.INTEGER, ColumnKind.NUMBER})
MOMENTS: Final = frozenset({ColumnKind.DATE, ColumnKind.INSTANT})


class Column(Struct, frozen=True):
    """A column. `written` is its type in the file, if that is another one: a whole number that stands there as text, which keeps its zeros until all are seen."""

    name: str
    kind: ColumnKind
    written: str = ""


class Shape(Struct, frozen=True):
    """A table."""

    columns: list[Column]
    total: int


ROW: Final = "r"
"""The number of a row, from 0, beside the columns c0, c1, ..."""


def source_of(table: Path, shape: Shape) -> str:
    """Return the table as it stands in FROM; its columns have numbers for names, because DuckDB does not tell `Name` from `name`."""
    names = ", ".join([*(f"c{n}" for n in range(len(shape.columns))), ROW])
    return f"read_parquet({quoted(str(table))}, file_row_number = true) AS t({names})"


def value_of(shape: Shape, n: int) -> str:
    """Return a column as it is compared and counted."""
    column = shape.columns[n]
    if column.written == "json":
        return f"CAST(to_json(c{n}) AS VARCHAR)"
    if column.written == "integer":
        return f"CAST(c{n} AS BIGINT)"
    if column.written == "zoned":
        return f"make_timestamp(epoch_us(c{n}))"
    if column.written:
        return f"CAST(c{n} AS VARCHAR)"
    return f"c{n}"


def shown_of(shape: Shape, n: int, longest: int) -> str:
    """Return a column as it is shown: numbers and yes or no as they are, all else as text, of which one character more than the `longest`."""
    value, kind = value_of(shape, n), shape.columns[n].kind
    if kind is ColumnKind.INSTANT:
        mark = "Z" if shape.columns[n].written == "zoned" else ""
        return f"replace(CAST({value} AS VARCHAR), ' ', 'T') || '{mark}'"
    if kind is ColumnKind.DATE:
        return f"CAST({value} AS VARCHAR)"
    if kind in (ColumnKind.TEXT, ColumnKind.OTHER):
        return f"left({value}, {longest + 1})"
    return value


def quoted(text: str) -> str:
    """Return a text as SQL."""
    return "'" + text.replace("'", "''") + "'"
