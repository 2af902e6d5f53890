"""Dataclasses, NamedTuples and TypedDicts come back with every field and no other."""

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
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


@dataclass
class Premium(Point):
    limit: float = 0.0


class Better(Pair):
    __slots__ = ()


@dataclass
class Checked:
    """Its constructor only looks."""

    name: str
    size: float = 1.0

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("no name")


@dataclass
class Counted:
    """Its constructor changes what it is given, each time."""

    count: int

    def __post_init__(self) -> None:
        self.count += 1


@dataclass
class Growing:
    """Its constructor changes the list that it is given."""

    tags: list[str]

    def __post_init__(self) -> None:
        self.tags.append("made")


@dataclass
class Measured:
    """Its constructor makes more than its fields."""

    side: int

    def __post_init__(self) -> None:
        self.area = self.side**2


@dataclass(init=False)
class Turned:
    x: int

    def __init__(self, x: int) -> None:
        self.x = -x


@dataclass(slots=True)
class Slotted:
    x: float
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.name.strip()


@dataclass
class Lazy:
    x: int

    @cached_property
    def double(self) -> int:
        return 2 * self.x


RECORDS = [
    (Point, Point(1)),
    (Point, Point(1, -0.0, ["a"])),
    (Late, Late(2)),
    (Pair, Pair(True, 1)),
    (list[Pair], [Pair(False), Pair(True, 0)]),
    (Options, {"name": "a"}),
    (Options, {"name": "a", "size": 1}),
    (dict[str, Point], {"a": Point(1)}),
    (Premium, Premium(1, limit=2.0)),
    (Point | Premium, Point(1)),
    (Checked, Checked("a", 2.5)),
    (Checked, Checked("a", -0.0)),
    (Measured, Measured(3)),
    (Slotted, Slotted(1.5, "a")),
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


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        (Point, Premium(1), r"a Premium would be read back as a Point: declare Premium, or the union Point \| Premium"),
        (list[Point], [Point(1), Premium(1)], r"^\[1\]: a Premium would be"),
        (dict[str, Point | None], {"a": Premium(1)}, "^a: a Premium would be"),
        (Pair, Better(True), "a Better would be read back as a Pair"),
        (tuple[bool, int], Pair(True), "a Pair would be read back as a tuple"),
        (Options, OrderedDict(name="a"), "an object"),
        (Counted, Counted(1), "count: the number 2 would be read back as the number 3"),
        (Growing, Growing(["a"]), r"tags: a list of 2 would be read back as a list of 3"),
        (Turned, Turned(1), "x: the number -1 would be read back as the number 1"),
        (list[list[list[Point]]], [[[Premium(1)]]], r"^\[0\]\[0\]\[0\]: a Premium"),
    ],
    ids=lambda part: str(part)[:30],
)  # fmt: skip
def test_what_would_be_read_back_as_another_record_is_refused(
    annotation: Any, value: Any, reason: str
):
    with pytest.raises(InvalidValue, match=reason):
        codec(annotation).encode(value, NOWHERE)


def test_to_look_at_a_value_does_not_change_it():
    value = Growing(["a"])

    with pytest.raises(InvalidValue):
        codec(Growing).encode(value, NOWHERE)
    assert value.tags == ["a", "made"]


def test_what_is_set_beside_the_fields_is_not_lost_without_a_word():
    point = Point(1)
    point.colour = "red"  # type: ignore[attr-defined]
    slotted = Slotted(1.0)
    slotted.name = " a "

    with pytest.raises(
        InvalidValue, match="colour: it would be lost, because Point has no such field"
    ):
        codec(list[Point]).encode([point], NOWHERE)
    with pytest.raises(
        InvalidValue, match="name: the text ' a ' would be read back as the text 'a'"
    ):
        codec(Slotted).encode(slotted, NOWHERE)


def test_what_is_worked_out_again_need_not_be_kept():
    lazy = Lazy(2)

    assert lazy.double == 4
    assert codec(Lazy).encode(lazy, NOWHERE) == {"x": 2}
