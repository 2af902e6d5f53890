"""
What the machine is told, what it replies, and what it requests.

Events are facts, in the past tense, and carry the instant `at` which the host read from its one clock.
Commands are requests, in the imperative; a host may see one twice and must not act twice: (node, attempt) identifies them.
Replies go back to whom they answer, after the commit.
"""

from typing import TypeAlias

from msgspec import Struct, structs

from tidegate.core.keys import KeptKey
from tidegate.core.plan import Round
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import ORDINARY, Graph, Instant, Micros, Requirements, Target


class Failure(Struct, frozen=True, array_like=True, gc=False):
    """Why a node or an execution failed. `code` is stable, `message` is for people, `trace` is the author's traceback."""

    code: str
    message: str
    trace: str = ""
    retryable: bool = True


def final(code: str, message: str) -> Failure:
    """Return a failure that another attempt would not fix."""
    return Failure(code, message, retryable=False)


REJECTED = "Rejected"
TIMEOUT_EXPIRED = "TimeoutExpired"
TASK_TIMED_OUT = "TaskTimedOut"
TASK_OUT_OF_MEMORY = "TaskOutOfMemory"
TASK_OUT_OF_ROOM = "TaskOutOfRoom"
TASK_RAISED = "TaskRaised"
TASK_CRASHED = "TaskCrashed"
BRANCH_FAILED = "BranchFailed"
BAD_CONDITION = "BadCondition"
BAD_PATH = "BadPath"
BAD_SUGGESTION = "BadSuggestion"
BAD_GRAPH = "BadGraph"
LOST_TOO_OFTEN = "LostTooOften"


class AnswerRecord(Struct, frozen=True, array_like=True, gc=False):
    """What a gate was told: by whom, with which credential, through what, when. For an approval the value is True or False."""

    value: Value
    at: Instant
    who: str
    via: str
    comment: str = ""
    early: bool = False
    by_timeout: bool = False
    credential: str = ""
    shown: str = ""
    """The digest of the question as it was shown to the answerer; empty if that is not known."""
    kept: str = ""
    """The execution in which it was given, if this one recovers that one and has kept it."""
    kept_by: str = ""
    """Who chose to keep it though the code has changed; empty if nobody had to."""


class FormerNode(Struct, frozen=True, array_like=True, gc=False):
    """
    A node as it was in an execution that is recovered with other code, and what it came to (`core.former`).

    `at` is unique among all of them, and the path of the nodes in its graph; `scope` is the path of its graph, `position` its place in that.
    `meant` is the digest of its signature and the values it had; empty if these cannot be told.
    """

    at: NodeId
    scope: str
    name: str
    kind: str
    position: bytes
    meant: bytes = b""
    target: str = ""
    """The Python name of the task, or of the type of the answer."""
    outputs: dict[str, Value] | None = None
    answer: AnswerRecord | None = None
    graph: Graph | None = None
    round: Round | None = None
    key: str = ""
    """The idempotency key that it had, if it was tried."""
    dropped: str = ""
    """Why what it came to is not kept, whatever its inputs are; empty if there is no such reason."""


class Former(Struct, frozen=True, array_like=True, gc=False):
    """
    The nodes of an execution that is recovered with other code.

    `alike` names, for each task and type of the new code, those of the old code with the same signature.
    `kept_by`, `credential` and `via` say who chose to keep approvals; they are empty if approvals are asked for again.
    """

    nodes: list[FormerNode]
    alike: dict[str, list[str]] = {}
    kept_by: str = ""
    credential: str = ""
    via: str = ""


class Reuse(Struct, frozen=True, array_like=True, gc=False):
    """What an execution that recovers another takes over from it, by node: results of tasks, answers of gates, graphs of dynamic tasks."""

    origin: str
    outputs: dict[NodeId, dict[str, Value]]
    answers: dict[NodeId, AnswerRecord]
    graphs: dict[NodeId, Graph]
    rounds: dict[NodeId, Round] = {}
    """The current rounds of loops, beyond the first."""
    keys: dict[NodeId, KeptKey] = {}
    """The idempotency keys of tasks that were tried."""
    former: Former | None = None
    """What other code had come to: it is matched as nodes begin, not by id."""


class Launched(Struct, frozen=True, array_like=True, gc=False, tag=1):
    """An execution was requested. It is the first event, and occurs once."""

    at: Instant
    inputs: dict[str, Value]
    who: str = "local"
    via: str = "code"
    reuse: Reuse | None = None
    launched_from: str = ""
    """The directory of the terminal or program that launched it; empty if that is not known."""
    recorded: str = ""
    """The blob with what its code imported when it was registered last; empty if there is none."""
    credential: str = ""
    keys: int = 0
    """The form of its tasks' idempotency keys (`core.keys`)."""
    strict: bool = False
    """Whether its tasks are held where their code imports something else than was recorded."""


class TaskStarted(Struct, frozen=True, array_like=True, gc=False, tag=2):
    """A worker has been running this attempt for a while; attempts that end at once are not announced."""

    at: Instant
    node: NodeId
    attempt: int


class TaskSucceeded(Struct, frozen=True, array_like=True, gc=False, tag=3):
    """An attempt returned."""

    at: Instant
    node: NodeId
    attempt: int
    outputs: dict[str, Value]
    took: Micros = Micros(0)
    """How long the attempt ran; 0 if that is not known."""
    deck: str = ""
    """The blob with the decks it made; empty if it made none. The same for the two below."""


