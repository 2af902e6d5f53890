"""A value that one task returns is the value that the next one takes: equal and of the same type, or refused where it arises."""

from typing import Any, Literal

import pytest

from tidegate import task, wait_for_input, workflow
from tidegate.errors import InvalidValue
from tidegate.testing import Sandbox

Mixed = Literal[1, True, 0, False, "1", "True", "", None]
MEMBERS = Mixed.__args__  # type: ignore[attr-defined]


@task
def choose(n: int) -> Mixed:
    return MEMBERS[n]


@task
def choose_all() -> list[Mixed]:
    return list(MEMBERS)


@task
def tell(value: Mixed) -> str:
    return repr(value)


@task
def tell_all(values: list[Mixed]) -> str:
    return repr(values)


@workflow
def passed_on(n: int) -> str:
    return tell(value=choose(n=n))


@workflow
def all_passed_on() -> str:
    return tell_all(values=choose_all())


@workflow
def asked() -> str:
    return tell(value=wait_for_input("which", expected_type=Mixed))


@workflow
def given(value: Mixed) -> str:
    return tell(value=value)


@pytest.mark.parametrize("n", range(len(MEMBERS)))
def test_each_member_of_a_literal_of_mixed_types_arrives_with_its_type(sandbox: Sandbox, n: int):
    expected = repr(MEMBERS[n])

    assert sandbox.launch(passed_on, n=n).outputs == {"o0": expected}
    assert sandbox.launch(given, value=MEMBERS[n]).outputs == {"o0": expected}
    assert passed_on(n=n) == expected
    run = sandbox.launch(asked)
    run.answer("which", MEMBERS[n])
    assert run.outputs == {"o0": expected}


def test_members_of_a_literal_keep_their_types_in_a_list(sandbox: Sandbox):
    assert sandbox.launch(all_passed_on).outputs == {"o0": repr(list(MEMBERS))}


def test_what_equals_a_member_is_not_accepted_for_it(sandbox: Sandbox):
    run = sandbox.launch(asked)

    for value in (2, "0", "False"):
        with pytest.raises(InvalidValue):
            run.answer("which", value)
    assert run.waiting == ["which"]


@task
def pairs(lengths: list[int]) -> list[tuple[int, int]]:
    made: Any = [tuple(range(length)) for length in lengths]
    return made


@task
def count(items: list[tuple[int, int]]) -> int:
    return sum(len(item) for item in items)


@workflow
def returned(lengths: list[int]) -> int:
    return count(items=pairs(lengths=lengths))


@workflow
def answered() -> int:
    return count(items=wait_for_input("items", expected_type=list[tuple[int, int]]))


@pytest.mark.parametrize("length", [0, 1, 3, 4])
def test_a_tuple_of_another_length_fails_the_task_that_returns_it(sandbox: Sandbox, length: int):
    run = sandbox.launch(returned, lengths=[2, length])

    assert run.phase == "FAILED"
    assert run.view.error is not None
    assert f"[1]: expected a list of 2, got a tuple of {length}" in run.view.error.message
    with pytest.raises(Exception, match=r"\[1\]: expected a list of 2"):
        returned(lengths=[2, length])


@pytest.mark.parametrize("length", [0, 1, 3, 4])
def test_a_tuple_of_another_length_is_not_an_answer(sandbox: Sandbox, length: int):
    run = sandbox.launch(answered)

    with pytest.raises(InvalidValue) as refused:
        run.answer("items", [[1, 2], list(range(length))])
    assert refused.value.faults[0].path[0] == 1
    run.answer("items", [[1, 2], [3, 4]])
    assert run.outputs == {"o0": 4}
