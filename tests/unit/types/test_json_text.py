"""JSON that a person types loses nothing on its way: a key that stands twice is refused, and so is what no value can be."""

from dataclasses import dataclass
from typing import Any, Optional

import pytest

from tidegate.errors import InvalidValue
from tidegate.types.json_text import read_json
from tidegate.types.registry import codec
from tidegate.types.text import parse


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("-0.0", -0.0),
        ("1.0", 1.0),
        ("18446744073709551615", 2**64 - 1),
        (' {"a": [1, {"a": true}], "b": {"a": 2}} ', {"a": [1, {"a": True}], "b": {"a": 2}}),
        ('"\\u00fc\\ud83d\\ude00"', "\u00fc\U0001f600"),
        ('[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
    ],
)
def test_what_is_json_is_read_as_it_is(text: str, value: Any):
    read = read_json(text)

    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("text", ["", "{", "[1,]", "nan", "1 2", "{'a': 1}", '"\ud800"', "tru"])
def test_what_is_not_json_is_told_from_a_wrong_value(text: str):
    with pytest.raises(ValueError) as caught:
        read_json(text)

    assert not isinstance(caught.value, InvalidValue)


@pytest.mark.parametrize("kind", [dict, list[dict], Any, Optional[Point]])
def test_a_key_that_stands_twice_in_one_object_is_refused(kind):
    with pytest.raises(InvalidValue, match="the key 'x' twice"):
        parse(codec(kind).schema, '[{"x": 1, "y": {}, "x": 2}]')


@pytest.mark.parametrize("kind", [dict, list[dict], Any])
def test_nesting_without_end_is_refused(kind):
    for opening, closing in ("[", "]"), ('{"a":', "}"):
        with pytest.raises(InvalidValue, match="nested more than 64 deep"):
            parse(codec(kind).schema, opening * 100_000 + "1" + closing * 100_000)


@pytest.mark.parametrize("text", ['"\\ud800"', '["\\uD83D"]', '{"a": "\\udc00"}', '{"\\ud800": 1}'])
def test_half_of_a_surrogate_pair_is_called_that(text: str):
    with pytest.raises(ValueError, match="half of a surrogate pair"):
        read_json(text)


def test_what_is_cut_off_is_still_called_that():
    with pytest.raises(ValueError, match="truncated"):
        read_json('{"a": "\\ud83d\\ude00"')
