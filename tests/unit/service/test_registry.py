"""The workflows of a store: each is decoded and planned once, however often all of them are listed."""

import pytest

from tidegate import wait_for_input, workflow
from tidegate.engine import programs
from tidegate.service import registry
from tidegate.testing import Sandbox
from tidegate.wire import GetWorkflow, ListVersions, ListWorkflows


@workflow
def one(n: int = 1) -> int:
    return wait_for_input("first", expected_type=int)


@workflow
def two(text: str) -> str:
    return wait_for_input("second", expected_type=str)


@pytest.fixture
def handle():
    with Sandbox() as sandbox:
        for each in (one, two):
            sandbox._register(each)
        yield sandbox._service.handle


def test_to_list_the_workflows_again_decodes_and_plans_none_again(handle, monkeypatch):
    first = handle(ListWorkflows())
    handle(ListVersions(name=one.name))
    monkeypatch.setattr(programs, "Plan", None)
    monkeypatch.setattr(registry, "workflow_view", None)

    assert handle(ListWorkflows()) == first
    assert handle(ListVersions(name=one.name)).items == [first.items[0]]
    detail = handle(GetWorkflow(name=two.name))
    assert detail.workflow == first.items[1]
    assert [node.name for node in detail.nodes] == ["second"]


def test_workflows_are_listed_by_name_as_people_count():
    with Sandbox() as sandbox:
        for number in (10, 9, 2, 100):

            def body() -> int:
                return wait_for_input("n", expected_type=int)

            body.__qualname__ = body.__name__ = f"step_{number}"
            sandbox._register(workflow(body))
        listed = sandbox._service.handle(ListWorkflows()).items

        assert [each.name.rpartition("_")[2] for each in listed] == ["2", "9", "10", "100"]


@pytest.mark.parametrize("most", [0, 3_000])
def test_with_hardly_any_memory_they_are_listed_all_the_same(monkeypatch, most):
    monkeypatch.setattr(registry, "VIEWS", most)
    monkeypatch.setattr(programs, "PROGRAMS", most)
    with Sandbox() as sandbox:
        for each in (one, two):
            sandbox._register(each)
        for _ in range(2):
            listed = sandbox._service.handle(ListWorkflows()).items
            assert [each.name for each in listed] == [one.name, two.name]
            assert [signal.name for each in listed for signal in each.signals] == ["first", "second"]  # fmt: skip
        run = sandbox.launch(one)
        assert sandbox.inbox()[0].expects == "a whole number"
        run.answer("first", 4)
        assert run.outputs == {"o0": 4}
