"""
What an execution can be, and the legal ways from one phase to the next.

Rule 1: a phase changes only as the two tables below allow; `Draft.put` asserts it.
Rule 2: nothing here reads a clock or draws a random number; time arrives inside events.
Rule 3: the state is the fold of its changes. The counters at the end of `ExecutionState` follow from the node states;
they exist so that a step costs what it changes, and are never stored.

The diagrams in the docs are drawn from these tables, so they cannot disagree.
"""

from enum import IntEnum
from typing import TypeAlias

from msgspec import Struct

from tidegate.core.messages import Answer, Event, Failure, Launched, Reply, Reuse
from tidegate.core.plan import ROOT, Kind, Plan, Planned
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import Graph, Instant


class NodePhase(IntEnum):
    """Where a node stands. A node that has no state yet is QUEUED."""

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
        """Whether the node has come to its end."""
        return self >= NodePhase.SUCCEEDED


class ExecutionPhase(IntEnum):
    """Where an execution stands. WAITING: nothing runs, and at least one gate is open."""

    QUEUED = 0
    RUNNING = 1
    WAITING = 2
    SUCCEEDED = 3
    FAILED = 4
    ABORTED = 5

    @property
    def is_terminal(self) -> bool:
        """Whether the execution has come to its end."""
        return self >= ExecutionPhase.SUCCEEDED


N, X = NodePhase, ExecutionPhase

# Reading a member off an enum costs more than all else that a comparison does; the machine compares by these names.
QUEUED, RUNNING, WAITING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, SKIPPED = NodePhase
X_RUNNING, X_WAITING, X_SUCCEEDED = X.RUNNING, X.WAITING, X.SUCCEEDED

