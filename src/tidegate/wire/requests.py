"""
Requests: everything that can be asked of Tidegate, each with the view that answers it.

Rule 1: the constraints of a field are declared here and nowhere else. Decoding checks them, and `check` checks a request made in Python.
Rule 2: how a request travels over HTTP is declared in `bindings`. `who`, `via` and `credential` do not travel: admission fills them in.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias, get_args

from msgspec import Meta

from tidegate.ir.expr import Value
from tidegate.wire.access import (
    AuditPage,
    CodeMade,
    GrantView,
    ReplicaList,
    SessionList,
    TokenList,
    TokenMade,
)
from tidegate.wire.ask import Ask, V
from tidegate.wire.constraints import (
    MOST_QUESTIONS,
    SAYS,
    Cursor,
    Digest,
    KeepApprovals,
    Key,
    Label,
    Limit,
    Long,
    Moment,
    Name,
    NewId,
    OneDigest,
    Questions,
    Rerun,
    Seconds,
    Seen,
    Short,
    ShownDigest,
    Terminal,
    Version,
)
from tidegate.wire.questions import (
    AnswerReply,
    BlobView,
    CheckView,
    InboxPage,
    InboxSummary,
    SignalList,
    WaitingView,
)
from tidegate.wire.views import (
    Aborted,
    DeckView,
    EventList,
    ExecutionPage,
    ExecutionView,
    LogList,
    NodeView,
    RecoveryView,
    RoundList,
    RoundNodes,
    WorkflowDetail,
    WorkflowList,
)


class Register(Ask[WorkflowList], frozen=True, kw_only=True, tag="register"):
    """Register the workflows of a module of a stored bundle, or `only` some of them, by name. Registering the same again changes nothing."""

    bundle: Digest
    module: Name
    version: Short = ""
    only: Annotated[list[Name], Meta(max_length=1000)] = []
    terminal: Terminal = ""


class Launch(Ask[ExecutionView], frozen=True, kw_only=True, tag="launch"):
    """Launch an execution. Idempotent by its `id`: the same id with the same content returns the execution that was launched first."""

    workflow: Name
    version: Short = ""
    inputs: dict[str, Value] = {}
    id: NewId = ""
    project: Label = ""
    domain: Label = ""
    launched_from: Annotated[
        Long, Meta(description="The directory from which it is launched, for tasks to read.")
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
    Continue an execution that failed or was aborted in a new one, its successor, which keeps what has succeeded: results of tasks, and answers.

    After a failure approvals are kept, recorded with who gave them; after an abort they are asked for again. An execution has one successor: if
    that has failed, the successor is recovered instead.

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
    terminal: Terminal = ""


class GetExecution(Ask[ExecutionView], frozen=True, kw_only=True, tag="get_execution"):
    """
    Return an execution in full; with `after`, only what has changed since that line of its history.

    With `wait`, it is returned once it has ended or, with `until_waiting`, once nothing more can happen without an answer; or when the time is up.
    `seq` is the number of the last line that it reflects. If the line `after` does not exist, the full execution is returned.
    """

    id: Long
    after: Seen = 0
    wait: Seconds = 0.0
    until_waiting: bool = False
    questions: Questions = MOST_QUESTIONS


class ListExecutions(Ask[ExecutionPage], frozen=True, kw_only=True, tag="list_executions"):
    """List executions, newest first, a page at a time."""

    phases: Annotated[list[Short], Meta(max_length=10, description="Any of these phases.")] = []
    ends: Annotated[
        list[
            Annotated[
                str,
                Meta(
                    pattern=r"^(rejected|timed_out|failed|aborted)\Z",
                    extra={SAYS: "must be rejected, timed_out, failed or aborted"},
                ),
            ]
        ],
        Meta(
            max_length=4,
            description="Ended in any of these ways: rejected, timed_out, failed, aborted. Beside phases, what has either is listed.",
        ),
    ] = []
    workflow: Short = ""
    project: Short = ""
    domain: Short = ""
    since: Annotated[Moment, Meta(description="Launched then or later.")] = ""
    until: Annotated[Moment, Meta(description="Launched before.")] = ""
    text: Annotated[Short, Meta(description="Part of the id or of the workflow's name.")] = ""
    cursor: Cursor = ""
    limit: Limit = 100


class ListInbox(Ask[InboxPage], frozen=True, kw_only=True, tag="list_inbox"):
    """List what waits for an answer, in all executions or in one: earliest due first, those without a timeout last, then the oldest."""

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
    yours: Annotated[bool, Meta(description="Only what the caller may answer.")] = False
    due: Annotated[
        str,
        Meta(
            pattern=r"^(overdue|hour|today|week|later|none)?\Z",
            description="Only what is due then, to the minute: within the `hour`, `today` or within seven days (`week`) without what the former have, `later`, or without a due time (`none`).",
            extra={SAYS: "must be overdue, hour, today, week, later or none"},
        ),
    ] = ""
    zone: Annotated[
        int,
        Meta(
            ge=-1440,
            le=1440,
            description="Where the caller's day begins and ends, for `due`: minutes east of UTC.",
            extra={SAYS: "must be minutes east of UTC, between -1,440 and 1,440"},
        ),
    ] = 0
    sort: Annotated[
        str,
        Meta(
            max_length=100,
            pattern=r"^(-?(due|opened|title|figure:.+))?\Z",
            description="due, opened, title, or `figure:NAME`; with a minus sign, descending. What has no such value comes last.",
            extra={
                SAYS: "must be due, opened, title or figure:NAME, with a minus sign before it for descending order"
            },
        ),
    ] = ""
    text: Annotated[
        Short,
        Meta(
            description="Part of the execution's id, the workflow's or the signal's name, the title, a figure, or the first line of the prompt."
        ),
    ] = ""
    cursor: Cursor = ""
    limit: Annotated[int, Meta(ge=1, le=500, extra={SAYS: "must be between 1 and 500"})] = 100


class SummarizeInbox(Ask[InboxSummary], frozen=True, kw_only=True, tag="summarize_inbox"):
    """Count what waits for an answer: all that the caller may see, and what they may answer."""


class ListSignals(Ask[SignalList], frozen=True, kw_only=True, tag="list_signals"):
    """List the signals of an execution: waiting, answered, or still to come."""

    id: Long


class GetQuestion(Ask[WaitingView], frozen=True, kw_only=True, tag="get_question"):
    """Return the full question of a waiting signal. In the inbox its values may be shortened."""

    id: Long
    name: Long


class Answer(Ask[AnswerReply], frozen=True, kw_only=True, tag="answer"):
    """
    Answer a signal, by its handle, path or name; for an approval the value is true or false. An invalid value is refused, and the signal stays open.

    `shown` is the digest of the question that was shown.
    """

    id: Long
    name: Long
    value: Value
    comment: Long = ""
    key: Key = ""
    shown: ShownDigest = ""


class CheckAnswer(Ask[CheckView], frozen=True, kw_only=True, tag="check_answer"):
    """Check a value as an answer to a signal, without sending it: nothing is stored. Refused as the answer would be if the signal does not take one."""

    id: Long
    name: Long
    value: Value


class CheckInputs(Ask[CheckView], frozen=True, kw_only=True, tag="check_inputs"):
    """Check the inputs of a launch, without launching: nothing is stored."""

    name: Long
    inputs: dict[str, Value]
    version: Version = ""


class Abort(Ask[Aborted], frozen=True, kw_only=True, tag="abort"):
    """End an execution. Its open gates are aborted, and leave the inbox at once."""

    id: Long
    reason: Long = ""


class ListEvents(Ask[EventList], frozen=True, kw_only=True, tag="list_events"):
    """Return the history of an execution in order, from the event after number `after`. With `wait`: once there is one, or when the time is up."""

    id: Long
    after: Annotated[int, Meta(ge=0, le=2**53)] = 0
    limit: Limit = 1000
    wait: Seconds = 0.0


class GetLogs(Ask[LogList], frozen=True, kw_only=True, tag="get_logs"):
    """Return what the tasks of an execution, or of one of its nodes, printed to standard output and error. A node is given by its id or its name."""

    id: Long
    node: Long = ""
    after: Annotated[
        str,
        Meta(
            max_length=4_000,
            description="The `next` of an earlier reply: only what was printed since. 0 is before everything, `end` after everything printed so far, `@N` after what had ended N microseconds after 1970; empty: everything, and no `next`.",
        ),
    ] = ""


class GetNode(Ask[NodeView], frozen=True, kw_only=True, tag="get_node"):
    """Return one node of an execution, with its inputs and outputs whole. A node is named by its id, or by its name if no other node has it."""

    id: Long
    node: Long


class ListRounds(Ask[RoundList], frozen=True, kw_only=True, tag="list_rounds"):
    """List the rounds of a loop, from the one after number `after`. The loop is the dynamic task that calls itself, by its id or its name."""

    id: Long
    node: Long
    after: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    limit: Limit = 100


class GetRound(Ask[RoundNodes], frozen=True, kw_only=True, tag="get_round"):
    """Return the nodes of one round of a loop. Those of an earlier round are read from the history."""

    id: Long
    node: Long
    round: Annotated[
        str,
        Meta(
            pattern=r"^[1-9][0-9]{0,5}\Z",
            description="The number of the round, from 1.",
            extra={SAYS: "must be the number of a round, from 1"},
        ),
    ]


class GetDeck(Ask[DeckView], frozen=True, kw_only=True, tag="get_deck"):
    """Return the report of a node: of an attempt, or of the last that has one. A node is given by its id or its name."""

    id: Long
    node: Long
    attempt: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class DescribeBlob(Ask[BlobView], frozen=True, kw_only=True, tag="describe_blob"):
    """Return what a blob is: its size, and its media type as detected from its first bytes."""

    digest: Long


class ListWorkflows(Ask[WorkflowList], frozen=True, kw_only=True, tag="list_workflows"):
    """List the latest version of each workflow."""


class GetWorkflow(Ask[WorkflowDetail], frozen=True, kw_only=True, tag="get_workflow"):
    """Return a version of a workflow, by default the latest: its inputs and outputs as JSON Schema, and its graph."""

    name: Long
    version: Short = ""


class ListVersions(Ask[WorkflowList], frozen=True, kw_only=True, tag="list_versions"):
    """List the versions of a workflow, last registered first."""

    name: Long


class MakeToken(Ask[TokenMade], frozen=True, kw_only=True, tag="make_token"):
    """Make a token that is valid for `lasts` seconds, or without limit."""

    name: Short
    grants: list[GrantView]
    lasts: float | None = 7_776_000.0


class ListTokens(Ask[TokenList], frozen=True, kw_only=True, tag="list_tokens"):
    """List every token, including revoked and expired ones."""


class RotateToken(Ask[TokenMade], frozen=True, kw_only=True, tag="rotate_token"):
    """Make another token with the same name and rights; the existing ones end after `overlap` seconds. It is valid as long as the last one was."""

    name: Short
    overlap: Annotated[
        float, Meta(ge=0, le=31_536_000, extra={SAYS: "must be between 0 seconds and a year"})
    ] = 3600.0


class MakeCode(Ask[CodeMade], frozen=True, kw_only=True, tag="make_code"):
    """Make a link that signs the caller, a user of this machine, in to the page."""


class ListSessions(Ask[SessionList], frozen=True, kw_only=True, tag="list_sessions"):
    """List the browsers in which the caller is signed in."""


class EndSession(Ask[SessionList], frozen=True, kw_only=True, tag="end_sessions"):
    """End one of the caller's sessions, by its id; `all` ends all except the one that makes the request."""

    id: Short


class ListReplicas(Ask[ReplicaList], frozen=True, kw_only=True, tag="list_replicas"):
    """List the servers that share the store, with the shards of it that each owns."""


class ListAudit(Ask[AuditPage], frozen=True, kw_only=True, tag="list_audit"):
    """List the audit log, newest first, a page at a time: decisions, sign-ins, tokens, and refusals."""

    kind: Annotated[Short, Meta(description="Only lines of this kind.")] = ""
    who_did: Annotated[Short, Meta(description="Only what this person did.")] = ""
    execution: Annotated[Short, Meta(description="Only lines about this execution.")] = ""
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
    | SummarizeInbox
    | ListSignals
    | GetQuestion
    | Answer
    | CheckAnswer
    | CheckInputs
    | Abort
    | ListEvents
    | GetLogs
    | GetNode
    | ListRounds
    | GetRound
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
    | ListReplicas
)


_VIEWS: Mapping[Any, Any] = {
    kind: get_args(kind.__orig_bases__[0])[0] for kind in get_args(Request)
}


def view_of(kind: type[Ask[V]]) -> type[V]:
    """Return the view that answers a kind of request, as declared with it."""
    found: type[V] = _VIEWS[kind]
    return found
