"""Changes in SQL: the positions of its one writer, and callbacks in its one process."""

import logging
from collections.abc import Callable
from threading import Lock

from tidegate.errors import InvalidValue
from tidegate.ports.changes import ChangeRow, Cursor, Touched, Usage
from tidegate.ports.journal import Key
from tidegate.stores.database import Database
from tidegate.stores.rows import change_row, cursor_of

LONGEST = 18
"""Digits of a position: fewer than overflow a database's integer."""

log = logging.getLogger(__name__)


class SqlChanges:
    """`Changes`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql
        self._lock = Lock()
        self._subscribers: tuple[Callable[[Touched], None], ...] = ()

    def latest(self) -> Cursor:
        """Return the cursor after the last line."""
        return cursor_of(self._last())

    def resume(self, text: str) -> Cursor:
        """Return the cursor that a reader has kept. Errors: `InvalidValue`."""
        if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST):
            raise InvalidValue(
                f"{text[:40]!r} is not a cursor; use the id of the last event received"
            )
        return cursor_of(min(int(text), self._last()))

    def after(self, cursor: Cursor, limit: int, key: Key | None = None) -> list[ChangeRow]:
        """Return the lines of all executions, or of one, after a cursor, in the order of commits."""
        name = "changes" if key is None else "changes_of"
        bindings = {"after": int(cursor), "limit": limit, "key": key}
        return [change_row(row) for row in self._database.rows(self._sql[name], bindings)]

    def usage(self, cursor: Cursor, limit: int) -> tuple[list[Usage], Cursor]:
        """Return what the lines after a cursor have added, up to a limit of lines, and the cursor after those."""
        until = min(int(cursor) + limit, self._last())
        bindings = {"after": int(cursor), "until": until}
        rows = self._database.rows(self._sql["usage"], bindings)
        return [Usage(*row) for row in rows], cursor_of(until)

    def subscribe(self, call: Callable[[Touched], None]) -> Callable[[], None]:
        """Call this function after each commit; the returned function ends that."""
        with self._lock:
            self._subscribers = (*self._subscribers, call)

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = tuple(each for each in self._subscribers if each is not call)

        return unsubscribe

    def announce(self, touched: Touched) -> None:
        """Tell the subscribers; the failure of one does not affect the others."""
        for call in self._subscribers:
            try:
                call(touched)
            except Exception:
                log.exception("a subscriber to changes failed")

    def _last(self) -> int:
        return int(self._database.value(self._sql["last_position"], {}))
