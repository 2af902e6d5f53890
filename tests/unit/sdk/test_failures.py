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

    assert failure_of(Silent()).message == "Silent: (its text is not available)"


def test_a_text_that_cannot_be_stored_is_spelled_out():
    assert failure_of(ValueError("\udcff")).message == "ValueError: \\udcff"


def test_a_file_that_is_missing_is_said_to_be_where_it_is_and_how_it_gets_to_the_task(tmp_path):
    there, source = tmp_path / "there", tmp_path / "source"
    for place in (there / "flows", source):
        place.mkdir(parents=True)
    for name in ("rates.csv", "flows/packed.csv", "../up.csv"):
        (there / name).write_text("")
    (source / "packed.csv").write_text("")

    def said(error):
        return failure_of(error, str(source), str(there)).message

    for error in (
        FileNotFoundError(2, "No such file", "./rates.csv"),
        FileNotFoundError(2, "No such file", b"rates.csv"),
        FileNotFoundError("Failed to open local file 'rates.csv'"),
    ):
        assert f"there is one in {there}" in said(error)
        assert "pack it with --include rates.csv, or read it from" in said(error)
    up = said(FileNotFoundError(2, "No such file", "../up.csv"))
    assert ("--include" in up, "current_context().launched_from" in up) == (False, True)
    assert "it is packed as packed.csv" in said(FileNotFoundError(2, "", "flows/packed.csv"))
    assert "--include absent.csv" in said(FileNotFoundError(2, "", "absent.csv"))
    assert "(" not in said(FileNotFoundError(2, "No", "/absent.csv"))
    # A Python that was built without one of its own modules has it nowhere beside a workflow.
    assert "--include shop/prices.py" in said(ModuleNotFoundError("No", name="shop.prices"))
    assert "(" not in said(ModuleNotFoundError("No", name="_tkinter"))
