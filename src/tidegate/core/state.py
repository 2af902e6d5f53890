"""
The phases of an execution and of its nodes, and the legal transitions between them.

Rule 1: a phase changes only as the two tables below allow; `Draft.put` asserts it.
Rule 2: nothing here reads a clock or draws a random number; time arrives inside events.
Rule 3: the state is the fold of its changes (`core/draft.py`). The counters in `StateFields` follow from the node states;
they exist so that a step costs what it changes, and are never stored.

The diagrams in the docs are drawn from these tables, so they cannot disagree.
"""

from copy import copy
from enum import IntEnum
from typing import TypeAlias

from msgspec import Struct

from tidegate.core.messages import Accepted, AnswerRecord, Failure, Reply, Reuse
from tidegate.core.past import PastGate
from tidegate.core.plan import ROOT, Round
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import Graph, Instant


class NodePhase(IntEnum):
    """The phase of a node. A node that has no state yet is QUEUED."""

    QUEUED = 0
    RUNNING = 1
    WAITING = 2
    SUCCEEDED = 3
    FAILED = 4
    TIMED_OUT = 5
    ABORTED = 6
    SKIPPED = 7

    @property
    def is_terminal(self) -> bool:
        """Whether the node has ended."""
        return self >= NodePhase.SUCCEEDED


class ExecutionPhase(IntEnum):
    """The phase of an execution. WAITING: nothing runs, and at least one gate is open."""

    QUEUED = 0
    RUNNING = 1
    WAITING = 2
    SUCCEEDED = 3
    FAILED = 4
    ABORTED = 5

    @property
    def is_terminal(self) -> bool:
        """Whether the execution has ended."""
        return self >= ExecutionPhase.SUCCEEDED


N, X = NodePhase, ExecutionPhase

# Looking up an enum member by attribute costs more than the comparison itself; the machine uses these names.
QUEUED, RUNNING, WAITING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, SKIPPED = NodePhase
X_RUNNING, X_WAITING, X_SUCCEEDED = X.RUNNING, X.WAITING, X.SUCCEEDED

NODE_TRANSITIONS: dict[NodePhase, frozenset[NodePhase]] = {
    # QUEUED -> QUEUED: an attempt is submitted, or resubmitted by another host; or an early answer is stored.
    # QUEUED -> SUCCEEDED: an attempt that ended before its start was reported, or a gate whose answer came early.
    N.QUEUED: frozenset(
        {N.QUEUED, N.RUNNING, N.WAITING, N.SUCCEEDED, N.FAILED, N.TIMED_OUT, N.ABORTED, N.SKIPPED}
    ),
    # RUNNING -> QUEUED: the host of the attempt died, or gave it back. RUNNING -> RUNNING: a dynamic task has unfolded.
    # RUNNING -> WAITING: the pause before a retry.
    N.RUNNING: frozenset(
        {N.QUEUED, N.RUNNING, N.WAITING, N.SUCCEEDED, N.FAILED, N.TIMED_OUT, N.ABORTED}
    ),
    # WAITING -> QUEUED: the pause before a retry is over. WAITING -> SKIPPED: the answer is no longer needed.
    N.WAITING: frozenset({N.QUEUED, N.SUCCEEDED, N.FAILED, N.TIMED_OUT, N.ABORTED, N.SKIPPED}),
    N.SUCCEEDED: frozenset(),
    N.FAILED: frozenset(),
    N.TIMED_OUT: frozenset(),
    N.ABORTED: frozenset(),
    N.SKIPPED: frozenset(),
}

EXECUTION_TRANSITIONS: dict[ExecutionPhase, frozenset[ExecutionPhase]] = {
    X.QUEUED: frozenset({X.RUNNING, X.WAITING, X.SUCCEEDED, X.FAILED, X.ABORTED}),
    X.RUNNING: frozenset({X.WAITING, X.SUCCEEDED, X.FAILED, X.ABORTED}),
    X.WAITING: frozenset({X.RUNNING, X.SUCCEEDED, X.FAILED, X.ABORTED}),
    X.SUCCEEDED: frozenset(),
    X.FAILED: frozenset(),
    X.ABORTED: frozenset(),
}


class NodeState(Struct, frozen=True, array_like=True, gc=False):
    """The state of one node. It is what a change carries, and what history stores."""

    phase: NodePhase
    attempt: int = 0
    """The number of a task's current attempt, from 1; 0 before the first."""
    lost: int = 0
    """How many attempts were lost with their host. They use up no retry."""
    began: Instant | None = None
    ended: Instant | None = None
    due: Instant | None = None
    """When a timer wakes this node, while it is WAITING."""
    outputs: dict[str, Value] | None = None
    """What a task returned. Outputs of other kinds of nodes are evaluated when needed (`evaluate.output_of`)."""
    failure: Failure | None = None
    """Why it failed; for a task that is retried, why its last attempt did."""
    answer: AnswerRecord | None = None
    """The answer to a gate; in phase QUEUED, one that came early."""
    case: int | None = None
    """The case that a branch took."""
    reissued: int = 0
    """How many attempts were given a new number without being lost: given back, or not known to have started. They use up no retry."""
    origin: str = ""
    """The node of the recovered execution that it is matched with, if that had other code (`FormerNode.at`)."""


