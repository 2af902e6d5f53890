"""A workflow's graph as shown before it runs: its nodes, their dependencies, and the conditions of its branches in words."""

import json
from typing import assert_never

from msgspec import structs

from tidegate.core.plan import ROOT, Plan, Planned
from tidegate.ir.expr import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Const,
    DictExpr,
    Expr,
    InputRef,
    IsNone,
    ListExpr,
    NodeId,
    OutputRef,
    Path,
)
from tidegate.ir.graph import (
    SECOND,
    ApproveNode,
    BranchNode,
    Fail,
    Forever,
    InputNode,
    SleepNode,
    SubNode,
    TaskNode,
    outputs_of,
)
from tidegate.service.questions import answer_schema
from tidegate.service.views import kind_of
from tidegate.wire import CaseView, GraphNodeView


def graph_views(plan: Plan) -> list[GraphNodeView]:
    """Return the nodes of a graph, including those of its sub-workflows."""
    return [_view(plan, planned) for planned in plan.nodes.values()]


def _view(plan: Plan, planned: Planned) -> GraphNodeView:
    node = planned.node
    case = node.case
    shown = GraphNodeView(
        id=planned.id,
        name=node.name,
        kind=kind_of(node),
        parent=planned.scope,
        upstream=list(planned.needs),
        case=None if case is None else CaseView(branch=planned.holder, index=case.index),
    )
    match node:
        case TaskNode():
            return structs.replace(
                shown,
                target=str(node.target),
                dynamic=node.dynamic,
                retries=node.retry.retries,
                timeout=None if node.timeout is None else node.timeout / SECOND,
            )
        case SleepNode():
            return structs.replace(shown, duration=node.duration / SECOND)
        case InputNode() | ApproveNode():
            patience = node.patience
            return structs.replace(
                shown,
                schema=answer_schema(node),
                prompt=node.question.prompt,
                timeout=None if isinstance(patience, Forever) else patience.timeout / SECOND,
            )
        case BranchNode():
            last = (
                f"else fail: {node.otherwise.message}"
                if isinstance(node.otherwise, Fail)
                else "else"
            )
            words = [_words(when.condition, plan, planned.scope) for when in node.cases]
            return structs.replace(shown, cases=[*words, last])
        case SubNode():
            return shown
        case _:
            assert_never(node)


def _words(condition: Condition, plan: Plan, scope: NodeId) -> str:
    """Write a condition the way its author could have written it."""
    match condition:
        case Compare(op, left, right):
            return f"{_term(left, plan, scope)} {op} {_term(right, plan, scope)}"
        case IsNone(operand):
            return f"{_term(operand, plan, scope)} is null"
        case AllOf(parts):
            return " and ".join(_part(part, plan, scope) for part in parts)
        case AnyOf(parts):
            return " or ".join(_part(part, plan, scope) for part in parts)
        case _:
            assert_never(condition)


def _part(condition: Condition, plan: Plan, scope: NodeId) -> str:
    words = _words(condition, plan, scope)
    return f"({words})" if isinstance(condition, AllOf | AnyOf) else words


def _term(expr: Expr, plan: Plan, scope: NodeId) -> str:
    match expr:
        case Const(value):
            return json.dumps(value, ensure_ascii=False)
        case InputRef(name, path):
            return name + _way(path)
        case OutputRef(node, output, path):
            full = NodeId(node if scope == ROOT else f"{scope}/{node}")
            source = plan.nodes[full].node
            only = len(outputs_of(source)) == 1
            return source.name + ("" if only else f".{output}") + _way(path)
        case ListExpr(items):
            return f"[{', '.join(_term(item, plan, scope) for item in items)}]"
        case DictExpr(items):
            inside = (
                f"{json.dumps(key)}: {_term(item, plan, scope)}" for key, item in items.items()
            )
            return f"{{{', '.join(inside)}}}"
        case _:
            assert_never(expr)


def _way(path: Path) -> str:
    return "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in path)
