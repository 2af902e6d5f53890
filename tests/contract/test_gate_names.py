"""Order, cycles, and how a signal is found by its name or path."""

from datetime import timedelta
from typing import Any

import pytest

from tidegate import (
    CompileError,
    Workflow,
    approve,
    conditional,
    dynamic,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from tidegate.errors import AmbiguousSignal, UnknownSignal
from tidegate.testing import Sandbox

HOUR = timedelta(hours=1)


@task
def double(x: int) -> int:
    return 2 * x


@task
def a() -> int:
    return 1


@task
def b() -> int:
    return 2


# ---- a >> b ----


@workflow
def ordered() -> None:
    first, second = a(), b()
    answer = wait_for_input("answer", expected_type=int)
    ok = approve(second, "ok")
    assert (first >> answer) is answer
    first >> answer >> sleep(HOUR) >> ok


def test_an_arrow_orders_any_two_nodes_and_returns_the_second(sandbox: Sandbox):
    run = sandbox.launch(ordered)
    assert run.waiting == ["answer"]
    run.answer("answer", 1)
    assert run.waiting == []
    assert [each.kind for each in run.view.waiting] == ["sleep"]
    sandbox.advance(HOUR)
    assert run.waiting == ["ok"]


@pytest.mark.parametrize("kinds", ["tasks", "gates", "values"])
def test_a_cycle_is_refused_by_the_compiler_and_shown_as_a_path(kinds: str):
    @workflow
    def wf(x: int) -> None:
        if kinds == "tasks":
            one, two = a(), b()
        elif kinds == "gates":
            one = wait_for_input("a", expected_type=int)
            two = approve(x, "b")
        else:
            one = wait_for_input("a", expected_type=int)
            two = approve(one, "b")
        one >> two
        two >> one

    with pytest.raises(CompileError) as error:
        wf.compile()
    path = error.value.message.rpartition(": ")[2].split(" -> ")
    assert [step.split()[0] for step in path] in (["a", "b", "a"], ["b", "a", "b"])


def test_a_cycle_in_an_imperative_workflow_is_refused_too():
    wf = Workflow("circle")
    one, two = wf.add_entity(a), wf.add_wait_for_input("w", expected_type=int)
    one >> two
    two >> one
    with pytest.raises(CompileError, match=r"a \(n0\) -> w \(n1\) -> a|w \(n1\) -> a \(n0\) -> w"):
        wf.compile()


# ---- names ----


def two_inputs(x: int) -> None:
    wait_for_input("same", expected_type=int)
    wait_for_input("same", expected_type=str)


def input_and_approval(x: int) -> None:
    wait_for_input("same", expected_type=int)
    approve(x, "same")


def two_cases(x: int) -> int:
    return conditional("c").if_(x > 1).then(approve(x, "same")).else_().then(approve(x, "same"))


@pytest.mark.parametrize("body", [two_inputs, input_and_approval, two_cases])
def test_two_gates_of_one_name_in_one_body_are_refused_by_the_compiler(body: Any):
    with pytest.raises(CompileError, match="two gates are called 'same'"):
        workflow(body).compile()


def test_two_gates_of_one_name_in_an_imperative_workflow_are_refused():
    wf = Workflow("twice")
    wf.add_wait_for_input("same", expected_type=int)
    with pytest.raises(CompileError, match="two gates are called 'same'"):
        wf.add_approve(1, "same")


@dynamic
def same_names(x: int) -> int:
    one = wait_for_input("same", expected_type=int)
    wait_for_input("same", expected_type=int)
    return one


@workflow
def calls_same_names() -> int:
    return same_names(x=1)


def test_two_gates_of_one_name_in_a_dynamic_fail_it_with_the_same_words(sandbox: Sandbox):
    run = sandbox.launch(calls_same_names)
    error = run.view.error
    assert error is not None
    assert "two gates are called 'same'" in error.message


# ---- addresses ----


@workflow
def ask() -> int:
    return wait_for_input("title", expected_type=int)


@dynamic
def ask_at_run_time() -> int:
    return wait_for_input("title", expected_type=int)


@workflow
def nested() -> int:
    return ask()


@workflow
def outer() -> list[int]:
    first = ask()
    second = nested()
    third = ask_at_run_time()
    return [first, second, third, wait_for_input("unique", expected_type=int)]


def test_a_signal_is_found_by_its_name_if_that_is_unique(sandbox: Sandbox):
    run = sandbox.launch(nested)
    assert run.questions[0].path == "title"
    assert run.answer("title", 4).signal == "title"
    assert run.outputs == {"o0": 4}


def test_a_unique_name_is_found_in_a_dynamic_too(sandbox: Sandbox):
    @workflow
    def wf() -> int:
        return ask_at_run_time()

    run = sandbox.launch(wf)
    run.answer("title", 4)
    assert run.outputs == {"o0": 4}


def test_an_ambiguous_name_is_refused_and_the_paths_are_listed(sandbox: Sandbox):
    run = sandbox.launch(outer)
    with pytest.raises(AmbiguousSignal) as refused:
        run.answer("title", 1)
    paths = ["n0/title", "n1/n0/title", "n2/title"]
    assert refused.value.status == 409
    assert refused.value.details["paths"] == paths
    assert all(path in refused.value.message for path in paths)
    assert sorted(question.path for question in run.questions) == sorted([*paths, "unique"])
    assert run.phase == "WAITING"


def test_a_signal_is_found_by_its_path_where_its_name_is_not_unique(sandbox: Sandbox):
    run = sandbox.launch(outer)
    for value, path in enumerate(["n0/title", "n1/n0/title", "n2/title", "unique"]):
        assert run.answer(path, value).signal == path
    assert run.outputs == {"o0": [0, 1, 2, 3]}


def test_an_unknown_signal_is_refused_and_those_there_are_are_listed(sandbox: Sandbox):
    run = sandbox.launch(outer)
    for name in ("titel", "n7/title", "n0", ""):
        with pytest.raises(UnknownSignal) as refused:
            run.answer(name, 1)
        assert refused.value.status == 404
        assert set(refused.value.details["signals"]) == {
            "n0/title",
            "n1/n0/title",
            "n2/title",
            "unique",
        }
        assert "n1/n0/title" in refused.value.message
    assert run.phase == "WAITING"


@workflow
def slashed() -> int:
    return wait_for_input("a/b", expected_type=int)


@workflow
def calls_slashed() -> list[int]:
    return [slashed(), slashed(), wait_for_input("x/y", expected_type=int)]


def test_a_name_may_have_slashes_which_are_escaped_in_its_path(sandbox: Sandbox):
    run = sandbox.launch(calls_slashed)
    paths = [question.path for question in run.questions]
    assert sorted(paths) == ["/x~1y", "n0/a~1b", "n1/a~1b"]
    for number, path in enumerate(["n0/a~1b", "n1/a~1b"]):
        assert run.answer(path, number).signal == path
    assert run.answer("x/y", 2).signal == "/x~1y"
    assert run.outputs == {"o0": [0, 1, 2]}


@dynamic
def tricks(x: int) -> int:
    """Returns a gate whose name is the path of one that waits, and one whose name is its handle."""
    if x == 0:
        return x
    wait_for_input("n1/title", expected_type=int)
    return wait_for_input("n1/~.n0", expected_type=int)


@workflow
def tricked() -> list[int]:
    go = wait_for_input("go", expected_type=int)
    return [ask(), tricks(x=go)]


def test_what_comes_later_is_never_answered_in_place_of_what_was_shown(sandbox: Sandbox):
    run = sandbox.launch(tricked)
    question = next(each for each in run.questions if each.name == "title")
    assert (question.path, question.handle) == ("title", "n1/~.n0")
    run.answer("go", 1)
    assert len(run.questions) == 3
    assert run.answer("n1/title", 5, shown=question.digest).signal == "title"
    assert run.answer(question.handle, 5).signal == "title"
    trick = next(each for each in run.questions if each.name == "n1/title")
    assert trick.path == "n2/n1~1title"


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_no_address_can_say_is_refused_by_the_compiler(name: str):
    @workflow
    def wf() -> int:
        return wait_for_input(name, expected_type=int)

    with pytest.raises(CompileError, match="which no address can say"):
        wf.compile()


@pytest.mark.parametrize("name", [" a", "a "])
def test_a_name_with_a_blank_at_an_end_is_refused_for_a_shell_loses_it(name: str):
    @workflow
    def wf() -> int:
        return wait_for_input(name, expected_type=int)

    with pytest.raises(CompileError, match="begins or ends with a blank"):
        wf.compile()
    with pytest.raises(CompileError, match="begins or ends with a blank"):
        Workflow(name).compile()


@pytest.mark.parametrize("name", [".", ".."])
def test_a_workflow_is_not_called_what_no_address_can_say(name: str):
    with pytest.raises(CompileError, match="which no address can say"):
        workflow(name=name)(lambda: None).compile()
