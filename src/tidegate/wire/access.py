"""Views of access and of the audit log: tokens, one-time codes, sessions, audit lines."""

from datetime import datetime

from msgspec import Struct


class GrantView(Struct, frozen=True, kw_only=True):
    """A role (viewer, operator, approver, admin) in projects and domains, given as patterns where `*` stands for any characters."""

    role: str
    project: str = "*"
    domain: str = "*"


class TokenView(Struct, frozen=True, kw_only=True):
    """A token, without its secret. `creator` is who made it; `used` is the approximate time of its last use."""

    id: str
    name: str
    grants: list[GrantView]
    creator: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    used: datetime | None = None


class TokenMade(Struct, frozen=True, kw_only=True):
    """A new token. `secret` is what its holder sends; it is shown here and never again."""

    token: TokenView
    secret: str


class TokenList(Struct, frozen=True, kw_only=True):
    """Tokens, oldest first."""

    items: list[TokenView]


class ReplicaView(Struct, frozen=True, kw_only=True):
    """
    A server that shares the store. `shards` are those of the store's 64 shards in which it decides, the newest of them since `newest`; one that is
    `leaving` takes no more. `here` marks the one that replies. It renewed its lease `lease_age` seconds ago; after 10 it does not count as alive.
    """

    name: str
    address: str
    version: str
    since: datetime
    leaving: bool
    shards: list[int]
    newest: datetime | None = None
    here: bool = False
    lease_age: float = 0.0


class ReplicaList(Struct, frozen=True, kw_only=True):
    """The servers that share the store, by name; none if it is a file, which has one owner."""

    items: list[ReplicaView]


class CodeMade(Struct, frozen=True):
    """A link that signs in to the page, once, within `lasts` seconds."""

    link: str
    lasts: int


class SessionLine(Struct, frozen=True, kw_only=True):
    """A signed-in browser. `token` is the id of the token that it traded, `agent` its User-Agent, `current` whether it sends this request."""

    id: str
    name: str
    token: str
    agent: str
    created: datetime
    used: datetime
    expires: datetime
    current: bool


class SessionList(Struct, frozen=True):
    """Sessions, oldest first."""

    items: list[SessionLine]


class AuditLine(Struct, frozen=True, kw_only=True):
    """
    One line of the audit log.

    `kind` is decision, abort, sign_in, sign_out, session_ended, token_made, token_rotated, token_revoked or refused. `about` is the signal, the token, the
    session, or the code of the refusal (`dropped`: refusals that were not recorded because a limit was reached). `count` is how many times it happened in the minute
    that starts at `at`.
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
    """Lines of the audit log, newest first; `next` is the cursor of the next page, which may have lines even if this one has none."""

    items: list[AuditLine]
    next: str = ""
