"""Tokens and sessions in SQL."""

from collections.abc import Mapping, Sequence

from msgspec.structs import asdict

from tidegate.ir.graph import Instant
from tidegate.ports.access import SessionRow, TokenRow
from tidegate.ports.audit import AuditRow
from tidegate.stores.database import Database
from tidegate.stores.rows import audit_bindings, session_row, token_bindings, token_row


class SqlAccess:
    """`Access`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def put_tokens(self, rows: Sequence[TokenRow], note: AuditRow) -> None:
        """Store tokens; of existing ones, only when they end."""
        with self._database.transaction() as connection:
            connection.executemany(self._sql["put_token"], map(token_bindings, rows))
            connection.execute(self._sql["add_audit"], audit_bindings(note))

    def tokens(self) -> list[TokenRow]:
        """Return every token, oldest first, invalid ones included."""
        return [token_row(row) for row in self._database.rows(self._sql["tokens"], {})]

    def note_uses(self, tokens: Mapping[str, Instant], sessions: Mapping[bytes, Instant]) -> None:
        """Store when tokens, by id, and sessions, by hash, were last used."""
        with self._database.transaction() as connection:
            connection.executemany(self._sql["note_use"], tokens.items())
            connection.executemany(self._sql["note_session"], sessions.items())

    def put_session(self, row: SessionRow, ended: Sequence[bytes], note: AuditRow) -> None:
        """Store a session, and forget those that it replaces, and those that have expired."""
        with self._database.transaction() as connection:
            connection.execute(self._sql["end_expired_sessions"], {"created": row.created})
            connection.executemany(self._sql["end_session"], [(hash_,) for hash_ in ended])
            connection.execute(self._sql["put_session"], asdict(row))
            connection.execute(self._sql["add_audit"], audit_bindings(note))

    def sessions(self) -> list[SessionRow]:
        """Return every session, oldest first."""
        return [session_row(row) for row in self._database.rows(self._sql["sessions"], {})]

    def end_sessions(self, hashes: Sequence[bytes], note: AuditRow) -> None:
        """Forget sessions; missing ones are ignored."""
        with self._database.transaction() as connection:
            connection.executemany(self._sql["end_session"], [(hash_,) for hash_ in hashes])
            connection.execute(self._sql["add_audit"], audit_bindings(note))
