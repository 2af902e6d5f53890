"""The race table, second part: several at once, too late, rejected, timed out, after the end."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.race_gates import (
    HOUR,
    MATRIX,
    RAN,
    TICK,
    Gate,
    after,
    every_gate,
    every_timed_gate,
    ids,
    launched,
)

from tidegate import (
    WorkflowFailurePolicy,
    approve,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from tidegate.errors import (
    AlreadyAnswered,
    ExecutionEnded,
    Refused,
    TimedOut,
)
from tidegate.testing import Run, Sandbox


@task
def fails(x: int) -> int:
    raise ValueError("it fails")


@pytest.fixture
def sandbox():
    RAN.clear()
    with Sandbox() as sandbox:
        yield sandbox


# ---- at once ----


def race(count: int, answer: Callable[[int], Any]) -> list[Any]:
    """Let threads answer at the same moment; return what each was told, in their order."""
    start = threading.Barrier(count)
    told: list[Any] = [None] * count

    def client(number: int) -> None:
        start.wait()
        try:
            told[number] = answer(number)
        except Refused as refused:
            told[number] = refused

    threads = [threading.Thread(target=client, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


@pytest.mark.parametrize("late", [False, True])
def test_of_a_hundred_different_answers_at_once_exactly_one_is_accepted(
    sandbox: Sandbox, late: bool
):
    run = launched(sandbox, Gate("input", "timeout", late))
    told = race(100, lambda n: run.answer("g", n, who=f"client {n}"))
    winners = [n for n, reply in enumerate(told) if not isinstance(reply, Refused)]
    assert len(winners) == 1
    winner = winners[0]
    for number, reply in enumerate(told):
        if number != winner:
            assert isinstance(reply, AlreadyAnswered)
            assert reply.details["who"] == f"client {winner}"
    if late:
        sandbox.advance(HOUR)
    assert [winner] == RAN


def test_of_yes_and_no_at_once_exactly_one_is_accepted(sandbox: Sandbox):
    for _ in range(10):
        run = launched(sandbox, Gate("approve", "forever"))
        told = race(8, lambda n, run=run: run.answer("g", n % 2 == 0, who=f"client {n}"))
        accepted = {n % 2 == 0 for n, reply in enumerate(told) if not isinstance(reply, Refused)}
        assert len(accepted) == 1
        assert run.phase == ("WAITING" if accepted == {True} else "FAILED")


def test_of_a_hundred_equal_answers_of_one_person_at_once_all_are_accepted_and_one_counts(
    sandbox: Sandbox,
):
    run = launched(sandbox, Gate("input", "timeout"))
    told = race(100, lambda n: run.answer("g", 5, who="ann", key=f"k{n}"))
    assert all(reply == told[0] for reply in told)
    assert RAN == [5]


def test_of_a_hundred_equal_answers_of_as_many_people_at_once_one_is_accepted(sandbox: Sandbox):
    run = launched(sandbox, Gate("input", "timeout"))
    told = race(100, lambda n: run.answer("g", 5, who=f"client {n}"))
    taken = [reply for reply in told if not isinstance(reply, Refused)]
    assert len(taken) == 1
    refused = [reply for reply in told if isinstance(reply, Refused)]
    assert {(each.code, each.details["who"]) for each in refused} == {
        ("already_answered", taken[0].who)
    }
    assert RAN == [5]


# ---- too late ----


@every_timed_gate
def test_an_answer_after_the_timeout_fired_is_refused_saying_when(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    due = sandbox.now + HOUR
    sandbox.advance(2 * HOUR)
    node = run.node("g")
    for value in (gate.yes, gate.no):
        with pytest.raises(TimedOut) as refused:
            run.answer("g", value, key="k")
        assert (refused.value.status, refused.value.code) == (409, "timed_out")
        assert refused.value.details["at"] == due
        assert f"at {due:%Y-%m-%d %H:%M:%S} UTC" in refused.value.message
    assert run.node("g") == node


@every_timed_gate
def test_the_answer_of_the_timeout_is_not_somebodys_own(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    sandbox.advance(HOUR)
    with pytest.raises(TimedOut):
        run.answer("g", gate.by_timeout)


@every_timed_gate
def test_a_moment_before_the_timeout_an_answer_wins_and_at_it_the_timeout(
    sandbox: Sandbox, gate: Gate
):
    first, second = launched(sandbox, gate), launched(sandbox, gate)
    sandbox.advance(HOUR - TICK)
    first.answer("g", gate.yes)
    sandbox.advance(TICK)
    with pytest.raises(TimedOut):
        second.answer("g", gate.yes)
    assert first.node("g").phase == "SUCCEEDED"
    expected = "TIMED_OUT" if gate.patience == "timeout" else "SUCCEEDED"
    assert second.node("g").phase == expected


@every_timed_gate
def test_answer_and_timeout_at_the_same_instant_have_one_winner_and_both_hear_the_truth(
    sandbox: Sandbox, gate: Gate
):
    for _ in range(10):
        run = launched(sandbox, gate)
        due = sandbox.now + HOUR

        def act(number: int, run: Run = run, due: Any = due) -> Any:
            if number == 0:
                return sandbox.set_clock(due)
            return run.answer("g", gate.yes, who="client")

        _, *told = race(6, act)
        node = run.node("g")
        accepted = [reply for reply in told if not isinstance(reply, Refused)]
        if accepted:
            assert all(reply == accepted[0] for reply in told)
            assert accepted[0].at < due
            assert node.phase == "SUCCEEDED"
            assert node.answer is not None
            assert (node.answer.value, node.answer.by_timeout) == (gate.yes, False)
        else:
            assert all(isinstance(reply, TimedOut) for reply in told)
            assert node.ended == due
            assert node.answer is None or node.answer.by_timeout
        fired = [event for event in run.events if event.kind == "TimerFired"]
        assert len(fired) <= (0 if accepted else 1)


# ---- ended ----


@every_gate
@pytest.mark.parametrize("late", [False, True])
def test_an_answer_to_an_aborted_execution_is_refused(sandbox: Sandbox, gate: Gate, late: bool):
    run = launched(sandbox, gate._replace(late=late))
    run.abort("enough", who="ann")
    for name, value in (("g", gate.yes), ("g", gate.no), ("g", gate.wrong), ("other", 0)):
        with pytest.raises(ExecutionEnded) as refused:
            run.answer(name, value, key=f"{name}{value}")
        assert (refused.value.status, refused.value.code) == (409, "execution_ended")
        assert "aborted" in refused.value.message


@every_gate
@pytest.mark.parametrize("late", [False, True])
def test_an_answer_to_a_failed_execution_is_refused(sandbox: Sandbox, gate: Gate, late: bool):
    @workflow
    def wf(x: int) -> int:
        asked = gate.make(x)
        wait_for_input("go", expected_type=int) >> fails(x=x)
        if late:
            sleep(HOUR) >> asked
        return asked

    run = sandbox.launch(wf, x=1)
    run.answer("go", 1)
    assert run.phase == "FAILED"
    with pytest.raises(ExecutionEnded, match="failed"):
        run.answer("g", gate.yes)


# ---- rejected ----


@pytest.mark.parametrize("gate", MATRIX[3:], ids=ids)
def test_a_rejection_fails_the_node_and_the_execution_and_is_never_retried(
    sandbox: Sandbox, gate: Gate
):
    run = launched(sandbox, gate)
    run.reject("g", who="ann", comment="not good enough")
    node, error = run.node("g"), run.view.error
    assert node.phase == "FAILED"
    assert error is not None
    assert (error.code, error.name) == ("Rejected", "g")
    assert "ann" in error.message
    assert "not good enough" in error.message
    assert run.phase == "FAILED"
    assert run.node("other").phase == "ABORTED"
    sandbox.advance(100 * HOUR)
    assert (run.node("g"), run.node("after").phase, RAN) == (node, run.node("after").phase, [])
    assert run.node("after").attempts == 0


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def lenient(x: int) -> list[int]:
    return [after(x=approve(x, "g")), after(x=wait_for_input("other", expected_type=int))]


def test_after_a_rejection_the_failure_policy_decides_about_the_others(sandbox: Sandbox):
    run = sandbox.launch(lenient, x=1)
    run.reject("g")
    assert (run.phase, run.waiting) == ("WAITING", ["other"])
    run.answer("other", 3)
    error = run.view.error
    assert error is not None
    assert (run.phase, error.code, error.name, RAN) == ("FAILED", "Rejected", "g", [3])


@workflow
def says_no() -> bool:
    return wait_for_input("g", expected_type=bool)


def test_false_for_an_input_is_a_value_and_no_rejection(sandbox: Sandbox):
    run = sandbox.launch(says_no)
    run.answer("g", False)
    assert run.outputs == {"o0": False}


# ---- timed out ----


@pytest.mark.parametrize("gate", MATRIX[1::3], ids=ids)
def test_a_timeout_ends_the_node_and_the_execution(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    sandbox.advance(HOUR)
    node, error = run.node("g"), run.view.error
    assert (node.phase, node.answer) == ("TIMED_OUT", None)
    assert error is not None
    assert (error.code, error.name) == ("TimeoutExpired", "g")
    assert (run.phase, run.node("other").phase, RAN) == ("FAILED", "ABORTED", [])
    assert sandbox.inbox() == []


@pytest.mark.parametrize("gate", MATRIX[2::3], ids=ids)
def test_with_on_timeout_that_answer_is_taken(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    sandbox.advance(HOUR)
    node = run.node("g")
    assert node.phase == "SUCCEEDED"
    assert node.answer is not None
    assert (node.answer.value, node.answer.by_timeout) == (gate.by_timeout, True)
    assert [9 if gate.kind == "input" else 1] == RAN


@workflow
def silence_is_no(x: int) -> int:
    return after(x=approve(x, "g", HOUR, on_timeout=False))


def test_an_approval_with_on_timeout_false_is_rejected_by_the_timeout(sandbox: Sandbox):
    run = sandbox.launch(silence_is_no, x=1)
    sandbox.advance(HOUR)
    node, error = run.node("g"), run.view.error
    assert error is not None
    assert (node.phase, error.code, run.phase, RAN) == ("FAILED", "Rejected", "FAILED", [])
    assert error.message == "'g' was not answered in time, which counts as a rejection"
    assert node.answer is not None
    assert node.answer.by_timeout
