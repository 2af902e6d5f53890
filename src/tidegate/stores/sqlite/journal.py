"""The journal on SQLite."""

from collections.abc import Sequence
from functools import partial

import apsw

from tidegate.errors import StoreFull
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.ports.journal import (
    Batch,
    Due,
    HeldRow,
    Key,
    Recorded,
    Series,
)
from tidegate.stores.folder import full
from tidegate.stores.journal import SqlJournal
from tidegate.stores.rows import (
    LATEST,
    due_bound,
    recorded,
    writes,
)
from tidegate.stores.sqlite.connections import Connections
from tidegate.stores.sqlite.search import Marks, Search

MAX_SERIES = 10_000
"""Numbers of series that are remembered: some 3 MB. There are as many as workflows in projects."""


class _Conflict(Exception):
    """A row contradicts what is stored: the transaction is rolled back, and then the cause is determined."""


class SqliteJournal(SqlJournal):
    """A `Journal`."""

    def __init__(self, connections: Connections, search: Search) -> None:
        super().__init__(connections)
        self._connections = connections
        self._search = search
        self._series: dict[Series, int] = {}
        self._key: int | None = None

    def append(self, batch: Batch) -> frozenset[Key]:
        """Store a batch in one transaction, or return the executions that another writer has appended to."""
        found: dict[Series, int] = {}
        with self._connections.held:
            try:
                moved = (
                    self._store_urgently(batch, found)
                    if batch.urgent
                    else self._store(batch, found)
                )
            except _Conflict as conflict:
                self.forget()
                self._key = max(self._key or 0, self.last_key())
                keys = self.conflicts(batch)
                if keys:
                    return keys
                why = f"the batch contradicts what the store {self._connections.name} holds"
                raise AssertionError(f"{why}: {conflict}") from conflict.__cause__
            except BaseException:
                self.forget()
                raise
        self._search.kept(moved)
        if len(self._series) > MAX_SERIES:
            self._series.clear()
        self._series.update(found)
        return frozenset()

    def forget(self) -> None:
        """Counts in memory may not be stored, or another process has written: count again."""
        self._search.forget()

    def try_commit(self) -> None:
        """Commit something that changes nothing, and restore what is missing of the reserve for urgent writes."""
        with self._connections.transaction() as connection:
            connection.pragma("user_version", connection.pragma("user_version"))
        if self._connections.reserve is not None and not self._connections.reserve.restore():
            raise full(self._connections.name)

    def hold(self, rows: Sequence[HeldRow]) -> None:
        """Store which attempts have not started, one per node."""
        with self._connections.transaction() as connection:
            connection.executemany(
                self._sql["hold"],
                [(row.key, row.node, row.attempt, row.code, row.why, row.since) for row in rows],
            )

    def release(self, nodes: Sequence[tuple[Key, NodeId]]) -> None:
        """Forget the attempts of these nodes."""
        with self._connections.transaction() as connection:
            connection.executemany(self._sql["release"], nodes)

    def new_key(self, execution_id: str, at: Instant, beside: Key | None = None) -> Key:
        """Return a key that no execution has: a counter. One that is not stored in the end is never used."""
        del execution_id, at, beside
        self._key = (self.last_key() if self._key is None else self._key) + 1
        return Key(self._key)

    def recorded(
        self, execution_ids: Sequence[str], limit: int | None = None
    ) -> list[Recorded | None]:
        """Return executions with their histories. The cost is in starting: after each commit a connection has no valid page left."""
        statement, most = self._sql["recorded"], LATEST if limit is None else limit
        with self._connections.snapshot() as connection:
            return [
                recorded(connection.execute(statement, {"id": each, "limit": most}).fetchall())
                for each in execution_ids
            ]

    def due(self, until: Instant, limit: int) -> list[Due]:
        """Return what is due at or before an instant, earliest first."""
        bindings = {"until": due_bound(until), "limit": limit}
        return [Due(*row) for row in self._connections.rows(self._sql["due"], bindings)]

    def next_due(self) -> Instant | None:
        """Return the earliest due instant."""
        due: Instant | None = self._connections.value(self._sql["next_due"], {})
        return due

    # -- inside --

    def _store(self, batch: Batch, found: dict[Series, int]) -> Marks:
        """Return the current marks of the search indexes."""
        with self._connections.transaction() as connection:
            try:
                for name, rows in writes(batch, partial(self._number_of, connection, found)):
                    connection.executemany(self._sql[name], rows)
            except apsw.ConstraintError as error:
                raise _Conflict(str(error)) from error
            return self._search.keep_up(connection, batch)

    def _store_urgently(self, batch: Batch, found: dict[Series, int]) -> Marks:
        """Store it from the reserve, if there is no other room."""

        def again() -> Marks:
            found.clear()
            self.forget()
            return self._store(batch, found)

        try:
            return self._store(batch, found)
        except StoreFull:
            if self._connections.reserve is None:
                raise
            return self._connections.reserve.lend(again)

    def _number_of(
        self, connection: apsw.Connection, found: dict[Series, int], series: Series
    ) -> int:
        """Return the number of a series; for a new one, `found` keeps it until the commit."""
        known = self._series.get(series) or found.get(series)
        if known is None:
            bindings = series._asdict()
            connection.execute(self._sql["add_series"], bindings)
            known = found[series] = int(connection.execute(self._sql["find_series"], bindings).get)
        return known
