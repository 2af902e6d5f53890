"""Strict JSON: a text that two readers could understand differently is refused, and every other one is read as any reader would."""

import json
import re
import tracemalloc
from math import isinf
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tidegate.api import strict
from tidegate.api.strict import MAX_DEPTH, MAX_DIGITS, check, decode, read
from tidegate.errors import InvalidValue, Unreadable


def refused(raw: bytes) -> str:
    """Return why a text is refused."""
    with pytest.raises(Unreadable) as caught:
        read(raw)
    return caught.value.message


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "b": 2, "a": {}}',
        b'{"a": {"b": 1}, "a": {"b": 1}}',
        b'[{}, {"a": [{"a": 1, "a": 2}]}]',
        b'{"\\u0061": 1, "a": 2}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"x": "\\\\", "a": ":", "a": 2}',
        b'{"x": "\\"", "a": 1, "a": 2}',
        b'{"a": "\\":\\"", "a": 2}',
        b'{"a": ":", "a": "::"}',
        b'{"a": 1, "a": ":", "b": "\\u003a"}',
    ],
)
def test_a_key_twice_in_one_object_is_refused_and_named(raw: bytes):
    assert refused(raw) == "the body has the key 'a' twice in one object"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"", b""),
        (b"\\n", b"\\u000a"),
        (b"\\/", b"/"),
        (b"\\u00e9", "é".encode()),
        (b"\\u00E9", b"\\u00e9"),
        (b"\\ud83d\\ude00", "😀".encode()),
        (b"\\\\", b"\\u005c"),
        (b'\\"', b"\\u0022"),
        (b":", b"\\u003a"),
    ],
)
def test_keys_that_are_equal_once_their_escapes_are_read_are_one_key(one: bytes, other: bytes):
    assert "twice in one object" in refused(b'{"%b": 1, "%b": 2}' % (one, other))


class Counted(str):
    """A key that counts how many times it is compared."""

    __slots__ = ()
    comparisons = 0

    def __hash__(self) -> int:
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return super().__eq__(other)


def test_finding_the_key_that_is_there_twice_costs_no_more_than_reading_all_of_them(monkeypatch):
    """The JSON scanner makes its own strings, so the keys are counted where it hands them over."""
    monkeypatch.setattr(Counted, "comparisons", 0)
    names = [*(str(number) for number in range(1_000)), "999"]

    with pytest.raises(Unreadable, match="'999' twice"):
        strict._pairs([(Counted(name), None) for name in names])

    assert Counted.comparisons <= 3 * len(names)


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}]},
        {"a": 1, "A": 2, "a ": 3, "": 4},
        {"é": 1, "e\u0301": 2},
        {"a:b": ":", ":": "::", "{": "}", "[": "]", ",": ","},
        {'"': ':"', '\\"': '\\":', "\\": "\\\\:", "\\\\": '\\\\"'},
        {"\\u0061": 1, "a": 2},
        {"\n": ":\n", "\x00": "\x7f", "\u2028": ":"},
        ":::::",
        '":":":"',
    ],
)
@pytest.mark.parametrize("is_ascii", [True, False], ids=["escaped", "as it is"])
def test_keys_that_differ_and_colons_and_braces_in_strings_are_taken(value: Any, is_ascii: bool):
    assert read(json.dumps(value, ensure_ascii=is_ascii).encode()) == value


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("around", [b"%b", b"[1, %b]", b'{"a": {"b": %b}}'])
def test_what_is_not_a_number_is_refused_and_named(name: str, around: bytes):
    assert (
        refused(around % name.encode()) == f"the body contains {name}, which is not a JSON number"
    )


@pytest.mark.parametrize("around", [b"%b", b"[1, %b]", b'{"a": {"b": %b}}'])
@pytest.mark.parametrize(
    "digits",
    [str(-(2**63) - 1), str(2**64), "2" + "0" * 19, "-1" + "0" * 19, "9" * 400, "9" * 5_000],
    ids=["just below", "just above", "20 digits", "20 and a sign", "400", "5000"],
)
def test_a_whole_number_beyond_64_bits_is_refused(digits: str, around: bytes):
    assert "an integer beyond 64 bits" in refused(around % digits.encode())


@pytest.mark.parametrize(
    "number", [0, -(2**63), -(2**63) + 1, 2**63 - 1, 2**63, 2**64 - 1, 10**18, -(10**18)]
)
def test_a_whole_number_within_64_bits_is_taken_digit_by_digit(number: int):
    found = read(b'{"n": %d}' % number)

    assert found == {"n": number}
    assert type(found["n"]) is int


@pytest.mark.parametrize("digits", ["9" * 19, "9" * 40, "1" * 500], ids=len)
def test_digits_in_a_string_are_not_a_number(digits: str):
    assert read(json.dumps({digits: digits}).encode()) == {digits: digits}


@pytest.mark.parametrize("text", ["1e309", "-1e309", "1.8e308", "1E+400", "1" + "0" * 330 + ".0"])
def test_a_fraction_that_overflows_is_refused(text: str):
    assert "a number that is too large" in refused(f'{{"a": [{text}]}}'.encode())


