"""What the client makes of an answer: what was shown, to whom it goes, and a key that makes a repeat safe."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tidegate.remote.answering import answer_to
from tidegate.wire import WaitingView, check

ITEM = WaitingView(
    execution="e1",
    workflow="wf",
    name="title",
    path="n2/title",
    kind="input",
    opened=datetime(2026, 1, 1, tzinfo=UTC),
    handle="n2/~.n0",
    digest="1:0a0b",
)


def test_a_question_that_was_returned_says_what_it_showed() -> None:
    request = answer_to(ITEM, "", 5, {"comment": "as agreed"})
    check(request)
    assert (request.id, request.name, request.shown) == ("e1", "n2/~.n0", "1:0a0b")
    assert (request.value, request.comment) == (5, "as agreed")


def test_a_name_says_that_nothing_was_shown_unless_it_is_said() -> None:
    assert answer_to("title", "e1", 5, {}).shown == ""
    assert answer_to("title", "e1", 5, {"shown": "1:0a0b"}).shown == "1:0a0b"


def test_each_answer_has_a_key_of_its_own_or_the_one_it_was_given() -> None:
    one, two = (answer_to("title", "e1", 5, {}).key for _ in range(2))
    assert one != two
    assert answer_to("title", "e1", 5, {"key": "k"}).key == "k"


@pytest.mark.parametrize(
    ("signal", "execution", "options", "why"),
    [
        ("title", "", {}, "name the execution"),
        ("title", "e1", {"coment": "x"}, "no option 'coment'"),
    ],
)
def test_what_would_go_unnoticed_is_refused(
    signal: Any, execution: str, options: Any, why: str
) -> None:
    with pytest.raises(TypeError, match=why):
        answer_to(signal, execution, 5, options)