NODE_TRANSITIONS: dict[NodePhase, frozenset[NodePhase]] = {
    # QUEUED -> QUEUED: an attempt is submitted, repeated after its host died, or an early answer is kept.
    # QUEUED -> SUCCEEDED: an attempt that ended before it was worth announcing, or a gate whose answer came early.
    N.QUEUED: frozenset(
        {N.QUEUED, N.RUNNING, N.WAITING, N.SUCCEEDED, N.FAILED, N.TIMED_OUT, N.ABORTED, N.SKIPPED}
    ),
    # RUNNING -> QUEUED: the host of the attempt died. RUNNING -> RUNNING: a dynamic task has unfolded.
    # RUNNING -> WAITING: a retry sits out its pause.
    N.RUNNING: frozenset(
        {N.QUEUED, N.RUNNING, N.WAITING, N.SUCCEEDED, N.FAILED, N.TIMED_OUT, N.ABORTED}
    ),
    # WAITING -> QUEUED: the pause before a retry is over. WAITING -> SKIPPED: nobody needs the answer any more.
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
    """Where one node stands. It is what a change carries, and what history stores."""

    phase: NodePhase
    attempt: int = 0
    """The attempt of a task that counts now, from 1; 0 before the first."""
    lost: int = 0
    """How many attempts were lost with their host; they use up no retry."""
    began: Instant | None = None
    ended: Instant | None = None
    due: Instant | None = None
    """When a timer wakes this node, while it is WAITING."""
    outputs: dict[str, Value] | None = None
    """What a task returned. The outputs of other kinds of nodes follow from elsewhere (`evaluate.output`)."""
    failure: Failure | None = None
    """Why it failed; for a task that is tried again, why its last attempt did."""
    answer: Answer | None = None
    """The answer to a gate; in phase QUEUED, one that came early."""
    case: int | None = None
    """The case that a branch took."""


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


class Expanded(Struct, frozen=True, array_like=True, gc=False, tag=3):
    """A dynamic task has unfolded into a graph."""

    node: NodeId
    graph: Graph


class KeyKept(Struct, frozen=True, array_like=True, gc=False, tag=4):
    """An idempotency key was used for a gate and got this reply, which it gets for ever."""

    key: str
    node: NodeId
    reply: Reply


Change: TypeAlias = NodeChanged | PhaseChanged | Expanded | KeyKept


class ExecutionState:
    """
    One execution, whole. Only `Draft.merge` changes it.

    `pending` counts, for a node, what must still happen before it begins; absent means: nothing has happened yet.
    `open` counts, for a node that holds others (and for the execution itself, as ROOT), those that have not ended.
    `live` counts attempts that are submitted, running or pausing, `gates` the open gates.
    """

    __slots__ = (
        "ended",
        "failed",
        "failure",
        "gates",
        "inputs",
        "keys",
        "live",
        "nodes",
        "open",
        "pending",
        "phase",
        "reuse",
    )

    def __init__(self) -> None:
        self.phase = X.QUEUED
        self.inputs: dict[str, Value] = {}
        self.reuse: Reuse | None = None
        self.nodes: dict[NodeId, NodeState] = {}
        self.keys: dict[str, tuple[NodeId, Reply]] = {}
        self.failure: Failure | None = None
        self.failed: NodeId = ROOT
        self.ended: Instant | None = None
        self.pending: dict[NodeId, int] = {}
        self.open: dict[NodeId, int] = {}
        self.live = 0
        self.gates = 0

    def node(self, node: NodeId) -> NodeState:
        """Return the state of a node."""
        return self.nodes.get(node, QUEUED_STATE)


class Draft:
    """
    An execution as it becomes within one step: what changed, laid over the state, which stays as it is until `merge`.

    `plan` grows when a dynamic task unfolds. `ready` are nodes that have all they need now, `empty` holders whose last node has ended.
    """

    __slots__ = (
        "at",
        "base",
        "changes",
        "empty",
        "failed",
        "failure",
        "gates",
        "inputs",
        "keys",
        "live",
        "nodes",
        "open",
        "pending",
        "phase",
        "plan",
        "ready",
        "reuse",
    )

    def __init__(self, plan: Plan, base: ExecutionState, at: Instant) -> None:
        self.plan = plan
        self.base = base
        self.at = at
        self.phase = base.phase
        self.inputs = base.inputs
        self.reuse = base.reuse
        self.failure = base.failure
        self.failed = base.failed
        self.live = base.live
        self.gates = base.gates
        self.nodes: dict[NodeId, NodeState] = {}
        self.keys: dict[str, tuple[NodeId, Reply]] = {}
        self.pending: dict[NodeId, int] = {}
        self.open: dict[NodeId, int] = {}
        self.changes: list[Change] = []
        self.ready: list[NodeId] = []
        self.empty: list[NodeId] = []

    def node(self, node: NodeId) -> NodeState:
        """Return the state of a node."""
        state = self.nodes.get(node)
        return state if state is not None else self.base.nodes.get(node, QUEUED_STATE)

    def begun(self) -> list[NodeId]:
        """Return every node that has a state and has not ended."""
        both = self.base.nodes | self.nodes
        return [id_ for id_, state in both.items() if state.phase < SUCCEEDED]

    def put(self, node: NodeId, state: NodeState) -> None:
        """Give a node another state, and keep the counters true."""
        self.changes.append(NodeChanged(node, state))
        old = self.nodes.get(node)
        if old is None:
            old = self.base.nodes.get(node, QUEUED_STATE)
        phase = state.phase
        assert phase in NODE_TRANSITIONS[old.phase], f"{node}: {old.phase!r} -> {phase!r}"
        self.nodes[node] = state
        planned = self.plan.nodes[node]
        if planned.kind is Kind.TASK and node not in self.plan.scopes:
            # An attempt is live from its submission to its end.
            self.live += (state.attempt > 0 and phase < SUCCEEDED) - (
                old.attempt > 0 and old.phase < SUCCEEDED
            )
        elif planned.kind is Kind.GATE:
            self.gates += (phase is WAITING) - (old.phase is WAITING)
        elif phase is RUNNING:
            self.open_group(node, state.case or 0)
        if phase >= SUCCEEDED:
            self._settle(planned, phase)

    def set_phase(
        self, phase: ExecutionPhase, failure: Failure | None = None, node: NodeId = ROOT
    ) -> None:
        """Give the execution another phase."""
        assert phase in EXECUTION_TRANSITIONS[self.phase], f"{self.phase!r} -> {phase!r}"
        self.changes.append(PhaseChanged(phase, failure, node))
        self.phase, self.failure, self.failed = phase, failure, node

    def expand(self, node: NodeId, graph: Graph) -> None:
        """Lay a graph out under a dynamic task that has returned it."""
        self.changes.append(Expanded(node, graph))
        # From here on the node is a holder, and nothing of its own runs.
        self.live -= self.node(node).attempt > 0
        self.plan = self.plan.expanded(node, graph)

    def keep_key(self, key: str, node: NodeId, reply: Reply) -> None:
        """Bind an idempotency key to the reply it got."""
        self.changes.append(KeyKept(key, node, reply))
        self.keys[key] = (node, reply)

    def repeat(self, change: Change) -> None:
        """Take a change up that was decided before."""
        match change:
            case NodeChanged(node, state):
                self.put(node, state)
            case PhaseChanged(phase, failure, node):
                self.set_phase(phase, failure, node)
            case Expanded(node, graph):
                self.expand(node, graph)
            case KeyKept(key, node, reply):
                self.keep_key(key, node, reply)

    def launch(self, event: Launched) -> None:
        """Open the graph itself."""
        self.inputs, self.reuse = event.inputs, event.reuse
        self.open_group(ROOT)

    def open_group(self, holder: NodeId, case: int = 0) -> None:
        """Let the nodes of a holder begin as soon as they have what they need."""
        plan = self.plan
        unsettled = 0
        for member in plan.groups.get((holder, case), ()):
            if self.node(member).phase < SUCCEEDED:
                unsettled += 1
                self._one_need_less(member)
        for outside in plan.outside.get((holder, case), ()):
            if self.node(outside).phase < SUCCEEDED:
                unsettled += 1
        self.open[holder] = unsettled
        if unsettled == 0:
            self.empty.append(holder)

    def merge(self) -> Plan:
        """Fold what changed into the state, and return the plan as it is now."""
        base = self.base
        if self.phase is not base.phase:
            base.phase, base.failure, base.failed = self.phase, self.failure, self.failed
            if self.phase >= X_SUCCEEDED:
                base.ended = self.at
        base.inputs, base.reuse = self.inputs, self.reuse
        base.live, base.gates = self.live, self.gates
        base.nodes.update(self.nodes)
        base.pending.update(self.pending)
        base.open.update(self.open)
        if self.keys:
            base.keys.update(self.keys)
        return self.plan

    def _settle(self, planned: Planned, phase: NodePhase) -> None:
        if phase is SUCCEEDED:
            for dependent in planned.dependents:
                self._one_need_less(dependent)
        case = planned.node.case
        if case is None or self._took(planned.holder, case.index):
            self._one_held_less(planned.holder)
        watchers = self.plan.watchers
        if planned.id in watchers:
            for branch, index in watchers[planned.id]:
                if self._took(branch, index):
                    self._one_held_less(branch)

    def _one_need_less(self, node: NodeId) -> None:
        left = self.pending.get(node)
        if left is None:
            left = self.base.pending.get(node)
            if left is None:
                left = self.plan.nodes[node].wants
        self.pending[node] = left - 1
        if left == 1:
            self.ready.append(node)

    def _one_held_less(self, holder: NodeId) -> None:
        count = self.open.get(holder)
        if count is None:
            count = self.base.open.get(holder, 0)
        self.open[holder] = count - 1
        if count == 1:
            self.empty.append(holder)

    def _took(self, branch: NodeId, index: int) -> bool:
        state = self.node(branch)
        return state.phase is RUNNING and state.case == index


def fold(plan: Plan, state: ExecutionState, event: Event, changes: list[Change]) -> Plan:
    """Fold one line of history into a state, and return the plan as it is after it."""
    draft = Draft(plan, state, event.at)
    if isinstance(event, Launched):
        draft.launch(event)
    for change in changes:
        draft.repeat(change)
    return draft.merge()
