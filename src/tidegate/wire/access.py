"""Views of who may come in, and of what they did: tokens, one-time codes, sessions, the audit log."""

from datetime import datetime

from msgspec import Struct


class GrantView(Struct, frozen=True, kw_only=True):
    """A role (viewer, operator, approver, admin) in projects and domains; in their patterns `*` stands for any characters."""

    role: str
    project: str = "*"
    domain: str = "*"


class TokenView(Struct, frozen=True, kw_only=True):
    """A token, without its secret. `creator` is who made it; `used` is about when it was used last."""

    id: str
    name: str
    grants: list[GrantView]
    creator: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    used: datetime | None = None


class TokenMade(Struct, frozen=True, kw_only=True):
    """A token that was just made. `secret` is what its holder shows; it is told here and never again."""

    token: TokenView
    secret: str


class TokenList(Struct, frozen=True, kw_only=True):
    """Tokens, the oldest first."""

    items: list[TokenView]


class CodeMade(Struct, frozen=True):
    """A link that signs in to the page, once, within `lasts` seconds."""

    link: str
    lasts: int


class SessionLine(Struct, frozen=True, kw_only=True):
    """A browser that is signed in. `token` is the id of the token that it traded, `agent` what it calls itself, `current` whether it is the one that asks."""

    id: str
    name: str
    token: str
    agent: str
    created: datetime
    used: datetime
    expires: datetime
    current: bool


class SessionList(Struct, frozen=True):
    """Sessions, the oldest first."""

    items: list[SessionLine]


class AuditLine(Struct, frozen=True, kw_only=True):
    """
    One line of the audit log.

    `kind` is decision, abort, sign_in, sign_out, session_ended, token_made, token_rotated, token_revoked or refused. `about` is the signal, the token, the
    session, or the code of the refusal (`dropped`: refusals that were not recorded for want of room). `count` is how many times it happened in the minute
    that begins at `at`.
    """

    number: int
    at: datetime
    kind: str
    who: str
    credential: str
    via: str
    address: str
    execution: str
    about: str
    outcome: str
    shown: str
    count: int


class AuditPage(Struct, frozen=True):
    """Lines of the audit log, the newest first; `next` is the cursor of the next page, which may have lines though this one has none."""

    items: list[AuditLine]
    next: str = ""
