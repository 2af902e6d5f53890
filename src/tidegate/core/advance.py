"""How one change leads to the next: nodes start, end, fail or are skipped, and holders end with the last node they hold."""

from msgspec.structs import replace

from tidegate.core.draft import Draft
from tidegate.core.evaluate import NoValue, evaluate, holds, output_of, outputs
from tidegate.core.former import find, key_of
from tidegate.core.keys import kept_key
from tidegate.core.messages import (
    BAD_CONDITION,
    BAD_PATH,
    BAD_SUGGESTION,
    BRANCH_FAILED,
    REJECTED,
    TIMEOUT_EXPIRED,
    AnswerRecord,
    CancelTask,
    Command,
    Failure,
    FormerNode,
    Reuse,
    RunTask,
    final,
)
from tidegate.core.plan import ROOT, Planned
from tidegate.core.state import (
    ABORTED,
    FAILED,
    QUEUED,
    RUNNING,
    SKIPPED,
    SUCCEEDED,
    TIMED_OUT,
    WAITING,
    X_SUCCEEDED,
    ExecutionPhase,
    NodePhase,
    NodeState,
)
from tidegate.ir.check import needed
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import (
    ApproveNode,
    BranchNode,
    Defaults,
    Expires,
    Fail,
    Forever,
    InputNode,
    Instant,
    Patience,
    SleepNode,
    SubNode,
    TaskNode,
)
from tidegate.types.schema import faults

X = ExecutionPhase


