"""A generic class comes back with what it was said to hold, at any depth, and with nothing else."""

from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypedDict, TypeVar

import pytest
from tests.unit.types.exact import NOWHERE, comes_back
from tests.unit.types.samples import Point

from tidegate.errors import InvalidValue, UnsupportedType
from tidegate.types.registry import codec


@dataclass
class Dot(Point):
    pass


T = TypeVar("T")
K = TypeVar("K")


@dataclass
class Box(Generic[T]):
    content: T
    more: "list[Box[T]]" = field(default_factory=list)


@dataclass
class Shelf(Box[list[K]], Generic[K]):
    """It has a parameter of its own, and gives its base another."""

    key: K | None = None


class Two(NamedTuple, Generic[T]):
    first: T
    second: dict[str, T]


class Named(TypedDict, Generic[T]):
    value: T


GENERIC = [
    (Box[int], Box(1)),
    (Box[int], Box[int](1)),
    (Box[str], Box("a", [Box("b")])),
    (Box[Box[float]], Box(Box(-0.0))),
    (list[Box[int] | None], [Box(1), None]),
    (Box[Point], Box(Point(1))),
    (Shelf[int], Shelf([1, 2], [], 3)),
    (Two[int], Two(1, {"a": 2})),
    (Named[Box[bool]], {"value": Box(True)}),
    (Box[int] | Box[str], Box("a")),
]


@pytest.mark.parametrize(("annotation", "value"), GENERIC, ids=str)
def test_a_generic_record_comes_back_with_what_it_was_said_to_hold(annotation: Any, value: Any):
    comes_back(annotation, value)


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        (Box[int], Box("a"), "content: expected a whole number, got the text 'a'"),
        (Box[int], Box(True), "content: expected a whole number, got true"),
        (Box[Box[int]], Box(Box("a")), "content.content: expected a whole number"),
        (Shelf[int], Shelf(["a"]), r"content\[0\]: expected a whole number"),
        (Box[Point], Box(Dot(1)), "content: a Dot would be read back as a Point"),
    ],
    ids=str,
)
def test_what_a_generic_record_was_not_said_to_hold_is_refused(
    annotation: Any, value: Any, reason: str
):
    with pytest.raises(InvalidValue, match=reason):
        codec(annotation).encode(value, NOWHERE)


def test_a_generic_record_says_in_its_schema_what_it_holds():
    assert codec(Box[int]).schema["title"] == "Box[int]"
    with pytest.raises(UnsupportedType, match="field 'content' of Box: .* name one"):
        codec(Box)
