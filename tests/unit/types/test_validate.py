"""A value is taken if and only if it fits its schema, and each fault says where and why."""

import sys
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import pytest
from pydantic import Field
from tests.unit.types.samples import Color, Options, Pair, Point, Review, Tree

from tidegate.types.registry import codec
from tidegate.types.schema import faults
from tidegate.types.values import File

ANSWERS = [
    (int, [1, -5, 2.0], ["1", True, 1.5, None, 2**64, []]),
    (float, [1, 2.5], ["1", True, float("nan"), float("inf"), {"$float": "nan"}]),
    (bool, [True, False], [0, 1, "true", None]),
    (str, ["", "ü"], [5, None, "\ud800"]),
    (Optional[int], [None, 3], ["", "3"]),
    (Color, ["red"], ["RED", "blue", 1]),
    (Literal[1, "a"], [1, "a"], [True, "1", "b"]),
    (date, ["2026-11-23"], ["2026-13-01", "23.11.2026", "2026-11-23T00:00:00Z", 5]),
    (datetime, ["2026-11-23T09:00:00Z", "2026-11-23T09:00:00.5+02:00", "2026-11-23T09:00:00"], ["2026-11-23", "now"]),
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
    (Point, {"x": "1", "z": 2}, {("x",): "expected a whole number", ("z",): "unknown field"}),
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


def test_a_field_may_have_the_name_of_a_keyword() -> None:
    @dataclass
    class Settings:
        default: Tree
        enum: Tree

    fits = {"value": 1, "children": []}

    assert faults(codec(Settings).schema, {"default": fits, "enum": fits}) == []
    assert faults(codec(Settings).schema, {"default": 1, "enum": fits})
