"""The audit log: who did what, and who was refused. It is append-only."""

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from tidegate.ir.graph import Instant

DECISION: Final = "decision"
ABORT: Final = "abort"
SIGN_IN: Final = "sign_in"
SIGN_OUT: Final = "sign_out"
SESSION_ENDED: Final = "session_ended"
TOKEN_MADE: Final = "token_made"
TOKEN_ROTATED: Final = "token_rotated"
TOKEN_REVOKED: Final = "token_revoked"
REFUSED: Final = "refused"
DROPPED: Final = "dropped"
"""Replaces the code where refusals were not recorded because a limit was reached."""

KINDS: Final = (
    DECISION,
    ABORT,
    SIGN_IN,
    SIGN_OUT,
    SESSION_ENDED,
    TOKEN_MADE,
    TOKEN_ROTATED,
    TOKEN_REVOKED,
    REFUSED,
)
"""Everything that is recorded. `refused` counts refusals of one code within a minute."""


class AuditRow(Struct, frozen=True, gc=False):
    """
    One line of the audit log.

    `about` is the target: the signal, the token or the session; of a refusal, its code. `outcome` is how a gate was decided; `shown` is the digest
    of what was shown, if one was sent. `count` is how many times it happened in the minute that starts at `at`. `number` is assigned by the store.
    """

    at: Instant
    kind: str
    who: str = ""
    credential: str = ""
    via: str = ""
    address: str = ""
    execution: str = ""
    about: str = ""
    outcome: str = ""
    shown: str = ""
    count: int = 1
    number: int = 0


class AuditQuery(Struct, frozen=True):
    """Which lines to return: empty texts match any. `before` is the number of the line after the page; `scan` is how many lines are read at most."""

    kind: str = ""
    who: str = ""
    execution: str = ""
    since: Instant = Instant(0)
    until: Instant = Instant(2**62)
    before: int = 2**62
    limit: int = 100
    scan: int = 20_000


class AuditLines(Struct, frozen=True):
    """Lines, newest first, and the number to continue before; 0 if there are no more."""

    rows: list[AuditRow]
    before: int


class Audit(Protocol):
    """The audit log. Called from any thread. Errors: `StoreError`, `StoreFull`."""

    def record(self, rows: Sequence[AuditRow]) -> None:
        """Append lines. Decisions are appended by the journal, in the transaction that stores them."""
        ...

    def page(self, query: AuditQuery) -> AuditLines:
        """Return lines, newest first."""
        ...

    def refusals(self, since: Instant) -> int:
        """Return how many lines of refusals there are since an instant."""
        ...
