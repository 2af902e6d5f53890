"""
Expressions to values, conditions to true or false.

A node's output is stored where it was made and nowhere else: a task has it in its state, an input gate in its answer.
The outputs of an approval, a branch, a sub-workflow or an unfolded dynamic task are found by following their expressions:
in a loop, not by recursion, so that a value may pass through any number of nodes.
"""

from typing import TypeVar, assert_never

from tidegate.core.draft import Draft
from tidegate.core.plan import ROOT, Plan
from tidegate.core.state import ExecutionState, NodeState
from tidegate.ir.check import MAX_PLANNED
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
    Value,
)
from tidegate.ir.graph import ApproveNode, BranchNode, InputNode, Otherwise, SubNode, TaskNode
from tidegate.types.zones import order_of

T = TypeVar("T")

LONGEST = 2 * MAX_PLANNED + 2
"""Upper bound on the links from an expression to its value: each node and each inner graph is passed at most once."""


class NoValue(Exception):
    """An expression has no value: a key is missing, or its source was skipped."""


def evaluate(plan: Plan, state: Draft | ExecutionState, scope: NodeId, expr: Expr) -> Value:
    """Return the value of an expression in the graph of `scope`. Raises NoValue."""
    paths: list[tuple[Path, str]] = []
    value: Value
    for _ in range(LONGEST):
        match expr:
            case OutputRef():
                node = plan.absolute(scope, expr.node) if scope else expr.node
                if expr.path:
                    paths.append((expr.path, f"{expr.node}.{expr.output}"))
                now = state.node(node)
                if now.outputs is not None:
                    value = _item(now.outputs, expr.output, node)
                    break
                scope, expr = _passed_on(plan, now, node, expr.output)
            case InputRef():
                if expr.path:
                    paths.append((expr.path, expr.name))
                if scope == ROOT:
                    value = _item(state.inputs, expr.name, ROOT)
                    break
                scope, expr = _given(plan, scope, expr.name)
            case Const():
                value = expr.value
                break
            case ListExpr(items):
                value = [evaluate(plan, state, scope, item) for item in items]
                break
            case DictExpr(parts):
                value = {key: evaluate(plan, state, scope, item) for key, item in parts.items()}
                break
            case _:
                assert_never(expr)
    else:
        raise AssertionError(f"{expr} refers to itself in a circle")
    for path, what in reversed(paths):
        value = walk(value, path, what)
    return value


def output_of(plan: Plan, state: Draft | ExecutionState, node: NodeId, output: str) -> Value:
    """Return an output of a node that has succeeded. Raises NoValue."""
    return evaluate(plan, state, ROOT, OutputRef(node, output))


def _passed_on(plan: Plan, now: NodeState, node: NodeId, output: str) -> tuple[NodeId, Expr]:
    """Return the source of an output that was not stored, and the scope of that source."""
    planned = plan.nodes[node]
    exprs: dict[str, Expr] = {}
    inner = planned.scope
    match planned.node:
        case InputNode() if now.answer is not None:
            return inner, Const(now.answer.value)
        case TaskNode() if node in plan.scopes:
            exprs, inner = plan.scopes[node].outputs, node
        case ApproveNode(subject=subject):
            exprs = {output: subject}
        case SubNode(graph=graph):
            exprs, inner = graph.outputs, node
        case BranchNode(cases=cases, otherwise=otherwise) if now.case is not None:
            if now.case < len(cases):
                exprs = cases[now.case].outputs
            elif isinstance(otherwise, Otherwise):
                exprs = otherwise.outputs
        case _:
            pass
    return inner, _item(exprs, output, node)


def outputs(plan: Plan, state: Draft | ExecutionState, scope: NodeId = ROOT) -> dict[str, Value]:
    """Return the outputs of a graph that has succeeded. Raises NoValue."""
    exprs = plan.scopes[scope].outputs
    return {name: evaluate(plan, state, scope, expr) for name, expr in exprs.items()}


def walk(value: Value, path: Path, what: str) -> Value:
    """Follow a path into a value. Raises NoValue."""
    for depth, part in enumerate(path):
        match value:
            case dict() if part in value or str(part) in value:
                # JSON has only string keys; `report[1]` may well mean the key "1".
                value = value[part] if part in value else value[str(part)]
            case list() if isinstance(part, int) and -len(value) <= part < len(value):
                value = value[part]
            case _:
                where = "".join(f"[{each!r}]" for each in path[:depth])
                raise NoValue(f"{what}{where} has no {part!r}: {_contents(value)}")
    return value


def holds(plan: Plan, state: Draft | ExecutionState, scope: NodeId, condition: Condition) -> bool:
    """Return whether a condition is true. Raises NoValue where that is undefined."""
    match condition:
        case Compare(op, left, right):
            a = evaluate(plan, state, scope, left)
            b = evaluate(plan, state, scope, right)
            return compare(op, a, b)
        case IsNone(operand):
            return evaluate(plan, state, scope, operand) is None
        case AllOf(parts):
            return all(holds(plan, state, scope, part) for part in parts)
        case AnyOf(parts):
            return any(holds(plan, state, scope, part) for part in parts)
        case _:
            assert_never(condition)


def compare(op: str, a: Value, b: Value) -> bool:
    """Compare two stored values. Raises NoValue where their kinds have no order."""
    if isinstance(a, str) and isinstance(b, str):
        a, b = order_of(a), order_of(b)
    if op == "==":
        return same(a, b)
    if op == "!=":
        return not same(a, b)
    number = (int, float)
    comparable = (isinstance(a, str) and isinstance(b, str)) or (
        isinstance(a, number)
        and isinstance(b, number)
        and not isinstance(a, bool)
        and not isinstance(b, bool)
    )
    if not comparable:
        raise NoValue(
            f"{_kind(a)} {op} {_kind(b)} is undefined: only numbers and text have an order"
        )
    match op:
        case "<":
            return bool(a < b)
        case "<=":
            return bool(a <= b)
        case ">":
            return bool(a > b)
        case _:
            return bool(a >= b)


def same(a: Value, b: Value) -> bool:
    """Return whether two stored values are equal in the sense of JSON: 1 equals 1.0, and neither equals true."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(v, b[k]) for k, v in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def _contents(value: Value) -> str:
    match value:
        case dict():
            keys = ", ".join(repr(key) for key in list(value)[:10])
            return f"it has {keys}" if keys else "it is empty"
        case list():
            return f"it has {len(value)} items"
        case _:
            return f"it is {_kind(value)}"


def _kind(value: Value) -> str:
    return "null" if value is None else type(value).__name__


def _item(values: dict[str, T], name: str, node: NodeId) -> T:
    if name not in values:
        raise NoValue(f"{node} has no output {name!r}, because it did not get that far")
    return values[name]


def _given(plan: Plan, scope: NodeId, name: str) -> tuple[NodeId, Expr]:
    """Return the source of an input of an inner graph, and the scope of that source."""
    planned = plan.nodes[scope]
    match planned.node:
        case SubNode(inputs=exprs, graph=graph) if name not in exprs:
            default = graph.interface.inputs[name].default
            assert default is not None, f"{scope} is not given {name!r}"
            return scope, Const(default.value)
        case TaskNode() if scope in plan.rounds:
            return scope, Const(_item(plan.rounds[scope].given, name, scope))
        case SubNode(inputs=exprs) | TaskNode(inputs=exprs):
            return planned.scope, _item(exprs, name, scope)
        case _:
            raise NoValue(f"{scope} has no input {name!r}")
