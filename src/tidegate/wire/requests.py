"""
Requests: everything that can be asked of a Tidegate, each with the view that answers it.

Rule 1: what a field may hold is declared here and nowhere else. Decoding checks it, and `check` checks a request that was made in Python.
Rule 2: how a request travels over HTTP is declared in `bindings`. `who`, `via` and `credential` do not travel: admission fills them in.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypeAlias, TypeVar, get_args

from msgspec import Meta, Struct

from tidegate.ir.expr import Value
from tidegate.wire.access import (
    AuditPage,
    CodeMade,
    GrantView,
    SessionList,
    TokenList,
    TokenMade,
)
from tidegate.wire.views import (
    Aborted,
    AnswerReply,
    BlobView,
    DeckView,
    EventList,
    ExecutionPage,
    ExecutionView,
    InboxPage,
    LogList,
    NodeView,
    RecoveryView,
    SignalList,
    WaitingView,
    WorkflowDetail,
    WorkflowList,
)

V = TypeVar("V")

SAYS = "says"
"""The key under which a constraint has its sentence for people; msgspec's own names Python types and regular expressions."""

# 255: what a file system takes as a name. 10,000: three pages of comment, and the path of a signal in the deepest nesting.
Short = Annotated[str, Meta(max_length=255, extra={SAYS: "must have at most 255 characters"})]
Long = Annotated[str, Meta(max_length=10_000, extra={SAYS: "must have at most 10,000 characters"})]
Name = Annotated[
    str, Meta(min_length=1, max_length=1000, extra={SAYS: "must have 1 to 1,000 characters"})
]
"""The dotted name of a workflow or of a module."""
NewId = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?\Z",
        extra={
            SAYS: "cannot be used; take 1 to 64 letters, digits, '.', '_' and '-', beginning with a letter or a digit"
        },
    ),
]
"""The id of an execution to come: it stands in paths, addresses and file names. If it is empty, one is made up."""
Label = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._-]{0,64}\Z",
        extra={SAYS: "cannot be used; take at most 64 letters, digits, '.', '_' and '-'"},
    ),
]
"""A project or a domain: what the grant of a token can name."""
Key = Annotated[
    str,
    Meta(
        max_length=255,
        pattern=r"^[ -~]*\Z",
        description="Repeats of an answer by the same person with the same key get the same reply.",
        extra={SAYS: "must have at most 255 characters, all of them printable ASCII"},
    ),
]
"""An idempotency key: it stands in a header."""
ShownDigest = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{1,6}:[0-9a-f]{2,256})?\Z",
        description="The digest of the question as it was shown; the answer is refused if that has changed. Empty: it was not shown.",
        extra={SAYS: "must be the digest of a question: its form, ':' and hexadecimal digits"},
    ),
]
Digest = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}\Z",
        extra={SAYS: "must be a SHA-256 in hexadecimal: 64 digits and letters a to f"},
    ),
]
OneDigest = Annotated[
    str,
    Meta(
        pattern=r"^([0-9a-f]{64})?\Z",
        extra={SAYS: "must be a SHA-256 in hexadecimal: 64 digits and letters a to f"},
    ),
]
Version = Annotated[
    str,
    Meta(
        max_length=255,
        description="The version of the workflow's code; empty: the one that the execution has.",
        extra={SAYS: "must have at most 255 characters"},
    ),
]
Rerun = Annotated[
    list[Long],
    Meta(
        max_length=1000,
        description="Nodes of which nothing is kept, by id, or by name.",
        extra={SAYS: "must name at most 1,000 nodes"},
    ),
]
KeepApprovals = Annotated[
    bool, Meta(description="Keep approvals under other code; for who may answer.")
]
Moment = Annotated[
    str,
    Meta(
        pattern=r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d))?\Z",
        extra={SAYS: "must be an instant with its offset from UTC, such as 2026-01-31T12:00:00Z"},
        extra_json_schema={"format": "date-time"},
    ),
]
"""An instant with its offset from UTC. (Declared as a `datetime`, a bare number would be taken for one.)"""
Seconds = Annotated[
    float,
    Meta(
        ge=0,
        le=3600,
        description="How many seconds to wait at most.",
        extra={SAYS: "must be between 0 and 3,600 seconds"},
    ),
]
Cursor = Annotated[
    str, Meta(max_length=400, description="The `next` of the page before; empty for the first.")
]
Limit = Annotated[
    int,
    Meta(
        ge=1,
        le=1000,
        description="How many items a page holds at most.",
        extra={SAYS: "must be between 1 and 1,000"},
    ),
]


