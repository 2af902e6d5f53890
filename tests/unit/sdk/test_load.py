"""Tasks are found by their targets, and the workflows of a module are those defined in it."""

import sys
import types
from types import ModuleType

import pytest

from tidegate import Workflow, task, workflow
from tidegate.errors import CodeError
from tidegate.sdk.load import check_targets, describe_module, load


@task
def move(x: int) -> int:
    return x + 1


@workflow
def moves(x: int) -> int:
    return move(x=x)


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
        ("made_up", "not_a_task", "made_up:not_a_task is not a task but a int"),
        ("made_up", "join", "is not a task but a function"),
        ("made_up", "f.<locals>.g", "cannot find a task that is defined inside a function"),
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

    with pytest.raises(CodeError, match="a worker cannot find"):
        check_targets(wf.compile())
