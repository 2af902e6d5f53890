"""What is said of an exception of the author's code: one line, the traceback as far as it is the author's, and whether another try is worth it."""

import pytest

from tidegate import CompileError, InvalidValue, task
from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.sdk.failures import MAX_MESSAGE, MAX_TRACE, failure_of
from tidegate.sdk.invoke import invoke


def test_a_failure_tells_the_author_s_part_of_the_story():
    def inner():
        raise KeyError("k")

    @task
    def outer() -> int:
        try:
            inner()
        except KeyError as error:
            raise ValueError("v") from error
        return 1

    with pytest.raises(ValueError, match="v") as caught:
        invoke(outer, {}, dynamic=False, blobs=BlobFiles(BlobDirectory("/nowhere")))
    failure = failure_of(caught.value)

    assert (failure.code, failure.message, failure.retryable) == (
        "TaskRaised",
        "ValueError: v",
        True,
    )
    assert "KeyError: 'k'" in failure.trace
    assert failure.trace.rstrip().endswith("ValueError: v")


def test_a_wrong_type_is_not_worth_another_try():
    assert not failure_of(InvalidValue("x")).retryable
    assert not failure_of(CompileError("x")).retryable
    assert failure_of(OSError()).message == "OSError"


def test_endless_messages_are_cut():
    failure = failure_of(ValueError("x" * 100_000))

    assert len(failure.message) <= MAX_MESSAGE + 4
    assert len(failure.trace) <= MAX_TRACE + 100


def test_an_exception_whose_text_cannot_be_had_is_named_all_the_same():
    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert failure_of(Silent()).message == "Silent: (its text cannot be had)"


def test_a_text_that_cannot_be_stored_is_spelled_out():
    assert failure_of(ValueError("\udcff")).message == "ValueError: \\udcff"
