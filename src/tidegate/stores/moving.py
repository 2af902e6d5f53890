"""
Copying all rows of a store into an empty one, on SQLite or Postgres, and comparing them by count and digest.

Rule 1: the rows are the history and what it does not say: workflows, executions, held attempts, tokens, sessions, the audit log. Lists and counters
        are rebuilt from the history, so a copy is also a test of it.
Rule 2: keys are numbered again, in the same order: a key on Postgres has the shard in it. Public ids, handles and hashes stay.
Rule 3: the order of all lines stays, so a reader of changes finds them in the order in which they happened; cursors do not carry over.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.history import from_bytes
from tidegate.errors import StoreDamaged, StoreError
from tidegate.ports.store import Progress
from tidegate.stores.database import Database, SqlConnection
from tidegate.stores.rows import Row

FEW: Final = 1_000
"""Rows that are written at once."""

FIRST: Final = ("graphs", "workflows", "series")
LAST: Final = ("held", "tokens", "sessions", "audit")
COMPARED: Final = (
    "compare_workflows",
    "compare_executions",
    "compare_history",
    "compare_waits",
    "compare_held",
    "move_tokens",
    "move_sessions",
    "move_audit",
)


class Rows(Struct, frozen=True):
    """How many rows of a kind there are, and the digest over all of them."""

    count: int
    digest: str


class Numbering:
    """What the rows are called in the other database: the keys of executions there, and what is stored with each line. `next_key` makes a key."""

    def __init__(
        self, next_key: Callable[[str, int], int], after: Callable[[int, int], Row]
    ) -> None:
        self._next_key = next_key
        self._after = after
        self._keys: dict[int, int] = {}
        self._at = 0

    def execution(self, row: Row) -> Row:
        """Return an execution with its new key."""
        key, id_, *rest = row
        self._keys[key] = new = self._next_key(id_, rest[5])
        return (new, id_, *rest)

    def line(self, row: Row) -> Row:
        """Return a line of history with the new key, and its position."""
        key, seq, body = row
        new = self._keys[key]
        with suppress(StoreDamaged):  # it is copied as it is, and damages its own execution
            self._at = max(self._at, from_bytes(body).event.at)
        return (new, seq, body, *self._after(new, self._at))

    def held(self, row: Row) -> Row:
        """Return a held attempt with its new key."""
        return (self._keys[row[0]], *row[1:])


def copy_rows(
    source: Database,
    into: SqlConnection,
    sql: Mapping[str, str],
    numbering: Numbering,
    progress: Progress,
) -> None:
    """Copy all rows of a database through a connection to an empty one, whose statements are `sql`. `progress` counts lines of history."""
    total = int(source.value("SELECT count(*) FROM history", {}))
    with source.snapshot() as reading:

        def rows(name: str) -> Iterator[Row]:
            return source.stream(reading, source.sql[f"move_{name}"], {})

        for name in FIRST:
            _write(into, sql[f"take_{name}"], rows(name))
        _write(into, sql["take_executions"], map(numbering.execution, rows("executions")))
        lines = _told(map(numbering.line, rows("history")), total, progress)
        _write(into, sql["take_history"], lines)
        for name in LAST:
            found = map(numbering.held, rows(name)) if name == "held" else rows(name)
            _write(into, sql[f"take_{name}"], found)


def compared(database: Database, connection: SqlConnection) -> dict[str, Rows]:
    """Return the rows of each kind, as a digest, as this connection sees them in one transaction."""
    return {
        name.partition("_")[2]: _digest(database.stream(connection, database.sql[name], {}))
        for name in COMPARED
    }


def counted(database: Database) -> dict[str, Rows]:
    """Return the rows of each kind as they are now."""
    with database.snapshot() as connection:
        return compared(database, connection)


def refuse_different(before: Mapping[str, Rows], after: Mapping[str, Rows]) -> None:
    """Refuse a copy that differs. Errors: `StoreDamaged`."""
    for name, rows in before.items():
        there = after[name]
        if rows != there:
            raise StoreDamaged(
                f"the copy differs: {rows.count:,} rows of {name} with the digest {rows.digest[:12]} became {there.count:,} with {there.digest[:12]};"
                " run `tidegate doctor` on the original"
            )


def is_empty(database: Database) -> bool:
    """Return whether a store has nothing in it."""
    return not database.value(database.sql["is_used"], {})


def _write(into: SqlConnection, statement: str, rows: Iterable[Row]) -> None:
    left = iter(rows)
    while few := list(islice(left, FEW)):
        into.executemany(statement, few)


def _told(rows: Iterable[Row], total: int, progress: Progress) -> Iterator[Row]:
    for done, row in enumerate(rows, start=1):
        if done % FEW == 0 or done == total:
            progress(done, total)
        yield row


def _digest(rows: Iterable[Row]) -> Rows:
    seen, count = hashlib.sha256(), 0
    encode = msgspec.msgpack.Encoder().encode
    for row in rows:
        seen.update(encode([_plain(each) for each in row]))
        count += 1
    return Rows(count, seen.hexdigest())


def _plain(value: Any) -> Any:
    if isinstance(value, memoryview):
        return bytes(value)
    if value is None or isinstance(value, int | str | bytes):
        return value
    raise StoreError(f"a row has a value of type {type(value).__name__}, which cannot be compared")
