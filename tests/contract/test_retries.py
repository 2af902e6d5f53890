"""Tasks that fail: they are tried again, or they fail their execution, and what else there is learns of it at once."""

import sys
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from tidegate import (
    WorkflowFailurePolicy,
    approve,
    conditional,
    current_context,
    dynamic,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from tidegate.core.keys import own_key
from tidegate.errors import ExecutionEnded, Withdrawn
from tidegate.ir.expr import NodeId
from tidegate.testing import Run, Sandbox

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

FAILURES: Counter[str] = Counter()
"""How many times a task still fails, by its key."""
ATTEMPTS: list[tuple[str, int]] = []
"""The idempotency key and number of each attempt."""


@pytest.fixture
def sandbox():
    FAILURES.clear()
    ATTEMPTS.clear()
    with Sandbox() as sandbox:
        yield sandbox


def stumble(key: str) -> None:
    run = current_context()
    ATTEMPTS.append((run.idempotency_key, run.attempt))
    if FAILURES[key]:
        FAILURES[key] -= 1
        raise ConnectionError(f"{key} is away")


@task(retries=3, backoff=MINUTE)
def shaky(x: int) -> int:
    stumble("shaky")
    return x


@task(retries=2)
def default_pause(x: int) -> int:
    stumble("default")
    return x


@task(retries=12, backoff=MINUTE)
def patient(x: int) -> int:
    stumble("patient")
    return x


@task(retries=3, backoff=timedelta(0))
def hasty(x: int) -> int:
    stumble("hasty")
    return x


@task
def once(x: int) -> int:
    stumble("once")
    return x


@task
def leaves(x: int) -> int:
    sys.exit(3)


@task
def add(x: int, y: int) -> int:
    return x + y


@workflow
def calls_shaky(x: int) -> int:
    return add(x=shaky(x=x), y=0)


@workflow
def calls_default(x: int) -> int:
    return default_pause(x=x)


@workflow
def calls_patient(x: int) -> int:
    return patient(x=x)


@workflow
def calls_hasty(x: int) -> int:
    return hasty(x=x)


def starts(sandbox: Sandbox, run: Run) -> list[timedelta]:
    """Let the clock run; return after what time each attempt but the first began."""
    launched = run.view.launched
    moments: list[datetime] = []
    for _ in range(50):
        due = [wait.due for wait in run.view.waiting if wait.kind == "retry" and wait.due]
        if not due:
            break
        moments.append(due[0])
        sandbox.advance(due[0] - sandbox.now)
    return [moment - launched for moment in moments]


def error_of(run: Run) -> tuple[str, str]:
    error = run.view.error
    assert error is not None
    return error.code, error.name


# ---- again ----


def test_a_failed_attempt_is_repeated_after_a_pause_that_doubles(sandbox: Sandbox):
    FAILURES["shaky"] = 3
    run = sandbox.launch(calls_shaky, x=5)
    assert starts(sandbox, run) == [1 * MINUTE, 3 * MINUTE, 7 * MINUTE]
    assert run.node("shaky").attempts == 4
    assert run.outputs == {"o0": 5}


def test_the_first_pause_is_a_second_if_nothing_else_is_said(sandbox: Sandbox):
    FAILURES["default"] = 2
    run = sandbox.launch(calls_default, x=5)
    second = timedelta(seconds=1)
    assert starts(sandbox, run) == [second, 3 * second]
    assert run.phase == "SUCCEEDED"


def test_the_pause_grows_to_five_minutes_and_no_further(sandbox: Sandbox):
    FAILURES["patient"] = 6
    run = sandbox.launch(calls_patient, x=5)
    pauses = starts(sandbox, run)
    between = [b - a for a, b in zip([timedelta(0), *pauses], pauses, strict=False)]
    assert between == [1 * MINUTE, 2 * MINUTE, 4 * MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE]


def test_without_a_pause_it_is_repeated_at_once(sandbox: Sandbox):
    FAILURES["hasty"] = 3
    run = sandbox.launch(calls_hasty, x=5)
    assert (run.phase, run.node("hasty").attempts) == ("SUCCEEDED", 4)


def test_every_attempt_has_a_number_and_all_have_one_idempotency_key(sandbox: Sandbox):
    FAILURES["shaky"] = 3
    run = sandbox.launch(calls_shaky, x=5)
    starts(sandbox, run)
    key = own_key(run.id, NodeId("n0"))
    assert [(key, number) for number in (1, 2, 3, 4)] == ATTEMPTS


def test_a_pause_is_shown_as_waiting_and_is_nothing_for_the_inbox(sandbox: Sandbox):
    FAILURES["shaky"] = 1
    run = sandbox.launch(calls_shaky, x=5)
    node = run.node("shaky")
    assert node.phase == "WAITING"
    assert node.failure is not None
    assert "shaky is away" in node.failure.message
    (wait,) = run.view.waiting
    assert (wait.kind, wait.name, wait.due) == ("retry", "shaky", sandbox.now + MINUTE)
    assert (run.waiting, sandbox.inbox()) == ([], [])
    assert run.phase == "RUNNING"  # WAITING is for gates


def test_a_task_that_fails_once_too_often_fails_its_execution_with_what_it_raised_last(
    sandbox: Sandbox,
):
    FAILURES["shaky"] = 4
    run = sandbox.launch(calls_shaky, x=5)
    starts(sandbox, run)
    error = run.view.error
    assert error is not None
    assert (error.code, error.node, error.name) == ("TaskRaised", "n0", "shaky")
    assert "ConnectionError: shaky is away" in error.message
    assert "stumble" in error.trace
    assert (run.phase, run.node("shaky").attempts, len(ATTEMPTS)) == ("FAILED", 4, 4)
    assert run.node("add").phase == "SKIPPED"


def test_without_retries_the_first_failure_counts(sandbox: Sandbox):
    @workflow
    def wf(x: int) -> int:
        return once(x=x)

    FAILURES["once"] = 1
    run = sandbox.launch(wf, x=1)
    assert (run.phase, run.node("once").attempts) == ("FAILED", 1)


def test_a_task_that_leaves_fails_alone(sandbox: Sandbox):
    @workflow
    def wf(x: int) -> int:
        return leaves(x=x)

    other = sandbox.launch(calls_hasty, x=2)
    run = sandbox.launch(wf, x=1)
    assert (run.phase, other.phase) == ("FAILED", "SUCCEEDED")
    assert sandbox.launch(calls_hasty, x=2).phase == "SUCCEEDED"


def test_a_retry_uses_what_was_answered_and_does_not_ask_again(sandbox: Sandbox):
    @workflow
    def wf() -> int:
        return shaky(x=wait_for_input("g", expected_type=int))

    FAILURES["shaky"] = 2
    run = sandbox.launch(wf)
    run.answer("g", 8)
    starts(sandbox, run)
    assert run.outputs == {"o0": 8}
    assert len([event for event in run.events if event.kind == "AnswerGiven"]) == 1


# ---- failure ends the rest ----


@workflow
def one_fails(x: int) -> int:
    go = wait_for_input("go", expected_type=int)
    failing = once(x=go)
    sleep(HOUR) >> once(x=x)
    asked = wait_for_input("asked", HOUR, int)
    ok = approve(x, "ok", HOUR)
    retried = shaky(x=x)
    return add(x=add(x=failing, y=asked), y=add(x=ok, y=retried))


def test_a_failure_ends_everything_else_at_once(sandbox: Sandbox):
    FAILURES.update({"once": 1, "shaky": 1})
    run = sandbox.launch(one_fails, x=1)
    assert set(run.waiting) == {"go", "asked", "ok"}
    run.answer("go", 1)
    assert (run.phase, error_of(run)) == ("FAILED", ("TaskRaised", "once"))
    phases = {name: run.node(name).phase for name in ("sleep", "asked", "ok", "shaky")}
    assert set(phases.values()) == {"ABORTED"}
    assert (sandbox.inbox(), run.view.waiting) == ([], [])
    view, attempts = run.view, len(ATTEMPTS)
    sandbox.advance(100 * HOUR)
    assert (run.view, len(ATTEMPTS)) == (view, attempts)
    with pytest.raises(ExecutionEnded):
        run.answer("asked", 1)


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def others_finish(x: int) -> int:
    failing = once(x=wait_for_input("go", expected_type=int))
    after_failing = approve(failing, "never")
    asked = wait_for_input("asked", 2 * HOUR, int)
    nap = sleep(HOUR)
    nap >> shaky(x=asked)
    return add(x=after_failing, y=asked)


def test_with_the_other_policy_what_does_not_depend_on_it_ends(sandbox: Sandbox):
    FAILURES["once"] = 1
    run = sandbox.launch(others_finish, x=1)
    run.answer("go", 1)
    assert run.phase == "WAITING"
    assert [run.node(name).phase for name in ("never", "add")] == ["SKIPPED", "SKIPPED"]
    assert run.waiting == ["asked"]
    with pytest.raises(Withdrawn):
        run.approve("never")
    run.answer("asked", 4)
    assert run.node("sleep").phase == "WAITING"
    sandbox.advance(HOUR)
    assert run.node("shaky").phase == "SUCCEEDED"
    assert (run.phase, error_of(run)) == ("FAILED", ("TaskRaised", "once"))


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def needs_what_failed(x: int) -> int:
    failing = once(x=wait_for_input("go", expected_type=int))
    asked = wait_for_input("asked", expected_type=int)
    return add(x=failing, y=asked)


def test_after_a_failure_a_gate_that_only_what_was_skipped_needs_is_withdrawn(sandbox: Sandbox):
    FAILURES["once"] = 1
    run = sandbox.launch(needs_what_failed, x=1)
    run.answer("go", 1)
    assert run.node("asked").phase == "SKIPPED"
    assert (run.phase, sandbox.inbox()) == ("FAILED", [])


# ---- failures inside of others ----


@workflow
def inner_fails(x: int) -> int:
    asked = wait_for_input("inner gate", expected_type=int)
    return add(x=once(x=wait_for_input("go", expected_type=int)), y=asked)


@dynamic
def unfolds_and_fails(x: int) -> int:
    return inner_fails(x=x)


@workflow
def outer_of_sub(x: int) -> int:
    wait_for_input("outer gate", expected_type=int)
    return inner_fails(x=x)


@workflow
def outer_of_dynamic(x: int) -> int:
    wait_for_input("outer gate", expected_type=int)
    return unfolds_and_fails(x=x)


@workflow
def outer_of_case(x: int) -> int:
    wait_for_input("outer gate", expected_type=int)
    return conditional("c").if_(x > 0).then(inner_fails(x=x)).else_().then(x)


@pytest.mark.parametrize(
    "wf", [outer_of_sub, outer_of_dynamic, outer_of_case], ids=lambda wf: wf.name.split(".")[-1]
)
def test_a_failure_inside_fails_what_holds_it_and_names_where_it_began(sandbox: Sandbox, wf: Any):
    FAILURES["once"] = 1
    run = sandbox.launch(wf, x=1)
    run.answer("go", 1)
    assert (run.phase, error_of(run)) == ("FAILED", ("TaskRaised", "once"))
    holders = [node for node in run.view.nodes if node.kind in ("workflow", "branch")]
    assert {node.phase for node in holders} <= {"FAILED", "ABORTED"}
    assert run.node("inner gate").phase == "ABORTED"
    assert run.node("outer gate").phase == "ABORTED"
    assert sandbox.inbox() == []


@workflow
def no_case(x: int) -> int:
    return conditional("size").if_(x > 10).then(once(x=x)).else_().fail("x is too small")


def test_a_conditional_that_fails_says_its_message(sandbox: Sandbox):
    run = sandbox.launch(no_case, x=3)
    error = run.view.error
    assert error is not None
    assert (run.phase, error.code, error.name) == ("FAILED", "BranchFailed", "size")
    assert "x is too small" in error.message
