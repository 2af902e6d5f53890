"""A part that is taken out of a schema brings along what it refers to, and nothing else."""

from typing import Any

import pytest

from tidegate.types.refs import closed, references, resolve, rewritten

DEFS: dict[str, Any] = {
    "Tree": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Tree"}, "leaf": {"$ref": "#/$defs/Leaf"}}},
    "Leaf": {"type": "integer"},
    "Unused": {"type": "string"},
}  # fmt: skip


def test_a_reference_is_followed_and_what_stands_beside_it_is_kept():
    found = resolve({"$ref": "#/$defs/Leaf", "default": 3}, {"$defs": DEFS})

    assert found == {"type": "integer", "default": 3}


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (True, {}),
        (False, {"not": {}}),
        ({"$ref": "#/$defs/Nowhere"}, {}),
        ({"$ref": "#"}, {"a": 1}),
    ],
)
def test_what_is_not_a_schema_of_its_own_has_a_meaning_all_the_same(part: Any, found: Any):
    assert resolve(part, {"a": 1}) == found


def test_references_in_a_circle_come_to_an_end():
    circle = {"$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}}

    assert resolve({"$ref": "#/$defs/A"}, circle) == {}


def test_a_part_is_complete_in_itself():
    assert closed({"$ref": "#/$defs/Tree"}, DEFS) == {
        **DEFS["Tree"],
        "$defs": {"Tree": DEFS["Tree"], "Leaf": DEFS["Leaf"]},
    }
    assert closed({"type": "string", "$defs": DEFS}, DEFS) == {"type": "string"}


def test_a_field_of_the_name_of_a_keyword_is_a_schema_and_a_default_is_not():
    schema = {
        "properties": {"default": {"$ref": "#/$defs/Leaf"}, "$ref": {"type": "string"}},
        "default": {"$ref": "#/$defs/Unused"},
        "enum": [{"$ref": "#/$defs/Unused"}],
    }

    assert references(schema) == {"Leaf"}


def test_the_innermost_is_rewritten_first_and_the_given_is_left_as_it_is():
    schema = {"items": {"items": {"n": 1}}}
    order = []

    def change(part: dict[str, Any]) -> dict[str, Any]:
        order.append(sorted(part))
        return {**part, "seen": True}

    made = rewritten(schema, change)

    assert order == [["n"], ["items"], ["items"]]
    assert made["items"]["items"]["seen"]
    assert schema == {"items": {"items": {"n": 1}}}
