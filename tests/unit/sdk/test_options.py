"""The options of a task, and which of them may change after the call."""

from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from tidegate import CompileError, task, workflow
from tidegate.ir.expr import NodeId, OutputRef
from tidegate.ir.graph import SECOND, Micros, PythonTarget, Retry, TaskNode


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


def test_options_of_a_task_are_kept():
    @task(retries=3, backoff=timedelta(seconds=2), timeout=timedelta(minutes=1), name="fetch it")
    def fetch() -> int:
        return 1

    @workflow
    def wf() -> int:
        return fetch()

    node = only(wf)
    assert node.name == "fetch it"
    assert node.retry == Retry(3, Micros(2 * SECOND))
    assert node.timeout == 60 * SECOND
    assert node.target == PythonTarget(__name__, fetch.function.__qualname__)


def test_a_timeout_may_be_whole_seconds():
    @task(timeout=90)
    def fetch() -> int:
        return 1

    @workflow
    def wf() -> int:
        return fetch()

    assert only(wf).timeout == 90 * SECOND


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"retries": -1}, "retries must be an integer"),
        ({"retries": True}, "retries must be an integer"),
        ({"retries": 1.5}, "retries must be an integer"),
        ({"timeout": -5}, "timeout must be longer than zero"),
        ({"timeout": "1h"}, "timeout must be a timedelta"),
        ({"backoff": 3}, "backoff must be a timedelta"),
        ({"backoff": timedelta(-1)}, "backoff must be longer than zero"),
        ({"name": "a\nb"}, "control characters"),
    ],
)
def test_wrong_options_of_a_task_are_refused_when_it_is_compiled(options, message):
    @task(**options)
    def fetch() -> int:
        return 1

    @workflow
    def wf() -> int:
        return fetch()

    with pytest.raises(CompileError, match=message):
        wf.compile()


def test_unknown_options_are_refused_at_once():
    with pytest.raises(
        TypeError,
        match="@task has no option 'retry'; its options are backoff, environment, limits, name",
    ):
        task(retry=3)(lambda: 1)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="@workflow has no option 'on_failure'"):
        workflow(on_failure=1)(lambda: 1)  # type: ignore[call-overload]


def test_options_of_flyte_without_a_meaning_here_are_taken():
    @task(cache=True, cache_version="1", container_image="x", accelerator=1, enable_deck=True)
    def fetch() -> int:
        return 1

    assert fetch() == 1


def test_overrides_change_one_node_only():
    @workflow
    def wf():
        number().with_overrides(name="a", retries=2, timeout=timedelta(seconds=5), accelerator="1")
        pair().with_overrides(node_name="b")
        number()

    a, b, c = wf.compile().nodes.values()
    assert isinstance(a, TaskNode)
    assert (a.name, a.retry.retries, a.timeout) == ("a", 2, 5 * SECOND)
    assert (b.name, c.name) == ("b", "number")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nme": "x"}, "unknown option 'nme'"),
        ({"retries": -1}, "an integer"),
        ({"name": ""}, "needs a non-empty string as its name"),
    ],
)
def test_wrong_overrides_are_refused(changes, message):
    @workflow
    def wf():
        number().with_overrides(**changes)

    with pytest.raises(CompileError, match=message):
        wf.compile()
