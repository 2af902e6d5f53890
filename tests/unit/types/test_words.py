"""What a schema asks for is said in the words of a person who is asked."""

from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field
from tests.unit.types.samples import Color, Point

from tidegate.types.registry import codec
from tidegate.types.schema import describe
from tidegate.types.values import Directory, File

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


def test_members_are_said_in_their_order_whatever_was_said_before():
    assert describe(codec(str | int).schema) == "text or a whole number"
    assert describe(codec(int | str).schema) == "a whole number or text"


@pytest.mark.parametrize(("annotation", "words"), WORDS, ids=lambda part: str(part)[:40])
def test_a_schema_is_said_in_words(annotation: Any, words: str) -> None:
    assert describe(codec(annotation).schema) == words
