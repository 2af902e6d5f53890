"""Rebuilding lists in a Postgres database."""

from contextlib import AbstractContextManager

import psycopg

from tidegate.errors import StoreDamaged, StoreError
from tidegate.ports.store import Progress
from tidegate.stores.postgres.connections import PostgresConnections, Session
from tidegate.stores.postgres.dialect import storable
from tidegate.stores.rebuild import Rebuild
from tidegate.stores.rows import Row


class ListsRebuild(Rebuild):
    """Rebuilds the lists of one database, with its writing connection."""

    def __init__(
        self, connections: PostgresConnections, session: Session, progress: Progress
    ) -> None:
        super().__init__(session, connections.sql, progress)
        self._raw = session.raw

    def _page(self) -> AbstractContextManager[object]:
        return self._raw.transaction()

    def _reset(self) -> None:
        """Nothing: the index of texts is kept by the database."""

    def _is_damage(self, error: Exception) -> bool:
        if isinstance(error, psycopg.Error | StoreError):
            return isinstance(error, StoreDamaged)
        return True

    def _stored(self, wait: Row) -> Row:
        return storable(wait)
