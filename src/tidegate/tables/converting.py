"""
From what a value is to a Parquet file that is quick to read: text with separators, records, Arrow and NumPy arrays. Parquet stays as it is.

Rule: what is shown is what is there. A code such as `0042` stays text; a column is a number only if each of its texts is what the number is written as.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from tidegate.errors import NotATable
from tidegate.tables.shape import Column, ColumnKind, Shape, quoted

SAMPLE: Final = 100_000
"""Rows by which the types of text are guessed. A row further on that does not fit makes all columns text."""

MOST_COLUMNS: Final = 10_000
"""Columns that a page could still list."""

PIECE: Final = 4 * 1024 * 1024
"""Bytes of an array that are written at once."""

AS_IT_IS: Final = {
    "BOOLEAN": ColumnKind.BOOLEAN,
    "DATE": ColumnKind.DATE,
    "VARCHAR": ColumnKind.TEXT,
    "FLOAT": ColumnKind.NUMBER,
    "DOUBLE": ColumnKind.NUMBER,
    **dict.fromkeys(
        [
            "TINYINT",
            "SMALLINT",
            "INTEGER",
            "BIGINT",
            "HUGEINT",
            "UTINYINT",
            "USMALLINT",
            "UINTEGER",
            "UBIGINT",
            "UHUGEINT",
        ],
        ColumnKind.INTEGER,
    ),
    **dict.fromkeys(
        ["TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"], ColumnKind.INSTANT
    ),
}

DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\Z")


def convert(database: Any, source: Path, table: Path, form: str) -> Shape:
    """Write a source as a table. Errors: `NotATable`; those of DuckDB, `OSError`, `ValueError`."""
    written: set[int] = set()
    names: list[str] | None = None
    match form:
        case "csv" | "tsv":
            written = _from_text(database, source, table, form)
        case "records":
            names = _from_records(database, source, table)
        case "arrow":
            _from_arrow(source, table)
        case "npy":
            _from_array(source, table)
        case _:
            assert form == "parquet", f"{form} is not a form of a table"
            source.replace(table)
    found = database.execute(
        f"DESCRIBE SELECT * FROM read_parquet({quoted(str(table))})"
    ).fetchall()
    if len(found) > MOST_COLUMNS:
        raise NotATable(f"it has {len(found):,} columns; {MOST_COLUMNS:,} can be shown")
    total = database.execute(f"SELECT count(*) FROM read_parquet({quoted(str(table))})").fetchone()
    columns = [
        Column(names[n] if names else name, ColumnKind.INTEGER, "integer")
        if n in written
        else _column(names[n] if names else name, kind)
        for n, (name, kind, *_) in enumerate(found)
    ]
    return Shape(columns, total[0])


def _column(name: str, kind: str) -> Column:
    if kind in AS_IT_IS:
        return Column(name, AS_IT_IS[kind])
    if kind.startswith("DECIMAL"):
        return Column(name, ColumnKind.NUMBER)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return Column(name, ColumnKind.INSTANT, "zoned")
    if kind.startswith("ENUM"):
        return Column(name, ColumnKind.TEXT, "text")
    is_nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))
    return Column(name, ColumnKind.OTHER, "json" if is_nested else "text")


def _from_text(database: Any, source: Path, table: Path, form: str) -> set[int]:
    """Convert text with separators; return the columns of whole numbers, which are kept as text."""
    given = f"{quoted(str(source))}"
    if form == "tsv":
        given += ", delim = '\t'"
    sniffed = f"{given}, sample_size = {SAMPLE}"
    guessed = database.execute(f"DESCRIBE SELECT * FROM read_csv({sniffed})").fetchall()
    if len(guessed) > MOST_COLUMNS:
        raise NotATable(f"it has {len(guessed):,} columns; {MOST_COLUMNS:,} can be shown")
    whole = [n for n, (_, kind, *_) in enumerate(guessed) if kind == "BIGINT"]
    as_text = ", ".join(f"{quoted(guessed[n][0])}: 'VARCHAR'" for n in whole)
    typed = f"{sniffed}, types = {{{as_text}}}" if whole else sniffed
    try:
        _copy(database, f"SELECT * FROM read_csv({typed})", table)
    except (duckdb.ConversionException, duckdb.InvalidInputException):
        # A later row is not what the first ones were.
        text = f"{sniffed}, all_varchar = true, null_padding = true, strict_mode = false"
        _copy(database, f"SELECT * FROM read_csv({text})", table)
        return set()
    if not whole:
        return set()
    names = ", ".join(f"c{n}" for n in range(len(guessed)))
    tests = ", ".join(
        f"bool_and(c{n} IS NULL OR CAST(TRY_CAST(c{n} AS BIGINT) AS VARCHAR) = c{n})" for n in whole
    )
    told = database.execute(
        f"SELECT {tests} FROM read_parquet({quoted(str(table))}) AS t({names})"
    ).fetchone()
    return {n for n, holds in zip(whole, told, strict=True) if holds}


def _copy(database: Any, select: str, table: Path) -> None:
    database.execute(
        f"COPY ({select}) TO {quoted(str(table))} (FORMAT parquet, COMPRESSION snappy)"
    )


def _from_records(database: Any, source: Path, table: Path) -> list[str]:
    """Convert a list of objects, a list of lists, or an object of lists; return the names of the columns."""
    value = msgspec.json.decode(source.read_bytes())
    names, rows = _rows(value)
    if len(names) > MOST_COLUMNS:
        raise NotATable(f"it has {len(names):,} columns; {MOST_COLUMNS:,} can be shown")
    columns = [_of_values([row[n] for row in rows]) for n in range(len(names))]
    lines = source.with_suffix(".lines")
    try:
        with lines.open("w", newline="") as file:
            for at in range(len(rows)):
                # What is quoted is a text, an empty one too; what is not is missing.
                file.write(",".join(_in_quotes(texts[at]) for _, texts in columns) + "\n")
        declared = ", ".join(f"'c{n}': '{kind}'" for n, (kind, _) in enumerate(columns))
        how = "header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = false"
        read = f"read_csv({quoted(str(lines))}, columns = {{{declared}}}, {how})"
        _copy(database, f"SELECT * FROM {read}", table)
    finally:
        lines.unlink(missing_ok=True)
    return names


def _rows(value: Any) -> tuple[list[str], list[list[Any]]]:
    if isinstance(value, dict) and value and all(isinstance(each, list) for each in value.values()):
        if len({len(each) for each in value.values()}) == 1:
            return list(value), [list(row) for row in zip(*value.values(), strict=True)]
    elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        names = list(dict.fromkeys(name for each in value for name in each))
        if names:
            return names, [[each.get(name) for name in names] for each in value]
    elif isinstance(value, list) and value and all(isinstance(each, list) for each in value):
        wide = max(map(len, value))
        if wide:
            return [str(n + 1) for n in range(wide)], [
                [*row, *[None] * (wide - len(row))] for row in value
            ]
    raise NotATable(
        "this value is not a table: a list of objects or of lists, or an object of lists"
    )


def _of_values(values: list[Any]) -> tuple[str, list[str | None]]:
    """Return the type of a column of JSON values, and each as text."""
    present = [each for each in values if each is not None]
    kinds = {type(each) for each in present}
    if kinds == {bool}:
        return "BOOLEAN", [None if each is None else str(each).lower() for each in values]
    if kinds == {int} and all(-(2**63) <= each < 2**63 for each in present):
        return "BIGINT", [None if each is None else str(each) for each in values]
    if (
        kinds
        and kinds <= {int, float}
        and all(abs(each) <= 2**53 for each in present if type(each) is int)
    ):
        return "DOUBLE", [None if each is None else repr(each) for each in values]
    if kinds == {str}:
        return "DATE" if all(map(_is_day, present)) else "VARCHAR", values
    return "VARCHAR", [
        each if each is None or isinstance(each, str) else msgspec.json.encode(each).decode()
        for each in values
    ]


def _in_quotes(text: str | None) -> str:
    return "" if text is None else '"' + text.replace('"', '""') + '"'


def _is_day(text: str) -> bool:
    if not DAY.match(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _from_arrow(source: Path, table: Path) -> None:
    # Loaded where a form needs it, as is NumPy below.
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import ipc, parquet  # noqa: PLC0415

    with pa.memory_map(str(source)) as file:
        try:
            opened = ipc.open_file(file)
            batches: Iterator[Any] = map(opened.get_batch, range(opened.num_record_batches))
        except pa.ArrowInvalid:
            file.seek(0)
            opened = ipc.open_stream(file)
            batches = iter(opened)
        with parquet.ParquetWriter(str(table), opened.schema, compression="snappy") as writer:
            for batch in batches:
                writer.write_batch(batch)


def _from_array(source: Path, table: Path) -> None:
    import numpy as np  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    array = np.load(source, mmap_mode="r", allow_pickle=False)
    if array.ndim > 2 or array.ndim == 0:
        raise NotATable(f"an array of {array.ndim} dimensions is not a table")
    if array.dtype.kind == "V" and array.dtype.names is None:
        raise NotATable("an array of raw bytes is not a table")
    wide = array.shape[1] if array.ndim == 2 else len(array.dtype.names or "1")
    if wide > MOST_COLUMNS:
        raise NotATable(f"it has {wide:,} columns; {MOST_COLUMNS:,} can be shown")
    step = max(1, PIECE // max(1, array.itemsize * (wide if array.ndim == 2 else 1)))
    writer = None
    try:
        for at in range(0, max(1, len(array)), step):
            piece = _named(np, array[at : at + step])
            batch = pa.table({name: pa.array(each) for name, each in piece})
            writer = writer or parquet.ParquetWriter(str(table), batch.schema, compression="snappy")
            writer.write_table(batch)
    finally:
        if writer is not None:
            writer.close()


def _named(np: Any, piece: Any) -> Iterator[tuple[str, Any]]:
    """Yield the columns of an array, in this machine's order of bytes; what Arrow does not know is written out."""
    if piece.dtype.names:
        parts = [(name, piece[name]) for name in piece.dtype.names]
    elif piece.ndim == 1:
        parts = [("value", piece)]
    else:
        parts = [(str(n + 1), piece[:, n]) for n in range(piece.shape[1])]
    for name, each in parts:
        if each.dtype.kind == "f" and each.dtype.itemsize == 2:
            yield name, each.astype("f4")
        elif (each.dtype.kind in "biufMmU" and each.dtype.itemsize != 16) or each.dtype.kind == "U":
            yield name, np.ascontiguousarray(each.astype(each.dtype.newbyteorder("=")))
        else:
            yield name, [str(item) for item in each.tolist()]
