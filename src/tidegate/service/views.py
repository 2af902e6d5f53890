"""
What a door shows of an execution: pure functions from (row, plan, state) to the structs of `wire`. Questions are in `questions`.

Instants become aware datetimes here, phases become names, and expressions become values. A value that is unavailable (its node was skipped) is left out.
"""

from collections.abc import Iterable
from typing import assert_never

from msgspec import UNSET, structs

from tidegate.core.addresses import handle_of, signal_path
from tidegate.core.evaluate import NoValue, output_of, outputs
from tidegate.core.messages import AnswerRecord, Failure
from tidegate.core.plan import ROOT, Plan, Planned
from tidegate.core.state import ExecutionPhase, ExecutionState, NodePhase, NodeState
from tidegate.engine.folds import Snapshot
from tidegate.ir.expr import NodeId, Value, source_order
from tidegate.ir.graph import (
    ApproveNode,
    BranchNode,
    InputNode,
    Node,
    SleepNode,
    SubNode,
    TaskNode,
    outputs_of,
)
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.journal import ExecutionRow
from tidegate.service.moments import maybe, moment
from tidegate.service.nodes import Measured, inputs_of
from tidegate.service.questions import answer_schema, waiting_views
from tidegate.types.schema import describe
from tidegate.wire import (
    AnswerView,
    EndView,
    ExecutionLine,
    ExecutionView,
    FailureView,
    InputView,
    NodeView,
    SignalView,
    WorkflowView,
)
from tidegate.wire.constraints import MOST_QUESTIONS

NOT_TAKEN, WITHDRAWN, UPSTREAM_FAILED = "not_taken", "withdrawn", "upstream_failed"
"""Why a node was skipped."""


def ended_as(phase: ExecutionPhase) -> str:
    """Say how an execution ended, to follow its name: `has succeeded`."""
    return "was aborted" if phase is ExecutionPhase.ABORTED else f"has {phase.name.lower()}"


def kind_of(node: Node) -> str:
    """Return the kind of a node, in the user's words."""
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


def answer_view(answer: AnswerRecord | None) -> AnswerView | None:
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
        credential=answer.credential,
        shown=answer.shown or "no",
        kept=answer.kept,
        kept_by=answer.kept_by,
    )


def node_view(
    plan: Plan, state: ExecutionState, planned: Planned, measured: Measured | None
) -> NodeView:
    """Return the view of one node; its inputs are cut if they are large, unless `measured` is None."""
    now = state.node(planned.id)
    inputs = inputs_of(plan, state, planned)
    given, preview = measured.cut(inputs) if measured is not None else (inputs, {})
    phase = _phase(plan, state, planned, now)
    return NodeView(
        id=planned.id,
        name=planned.node.name,
        kind=kind_of(planned.node),
        phase=phase.name,
        reason=_reason(plan, state, planned) if phase is NodePhase.SKIPPED else "",
        parent=planned.scope,
        round=plan.rounds[planned.id].number if planned.id in plan.rounds else 1,
        attempts=now.attempt,
        began=maybe(now.began),
        ended=maybe(now.ended),
        due=maybe(now.due),
        inputs=given,
        preview=preview,
        outputs=outputs_view(plan, state, planned),
        failure=failure_view(now.failure, plan, planned.id),
        answer=answer_view(now.answer),
        upstream=list(planned.needs),
        case=now.case,
        branch=planned.holder if planned.node.case else "",
    )


def outputs_view(plan: Plan, state: ExecutionState, planned: Planned) -> dict[str, Value] | None:
    """Return what a node gave, by name; None if it has not succeeded."""
    if state.node(planned.id).phase is not NodePhase.SUCCEEDED:
        return None
    try:
        return {name: output_of(plan, state, planned.id, name) for name in outputs_of(planned.node)}
    except NoValue:
        return None


def _phase(plan: Plan, state: ExecutionState, planned: Planned, now: NodeState) -> NodePhase:
    """Return the phase of a node; one that was not reached and never will be counts as SKIPPED."""
    if now.phase is not NodePhase.QUEUED or now.attempt:
        return now.phase
    over = state.phase.is_terminal
    holder = planned.holder
    while not over and holder != ROOT:
        over = state.node(holder).phase.is_terminal
        holder = plan.nodes[holder].holder
    return NodePhase.SKIPPED if over else now.phase


