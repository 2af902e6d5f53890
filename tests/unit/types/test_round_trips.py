"""Every value of every type comes back as it was, and what is stored is JSON that fits its schema."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from math import copysign, inf, isnan, nan
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, Optional, TypedDict, Union
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.types.registry import codec
from tidegate.types.schema import can_flow, faults
from tidegate.types.text import parse, show


class Color(Enum):
    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Point:
    x: int
    y: float = 0.5
    label: str | None = None


@dataclass(frozen=True)
class Tree:
    value: int
    children: tuple["Tree", ...] = ()
    point: Point | None = None
    depth: int = field(init=False, default=0)


class Pair(NamedTuple):
    left: str
    right: int = 3


class Options(TypedDict):
    name: str
    size: NotRequired[int]


class TextualOptions(TypedDict):
    """As with `from __future__ import annotations`."""

    name: "str"
    size: "NotRequired[int]"


class Review(BaseModel):
    approved: bool
    color: Color = Color.RED
    when: datetime | None = None
    took: timedelta = timedelta(0)
    tags: set[str] = set()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFiles:
    return BlobFiles(BlobDirectory(tmp_path / "blobs", sync=False))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTS = st.integers(-(2**63), 2**64 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
INSTANTS = st.datetimes(
    datetime(2, 1, 1),
    datetime(9998, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))]),
)
LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, INTS),
    (float, FLOATS),
    (str, TEXT),
    (bool, st.booleans()),
    (None, st.none()),
    (date, st.dates()),
    (datetime, INSTANTS),
    (time, st.times()),
    (timedelta, st.timedeltas()),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (UUID, st.uuids()),
    (bytes, st.binary(max_size=40)),
    (Color, st.sampled_from(Color)),
    (Level, st.sampled_from(Level)),
    (Literal["a", 2, None], st.sampled_from(["a", 2, None])),
    (Point, st.builds(Point, INTS, FLOATS, st.none() | TEXT)),
    (Tree, st.recursive(
        st.builds(Tree, INTS),
        lambda inner: st.builds(Tree, INTS, st.tuples(inner, inner)),
        max_leaves=4,
    )),
    (Pair, st.builds(Pair, TEXT, INTS)),
    (Options, st.fixed_dictionaries({"name": TEXT}, optional={"size": INTS})),
    (TextualOptions, st.fixed_dictionaries({"name": TEXT}, optional={"size": INTS})),
    (Review, st.builds(
        Review, approved=st.booleans(), color=st.sampled_from(Color), when=st.none() | INSTANTS,
        took=st.timedeltas(timedelta(-1000), timedelta(1000)), tags=st.sets(TEXT, max_size=3),
    )),
    (Annotated[int, Field(ge=0)], st.integers(0, 100)),
    (Any, st.recursive(
        st.none() | st.booleans() | INTS | FLOATS | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=6,
    )),
]  # fmt: skip
KEYS = [leaf for leaf in LEAVES if leaf[0] in (str, int, date, UUID, Color)]


def lists(inner: tuple[Any, Any]) -> st.SearchStrategy[tuple[Any, Any]]:
    kind, values = inner
    many = st.lists(values, max_size=3)
    return st.sampled_from(
        [
            (list[kind], many),
            (tuple[kind, ...], many.map(tuple)),
            (tuple[kind, int], st.tuples(values, INTS)),
            (Optional[kind], st.none() | values),
        ]
    )


def dicts(key: tuple[Any, Any], inner: tuple[Any, Any]) -> tuple[Any, Any]:
    return dict[key[0], inner[0]], st.dictionaries(key[1], inner[1], max_size=3)  # type: ignore[valid-type,misc,name-defined]


TYPES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: inner.flatmap(lists) | st.builds(dicts, st.sampled_from(KEYS), inner),
    max_leaves=3,
)


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[Any, Any]:
    annotation, values = draw(TYPES)
    return annotation, draw(values)


QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(typed=typed_values())
def test_what_is_stored_comes_back_as_it_was(typed: tuple[Any, Any], blobs: BlobFiles) -> None:
    annotation, value = typed
    made = codec(annotation)

    stored = made.encode(value, blobs)

    assert made.decode(stored, blobs) == value
    assert faults(made.schema, stored) == []
    assert json.loads(json.dumps(stored, allow_nan=False)) == stored
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(stored)) == stored


@QUICK
@given(typed=typed_values())
def test_a_type_flows_into_itself_into_anything_and_into_its_optional(
    typed: tuple[Any, Any], blobs: BlobFiles
) -> None:
    schema = codec(typed[0]).schema

    assert can_flow(schema, schema) is None
    assert can_flow(schema, {}) is None
    assert can_flow({}, schema) is None
    assert can_flow(schema, codec(Optional[typed[0]]).schema) is None


SHOWN = [
    leaf
    for leaf in LEAVES
    if leaf[0] not in (None, Any, Literal["a", 2, None], str) and leaf[0] is not Review
]


@st.composite
def shown_values(draw: st.DrawFn) -> tuple[Any, Any]:
    annotation, values = draw(st.sampled_from(SHOWN))
    return annotation, draw(values)


@QUICK
@given(typed=shown_values())
def test_what_is_shown_can_be_typed_again(typed: tuple[Any, Any], blobs: BlobFiles) -> None:
    annotation, value = typed
    made = codec(annotation)

    typed_again = parse(made.schema, show(made.schema, made.encode(value, blobs)))

    assert made.decode(typed_again, blobs) == value


VALUES: list[tuple[Any, Any]] = [
    (list, [1, "a", None, {"b": [2.5]}]),
    (dict, {"a": {"b": []}}),
    (tuple, (1, "a")),
    (tuple[()], ()),
    (Union[int, str], "5"),
    (Union[int, str], 5),
    (int | float, 3.0),
    (int | float, 3),
    (bool | int, True),
    (date | str, "not a date"),
    (date | str, date(2026, 1, 2)),
    (list[int] | list[str], ["a"]),
    (Point | Pair | None, Pair("a")),
    (Color | str, Color.RED),
    (dict[str, list[Point]], {"a": [Point(1)]}),
    (list[Review], [Review(approved=True)]),
    (bytes, b"x" * 100_000),
    (timedelta, timedelta.min),
    (timedelta, timedelta.max),
    (datetime, datetime(1, 1, 1, tzinfo=UTC)),
]


@pytest.mark.parametrize(("annotation", "value"), VALUES, ids=lambda part: repr(part)[:40])
def test_a_value_keeps_its_type(annotation: Any, value: Any, blobs: BlobFiles) -> None:
    made = codec(annotation)

    stored = made.encode(value, blobs)
    back = made.decode(stored, blobs)

    assert back == value
    assert type(back) is type(value)
    assert faults(made.schema, stored) == []


@pytest.mark.parametrize("annotation", [float, list[float], Any, dict, Optional[float]], ids=str)
@pytest.mark.parametrize("value", [nan, inf, -inf, -0.0], ids=str)
def test_a_float_that_json_cannot_say_comes_back(
    annotation: Any, value: float, blobs: BlobFiles
) -> None:
    given_value = (
        {"a": value} if annotation is dict else [value] if annotation == list[float] else value
    )
    made = codec(annotation)

    stored = made.encode(given_value, blobs)
    back = made.decode(json.loads(json.dumps(stored, allow_nan=False)), blobs)
    found = back["a"] if annotation is dict else back[0] if annotation == list[float] else back

    assert isnan(found) if isnan(value) else found == value
    assert copysign(1, found) == copysign(1, value) or isnan(value)


@QUICK
@given(a=INSTANTS, b=INSTANTS)
def test_the_order_of_stored_instants_is_the_order_of_the_instants(
    a: datetime, b: datetime
) -> None:
    made = codec(datetime)
    nowhere = BlobFiles(BlobDirectory("unused"))

    assert (made.encode(a, nowhere) < made.encode(b, nowhere)) == (a < b)


def test_a_field_that_the_constructor_does_not_take_is_kept(blobs: BlobFiles) -> None:
    tree = Tree(1)
    object.__setattr__(tree, "depth", 7)
    made = codec(Tree)

    assert made.decode(made.encode(tree, blobs), blobs).depth == 7
