"""
What tells the questions of a list apart: a title, and key figures. Both are made when the gate opens, from values that never change.

Without a title a list shows the gate's name; without figures, the first two scalar fields of what is approved, or of what is shown.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import UNSET, UnsetType

from tidegate.core.draft import Draft
from tidegate.core.evaluate import NoValue, evaluate
from tidegate.core.past import STORABLE
from tidegate.core.plan import Plan, Planned
from tidegate.core.state import ExecutionState
from tidegate.ir.expr import Expr, Value
from tidegate.ir.graph import ApproveNode, InputNode
from tidegate.types.values import BLOB, FLOAT, URI

LONGEST: Final = 200
"""Characters of a title that lists show: what fits on two lines of a phone, and on one of a desk."""

SHORT: Final = 80
"""Characters of one value in a title, and of a figure that is a text."""

DEFAULT: Final = 2
"""How many figures a question has whose author named none."""

GONE: Final = "?"
"""Stands in a title for a value that does not exist: a key that is missing, an output of a skipped node."""


def title_of(plan: Plan, state: Draft | ExecutionState, planned: Planned) -> str:
    """Return the title of a gate; empty if it has none."""
    gate = planned.node
    assert isinstance(gate, InputNode | ApproveNode)
    if gate.question.title is UNSET:
        return ""
    parts = (
        each if isinstance(each, str) else _words(_value(plan, state, planned, each))
        for each in gate.question.title
    )
    return cut(" ".join("".join(parts).split()), LONGEST)


def figures_of(
    plan: Plan, state: Draft | ExecutionState, planned: Planned
) -> tuple[tuple[str, Value], ...]:
    """Return the figures of a gate that its author named, in order; what does not exist is left out."""
    gate = planned.node
    assert isinstance(gate, InputNode | ApproveNode)
    named: Mapping[str, Expr] = {} if gate.question.figures is UNSET else gate.question.figures
    values = ((name, _value(plan, state, planned, expr)) for name, expr in named.items())
    return tuple((name, scalar(value)) for name, value in values if value is not UNSET)


def first_figures(values: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    """Return the figures of a gate whose author named none: of the values beside the question, the subject of an approval first."""
    found: dict[str, Value] = {}
    for name, value in scalars(values):
        found.setdefault(name, scalar(value))
        if len(found) == DEFAULT:
            break
    return tuple(found.items())


def scalars(values: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield the scalars among some values, and the scalar fields of the records among them."""
    for part, value in values.items():
        if part == "suggested":
            continue
        called = part.removeprefix("show.")
        if not isinstance(value, dict | list):
            yield called, value
        elif isinstance(value, dict) and not value.keys() & {BLOB, URI}:
            yield from ((name, each) for name, each in value.items() if _is_scalar(each))


def _is_scalar(value: Value) -> bool:
    return not isinstance(value, dict | list) or (isinstance(value, dict) and FLOAT in value)


def scalar(value: Value) -> Value:
    """Return a value as a figure: a number, true, false, null, or a short text."""
    if isinstance(value, int):
        return value if value in STORABLE else _words(value)
    return value if value is None or isinstance(value, float) else _words(value)


def cut(text: str, most: int) -> str:
    """Return a text of at most this many characters, which says so if it is cut."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _value(
    plan: Plan, state: Draft | ExecutionState, planned: Planned, expr: Expr
) -> Value | UnsetType:
    try:
        return evaluate(plan, state, planned.scope, expr)
    except NoValue:
        return UNSET


def _words(value: Value | UnsetType) -> str:
    """Return a value as a few words on one line."""
    match value:
        case UnsetType():
            return GONE
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            # 6 significant digits: what the page shows of a number.
            return f"{value:.6g}"
        case int():
            return (
                cut(str(value), SHORT)
                if abs(value) < 10**SHORT
                else f"a number of {value.bit_length()} bits"
            )
        case str():
            return cut(" ".join(value[: 4 * SHORT].split()), SHORT)
        case {"$float": special}:
            return str(special)
        case {"$blob": _}:
            return cut(str(value.get("name") or "a file"), SHORT)
        case {"$uri": address}:
            return cut(str(address), SHORT)
        case list():
            return "1 item" if len(value) == 1 else f"{len(value):,} items"
        case dict():
            return "1 field" if len(value) == 1 else f"{len(value):,} fields"
        case _:
            return GONE
