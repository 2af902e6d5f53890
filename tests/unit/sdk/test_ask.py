"""A question at a terminal: shown whole, asked until the answer fits, never endlessly."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import UNSET

from tidegate import NoAnswer
from tidegate.sdk.ask import Query, ask, opening, then


class Terminal:
    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.text = ""

    def read(self) -> str:
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)

    def write(self, text: str) -> None:
        self.text += text

    def ask(self, query: Query) -> Any:
        now = datetime(2024, 5, 1, 12, tzinfo=UTC)
        return ask(query, self.read, self.write, now=now)


def query(schema: dict[str, Any], **more: Any) -> Query:
    return Query(name="q", kind="input", schema=schema, **more)


@pytest.mark.parametrize(
    ("schema", "line", "value"),
    [
        ({"type": "string"}, " spaces kept ", " spaces kept "),
        ({"type": "string"}, '""', ""),
        ({"type": "integer"}, "-3", -3),
        ({"type": "number"}, "1.5", 1.5),
        ({"type": "boolean"}, "yes", True),
        ({"type": "array", "items": {"type": "integer"}}, "[1, 2]", [1, 2]),
        ({"type": "array", "items": {"type": "integer"}}, "[]", []),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "null", None),
        ({"type": "string", "enum": ["a", "b"]}, "b", "b"),
    ],
)
def test_answers_are_read_by_their_type(schema, line, value):
    assert Terminal(line).ask(query(schema)) == value


@pytest.mark.parametrize(
    ("schema", "line", "reason"),
    [
        ({"type": "integer"}, "three", "three"),
        ({"type": "integer"}, "", "expected"),
        ({"type": "array", "items": {"type": "integer"}}, '[1, "x"]', "x"),
        ({"type": "object"}, "{", "expected"),
        ({"type": "string", "enum": ["a", "b"]}, "c", "a, b"),
        ({"type": "string"}, "", "an empty line is not an answer"),
    ],
)
def test_a_bad_answer_is_told_why_and_asked_for_again(schema, line, reason):
    terminal = Terminal(line)

    with pytest.raises(NoAnswer, match="gate 'q' waits"):
        terminal.ask(query(schema))

    assert terminal.text.count("> ") == 2
    assert reason in terminal.text


def test_the_whole_question_is_shown():
    terminal = Terminal("x")
    terminal.ask(
        Query(
            name="title",
            kind="input",
            schema={"type": "string"},
            prompt="# Which?\nBe brief.",
            show={"report": {"mean": 1.5}, "note": "a"},
            until="times out after 1:00:00",
        )
    )

    assert terminal.text.startswith(
        "Answer 'title': text; times out after 1:00:00\n  # Which?\n  Be brief.\n"
    )
    assert "mean" in terminal.text
    assert "  note: a\n" in terminal.text


def test_choices_are_shown():
    terminal = Terminal("a")
    terminal.ask(query({"type": "string", "enum": ["a", "b"]}))

    assert "a, b" in terminal.text.splitlines()[0] or "a or b" in terminal.text.splitlines()[0]


def test_a_suggestion_of_null_is_a_suggestion():
    schema = {"anyOf": [{"type": "integer"}, {"type": "null"}]}

    assert Terminal("").ask(query(schema, suggested=None)) is None
    assert Terminal("").ask(query({"type": "string"}, suggested="s")) == "s"


@pytest.mark.parametrize(
    ("line", "value"), [("yes", True), ("Y", True), ("no", False), (" n ", False)]
)
def test_an_approval_is_yes_or_no(line, value):
    terminal = Terminal("", line)
    approval = Query(
        name="ok", kind="approve", schema={}, value={"a": 1}, value_schema={"type": "object"}
    )

    assert terminal.ask(approval) is value
    assert '"a": 1' in terminal.text
    assert "an approval has no default" in terminal.text


def test_the_value_to_approve_may_be_null():
    terminal = Terminal("y")
    terminal.ask(Query(name="ok", kind="approve", schema={}, value=None))

    assert "  value: " in terminal.text


@pytest.mark.parametrize(
    ("on_timeout", "approval", "words"),
    [
        (UNSET, False, "then it fails"),
        (UNSET, True, "then it fails"),
        (None, False, "then null is used"),
        ("x" * 100, False, f"then {'x' * 39}… is used"),
        (True, True, "then it is approved"),
        (False, True, "then it is rejected"),
    ],
)
def test_what_happens_at_the_timeout_is_said(on_timeout, approval, words):
    assert then(on_timeout, approval=approval) == words


def test_what_does_not_fit_a_screen_is_counted_and_shown_whole_when_it_is_asked_for():
    rows = [{"n": n, "pay_to": f"account {n}"} for n in range(5_000)]
    said: list[str] = []
    lines = iter(["?all", "yes"])

    answer = ask(
        Query(name="ok", kind="approve", schema={}, value=rows), lambda: next(lines), said.append
    )

    first, _, whole, *_ = said
    assert answer is True
    assert "Shown: 10 of 5,000 rows; ?all shows everything" in first
    assert "account 4999" not in first
    assert "account 4999" in whole
    assert "Shown:" not in whole


def test_where_nothing_is_cut_the_words_for_all_of_it_are_an_answer():
    query = Query(name="title", kind="input", schema={"type": "string"}, show={"x": 1})

    assert ask(query, lambda: "?all", lambda _: None) == "?all"


def test_a_prompt_and_the_names_of_values_hold_nothing_that_cannot_be_seen():
    query = Query(
        name="ok\u202e",
        kind="approve",
        schema={},
        prompt="pay \u2066001\u2069 EUR\x1b[2J",
        show={"sum\u200b": "\u202e001"},
    )

    shown = "\n".join(opening(query))

    assert shown.replace("\n", "").isprintable()
    assert "pay ‹U+2066›001‹U+2069› EUR" in shown
