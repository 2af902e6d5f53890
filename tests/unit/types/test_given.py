"""An answer from a program, whose type nobody has said, is stored as its own type would store it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

import pytest
from tests.unit.types.exact import NOWHERE

from tidegate.errors import InvalidValue
from tidegate.types.given import stored


class Color(Enum):
    RED = "red"


class Pair(NamedTuple):
    left: int
    right: str


@dataclass
class Point:
    x: int
    when: date


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (date(2026, 1, 2), "2026-01-02"),
        (timedelta(minutes=90), "PT1H30M"),
        (Color.RED, "red"),
        (Pair(1, "a"), {"left": 1, "right": "a"}),
        ([date(2026, 1, 2), 1], ["2026-01-02", 1]),
        ({"at": datetime(2026, 1, 2, tzinfo=UTC)}, {"at": "2026-01-02T00:00:00+00:00"}),
        ({1: date(2026, 1, 2)}, {"1": "2026-01-02"}),
        ({date(2026, 1, 2): [Point(1, date(2026, 1, 3))]}, {"2026-01-02": [{"x": 1, "when": "2026-01-03"}]}),
        ({3}, [3]),
        (b"abc", "YWJj"),
    ],
    ids=str,
)  # fmt: skip
def test_each_part_is_stored_by_its_own_type(value: Any, expected: Any):
    assert stored(value, NOWHERE) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "the type object cannot be stored"),
        ([object()], "the type object cannot be stored"),
        ({1.5: date(2026, 1, 2)}, "a key of a dict must be a string, an integer or a date"),
        ({True: date(2026, 1, 2)}, "a key of a dict must be a string"),
        (2**64, "more than 64 bits"),
    ],
    ids=["object", "inside", "float key", "bool key", "int"],
)
def test_what_cannot_be_stored_is_refused(value: Any, reason: str):
    with pytest.raises(InvalidValue, match=reason):
        stored(value, NOWHERE)
