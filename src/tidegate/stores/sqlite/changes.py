"""Changes on SQLite: the positions of its one writer, and callbacks in its one process."""

from tidegate.errors import InvalidValue
from tidegate.ports.changes import ChangeRow, Cursor, Usage
from tidegate.ports.journal import Key
from tidegate.stores.announcing import Announcer
from tidegate.stores.rows import change_row, cursor_of
from tidegate.stores.sqlite.connections import Connections

LONGEST = 18
"""Digits of a position: fewer than overflow a database's integer."""


class SqliteChanges(Announcer):
    """`Changes`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        super().__init__()
        self._sql = connections.sql

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
        return [change_row(row) for row in self._connections.rows(self._sql[name], bindings)]

    def usage(self, cursor: Cursor, limit: int) -> tuple[list[Usage], Cursor]:
        """Return what the lines after a cursor have added, up to a limit of lines, and the cursor after those."""
        until = min(int(cursor) + limit, self._last())
        bindings = {"after": int(cursor), "until": until}
        rows = self._connections.rows(self._sql["usage"], bindings)
        return [Usage(*row) for row in rows], cursor_of(until)

    def _last(self) -> int:
        return int(self._connections.value(self._sql["last_position"], {}))
