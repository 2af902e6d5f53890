"""What is remembered of a gate whose round is over: enough to reply as if it were there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.evaluate import same
from tidegate.core.messages import Accepted, AnswerRecord, Denied
from tidegate.core.past import digest_of, past_gate
from tidegate.ir.graph import Instant

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-3, 3).map(float)
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(VALUES, VALUES)
def test_two_values_have_one_digest_if_and_only_if_they_are_the_same_answer(a: Any, b: Any) -> None:
    assert (digest_of(a) == digest_of(b)) is same(a, b)


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True),
        (0.0, -0.0, True),
        (True, 1, False),
        (False, 0, False),
        (2**60, float(2**60), True),
        (2**53 + 1, float(2**53), False),
        (1e300, 1e300, True),
        ({"a": 1, "b": [True]}, {"b": [True], "a": 1.0}, True),
        ({"a": [True]}, {"a": [1]}, False),
        (2**70, 2**70, True),
        (2**70, str(2**70), False),
        (float(2**70), 2**70, True),
    ],
)
def test_the_digest_tells_what_json_tells(a: Any, b: Any, equal: bool) -> None:
    assert (digest_of(a) == digest_of(b)) is equal


ANSWER = AnswerRecord({"x": 1}, Instant(7), "ann", "web", early=True)


def test_an_answer_is_told_from_another_one() -> None:
    gate = past_gate("title", ANSWER, Instant(9))
    assert gate.reply({"x": 1.0}, "ann") == Accepted(Instant(7), "ann", early=True)
    assert gate.reply({"x": True}, "ann") == Denied("already_answered", Instant(7), "ann")


def test_a_gate_that_its_timeout_answered_has_timed_out_for_everybody() -> None:
    answer = AnswerRecord(1, Instant(7), "timeout", "timeout", by_timeout=True)
    gate = past_gate("title", answer, Instant(9))
    assert gate.reply(1, "ann") == gate.reply(2, "ann") == Denied("timed_out", Instant(9))


def test_a_gate_that_nobody_needed_was_withdrawn() -> None:
    assert past_gate("title", None, Instant(9)).reply(1, "ann") == Denied("withdrawn", Instant(9))
    assert past_gate("title", None, None).reply(1, "ann") == Denied("withdrawn")
