"""Dataclasses, NamedTuples and TypedDicts come back with every field and no other."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, NotRequired, TypedDict

import pytest
from tests.unit.types.exact import NOWHERE, comes_back

from tidegate.errors import InvalidValue, UnsupportedType
from tidegate.types.registry import codec
from tidegate.types.schema import faults


@dataclass
class Point:
    x: int
    y: float = 0.5
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Late:
    x: int
    double: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "double", 2 * self.x)


class Pair(NamedTuple):
    left: bool
    right: int = 3


class Options(TypedDict):
    name: str
    size: NotRequired[int]


RECORDS = [
    (Point, Point(1)),
    (Point, Point(1, -0.0, ["a"])),
    (Late, Late(2)),
    (Pair, Pair(True, 1)),
    (list[Pair], [Pair(False), Pair(True, 0)]),
    (Options, {"name": "a"}),
    (Options, {"name": "a", "size": 1}),
    (dict[str, Point], {"a": Point(1)}),
]


@pytest.mark.parametrize(("annotation", "value"), RECORDS, ids=str)
def test_a_record_comes_back_with_all_its_fields(annotation: Any, value: Any):
    comes_back(annotation, value)


def test_a_field_with_a_default_may_be_left_out_and_has_it_then():
    assert codec(Point).decode({"x": 1}, NOWHERE) == Point(1)
    assert codec(Pair).decode({"left": True}, NOWHERE) == Pair(True)
    assert codec(Point).schema["properties"]["y"]["default"] == 0.5


@pytest.mark.parametrize(
    ("annotation", "stored", "where"),
    [
        (Point, {}, ("x",)),
        (Point, {"x": 1, "z": 1}, ("z",)),
        (Point, {"x": True}, ("x",)),
        (Pair, {"left": 1}, ("left",)),
        (Options, {"size": 1}, ("name",)),
        (Options, {"name": "a", "nmae": "b"}, ("nmae",)),
        (Point, [1, 2], ()),
    ],
)
def test_a_field_too_few_too_many_or_of_another_type_is_a_fault_of_its_own(
    annotation: Any, stored: Any, where: tuple[str, ...]
):
    with pytest.raises(InvalidValue) as refused:
        codec(annotation).decode(stored, NOWHERE)

    assert [fault.path for fault in refused.value.faults] == [where]
    assert [fault.path for fault in faults(codec(annotation).schema, stored)] == [where]


def test_a_field_that_was_never_set_is_refused():
    half = object.__new__(Point)
    half.x, half.y = 1, 0.5

    with pytest.raises(InvalidValue, match="tags: this field was never set"):
        codec(Point).encode(half, NOWHERE)


def test_a_field_that_cannot_be_stored_is_named():
    @dataclass
    class Holder:
        inner: complex

    with pytest.raises(UnsupportedType, match="field 'inner' of .*Holder"):
        codec(Holder)
