"""What a terminal is given: readable, and never a command to it."""

import json
from datetime import UTC, datetime, timedelta

import click
import pytest

from tidegate.cli.render import (
    ago,
    brief,
    columns,
    json_text,
    laid_out,
    left,
    line,
    printed,
    result,
    span,
    table,
    text,
)

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07x",
    "\x1b]8;;http://x\x1b\\link",
    "a\x9b31mb",
    "back\x08\x08space",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "a\x00b\x7f",
    "\rover",
    "zero\u200bwidth\ufeff\u2060\U000e0041",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_nothing_that_steers_a_terminal_is_shown(words):
    for shown in (text(words), line(words), brief(words), json_text(words)):
        assert shown.isprintable(), ascii(shown)


def test_what_cannot_be_seen_is_a_mark_and_the_colours_of_a_log_are_left_out():
    assert text("\x1b[31m100\u202e") == line("\x1b[31m100\u202e") == "‹U+001B›[31m100‹U+202E›"
    assert printed("\x1b[31mred\x1b[0m\u202e") == "red‹U+202E›"


def test_a_value_that_is_cut_says_how_much_is_missing():
    assert brief("x" * 500, 10) == '"xxxxxxxxx… (492 more characters)'
    assert brief("x", 10) == '"x"'


@pytest.mark.parametrize("words", HOSTILE)
def test_json_stays_exact(words):
    assert json.loads(json_text({words: [words]})) == {words: [words]}


def test_one_line_is_one_line():
    assert line(" a\n\tb\r\nc ") == "a b c"
    assert line("x" * 50, 10) == "x" * 9 + "…"
    assert text("a\nb") == "a\nb"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(microseconds=300), "<1 ms"),
        (timedelta(milliseconds=3), "3 ms"),
        (timedelta(seconds=1), "1 s"),
        (timedelta(seconds=59.25), "59.2 s"),
        (timedelta(minutes=2), "2 min"),
        (timedelta(hours=1, minutes=59, seconds=59), "1 h 59 min"),
        (timedelta(days=3, minutes=5), "3 d"),
    ],
)
def test_a_span_is_in_its_two_largest_units(length, words):
    assert span(length) == words


def test_time_left_is_never_negative():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert left(None, now) == "no timeout"
    assert left(now + timedelta(hours=1), now) == "1 h left"
    assert left(now - timedelta(hours=1), now) == "overdue"


def test_columns_are_as_wide_as_what_is_seen_of_their_cells():
    shown = table(("A", "B"), [("\x1b[31mxx\x1b[0m", "1"), ("y", "2")])
    assert [row.rstrip() for row in click.unstyle(shown).splitlines()] == [
        "A   B",
        "xx  1",
        "y   2",
    ]


def test_a_result_is_the_one_value_or_an_object_or_null():
    assert (result({}), result(None), result({"o0": None})) == (None, None, None)
    assert result({"o0": 1}) == 1
    assert result({"a": 1, "b": 2}) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(microseconds=5), "now"),
        (timedelta(seconds=59.7), "59 s ago"),
        (timedelta(hours=26), "1 d ago"),
        (-timedelta(hours=1), "now"),
    ],
)
def test_how_long_ago_something_was_is_in_one_unit(passed, words):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert ago(now - passed, now) == words


def test_a_table_that_is_too_wide_is_cut_and_then_left_out_but_for_what_one_types():
    rows = [
        ("ID", "NAME", "QUESTION"),
        ("2ck3irj5vlhvzmx6", "\x1b[33mtitle of it\x1b[0m", "w" * 90),
    ]
    for room in (16, 30, 40, 60, 200):
        shown = [click.unstyle(each) for each in laid_out(rows, room)]
        assert shown[1].startswith(rows[1][0])
        assert max(map(len, shown)) <= room
    assert laid_out(rows, 200) == columns(rows).split("\n")
    assert laid_out(rows, 30)[0].split() == ["ID", "NAME"]


@pytest.mark.parametrize("room", [10, 30, 80])
def test_what_one_types_is_whole_however_long_and_one_long_name_costs_the_others_nothing(room):
    long = "the-title-of-the-report-" * 6
    rows = [
        ("ID", "NAME", "LEFT", "QUESTION"),
        ("2ck3irj5vlhvzmx6", long, "59 min", "May it go out?"),
        ("2ck3irj5vlhvzmx7", "title", "58 min", "What is it called?"),
    ]

    shown = laid_out(rows, room, whole=2)

    assert long in "\n".join(shown)
    if room == 80:
        assert [each.split("  ")[0] for each in shown] == ["ID", rows[1][0], "", "", rows[2][0]]
        assert [" ".join(each.split()) for each in shown[3:]] == [
            "59 min May it go out?",
            "2ck3irj5vlhvzmx7 title 58 min What is it called?",
        ]
        assert shown[3].index("59 min") == shown[4].index("58 min")


def test_of_a_wide_table_the_columns_that_tell_lines_apart_stay_whole():
    rows = [("TIME", "token_rotated", "w" * 40), ("TIME", "token_revoked", "w" * 40)]

    assert [each.split()[1] for each in laid_out(rows, 30, whole=2)] == [
        *("token_rotated", "token_revoked")
    ]
