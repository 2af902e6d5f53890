"""A value whose type branches on every level is checked in steps that grow with the value, and comes to the same result."""

import time
from dataclasses import dataclass
from typing import Any, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from tests.unit.types.test_validate import ANSWERS

from tidegate.errors import TooComplex
from tidegate.types import branching, validate
from tidegate.types.registry import codec
from tidegate.types.schema import branches_often, faults


class Add(BaseModel):
    left: "Expr"
    right: "Expr"


class Mul(BaseModel):
    left: "Expr"
    right: "Expr"


Expr = Union[Add, Mul, int]
Add.model_rebuild()
Mul.model_rebuild()
SCHEMA = codec(Add).schema


@dataclass
class Chain:
    value: int
    rest: "Chain | None" = None


def deep(depth: int, leaf: Any) -> Any:
    value = leaf
    for _ in range(depth):
        value = {"left": value, "right": 1}
    return value


def test_only_what_branches_is_checked_part_by_part() -> None:
    assert branches_often(SCHEMA)
    for annotation in (int, list[int], Chain, Union[int, list[str]], dict[str, Chain]):
        assert not branches_often(codec(annotation).schema), annotation


@pytest.mark.parametrize("depth", [1, 20, 60])
def test_what_fits_is_taken_at_any_depth_and_what_does_not_is_told_soon(depth: int) -> None:
    begun = time.process_time()

    assert faults(SCHEMA, deep(depth, 5)) == []
    found = faults(SCHEMA, deep(depth, "no"))

    assert found
    assert len(found) <= branching.MOST_FAULTS
    assert time.process_time() - begun < 2


def test_a_fault_below_the_only_member_that_fits_is_named_by_its_place() -> None:
    schema = codec(dict[str, Expr] | list[Expr] | int).schema
    assert branches_often(schema)

    (fault,) = faults(schema, {"a": {"left": 1, "right": "no", "more": 1}})

    assert fault.path == ("a",)
    assert fault.reason.startswith(("matches none of", "expected"))


def test_what_takes_too_many_steps_is_refused_as_too_complex(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(branching, "MOST_STEPS", 100)

    with pytest.raises(TooComplex, match="send a smaller or simpler one"):
        faults(SCHEMA, deep(50, 1))


def by_parts(schema: Any, value: Any) -> bool:
    """Whether a value fits, looked at part by part, though the schema does not branch."""
    found = branching.Branching(
        schema,
        lambda part: validate._validator(part).is_valid,
        lambda part, each: validate._explained(validate._validator(part), each),
        lambda value, count, found: validate._union_fault((), value, count, found),
    )
    return not found.faults(value)


@pytest.mark.parametrize(("annotation", "good", "bad"), ANSWERS, ids=lambda part: ascii(part)[:30])
def test_part_by_part_the_same_values_fit(annotation: Any, good: Any, bad: Any) -> None:
    schema = codec(annotation).schema

    for value in good:
        assert by_parts(schema, value), value
    for value in bad:
        if not validate._not_plain(value, (), 0):
            assert not by_parts(schema, value), value


def values() -> st.SearchStrategy[Any]:
    leaf = st.sampled_from([1, "no", None, 1.5, True])
    named = st.sampled_from(["left", "right", "rest", "value"])
    return st.recursive(
        leaf,
        lambda inner: st.dictionaries(named, inner, max_size=3) | st.lists(inner, max_size=2),
        max_leaves=8,
    )


@settings(max_examples=300)
@given(values())
def test_part_by_part_is_as_the_validator_says(value: Any) -> None:
    for schema in (SCHEMA, codec(Expr).schema, codec(list[Chain | Add]).schema):
        assert by_parts(schema, value) == validate._validator(schema).is_valid(value)
