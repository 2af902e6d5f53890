"""
What a door shows of an execution: pure functions from (row, plan, state) to the structs of `wire`.

Instants become aware datetimes here, phases become names, and expressions become values. A value that cannot be told (its node was skipped) is left out.
"""

from datetime import UTC, datetime, timedelta
from typing import assert_never

from msgspec import UNSET, UnsetType

from tidegate.core.addresses import signal_path
from tidegate.core.evaluate import NoValue, evaluate, output_of, outputs
from tidegate.core.messages import Answer, Failure
from tidegate.core.plan import ROOT, Plan, Planned
from tidegate.core.state import ExecutionPhase, ExecutionState, NodePhase, NodeState
from tidegate.engine.memory import Snapshot
from tidegate.ir.expr import Expr, NodeId, Schema, Value
from tidegate.ir.graph import (
    ApproveNode,
    BranchNode,
    Defaults,
    Expires,
    Forever,
    Graph,
    InputNode,
    Instant,
    Node,
    Question,
    SleepNode,
    SubNode,
    TaskNode,
    outputs_of,
)
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.journal import ExecutionRow
from tidegate.types.schema import describe
from tidegate.wire import (
    ANSWERABLE,
    AnswerView,
    ExecutionLine,
    ExecutionView,
    FailureView,
    InputView,
    NodeView,
    SignalView,
    WaitingView,
    WorkflowView,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YES_OR_NO: Schema = {"type": "boolean"}


def moment(at: Instant) -> datetime:
    """Return an instant as an aware datetime."""
    return EPOCH + timedelta(microseconds=at)


def maybe(at: Instant | None) -> datetime | None:
    """Return an instant as an aware datetime, if there is one."""
    return None if at is None else moment(at)


def ended_as(phase: ExecutionPhase) -> str:
    """Say how an execution has ended, after its name: `has succeeded`."""
    return "was aborted" if phase is ExecutionPhase.ABORTED else f"has {phase.name.lower()}"


def kind_of(node: Node) -> str:
    """Return the kind of a node, as people call it."""
    match node:
        case TaskNode():
            return "task"
        case SleepNode():
            return "sleep"
        case InputNode():
            return "input"
        case ApproveNode():
            return "approve"
        case BranchNode():
            return "branch"
        case SubNode():
            return "workflow"
        case _:
            assert_never(node)


def answer_schema(node: InputNode | ApproveNode) -> Schema:
    """Return what an answer to a gate must be."""
    return node.schema if isinstance(node, InputNode) else YES_OR_NO


def failure_view(failure: Failure | None, plan: Plan, node: NodeId = ROOT) -> FailureView | None:
    """Return a failure, with the node it happened at."""
    if failure is None:
        return None
    name = ""
    if node in plan.nodes:
        name = plan.nodes[node].node.name
    return FailureView(
        code=failure.code, message=failure.message, trace=failure.trace, node=node, name=name
    )


def answer_view(answer: Answer | None) -> AnswerView | None:
    """Return an answer."""
    if answer is None:
        return None
    return AnswerView(
        value=answer.value,
        who=answer.who,
        via=answer.via,
        at=moment(answer.at),
        comment=answer.comment,
        early=answer.early,
        by_timeout=answer.by_timeout,
    )


def node_view(plan: Plan, state: ExecutionState, planned: Planned) -> NodeView:
    """Return one node as it stands."""
    now = state.node(planned.id)
    shown: dict[str, Value] | None = None
    if now.phase is NodePhase.SUCCEEDED:
        try:
            shown = {
                name: output_of(plan, state, planned.id, name) for name in outputs_of(planned.node)
            }
        except NoValue:
            shown = None
    return NodeView(
        id=planned.id,
        name=planned.node.name,
        kind=kind_of(planned.node),
        phase=_phase(plan, state, planned, now).name,
        parent=planned.scope,
        attempts=now.attempt,
        began=maybe(now.began),
        ended=maybe(now.ended),
        due=maybe(now.due),
        outputs=shown,
        failure=failure_view(now.failure, plan, planned.id),
        answer=answer_view(now.answer),
        upstream=list(planned.needs),
        case=now.case,
        branch=planned.holder if planned.node.case else "",
    )


def _phase(plan: Plan, state: ExecutionState, planned: Planned, now: NodeState) -> NodePhase:
    """Return the phase of a node; one that was never reached, and never will be, is SKIPPED without having been told so."""
    if now.phase is not NodePhase.QUEUED or now.attempt:
        return now.phase
    over = state.phase.is_terminal
    holder = planned.holder
    while not over and holder != ROOT:
        over = state.node(holder).phase.is_terminal
        holder = plan.nodes[holder].holder
    return NodePhase.SKIPPED if over else now.phase


def waiting_views(snapshot: Snapshot) -> list[WaitingView]:
    """Return everything an execution waits for, in the order in which it opened."""
    row, plan, state = snapshot.row, snapshot.plan, snapshot.state
    found = [
        (now.began or row.launched, number, waiting_view(snapshot, planned.id))
        for number, planned in enumerate(plan.nodes.values())
        if (now := state.nodes.get(planned.id)) is not None and now.phase is NodePhase.WAITING
    ]
    return [view for _, _, view in sorted(found, key=lambda each: each[:2])]


def waiting_view(snapshot: Snapshot, node: NodeId) -> WaitingView:
    """Return the whole question of a node that waits."""
    row, plan, state = snapshot.row, snapshot.plan, snapshot.state
    planned = plan.nodes[node]
    now = state.node(node)
    kind, schema, value_schema = _kind_and_schemas(planned.node)
    question = (
        planned.node.question if isinstance(planned.node, InputNode | ApproveNode) else Question()
    )
    subject = planned.node.subject if isinstance(planned.node, ApproveNode) else None
    show = {name: _tell(plan, state, planned, expr) for name, expr in question.show.items()}
    return WaitingView(
        execution=row.id,
        workflow=row.workflow_name,
        name=planned.node.name,
        path=signal_path(plan, node) if kind in ANSWERABLE else node,
        kind=kind,
        opened=moment(_opened(now, row)),
        due=maybe(now.due),
        schema=schema,
        expects=describe(schema) if schema else "",
        prompt=question.prompt,
        show={name: value for name, value in show.items() if value is not UNSET},
        value=_tell(plan, state, planned, subject),
        value_schema=value_schema,
        suggested=_tell(plan, state, planned, question.suggested),
        on_timeout=_on_timeout(planned.node),
    )


def _opened(now: NodeState, row: ExecutionRow) -> Instant:
    return row.launched if now.began is None else now.began


def _kind_and_schemas(node: Node) -> tuple[str, Schema, Schema]:
    match node:
        case InputNode(schema=schema):
            return "input", schema, {}
        case ApproveNode(schema=schema):
            return "approve", YES_OR_NO, schema
        case SleepNode():
            return "sleep", {}, {}
        case _:
            return "retry", {}, {}


def _on_timeout(node: Node) -> Value | UnsetType:
    if not isinstance(node, InputNode | ApproveNode):
        return UNSET
    match node.patience:
        case Defaults(value=value):
            return value
        case Forever() | Expires():
            return UNSET
        case _:
            assert_never(node.patience)


def _tell(
    plan: Plan, state: ExecutionState, planned: Planned, expr: Expr | None
) -> Value | UnsetType:
    if expr is None:
        return UNSET
    try:
        return evaluate(plan, state, planned.scope, expr)
    except NoValue:
        return UNSET


def signal_views(plan: Plan, state: ExecutionState) -> list[SignalView]:
    """Return every signal of an execution, open or not."""
    found = []
    for planned in plan.nodes.values():
        node = planned.node
        if isinstance(node, InputNode | ApproveNode):
            now = state.node(planned.id)
            schema = answer_schema(node)
            found.append(
                SignalView(
                    name=node.name,
                    path=signal_path(plan, planned.id),
                    kind=kind_of(node),
                    phase=now.phase.name,
                    schema=schema,
                    expects=describe(schema),
                    due=maybe(now.due),
                    answer=answer_view(now.answer),
                )
            )
    return found


def execution_view(now: Snapshot) -> ExecutionView:
    """Return an execution, whole."""
    row, plan, state = now.row, now.plan, now.state
    results: dict[str, Value] | None = None
    if state.phase is ExecutionPhase.SUCCEEDED:
        results = outputs(plan, state)
    ended = state.phase.is_terminal
    return ExecutionView(
        id=row.id,
        workflow=row.workflow_name,
        version=row.version,
        phase=state.phase.name,
        inputs=state.inputs,
        outputs=results,
        error=failure_view(state.failure, plan, state.failed),
        nodes=[node_view(plan, state, planned) for planned in plan.nodes.values()],
        waiting=[] if ended else waiting_views(now),
        launched=moment(row.launched),
        changed=moment(row.changed if state.ended is None else state.ended),
        who=row.who,
        project=row.project,
        domain=row.domain,
        origin="" if state.reuse is None else state.reuse.origin,
    )


def execution_line(row: ExecutionRow, waiting: list[str]) -> ExecutionLine:
    """Return an execution as one line of a list."""
    return ExecutionLine(
        id=row.id,
        workflow=row.workflow_name,
        version=row.version,
        phase=row.phase.name,
        launched=moment(row.launched),
        changed=moment(row.changed),
        waiting=waiting,
        who=row.who,
        project=row.project,
        domain=row.domain,
    )


def workflow_view(row: WorkflowRow, graph: Graph) -> WorkflowView:
    """Return a version of a workflow: what it takes, what it gives, and what it will ask for."""
    plan = Plan.of(graph)
    return WorkflowView(
        name=row.name,
        version=row.version,
        module=row.module,
        bundle=row.bundle,
        registered=moment(row.registered),
        inputs=[
            InputView(
                name=name,
                schema=param.schema,
                expects=describe(param.schema),
                default=UNSET if param.default is None else param.default.value,
            )
            for name, param in graph.interface.inputs.items()
        ],
        outputs=dict(graph.interface.outputs),
        doc=graph.doc,
        signals=signal_views(plan, ExecutionState()),
        dynamic=any(
            isinstance(planned.node, TaskNode) and planned.node.dynamic
            for planned in plan.nodes.values()
        ),
    )


def is_quiet(now: Snapshot) -> bool:
    """Return whether nothing more can happen without an answer: the execution has ended, or all that is left are open questions."""
    state = now.state
    if state.phase is not ExecutionPhase.WAITING:
        return state.phase.is_terminal
    return not any(
        node_state.phase is NodePhase.WAITING and isinstance(now.plan.nodes[node].node, SleepNode)
        for node, node_state in state.nodes.items()
    )
