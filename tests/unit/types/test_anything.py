"""An untyped value comes back as it was, or is refused where it would come back as something else."""

from collections import OrderedDict
from datetime import date
from enum import Enum
from math import inf
from typing import Any

import numpy as np
import pytest
from tests.unit.types.exact import NOWHERE, comes_back

from tidegate.errors import InvalidValue
from tidegate.types.registry import codec


class Level(int, Enum):
    LOW = 1


class Name(str):
    __slots__ = ()


class Color(Enum):
    RED = 1


PLAIN = [None, True, 1, 1.0, -0.0, inf, "1", "ü", [], {}, [1, [True, 1.0]], {"a": {"b": [None]}}]


@pytest.mark.parametrize("annotation", [Any, list[Any], dict[str, Any]], ids=str)
@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_what_json_can_say_comes_back_with_its_type(annotation: Any, value: Any):
    wrapped = {"k": value} if annotation == dict[str, Any] else [value]
    comes_back(annotation, value if annotation is Any else wrapped)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (np.float64(2.5), 2.5),
        (np.bool_(True), True),
    ],
    ids=repr,
)
def test_what_is_json_in_another_guise_is_stored_as_json(value: Any, stored: Any):
    assert codec(Any).encode(value, NOWHERE) == stored


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (date(2026, 1, 2), "would lose its type"),
        (Color.RED, "a Color inside an untyped value would lose its type"),
        ({1: "a"}, "a key of an untyped dict must be text, not the number 1"),
        ({True: "a"}, "must be text, not true"),
        ({"1": "a", 1: "b"}, "must be text, not the number 1"),
        ({"$blob": "x"}, "are reserved"),
        ({"a": [{"$float": "nan"}]}, r"a\[0\]: the keys"),
        ({1, 2}, "a set of 2 inside"),
        ((1, 2), "a tuple would be read back as a list: use a list, or declare its type"),
        ([{"a": (1,)}], r"\[0\].a: a tuple would be read back as a list"),
        (Level.LOW, "a Level would be read back as an int: use its .value, or declare Level"),
        (OrderedDict(a=1), r"an OrderedDict would be read back as a dict: use dict\(value\)"),
        ({Name("a"): 1}, "a Name would be read back as a str"),
        (Name("a"), r"a Name would be read back as a str: use str\(value\)"),
        (
            np.datetime64("2026-01-01", "ns"),
            "a datetime64 inside an untyped value would lose its type",
        ),
        (2**64, "more than 64 bits"),
    ],
    ids=repr,
)
def test_what_would_come_back_as_something_else_is_refused(value: Any, reason: str):
    with pytest.raises(InvalidValue, match=reason):
        codec(Any).encode(value, NOWHERE)
