"""Views: what leaves a door. Instants are aware UTC `datetime`s, values are plain JSON."""

from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from tidegate.ir.expr import Schema, Value
from tidegate.wire.questions import AnswerView, PreviewView, SignalView, WaitingView

ENDED = frozenset({"SUCCEEDED", "FAILED", "ABORTED"})
"""The terminal phases of an execution."""


class FailureView(Struct, frozen=True, kw_only=True, gc=False):
    """Why a node or an execution did not succeed; `node` is the id of the node at fault, `name` its name."""

    code: str
    message: str
    node: str = ""
    name: str = ""
    trace: str = ""


INTERRUPTED = "interrupted"
"""Why a started task is not running: no process runs the store."""


class HeldView(Struct, frozen=True, kw_only=True, gc=False):
    """
    Why a task cannot start, for a reason outside it: `no_room` on the disk, `no_objects` while the object store is away, code or a file is `missing`, a different `environment`, `no_worker`,
    it requests more than the machine has (`too_large`), or there is `no_cluster` to run it on. It starts once that is fixed. Or what it waits for: all workers are `busy`,
    or it was `interrupted`, and no process runs the store.
    """

    code: str
    message: str
    since: datetime


class NodeView(Struct, frozen=True, kw_only=True, gc=False):
    """
    One node of an execution.

    `id` is its path (`n2/n0`), `parent` that of the node that contains it, `kind` one of task, sleep, input, approve, branch, workflow.
    `phase` is one of QUEUED, RUNNING, WAITING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, SKIPPED.
    `round` is that of a loop: of a dynamic task that calls itself. Its contents (`n2~3/n0` in the third round) are those of this round; earlier ones are removed.
    """

    id: str
    name: str
    kind: str
    phase: str
    reason: str = ""
    """Of one that is SKIPPED: `not_taken` (another case was taken), `withdrawn` (a question that nobody needs answered), or `upstream_failed` (it was not reached)."""
    parent: str = ""
    round: int = 1
    attempts: int = 0
    began: datetime | None = None
    ended: datetime | None = None
    due: datetime | None = None
    inputs: dict[str, Value] = {}
    """What it was given, by name, once it has begun: the arguments of a task or sub-workflow, what a gate shows, and the `value` to be approved."""
    preview: dict[str, PreviewView] = {}
    """The beginnings of inputs that are too large for a view of the whole execution; `executions/{id}/nodes/{node}/values` has them whole."""
    outputs: dict[str, Value] | None = None
    failure: FailureView | None = None
    answer: AnswerView | None = None
    upstream: list[str] = []
    """The nodes it waits for, by id. One that is QUEUED waits for those, and for its parent, as long as it has no `attempts`; then it waits for a worker."""
    case: int | None = None
    """For a branch: the case taken, counted from 0; the last is `else`."""
    branch: str = ""
    """The branch that contains it, by id, if there is one."""
    deck: bool = False
    """For a task: whether it has a report. Only set when a single execution is requested."""
    held: HeldView | None = None
    """For a task that is QUEUED: why it cannot start now. Only set when a single execution is requested."""


class ExecutionView(Struct, frozen=True, kw_only=True):
    """
    An execution at line `seq` of its history. `outputs` is null until it has succeeded, `error` null unless it failed or was aborted.

    It is complete, unless only the changes after a line were requested: then `nodes` are those that are shown differently since,
    `waiting` what they wait for, and `inputs`, which never change, are omitted. With `inputs`, or with a smaller `seq` than was requested, it is complete.
    """

    id: str
    workflow: str
    version: str
    phase: str
    seq: int = 0
    damaged: str = ""
    """What is damaged in it, and what to do; empty if no damage is known. If its history cannot be read, there are no nodes."""
    inputs: dict[str, Value] | UnsetType = UNSET
    outputs: dict[str, Value] | None
    error: FailureView | None
    nodes: list[NodeView]
    waiting: list[WaitingView] = []
    launched: datetime
    changed: datetime
    who: str = "local"
    project: str = ""
    domain: str = ""
    origin: str = ""
    """The execution that this one repeats or recovers, if it does."""
    successor: str = ""
    """The execution that recovers this one, if there is one."""
    environment: str = ""
    """The record of the environment it is bound to, because a terminal launched it; empty if it may continue anywhere."""
    differs: str = ""
    """How the current environment differs from that of the launch, in words; empty if no difference is known."""
    created: bool | UnsetType = UNSET
    """In the reply to a launch: whether this launch created it."""
    asked_version: str | UnsetType = UNSET
    """In the reply to a launch that found an execution of another version: the version requested. The execution continues with its own code."""
    notes: list[str] | UnsetType = UNSET
    """In the reply to a launch: what its tasks request and this server cannot provide, one sentence each. Absent if there is nothing to say."""
    python: str | UnsetType = UNSET
    """In the reply to a launch: the interpreter of the store's workers, which run it unless a terminal serves it."""


