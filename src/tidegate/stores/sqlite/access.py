"""Tokens and logins on SQLite."""

from collections.abc import Mapping

from msgspec.structs import asdict

from tidegate.ir.graph import Instant
from tidegate.ports.access import LoginRow, TokenRow
from tidegate.stores import statements
from tidegate.stores.rows import login_row, token_bindings, token_row
from tidegate.stores.sqlite.connections import Connections


class SqliteAccess:
    """`Access`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._sql = statements.shared()

    def put_token(self, row: TokenRow) -> None:
        """Store a token; of one that is stored already, only when it was revoked."""
        with self._connections.transaction() as connection:
            connection.execute(self._sql["put_token"], token_bindings(row))

    def tokens(self) -> list[TokenRow]:
        """Return every token, the oldest first, those that are no longer valid too."""
        return [token_row(row) for row in self._connections.rows(self._sql["tokens"], {})]

    def note_uses(self, uses: Mapping[str, Instant]) -> None:
        """Store when tokens, by id, were used last."""
        with self._connections.transaction() as connection:
            connection.executemany(self._sql["note_use"], uses.items())

    def put_login(self, row: LoginRow) -> None:
        """Store a login; those that have expired by the time it was created are forgotten."""
        bindings = asdict(row)
        with self._connections.transaction() as connection:
            connection.execute(self._sql["end_logins"], bindings)
            connection.execute(self._sql["put_login"], bindings)

    def logins(self) -> list[LoginRow]:
        """Return every login, the oldest first."""
        return [login_row(row) for row in self._connections.rows(self._sql["logins"], {})]

    def end_login(self, hash_: bytes) -> None:
        """Forget a login, if there is such a one."""
        with self._connections.transaction() as connection:
            connection.execute(self._sql["end_login"], {"hash": hash_})