QUEUED_STATE = NodeState(N.QUEUED)


class NodeChanged(Struct, frozen=True, array_like=True, gc=False, tag=1):
    """A node has this state now."""

    node: NodeId
    state: NodeState


class PhaseChanged(Struct, frozen=True, array_like=True, gc=False, tag=2):
    """The execution has this phase now; for one that failed or was aborted, why, and at which node."""

    phase: ExecutionPhase
    failure: Failure | None = None
    node: NodeId = ROOT


class NodeUnfolded(Struct, frozen=True, array_like=True, gc=False, tag=3):
    """A dynamic task has unfolded into a graph. In a loop, the graph replaces that of the round before."""

    node: NodeId
    graph: Graph
    round: Round | None = None


class KeyBound(Struct, frozen=True, array_like=True, gc=False, tag=4):
    """
    An answer was accepted under this idempotency key of who gave it, and repeats of it get this reply for as long as the execution is kept.

    (Earlier versions bound a key for everybody, and bound refusals too. Those are not taken up; an accepted one belongs to who gave that answer.)
    """

    key: str
    node: NodeId
    reply: Reply


class DifferenceNoted(Struct, frozen=True, array_like=True, gc=False, tag=5):
    """The execution continues where its code imports other packages, described in words."""

    differs: str


class DeckFrozen(Struct, frozen=True, array_like=True, gc=False, tag=6):
    """An attempt has ended, and this blob has its decks."""

    node: NodeId
    attempt: int
    digest: str


class SuccessorNamed(Struct, frozen=True, array_like=True, gc=False, tag=7):
    """The execution continues in this one, and in no other."""

    successor: str


Change: TypeAlias = (
    NodeChanged
    | PhaseChanged
    | NodeUnfolded
    | KeyBound
    | DifferenceNoted
    | DeckFrozen
    | SuccessorNamed
)


class Setting(Struct, frozen=True, gc=False):
    """Where an execution was launched, and what differs where it continues: see `Launched`, and `DifferenceNoted`."""

    launched_from: str = ""
    recorded: str = ""
    differs: str = ""
    keys: int = 0
    """The form of its tasks' idempotency keys (`core.keys`)."""
    strict: bool = False
    """Whether its tasks are held where their code imports something else than was recorded."""


UNKNOWN = Setting()


class StateFields:
    """
    The fields that the state of an execution and a draft of the next one have in common.

    `nodes` gives the state of each node that has one. `keys` gives the gate and the reply that an idempotency key of somebody is bound to.
    `pending` counts, for a node, what must still happen before it starts; absent means: nothing has happened yet.
    `open` counts, for a node that holds others (and for the execution itself, as ROOT), those that have not ended.
    `successor` is the execution that recovers this one, if there is one.
    `decks` gives the blobs with the decks of a node's attempts, by attempt.
    `matched` has the nodes of a recovered execution with other code that a node of this one is matched with.
    `live` counts attempts that are submitted, running or pausing, `gates` the open gates.
    """

    phase: ExecutionPhase
    inputs: dict[str, Value]
    reuse: Reuse | None
    setting: Setting
    failure: Failure | None
    failed: NodeId
    successor: str
    live: int
    gates: int
    nodes: dict[NodeId, NodeState]
    keys: dict[tuple[str, str], tuple[NodeId, Accepted]]
    decks: dict[NodeId, dict[int, str]]
    matched: dict[str, NodeId]
    pending: dict[NodeId, int]
    open: dict[NodeId, int]

    __slots__ = tuple(__annotations__)


class ExecutionState(StateFields):
    """One whole execution. Only `Draft.merge` changes it. `past` has the gates of a loop's earlier rounds."""

    __slots__ = ("ended", "past")

    def __init__(self) -> None:
        self.phase = X.QUEUED
        self.inputs = {}
        self.nodes, self.keys, self.pending, self.open = {}, {}, {}, {}
        self.decks, self.matched = {}, {}
        self.reuse, self.failure, self.failed, self.successor = None, None, ROOT, ""
        self.setting = UNKNOWN
        self.live = self.gates = 0
        self.ended: Instant | None = None
        self.past: dict[NodeId, PastGate] = {}

    def copied(self) -> "ExecutionState":
        """Return a copy that can be changed independently. Values are shared: they never change."""
        fresh = copy(self)
        fresh.nodes, fresh.keys, fresh.past = dict(self.nodes), dict(self.keys), dict(self.past)
        fresh.pending, fresh.open = dict(self.pending), dict(self.open)
        fresh.decks, fresh.matched = dict(self.decks), dict(self.matched)
        return fresh

    def node(self, node: NodeId) -> NodeState:
        """Return the state of a node."""
        return self.nodes.get(node, QUEUED_STATE)
