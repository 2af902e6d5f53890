"""
Who may do what, and where: roles, actions and policies. `admission` applies them; nothing else decides.

Rule 1: deny by default: an action without a policy and a namespace without a grant are forbidden.
Rule 2: an execution that the caller may not see is reported exactly like one that does not exist.
Rule 3: operator does not imply approver, nor the reverse: launching a change does not approve it.
"""

import re
from collections.abc import Mapping
from enum import Enum, StrEnum
from functools import cached_property, lru_cache
from pwd import getpwuid
from typing import Final

from msgspec import Struct, structs

from tidegate.errors import InvalidValue
from tidegate.ports.listings import fits

PATTERN: Final = re.compile(r"[A-Za-z0-9._*-]{0,64}\Z")


class Role(StrEnum):
    """A role of a principal, in some projects and domains."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"


class Right(Enum):
    """The right that an action needs."""

    READ = "see"
    OPERATE = "launch, abort and register"
    DECIDE = "answer"
    GIVE_FILES = "launch or answer"
    ADMINISTER = "administer"


RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    Role.VIEWER: frozenset({Right.READ}),
    Role.OPERATOR: frozenset({Right.READ, Right.OPERATE, Right.GIVE_FILES}),
    Role.APPROVER: frozenset({Right.READ, Right.DECIDE, Right.GIVE_FILES}),
    Role.ADMIN: frozenset(Right),
}


class Action(StrEnum):
    """Everything a caller can ask for: one action per request of `wire`, plus one per route without a request."""

    REGISTER = "register"
    LAUNCH = "launch"
    GET_EXECUTION = "get_execution"
    LIST_EXECUTIONS = "list_executions"
    LIST_INBOX = "list_inbox"
    SUMMARIZE_INBOX = "summarize_inbox"
    LIST_SIGNALS = "list_signals"
    GET_QUESTION = "get_question"
    ANSWER = "answer"
    CHECK_ANSWER = "check_answer"
    CHECK_INPUTS = "check_inputs"
    ABORT = "abort"
    LIST_EVENTS = "list_events"
    GET_LOGS = "get_logs"
    LIST_WORKFLOWS = "list_workflows"
    GET_WORKFLOW = "get_workflow"
    LIST_VERSIONS = "list_versions"
    MAKE_TOKEN = "make_token"
    LIST_TOKENS = "list_tokens"
    REVOKE_TOKEN = "revoke_token"
    ROTATE_TOKEN = "rotate_token"
    MAKE_CODE = "make_code"
    LIST_SESSIONS = "list_sessions"
    END_SESSIONS = "end_sessions"
    LIST_AUDIT = "list_audit"
    LIST_REPLICAS = "list_replicas"

    SERVE_EXECUTION = "serve_execution"
    RELAUNCH = "relaunch"
    RECOVER = "recover"
    PREVIEW_RECOVERY = "preview_recovery"
    GET_DECK = "get_deck"
    GET_NODE = "get_node"
    LIST_ROUNDS = "list_rounds"
    GET_ROUND = "get_round"
    WATCH = "watch"
    PUT_BUNDLE = "put_bundle"
    PUT_BLOB = "put_blob"
    GET_BLOB = "get_blob"
    DESCRIBE_BLOB = "describe_blob"
    GET_METRICS = "get_metrics"
    GET_OPENAPI = "get_openapi"
    GET_SESSION = "get_session"
    OPEN_SESSION = "open_session"
    END_SESSION = "end_session"
    LOOK_AT_CODE = "look_at_code"
    GET_PROOF = "get_proof"
    GET_HEALTH = "get_health"
    GET_LIMITS = "get_limits"


class Where(Enum):
    """Where a right must be held: in the namespace of the target, in any namespace, in all of them, or on the machine of the store; or nowhere."""

    THERE = "there"
    ANYWHERE = "anywhere"
    EVERYWHERE = "everywhere"
    LOCAL = "local"
    PUBLIC = "public"


class Policy(Struct, frozen=True):
    """The right that an action needs, and where it must be held."""

    right: Right
    where: Where = Where.THERE


_READ: Final = Policy(Right.READ)
_READ_ANYWHERE: Final = Policy(Right.READ, Where.ANYWHERE)
_OPERATE: Final = Policy(Right.OPERATE)
# Code belongs to no project: a new version becomes the latest for everybody, and it runs as the server's user.
_REGISTER: Final = Policy(Right.OPERATE, Where.EVERYWHERE)
# A stolen token must not create other tokens, nor revoke the ones that could end it.
_ADMINISTER: Final = Policy(Right.ADMINISTER, Where.LOCAL)
# Its workers have an environment that is somebody's own.
_SERVE: Final = Policy(Right.OPERATE, Where.LOCAL)
_PUBLIC: Final = Policy(Right.READ, Where.PUBLIC)

POLICIES: Final[Mapping[Action, Policy]] = {
    Action.REGISTER: _REGISTER,
    Action.LAUNCH: _OPERATE,
    Action.GET_EXECUTION: _READ,
    Action.LIST_EXECUTIONS: _READ_ANYWHERE,
    Action.LIST_INBOX: _READ_ANYWHERE,
    Action.SUMMARIZE_INBOX: _READ_ANYWHERE,
    Action.LIST_SIGNALS: _READ,
    Action.GET_QUESTION: _READ,
    Action.ANSWER: Policy(Right.DECIDE),
    Action.CHECK_ANSWER: Policy(Right.DECIDE),
    # Workflows belong to no project, and the project of the launch is not known yet.
    Action.CHECK_INPUTS: Policy(Right.OPERATE, Where.ANYWHERE),
    Action.ABORT: _OPERATE,
    Action.LIST_EVENTS: _READ,
    Action.GET_LOGS: _READ,
    Action.LIST_WORKFLOWS: _READ_ANYWHERE,
    Action.GET_WORKFLOW: _READ_ANYWHERE,
    Action.LIST_VERSIONS: _READ_ANYWHERE,
    Action.MAKE_TOKEN: _ADMINISTER,
    Action.LIST_TOKENS: _ADMINISTER,
    Action.REVOKE_TOKEN: _ADMINISTER,
    Action.ROTATE_TOKEN: _ADMINISTER,
    Action.MAKE_CODE: _ADMINISTER,
    Action.LIST_SESSIONS: _READ_ANYWHERE,
    Action.END_SESSIONS: _READ_ANYWHERE,
    Action.LIST_AUDIT: Policy(Right.ADMINISTER, Where.EVERYWHERE),
    Action.LIST_REPLICAS: Policy(Right.READ, Where.EVERYWHERE),
    Action.SERVE_EXECUTION: _SERVE,
    Action.RELAUNCH: _OPERATE,
    Action.RECOVER: _OPERATE,
    Action.PREVIEW_RECOVERY: _OPERATE,
    Action.GET_DECK: _READ,
    Action.GET_NODE: _READ,
    Action.LIST_ROUNDS: _READ,
    Action.GET_ROUND: _READ,
    Action.WATCH: _READ_ANYWHERE,
    Action.PUT_BUNDLE: _REGISTER,
    Action.PUT_BLOB: Policy(Right.GIVE_FILES, Where.ANYWHERE),
    # Only a caller who has seen a value that names the digest, or who has the content, can know it.
    Action.GET_BLOB: _READ_ANYWHERE,
    Action.DESCRIBE_BLOB: _READ_ANYWHERE,
    Action.GET_METRICS: Policy(Right.READ, Where.EVERYWHERE),
    Action.GET_OPENAPI: _READ_ANYWHERE,
    Action.GET_SESSION: _READ_ANYWHERE,
    Action.OPEN_SESSION: _PUBLIC,
    Action.END_SESSION: _READ_ANYWHERE,
    Action.LOOK_AT_CODE: _PUBLIC,
    Action.GET_PROOF: _PUBLIC,
    Action.GET_HEALTH: _PUBLIC,
    Action.GET_LIMITS: _READ_ANYWHERE,
}


class Namespace(Struct, frozen=True):
    """The project and the domain of an execution."""

    project: str = ""
    domain: str = ""


class Grant(Struct, frozen=True):
    """A role in the projects and domains that match two patterns, where `*` stands for any characters."""

    role: Role
    project: str = "*"
    domain: str = "*"

    @property
    def is_everywhere(self) -> bool:
        """Whether the grant holds in every namespace."""
        return self.project == "*" and self.domain == "*"


class Principal(Struct, frozen=True, dict=True):
    """
    The authenticated caller. `token` is the token's id, `via` the door, `session` the hash of a browser's secret, `credential` what the audit log records of it.

    `local` is the owner of the store, on this machine. What follows from the grants is computed once, because every request needs it.
    """

    name: str
    grants: tuple[Grant, ...]
    via: str = ""
    token: str = ""
    session: bytes = b""
    local: bool = False
    credential: str = ""

    @cached_property
    def somewhere(self) -> frozenset[Right]:
        """The rights held in at least one namespace."""
        return frozenset().union(*(RIGHTS[grant.role] for grant in self.grants))

    @cached_property
    def everywhere(self) -> frozenset[Right]:
        """The rights held in every namespace."""
        wide = (RIGHTS[grant.role] for grant in self.grants if grant.is_everywhere)
        return frozenset().union(*wide)


LOCAL: Final = Principal("local", (Grant(Role.ADMIN),), via="cli", local=True)
"""A user who can open the store's files: the operating system has identified them, and everything is allowed."""