class TaskUnfolded(Struct, frozen=True, array_like=True, gc=False, tag=4):
    """An attempt of a dynamic task returned a graph."""

    at: Instant
    node: NodeId
    attempt: int
    graph: Graph
    deck: str = ""


TaskExpanded = TaskUnfolded
"""The former name of this event, for programs that use it."""


class TaskFailed(Struct, frozen=True, array_like=True, gc=False, tag=5):
    """An attempt raised, crashed, or was killed at its timeout."""

    at: Instant
    node: NodeId
    attempt: int
    failure: Failure
    took: Micros = Micros(0)
    """How long the attempt ran; 0 if that is not known."""
    deck: str = ""


class TaskLost(Struct, frozen=True, array_like=True, gc=False, tag=6):
    """The host that ran this attempt died with it. It is repeated and uses up no retry."""

    at: Instant
    node: NodeId
    attempt: int
    given_back: bool = False
    """The host ended in good order: it does not count as lost."""


class TakenUp(Struct, frozen=True, array_like=True, gc=False, tag=10):
    """
    A new host takes the execution over. The previous host is dead, and so are the attempts that ran on it.

    Running attempts are lost and repeated; attempts not known to have started are resubmitted, uncounted. All get new numbers,
    except those in `unbegun`, by node, which are known not to have started. Those in `kept` outlive their host: they stay as they are.
    """

    at: Instant
    unbegun: dict[NodeId, int] = {}
    kept: dict[NodeId, int] = {}


class GivenBack(Struct, frozen=True, array_like=True, gc=False, tag=11):
    """The host stops in an orderly way. The next one resubmits what it ran under a new number, and does not count it as lost."""

    at: Instant


class EnvironmentDiffers(Struct, frozen=True, array_like=True, gc=False, tag=13):
    """An attempt starts where the code imports other packages than recorded at the launch."""

    at: Instant
    node: NodeId
    differs: str


class TimerFired(Struct, frozen=True, array_like=True, gc=False, tag=7):
    """The instant that a node waits for has arrived."""

    at: Instant
    node: NodeId


class ClockSetBack(Struct, frozen=True, array_like=True, gc=False, tag=12):
    """The wall clock was set back, by at least this much. Sleeps and timeouts follow it; the pause before a retry is a duration, and does not."""

    at: Instant
    by: Micros


class AnswerGiven(Struct, frozen=True, array_like=True, gc=False, tag=8):
    """Somebody answered a gate, with a value of the declared type; for an approval True or False."""

    at: Instant
    node: NodeId
    value: Value
    who: str = "local"
    via: str = "code"
    comment: str = ""
    key: str = ""
    credential: str = ""
    shown: str = ""
    """The digest of what was shown (`core.questions`); empty if nothing was."""


class RecoveryRequested(Struct, frozen=True, array_like=True, gc=False, tag=14):
    """Somebody recovers an execution that has ended without success; `successor` is the new one."""

    at: Instant
    successor: str
    who: str = "local"
    via: str = "code"
    credential: str = ""
    version: str = ""
    """The version of the code with which it goes on, if that is another."""
    approvals: str = ""
    """`kept` if its approvals are kept under other code; empty if not, or if the code is the same."""


class AbortRequested(Struct, frozen=True, array_like=True, gc=False, tag=9):
    """Somebody aborts the execution."""

    at: Instant
    reason: str = ""
    who: str = "local"
    via: str = "code"
    credential: str = ""


Event: TypeAlias = (
    Launched
    | TaskStarted
    | TaskSucceeded
    | TaskUnfolded
    | TaskFailed
    | TaskLost
    | TakenUp
    | GivenBack
    | EnvironmentDiffers
    | TimerFired
    | ClockSetBack
    | AnswerGiven
    | AbortRequested
    | RecoveryRequested
)


def slim(event: Event) -> Event:
    """Leave out what the changes of the same step contain already, so that history stores each value once."""
    match event:
        case TaskSucceeded():
            return structs.replace(event, outputs={})
        case Launched():
            return event
        case AnswerGiven():
            return structs.replace(event, value=None, shown="")
        case TaskFailed(failure=failure):
            return structs.replace(event, failure=Failure(failure.code, ""))
        case TakenUp():
            return TakenUp(event.at)
        case TaskUnfolded(graph=graph):
            return structs.replace(event, graph=Graph(name=graph.name))
        case _:
            return event


class RunTask(Struct, frozen=True, gc=False):
    """Run this attempt of a task."""

    node: NodeId
    attempt: int
    target: Target
    inputs: dict[str, Value]
    timeout: Micros | None
    dynamic: bool
    requires: Requirements = ORDINARY
    kept_key: str = ""
    """The idempotency key inherited from the recovered execution; empty if it has its own."""


class CancelTask(Struct, frozen=True, gc=False):
    """The result of this attempt is no longer needed."""

    node: NodeId
    attempt: int


Command: TypeAlias = RunTask | CancelTask


class Accepted(Struct, frozen=True, array_like=True, gc=False, tag="yes"):
    """The answer is accepted. `early`: it was given before the gate opened and is kept for it."""

    at: Instant
    who: str
    early: bool = False


class Denied(Struct, frozen=True, array_like=True, gc=False, tag="no"):
    """
    The answer is refused. `code` is that of the error in `tidegate.errors`; who and when describe what forbids it.

    `changed` names the parts of the question that differ from what was shown.
    """

    code: str
    at: Instant | None = None
    who: str = ""
    changed: tuple[str, ...] = ()
    execution: str = ""
    """The execution that has already recovered this one."""


Reply: TypeAlias = Accepted | Denied
