"""What is said of a value that does not fit: where it stands, what it is, and never too much of it."""

from collections import OrderedDict
from typing import Any

import pytest

from tidegate.types.form import MAX_PATH, inside, invalid, misfit, name_of, one, type_name, wrong


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "nothing (null)"),
        (True, "true"),
        (1, "the number 1"),
        (-2.5, "the number -2.5"),
        (float("nan"), "NaN"),
        ("a", "the text 'a'"),
        ([1, 2], "a list of 2"),
        ({"a": 1}, "a dict of 1"),
        ((), "a tuple of 0"),
        (OrderedDict(a=1), "a OrderedDict of 1"),
        (object(), "an object"),
        (10**5000, "the number of very many digits"),
    ],
    ids=lambda part: type(part).__name__,
)
def test_a_value_is_named_briefly(value: Any, name: str):
    assert name_of(value) == name


def test_a_long_text_is_shown_by_its_beginning():
    assert len(name_of("x" * 10_000)) < 80


def test_each_place_around_a_fault_is_added_before_it():
    error = inside("a", inside(3, wrong("it is wrong")))

    assert str(error) == "a[3]: it is wrong"
    assert error.faults[0].path == ("a", 3)


def test_of_a_very_long_path_the_beginning_is_kept():
    error = wrong("it is wrong")
    for step in reversed(range(MAX_PATH + 5)):
        error = inside(step, error)

    assert error.faults[0].path == tuple(range(MAX_PATH))


def test_of_many_faults_five_are_told_and_all_are_there():
    faults = [fault for n in range(7) for fault in inside(n, wrong("wrong")).faults]
    error = invalid(faults)

    assert str(error).count("wrong") == 5
    assert str(error).endswith("and 2 more")
    assert len(error.faults) == 7


def test_what_was_expected_and_what_came_stand_side_by_side():
    assert str(misfit("a date", 5)) == "expected a date, got the number 5"
    assert (one("Options"), one("Point")) == ("an Options", "a Point")
    assert (type_name(int), type_name(dict[str, Any])) == ("int", "dict[str, Any]")