@lru_cache(16)
def owner(uid: int) -> Principal:
    """Return the owner of the store as the user whom the system reports: by name, or as `local` if the system knows no name."""
    try:
        # Not every system keeps its names as UTF-8, but the audit log does.
        name = getpwuid(uid).pw_name.encode(errors="replace").decode()
    except KeyError:
        name = LOCAL.name
    return structs.replace(LOCAL, name=name, credential=f"user:{uid}")


def person(name: str) -> Principal:
    """Return a principal with every right, for tests that call the service directly."""
    return structs.replace(LOCAL, name=name, via="code")


ANONYMOUS: Final = Principal("", ())
"""A caller without a token: only public actions are allowed."""


def allows(principal: Principal, action: Action, where: Namespace | None = None) -> bool:
    """Return whether a principal may perform an action; `where` is the namespace of its target, None if it has none."""
    policy = POLICIES.get(action)
    if policy is None:
        return False
    right = policy.right
    match policy.where:
        case Where.THERE:
            return right in principal.everywhere or (
                where is not None and _there(principal, right, where)
            )
        case Where.ANYWHERE:
            return holds(principal, right)
        case Where.EVERYWHERE:
            return right in principal.everywhere
        case Where.LOCAL:
            return principal.local
        case Where.PUBLIC:
            return True


