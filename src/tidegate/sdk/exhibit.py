"""
A value as a person at a terminal looks at it: a list of rows as a table, and never more than a screen of anything.

Rule: what is left out is counted, so that nobody takes a part for the whole.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from tidegate.ir.expr import Schema, Value
from tidegate.types.text import show

MOST_LINES: Final = 24
MOST_ROWS: Final = 10
MOST_COLUMNS: Final = 8
WIDEST_CELL: Final = 24
LONGEST_LINE: Final = 1_000


def exhibit(schema: Schema, value: Value, whole: str = "") -> list[str]:
    """Return the lines that show a value, at least one; `whole` says where all of it is, if a part is left out."""
    where = f"; all of it: {whole}" if whole else ""
    rows = value[:MOST_ROWS] if isinstance(value, list) and len(value) > 1 else []
    if is_table(rows):
        lines = aligned(
            [
                [_cell(name) for name in rows[0]],
                *([_cell(each) for each in row.values()] for row in rows),
            ]
        )
        left = len(value) - len(rows)
        return lines + ([f"… {left:,} more rows{where}"] if left else [])
    lines = show(schema, value).splitlines() or [""]
    left = len(lines) - MOST_LINES
    # To leave out two lines and say so with one is no gain.
    lines = lines if left <= 2 else [*lines[:MOST_LINES], f"… {left:,} more lines{where}"]
    return [_cut(line, where) for line in lines]


def is_table(rows: Sequence[Value]) -> bool:
    """Return whether each row is an object of the same few fields, with a scalar in each."""
    first = rows[0] if rows else None
    return (
        isinstance(first, dict)
        and 0 < len(first) <= MOST_COLUMNS
        and all(
            isinstance(row, dict)
            and list(row) == list(first)
            and not any(isinstance(cell, list | dict) for cell in row.values())
            for row in rows
        )
    )


def cells_wide(text: str) -> int:
    """Return how many cells of a terminal a text takes: a Chinese character takes two, an accent of its own none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )


def aligned(rows: Sequence[Sequence[str]], wide: Callable[[str], int] = cells_wide) -> list[str]:
    """Return rows of cells as lines in which the columns stand below each other; `wide` measures a cell."""
    widths = [max(wide(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - wide(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _cell(value: Value) -> str:
    words = " ".join(show({}, value).split())
    return words if len(words) <= WIDEST_CELL else f"{words[: WIDEST_CELL - 1]}…"


def _cut(line: str, where: str) -> str:
    left = len(line) - LONGEST_LINE
    return line if left <= 0 else f"{line[:LONGEST_LINE]}… {left:,} more characters{where}"
