"""The audit log in SQL."""

from collections.abc import Sequence

from tidegate.ir.graph import Instant
from tidegate.ports.audit import AuditLines, AuditQuery, AuditRow
from tidegate.stores.database import Database
from tidegate.stores.rows import audit_bindings, audit_row


class SqlAudit:
    """An `Audit`. Lines are indexed only by their number: a page reads a stretch of them, and says where to continue."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def record(self, rows: Sequence[AuditRow]) -> None:
        """Append lines."""
        with self._database.transaction() as connection:
            connection.executemany(self._sql["add_audit"], map(audit_bindings, rows))

    def page(self, query: AuditQuery) -> AuditLines:
        """Return lines, newest first."""
        last = self._database.value(self._sql["last_audit"], {})
        before = min(query.before, last + 1)
        least = max(1, before - query.scan)
        wanted = {
            "before": before,
            "least": least,
            "kind": query.kind,
            "who": query.who,
            "execution": query.execution,
            "since": query.since,
            "until": query.until,
            "limit": query.limit,
        }
        rows = [audit_row(row) for row in self._database.rows(self._sql["audit"], wanted)]
        if len(rows) == query.limit:
            least = rows[-1].number
        return AuditLines(rows, least if least > 1 else 0)

    def refusals(self, since: Instant) -> int:
        """Return how many lines of refusals there are since an instant."""
        return int(self._database.value(self._sql["count_refusals"], {"since": since}))
