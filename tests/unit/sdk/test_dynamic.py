"""Dynamic tasks: a body that builds a graph with its real inputs at hand."""

from datetime import timedelta
from typing import Any

import pytest

from tidegate import (
    CompileError,
    ExecutionFailed,
    NoAnswer,
    approve,
    conditional,
    current_context,
    dynamic,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from tidegate.ir.expr import Const, NodeId, OutputRef
from tidegate.ir.graph import Graph, TaskNode
from tidegate.sdk.invoke import invoke
from tidegate.sdk.scratch import scratch_blobs


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def label(text: str, value: int) -> str:
    return f"{text}={value}"


@dynamic
def total(values: list[int]) -> int:
    result = 0
    for value in values:
        result = add(a=result, b=value)
    return result


@dynamic(retries=1)
def ask_each(items: list[str]) -> list[str]:
    found = []
    for item in items:
        answer = wait_for_input(f"label-{item}", timedelta(hours=1), int)
        found.append(label(text=item, value=answer))
    return found


@dynamic
def count_down(n: int) -> int:
    if n == 0:
        return 0
    return add(a=1, b=count_down(n=n - 1))


def test_invoking_it_gives_the_graph_that_its_body_calls_together():
    graph = invoke(total, {"values": [3, 4]}, dynamic=True, blobs=scratch_blobs())

    assert isinstance(graph, Graph)
    assert [n.inputs for n in graph.nodes.values() if isinstance(n, TaskNode)] == [
        {"a": Const(0), "b": Const(3)},
        {"a": OutputRef(NodeId("n0"), "o0"), "b": Const(4)},
    ]
    assert graph.outputs == {"o0": OutputRef(NodeId("n1"), "o0")}
    assert graph.interface.outputs == {"o0": {"type": "integer"}}


def test_in_a_workflow_it_is_one_node():
    @workflow
    def wf(values: list[int]) -> int:
        return total(values=values)

    (node,) = wf.compile().nodes.values()
    assert isinstance(node, TaskNode)
    assert node.dynamic
    assert wf(values=[1, 2, 3]) == 6
    assert wf(values=[]) == 0


def test_called_by_itself_it_runs_as_a_workflow_of_its_own():
    assert total(values=[1, 2, 3]) == 6


def test_gates_with_generated_names_are_asked_in_a_loop():
    @workflow
    def wf(items: list[str]) -> list[str]:
        return ask_each(items=items)

    result = wf.run({"items": ["a", "b"]}, answers={"label-a": 1, "n0/label-b": 2})

    assert result == ["a=1", "b=2"]


def test_it_may_call_itself():
    @workflow
    def wf(n: int) -> int:
        return count_down(n=n)

    assert wf(n=4) == 4


def test_it_may_hold_everything_that_a_workflow_may():
    @workflow
    def sub(x: int) -> int:
        return add(a=x, b=1)

    @dynamic
    def mixed(x: int) -> tuple[int, str]:
        pause = sleep(timedelta(days=1))
        first = sub(x=x)
        pause >> first
        picked = conditional("c").if_(first > 3).then(add(a=first, b=10)).else_().then(first)
        return approve(picked, "ok"), label(text="x", value=total(values=[x, x]))

    @workflow
    def wf(x: int) -> tuple[int, str]:
        return mixed(x=x)

    assert wf.run({"x": 3}, answers={"ok": True}) == (14, "x=6")
    assert wf.run({"x": 1}, answers={"ok": True}) == (2, "x=2")


def test_two_gates_of_one_name_in_its_body_fail_it_and_are_not_tried_again():
    tries = []

    @dynamic(retries=3)
    def twice() -> int:
        tries.append(1)
        wait_for_input("x", expected_type=int)
        return wait_for_input("x", expected_type=int)

    @workflow
    def wf() -> int:
        return twice()

    with pytest.raises(ExecutionFailed, match="two gates are called 'x'"):
        wf()
    assert len(tries) == 1


def test_an_error_of_its_body_is_a_failure_of_the_task():
    @dynamic
    def broken(x: int) -> int:
        raise ValueError("no")

    @workflow
    def wf() -> int:
        return broken(x=1)

    with pytest.raises(ExecutionFailed, match="ValueError: no") as error:
        wf()
    assert isinstance(error.value.__cause__, ValueError)


def test_it_must_return_what_it_declares():
    @dynamic
    def wrong() -> int:
        return label(text="a", value=1)  # type: ignore[return-value]

    @workflow
    def wf() -> int:
        return wrong()

    with pytest.raises(ExecutionFailed, match="does not fit output 'o0'"):
        wf()


def test_its_promises_cannot_be_used_as_values():
    @dynamic
    def wrong(n: int) -> int:
        if add(a=n, b=1) > 3:
            return 1
        return 2

    @workflow
    def wf() -> int:
        return wrong(n=1)

    with pytest.raises(ExecutionFailed, match="use conditional") as error:
        wf()
    assert isinstance(error.value.__cause__, CompileError)


def test_it_may_be_asynchronous():
    @dynamic
    async def later(n: int) -> int:
        return add(a=n, b=1)

    @workflow
    def wf() -> int:
        return later(n=1)

    assert wf() == 2


def test_it_knows_its_run():
    seen: list[Any] = []

    @dynamic
    def look() -> int:
        seen.append(current_context())
        return add(a=1, b=1)

    @workflow
    def wf() -> int:
        return look()

    wf()

    assert (seen[0].node, seen[0].attempt) == ("n0", 1)


def test_a_question_that_nobody_answers_names_the_gate(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", None)

    with pytest.raises(NoAnswer, match="'label-a'"):
        ask_each(items=["a"])
