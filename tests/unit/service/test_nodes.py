"""What a node was given, in a view of its execution and by itself; and which node a name means."""

from typing import Any

import pytest

from tidegate import approve, dynamic, task, wait_for_input, workflow
from tidegate.errors import AmbiguousNode, UnknownNode
from tidegate.service.nodes import Measured
from tidegate.testing import Run, Sandbox
from tidegate.wire import GetExecution, GetNode, NodeView

LARGE = list(range(2_000))


@task
def fit(x: int, data: list[int]) -> int:
    return x + len(data)


@dynamic
def fits(n: int, data: list[int]) -> list[int]:
    return [fit(x=i, data=data) for i in range(n)]


@workflow
def story(n: int, data: list[int]) -> int:
    chosen = wait_for_input("choice", expected_type=int, show={"n": n})
    best = fit(x=approve(chosen, "sure"), data=[])
    fits(n=n, data=data)
    return best


@pytest.fixture
def run() -> Any:
    with Sandbox() as sandbox:
        yield sandbox.launch(story, n=3, data=LARGE)


def handle(run: Run) -> Any:
    return run._service.handle


def nodes(run: Run) -> dict[str, NodeView]:
    return {node.id: node for node in handle(run)(GetExecution(id=run.id)).nodes}


def test_a_view_of_an_execution_has_small_inputs_whole_and_the_beginning_of_large_ones(run):
    seen = nodes(run)

    assert seen["n3/n1"].inputs == {"x": 1}
    preview = seen["n3/n1"].preview["data"]
    assert preview.text.startswith("[0,1,2,3,")
    assert preview.size == len("[" + ",".join(map(str, LARGE)) + "]")
    assert seen["n0"].inputs == {"n": 3}


def test_a_node_has_inputs_once_it_has_begun(run):
    assert nodes(run)["n1"].inputs == {}
    assert nodes(run)["n2"].inputs == {}

    run.answer("choice", 7)
    assert nodes(run)["n1"].inputs == {"value": 7}
    run.approve("sure")

    assert nodes(run)["n2"].inputs == {"x": 7, "data": []}


def test_a_node_by_itself_is_whole(run):
    found = handle(run)(GetNode(id=run.id, node="n3/n1"))

    assert (found.inputs, found.preview) == ({"x": 1, "data": LARGE}, {})
    assert found.outputs == {"o0": 2_001}
    assert handle(run)(GetNode(id=run.id, node="choice")).name == "choice"


def test_a_name_that_several_nodes_have_is_refused_with_their_ids(run):
    with pytest.raises(AmbiguousNode, match="4 nodes named 'fit'; .*: n2, n3/n0, n3/n1, n3/n2$"):
        handle(run)(GetNode(id=run.id, node="fit"))
    with pytest.raises(UnknownNode, match="no node 'n9'; it has: choice, sure, fit, fits"):
        handle(run)(GetNode(id=run.id, node="n9"))


def test_a_value_that_many_nodes_share_is_encoded_once(run, monkeypatch):
    asked = []
    measured = Measured()

    def count(value: Any) -> bytes:
        asked.append(value)
        return b"x" * 5_000

    monkeypatch.setattr("tidegate.service.nodes._encode", count)
    for _ in range(10):
        measured.cut({"data": LARGE})

    assert asked == [LARGE]