class Ask(Struct, Generic[V], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request that is answered by a `V`. `who` asks, `via` cli, api, ui or code, known by `credential`: admission says so, and nobody else."""

    who: Short = ""
    via: Short = ""
    credential: Short = ""


class Register(Ask[WorkflowList], frozen=True, kw_only=True, tag="register"):
    """Register the workflows of a module of a stored bundle, or `only` some of them, by name. The same again changes nothing."""

    bundle: Digest
    module: Name
    version: Short = ""
    only: Annotated[list[Name], Meta(max_length=1000)] = []
    terminal: Annotated[
        Short, Meta(description="The secret of the terminal that imports it, on this machine.")
    ] = ""


class Launch(Ask[ExecutionView], frozen=True, kw_only=True, tag="launch"):
    """Launch an execution. Idempotent by its `id`: the same one with the same content returns the execution that was launched first."""

    workflow: Name
    version: Short = ""
    inputs: dict[str, Value] = {}
    id: NewId = ""
    project: Label = ""
    domain: Label = ""
    launched_from: Annotated[
        Long, Meta(description="The directory of whoever launches, for tasks to read.")
    ] = ""
    environment: Annotated[
        str,
        Meta(
            pattern=r"^([0-9a-f]{64})?\Z",
            description="The `environment` of a registered workflow: where interpreter or packages differ from it, tasks of this execution are held.",
            extra={SAYS: "must be a SHA-256 in hexadecimal: 64 digits and letters a to f"},
        ),
    ] = ""


class Relaunch(Ask[ExecutionView], frozen=True, kw_only=True, tag="relaunch"):
    """
    Launch an execution again, with the same version and inputs, or with others: `inputs` replace those of the same name.

    The same new id again returns the execution that was launched first.
    """

    id: Long
    new_id: NewId = ""
    version: Version = ""
    inputs: dict[str, Value] = {}


class Recover(Ask[ExecutionView], frozen=True, kw_only=True, tag="recover"):
    """
    Let an execution that failed or was aborted go on in a new one, its successor, which keeps what has succeeded: results of tasks, and answers.

    After a failure approvals are kept, recorded with who gave them; after an abort they are asked for again. An execution has one successor: if
    that failed, it is what is recovered.

    With another `version` of the code, what is unchanged is kept, and approvals are asked for again unless `keep_approvals`. What `rerun` names runs
    again, or is asked again, in any case.
    """

    id: Long
    new_id: NewId = ""
    version: Version = ""
    rerun: Rerun = []
    keep_approvals: KeepApprovals = False


class PreviewRecovery(Ask[RecoveryView], frozen=True, kw_only=True, tag="preview_recovery"):
    """
    Return what a recovery would keep, run again and ask again. Nothing is written.

    With a `bundle` and a `module` the code is that of a stored bundle, which need not be registered.
    Refused as the recovery would be, also for a fault in the code.
    """

    id: Long
    version: Version = ""
    rerun: Rerun = []
    keep_approvals: KeepApprovals = False
    bundle: OneDigest = ""
    module: Long = ""


class GetExecution(Ask[ExecutionView], frozen=True, kw_only=True, tag="get_execution"):
    """
    Return an execution, whole; with `after`, what has changed since that line of its history.

    With `wait`, it is returned as soon as it has ended or, with `until_waiting`, as nothing more happens without an answer; or when the time is up.
    `seq` is the number of the last line that it shows. What is asked after a line that there is not is returned whole.
    """

    id: Long
    after: Annotated[
        int,
        Meta(
            ge=0,
            le=2**53,
            description="Return only the nodes that are shown differently since this line of the history (`seq`).",
        ),
    ] = 0
    wait: Seconds = 0.0
    until_waiting: bool = False


class ListExecutions(Ask[ExecutionPage], frozen=True, kw_only=True, tag="list_executions"):
    """List executions, newest first, a page at a time."""

    phases: Annotated[list[Short], Meta(max_length=10, description="Any of these phases.")] = []
    workflow: Short = ""
    project: Short = ""
    domain: Short = ""
    since: Annotated[Moment, Meta(description="Launched then or later.")] = ""
    until: Annotated[Moment, Meta(description="Launched before.")] = ""
    text: Annotated[Short, Meta(description="Part of the id or of the workflow's name.")] = ""
    cursor: Cursor = ""
    limit: Limit = 100


class ListInbox(Ask[InboxPage], frozen=True, kw_only=True, tag="list_inbox"):
    """List what waits for an answer, over all executions or in one: the soonest due first, those without a timeout last, then the oldest."""

    execution: Short = ""
    workflow: Short = ""
    project: Short = ""
    domain: Short = ""
    kind: Annotated[
        str,
        Meta(
            pattern=r"^(input|approve)?\Z",
            description="input or approve.",
            extra={SAYS: "must be input or approve"},
        ),
    ] = ""
    text: Annotated[Short, Meta(description="Part of the signal's or the workflow's name.")] = ""
    cursor: Cursor = ""
    limit: Annotated[int, Meta(ge=1, le=500, extra={SAYS: "must be between 1 and 500"})] = 100


class ListSignals(Ask[SignalList], frozen=True, kw_only=True, tag="list_signals"):
    """List the signals of an execution: waiting, answered, or still to come."""

    id: Long


class GetQuestion(Ask[WaitingView], frozen=True, kw_only=True, tag="get_question"):
    """Return the question of a signal that waits, whole. In the inbox its values may be cut."""

    id: Long
    name: Long


class Answer(Ask[AnswerReply], frozen=True, kw_only=True, tag="answer"):
    """
    Answer a signal, by its handle, path or name; for an approval the value is true or false. A value that does not fit is refused, and nothing is consumed.

    `shown` is the digest of the question that was shown.
    """

    id: Long
    name: Long
    value: Value
    comment: Long = ""
    key: Key = ""
    shown: ShownDigest = ""


class Abort(Ask[Aborted], frozen=True, kw_only=True, tag="abort"):
    """End an execution. Its open gates are aborted, and leave the inbox at once."""

    id: Long
    reason: Long = ""


class ListEvents(Ask[EventList], frozen=True, kw_only=True, tag="list_events"):
    """Return the history of an execution in order, from the event after number `after`. With `wait`: as soon as there is one, or when the time is up."""

    id: Long
    after: Annotated[int, Meta(ge=0, le=2**53)] = 0
    limit: Limit = 1000
    wait: Seconds = 0.0


class GetLogs(Ask[LogList], frozen=True, kw_only=True, tag="get_logs"):
    """Return what the tasks of an execution, or of one of its nodes, wrote to their standard output and error. A node is named by its id, or by its name."""

    id: Long
    node: Long = ""
    after: Annotated[
        str,
        Meta(
            max_length=4_000,
            description="The `next` of an earlier reply: only what was printed since. 0 is before everything, `end` behind all that was printed until now, `@N` behind what had ended N microseconds after 1970; empty: all there is, and no `next`.",
        ),
    ] = ""


class GetNode(Ask[NodeView], frozen=True, kw_only=True, tag="get_node"):
    """Return one node of an execution, with its inputs and outputs whole. A node is named by its id, or by its name if no other node has it."""

    id: Long
    node: Long


class GetDeck(Ask[DeckView], frozen=True, kw_only=True, tag="get_deck"):
    """Return the report of a node: of an attempt, or of the last that has one. A node is named by its id, or by its name."""

    id: Long
    node: Long
    attempt: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class DescribeBlob(Ask[BlobView], frozen=True, kw_only=True, tag="describe_blob"):
    """Return what a blob is: its size, and its media type by its first bytes."""

    digest: Long


class ListWorkflows(Ask[WorkflowList], frozen=True, kw_only=True, tag="list_workflows"):
    """List the latest version of each workflow."""


class GetWorkflow(Ask[WorkflowDetail], frozen=True, kw_only=True, tag="get_workflow"):
    """Return a version of a workflow, the latest if none is given: what it takes and gives as JSON Schema, and its graph."""

    name: Long
    version: Short = ""


class ListVersions(Ask[WorkflowList], frozen=True, kw_only=True, tag="list_versions"):
    """List the versions of a workflow, the one registered last first."""

    name: Long


class MakeToken(Ask[TokenMade], frozen=True, kw_only=True, tag="make_token"):
    """Make a token, for `lasts` seconds, or without end."""

    name: Short
    grants: list[GrantView]
    lasts: float | None = 7_776_000.0


class ListTokens(Ask[TokenList], frozen=True, kw_only=True, tag="list_tokens"):
    """List every token, also those that are revoked or have expired."""


class RotateToken(Ask[TokenMade], frozen=True, kw_only=True, tag="rotate_token"):
    """Make another token of the same name and rights; those that there are end after `overlap` seconds. It lasts as long as the last one did."""

    name: Short
    overlap: Annotated[
        float, Meta(ge=0, le=31_536_000, extra={SAYS: "must be between 0 seconds and a year"})
    ] = 3600.0


class MakeCode(Ask[CodeMade], frozen=True, kw_only=True, tag="make_code"):
    """Make a link that signs whoever asks, a user of this machine, in to the page."""


class ListSessions(Ask[SessionList], frozen=True, kw_only=True, tag="list_sessions"):
    """List the browsers in which whoever asks is signed in."""


class EndSession(Ask[SessionList], frozen=True, kw_only=True, tag="end_sessions"):
    """End one of one's own sessions, by its id; `all` ends all but the one that asks."""

    id: Short


class ListAudit(Ask[AuditPage], frozen=True, kw_only=True, tag="list_audit"):
    """List the audit log, the newest line first, a page at a time: decisions, sign-ins, tokens, and who was refused."""

    kind: Annotated[Short, Meta(description="Only lines of this kind.")] = ""
    who_did: Annotated[Short, Meta(description="Only what this person did.")] = ""
    execution: Annotated[Short, Meta(description="Only about this execution.")] = ""
    since: Annotated[Moment, Meta(description="Then or later.")] = ""
    until: Annotated[Moment, Meta(description="Before.")] = ""
    cursor: Cursor = ""
    limit: Limit = 100


class RevokeToken(Ask[TokenList], frozen=True, kw_only=True, tag="revoke_token"):
    """Revoke a token at once, by its id or its name."""

    token: Short


Request: TypeAlias = (
    Register
    | Launch
    | Relaunch
    | Recover
    | PreviewRecovery
    | GetExecution
    | ListExecutions
    | ListInbox
    | ListSignals
    | GetQuestion
    | Answer
    | Abort
    | ListEvents
    | GetLogs
    | GetNode
    | GetDeck
    | DescribeBlob
    | ListWorkflows
    | GetWorkflow
    | ListVersions
    | MakeToken
    | ListTokens
    | RevokeToken
    | RotateToken
    | MakeCode
    | ListSessions
    | EndSession
    | ListAudit
)


_VIEWS: Mapping[Any, Any] = {
    kind: get_args(kind.__orig_bases__[0])[0] for kind in get_args(Request)
}


def view_of(kind: type[Ask[V]]) -> type[V]:
    """Return which view answers a kind of request: the one that is declared with it."""
    found: type[V] = _VIEWS[kind]
    return found
