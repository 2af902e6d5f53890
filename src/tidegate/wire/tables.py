"""Rows of a value that is a table, and the profiles of its columns."""

from msgspec import Struct

from tidegate.ir.expr import Value


class ColumnView(Struct, frozen=True, kw_only=True):
    """A column: its name, its type (integer, number, boolean, date, instant, text, other), and which one it is, from 0."""

    name: str
    type: str
    position: int


class RowsView(Struct, frozen=True, kw_only=True):
    """
    A page of rows.

    `columns` are the chosen ones of `wide` in all. Each of `rows` has a cell for each of them; `numbers` are the numbers of the rows in the table, from 0.
    Cells that are longer than asked for are shortened; `cut` lists them, as row and column of this page. `total` counts all rows, `matching` those that meet the filter.
    `digest` is that of the value, not of the page.
    """

    columns: list[ColumnView]
    wide: int
    rows: list[list[Value]]
    numbers: list[int]
    cut: list[list[int]]
    offset: int
    total: int
    matching: int
    digest: str


class HistogramView(Struct, frozen=True, kw_only=True):
    """How many values lie in each of some intervals of equal width. The first begins with `low`, the least value; the last ends with `high`, the largest."""

    low: Value
    high: Value
    counts: list[int]


class ColumnProfile(Struct, frozen=True, kw_only=True):
    """
    The profile of a column, over all rows. Where not `exact`, `distinct` and `median` are estimates.

    Only numbers have `sum`, `mean`, `median` and `negative`; numbers, dates and instants have `min`, `max` and a histogram. `top` are the most frequent values with their counts.
    """

    name: str
    type: str
    position: int
    missing: int
    distinct: int
    exact: bool
    min: Value = None
    max: Value = None
    sum: Value = None
    mean: Value = None
    median: Value = None
    negative: int | None = None
    top: list[list[Value]] | None = None
    histogram: HistogramView | None = None


class ProfileView(Struct, frozen=True, kw_only=True):
    """The profiles of some columns, and how many rows they are over."""

    columns: list[ColumnProfile]
    total: int
    digest: str
