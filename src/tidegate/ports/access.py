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
    `used` is about when it was used last.
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
    A browser that has signed in, known by the SHA-256 of what is in its cookie.

    `name` is whose it is; `token` is the id of the token that was traded, empty for a user of the operating system. `agent` is what the browser calls
    itself, `used` about when it was used last.
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
    """Tokens and sessions. What has a `note` writes it into the audit log in the same transaction. Called from any thread. Errors: `StoreError`, `StoreFull`."""

    def put_tokens(self, rows: Sequence[TokenRow], note: AuditRow) -> None:
        """Store tokens; of those that are stored already, only when they end."""
        ...

    def tokens(self) -> list[TokenRow]:
        """Return every token, the oldest first, those that are no longer valid too."""
        ...

    def note_uses(self, tokens: Mapping[str, Instant], sessions: Mapping[bytes, Instant]) -> None:
        """Store when tokens, by id, and sessions, by hash, were used last."""
        ...

    def put_session(self, row: SessionRow, ended: Sequence[bytes], note: AuditRow) -> None:
        """Store a session, and forget those that end with that; those that have expired by the time it was created are forgotten, too."""
        ...

    def sessions(self) -> list[SessionRow]:
        """Return every session, the oldest first."""
        ...

    def end_sessions(self, hashes: Sequence[bytes], note: AuditRow) -> None:
        """Forget sessions; those that are not there are no fault."""
        ...
