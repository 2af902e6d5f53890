"""What a person types is read by the type that is asked for, and a value is shown as a person would read it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any, Literal, Optional, Union

import pytest

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import InvalidValue
from tidegate.types.registry import codec
from tidegate.types.text import parse, show
from tidegate.types.values import Directory, File

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


class Color(Enum):
    RED = "low"
    GREEN = "high"


class Level(IntEnum):
    LOW = 10
    HIGH = 20


@dataclass
class Point:
    x: int


TYPED = [
    (bool, "yes", True), (bool, "N", False), (bool, "on", True), (bool, "0", False), (bool, " True ", True),
    (int, " 7 ", 7), (int, "-3", -3), (float, "1", 1.0), (float, "1e3", 1000.0),
    (str, "", ""), (str, " a ", " a "), (str, "null", "null"), (str, "5", "5"),
    (Optional[str], "", None), (Optional[str], "null", None), (Optional[str], '""', ""),
    (Optional[str], '"null"', "null"), (Optional[str], "x", "x"), (Optional[int], "", None), (Optional[int], "3", 3),
    (Color, "high", "high"), (Color, "GREEN", "high"), (Color, "green", "high"),
    (Level, "20", 20), (Level, "high", 20), (Literal["a", 3], "3", 3),
    (date, "today", "2026-11-23"), (date, "2026-01-02", "2026-01-02"),
    (datetime, "now", "2026-11-23T09:30:00+00:00"), (datetime, "today", "2026-11-23T00:00:00+00:00"),
    (datetime, "2026-01-02", "2026-01-02T00:00:00"),
    (datetime, "2026-01-02 10:00", "2026-01-02T10:00:00"),
    (datetime, "2026-01-02T10:00:00+02:00", "2026-01-02T08:00:00+00:00"),
    (timedelta, "90", "PT1M30S"), (timedelta, "10 minutes", "PT10M"), (timedelta, "1h30m", "PT1H30M"),
    (timedelta, "PT1H", "PT1H"), (timedelta, "pt0.5s", "PT0.5S"), (timedelta, "1 day and 2 hours", "P1DT2H"),
    (timedelta, "1 day, 2 hours", "P1DT2H"), (timedelta, "1:30:00", "PT1H30M"), (timedelta, "-5s", "-PT5S"),
    (timedelta, "2 weeks", "P14D"), (timedelta, "250ms", "PT0.25S"),
    (time, "14:30", "14:30"), (Decimal, " 12.50 ", "12.50"),
    (list[int], "[1, 2]", [1, 2]), (list[int], "1, 2", [1, 2]), (list[float], "1.5", [1.5]), (list[str], "[]", []), (dict, '{"a": 1}', {"a": 1}), (Point, '{"x": 1}', {"x": 1}),
    (Any, "1", 1), (Any, "words", "words"), (Any, "[1]", [1]), (None, "", None),
    (Union[int, str], "5", 5), (Union[int, str], "x", "x"), (Union[int, bool], "yes", True),
    (list[bool], "no, yes", [False, True]), (list[bool], "1, 0", [True, False]), (list[bool], "yes", [True]),
    (list[Color], "low, GREEN", ["low", "high"]), (list[date], "today, 2026-01-02", ["2026-11-23", "2026-01-02"]),
    (list[timedelta], "90, 1 hour", ["PT1M30S", "PT1H"]), (tuple[int, bool], "1, yes", [1, True]),
    (list[Optional[int]], "1, null", [1, None]),
    (Union[bool, str], "1", "1"), (Union[bool, str], "yes", True), (Union[bool, str], "on", "on"), (Union[bool, int], "1", 1),
    (Union[float, int], "1", 1), (Union[float, int], "1.0", 1.0), (Union[bool, float], "0", 0.0),
    (float, "-0.0", -0.0), (float, "-0", -0.0), (float, ".5", 0.5), (float, "1.", 1.0), (int, "\u22123", -3), (int, "007", 7),
    (int | Point, '{"x": 2}', {"x": 2}), (list[str] | None, "", None), (date | str, "2026-01-02", "2026-01-02"),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "text", "value"), TYPED, ids=lambda part: str(part)[:30])
def test_what_is_typed_becomes_the_value_that_is_meant(
    annotation: Any, text: str, value: Any
) -> None:
    found = parse(codec(annotation).schema, text, now=NOW)

    assert (found, repr(found)) == (value, repr(value))


MISTYPED = [
    (bool, "maybe", "expected yes or no, got 'maybe'"),
    (bool, "", "expected yes or no"),
    (int, "1.5", "expected a whole number"),
    (int, "9" * 25, "more than 64 bits"),
    (float, "nan", "expected a number"),
    (float, "inf", "expected a number"),
    (int, "1_000", "expected a whole number, got '1_000'"),
    (int, "\u0663", "expected a whole number"),
    (int, "0x10", "expected a whole number"),
    (int, "9" * 5_000, "expected a whole number"),
    (float, "1_000.5", "expected a number"),
    (float, "\u0663.5", "expected a number"),
    (float, "0x10", "expected a number"),
    (float, "infinity", "expected a number"),
    (float, "1" * 30, "needs more than 64 bits"),
    (float, "1e999", "expected a number"),
    (list[bool], "no, maybe", "[1]: expected yes or no, got 'maybe'"),
    (list[bool], "maybe", "expected a list of yes-or-no values, as JSON like [true, true]"),
    (tuple[int, bool], "1, yes, 2", "expected a list of 2"),
    (Union[bool, int], "on", "expected"),
    (Optional[int], "x", "expected a whole number"),
    (Color, "blue", "expected one of: low, high, got 'blue'"),
    (Color, "3", "expected one of: low, high"),
    (date, "23.11.2026", "expected a date (2026-11-23)"),
    (datetime, "soon", "expected a date and time"),
    (timedelta, "soon", "such as 90 (seconds), 10 minutes, 1h30m or PT1H30M"),
    (timedelta, "", "expected a duration"),
    (list[int], "1 2", "expected a list of whole numbers, as JSON like [1, 1]"),
    (list[str], "a, b", 'expected a list of texts, as JSON like ["text", "text"]'),
    (bytes, "hello!", "expected bytes, as base64, got the text 'hello!'"),
    (list[int], '[1, "a"]', "[1]: expected a whole number"),
    (Point, "{}", "x: this field is missing"),
    (Point, "x=1", 'as JSON like {"x": 1}'),
    (int | Point, "z", "expected a whole number or an object (Point)"),
    (File, "x.csv", "cannot be given as text here"),
    (str, "\ud800", "not valid Unicode"),
]


@pytest.mark.parametrize(("annotation", "text", "reason"), MISTYPED, ids=lambda p: ascii(p)[:30])
def test_what_is_mistyped_is_refused_with_what_would_be_right(
    annotation: Any, text: str, reason: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse(codec(annotation).schema, text, now=NOW)

    assert reason in str(caught.value)


def test_now_is_not_understood_without_a_clock() -> None:
    with pytest.raises(InvalidValue, match="expected a date and time"):
        parse(codec(datetime).schema, "now")


def test_a_typed_path_becomes_a_blob(tmp_path: Path) -> None:
    blobs = BlobFiles(BlobDirectory(tmp_path / "blobs", sync=False))
    (tmp_path / "a.txt").write_text("hello")

    file = parse(codec(File).schema, str(tmp_path / "a.txt"), blobs=blobs)
    directory = parse(codec(Optional[Directory]).schema, str(tmp_path), blobs=blobs)

    assert blobs.get(file["$blob"]) == b"hello"
    assert directory["name"] == tmp_path.name
    with pytest.raises(InvalidValue, match="there is no file at nowhere"):
        parse(codec(File).schema, "nowhere", blobs=blobs)


SHOWN = [
    (str, "two\nlines", "two\nlines"),
    (str, "\x1b[31mred\x07", "‹U+001B›[31mred‹U+0007›"),
    (bool, True, "yes"),
    (Any, True, "true"),
    (Optional[int], None, "null"),
    (int, 5, "5"),
    (float, 2.5, "2.5"),
    (float, float("nan"), "nan"),
    (list[int], [1, 2], "[1, 2]"),
    (dict, {"a": "ü"}, '{"a": "ü"}'),
    (list[str], ["x" * 50, "y" * 50], f'[\n  "{"x" * 50}",\n  "{"y" * 50}"\n]'),
]


@pytest.mark.parametrize(("annotation", "value", "text"), SHOWN, ids=lambda part: ascii(part)[:30])
def test_a_value_is_shown_for_people(annotation: Any, value: Any, text: str) -> None:
    made = codec(annotation)

    assert show(made.schema, made.encode(value, BlobFiles(BlobDirectory("unused")))) == text


def test_a_blob_is_shown_by_its_name_and_size(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    made = codec(dict[str, File])

    stored = made.encode(
        {"report": File(tmp_path / "a.txt")}, BlobFiles(BlobDirectory(tmp_path / "blobs"))
    )

    assert show(made.schema, stored) == '{"report": "<a.txt, 5 bytes>"}'
