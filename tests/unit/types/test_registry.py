"""What does not fit is refused where it is met, and the message says where, why, and what to use instead."""

import asyncio
import typing
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import InitVar, dataclass
from datetime import datetime
from enum import Enum, Flag
from math import nan
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypedDict, TypeVar, Union

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import InvalidValue, UnsupportedType
from tidegate.types.registry import INLINE_MAX, codec

NOWHERE = BlobFiles(BlobDirectory("unused"))


class Opaque:
    pass


class Shape(Enum):
    POINT = (0, 0)


class Missing(Enum):
    NOTHING = nan


class Rights(Flag):
    READ = 1
    WRITE = 2


@dataclass
class Job:
    target: Path


@dataclass
class Once:
    seed: InitVar[int]


@dataclass
class Point:
    x: int
    y: int = 0


@dataclass
class Twin:
    x: int
    y: int = 0


@dataclass
class Positive:
    value: int

    def __post_init__(self) -> None:
        if self.value <= 0:
            raise ValueError("value must be positive")


class Pair(NamedTuple):
    left: int
    right: str


class Options(TypedDict):
    name: str


class Even(BaseModel):
    value: int

    @field_validator("value")
    @classmethod
    def must_be_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value


class Holder(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    inner: Opaque


UNSUPPORTED = [
    (Opaque, "dataclass, a pydantic model, File, or Pickled"),
    (list[Opaque], "Opaque"),
    (dict[str, Opaque | None], "Opaque"),
    (Path, "File or Directory"),
    (Job, "field 'target' of Job"),
    (Once, "InitVar"),
    (complex, "dataclass of two floats"),
    (set[int], "use list"),
    (object, "use Any"),
    (Shape, "must be text, a number or a bool"),
    (Missing, "must be text, a number or a bool"),
    (Rights, "int for flags"),
    (Holder, "pydantic says"),
    (dict[float, str], "use text, whole numbers, dates or enums of text as keys"),
    (TypeVar("T"), "name one"),
    (Literal[[1]], "use text, whole numbers, bools or None"),  # type: ignore[valid-type]
    ("Later", "define it at the top of a module"),
    (Callable[[int], str], "dataclass"),
    (asyncio.Future, "dataclass"),
    (typing.Set[int], "use list, because JSON has no sets"),  # noqa: UP006
    (OrderedDict[str, int], "use dict, which keeps its order"),
    (Iterator[int], "use list"),
    (3, "it is a value, not a type"),
    ([int], "it is a value, not a type"),
]


@pytest.mark.parametrize(("annotation", "advice"), UNSUPPORTED, ids=lambda p: str(p)[:40])
def test_a_type_that_cannot_be_stored_is_refused_by_name_with_what_to_use(
    annotation: Any, advice: str
) -> None:
    with pytest.raises(UnsupportedType) as caught:
        codec(annotation, where="parameter 'x' of task 'm:f'")

    assert str(caught.value).startswith("parameter 'x' of task 'm:f': ")
    assert advice in str(caught.value)


WRONG = [
    (int, "5", "expected a whole number, got the text '5'"),
    (int, True, "expected a whole number, got true"),
    (int, 1.0, "expected a whole number"),
    (int, 2**64, "more than 64 bits"),
    (list[int], [1, 2**64], "[1]: the number 18446744073709551616 needs more than 64 bits"),
    (float, "1", "expected a number"),
    (float, True, "expected a number, got true"),
    (float, 10**400, "too large for a float"),
    (bool, 1, "expected true or false, got the number 1"),
    (str, 5, "expected text, got the number 5"),
    (str, "\ud800", "lone surrogate at position 0"),
    (dict, {"a": ["\udfff"]}, "a[0]: the text is not valid Unicode"),
    (None, 0, "expected nothing"),
    (datetime, "2026-01-01", "expected a date and time"),
    (list[float], [1.0, None], "[1]: expected a number, got nothing"),
    (list[Point], [Point(1), Point("a")], "[1].x: expected a whole number"),  # type: ignore[arg-type]
    (tuple[int, str], (1,), "expected a list of 2, got a tuple of 1"),
    (dict[str, int], {"a": "b"}, "a: expected a whole number"),
    (dict[int, str], {"a": "b"}, "expected a whole number, got the text 'a'"),
    (Point, {"x": 1}, "expected a Point, got a dict of 1"),
    (Pair, (1, "a"), "expected a Pair"),
    (Options, {"name": "a", "nmae": "b"}, "nmae: Options has no such field"),
    (Options, {}, "name: this field is missing"),
    (Even, {"value": 2}, "expected an Even"),
    (Union[int, list[int]], "a", "expected one of the types of the union"),
    (Union[int, list[int], None], ["a"], "[0]: expected a whole number"),
    (Annotated[int, Field(ge=1)], 0, "greater than or equal to 1"),
    (Annotated[int, Field(ge=1)], "5", "expected a whole number"),
    (dict, {1: "a"}, "declare the type of the keys, as in dict[int, str]"),
    (dict, {"when": datetime(2026, 1, 1)}, "when: a datetime inside an untyped value"),
    (dict, {"a": {1, 2}}, "a: a set of 2 inside an untyped value would lose its type"),
    (Any, {"a": {"$blob": "x"}}, "a: the keys $blob, $uri and $float are reserved"),
    (Point | Twin, Twin(1), "make the types distinct"),
    (str, "x" * (INLINE_MAX + 1), "return a File, bytes or an array instead"),
    (list[int], list(range(400_000)), "more than the 1,048,576 that may be stored inline"),
]


@pytest.mark.parametrize(
    ("annotation", "value", "reason"), WRONG, ids=lambda part: ascii(part)[:40]
)
def test_a_value_that_does_not_fit_is_refused_with_where_and_why(
    annotation: Any, value: Any, reason: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        codec(annotation).encode(value, NOWHERE)

    assert reason in str(caught.value)
    assert caught.value.faults


def test_all_faults_of_a_stored_record_are_told_at_once() -> None:
    with pytest.raises(InvalidValue) as caught:
        codec(Point).decode({"x": "a", "z": 1}, NOWHERE)

    assert [fault.path for fault in caught.value.faults] == [("x",), ("z",)]


@pytest.mark.parametrize(
    ("annotation", "stored"), [(Even, {"value": 3}), (Positive, {"value": -1})]
)
def test_what_only_python_can_check_is_marked_and_refused_when_decoded(
    annotation: Any, stored: Any
) -> None:
    made = codec(list[annotation])

    assert made.needs_python
    with pytest.raises(InvalidValue, match=r"must be (even|positive)"):
        made.decode([stored], NOWHERE)


@pytest.mark.parametrize("annotation", [int, list[Point], dict[str, Pair], Options | None], ids=str)
def test_what_the_schema_says_whole_needs_no_python(annotation: Any) -> None:
    assert not codec(annotation).needs_python


def test_a_value_within_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)

    with pytest.raises(InvalidValue, match="nested more than 64 deep"):
        codec(list).encode(loop, NOWHERE)


@dataclass
class Chain:
    next: "Chain | None" = None


def test_a_recursive_record_is_refused_when_it_is_too_deep() -> None:
    chain = Chain()
    for _ in range(63):
        chain = Chain(chain)
    assert codec(Chain).decode(codec(Chain).encode(chain, NOWHERE), NOWHERE) == chain

    for _ in range(2):
        chain = Chain(chain)
    with pytest.raises(InvalidValue, match="nested more than 64 deep"):
        codec(Chain).encode(chain, NOWHERE)

    chain.next = chain
    with pytest.raises(InvalidValue, match="nested more than 64 deep, or within itself"):
        codec(Chain).encode(chain, NOWHERE)


def test_a_stored_value_does_not_change_when_the_object_does() -> None:
    numbers = [1.0, 2.0]
    options = {"a": [1]}

    stored = codec(list[float]).encode(numbers, NOWHERE), codec(dict).encode(options, NOWHERE)
    numbers.append(3.0)
    options["a"].append(2)

    assert stored == ([1.0, 2.0], {"a": [1]})


def test_a_local_class_that_names_an_unknown_type_is_refused() -> None:
    @dataclass
    class Local:
        other: "Nowhere"  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(UnsupportedType, match="define it at the top of a module"):
        codec(Local)
