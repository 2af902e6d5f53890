"""Calling a task as a worker does: stored values in and out, and tasks found by their targets."""

import sys
import types
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tidegate import CompileError, InvalidValue, Workflow, current_context, task, workflow
from tidegate.blobs import BlobDirectory
from tidegate.errors import CodeError
from tidegate.sdk.failures import MAX_MESSAGE, MAX_TRACE, failure_of
from tidegate.sdk.invoke import invoke
from tidegate.sdk.load import check_targets, describe_module, load
from tidegate.sdk.trace import TaskRun


@dataclass
class Point:
    x: int


@task
def move(point: Point, by: int = 1) -> Point:
    return Point(point.x + by)


@task
def pair(x: int) -> tuple[int, str]:
    return x, "a"


@task
def silent(x: int):
    return x


@task
def free() -> dict:
    return {"a": [1, None]}


@workflow
def moves(point: Point) -> Point:
    return move(point=point)


def call(t: Any, inputs: dict[str, Any], tmp_path: Path) -> Any:
    return invoke(t, inputs, dynamic=False, blobs=BlobDirectory(tmp_path))


def test_values_are_decoded_and_encoded_by_the_declared_types(tmp_path):
    assert call(move, {"point": {"x": 1}, "by": 2}, tmp_path) == {"o0": {"x": 3}}
    assert call(move, {"point": {"x": 1}}, tmp_path) == {"o0": {"x": 2}}
    assert call(pair, {"x": 1}, tmp_path) == {"o0": 1, "o1": "a"}
    assert call(free, {}, tmp_path) == {"o0": {"a": [1, None]}}
    assert call(silent, {"x": 1}, tmp_path) == {}


def test_an_input_that_does_not_fit_names_task_and_input(tmp_path):
    with pytest.raises(InvalidValue, match="task '.*:move': input 'point'"):
        call(move, {"point": {"y": 1}}, tmp_path)


def test_the_caller_says_which_run_it_is(tmp_path):
    seen: list[TaskRun] = []

    @task
    def look() -> int:
        seen.append(current_context())
        return 1

    run = TaskRun("e1", "n2/n0", 3, "e1/n2/n0", str(tmp_path))
    invoke(look, {}, dynamic=False, blobs=BlobDirectory(tmp_path), run=run)

    assert seen == [run]


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
        invoke(outer, {}, dynamic=False, blobs=BlobDirectory("/nowhere"))
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


@pytest.fixture
def module(monkeypatch) -> ModuleType:
    made = types.ModuleType("made_up")
    source = """
from tidegate import task, workflow, Workflow
from os.path import join

@task
def double(x: int) -> int:
    return 2 * x

class Group:
    @staticmethod
    @task
    def inside() -> int:
        return 1

@workflow
def first(x: int) -> int:
    return double(x=x)

@workflow
def other() -> int:
    return first(x=Group.inside())

again = first
built = Workflow("built")
not_a_task = 3
"""
    monkeypatch.setitem(sys.modules, "made_up", made)
    exec(compile(source, "made_up.py", "exec"), made.__dict__)
    made.__dict__["imported"] = moves
    made.__dict__["built_elsewhere"] = Workflow("elsewhere")
    return made


def test_tasks_are_found_by_module_and_name(module):
    assert load("made_up", "double") is module.double
    assert load("made_up", "Group.inside")() == 1
    assert str(module.double.target) == "made_up:double"


@pytest.mark.parametrize(
    ("place", "name", "message"),
    [
        ("made_up_too", "double", "there is no module 'made_up_too'"),
        ("made_up", "triple", "module 'made_up' has no task 'triple'"),
        ("made_up", "not_a_task", "made_up:not_a_task is no task but a int"),
        ("made_up", "join", "is no task but a function"),
        ("made_up", "f.<locals>.g", "defined inside a function cannot be found by a worker"),
    ],
)
def test_a_task_that_is_not_there_is_one_clear_error(module, place, name, message):
    with pytest.raises(CodeError, match=message):
        load(place, name)


def test_workflows_of_a_module_are_those_defined_in_it_each_once(module):
    found = describe_module(module)

    assert [(name, wf.name) for name, wf in found] == [
        ("first", "made_up.first"),
        ("other", "made_up.other"),
        ("built", "built"),
    ]


def test_a_graph_whose_tasks_no_worker_finds_is_refused(module):
    check_targets(module.other.compile())

    @task
    def hidden() -> int:
        return 1

    @workflow
    def wf() -> int:
        return hidden()

    with pytest.raises(CodeError, match="cannot be found by a worker"):
        check_targets(wf.compile())