class Flow:
    """
    One step in progress: the draft, the commands so far, and the nodes to be skipped.

    Skipped nodes come before ready ones, so that no gate opens that nobody needs, and holders come last, when no node is left that would still change.
    """

    __slots__ = ("commands", "draft", "skips")

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.commands: list[Command] = []
        self.skips: list[NodeId] = []

    # ---- called by other modules ----

    def submit(self, node: NodeId, state: NodeState) -> None:
        """Request an attempt of a task."""
        try:
            command = self.run_task(node, state)
        except NoValue as missing:
            self.fail(node, state, final(BAD_PATH, str(missing)))
            return
        self.draft.put(node, state)
        self.commands.append(command)

    def run_task(self, node: NodeId, state: NodeState) -> RunTask:
        """Build the command that runs the current attempt of a task. Raises NoValue."""
        planned = self.draft.plan.nodes[node]
        task = planned.node
        assert isinstance(task, TaskNode)
        inputs = {
            name: evaluate(self.draft.plan, self.draft, planned.scope, expr)
            for name, expr in task.inputs.items()
        }
        reuse = self.draft.reuse
        key = ""
        if reuse is not None:
            known = kept_key(reuse.keys, node, task, inputs)
            key = known or key_of(reuse.former, state.origin, task, inputs)
        return RunTask(
            node,
            state.attempt,
            task.target,
            inputs,
            task.timeout,
            task.dynamic,
            task.requirements,
            key,
        )

    def skip(self, node: NodeId) -> None:
        """Skip a node that cannot be reached or is no longer needed, and everything that depends on it."""
        self.skips.append(node)

    def expire(self, node: NodeId) -> None:
        """End an open gate at its timeout: it takes its default, or times out."""
        draft = self.draft
        now = draft.node(node)
        gate = draft.plan.nodes[node].node
        assert isinstance(gate, InputNode | ApproveNode)
        match gate.patience:
            case Defaults(value=value):
                self.answer(
                    node, AnswerRecord(value, draft.at, "timeout", "timeout", by_timeout=True)
                )
            case Expires() | Forever():
                message = f"nobody answered {gate.name!r} in time"
                self.fail(node, now, final(TIMEOUT_EXPIRED, message), TIMED_OUT)

    def answer(self, node: NodeId, answer: AnswerRecord) -> None:
        """Give an open gate its answer."""
        draft = self.draft
        now = draft.node(node)
        gate = draft.plan.nodes[node].node
        state = replace(now, answer=answer, due=None)
        if isinstance(gate, ApproveNode) and answer.value is not True:
            why = f": {answer.comment}" if answer.comment else ""
            message = f"{answer.who} rejected {gate.name!r}{why}"
            if answer.by_timeout:
                message = f"{gate.name!r} was not answered in time, which counts as a rejection"
            self.fail(node, state, final(REJECTED, message))
        else:
            draft.put(node, replace(state, phase=SUCCEEDED, ended=draft.at))

    def fail(
        self, node: NodeId, now: NodeState, failure: Failure, phase: NodePhase = FAILED
    ) -> None:
        """Fail a node, and treat the others as the failure policy of its graph says; likewise for each enclosing node that fails because of it."""
        draft = self.draft
        while True:
            began = draft.at if now.began is None else now.began
            failed = replace(
                now, phase=phase, began=began, ended=draft.at, due=None, failure=failure
            )
            draft.put(node, failed)
            planned = draft.plan.nodes[node]
            scope = planned.scope
            if draft.plan.scopes[scope].finish_others:
                self._skip_inside(planned)
                for dependent in planned.dependents:
                    self.skip(dependent)
                return
            self.abort_begun(scope)
            if scope == ROOT:
                draft.set_phase(X.FAILED, failure, self._origin(node))
                return
            node, now, phase = scope, draft.node(scope), FAILED
            if now.phase >= SUCCEEDED:
                return

    def abort_begun(self, scope: NodeId) -> None:
        """Abort everything in a scope that has started and not ended."""
        draft = self.draft
        for node in draft.begun(scope):
            now = draft.node(node)
            if now.attempt and now.phase is not WAITING and node not in draft.plan.scopes:
                self.commands.append(CancelTask(node, now.attempt))
            draft.put(node, replace(now, phase=ABORTED, ended=draft.at, due=None))

    def failed_in(self, holder: NodeId) -> NodeId | None:
        """
        Return the first node under a holder that failed. Only a graph that lets the others finish can have one here.

        A node of a taken branch may also have been skipped, or not reached, because of an earlier failure: then that failure is the branch's own.
        """
        draft = self.draft
        plan = draft.plan
        scope = holder if holder in plan.scopes else plan.nodes[holder].scope
        if not plan.scopes[scope].finish_others:
            return None
        group = (holder, draft.node(holder).case or 0)
        found = dict.fromkeys((*plan.groups.get(group, ()), *plan.outside.get(group, ())))
        look = list(found)
        for member in look:
            phase = draft.node(member).phase
            if phase in (FAILED, TIMED_OUT):
                return member
            if phase is SKIPPED:
                before = [up for up in plan.nodes[member].needs if up not in found]
                found.update(dict.fromkeys(before))
                look += before
        return None

    def run(self) -> None:
        """Process the consequences: first skipped nodes, then ready ones, then holders that have ended."""
        draft = self.draft
        while draft.phase < X_SUCCEEDED:
            if self.skips:
                nodes, self.skips = self.skips, []
                for node in nodes:
                    self._skip(node)
            elif draft.ready:
                nodes, draft.ready = draft.ready, []
                for node in nodes:
                    self._begin(node)
            elif draft.empty:
                nodes, draft.empty = draft.empty, []
                for holder in nodes:
                    self._close(holder)
            else:
                return

    # ---- one kind of work each ----

    def _begin(self, node: NodeId) -> None:
        draft = self.draft
        now = draft.node(node)
        planned = draft.plan.nodes[node]
        if now.phase >= SUCCEEDED or draft.phase >= X_SUCCEEDED:
            return
        if planned.holder != ROOT and draft.node(planned.holder).phase is not RUNNING:
            return  # it failed while this node was in the queue
        found = find(draft, planned) if draft.reuse is not None else None
        origin = found.node.at if found is not None else ""
        if draft.reuse is not None and self._take_over(node, draft.reuse, origin):
            return
        if found is not None and found.same and now.answer is None and self._keep(node, found.node):
            return
        at = draft.at
        match planned.node:
            case TaskNode():
                self.submit(node, NodeState(QUEUED, attempt=1, origin=origin))
            case InputNode() if now.answer is not None:
                draft.put(node, replace(now, phase=SUCCEEDED, began=at, ended=at))
            case InputNode(patience=patience) | ApproveNode(patience=patience):
                self._open_gate(node, patience)
            case SleepNode(duration=duration):
                draft.put(node, NodeState(WAITING, began=at, due=Instant(at + duration)))
            case BranchNode() as branch:
                self._decide(node, branch)
            case SubNode():
                draft.put(node, NodeState(RUNNING, began=at, origin=origin))

    def _keep(self, node: NodeId, former: FormerNode) -> bool:
        """Give a node what one with other code came to, of which it is the same; return whether that came to anything."""
        draft, at = self.draft, self.draft.at
        state = NodeState(SUCCEEDED, began=at, ended=at, origin=former.at)
        if former.answer is not None:
            draft.put(node, replace(state, answer=former.answer))
        elif former.outputs is not None:
            draft.put(node, replace(state, outputs=former.outputs))
        elif former.graph is not None:
            draft.unfold(node, former.graph, former.round)
            draft.put(node, NodeState(RUNNING, began=at, origin=former.at))
        else:
            return False
        return True

    def _take_over(self, node: NodeId, reuse: Reuse, origin: str) -> bool:
        """Give a node the outcome that it had in the recovered execution; return whether there is one."""
        draft, at = self.draft, self.draft.at
        if node in reuse.outputs:
            outputs = reuse.outputs[node]
            draft.put(node, NodeState(SUCCEEDED, began=at, ended=at, outputs=outputs))
        elif node in reuse.answers:
            answer = reuse.answers[node]
            draft.put(node, NodeState(SUCCEEDED, began=at, ended=at, answer=answer))
        elif node in reuse.graphs:
            draft.unfold(node, reuse.graphs[node], reuse.rounds.get(node))
            draft.put(node, NodeState(RUNNING, began=at, origin=origin))
        else:
            return False
        return True

    def _open_gate(self, node: NodeId, patience: Patience) -> None:
        draft = self.draft
        planned = draft.plan.nodes[node]
        try:
            for expr in needed(planned.node):
                evaluate(draft.plan, draft, planned.scope, expr)
        except NoValue as missing:
            self.fail(node, draft.node(node), final(BAD_PATH, str(missing)))
            return
        if wrong := _suggests_wrongly(draft, planned):
            self.fail(node, draft.node(node), final(BAD_SUGGESTION, wrong))
            return
        due: Instant | None
        match patience:
            case Forever():
                due = None
            case Expires(timeout=timeout) | Defaults(timeout=timeout):
                due = Instant(draft.at + timeout)
        draft.put(node, NodeState(WAITING, began=draft.at, due=due))

    def _decide(self, node: NodeId, branch: BranchNode) -> None:
        draft = self.draft
        plan, scope = draft.plan, draft.plan.nodes[node].scope
        now = draft.node(node)
        try:
            taken = next(
                (
                    index
                    for index, when in enumerate(branch.cases)
                    if holds(plan, draft, scope, when.condition)
                ),
                len(branch.cases),
            )
        except NoValue as missing:
            self.fail(node, now, final(BAD_CONDITION, str(missing)))
            return
        if taken == len(branch.cases) and isinstance(branch.otherwise, Fail):
            message = branch.otherwise.message
            self.fail(node, now, final(BRANCH_FAILED, message))
            return
        draft.put(node, NodeState(RUNNING, began=draft.at, case=taken))
        for index in range(len(branch.cases) + 1):
            if index != taken:
                self._pass_over(node, index)

    def _pass_over(self, branch: NodeId, index: int) -> None:
        """A case is not taken: skip its nodes, and withdraw the gates outside that only it would have used."""
        for member in self.draft.plan.groups.get((branch, index), ()):
            self.skip(member)
        for outside in self.draft.plan.outside.get((branch, index), ()):
            self._withdraw(outside)

    def _skip(self, node: NodeId) -> None:
        draft = self.draft
        planned = draft.plan.nodes[node]
        now = draft.node(node)
        if now.phase >= SUCCEEDED:
            return
        draft.put(node, replace(now, phase=SKIPPED, ended=draft.at, due=None))
        self._skip_inside(planned)
        for dependent in planned.dependents:
            self.skip(dependent)
        for upstream in planned.needs:
            self._withdraw(upstream)

    def _skip_inside(self, planned: Planned) -> None:
        """Skip what a skipped or failed node would have held: all cases of a branch; in a sub-workflow only gates that were answered early."""
        match planned.node:
            case BranchNode(cases=cases):
                for index in range(len(cases) + 1):
                    self._pass_over(planned.id, index)
            case SubNode():
                for node in self.draft.begun(planned.id):
                    self.skip(node)
            case _:
                pass

    def _withdraw(self, node: NodeId) -> None:
        """Skip a gate that is no longer needed: everything that would use it is skipped."""
        draft = self.draft
        plan = draft.plan
        planned = plan.nodes[node]
        if not isinstance(planned.node, SleepNode | InputNode | ApproveNode):
            return
        if draft.node(node).phase >= SUCCEEDED or node in plan.wanted:
            return
        if any(draft.node(user).phase is not SKIPPED for user in planned.dependents):
            return
        for branch, index in plan.watchers.get(node, ()):
            now = draft.node(branch)
            if now.phase is not SKIPPED and now.case in (None, index):
                return
        self.skip(node)

    def _close(self, holder: NodeId) -> None:
        """The last node of a holder has ended: so has the holder."""
        draft = self.draft
        plan = draft.plan
        if holder == ROOT:
            self._close_root()
            return
        now = draft.node(holder)
        if now.phase is not RUNNING or draft.phase >= X_SUCCEEDED:
            return
        failed = self.failed_in(holder)
        if failed is not None:
            self.fail(holder, now, self._failure_of(failed))
            return
        node = plan.nodes[holder].node
        try:
            if isinstance(node, BranchNode):
                for name in node.outputs:
                    output_of(plan, draft, holder, name)
            else:
                outputs(plan, draft, holder)
        except NoValue as missing:
            self.fail(holder, now, final(BAD_PATH, str(missing)))
            return
        draft.put(holder, replace(now, phase=SUCCEEDED, ended=draft.at))

    def _close_root(self) -> None:
        draft = self.draft
        failed = self.failed_in(ROOT)
        if failed is not None:
            draft.set_phase(X.FAILED, self._failure_of(failed), self._origin(failed))
            return
        try:
            outputs(draft.plan, draft)
        except NoValue as missing:
            draft.set_phase(X.FAILED, final(BAD_PATH, str(missing)))
            return
        draft.set_phase(X.SUCCEEDED)

    def _failure_of(self, node: NodeId) -> Failure:
        failure = self.draft.node(node).failure
        assert failure is not None, node
        return failure

    def _origin(self, node: NodeId) -> NodeId:
        """Return the node in which a failure started: the deepest failed one that ended with this one's failure."""
        draft, failure = self.draft, self._failure_of(node)
        both = draft.base.nodes | draft.nodes
        return max(
            (
                id_
                for id_, state in both.items()
                if state.failure == failure
                and state.phase in (FAILED, TIMED_OUT)
                and (id_ == node or not _holds(draft, id_))
            ),
            key=lambda id_: (not _holds(draft, id_), id_.count("/"), id_),
            default=node,
        )


def _suggests_wrongly(draft: Draft, planned: Planned) -> str:
    """Say why the suggestion of a gate could not be its answer; empty if it could. A promise is checked here: until now only its type was known."""
    gate = planned.node
    if not isinstance(gate, InputNode) or gate.question.suggested is None:
        return ""
    value = evaluate(draft.plan, draft, planned.scope, gate.question.suggested)
    found = "; ".join(str(fault) for fault in faults(gate.schema, value)[:3])
    return found and f"the suggestion of {gate.name!r} cannot be its answer: {found}"


def _holds(draft: Draft, node: NodeId) -> bool:
    return node in draft.plan.scopes or isinstance(draft.plan.nodes[node].node, BranchNode)
