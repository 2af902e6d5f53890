"""Models and constraints of pydantic's: what it checks counts on both sides, and its faults read as ours."""

from datetime import UTC, datetime, timedelta
from math import nan
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pydantic
import pytest
from pydantic import BaseModel, Field, RootModel, field_validator
from tests.unit.types.exact import NOWHERE, comes_back

from tidegate.errors import InvalidValue
from tidegate.types.registry import codec
from tidegate.types.schema import faults


class Inner(BaseModel):
    value: Literal[1, True]


class Review(BaseModel):
    approved: bool
    score: int | float = 0
    when: datetime | None = None
    took: timedelta = timedelta(0)
    inner: list[Inner] = []

    @field_validator("score")
    @classmethod
    def check_score(cls, score: float) -> float:
        if score < 0:
            raise ValueError("must not be negative")
        return score


class Named(BaseModel):
    class_: str = Field(alias="class")


@pydantic.dataclasses.dataclass
class Point:
    x: int


MODELS = [
    (Review, Review(approved=True)),
    (Review, Review(approved=False, score=1.0, when=datetime(2026, 1, 2, tzinfo=UTC))),
    (Review, Review(approved=True, score=1, took=timedelta(days=400, microseconds=1))),
    (list[Review], [Review(approved=True, inner=[Inner(value=1), Inner(value=True)])]),
    (Named, Named(**{"class": "a"})),
    (Point | None, Point(1)),
    (dict[str, Annotated[int, Field(ge=1)]], {"a": 1}),
]


class Numbers(RootModel[list[int]]):
    pass


class Counts(RootModel[dict[str, int]]):
    pass


class Tree(RootModel[list["Tree"]]):
    pass


class Maybe(RootModel[float | str | None]):
    pass


class Reviews(RootModel[list[Review]]):
    pass


class Holding(BaseModel):
    numbers: Numbers


ROOTS = [
    (Numbers, Numbers([1, 2])),
    (Numbers, Numbers([])),
    (list[Numbers], [Numbers([1]), Numbers([])]),
    (Numbers | None, Numbers([1])),
    (Numbers | str, "[1]"),
    (Numbers | Counts, Counts({"a": 1})),
    (dict[str, Reviews], {"a": Reviews([Review(approved=True)])}),
    (Tree, Tree([Tree([]), Tree([Tree([])])])),
    (Maybe, Maybe(None)),
    (Maybe, Maybe("1.0")),
    (Maybe, Maybe(1.0)),
    (Holding, Holding(numbers=Numbers([1]))),
]


@pytest.mark.parametrize(("annotation", "value"), ROOTS, ids=lambda part: str(part)[:40])
def test_a_model_that_is_one_value_comes_back_as_it_was(annotation: Any, value: Any):
    comes_back(annotation, value)


def test_a_model_that_is_a_list_takes_a_list_of_what_fits_and_nothing_else():
    made = codec(Numbers)
    for stored, reason in (({"root": [1]}, "expected Numbers, got"), ([1, "a"], "Input should be")):
        assert faults(made.schema, stored)
        with pytest.raises(InvalidValue, match=reason):
            made.decode(stored, NOWHERE)


def test_of_two_types_of_a_union_that_are_stored_alike_the_later_is_refused():
    with pytest.raises(InvalidValue, match="another type of the union"):
        codec(list[int] | Numbers).encode(Numbers([1]), NOWHERE)


@pytest.mark.parametrize(("annotation", "value"), MODELS, ids=lambda part: str(part)[:40])
def test_a_model_comes_back_as_it_was(annotation: Any, value: Any):
    comes_back(annotation, value)


@pytest.mark.parametrize(
    ("stored", "where", "reason"),
    [
        ({}, ("approved",), "this field is missing"),
        ({"approved": True, "score": -1}, ("score",), "must not be negative"),
        ({"approved": True, "inner": [{"value": "a"}]}, ("inner", 0, "value"), "Input should be"),
    ],
)
def test_a_fault_that_pydantic_finds_says_where_and_why(stored: Any, where: Any, reason: str):
    with pytest.raises(InvalidValue) as refused:
        codec(Review).decode(stored, NOWHERE)

    assert refused.value.faults[0].path[: len(where)] == where
    assert reason in refused.value.faults[0].reason


