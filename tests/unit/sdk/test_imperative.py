"""`Workflow(name)`: put together by calls, gates too, and used like any other."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tidegate import CompileError, ImperativeWorkflow, LaunchPlan, Workflow, task, workflow
from tidegate.ir.expr import InputRef, ListExpr, NodeId, OutputRef
from tidegate.ir.graph import SECOND, ApproveNode, Expires, InputNode, Question, SleepNode, SubNode

HOUR = timedelta(hours=1)


@dataclass
class Report:
    title: str
    size: int


@task
def measure(text: str) -> int:
    return len(text)


@task
def write(title: str, size: int) -> Report:
    return Report(title, size)


@task
def note(): ...


def out(node: int, output: str = "o0", *path: str) -> OutputRef:
    return OutputRef(NodeId(f"n{node}"), output, path)


def make() -> Workflow:
    wf = Workflow(name="report")
    wf.add_workflow_input("text", str)
    size = wf.add_entity(measure, text=wf.inputs["text"])
    title = wf.add_wait_for_input(
        "title", HOUR, str, prompt="Which?", show={"size": size.outputs["o0"]}
    )
    report = wf.add_entity(write, title=title.outputs["o0"], size=size)
    approved = wf.add_approve(report.outputs["o0"], "publish", HOUR)
    pause = wf.add_sleep(timedelta(seconds=5))
    approved >> pause
    pause >> wf.add_task(note)
    wf.add_workflow_output("report", approved.outputs["o0"])
    return wf


def test_it_compiles_into_the_graph_that_its_calls_describe():
    graph = make().compile()

    n = graph.nodes
    assert list(n) == [f"n{i}" for i in range(6)]
    assert n["n0"].inputs == {"text": InputRef("text")}  # type: ignore[union-attr]
    assert isinstance(n["n1"], InputNode)
    assert n["n1"].question == Question("Which?", {"size": out(0)})
    assert n["n1"].patience == Expires(3600 * SECOND)
    assert isinstance(n["n3"], ApproveNode)
    assert n["n3"].subject == out(2)
    assert isinstance(n["n4"], SleepNode)
    assert (n["n4"].after, n["n5"].after) == (("n3",), ("n4",))
    assert graph.outputs == {"report": out(3)}
    assert graph.name == "report"


def test_it_is_called_run_and_gives_its_outputs_their_types():
    assert make().run({"text": "abc"}, answers={"title": "T", "publish": True}) == Report("T", 3)


def test_it_is_a_part_of_another_workflow():
    inner = make()

    @workflow
    def outer(text: str) -> int:
        return inner(text=text).size

    imperative = Workflow("outer")
    node = imperative.add_subwf(inner, text=imperative.add_workflow_input("t", str))
    imperative.add_workflow_output("size", node.outputs["report"].size, int)

    answers = {"title": "T", "publish": True}
    assert isinstance(outer.compile().nodes["n0"], SubNode)
    assert outer.run({"text": "abcd"}, answers=answers) == 4
    assert imperative.run({"t": "ab"}, answers=answers) == 2


def test_several_outputs_lists_and_types_of_outputs():
    wf = ImperativeWorkflow("several")
    text = wf.add_workflow_input("text", str)
    a, b = wf.add_entity(measure, text=text), wf.add_entity(measure, text="xy")
    wf.add_workflow_output("sizes", [a.outputs["o0"], b.outputs["o0"]], list[int])
    wf.add_workflow_output("plain", [a.outputs["o0"], b.outputs["o0"]])
    wf.add_workflow_output("text", text)

    assert wf.compile().outputs["sizes"] == ListExpr((out(0), out(1)))
    result = wf(text="abc")
    assert (result.sizes, result.plain, result.text) == ([3, 2], [3, 2], "abc")


def test_a_conditional_can_be_built():
    wf = Workflow("branch")
    x = wf.add_workflow_input("x", int)
    result = (
        wf.create_conditional("c")
        .if_(x > 1)
        .then(wf.add_entity(measure, text="abc"))
        .else_()
        .then(wf.add_entity(measure, text="a"))
    )
    wf.add_workflow_output("o", result)

    assert (wf(x=2), wf(x=0)) == (3, 1)


def test_nothing_can_be_added_once_it_is_compiled():
    wf = make()
    wf.compile()

    adds: list[Any] = [
        lambda: wf.add_workflow_input("b", int),
        lambda: wf.add_entity(note),
        lambda: wf.add_sleep(HOUR),
        lambda: wf.add_wait_for_input("b", expected_type=int),
        lambda: wf.add_approve(1, "b"),
        lambda: wf.add_workflow_output("b", 1),
    ]
    for add in adds:
        with pytest.raises(CompileError, match="workflow 'report' has been compiled"):
            add()


def test_what_cannot_be_is_refused():
    wf = Workflow("w")
    wf.add_workflow_input("x", int)
    cases: list[tuple[Any, str]] = [
        (lambda: wf.add_workflow_input("x", str), "already has an input 'x'"),
        (lambda: wf.add_entity(3), "3 is neither a task nor a workflow"),
        (lambda: wf.add_entity(measure), "input 'text' is missing"),
        (lambda: wf.add_entity(measure, text=wf.inputs["x"]), "does not fit input 'text'"),
        (lambda: wf.add_sleep(timedelta(0)), "longer than zero"),
        (
            lambda: wf.add_wait_for_input("", expected_type=int),
            "needs a non-empty string as its name",
        ),
        (lambda: wf.add_wait_for_input("g"), "has no expected_type"),
        (lambda: wf.add_approve(wf.add_entity(note), "g"), "has no output"),
        (lambda: wf.add_workflow_output("o", wf.inputs["x"], str), "does not fit output 'o'"),
        (lambda: Workflow(""), "needs a non-empty string as its name"),
    ]
    for add, message in cases:
        with pytest.raises(CompileError, match=message):
            add()
    wf.add_workflow_output("o", 1)
    with pytest.raises(CompileError, match="already has an output 'o'"):
        wf.add_workflow_output("o", 2)


def test_a_cycle_is_refused():
    wf = Workflow("w")
    a, b = wf.add_entity(note), wf.add_entity(note)
    a >> b >> a

    with pytest.raises(CompileError, match="wait for each other"):
        wf.compile()


def test_inputs_and_outputs_that_are_not_there_are_refused_with_those_there_are():
    wf = Workflow("sums")
    text = wf.add_workflow_input("text", str)
    size = wf.add_entity(measure, text=text)

    with pytest.raises(CompileError, match="workflow 'sums' has no input 'txt'; it has: text"):
        wf.inputs["txt"]
    with pytest.raises(CompileError, match=r"'measure' \(n0\) has no output 'o1'; it has: o0"):
        size.outputs["o1"]


def test_a_workflow_that_is_added_to_itself_is_refused():
    wf = Workflow("sums")
    text = wf.add_workflow_input("text", str)

    with pytest.raises(CompileError, match="workflow 'sums' cannot be a part of itself"):
        wf.add_launch_plan(LaunchPlan.get_or_create(wf), text=text)


def test_a_task_that_is_called_instead_of_added_is_refused():
    text = Workflow("sums").add_workflow_input("text", str)

    with pytest.raises(CompileError, match="input 'text'> .* 'measure' .* add_entity"):
        measure(text=text)
