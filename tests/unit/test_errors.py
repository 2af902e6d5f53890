"""Errors carry what a caller needs to fix something: a code, a sentence, and where each fault is."""

import pytest

from tidegate.errors import CompileError, Fault, InvalidValue, TidegateError


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "it is wrong"),
        (("a",), "a: it is wrong"),
        (("a", 0, "b"), "a[0].b: it is wrong"),
        ((2,), "[2]: it is wrong"),
    ],
)
def test_a_fault_says_where_it_is(path: tuple[str | int, ...], text: str):
    assert str(Fault(path, "it is wrong")) == text


def test_an_error_keeps_its_facts_beside_its_sentence():
    error = InvalidValue("no", [Fault(("a",), "wrong")], signal="n")

    assert str(error) == error.message == "no"
    assert list(error.faults) == [Fault(("a",), "wrong")]
    assert error.details["signal"] == "n"


def test_an_authoring_error_is_told_with_its_file_and_line():
    error = CompileError("two gates are called 'title'")

    error.locate("flow.py:3")

    assert str(error) == error.message == "two gates are called 'title' (flow.py:3)"


def subclasses(cls: type[TidegateError]) -> list[type[TidegateError]]:
    return [cls, *(found for each in cls.__subclasses__() for found in subclasses(each))]


def test_every_status_is_one_of_http():
    assert all(400 <= each.status < 600 for each in subclasses(TidegateError))
