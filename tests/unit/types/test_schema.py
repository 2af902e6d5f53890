"""Schemas say exactly what may be answered, in words too; they say what may flow where, and what stands at a path."""

import sys
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypedDict, Union
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from tidegate.errors import CompileError
from tidegate.types.registry import codec
from tidegate.types.schema import at_path, can_flow, describe, faults
from tidegate.types.values import Directory, File


class Color(Enum):
    RED = "red"
    GREEN = "green"


class Size(Enum):
    BIG = "big"


@dataclass
class Point:
    x: int
    y: float = 0.0


@dataclass
class Tree:
    value: int
    children: list["Tree"]
    point: Point | None = None


class Pair(NamedTuple):
    left: int
    right: str = ""


class Options(TypedDict):
    name: str


class Review(BaseModel):
    approved: bool
    points: list[Point] = []


ANSWERS = [
    (int, [1, -5, 2.0], ["1", True, 1.5, None, 2**64, []]),
    (float, [1, 2.5], ["1", True, float("nan"), float("inf"), {"$float": "nan"}]),
    (bool, [True, False], [0, 1, "true", None]),
    (str, ["", "ü"], [5, None, "\ud800"]),
    (Optional[int], [None, 3], ["", "3"]),
    (Color, ["red"], ["RED", "blue", 1]),
    (Literal[1, "a"], [1, "a"], [True, "1", "b"]),
    (date, ["2026-11-23"], ["2026-13-01", "23.11.2026", "2026-11-23T00:00:00Z", 5]),
    (datetime, ["2026-11-23T09:00:00Z", "2026-11-23T09:00:00.5+02:00"], ["2026-11-23T09:00:00", "now"]),
    (time, ["14:30", "14:30:00.5"], ["25:00", "14"]),
    (timedelta, ["PT1.5S", "P1DT2H", "-PT5S", "P2W"], ["P1Y", "P1M", "PT", "P", "1h", 90]),
    (Decimal, ["12.50", "-3"], ["NaN", "Infinity", "x", 1.5]),
    (UUID, ["12345678-1234-5678-1234-567812345678"], ["12345678"]),
    (bytes, ["YWJj", ""], ["***", 5]),
    (list[int], [[], [1, 2]], [[1, "a"], {}, "[]", None]),
    (tuple[int, str], [[1, "a"]], [[1], [1, "a", 2], ["a", 1]]),
    (dict[int, str], [{"1": "a"}, {}], [{"a": "b"}, {"01": "b"}, {"1": 2}]),
    (dict[Color, int], [{"red": 1}], [{"blue": 1}]),
    (Point, [{"x": 1}, {"x": 1, "y": 2}], [{}, {"x": "1"}, {"x": 1, "z": 2}, [1, 2], None]),
    (Pair, [{"left": 1}], [[1, "a"], {"left": 1, "other": 2}]),
    (Options, [{"name": "a"}], [{}, {"name": "a", "more": 1}]),
    (Review, [{"approved": True, "points": [{"x": 1}]}], [{"approved": "maybe"}, {"points": []}]),
    (Tree, [{"value": 1, "children": [{"value": 2, "children": []}]}], [{"value": 1, "children": [{}]}]),
    (Annotated[int, Field(ge=1, le=5)], [1, 5], [0, 6]),
    (Union[int, list[str]], [1, ["a"]], ["a", [1]]),
    (Any, [None, 1, "a", {"a": [1]}], [{"a": float("nan")}, object(), {1: "a"}]),
    (File, [{"$blob": "0" * 64}, {"$uri": "https://a.b/c"}], ["x.csv", {}, {"$uri": "file:///etc"}, {"$blob": "../x"}]),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "good", "bad"), ANSWERS, ids=lambda part: ascii(part)[:30])
def test_an_answer_is_taken_if_and_only_if_it_fits(
    annotation: Any, good: list[Any], bad: list[Any]
) -> None:
    schema = codec(annotation).schema

    assert [value for value in good if faults(schema, value)] == []
    assert [value for value in bad if not faults(schema, value)] == []