class RecoveryNode(Struct, frozen=True, kw_only=True, gc=False):
    """
    What a recovery does with one node. `node` is its id in the execution that is recovered; empty for one that is new.

    `becomes`: `kept`; `runs` (again, or for the first time); `asked`; `compared`: it is kept if what it takes comes out as it was, once its turn
    comes; `unused`: the new code has no such node. `why` says why it is not kept. `who` gave the answer.
    `changed`: it is kept or compared though its source has changed, or the text of its question.
    """

    node: str
    name: str
    kind: str
    becomes: str
    why: str = ""
    changed: bool = False
    who: str = ""


class RecoveryView(Struct, frozen=True, kw_only=True):
    """
    What a recovery would do. `execution` is what is recovered, in `phase`: the last that came of the one that was named.

    `version` is that of its code, `new_version` that of the code with which it would go on; `same_code` whether that is the same.
    """

    execution: str
    phase: str
    workflow: str
    version: str
    new_version: str
    same_code: bool
    nodes: list[RecoveryNode]
    notes: list[str] = []


class EndView(Struct, frozen=True, kw_only=True):
    """
    How an execution ended: `rejected` by a person, `timed_out` because nobody answered, `failed` by an error, or `aborted`.

    `message` is one line: the comment of a rejection, the failure, the reason of who aborted it. `who` rejected or aborted it. `node` is the
    node at fault, `name` its name.
    """

    kind: str
    message: str = ""
    who: str = ""
    node: str = ""
    name: str = ""


class ExecutionLine(Struct, frozen=True, kw_only=True):
    """An execution in a list. `waiting` names what it waits for (the names of its open gates)."""

    id: str
    workflow: str
    version: str
    phase: str
    launched: datetime
    changed: datetime
    waiting: list[str] = []
    who: str = "local"
    project: str = ""
    domain: str = ""
    damaged: str = ""
    """What is damaged in it, and what to do; empty if no damage is known."""
    held: str = ""
    """Why its tasks cannot start now, as in `HeldView`; empty if they can."""
    end: EndView | None = None
    """How it ended, unless it has not, or has succeeded."""


class EventView(Struct, frozen=True, kw_only=True):
    """
    One event of an execution's history: its number, its time, its kind (`TaskSucceeded`), and its content.

    A line that cannot be read is a `Damaged` event; its time is that of the line before it.
    """

    seq: int
    at: datetime
    kind: str
    details: dict[str, Any] = {}


class InputView(Struct, frozen=True, kw_only=True):
    """One input of a workflow. `default` is absent when the input is required."""

    name: str
    schema: Schema
    expects: str
    default: Value | UnsetType = UNSET


class WorkflowView(Struct, frozen=True, kw_only=True):
    """One version of a workflow: its inputs and outputs; the nodes of its graph are at `GET graph`."""

    name: str
    version: str
    module: str
    bundle: str
    registered: datetime
    inputs: list[InputView]
    outputs: dict[str, Schema]
    doc: str = ""
    signals: list[SignalView] = []
    """What it will ask for, as far as that is known before it runs."""
    dynamic: bool = False
    """Whether it has dynamic tasks, which may ask for more."""
    notes: list[str] = []
    """What its tasks request and this server cannot provide, one sentence each."""
    environment: str = ""
    """In the reply to a registration: the record of the interpreter and of the packages that its code imported there."""


class CaseView(Struct, frozen=True, kw_only=True):
    """Which case of a branch a node belongs to: the branch by id, the case counted from 0."""

    branch: str
    index: int


class GraphNodeView(Struct, frozen=True, kw_only=True):
    """
    One node of a workflow, before it runs: ids, names and kinds are those of `NodeView`.

    `target` is the Python function of a task, `cases` are the conditions of a branch in words, the last of them `else`.
    `schema` and `prompt` are those of a gate; `timeout` is in seconds, as is the `duration` of a sleep.
    """

    id: str
    name: str
    kind: str
    parent: str = ""
    upstream: list[str] = []
    case: CaseView | None = None
    target: str = ""
    dynamic: bool = False
    retries: int = 0
    cases: list[str] = []
    schema: Schema = {}
    prompt: str = ""
    timeout: float | None = None
    duration: float | None = None


