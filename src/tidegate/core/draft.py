"""
The changes of one step, on top of a state that does not change before `merge`.

`fold` applies a line of history through the same methods, so that what is read back cannot differ from what was decided.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from tidegate.core.messages import (
    Accepted,
    AnswerGiven,
    AnswerRecord,
    Event,
    Failure,
    Launched,
)
from tidegate.core.past import past_gate
from tidegate.core.plan import GATE, ROOT, TASK, Plan, Planned, Round
from tidegate.core.state import (
    EXECUTION_TRANSITIONS,
    NODE_TRANSITIONS,
    QUEUED,
    QUEUED_STATE,
    RUNNING,
    SUCCEEDED,
    WAITING,
    X_SUCCEEDED,
    Change,
    DeckFrozen,
    DifferenceNoted,
    ExecutionPhase,
    ExecutionState,
    KeyBound,
    NodeChanged,
    NodePhase,
    NodeState,
    NodeUnfolded,
    PhaseChanged,
    Setting,
    StateFields,
    SuccessorNamed,
)
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import ApproveNode, Graph, InputNode, Instant


class Draft(StateFields):
    """
    An execution during one step. The dicts of `StateFields` hold only what differs from `base`; the other fields hold what is current.

    `before` has the phase of each changed node before the step. `plan` grows when a dynamic task unfolds.
    `ready` are nodes whose needs are all met, `empty` holders whose last node has ended, `gone` the nodes of a round that was replaced.
    """

    __slots__ = ("at", "base", "before", "changes", "empty", "gone", "plan", "ready")

    def __init__(self, plan: Plan, base: ExecutionState, at: Instant) -> None:
        self.phase, self.inputs, self.reuse = base.phase, base.inputs, base.reuse
        self.setting = base.setting
        self.nodes, self.keys, self.pending, self.open = {}, {}, {}, {}
        self.decks, self.matched = {}, {}
        self.failure, self.failed, self.successor = base.failure, base.failed, base.successor
        self.live, self.gates = base.live, base.gates
        self.plan, self.base, self.at = plan, base, at
        self.before: dict[NodeId, NodePhase] = {}
        self.changes: list[Change] = []
        self.ready: list[NodeId] = []
        self.empty: list[NodeId] = []
        self.gone: Sequence[Planned] = ()

    def node(self, node: NodeId) -> NodeState:
        """Return the state of a node."""
        state = self.nodes.get(node)
        return state if state is not None else self.base.nodes.get(node, QUEUED_STATE)

    def answer_to(self, node: NodeId, now: NodeState) -> AnswerRecord | None:
        """Return the answer that a gate has, or had in the execution that this one recovers."""
        if now.answer is None and now.phase is QUEUED and self.reuse is not None:
            return self.reuse.answers.get(node)
        return now.answer

    def matched_with(self, former: str) -> NodeId | None:
        """Return which node is matched with one of the recovered execution, if one is."""
        found = self.matched.get(former)
        return self.base.matched.get(former) if found is None else found

    def unsettled(self, holder: NodeId) -> int:
        """Return how many of the nodes that a holder waits for have not ended."""
        count = self.open.get(holder)
        return self.base.open.get(holder, 0) if count is None else count

    def begun(self, scope: NodeId) -> list[NodeId]:
        """Return the nodes of a scope, and of all graphs in it, that have a state and have not ended."""
        plan, found, scopes = self.plan, [], [scope]
        for each in scopes:
            for id_ in plan.members[each]:
                now = self.node(id_)
                if now.phase >= SUCCEEDED:
                    continue
                if id_ in self.nodes or id_ in self.base.nodes:
                    found.append(id_)
                if id_ in plan.scopes:
                    scopes.append(id_)
        return found

    def put(self, node: NodeId, state: NodeState) -> None:
        """Set the state of a node, and update the counters."""
        self.changes.append(NodeChanged(node, state))
        old = self.nodes.get(node)
        if old is None:
            old = self.base.nodes.get(node, QUEUED_STATE)
            self.before[node] = old.phase
        phase = state.phase
        # Waiting again until another instant is not a change of phase.
        if phase is not WAITING or old.phase is not WAITING:
            assert phase in NODE_TRANSITIONS[old.phase], f"{node}: {old.phase!r} -> {phase!r}"
        self.nodes[node] = state
        if state.origin:
            self.matched[state.origin] = node
        planned = self.plan.nodes[node]
        if planned.kind is TASK and node not in self.plan.scopes:
            # An attempt is live from its submission to its end.
            self.live += (state.attempt > 0 and phase < SUCCEEDED) - (
                old.attempt > 0 and old.phase < SUCCEEDED
            )
        elif planned.kind is GATE:
            self.gates += (phase is WAITING) - (old.phase is WAITING)
        elif phase is RUNNING:
            self.open_group(node, state.case or 0)
        if phase >= SUCCEEDED:
            self._settle(planned, phase)

    def set_phase(
        self, phase: ExecutionPhase, failure: Failure | None = None, node: NodeId = ROOT
    ) -> None:
        """Set the phase of the execution."""
        assert phase in EXECUTION_TRANSITIONS[self.phase], f"{self.phase!r} -> {phase!r}"
        self.changes.append(PhaseChanged(phase, failure, node))
        self.phase, self.failure, self.failed = phase, failure, node

    def unfold(self, node: NodeId, graph: Graph, now: Round | None = None) -> None:
        """Lay a graph out under the dynamic task that returned it, or as the next round of a loop."""
        self.changes.append(NodeUnfolded(node, graph, now))
        # The attempt that returned the graph is over: the task's own, or in a loop that of the call at the end of the round.
        self.live -= node in self.plan.scopes or self.node(node).attempt > 0
        self.plan = plan = self.plan.growing()
        self.gone = [*self.gone, *plan.unfold(node, graph, now)]

    def bind_key(self, who: str, key: str, node: NodeId, reply: Accepted) -> None:
        """Bind somebody's idempotency key to the reply it got. (Who it is is in the event of the line.)"""
        self.changes.append(KeyBound(key, node, reply))
        self.keys[who, key] = (node, reply)

    def note_difference(self, differs: str) -> None:
        """Record that the code imports other packages than when the execution was launched."""
        if differs != self.setting.differs:
            self.changes.append(DifferenceNoted(differs))
            self.setting = replace(self.setting, differs=differs)

    def name_successor(self, execution: str) -> None:
        """Record which execution continues this one."""
        self.changes.append(SuccessorNamed(execution))
        self.successor = execution

    def freeze_deck(self, node: NodeId, attempt: int, digest: str) -> None:
        """Record which blob has the decks of an ended attempt."""
        self.changes.append(DeckFrozen(node, attempt, digest))
        self.decks[node] = {**self.base.decks.get(node, {}), attempt: digest}

    def repeat(self, change: Change, event: Event) -> None:
        """Apply a change that an event led to earlier."""
        match change:
            case NodeChanged(node, state):
                self.put(node, state)
            case PhaseChanged(phase, failure, node):
                self.set_phase(phase, failure, node)
            case NodeUnfolded(node, graph, now):
                self.unfold(node, graph, now)
            case KeyBound(key, node, Accepted() as reply) if isinstance(event, AnswerGiven):
                self.bind_key(event.who, key, node, reply)
            case DifferenceNoted(differs):
                self.note_difference(differs)
            case SuccessorNamed(successor):
                self.name_successor(successor)
            case DeckFrozen(node, attempt, digest):
                self.freeze_deck(node, attempt, digest)
            case KeyBound():
                pass  # a refusal: earlier versions stored those too

    def launch(self, event: Launched) -> None:
        """Open the top graph."""
        self.inputs, self.reuse = event.inputs, event.reuse
        self.setting = Setting(
            event.launched_from, event.recorded, keys=event.keys, strict=event.strict
        )
        self.open_group(ROOT)

    def open_group(self, holder: NodeId, case: int = 0) -> None:
        """Let the nodes of a holder start as soon as their needs are met."""
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
        """Apply the changes to the state, and return the plan after them."""
        base = self.base
        if self.phase is not base.phase:
            base.phase, base.failure, base.failed = self.phase, self.failure, self.failed
            if self.phase >= X_SUCCEEDED:
                base.ended = self.at
        base.inputs, base.reuse, base.setting = self.inputs, self.reuse, self.setting
        base.live, base.gates, base.successor = self.live, self.gates, self.successor
        base.nodes.update(self.nodes)
        base.pending.update(self.pending)
        base.open.update(self.open)
        for planned in self.gone:
            self._forget(planned)
        if self.keys:
            base.keys.update(self.keys)
        if self.decks:
            base.decks.update(self.decks)
        if self.matched:
            base.matched.update(self.matched)
        return self.plan.settled()

    def _forget(self, planned: Planned) -> None:
        """Drop a node of a replaced round; for a gate, keep how it ended."""
        base, id_ = self.base, planned.id
        now = base.nodes.pop(id_, QUEUED_STATE)
        base.pending.pop(id_, None)
        base.open.pop(id_, None)
        base.decks.pop(id_, None)
        if isinstance(planned.node, InputNode | ApproveNode):
            base.past[id_] = past_gate(planned.node.name, self.answer_to(id_, now), now.ended)

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
    """Apply one line of history to a state, and return the plan after it."""
    draft = Draft(plan, state, event.at)
    if isinstance(event, Launched):
        draft.launch(event)
    for change in changes:
        draft.repeat(change, event)
    return draft.merge()
