"""`@task`: what a task is outside of a workflow, and how workers find it."""

from typing import Any, NamedTuple

import pytest

from tidegate import CompileError, task, workflow
from tidegate.ir.expr import NodeId, OutputRef
from tidegate.ir.graph import PythonTarget, TaskNode


class Fit(NamedTuple):
    slope: float
    label: str


@task
def number(value: int = 1) -> int:
    return value


@task
def pair() -> tuple[int, str]:
    return 1, "a"


@task
def fit() -> Fit:
    return Fit(1.5, "l")


@task
def void(): ...


def out(node: int, output: str = "o0") -> OutputRef:
    return OutputRef(NodeId(f"n{node}"), output)


def only(wf: Any) -> TaskNode:
    (node,) = wf.compile().nodes.values()
    assert isinstance(node, TaskNode)
    return node


def test_a_task_outside_of_a_workflow_is_the_plain_function():
    assert number(value=3) == 3
    assert number(4) == 4
    assert pair() == (1, "a")
    assert number.__name__ == "number"
    assert number.function(5) == 5


def test_an_asynchronous_task_is_run_to_its_end():
    @task
    async def later(value: int) -> int:
        return value + 1

    @workflow
    def wf() -> int:
        return later(value=1)

    assert later(value=3) == 4
    assert wf() == 2


@pytest.mark.parametrize("thing", [3, int, "f"])
def test_only_functions_become_tasks_and_workflows(thing):
    with pytest.raises(TypeError, match="decorates functions"):
        task(thing)
    with pytest.raises(TypeError, match="decorates functions"):
        workflow(thing)


second = task(retries=2)(number.function)


def test_a_task_is_found_under_the_name_that_the_module_gives_it():
    @workflow
    def wf() -> int:
        return second()

    assert only(wf).target == PythonTarget(__name__, "second")


def test_two_tasks_that_workers_cannot_tell_apart_are_refused():
    def make(value: int):
        @task
        def made() -> int:
            return value

        return made

    @workflow
    def wf():
        make(1)()
        make(2)()

    with pytest.raises(CompileError, match="two tasks are called .*made"):
        wf.compile()
