"""A prompt on a terminal: what Markdown means is seen, and nothing is left out, hidden or obeyed."""

import re

import pytest

from tidegate.sdk.ask import Query, opening
from tidegate.sdk.markdown import DEEPEST, rendered

STYLES = re.compile(r"\x1b\[[0-9;]*m")


def words(text: str, columns: int = 76) -> str:
    return "\n".join(STYLES.sub("", line) for line in rendered(text, columns))


def test_headings_lists_tables_and_code_are_rendered():
    shown = words(
        "# Plan\n\n- *one*\n- **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx = 1\n```"
    )

    assert "Plan" in shown
    assert [each for each in ("#", "*", "|", "`") if each in shown] == []
    assert "• one" in shown
    assert "x = 1" in shown


def test_html_is_text():
    shown = words("a <b>bold</b>\n\n<div>block</div>\n\n<!-- said to nobody -->")

    assert "<b>bold</b>" in shown
    assert "<div>block</div>" in shown
    assert "<!-- said to nobody -->" in shown


def test_a_link_shows_where_it_leads():
    assert "https://bank.example (http://evil.example)" in words(
        "[https://bank.example](http://evil.example)"
    )


@pytest.mark.parametrize(
    "text",
    [
        "pay \x1b[2J \u202e001",
        "&#27;[2J &#x202e;001 &ZeroWidthSpace;",
        "`\x1b]52;c;x\x07`",
        "```\n\x9b31m\n```",
        "[a\x1b[8m](http://x/\u200b)",
        "\x1b[8mconcealed",
    ],
    ids=ascii,
)
def test_nothing_that_a_terminal_obeys_or_hides_comes_through(text: str):
    assert words(text).replace("\n", "").isprintable()
    assert "\x1b[8m" not in "\n".join(rendered(text, 76))


@pytest.mark.parametrize(
    "text",
    [
        ">" * (DEEPEST + 5) + " the end",
        "1. " * 300 + "the end",
        "".join(f"{' ' * 2 * n}- {n}\n" for n in range(60)) + "the end",
    ],
    ids=["quotes", "numbers", "lists"],
)
def test_what_lies_too_deep_for_a_parser_is_shown_as_it_was_written(text: str):
    assert "the end" in words(text)


def test_lines_are_no_wider_than_the_terminal():
    shown = rendered("word " * 200 + "\n\n| a | b |\n|---|---|\n| " + "x " * 100 + "| y |", 60)

    assert max(len(STYLES.sub("", line)) for line in shown) <= 60


def test_without_colours_there_is_not_one_escape(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    assert "\x1b" not in "\n".join(rendered("# a\n\n**b** `c`\n\n```python\nx = 1\n```", 76))


def test_a_question_renders_its_prompt_only_on_a_terminal():
    query = Query(name="q", kind="input", schema={"type": "string"}, prompt="- **one**")

    assert opening(query)[1:] == ["  - **one**"]


def test_a_question_on_a_terminal_has_its_prompt_rendered():
    query = Query(name="q", kind="input", schema={"type": "string"}, prompt="- **one**", columns=80)

    assert [STYLES.sub("", line) for line in opening(query)[1:]] == ["   • one"]
