"""What may flow where, what surely may not, and what stands at a path."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from pydantic import Field
from tests.unit.types.samples import Color, Options, Pair, Point, Review, Size, Tree

from tidegate.errors import CompileError
from tidegate.types.registry import codec
from tidegate.types.schema import at_path, can_flow
from tidegate.types.values import Directory, File

FLOWS = [
    (int, float), (int, Optional[int]), (Optional[int], int), (int, Any), (Any, int), (Color, str), (str, Color),
    (list[int], list[float]), (Tree, Tree), (Tree, Optional[Tree]), (Point, dict), (dict, Point),
    (tuple[int, int], list[int]), (list, list[int]), (int, Union[str, int]),
    (Union[int, str], Union[str, bytes]), (File, Optional[File]), (File, Any), (Pair, Pair), (None, Optional[int]),
    (list[Tree], list[Optional[Tree]]), (Review, Review), (Literal["red"], Color), (date, str), (str, date),
    (dict[str, int], dict[int, float]), (bytes, bytes), (Annotated[int, Field(ge=1)], int),
]  # fmt: skip
BLOCKED = [
    (float, int, "it is a number, but a whole number is expected"),
    (str, int, "it is text, but a whole number is expected"),
    (bool, int, "it is yes or no"),
    (int, bool, "yes or no is expected"),
    (None, int, "it is nothing"),
    (Optional[str], int, "it is text"),
    (int, Union[str, bool], "text or yes or no is expected"),
    (Color, Size, "one of: big is expected"),
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
    (str, File, "a file is expected"),
    (File, Directory, "a directory is expected"),
    (Optional[File], Directory, "a directory is expected"),
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