def test_a_fraction_has_at_most_this_many_characters():
    longest = "0." + "1" * (MAX_DIGITS - 2)

    assert read(longest.encode()) == float(longest)
    assert "a number that is too large" in refused(f"{longest}1".encode())


@pytest.mark.parametrize("text", ["1.7976931348623157e308", "5e-324", "1e-400", "-0.0", "1e0"])
def test_a_fraction_that_fits_is_taken(text: str):
    assert repr(read(text.encode())) == repr(float(text))


@pytest.mark.parametrize(
    ("opening", "closing", "levels"),
    [
        ("[", "]", 1),
        ('{"a":', "}", 1),
        ('[{"[":', "}]", 2),
        ('["[{", [', "]]", 2),
        ('["\\"", [', "]]", 2),
        ('["\\\\", [', "]]", 2),
        ('{"\\\\\\"": [', "]}", 2),
    ],
)
def test_nesting_is_read_down_to_the_deepest_level_and_no_further(
    opening: str, closing: str, levels: int
):
    def nested(depth: int) -> bytes:
        times, more = divmod(depth, levels)
        return f"{'[' * more}{opening * times}0{closing * times}{']' * more}".encode()

    assert read(nested(MAX_DEPTH)) == json.loads(nested(MAX_DEPTH))
    assert refused(nested(MAX_DEPTH + 1)) == f"the body is nested deeper than {MAX_DEPTH} levels"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(["["] * 100),
        json.dumps("{[" * 100),
        json.dumps('"[' * 100),
        json.dumps("\\[" * 100),
        json.dumps([[]] * 100),
        json.dumps({f"{{{n}": {} for n in range(100)}),
        '["\\\\", ' + "[], " * 100 + '"\\\\\\"["]',
    ],
)
def test_many_brackets_that_are_beside_one_another_or_in_strings_are_not_deep(text: str):
    assert read(text.encode()) == json.loads(text)


