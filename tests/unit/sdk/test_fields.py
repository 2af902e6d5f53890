"""An answer of several parts is asked for field by field; Enter takes what is suggested, and JSON is still taken."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Literal, NamedTuple, NotRequired, Optional, TypedDict, Union

import pydantic
import pytest
from msgspec import UNSET

from tidegate import NoAnswer
from tidegate.sdk.ask import Query, ask
from tidegate.sdk.fields import is_composite
from tidegate.types.registry import codec

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@dataclass
class Address:
    street: str
    zip: int = 10115


@dataclass
class Order:
    name: str
    size: Size
    count: int = 1
    when: Optional[date] = None
    tags: list[str] = field(default_factory=list)
    address: Address = field(default_factory=lambda: Address("Main", 1))


class Point(NamedTuple):
    x: int
    y: int = 2


class Loose(TypedDict):
    title: str
    note: NotRequired[str]


@dataclass
class Circle:
    radius: float


@dataclass
class Square:
    side: float


@dataclass
class Tagged:
    kind: Literal["fixed"]
    text: str


class Model(pydantic.BaseModel):
    age: int = pydantic.Field(ge=0)
    nick: str = "none"


@dataclass
class Tree:
    label: str
    children: "list[Tree]" = field(default_factory=list)


class Person:
    """Types lines at a prompt."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.said = ""

    def read(self) -> str:
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)

    def write(self, text: str) -> None:
        self.said += text

    def asked(self, annotation: Any, suggested: Any = UNSET) -> Any:
        schema = codec(annotation).schema
        query = Query(name="q", kind="input", schema=schema, suggested=suggested, by_field=True)
        value = ask(query, self.read, self.write, now=NOW)
        assert self.lines == [], "lines are left"
        return value


ADDRESS = {"street": "Main", "zip": 1}
ANSWERS = [
    (Address, ["Elm", "7"], {"street": "Elm", "zip": 7}),
    (Address, ["Elm", ""], {"street": "Elm", "zip": 10115}),
    (Order, ["Ann", "LARGE", "", "", "", "", ""],
     {"name": "Ann", "size": "large", "count": 1, "when": None, "tags": [], "address": ADDRESS}),
    (Order, ["Ann", "small", "3", "today", '["a", "b"]', "Elm", "5"],
     {"name": "Ann", "size": "small", "count": 3, "when": "2026-11-23", "tags": ["a", "b"],
      "address": {"street": "Elm", "zip": 5}}),
    (Point, ["1", ""], {"x": 1, "y": 2}),
    (Loose, ["t", ""], {"title": "t"}),
    (Loose, ["t", "n"], {"title": "t", "note": "n"}),
    (tuple[int, str], ["1", "a"], [1, "a"]),
    (list[Point], ["yes", "1", "", "yes", "3", "4", ""], [{"x": 1, "y": 2}, {"x": 3, "y": 4}]),
    (list[Point], [""], []),
    (Optional[Point], ["no"], None),
    (Optional[Point], ["yes", "1", ""], {"x": 1, "y": 2}),
    (Union[Circle, Square], ["Square", "2"], {"side": 2.0}),
    (Union[Circle, Square, None], ["nothing"], None),
    (Tagged, ["hi"], {"kind": "fixed", "text": "hi"}),
    (Model, ["3", ""], {"age": 3, "nick": "none"}),
    (Tree, ["root", "yes", "leaf", "", ""], {"label": "root", "children": [{"label": "leaf", "children": []}]}),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "lines", "value"), ANSWERS, ids=lambda part: str(part)[:40])
def test_each_field_is_asked_for(annotation: Any, lines: list[str], value: Any):
    assert Person(*lines).asked(annotation) == value


WHOLE = [
    (Address, ['{"street": "Elm", "zip": 7}'], {"street": "Elm", "zip": 7}),
    (Order, ["Ann", "small", "", "", "", '{"street": "Elm"}'],
     {"name": "Ann", "size": "small", "count": 1, "when": None, "tags": [], "address": {"street": "Elm"}}),
    (tuple[int, str], ['[1, "a"]'], [1, "a"]),
    (list[Point], ['[{"x": 1}]'], [{"x": 1}]),
    (Optional[Point], ['{"x": 1}'], {"x": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "lines", "value"), WHOLE, ids=lambda part: str(part)[:40])
def test_json_is_taken_for_all_of_it_where_it_begins(annotation: Any, lines: list[str], value: Any):
    assert Person(*lines).asked(annotation) == value


def test_a_text_that_looks_like_json_and_is_not_the_whole_is_the_text():
    assert Person("{x}", "1").asked(Address) == {"street": "{x}", "zip": 1}


def test_enter_takes_what_is_suggested_and_shows_it():
    person = Person("", "")
    suggested = {"street": "Elm", "zip": 9}

    assert person.asked(Address, suggested) == suggested
    assert "street (text) [Elm]> " in person.said
    assert "zip (a whole number) [9]> " in person.said


def test_one_field_of_a_suggestion_is_changed():
    assert Person("", "5").asked(Address, {"street": "Elm", "zip": 9}) == {
        "street": "Elm",
        "zip": 5,
    }


def test_the_items_that_are_suggested_are_kept_by_enter():
    suggested = [{"x": 1, "y": 5}, {"x": 2, "y": 6}]

    assert Person("", "", "", "", "", "7", "").asked(list[Point], suggested) == [
        {"x": 1, "y": 5}, {"x": 2, "y": 7},
    ]  # fmt: skip


def test_an_empty_text_is_typed_with_quotes():
    assert Person('""', "").asked(Address, {"street": "Elm", "zip": 9})["street"] == ""


def test_a_field_that_does_not_fit_is_asked_for_again_and_the_others_are_kept():
    person = Person("Elm", "x", "7")

    assert person.asked(Address) == {"street": "Elm", "zip": 7}
    assert "  expected a whole number, got 'x'\n" in person.said


def test_what_a_field_demands_is_checked_when_all_is_there():
    person = Person("-1", "", "1", "")

    assert person.asked(Model) == {"age": 1, "nick": "none"}
    assert "age" in person.said


def test_one_goes_back_and_loses_nothing_but_the_field():
    person = Person("Ann", "small", "?back", "?back", "Bob", "large", "", "", "", "", "")

    assert (found := person.asked(Order)) == {**found, "name": "Bob", "size": "large"}


def test_before_the_first_field_there_is_nothing_to_go_back_to():
    assert Person("?back", "Elm", "").asked(Address)["street"] == "Elm"


def test_at_the_end_of_input_nothing_is_answered():
    with pytest.raises(NoAnswer):
        Person("Elm").asked(Address)


def test_what_a_stranger_suggests_reaches_no_terminal():
    person = Person("", "")
    person.asked(Address, {"street": "a\x1b[2J\u202e", "zip": 1})

    assert person.said.replace("\n", "").isprintable()


def test_where_nobody_sits_one_line_is_the_answer():
    person = Person('{"street": "Elm"}')
    query = Query(name="q", kind="input", schema=codec(Address).schema)

    assert ask(query, person.read, person.write, now=NOW) == {"street": "Elm"}


@pytest.mark.parametrize(
    "annotation",
    [int, str, bool, list[int], dict[str, int], Size, Optional[int], date, Any, bytes, dict],
)
def test_what_has_no_parts_is_one_line(annotation: Any):
    assert not is_composite(codec(annotation).schema)
