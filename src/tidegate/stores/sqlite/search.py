"""
The search indexes: which rows may contain a text, by its trigrams.

They name executions, and the text of the row decides. Rows are entered some hundreds at a time, inside the commit that makes the number
full, and until then searched one by one. Entries of ended waits are removed as slowly; a stale candidate is simply not found.
"""

import json
from typing import NamedTuple

import apsw

from tidegate.ports.journal import Batch
from tidegate.stores import statements
from tidegate.stores.database import SqlConnection
from tidegate.stores.rows import Row
from tidegate.stores.sqlite.connect import DATABASE

PENDING = 250
"""
Rows that are entered at once. Measured with 300,000: a row costs 4 to 6 µs in groups of 250 or 500, and 70 to 100 µs alone;
a commit takes 3 ms longer at the 99th percentile with 250, and 5 ms with 500.
"""

MERGED = 16
"""
Pages of an index that are merged each time. A group fills 2 or 3 pages, and each page is merged once a level, of which
a million rows make six. Left to SQLite, pages are merged 64 a level at once, which took 25 ms.
"""

SWEEP = 1_000
"""Entries that are checked each time: while an index of a million is read through, a quarter of it may be stale."""

CANDIDATES = 10_000
"""If more rows than this may contain a text (reading as many takes some 30 ms), reading the list in order finds a page sooner."""

SHORTEST = 3
"""Characters of a text that the indexes can find."""

MOST = 32
"""Trigrams of a text that are looked up; more hardly leave fewer candidates."""

WAITS, EXECUTIONS = "waits_text", "executions_text"
SWEPT = "waits_swept"


class Marks(NamedTuple):
    """Up to which execution each index goes, and how many executions beyond that still wait to be entered."""

    waits: int
    executions: int
    late: int


class Search:
    """The indexes of one store, by execution. Methods that write are called only with the writing connection."""

    def __init__(self) -> None:
        self._sql = {**statements.shared(), **statements.own(DATABASE)}
        self._marks: Marks | None = None

    def indexed(self, connection: SqlConnection, index: str) -> int:
        """Return up to which execution an index goes."""
        found = connection.execute(self._sql["mark"], {"name": index}).fetchall()
        return int(found[0][0]) if found else 0

    def keep_up(self, connection: apsw.Connection, batch: Batch) -> Marks:
        """Enter what is new in each index, if that is enough by now; return the marks that are valid once this is committed."""
        waits, executions, late = self._marks or self._read(connection)
        if batch.waits and (came := {row.key for row in batch.waits if row.key <= waits}):
            connection.executemany(self._sql["add_late"], [(key,) for key in came])
            late += len(came)
        last = max((row.key for row in batch.launches), default=0)
        if last - executions >= PENDING:
            self.enter(connection, EXECUTIONS, executions, last)
            self._merge(connection, EXECUTIONS, last - executions)
            executions = last
        if last - waits >= PENDING or late >= PENDING:
            last = max(last, waits)
            self.enter(connection, WAITS, waits, last)
            for statement in ("index_late", "forget_late"):
                connection.execute(self._sql[statement])
            self._merge(connection, WAITS, last - waits + late)
            self._sweep(connection)
            waits, late = last, 0
        return Marks(waits, executions, late)

    def kept(self, marks: Marks) -> None:
        """Accept marks, after a commit."""
        self._marks = marks

    def forget(self) -> None:
        """Read the marks again when they are needed next."""
        self._marks = None

    def enter(self, connection: apsw.Connection, index: str, after: int, last: int) -> None:
        """Enter one stretch of executions."""
        connection.execute(self._sql[f"index_{index}"], {"after": after, "last": last})
        connection.execute(self._sql["set_mark"], {"name": index, "value": last})

    def tidy(self, connection: apsw.Connection, index: str) -> None:
        """Merge a whole index, after everything has been entered; a million rows take some seconds."""
        connection.execute(self._sql[f"tidy_{index}"])

    def candidates(self, connection: SqlConnection, index: str, text: str) -> list[int] | None:
        """Return the executions that may contain a folded text; None if that is unknown, or they are too many to be of use."""
        # The indexes leave NUL out, and a query would end there.
        text = text.replace("\0", "")
        if len(text) < SHORTEST:
            return None
        parts = dict.fromkeys(text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1))
        query = " AND ".join('"{}"'.format(part.replace('"', '""')) for part in list(parts)[:MOST])
        bindings = {"query": query, "limit": CANDIDATES + 1}
        found: list[Row] = connection.execute(self._sql[f"find_{index}"], bindings).fetchall()
        return None if len(found) > CANDIDATES else [row for (row,) in found]

    def executions(self, connection: SqlConnection, text: str) -> list[Row] | None:
        """Return the executions whose id has a folded text; None as of `candidates`."""
        keys = self.candidates(connection, EXECUTIONS, text)
        if keys is None:
            return None
        bindings = {
            "text": text,
            "keys": json.dumps(keys),
            "last_key": self.indexed(connection, EXECUTIONS),
        }
        return connection.execute(self._sql["executions_found"], bindings).fetchall()

    def waits(self, connection: SqlConnection, text: str) -> list[Row] | None:
        """Return the waits with a folded text; None as of `candidates`."""
        waiting = self.candidates(connection, WAITS, text)
        keys = self.candidates(connection, EXECUTIONS, text)
        if waiting is None or keys is None:
            return None
        bindings = {
            "text": text,
            "waiting": json.dumps(waiting),
            "last_waiting": self.indexed(connection, WAITS),
            "keys": json.dumps(keys),
            "last_key": self.indexed(connection, EXECUTIONS),
        }
        return connection.execute(self._sql["waits_found"], bindings).fetchall()

    def _read(self, connection: apsw.Connection) -> Marks:
        return Marks(
            self.indexed(connection, WAITS),
            self.indexed(connection, EXECUTIONS),
            int(connection.execute(self._sql["count_late"]).get),
        )

    def _merge(self, connection: apsw.Connection, index: str, entered: int) -> None:
        pages = max(1, MERGED * entered // PENDING)
        connection.execute(self._sql[f"merge_{index}"], {"pages": pages})

    def _sweep(self, connection: apsw.Connection) -> None:
        bindings = {"after": self.indexed(connection, SWEPT), "limit": SWEEP}
        seen: list[Row] = connection.execute(self._sql["stale_waits_text"], bindings).fetchall()
        stale = [(key,) for key, gone in seen if gone]
        connection.executemany(self._sql["sweep_waits_text"], stale)
        after = seen[-1][0] if len(seen) == SWEEP else 0
        connection.execute(self._sql["set_mark"], {"name": SWEPT, "value": after})