@pytest.mark.parametrize("piece", ["x", "\\n", '\\"', "\\\\", "é"])
def test_a_long_string_beside_many_brackets_takes_a_few_times_its_size_in_memory(piece: str):
    raw = f'["{piece * 200_000}", {"[], " * 100}[]]'.encode()
    tracemalloc.start()
    try:
        read(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 12 * len(raw)


@pytest.mark.parametrize(
    "raw",
    [b"[" * 1_000_000, b'{"a":' * 200_000, b'"\\\\"' + b"[" * 100_000],
    ids=["lists", "objects", "behind a string"],
)
def test_brackets_that_are_never_closed_are_refused(raw: bytes):
    assert refused(raw).startswith("the body is ")


@pytest.mark.parametrize("wrong", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x82", b"\xf5\x80\x80\x80"])  # fmt: skip
@pytest.mark.parametrize("around", [b'"ab%b"', b'{"%b": 1}', b"[1%b]", b"%b"])
def test_bytes_that_are_not_utf_8_are_refused_with_where_they_are(wrong: bytes, around: bytes):
    where = around.index(b"%b")

    assert refused(around % wrong) == f"the body is not UTF-8: see byte {where}"


@pytest.mark.parametrize(
    "raw",
    [b'"\\ud800"', b'"\\udfff"', b'"\\ude00\\ud83d"', b'"\\ud83d x"', b'{"\\ud83d": 1}'],
)
def test_half_a_character_is_refused(raw: bytes):
    assert "is not JSON" in refused(raw)


@pytest.mark.parametrize("value", [b"1", b"null", b'"a"', b"[]", b'{"a": 1}'])
@pytest.mark.parametrize("behind", [b"x", b"0 0", b" 1", b"\n{}", b"\x00", b"]", b"}", b","])
def test_whatever_follows_the_value_is_refused(value: bytes, behind: bytes):
    assert "is not JSON" in refused(value + b" " + behind)


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\x0b", b"\xc2\xa0", b"//\n", b"\x00"])
def test_whatever_stands_before_the_value_is_refused(before: bytes):
    assert "is not JSON" in refused(before + b"{}")


def test_white_space_around_the_value_is_nothing():
    assert read(b' \t\r\n{"a" : [ 1 , 2 ] }\n\r\t ') == {"a": [1, 2]}


@pytest.mark.parametrize(
    "raw",
    [b"", b" ", b"'a'", b"{a: 1}", b"[1,]", b'{"a":1,}', b'{"a"}', b"01", b"+1", b".5", b"1.", b"1e", b"True", b'"\n"', b'"\x00"', b'"\\x"', b'"\\u12"', b'"a'],
)  # fmt: skip
def test_what_is_not_quite_json_is_refused(raw: bytes):
    assert "is not JSON" in refused(raw)


def test_what_is_wrong_is_said_with_its_line_and_column():
    assert refused(b'{"a": 1,\n "b": tru}').endswith("at line 2, column 7")


class Point(msgspec.Struct):
    """A type of a body."""

    x: int
    y: list[int] = []


def test_a_body_is_read_as_its_type_and_what_is_of_another_has_its_path():
    assert decode(b'{"x": 1, "y": [2]}', Point) == Point(1, [2])
    with pytest.raises(InvalidValue) as caught:
        decode(b'{"x": 1, "y": [2, "3"]}', Point)

    assert [fault.path for fault in caught.value.faults] == [("y", 1)]


def test_what_a_type_does_not_look_at_is_read_as_strictly():
    with pytest.raises(Unreadable):
        decode(b'{"x": 1, "z": {"a": 1, "a": 2}}', Point)


SPACES = st.sampled_from(["", "", "", " ", "\n\t"])
LETTERS = ["a", "b", ":", "{", "}", "[", "]", ",", " ", "é", "😀", "0", "0" * 19]
ESCAPES = [
    '\\"', "\\\\", "\\/", "\\n", "\\u0061", "\\u003a", "\\u0022", "\\u005c", "\\ud83d", "\\ude00", "\\u00E9",
]  # fmt: skip
STRINGS = st.lists(st.sampled_from(LETTERS + ESCAPES), max_size=4).map(lambda s: f'"{"".join(s)}"')
NUMBERS = st.one_of(
    st.integers(-(2**63) - 2, -(2**63) + 2).map(str),
    st.integers(2**64 - 2, 2**64 + 2).map(str),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        ["-0", "0.0", "-0.0", "1e308", "1e309", "1E-9", "1.5e+2", "NaN", "-Infinity", "01", "1."]
    ),
    st.builds("{}{}.{}e{}".format, st.sampled_from(["", "-"]), st.integers(0), st.integers(0), st.integers(-400, 400)),
    st.integers(MAX_DIGITS - 4, MAX_DIGITS).map(lambda n: f"0.{'3' * n}"),
)  # fmt: skip


def spaced(*pieces: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*[each for piece in pieces for each in (SPACES, st.just(piece) if isinstance(piece, str) else piece)], SPACES).map("".join)  # fmt: skip


TEXTS = st.recursive(
    STRINGS | NUMBERS | st.sampled_from(["true", "false", "null"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        st.lists(spaced(STRINGS, ":", inner), max_size=4).map(
            lambda items: f"{{{','.join(items)}}}"
        ),
        st.tuples(inner, st.integers(1, MAX_DEPTH)).map(
            lambda pair: f"{'[' * pair[1]}{pair[0]}{']' * pair[1]}"
        ),
    ),
    max_leaves=8,
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Texts that are JSON or nearly so: with keys of many spellings, numbers at every border, and now and then a piece too much or too few."""
    raw = draw(spaced(TEXTS)).encode()
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(raw)))
        cut = draw(st.integers(0, 2))
        more = draw(
            st.sampled_from([b"", b'"', b"\\", b":", b"{", b"]", b",", b"\xff", b"\n", b"1"])
        )
        raw = raw[:at] + more + raw[at + cut :]
    return raw


class Wrong(Exception):
    """The slow reader has found something."""


def slowly(raw: bytes) -> Any:
    """Read by the book, and look at every value one by one."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        for number, (name, _) in enumerate(found):
            if name in [before for before, _ in found[:number]]:
                raise Wrong(name)
        return dict(found)

    def number(digits: str) -> Any:
        if len(digits) > MAX_DIGITS:
            raise Wrong(digits)
        value = int(digits) if re.fullmatch(r"-?\d+", digits) else float(digits)
        if isinf(value) if isinstance(value, float) else not -(2**63) <= value < 2**64:
            raise Wrong(digits)
        return value

    def constant(name: str) -> Any:
        raise Wrong(name)

    value = json.loads(
        raw.decode(),
        object_pairs_hook=pairs,
        parse_int=number,
        parse_float=number,
        parse_constant=constant,
    )
    json.dumps(value, ensure_ascii=False).encode()  # no half of a character
    if depth(value) > MAX_DEPTH:
        raise Wrong("depth")
    return value


def depth(value: Any) -> int:
    match value:
        case dict():
            return 1 + max(map(depth, value.values()), default=0)
        case list():
            return 1 + max(map(depth, value), default=0)
        case _:
            return 0


@settings(deadline=None, max_examples=500)
@given(bodies())
@example(b'{"\\ud83d":1,"\\ud83d":2}')
def test_every_text_is_read_as_a_slow_reader_reads_it_or_refused_as_there(raw: bytes):
    try:
        expected = repr(slowly(raw))
    except (Wrong, ValueError):
        refused(raw)
    else:
        assert repr(read(raw)) == expected
        check(raw)


@pytest.mark.parametrize("raw", [rb'"\ud800"', rb'{"a": ["\uD83D x"]}', rb'"\udc00"'])
def test_half_of_a_surrogate_pair_is_called_that(raw: bytes):
    with pytest.raises(Unreadable, match="not valid Unicode.*half of a surrogate pair"):
        read(raw)