FAULTS = [
    (Point, {"x": "1", "z": 2}, {("x",): "expected a whole number", ("z",): "no such field"}),
    (Point, {}, {("x",): "this field is missing"}),
    (Tree, {"value": 1, "children": [{"value": "a", "children": []}]}, {("children", 0, "value"): "whole number"}),
    (Optional[int], "a", {(): "expected a whole number, or nothing, got the text 'a'"}),
    (Optional[Point], {"x": "a"}, {("x",): "expected a whole number"}),
    (Color, "blue", {(): "expected one of: red, green, got the text 'blue'"}),
    (date, "tomorrow", {(): "expected a date (2026-11-23), got the text 'tomorrow'"}),
    (dict[int, int], {"1": "a"}, {("1",): "expected a whole number"}),
    (Annotated[int, Field(ge=2)], 1, {(): "must be at least 2, got the number 1"}),
    (Annotated[str, Field(max_length=2)], "abc", {(): "must have at most 2 characters"}),
    (list[float], [1, float("nan")], {(1,): "must be finite"}),
    (dict, {"a": {1: 2}}, {("a",): "a key must be text"}),
    (str, "x" * 2_000_000, {(): "more than 1,048,576 bytes"}),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "expected"), FAULTS, ids=lambda p: ascii(p)[:30])
def test_each_fault_says_where_and_why(
    annotation: Any, value: Any, expected: dict[tuple[str | int, ...], str]
) -> None:
    found = {fault.path: fault.reason for fault in faults(codec(annotation).schema, value)}

    assert found.keys() == expected.keys()
    assert [path for path, reason in expected.items() if reason not in found[path]] == []