class WorkflowDetail(Struct, frozen=True, kw_only=True):
    """One version of a workflow, with its graph."""

    workflow: WorkflowView
    nodes: list[GraphNodeView]


class FeedView(Struct, frozen=True, kw_only=True):
    """
    One event of any execution: whose, what, and which nodes it changed, without values.

    `cursor` marks how far the reader is after it: opaque text, to be sent back to continue from there.
    """

    cursor: str
    execution: str
    workflow: str
    project: str
    domain: str
    event: EventView


class AttemptLog(Struct, frozen=True, kw_only=True):
    """What one attempt of a task printed to standard output and error."""

    node: str
    name: str
    attempt: int
    text: str


class DeckView(Struct, frozen=True, kw_only=True):
    """
    The report of one attempt of a task: a complete HTML page, made by the task's author, to be shown in a sandbox.

    `digest` is the SHA-256 of the page, recorded in the history once the attempt has ended: the page is what it was then. Without it, the
    attempt is running and may publish another (`live`), or the page was made by an earlier version of Tidegate.
    """

    node: str
    name: str = ""
    attempt: int
    html: str
    digest: str = ""
    live: bool = False


class Stored(Struct, frozen=True):
    """The digest of stored content: its SHA-256, in hexadecimal."""

    digest: str


class UploadView(Struct, frozen=True, kw_only=True):
    """An upload: how many of its bytes have arrived; once all have, the digest and the media type of the blob that it has become."""

    id: str
    size: int
    offset: int
    digest: str = ""
    media: str = ""


class LimitsView(Struct, frozen=True, kw_only=True):
    """
    What a door accepts at most: bytes, depth and digits of a value; characters of a short text, of a comment, of an idempotency key and of an id;
    bytes of a file sent in one piece and of one sent in parts; answers in one request.
    """

    value_bytes: int
    value_depth: int
    number_digits: int
    text_characters: int
    comment_characters: int
    key_characters: int
    id_characters: int
    blob_bytes: int
    upload_bytes: int
    answers: int


class RoundView(Struct, frozen=True, kw_only=True):
    """
    One round of a loop: of a dynamic task that calls itself. `outputs` are small values that came out of its tasks and questions, those of the
    last first, at most six.
    """

    round: int
    phase: str
    began: datetime | None
    ended: datetime | None
    outputs: dict[str, Value]


class RoundList(Struct, frozen=True, kw_only=True):
    """The rounds of a loop in order; `next` is what to pass as `after` for more, null at the end. A loop has `most` rounds at most."""

    items: list[RoundView]
    next: int | None
    most: int


class RoundNodes(Struct, frozen=True, kw_only=True):
    """The nodes of one round of a loop, as they are or were when it ended."""

    round: int
    items: list[NodeView]


class PartView(Struct, frozen=True):
    """A background part of the server. `why` is empty while it is up; if one that only `tidies` up is down, no request is refused for it."""

    name: str
    up: bool
    why: str
    since: datetime
    restarts: int
    tidies: bool


class Health(Struct, frozen=True):
    """The server's health: ok, degraded (only housekeeping is down), stopping, or down. Only authenticated callers get the version and the parts."""

    status: str
    version: str
    parts: list[PartView] = []


# ---- pages ----


class ExecutionPage(Struct, frozen=True, kw_only=True):
    """A page of executions, newest first; `next` requests the next page, and is empty only at the end: a long search may find nothing in a page."""

    items: list[ExecutionLine]
    next: str = ""


class EventList(Struct, frozen=True, kw_only=True):
    """The history of an execution."""

    items: list[EventView]


class BrokenView(Struct, frozen=True, kw_only=True):
    """A workflow of a module that cannot be compiled, or one whose graph cannot be read back, and why."""

    name: str
    error: str


class WorkflowList(Struct, frozen=True, kw_only=True):
    """
    Workflows, the latest version of each; `broken` are those that could not be registered, or whose graph is damaged.

    `last` has the newest execution that the caller may see of each of the first hundred, by the workflow's name.
    """

    items: list[WorkflowView]
    broken: list[BrokenView] = []
    last: dict[str, ExecutionLine] = {}


class LogList(Struct, frozen=True, kw_only=True):
    """The logs of an execution or of one of its nodes, by node and attempt."""

    items: list[AttemptLog]
    next: str = ""
    """What to pass as `after` for what is printed later."""
    missing: str = ""
    """Which servers that share the store could not be asked for what they have, and why."""


class Aborted(Struct, frozen=True, kw_only=True):
    """The execution has been aborted, now or earlier."""

    execution: str
    phase: str
