"""Finds the rows with a text by an index of trigrams, where the database has one."""

import re

from tidegate.stores.database import SqlConnection
from tidegate.stores.postgres.connections import PostgresConnections
from tidegate.stores.postgres.dialect import NUL
from tidegate.stores.rows import Row

CANDIDATES = 10_000
"""If more rows than this have a text, reading the list in order finds a page sooner."""

_FINDABLE = re.compile(r"[a-z0-9]{3}", re.ASCII)
"""The index knows only letters and digits, three in a row; which others it takes for letters depends on the database."""


class TrigramSearch:
    """`Candidates`."""

    def __init__(self, connections: PostgresConnections) -> None:
        self._sql = connections.sql

    def executions(self, connection: SqlConnection, text: str) -> list[Row] | None:
        """Return the executions whose id has a folded text; None if they are many, or no index can find it."""
        return self._found(connection, "executions_found", text)

    def waits(self, connection: SqlConnection, text: str) -> list[Row] | None:
        """Return the waits with a folded text; None as above."""
        return self._found(connection, "waits_found", text)

    def _found(self, connection: SqlConnection, name: str, text: str) -> list[Row] | None:
        if not _FINDABLE.search(text):
            return None
        literal = re.sub(r"([\\%_])", r"\\\1", text.replace("\0", NUL))
        bindings = {"pattern": f"%{literal}%", "limit": CANDIDATES + 1}
        found = connection.execute(self._sql[name], bindings).fetchall()
        return None if len(found) > CANDIDATES else found
