"""Single values: each comes back as what it was, and 1, True and 1.0 are three values."""

import enum
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Literal, Optional

import numpy as np
import pandas as pd
import pytest
from msgspec import structs
from tests.unit.types.exact import NOWHERE, comes_back, is_refused, planted

from tidegate.errors import InvalidValue, UnsupportedType
from tidegate.types.builtin import enum_form, literal_form
from tidegate.types.form import Form
from tidegate.types.registry import codec


class Grade(enum.Enum):
    WHOLE = 1
    TEXT = "1"
    NO = False
    HALF = 0.5


class Level(enum.IntEnum):
    LOW = 0
    HIGH = 1


LITERALS = [
    Literal[1, True],
    Literal[True, 1],
    Literal[0, False, "0", None],
    Literal[False, None, 0, ""],
    Literal["1", 1, "True", True],
]


def members_come_back(literal: Any) -> None:
    members = literal.__args__
    for member in members:
        comes_back(literal, member)
        comes_back(Optional[literal], member)
    comes_back(list[literal], list(members))
    comes_back(dict[str, literal], {repr(member): member for member in members})


@pytest.mark.parametrize("literal", LITERALS, ids=str)
def test_each_member_of_a_literal_comes_back_with_its_type(literal):
    members_come_back(literal)


@pytest.mark.parametrize("given", [1.0, "1", Level.HIGH, None, 2])
def test_what_equals_a_member_and_is_of_another_type_is_not_a_member(given):
    with pytest.raises(InvalidValue):
        codec(Literal[1, True]).encode(given, NOWHERE)


def test_a_literal_with_two_members_that_are_stored_alike_is_refused():
    with pytest.raises(UnsupportedType, match="two of its members are stored in the same way"):
        codec(Literal[1, True, Level.HIGH])


@pytest.mark.parametrize("annotation", [Literal[1], Literal["1", 1], Grade])
def test_true_is_not_an_answer_where_one_is_meant(annotation):
    is_refused(annotation, True, True, "expected")


@pytest.mark.parametrize("kind", [Grade, Level])
def test_each_member_of_an_enum_comes_back(kind):
    for member in kind:
        comes_back(kind, member)
    comes_back(dict[str, list[kind]], {"all": list(kind)})


@pytest.mark.parametrize(
    ("annotation", "value", "stored"),
    [(int, True, True), (float, False, False), (bool, 1, 1), (bool, 0.0, 0.0), (None, 0, 0)],
)
def test_no_value_is_taken_for_one_that_equals_it(annotation, value, stored):
    is_refused(annotation, value, stored, "expected")


class Word(str):
    __slots__ = ()


class Code(int):
    pass


class Ratio(float):
    pass


class Price(Decimal):
    pass


class Shade(enum.StrEnum):
    DARK = "dark"


PRETENDERS = [
    (str, Word("a"), r"a Word would be read back as a str: use str\(value\)"),
    (str, np.str_("a"), "a str_ would be read back as a str"),
    (str, Shade.DARK, "a Shade would be read back as a str: use its .value, or declare Shade"),
    (int, Code(1), r"a Code would be read back as an int: use int\(value\)"),
    (int, Level.HIGH, "a Level would be read back as an int: use its .value, or declare Level"),
    (int, np.datetime64("2026-01-01", "ns"), "expected a whole number"),
    (int, np.timedelta64(1, "ns"), "expected a whole number"),
    (float, Ratio(1.5), "a Ratio would be read back as a float"),
    (float, Level.HIGH, "a Level would be read back as an int"),
    (float, 2**53 + 1, "the number 9007199254740993 would be read back as 9007199254740992.0: declare int or Decimal"),
    (bytes, bytearray(b"a"), r"a bytearray would be read back as a bytes: use bytes\(value\)"),
    (bytes, memoryview(b"a"), "a memoryview would be read back as a bytes"),
    (Decimal, Price(1), "a Price would be read back as a Decimal"),
    (datetime, pd.Timestamp("2026-01-01"), r"a Timestamp would be read back as a datetime: use .to_pydatetime\(\)"),
    (timedelta, pd.Timedelta("1s"), r"a Timedelta would be read back as a timedelta: use .to_pytimedelta\(\)"),
    (date, datetime(2026, 1, 1), "expected a date"),
    (date, pd.Timestamp("2026-01-01"), "expected a date"),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "reason"), PRETENDERS, ids=lambda p: str(type(p)))
def test_a_value_of_a_subclass_is_refused_and_never_cut(annotation, value, reason):
    with pytest.raises(InvalidValue, match=reason):
        codec(annotation).encode(value, NOWHERE)
    with pytest.raises(InvalidValue, match=rf"^\[1\].a: {reason}"):
        codec(list[dict[str, annotation] | None]).encode([None, {"a": value}], NOWHERE)


@pytest.mark.parametrize("value", ["NaN", "-NaN", "sNaN", "Infinity", "-0", "1.00", "1E+5"])
def test_a_decimal_keeps_its_digits_and_its_kind(value: str):
    back = codec(Decimal).decode(codec(Decimal).encode(Decimal(value), NOWHERE), NOWHERE)

    assert str(back) == value


def test_what_a_number_is_widened_to_is_equal_to_it():
    for value in (1, 2**53, -(2**60), np.int64(3), np.float32(0.1), np.float64(0.1)):
        back = codec(float).decode(codec(float).encode(value, NOWHERE), NOWHERE)
        assert type(back) is float
        assert back == value


# ---- bugs that these tests must see: another function in the place of one ----


def by_equality(members: tuple[Any, ...]) -> Form:
    """A member is stored as the first that equals it."""
    right = literal_form(members)

    def encode(value: Any, blobs: Any) -> Any:
        return right.encode(members[members.index(value)], blobs)

    return structs.replace(right, encode=encode)


def read_by_equality(cls: type[enum.Enum]) -> Form:
    """A member is read as the one whose value equals what is stored."""
    right = enum_form(cls)
    return structs.replace(right, decode=lambda value, _blobs: cls(value))


def by_text(members: tuple[Any, ...]) -> Form:
    """A member is stored as the first that is written alike."""
    right = literal_form(members)
    alike = {str(member): member for member in reversed(members)}
    return structs.replace(
        right, encode=lambda value, blobs: right.encode(alike[str(value)], blobs)
    )


BUGS: list[tuple[str, Callable[..., Form], Callable[[], object]]] = [
    ("literal_form", by_equality, partial(members_come_back, Literal[1, True])),
    ("literal_form", by_equality, partial(members_come_back, Literal[False, 0])),
    ("literal_form", by_text, partial(members_come_back, Literal["1", 1, "True", True])),
    ("enum_form", read_by_equality, partial(is_refused, Grade, True, True, "expected")),
]


@pytest.mark.parametrize(
    ("name", "other", "check"), BUGS, ids=lambda part: getattr(part, "__name__", "")
)
def test_a_planted_bug_is_seen(name, other, check):
    check()
    planted(name, other, check)
