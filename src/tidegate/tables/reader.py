"""
A reader: the process that opens tables which come from outside. It runs no code of theirs, reaches no network, and sees one directory.

It reads one order at a time from standard input, and replies on standard output; each is a length and as many bytes of JSON. It ends with its input.

Rule 1: DuckDB may open files below the directory only, loads no extension, and its configuration is locked.
Rule 2: every name is quoted and every value is bound: nothing in a table or a request becomes SQL.
Rule 3: memory and time are limited by the parent, which kills it.
"""

import resource
import sys
from pathlib import Path
from typing import IO, Any, Final

import duckdb
import msgspec
from msgspec import Struct

from tidegate.errors import NotATable, TableTooLarge, TidegateError
from tidegate.tables.converting import convert
from tidegate.tables.frames import ReaderReply, read, refused, write
from tidegate.tables.profiling import profile
from tidegate.tables.selecting import RowHits, select
from tidegate.tables.shape import Shape, quoted

ADDRESSED: Final = 1024 * 1024 * 1024
"""Bytes of memory that a reader may ask the system for, used or not; what it uses is weighed by its parent."""

OF_DUCKDB: Final = "300MB"
"""What DuckDB keeps in memory before it writes to the disk; buffers of its readers and writers come on top."""

SPILLED: Final = "2GB"

encode = msgspec.json.Encoder(decimal_format="number").encode


class ReadingOrder(Struct, frozen=True, kw_only=True):
    """One thing to do with a table: `convert` a source into one, `rows`, or `profile`. Paths are below the directory of the reader."""

    what: str
    table: str
    source: str = ""
    form: str = ""
    shape: Shape | None = None
    query: dict[str, Any] = {}


def connect(root: Path) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that can open the files below a directory, and nothing else."""
    made = duckdb.connect(
        config={
            "memory_limit": OF_DUCKDB,
            "threads": 2,
            "temp_directory": str(root / "spilled"),
            "max_temp_directory_size": SPILLED,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
            "preserve_insertion_order": True,
        }
    )
    made.execute(f"SET allowed_directories = [{quoted(f'{root}/')}]")
    made.execute("SET enable_external_access = false")
    made.execute("SET lock_configuration = true")
    return made


def carry_out(
    database: duckdb.DuckDBPyConnection, root: Path, order: ReadingOrder, hits: RowHits
) -> Any:
    """Do what an order says. Errors: `NotATable`, `TableTooLarge`, `InvalidValue`."""
    table = root / order.table
    try:
        if order.what == "convert":
            return convert(database, root / order.source, table, order.form)
        assert order.shape is not None, "a table that is read has been converted"
        if order.what == "rows":
            return select(database, table, order.shape, order.query, hits)
        return profile(database, table, order.shape, order.query)
    except (duckdb.OutOfMemoryException, MemoryError):
        raise TableTooLarge("this takes more memory than a reader of tables has") from None
    except (duckdb.Error, OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0][:300] if str(error).strip() else "unreadable"
        raise NotATable(f"this cannot be read as a table: {first}") from None


def serve(root: Path, source: IO[bytes], target: IO[bytes]) -> None:
    """Carry out orders until there are no more."""
    database, hits = connect(root), RowHits()
    while (body := read(source)) is not None:
        order = msgspec.json.decode(body, type=ReadingOrder)
        try:
            told = ReaderReply(msgspec.Raw(encode(carry_out(database, root, order, hits))))
        except TidegateError as error:
            told = refused(error)
        write(target, encode(told))


def main() -> None:
    """Be a reader: of the directory that the first argument names."""
    resource.setrlimit(resource.RLIMIT_DATA, (ADDRESSED, ADDRESSED))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(Path(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
