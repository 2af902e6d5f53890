"""The five workflows of the seed page compile into the graphs that they describe."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tidegate.ir.expr import Compare, Const, InputRef, OutputRef
from tidegate.ir.graph import (
    SECOND,
    ApproveNode,
    BranchNode,
    Case,
    Expires,
    InputNode,
    Micros,
    NodeId,
    Otherwise,
    SleepNode,
    TaskNode,
    When,
)

HOUR = Micros(3600 * SECOND)


@pytest.fixture(scope="module")
def page() -> ModuleType:
    path = Path(__file__).parents[2] / "e2e" / "seed_page.py"
    spec = importlib.util.spec_from_file_location("seed_page", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def out(node: str, output: str = "o0") -> OutputRef:
    return OutputRef(NodeId(node), output)


def kinds(graph) -> list[tuple[str, str]]:
    return [(type(node).__name__, node.name) for node in graph.nodes.values()]


def test_sleep_wf_sleeps_ten_seconds_before_its_task(page):
    graph = page.sleep_wf.compile()

    sleep, task = graph.nodes.values()
    assert isinstance(sleep, SleepNode)
    assert isinstance(task, TaskNode)
    assert sleep.duration == 10 * SECOND
    assert task.after == ("n0",)
    assert task.inputs == {"num": InputRef("num")}
    assert graph.outputs == {"o0": out("n1")}
    assert graph.interface.inputs["num"].schema == {"type": "integer"}
    assert graph.doc == 'Simulate a "long-running" computation with sleep.'
    assert graph.name == "seed_page.sleep_wf"


def test_reporting_wf_waits_an_hour_for_a_title(page):
    graph = page.reporting_wf.compile()

    report, title, final = graph.nodes.values()
    assert isinstance(title, InputNode)
    assert isinstance(final, TaskNode)
    assert (title.name, title.schema, title.patience) == (
        "title",
        {"type": "string"},
        Expires(HOUR),
    )
    assert title.after == ()
    assert final.inputs == {"report": out(report.id), "title": out(title.id)}
    assert graph.outputs == {"o0": out(final.id)}


def test_reporting_with_approval_wf_returns_what_is_approved(page):
    graph = page.reporting_with_approval_wf.compile()

    approval = graph.nodes["n3"]
    assert isinstance(approval, ApproveNode)
    assert approval.name == "approve-final-report"
    assert (approval.subject, approval.output) == (out("n2"), "o0")
    assert approval.patience == Expires(Micros(2 * HOUR))
    assert graph.outputs == {"o0": out("n3")}


def test_approval_as_promise_wf_asks_for_the_title_after_the_report(page):
    graph = page.approval_as_promise_wf.compile()

    assert kinds(graph) == [
        ("TaskNode", "create_report"),
        ("InputNode", "title"),
        ("ApproveNode", "raw-report-approval"),
        ("TaskNode", "finalize_report"),
    ]
    assert graph.nodes["n1"].after == ("n0",)
    assert graph.nodes["n3"].inputs == {"report": out("n2"), "title": out("n1")}


def test_conditional_wf_branches_on_the_review(page):
    graph = page.conditional_wf.compile()

    branch = graph.nodes["n3"]
    assert isinstance(branch, BranchNode)
    assert branch.cases == (When(Compare("==", out("n2"), Const(True)), {"o0": out("n4")}),)
    assert branch.otherwise == Otherwise({"o0": out("n5")})
    assert graph.nodes["n2"].after == ("n0",)
    assert graph.nodes["n4"].case == Case(NodeId("n3"), 0)
    assert graph.nodes["n5"].case == Case(NodeId("n3"), 1)
    assert graph.outputs == {"o0": out("n3")}