def _reason(plan: Plan, state: ExecutionState, planned: Planned) -> str:
    """Return why a node is SKIPPED."""
    if state.node(planned.id).began is not None:
        return WITHDRAWN
    while True:
        case, holder = planned.node.case, planned.holder
        if case is not None and state.node(holder).case not in (None, case.index):
            return NOT_TAKEN
        if holder == ROOT:
            return UPSTREAM_FAILED
        planned = plan.nodes[holder]


def signal_views(plan: Plan, state: ExecutionState) -> list[SignalView]:
    """Return every signal of an execution, open or not, as they stand in the source."""
    gates = (each for each in plan.nodes.values() if isinstance(each.node, InputNode | ApproveNode))
    return [
        _signal(plan, state, gate) for gate in sorted(gates, key=lambda each: source_order(each.id))
    ]


def _signal(plan: Plan, state: ExecutionState, planned: Planned) -> SignalView:
    node, now = planned.node, state.node(planned.id)
    assert isinstance(node, InputNode | ApproveNode)
    schema = answer_schema(node)
    return SignalView(
        name=node.name,
        path=signal_path(plan, planned.id),
        kind=kind_of(node),
        phase=now.phase.name,
        schema=schema,
        expects=describe(schema),
        handle=handle_of(planned.id),
        due=maybe(now.due),
        answer=answer_view(now.answer),
    )


def execution_view(now: Snapshot, after: int = 0, questions: int = MOST_QUESTIONS) -> ExecutionView:
    """Return a full view of an execution; or, after a line that the reader has, only the nodes that are shown differently since, without the inputs, if that is enough."""
    row, plan, state = now.row, now.plan, now.state
    is_whole = not max(1, now.emptied) <= after <= now.seq
    shown: Iterable[Planned] = plan.nodes.values()
    if not is_whole:
        wanted = now.since(after)
        shown = [plan.nodes[node] for node in plan.nodes if node in wanted] if wanted else ()
    measured = Measured()
    results: dict[str, Value] | None = None
    if state.phase is ExecutionPhase.SUCCEEDED:
        results = outputs(plan, state)
    return ExecutionView(
        id=row.id,
        workflow=row.workflow_name,
        version=row.version,
        phase=state.phase.name,
        seq=now.seq,
        inputs=state.inputs if is_whole else UNSET,
        outputs=results,
        error=failure_view(state.failure, plan, state.failed),
        nodes=[node_view(plan, state, planned, measured) for planned in shown],
        waiting=[] if state.phase.is_terminal else waiting_views(now, shown, questions),
        launched=moment(row.launched),
        changed=moment(row.changed if state.ended is None else state.ended),
        who=row.who,
        project=row.project,
        domain=row.domain,
        origin="" if state.reuse is None else state.reuse.origin,
        successor=state.successor,
        environment=state.setting.recorded if state.setting.strict else "",
        differs=state.setting.differs,
    )


def damaged_view(row: ExecutionRow, why: str) -> ExecutionView:
    """Return what is known of an execution whose history cannot be read."""
    return ExecutionView(
        id=row.id,
        workflow=row.workflow_name,
        version=row.version,
        phase=row.phase.name,
        damaged=why,
        outputs=None,
        error=None,
        nodes=[],
        launched=moment(row.launched),
        changed=moment(row.changed),
        who=row.who,
        project=row.project,
        domain=row.domain,
    )


def execution_line(row: ExecutionRow, waiting: list[str], damaged: str, held: str) -> ExecutionLine:
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
        damaged=damaged,
        held=held,
        end=None if row.ending is None else EndView(**structs.asdict(row.ending)),
    )


def workflow_view(row: WorkflowRow, plan: Plan, told: list[str]) -> WorkflowView:
    """Return a version of a workflow: its inputs, outputs and questions; `told` are the notes about running it here."""
    graph = plan.scopes[ROOT]
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
        notes=told,
    )


def is_quiet(now: Snapshot) -> bool:
    """Return whether nothing more can happen without an answer: the execution has ended, or only open questions are left."""
    state = now.state
    if state.phase is not ExecutionPhase.WAITING:
        return state.phase.is_terminal
    return not any(
        node_state.phase is NodePhase.WAITING and isinstance(now.plan.nodes[node].node, SleepNode)
        for node, node_state in state.nodes.items()
    )
