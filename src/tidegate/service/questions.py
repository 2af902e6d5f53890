"""
Questions as they are shown: in full, from the state of their execution, or in short, from their row alone.

What is the same for every execution (the prompt, the type) comes from the graph in both cases.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, assert_never

from msgspec import UNSET, UnsetType

from tidegate.core.addresses import handle_of, signal_path
from tidegate.core.evaluate import NoValue, evaluate
from tidegate.core.plan import Plan, Planned
from tidegate.core.questions import FORM, digest_of, written
from tidegate.core.state import ExecutionState, NodePhase
from tidegate.core.titles import figures_of, first_figures, title_of
from tidegate.core.waits import wait_kind
from tidegate.engine.folds import Snapshot
from tidegate.ir.expr import Expr, NodeId, Schema, Value, source_order
from tidegate.ir.graph import (
    ApproveNode,
    Defaults,
    Expires,
    Forever,
    InputNode,
    Node,
    Question,
)
from tidegate.ports.listings import ListedWait
from tidegate.service.moments import maybe, moment
from tidegate.types.schema import describe
from tidegate.wire import ANSWERABLE, PreviewView, WaitingView

YES_OR_NO: Schema = {"type": "boolean"}


def answer_schema(node: InputNode | ApproveNode) -> Schema:
    """Return what an answer to a gate must be."""
    return node.schema if isinstance(node, InputNode) else YES_OR_NO


class _Texts(NamedTuple):
    """The part of a gate that is the same in every execution."""

    schema: Schema = {}
    expects: str = ""
    prompt: str = ""
    value_schema: Schema = {}
    on_timeout: Value | UnsetType = UNSET


def _texts(node: Node | None) -> _Texts:
    if not isinstance(node, InputNode | ApproveNode):
        return _Texts()
    schema = answer_schema(node)
    subject = node.schema if isinstance(node, ApproveNode) else {}
    return _Texts(
        schema, describe(schema) if schema else "", node.question.prompt, subject, _on_timeout(node)
    )


def _on_timeout(node: InputNode | ApproveNode) -> Value | UnsetType:
    match node.patience:
        case Defaults(value=value):
            return value
        case Forever() | Expires():
            return UNSET
        case _:
            assert_never(node.patience)


def waiting_views(now: Snapshot, among: Iterable[Planned], most: int) -> list[WaitingView]:
    """Return what an execution waits for at some of its nodes, as they stand in the source; `most` of them."""
    found = [
        planned.id
        for planned in among
        if (state := now.state.nodes.get(planned.id)) is not None
        and state.phase is NodePhase.WAITING
    ]
    return [waiting_view(now, node) for node in sorted(found, key=source_order)[:most]]


def waiting_view(now: Snapshot, node: NodeId) -> WaitingView:
    """Return the full question of a waiting node."""
    row, plan, state = now.row, now.plan, now.state
    planned = plan.nodes[node]
    gate, here = planned.node, state.node(node)
    kind = wait_kind(gate)
    texts = _texts(gate)
    question = gate.question if isinstance(gate, InputNode | ApproveNode) else Question()
    subject = gate.subject if isinstance(gate, ApproveNode) else None
    told = {name: _tell(plan, state, planned, expr) for name, expr in question.show.items()}
    show = {name: value for name, value in told.items() if value is not UNSET}
    value = _tell(plan, state, planned, subject)
    return WaitingView(
        execution=row.id,
        workflow=row.workflow_name,
        name=gate.name,
        path=signal_path(plan, node) if kind in ANSWERABLE else node,
        kind=kind,
        opened=moment(row.launched if here.began is None else here.began),
        due=maybe(here.due),
        node=node,
        schema=texts.schema,
        expects=texts.expects,
        prompt=texts.prompt,
        title=_title(plan, state, planned),
        figures=_figures(
            plan, state, planned, show if value is UNSET else {"value": value, **show}
        ),
        launched_by=row.who,
        show=show,
        value=value,
        value_schema=texts.value_schema,
        suggested=_tell(plan, state, planned, question.suggested),
        on_timeout=texts.on_timeout,
        handle=handle_of(node) if kind in ANSWERABLE else "",
        form=FORM if kind in ANSWERABLE else 0,
        digest=written(digest_of(plan, state, planned)) if kind in ANSWERABLE else "",
    )


def _title(plan: Plan, state: ExecutionState, planned: Planned) -> str:
    gate = planned.node
    given = title_of(plan, state, planned) if isinstance(gate, InputNode | ApproveNode) else ""
    return given or gate.name


def _figures(
    plan: Plan, state: ExecutionState, planned: Planned, values: Mapping[str, Value]
) -> dict[str, Value]:
    gate = planned.node
    if not isinstance(gate, InputNode | ApproveNode):
        return {}
    if gate.question.figures is UNSET:
        return dict(first_figures(values))
    return dict(figures_of(plan, state, planned))


def _tell(
    plan: Plan, state: ExecutionState, planned: Planned, expr: Expr | None
) -> Value | UnsetType:
    if expr is None:
        return UNSET
    try:
        return evaluate(plan, state, planned.scope, expr)
    except NoValue:
        return UNSET


def waiting_line(listed: ListedWait, gate: Node | None, damaged: str) -> WaitingView:
    """Return a question as a list shows it. `gate` is None if only its row is known."""
    wait, shown = listed.wait, listed.wait.shown
    texts = _texts(gate if shown.gate is None else shown.gate)
    return WaitingView(
        execution=wait.execution,
        workflow=wait.series.workflow,
        name=wait.name,
        path=wait.path,
        kind=wait.kind,
        opened=moment(wait.opened),
        due=maybe(wait.due),
        node=wait.node,
        title=shown.title or wait.name,
        launched_by=listed.launched_by,
        figures=dict(shown.figures),
        schema=texts.schema,
        expects=texts.expects,
        prompt=texts.prompt,
        show=shown.show,
        value=shown.value,
        value_schema=texts.value_schema,
        suggested=shown.suggested,
        on_timeout=texts.on_timeout,
        preview={
            part: PreviewView(text=each.text, size=each.size)
            for part, each in shown.preview.items()
        },
        handle=wait.handle,
        form=wait.form,
        digest=written(wait.digest, wait.form) if wait.digest else "",
        damaged=damaged,
    )
