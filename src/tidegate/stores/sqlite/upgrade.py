"""Rebuilding lists in a SQLite file, and its search indexes with them."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from tidegate.errors import StoreDamaged, StoreError
from tidegate.ports.store import Progress
from tidegate.stores import statements
from tidegate.stores.rebuild import Rebuild
from tidegate.stores.sqlite.connect import DATABASE, explained
from tidegate.stores.sqlite.search import EXECUTIONS, SWEPT, WAITS, Search

TEXTS = 10_000
"""Rows of a search index per transaction."""


class Upgrade(Rebuild):
    """Rebuilds the lists of one file, with its writing connection."""

    def __init__(self, connection: apsw.Connection, name: str, progress: Progress) -> None:
        sql = {**statements.shared(), **statements.own(DATABASE)}
        super().__init__(connection, sql, progress)
        self._file = connection
        self._name = name
        self._search = Search()

    def go_on(self) -> None:
        """Rebuild the lists that have not been rebuilt yet."""
        # A power cut may undo the last pages, which are then written again: only the end must be on the disk.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        try:
            self._write_all()
            self._enter(WAITS)
            self._enter(EXECUTIONS)
        finally:
            self._connection.execute("PRAGMA synchronous = FULL")
        self._finish()

    def _reset(self) -> None:
        for statement in ("forget_waits_text", "forget_executions_text", "forget_late"):
            self._connection.execute(self._sql[statement])
        for mark in (WAITS, EXECUTIONS, SWEPT):
            self._mark(mark, 0)

    def _is_damage(self, error: Exception) -> bool:
        if isinstance(error, apsw.Error | StoreError):
            return isinstance(error, apsw.CorruptError | StoreDamaged)
        return True

    def _enter(self, index: str) -> None:
        after = self._search.indexed(self._connection, index)
        while (
            last := self._rows("page_of_executions", after=after, limit=TEXTS)[0][0]
        ) is not None:
            with self._page():
                self._search.enter(self._file, index, after, last)
            after = last
        with self._page():
            self._search.tidy(self._file, index)

    @contextmanager
    def _page(self) -> Iterator[None]:
        """One transaction."""
        with explained(self._file, self._name):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
