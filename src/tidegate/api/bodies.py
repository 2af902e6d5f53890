"""What comes in with a request: the bodies and the parameters of each route, as Structs that refuse what they do not know."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from tidegate.ir.expr import Value

Limit = Annotated[int, Meta(ge=1, le=1000, description="How many items a page holds at most.")]
Cursor = Annotated[
    str, Meta(max_length=200, description="The `next` of the page before; empty for the first.")
]
Short = Annotated[str, Meta(max_length=255)]
Id = Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$")]
Label = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{0,64}$")]
"""A project or a domain: what the grant of a token can name."""
Comment = Annotated[str, Meta(max_length=10_000)]
Moment = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$",
        extra_json_schema={"format": "date-time"},
    ),
]
"""An instant with its offset from UTC. (As a `datetime`, a bare number would be taken for one, too.)"""
Seconds = Annotated[float, Meta(ge=0, le=3600, description="How many seconds to wait at most.")]


class _Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


# ---- bodies ----


class LaunchBody(_Body, frozen=True, kw_only=True):
    """What to launch. The same `id` again, with the same content, returns the execution that was launched first."""

    workflow: Annotated[str, Meta(min_length=1, max_length=1000)]
    version: Short = ""
    inputs: dict[str, Any] = {}
    id: Id = ""
    project: Label = ""
    domain: Label = ""


class AgainBody(_Body, frozen=True, kw_only=True):
    """The id of the new execution; made up if it is empty. The same id again returns the execution that was launched first."""

    id: Id = ""


class AnswerBody(_Body, frozen=True, kw_only=True):
    """An answer to a signal. For an approval the value is true or false."""

    value: Value
    comment: Comment = ""


class DecisionBody(_Body, frozen=True, kw_only=True):
    """What is said with an approval or a rejection."""

    comment: Comment = ""


class AbortBody(_Body, frozen=True, kw_only=True):
    """Why an execution is ended."""

    reason: Comment = ""


class InboxAnswer(_Body, frozen=True, kw_only=True):
    """One of many answers: to which execution, to which signal (its path, or its name if that is unique), with which idempotency key."""

    execution: Annotated[str, Meta(max_length=64)]
    signal: Comment
    value: Value
    comment: Comment = ""
    key: Short = ""


class AnswersBody(_Body, frozen=True, kw_only=True):
    """Answers to many signals; each is decided for itself."""

    answers: Annotated[list[InboxAnswer], Meta(min_length=1, max_length=500)]


class RegisterBody(_Body, frozen=True, kw_only=True):
    """Which workflows to register: those of a module of a bundle that is stored, or `only` some of them, by name."""

    bundle: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    module: Annotated[str, Meta(min_length=1, max_length=1000)]
    version: Short = ""
    only: Annotated[list[Annotated[str, Meta(max_length=1000)]], Meta(max_length=1000)] = []


# ---- queries: what is left out has its default; what is there is not empty ----

MAY_BE_EMPTY = frozenset({"cursor"})
"""The `next` of a page is empty where there is no more, so whoever asks in a loop begins with an empty one."""


class WaitQuery(_Body, frozen=True, kw_only=True):
    """How long to wait for what is asked for: the end, or with `until_waiting` that nothing more happens without an answer."""

    wait: Seconds = 0.0
    until_waiting: bool = False


class ExecutionsQuery(_Body, frozen=True, kw_only=True):
    """Which executions to list."""

    phase: Annotated[list[str], Meta(max_length=10, description="Any of these phases.")] = []
    workflow: Short = ""
    project: Short = ""
    domain: Short = ""
    since: Annotated[Moment, Meta(description="Launched then or later.")] = ""
    until: Annotated[Moment, Meta(description="Launched before.")] = ""
    text: Annotated[
        str, Meta(max_length=255, description="Part of the id or of the workflow's name.")
    ] = ""
    cursor: Cursor = ""
    limit: Limit = 100


class HistoryQuery(_Body, frozen=True, kw_only=True):
    """Which part of a history to return: from the event after number `after` on."""

    after: Annotated[int, Meta(ge=0, le=2**53)] = 0
    limit: Limit = 1000
    wait: Seconds = 0.0


class DeckQuery(_Body, frozen=True, kw_only=True):
    """Which report: of this attempt, or of the last that has one."""

    attempt: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class InboxQuery(_Body, frozen=True, kw_only=True):
    """Which waiting signals to list, the soonest due first, those without end last."""

    execution: Short = ""
    workflow: Short = ""
    project: Short = ""
    domain: Short = ""
    kind: Annotated[str, Meta(pattern="^(input|approve)$", description="input or approve.")] = ""
    text: Annotated[
        str, Meta(max_length=255, description="Part of the signal's or the workflow's name.")
    ] = ""
    cursor: Cursor = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class VersionQuery(_Body, frozen=True, kw_only=True):
    """Which version; the one registered last if none is given."""

    version: Short = ""


class WatchQuery(_Body, frozen=True, kw_only=True):
    """Which events to send: those of one execution, or of all; those after one, or from now on."""

    execution: Short = ""
    after: (
        Annotated[
            int, Meta(ge=0, le=2**53, description="The id of the event after which to begin.")
        ]
        | UnsetType
    ) = UNSET


# ---- what only HTTP gives ----


class Stored(Struct, frozen=True):
    """What is stored is found by this digest: its SHA-256, in hexadecimal."""

    digest: str


class AnswerResult(Struct, frozen=True, kw_only=True):
    """What became of one of many answers: the status, and the reply or the problem."""

    execution: str
    signal: str
    status: int
    reply: Any = None
    problem: dict[str, Any] | None = None


class AnswerResults(Struct, frozen=True):
    """What became of each answer, in the order in which they came."""

    items: list[AnswerResult]


class Health(Struct, frozen=True):
    """Whether the engine works. `version` is empty for who has no token."""

    status: str
    version: str
