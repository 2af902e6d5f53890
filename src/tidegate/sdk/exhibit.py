"""
A value as shown at a terminal: a list of rows as a table, and never more than a screenful.

Rule: what is left out is counted, at the end of what is shown, with a way to see all of it, so that nobody mistakes a part for the whole.
"""

import unicodedata
from collections.abc import Callable, Sequence
from sys import maxsize
from typing import Final, NamedTuple

from tidegate.ir.expr import Schema, Value
from tidegate.types.text import Files, show


class Extent(NamedTuple):
    """How much of a value is shown."""

    lines: int
    rows: int
    columns: int
    cell: int
    line: int


SCREEN: Final = Extent(lines=24, rows=10, columns=8, cell=24, line=1_000)
"""What fits a terminal of the usual size beside the question."""

ALL: Final = Extent(maxsize, maxsize, maxsize, maxsize, maxsize)


class Exhibit(NamedTuple):
    """The lines that show a value, at least one; and what is left out, in words, empty if nothing is."""

    lines: list[str]
    left_out: str = ""


def exhibit(
    schema: Schema, value: Value, room: Extent = SCREEN, files: Files | None = None
) -> Exhibit:
    """Return a value as lines. `files` is what was found of the blobs in it."""
    if isinstance(value, list) and len(value) > 1:
        rows = value[: room.rows]
        if is_table(rows):
            return _table(rows, len(value), room, files)
    lines = show(schema, value, files).splitlines() or [""]
    # Replacing two lines by one that says so would gain nothing.
    shown = lines if len(lines) <= room.lines + 2 else lines[: room.lines]
    left = [f"{len(shown):,} of {len(lines):,} lines"] if len(shown) < len(lines) else []
    cut = sum(max(0, len(line) - room.line) for line in shown)
    if cut:
        total = sum(map(len, shown))
        left.append(f"{total - cut:,} of {total:,} characters of {'these' if left else 'it'}")
    return Exhibit([_cut(line, room.line) for line in shown], ", ".join(left))


def _table(rows: list[Value], count: int, room: Extent, files: Files | None) -> Exhibit:
    names = list(rows[0])
    wide = len(names) > room.columns
    cut = 0

    def cell(value: Value) -> str:
        nonlocal cut
        words = " ".join(show({}, value, files).split())
        cut += len(words) > room.cell
        return _cut(words, room.cell)

    lines = aligned(
        [
            [cell(name) for name in names[: room.columns]],
            *([cell(row[name]) for name in names[: room.columns]] for row in rows),
        ]
    )
    left = [f"{len(rows):,} of {count:,} rows"] if len(rows) < count else []
    left += [f"{room.columns:,} of {len(names):,} columns"] if wide else []
    left += [f"{cut:,} cell{'' if cut == 1 else 's'} shortened"] if cut else []
    return Exhibit(lines, ", ".join(left))


def is_table(rows: Sequence[Value]) -> bool:
    """Return whether all rows are objects with the same fields, each a scalar."""
    first = rows[0] if rows else None
    return (
        isinstance(first, dict)
        and len(first) > 0
        and all(
            isinstance(row, dict)
            and row.keys() == first.keys()
            and not any(isinstance(cell, list | dict) for cell in row.values())
            for row in rows
        )
    )


def cells_wide(text: str) -> int:
    """Return the width of a text in terminal cells: a Chinese character takes two, a combining accent none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )


def aligned(rows: Sequence[Sequence[str]], wide: Callable[[str], int] = cells_wide) -> list[str]:
    """Return rows of cells as lines with aligned columns; `wide` measures a cell."""
    widths = [max(wide(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - wide(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
