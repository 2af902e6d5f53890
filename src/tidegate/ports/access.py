"""Who may ask: the tokens and sessions of a store, known by the SHA-256 of their secrets."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from tidegate.ir.graph import Instant
from tidegate.ports.audit import AuditRow


class TokenRow(Struct, frozen=True):
    """
    A token, known by the SHA-256 of its secret.

    `grants` are (role, pattern of projects, pattern of domains); `creator` is who made it.
    `used` is the approximate time of its last use.
    """

    id: str
    name: str
    hash: bytes
    grants: tuple[tuple[str, str, str], ...]
    creator: str
    created: Instant
    expires: Instant | None = None
    revoked: Instant | None = None
    used: Instant | None = None


class SessionRow(Struct, frozen=True):
    """
    A browser that has signed in, known by the SHA-256 of its cookie.

    `name` is its owner; `token` is the id of the token that was traded, empty for a user of the operating system. `agent` is the browser's
    User-Agent, `used` the approximate time of its last use.
    """

    hash: bytes
    id: str
    name: str
    token: str
    agent: str
    created: Instant
    used: Instant
    expires: Instant


class Access(Protocol):
    """Tokens and sessions. A method with a `note` writes it into the audit log in the same transaction. Called from any thread. Errors: `StoreError`, `StoreFull`."""

    def put_tokens(self, rows: Sequence[TokenRow], note: AuditRow) -> None:
        """Store tokens; of existing ones, only when they end."""
        ...

    def tokens(self) -> list[TokenRow]:
        """Return every token, oldest first, invalid ones included."""
        ...

    def note_uses(self, tokens: Mapping[str, Instant], sessions: Mapping[bytes, Instant]) -> None:
        """Store when tokens, by id, and sessions, by hash, were last used."""
        ...

    def put_session(self, row: SessionRow, ended: Sequence[bytes], note: AuditRow) -> None:
        """Store a session, and forget those that it replaces, and those that had expired when it was created."""
        ...

    def sessions(self) -> list[SessionRow]:
        """Return every session, oldest first."""
        ...

    def end_sessions(self, hashes: Sequence[bytes], note: AuditRow) -> None:
        """Forget sessions; missing ones are ignored."""
        ...
