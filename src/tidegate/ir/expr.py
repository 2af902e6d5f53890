"""
Where a value comes from: constants, inputs of the workflow, outputs of nodes, and lists and dicts of these.

A value here is *stored* data: what JSON can represent (null, booleans, numbers, strings, lists, dicts with string keys).
How Python objects become stored values is the business of `tidegate.types`, not of this floor.
"""

import re
from collections.abc import Iterator
from typing import Any, Literal, NewType, TypeAlias, assert_never

from msgspec import Struct

NodeId = NewType("NodeId", str)
"""Stable name of a place in a graph: `n0`, or with the places around it `n2/n0`."""

_NUMBERS = re.compile(r"\d+", re.ASCII)
_DIGITS = re.compile(r"(\d{1,100})", re.ASCII)
"""Digits of a name; of more than a hundred in a row, the rest counts as another number, since reading them takes longer than linear time."""


def source_order(node: str) -> tuple[tuple[int, ...], str]:
    """Return what nodes are sorted by to stand as in the source: `n2/n0` after `n2`, and before `n3` and `n10`."""
    return tuple(map(int, _NUMBERS.findall(node))), node


def natural(text: str) -> tuple[tuple[str | int, ...], str]:
    """Return what names are sorted by for people: `item 2` before `item 10`, and capitals beside small letters."""
    parts: list[str | int] = list(_DIGITS.split(text.casefold()))
    parts[1::2] = [int(digits) for digits in parts[1::2]]
    return tuple(parts), text


Value: TypeAlias = Any
"""A stored value."""

Schema: TypeAlias = dict[str, Any]
"""A self-contained JSON Schema (2020-12)."""

Path: TypeAlias = tuple[str | int, ...]
"""A path into a value: keys, field names and positions."""


class Const(Struct, frozen=True, tag="const"):
    """A value that is known when the workflow is compiled."""

    value: Value


class InputRef(Struct, frozen=True, tag="input"):
    """An input of the graph that contains the expression, or a part of it."""

    name: str
    path: Path = ()


class OutputRef(Struct, frozen=True, tag="output"):
    """An output of another node of the same graph, or a part of it."""

    node: NodeId
    output: str
    path: Path = ()


class ListExpr(Struct, frozen=True, tag="list"):
    """A list of values that come from different places."""

    items: tuple["Expr", ...]


class DictExpr(Struct, frozen=True, tag="dict"):
    """A dict of values that come from different places."""

    items: dict[str, "Expr"]


Expr: TypeAlias = Const | InputRef | OutputRef | ListExpr | DictExpr

Comparator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]


class Compare(Struct, frozen=True, tag="compare"):
    """True if this relation holds between the two values. `is_true()` is `== True`."""

    op: Comparator
    left: Expr
    right: Expr


class IsNone(Struct, frozen=True, tag="is_none"):
    """True if the value is null."""

    operand: Expr


class AllOf(Struct, frozen=True, tag="and"):
    """True if every part is."""

    parts: tuple["Condition", ...]


class AnyOf(Struct, frozen=True, tag="or"):
    """True if some part is."""

    parts: tuple["Condition", ...]


Condition: TypeAlias = Compare | IsNone | AllOf | AnyOf


def refs(expr: Expr) -> Iterator[OutputRef | InputRef]:
    """Yield every reference in an expression."""
    match expr:
        case OutputRef() | InputRef():
            yield expr
        case ListExpr(items):
            for item in items:
                yield from refs(item)
        case DictExpr(items):
            for item in items.values():
                yield from refs(item)
        case Const():
            return
        case _:
            assert_never(expr)


def operands(condition: Condition) -> Iterator[Expr]:
    """Yield every expression that a condition uses."""
    match condition:
        case Compare(_, left, right):
            yield left
            yield right
        case IsNone(operand):
            yield operand
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from operands(part)
        case _:
            assert_never(condition)
