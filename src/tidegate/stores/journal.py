"""What every journal in SQL reads, and how it finds out who was first; what it writes, and how, is each database's own."""

from tidegate.ports.journal import Batch, ExecutionRow, HeldRow, Key
from tidegate.stores.database import Database
from tidegate.stores.rows import LATEST, execution_row


class SqlJournal:
    """The part of a `Journal` that needs nothing but the shared statements."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def held(self) -> list[HeldRow]:
        """Return the stored attempts that have not started, the first held first."""
        return [HeldRow(*row) for row in self._database.rows(self._sql["held"], {})]

    def last_key(self) -> Key:
        """Return the highest execution key in use, 0 if there is none."""
        return Key(self._database.value(self._sql["last_key"], {}))

    def last_seq(self, key: Key) -> int:
        """Return the number of the last line of an execution's history, 0 if there is none."""
        return int(self._database.value(self._sql["last_seq"], {"key": key}))

    def history(self, key: Key, after: int = 0, limit: int | None = None) -> list[bytes]:
        """Return the bodies of an execution's history after a line, in order."""
        bindings = {"key": key, "after": after, "limit": LATEST if limit is None else limit}
        return [body for (body,) in self._database.rows(self._sql["history"], bindings)]

    def find(self, execution_id: str) -> ExecutionRow | None:
        """Return the execution with this public id."""
        rows = self._database.rows(self._sql["find"], {"id": execution_id})
        return execution_row(rows[0]) if rows else None

    def get(self, key: Key) -> ExecutionRow | None:
        """Return the execution with this key."""
        rows = self._database.rows(self._sql["get"], {"key": key})
        return execution_row(rows[0]) if rows else None

    def active(self) -> list[Key]:
        """Return the executions in phase QUEUED or RUNNING."""
        return [key for (key,) in self._database.rows(self._sql["active"], {})]

    def conflicts(self, batch: Batch) -> frozenset[Key]:
        """Return the executions of a batch whose key or id is taken, or whose history has another last line than the batch says."""
        launched = {row.key for row in batch.launches}
        found = {
            row.key
            for row in batch.launches
            if self.get(row.key) is not None or self.find(row.id) is not None
        }
        expected: dict[Key, int] = {}
        for line in batch.history:
            if line.key not in launched:
                expected.setdefault(line.key, line.seq - 1)
        found.update(key for key, seq in expected.items() if self.last_seq(key) != seq)
        return frozenset(found)