def test_what_only_python_can_check_is_said_to_need_it():
    assert codec(Review).needs_python
    assert faults(codec(Review).schema, {"approved": True, "score": -1}) == []


@pytest.mark.parametrize("value", [0, "5", True, None])
def test_a_constraint_is_checked_where_the_value_arises_without_turning_it_into_another(value: Any):
    made = codec(Annotated[int, Field(ge=1)])

    with pytest.raises(InvalidValue):
        made.encode(value, NOWHERE)
    assert made.encode(5, NOWHERE) == 5


def test_two_models_of_one_name_are_told_apart_in_one_schema():
    one = pydantic.create_model("Same", a=(int, ...))
    other = pydantic.create_model("Same", b=(str, ...))
    made = codec(tuple[one, other])  # type: ignore[valid-type]

    value = (one(a=1), other(b="x"))  # type: ignore[call-arg]
    assert made.decode(made.encode(value, NOWHERE), NOWHERE) == value
    assert faults(made.schema, [{"a": 1}, {"b": "x"}]) == []
    assert faults(made.schema, [{"b": "x"}, {"a": 1}])


class Changing(BaseModel):
    name: str = ""
    hidden: int = Field(default=0, exclude=True)
    secret: pydantic.SecretStr = pydantic.SecretStr("")
    anything: Any = None
    score: float = 0.0
    _note: str = pydantic.PrivateAttr(default="")

    @field_validator("name")
    @classmethod
    def strip(cls, name: str) -> str:
        return name.strip()


class Sub(Changing):
    pass


def noted() -> Changing:
    made = Changing()
    made._note = "mine"
    return made


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Changing.model_construct(name=" a "), "name: the text ' a ' would be read back as the text 'a'"),
        (Changing(hidden=1), "hidden: the number 1 would be read back as the number 0"),
        (Changing(secret=pydantic.SecretStr("a")), "secret: a SecretStr would be read back as a different one"),
        (Changing(anything=(1,)), "anything: a tuple would be read back as a list"),
        (Changing(anything={"at": datetime(2026, 1, 1)}), "anything.at: a datetime would be read back as a str"),
        (Changing(anything=datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))), "anything: a datetime"),
        (Changing(score=nan), "score: it could not be read back"),
        (Changing(anything=2**70), "anything: the number 1180591620717411303424 needs more than 64 bits"),
        (noted(), "_note: the text 'mine' would be read back as the text ''"),
        (Sub(), r"a Sub would be read back as a Changing: declare Sub, or the union Changing \| Sub"),
        (Review(approved=True, when=datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))), "when: .*: use .astimezone"),
        (Review(approved=True, inner=[Inner.model_construct(value=1.0)]), "inner"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_pydantic_would_read_back_as_another_is_refused(value: Any, reason: str):
    declared = Review if isinstance(value, Review) else Changing

    with pytest.raises(InvalidValue, match=reason):
        codec(declared).encode(value, NOWHERE)
    with pytest.raises(InvalidValue, match=rf"^\[0\].*{reason}"):
        codec(list[declared]).encode([value], NOWHERE)  # type: ignore[valid-type]


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Annotated[str, pydantic.StringConstraints(strip_whitespace=True)], " a "),
        (Annotated[int, pydantic.AfterValidator(lambda n: n + 1)], 1),
        (Annotated[list[str], pydantic.AfterValidator(sorted)], ["b", "a"]),
    ],
    ids=["strip", "add", "sort"],
)
def test_what_a_constraint_would_change_is_refused(annotation: Any, value: Any):
    with pytest.raises(InvalidValue, match="would be read back as"):
        codec(annotation).encode(value, NOWHERE)