def test_a_value_of_any_depth_is_refused_in_words() -> None:
    value: Any = []
    for _ in range(sys.getrecursionlimit() // 2):
        value = [value]

    assert "nested more than 64 deep" in faults({}, value)[0].reason


def test_a_pattern_that_only_python_understands_does_not_stop_the_check() -> None:
    schema = {"type": "string", "pattern": "(?P<a>x)(?(a)y|z)"}

    assert faults(schema, "xy") == []
    assert faults(schema, 5)


WORDS = [
    (str, "text"),
    (int, "a whole number"),
    (float, "a number"),
    (bool, "yes or no"),
    (None, "nothing"),
    (Any, "any value"),
    (date, "a date (2026-11-23)"),
    (Color, "one of: red, green"),
    (Literal[True, 3, None], "one of: yes, 3, null"),
    (list[int], "a list of whole numbers"),
    (list, "a list"),
    (list[list[float]], "a list of lists"),
    (list[Color], "a list, each one of: red, green"),
    (list[date], "a list of dates"),
    (tuple[int, str], "a list of 2: a whole number, text"),
    (dict, "an object"),
    (dict[str, float], "an object of numbers"),
    (Point, "an object (Point) with x (a whole number), y (optional; a number)"),
    (list[Point], "a list of Point objects"),
    (int | str | None, "a whole number or text, or nothing"),
    (Annotated[int, Field(ge=1, le=5)], "a whole number, at least 1, at most 5"),
    (File, "a file"),
    (list[Directory], "a list of directories"),
    (bytes, "bytes, as base64"),
]


@pytest.mark.parametrize(("annotation", "words"), WORDS, ids=lambda part: str(part)[:40])
def test_a_schema_is_said_in_words(annotation: Any, words: str) -> None:
    assert describe(codec(annotation).schema) == words


FLOWS = [
    (int, float), (int, Optional[int]), (Optional[int], int), (int, Any), (Any, int), (Color, str), (str, Color),
    (list[int], list[float]), (Tree, Tree), (Tree, Optional[Tree]), (Point, dict), (dict, Point),
    (tuple[int, int], list[int]), (list, list[int]), (int, Union[str, int]),
    (Union[int, str], Union[str, bytes]), (File, Optional[File]), (File, Any), (Pair, Pair), (None, Optional[int]),
    (list[Tree], list[Optional[Tree]]), (Review, Review), (Literal["red"], Color), (date, str), (str, date),
    (dict[str, int], dict[int, float]), (bytes, bytes), (Annotated[int, Field(ge=1)], int),
]  # fmt: skip
BLOCKED = [
    (float, int, "it is a number, and a whole number is wanted"),
    (str, int, "it is text, and a whole number is wanted"),
    (bool, int, "it is yes or no"),
    (int, bool, "yes or no is wanted"),
    (None, int, "it is nothing"),
    (Optional[str], int, "it is text"),
    (int, Union[str, bool], "text or yes or no is wanted"),
    (Color, Size, "one of: big is wanted"),
    (date, timedelta, "a duration"),
    (list[str], list[int], "its items: it is text"),
    (list[int], int, "a list of whole numbers"),
    (tuple[int, str], tuple[int, int], "item 1: it is text"),
    (tuple[int, int], tuple[int, int, int], "a list of 3"),
    (dict[str, str], dict[str, int], "its values: it is text"),
    (dict[str, str], Point, "field 'x': it is text"),
    (Point, Tree, "the field 'value' is missing in an object (Point)"),
    (Tree, Point, "the field 'x' is missing"),
    (Pair, Options, "'name' is missing"),
    (File, str, "it is a file"),
    (str, File, "a file is wanted"),
    (File, Directory, "a directory is wanted"),
    (Optional[File], Directory, "a directory is wanted"),
    (list[File], list[str], "its items: it is a file"),
    (bytes, str, "bytes"),
]


@pytest.mark.parametrize(("source", "target"), FLOWS, ids=lambda part: str(part)[:30])
def test_what_may_fit_flows(source: Any, target: Any) -> None:
    assert can_flow(codec(source).schema, codec(target).schema) is None


@pytest.mark.parametrize(("source", "target", "reason"), BLOCKED, ids=lambda part: str(part)[:30])
def test_what_surely_does_not_fit_is_blocked_with_the_reason(
    source: Any, target: Any, reason: str
) -> None:
    assert reason in (can_flow(codec(source).schema, codec(target).schema) or "")


PATHS = [
    (Point, ("x",), int),
    (Tree, ("children", 0, "children", 5, "value"), int),
    (Tree, ("children",), list[Tree]),
    (Optional[Point], ("y",), float),
    (Review, ("points", 0, "x"), int),
    (tuple[int, str], (1,), str),
    (tuple[int, str], (-1,), str),
    (list[str], (-1,), str),
    (dict[str, list[int]], ("a", 0), int),
    (Pair, ("left",), int),
    (Any, ("a", 0), Any),
    (dict, ("a", "b"), Any),
    (Point, (), Point),
]


@pytest.mark.parametrize(("annotation", "path", "found"), PATHS, ids=lambda part: str(part)[:30])
def test_the_schema_at_a_path_is_that_of_what_stands_there(
    annotation: Any, path: tuple[str | int, ...], found: Any
) -> None:
    schema = {
        k: v
        for k, v in at_path(codec(annotation).schema, path).items()
        if k not in ("default", "title")
    }

    assert schema == {k: v for k, v in codec(found).schema.items() if k != "title"}
    assert can_flow(schema, codec(found).schema) is None


ASTRAY = [
    (Point, ("z",), "Point has no field 'z': it has x, y"),
    (Tree, ("children", 0, "z"), "Tree has no field 'z': it has value, children, point"),
    (Point, (0,), "Point has no item 0"),
    (int, ("a",), "a whole number has no field 'a'"),
    (str, (0,), "text has no item 0"),
    (list[int], ("a",), "has no field 'a', only positions"),
    (tuple[int, str], (2,), "has no item 2"),
    (File, ("path",), "a file has no field 'path': use it in a task"),
    (dict[Color, int], ("blue",), "its keys are red, green"),
    (Optional[Point], ("z",), "Point has no field 'z'"),
]


@pytest.mark.parametrize(("annotation", "path", "reason"), ASTRAY, ids=lambda part: str(part)[:30])
def test_a_path_that_leads_nowhere_is_refused_with_what_there_is(
    annotation: Any, path: tuple[str | int, ...], reason: str
) -> None:
    with pytest.raises(CompileError) as caught:
        at_path(codec(annotation).schema, path)

    assert reason in str(caught.value)


def test_a_field_may_have_the_name_of_a_keyword() -> None:
    @dataclass
    class Settings:
        default: Tree
        enum: Tree

    fits = {"value": 1, "children": []}

    assert faults(codec(Settings).schema, {"default": fits, "enum": fits}) == []
    assert faults(codec(Settings).schema, {"default": 1, "enum": fits})
