"""What each decision leads to, said before it is made, and what then happens."""

from datetime import timedelta
from typing import Any

import pytest

from tidegate import (
    WorkflowFailurePolicy,
    approve,
    conditional,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from tidegate.testing import Sandbox
from tidegate.wire import GetExecution, GetQuestion, ListEvents

HOUR = timedelta(hours=1)


@task
def deploy(n: int) -> int:
    return n


@task
def tell(n: int) -> int:
    return n


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


def leads(sandbox: Sandbox, flow: Any, name: str = "go", **inputs: Any) -> dict[str, Any]:
    """Launch a workflow, and return what each decision on a question leads to."""
    run = sandbox.launch(flow, **inputs)
    view = sandbox._service.handle(GetQuestion(id=run.id, name=name))
    return {each.decision: each for each in view.leads}


def texts(found: dict[str, Any]) -> dict[str, str]:
    return {decision: each.text for decision, each in found.items()}


@workflow
def releases(n: int) -> int:
    return deploy(n=approve(n, "go", HOUR))


def test_an_approval_runs_what_comes_next_and_a_rejection_fails(sandbox):
    found = leads(sandbox, releases, n=1)

    assert texts(found) == {
        "approve": "`deploy` runs next",
        "reject": "the execution fails",
        "timeout": "the execution fails",
    }
    (following,) = found["approve"].next
    assert (following.node, following.name, following.kind) == ("n1", "deploy", "task")
    assert [found[each].ends for each in ("approve", "reject", "timeout")] == ["", "fails", "fails"]


def test_what_was_said_is_what_happens_and_nothing_is_stored_by_saying_it(sandbox):
    run = sandbox.launch(releases, n=1)
    handle = sandbox._service.handle
    lines = handle(ListEvents(id=run.id)).items
    (said, *_) = handle(GetQuestion(id=run.id, name="go")).leads
    assert handle(ListEvents(id=run.id)).items == lines
    assert run.phase == "WAITING"

    run.approve("go")

    started = {each.id for each in handle(GetExecution(id=run.id)).nodes if each.began}
    assert {each.node for each in said.next} == started - {"n0"}


def test_the_last_approval_ends_the_execution(sandbox):
    @workflow
    def last(n: int) -> int:
        return approve(n, "go")

    assert leads(sandbox, last, n=1)["approve"].ends == "succeeds"


@pytest.mark.parametrize(
    ("taken", "text"),
    [
        (True, "it counts as approved, and `deploy` runs next"),
        (False, "it counts as rejected, and the execution fails"),
    ],
)
def test_silence_may_count_as_an_answer(sandbox, taken, text):
    @workflow
    def waits(n: int) -> int:
        return deploy(n=approve(n, "go", HOUR, on_timeout=taken))

    assert texts(leads(sandbox, waits, n=1))["timeout"] == text


def test_an_answer_runs_what_waits_for_nothing_else(sandbox):
    @workflow
    def asks() -> list[int]:
        n = wait_for_input("go", HOUR, int, on_timeout=7)
        other = wait_for_input("other", expected_type=int)
        both = deploy(n=n)
        n >> tell(n=other)
        return [both, approve(n, "fine")]

    found = leads(sandbox, asks)

    assert texts(found) == {
        "answer": "`deploy` runs and `fine` is asked next",
        "timeout": "the answer 7 is taken, and `deploy` runs and `fine` is asked next",
    }
    assert [each.name for each in found["answer"].next] == ["deploy", "fine"]


def test_an_answer_on_which_a_condition_depends_names_the_condition(sandbox):
    @workflow
    def decides() -> int:
        n = wait_for_input("go", expected_type=int)
        return conditional("size").if_(n > 5).then(deploy(n=n)).else_().then(tell(n=n))

    assert texts(leads(sandbox, decides)) == {"answer": "`size` is decided next"}


def test_the_end_of_a_sub_workflow_leads_to_what_comes_after_it(sandbox):
    @workflow
    def inner() -> int:
        return wait_for_input("go", expected_type=int)

    @workflow
    def outer() -> int:
        return deploy(n=inner())

    assert texts(leads(sandbox, outer)) == {"answer": "`deploy` runs next"}


def test_while_others_are_under_way_the_execution_continues(sandbox):
    @workflow
    def beside() -> list[int]:
        return [wait_for_input("go", expected_type=int), wait_for_input("other", expected_type=int)]

    found = leads(sandbox, beside)

    assert found["answer"].ends == "continues"


def test_a_failure_says_what_else_is_asked_no_more(sandbox):
    @workflow
    def beside(n: int) -> list[int]:
        return [
            approve(n, "go"),
            wait_for_input("a", expected_type=int),
            wait_for_input("b", expected_type=int),
        ]

    assert texts(leads(sandbox, beside, n=1))["reject"] == (
        "the execution fails, and 2 other questions are withdrawn"
    )


def test_where_others_may_finish_the_failure_comes_after_them(sandbox):
    @workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
    def beside(n: int) -> list[int]:
        return [approve(n, "go"), wait_for_input("other", expected_type=int)]

    found = leads(sandbox, beside, n=1)

    assert found["reject"].ends == "fails"
    assert found["reject"].text == "the execution fails once what does not depend on it has ended"


def test_many_are_counted(sandbox):
    @workflow
    def many() -> None:
        n = wait_for_input("go", expected_type=int)
        for _ in range(5):
            deploy(n=n)
        n >> sleep(HOUR)

    assert texts(leads(sandbox, many)) == {
        "answer": "`deploy`, `deploy`, `deploy` and 2 more run and `sleep` begins next"
    }
