"""Who may ask: the tokens and logins of a store, known by the SHA-256 of their secrets."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from tidegate.ir.graph import Instant


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


class LoginRow(Struct, frozen=True):
    """A browser that has traded a token for a cookie, known by the SHA-256 of what is in the cookie."""

    hash: bytes
    token: str
    created: Instant
    expires: Instant


class Access(Protocol):
    """Tokens and logins. Called from any thread. Errors: `StoreError`, `StoreFull`."""

    def put_token(self, row: TokenRow) -> None:
        """Store a token; of one that is stored already, only when it was revoked."""
        ...

    def tokens(self) -> list[TokenRow]:
        """Return every token, the oldest first, those that are of no use any more too."""
        ...

    def note_uses(self, uses: Mapping[str, Instant]) -> None:
        """Store when tokens, by id, were used last."""
        ...

    def put_login(self, row: LoginRow) -> None:
        """Store a login; those that have expired by the time it was created are forgotten."""
        ...

    def logins(self) -> list[LoginRow]:
        """Return every login, the oldest first."""
        ...

    def end_login(self, hash_: bytes) -> None:
        """Forget a login, if there is such a one."""
        ...
