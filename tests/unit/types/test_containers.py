"""Lists, tuples, dicts and unions: each comes back with its length, its keys and the types of what is in it, or is refused."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from math import isnan, nan
from typing import Any, Union
from uuid import UUID

import pytest
from msgspec import structs
from tests.unit.types.exact import NOWHERE, comes_back, is_refused, planted

from tidegate.errors import InvalidValue
from tidegate.types.containers import dict_form, tuple_form, union_form
from tidegate.types.form import Form
from tidegate.types.registry import codec

TUPLES = [
    (tuple[int, int], (1, 2, 3), [1, 2, 3], "a list of 2, got a tuple of 3"),
    (tuple[int, int], [1, 2, 3], [1, 2, 3], "a list of 2, got a list of 3"),
    (tuple[int, int], (1,), [1], "a list of 2, got a tuple of 1"),
    (tuple[()], (1,), [1], "a list of 0, got a tuple of 1"),
    (list[tuple[int, int]], [(1, 2), (1, 2, 3)], [[1, 2], [1, 2, 3]], r"\[1\]: .* a tuple of 3"),
    (dict[str, tuple[int]], {"a": (1, 2)}, {"a": [1, 2]}, "a: expected a list of 1"),
    (tuple[tuple[int], int], ((1, 2), 3), [[1, 2], 3], r"\[0\]: expected a list of 1"),
    (tuple[int, int] | None, (1, 2, 3), [1, 2, 3], "a list of 2, got a tuple of 3"),
]


@pytest.mark.parametrize("case", TUPLES, ids=str)
def test_a_tuple_of_another_length_is_refused_and_never_cut_or_filled(case):
    is_refused(*case)


TOGETHER = [
    (list[tuple[int, bool]], [(1, True), (0, False)]),
    (tuple[int, ...], (1, 2, 3)),
    (tuple[bool, int, float], (True, 1, 1.0)),
    (dict[int, str], {1: "a", -2: "b", 0: "c"}),
    (dict[date, int], {date(2026, 1, 2): 1}),
    (dict[UUID, list[bool]], {UUID(int=7): [True]}),
    (dict[str, dict[int, bool]], {"a": {1: True}, "1": {}}),
]


@pytest.mark.parametrize(("annotation", "value"), TOGETHER, ids=str)
def test_what_is_in_a_container_keeps_its_type(annotation, value):
    comes_back(annotation, value)


UNIONS = [
    (bool | int | float, [True, False, 1, 0, 1.0, 0.0, -0.0, 2.5]),
    (float | int | bool, [True, False, 1, 0, 1.0, 0.0, -0.0, 2.5]),
    (int | str, [1, "1", "true"]),
    (Union[int, None], [0, 1, None]),
    (bool | str | None, [True, "true", "", None]),
    (list[int] | dict[str, int], [[], {}, [1], {"a": 1}]),
    (list[bool] | list[int], [[True], [1, 0]]),
]


@pytest.mark.parametrize(("annotation", "values"), UNIONS, ids=lambda part: str(part)[:40])
def test_each_member_of_a_union_keeps_its_type(annotation, values):
    for value in values:
        comes_back(annotation, value)
    comes_back(list[annotation], values)


def test_nan_is_not_taken_for_the_dict_that_it_is_stored_as():
    made = codec(float | dict[str, str])

    assert isnan(made.decode(made.encode(nan, NOWHERE), NOWHERE))
    with pytest.raises(InvalidValue, match="would be read back as another type"):
        made.encode({"$float": "nan"}, NOWHERE)


class Names(list):  # type: ignore[type-arg]
    pass


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        (list[int], (1, 2), r"a tuple would be read back as a list: use list\(value\)"),
        (tuple[int, ...], [1], r"a list would be read back as a tuple: use tuple\(value\)"),
        (tuple[int], [1], "a list would be read back as a tuple"),
        (Sequence[int], (1,), "a tuple would be read back as a list"),
        (list[list[int]], [[1], Names([2])], r"^\[1\]: a Names would be read back as a list"),
        (dict[str, int], Counter("a"), r"a Counter would be read back as a dict: use dict\(value\)"),
        (Mapping[str, int], OrderedDict(a=1), "an OrderedDict would be read back as a dict"),
        (dict[str, dict[str, int]], {"a": defaultdict(int)}, "^a: a defaultdict"),
        (dict[str, int], {1: 1}, "^1: expected text, got the number 1"),
        (dict[int, int], {True: 1}, "^True: expected a whole number, got true"),
        (dict[Decimal, int], {Decimal("NaN"): 1, Decimal("nan"): 2}, "two of its keys are written alike"),
        (list[float | None], [None, True], r"^\[1\]: expected a number, got true"),
        (list[list[float | None] | None], [None, [None, 2**53 + 1]], r"^\[1\]\[1\]: .* declare int or Decimal"),
    ],
    ids=str,
)  # fmt: skip
def test_what_only_looks_like_the_container_that_is_declared_is_refused(annotation, value, reason):
    with pytest.raises(InvalidValue, match=reason):
        codec(annotation).encode(value, NOWHERE)


# ---- bugs that these tests must see: another function in the place of one ----


def cutting(items: tuple[Form, ...]) -> Form:
    """A tuple that is too long is cut."""
    right = tuple_form(items)
    return structs.replace(
        right,
        encode=lambda value, blobs: right.encode(value[: len(items)], blobs),
        decode=lambda value, blobs: right.decode(value[: len(items)], blobs),
    )


def keys_of_text(key: Form, item: Form) -> Form:
    """The keys of a dict come back as the text they were written as."""
    right = dict_form(key, item)

    def decode(value: Any, blobs: Any) -> Any:
        return dict(zip(value, right.decode(value, blobs).values(), strict=True))

    return structs.replace(right, decode=decode)


def first_that_takes_it(members: tuple[Form, ...]) -> Form:
    """A value is read by the member of a union that stands first, not by the one that stores such values."""
    return union_form(tuple(structs.replace(member, gives=frozenset()) for member in members))


def without_sign(members: tuple[Form, ...]) -> Form:
    """Zero loses its sign, and a whole float its point."""
    right = union_form(members)

    def encode(value: Any, blobs: Any) -> Any:
        whole = type(value) is float and value.is_integer()
        return right.encode(int(value) if whole else value, blobs)

    return structs.replace(right, encode=encode)


BUGS: list[tuple[str, Callable[..., Form], Callable[[], None]]] = [
    ("tuple_form", cutting, partial(is_refused, *TUPLES[0])),
    ("tuple_form", cutting, partial(is_refused, *TUPLES[4])),
    ("dict_form", keys_of_text, partial(comes_back, *TOGETHER[3])),
    ("dict_form", keys_of_text, partial(comes_back, *TOGETHER[4])),
    ("union_form", first_that_takes_it, partial(comes_back, float | int, 1)),
    ("union_form", without_sign, partial(comes_back, float | int, -0.0)),
]


@pytest.mark.parametrize(
    ("name", "other", "check"), BUGS, ids=lambda part: getattr(part, "__name__", "")
)
def test_a_planted_bug_is_seen(name, other, check):
    check()
    planted(name, other, check)