def holds(principal: Principal, right: Right) -> bool:
    """Return whether a principal holds a right in at least one namespace."""
    return right in principal.somewhere


def sees(principal: Principal, where: Namespace) -> bool:
    """Return whether a principal may know that a namespace has any contents."""
    return _there(principal, Right.READ, where)


def visible(principal: Principal, right: Right = Right.READ) -> tuple[tuple[str, str], ...] | None:
    """Return the (project, domain) patterns in which a principal holds a right, such as to see; None if that is everywhere."""
    if right in principal.everywhere:
        return None
    return tuple(
        dict.fromkeys(
            (grant.project, grant.domain)
            for grant in principal.grants
            if right in RIGHTS[grant.role]
        )
    )


def check_pattern(what: str, pattern: str) -> str:
    """Return a pattern of a project or a domain. Errors: `InvalidValue`."""
    if not PATTERN.match(pattern):
        raise InvalidValue(
            f"the {what} {pattern[:80]!r} is invalid; use at most 64 letters, digits, '.', '_', '-', and '*' for any characters"
        )
    return pattern


def _there(principal: Principal, right: Right, where: Namespace) -> bool:
    return any(
        right in RIGHTS[grant.role]
        and fits(grant.project, where.project)
        and fits(grant.domain, where.domain)
        for grant in principal.grants
    )
