"""
The race table: every row of it, for both kinds of gate, with and without a timeout and with an answer for the timeout.

`MATRIX` is kind times patience. A gate is called `g`; `other` is another one that keeps the execution from ending.
"""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

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
    InvalidValue,
    KeyReused,
    NotWaitingYet,
    Refused,
    TimedOut,
    UnknownSignal,
)
from tidegate.testing import Run, Sandbox

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
RAN: list[int] = []
"""What the task behind the gate was called with."""


@task
def after(x: int) -> int:
    RAN.append(x)
    return x


@task
def fails(x: int) -> int:
    raise ValueError("it fails")


class Gate(NamedTuple):
    """One cell of the matrix: how to make the gate, what to answer, and what comes out."""

    kind: str
    patience: str
    late: bool = False

    @property
    def options(self) -> dict[str, Any]:
        match self.patience:
            case "forever":
                return {}
            case "timeout":
                return {"timeout": HOUR}
            case _:
                return {"timeout": HOUR, "on_timeout": self.by_timeout}

    @property
    def by_timeout(self) -> Any:
        return 9 if self.kind == "input" else True

    @property
    def yes(self) -> Any:
        return 5 if self.kind == "input" else True

    @property
    def no(self) -> Any:
        return 6 if self.kind == "input" else False

    @property
    def wrong(self) -> Any:
        return "five" if self.kind == "input" else 1

    @property
    def result(self) -> int:
        return 5 if self.kind == "input" else 1

    def make(self, x: Any) -> Any:
        if self.kind == "input":
            return wait_for_input("g", expected_type=int, **self.options)
        return approve(x, "g", **self.options)

    def workflow(self) -> Any:
        def wf(x: int) -> list[int]:
            gate = self.make(x)
            if self.late:
                sleep(HOUR) >> gate
            return [after(x=gate), wait_for_input("other", expected_type=int)]

        return workflow(wf)


MATRIX = [
    Gate(kind, patience)
    for kind in ("input", "approve")
    for patience in ("forever", "timeout", "on_timeout")
]
TIMED = [gate for gate in MATRIX if gate.patience != "forever"]


@pytest.fixture
def sandbox():
    RAN.clear()
    with Sandbox() as sandbox:
        yield sandbox


def launched(sandbox: Sandbox, gate: Gate) -> Run:
    return sandbox.launch(gate.workflow(), x=1)


def ids(gate: Any) -> str:
    return f"{gate.kind}-{gate.patience}" if isinstance(gate, Gate) else ""


every_gate = pytest.mark.parametrize("gate", MATRIX, ids=ids)
every_timed_gate = pytest.mark.parametrize("gate", TIMED, ids=ids)
both_kinds = pytest.mark.parametrize("gate", MATRIX[::3], ids=ids)


# ---- answered ----


@every_gate
def test_an_answer_of_the_declared_type_while_the_gate_is_open_is_accepted(
    sandbox: Sandbox, gate: Gate
):
    run = launched(sandbox, gate)
    sandbox.advance(HOUR - TICK)
    reply = run.answer("g", gate.yes, who="ann", comment="why not")
    assert (reply.who, reply.at, reply.early) == ("ann", sandbox.now, False)
    node = run.node("g")
    assert node.phase == "SUCCEEDED"
    assert node.answer is not None
    assert (node.answer.value, node.answer.who, node.answer.comment, node.answer.via) == (
        gate.yes,
        "ann",
        "why not",
        "code",
    )
    assert [gate.result] == RAN
    sandbox.advance(10 * HOUR)
    assert (run.node("g"), RAN) == (node, [gate.result])
    run.answer("other", 0)
    assert run.outputs == {"o0": [gate.result, 0]}


@every_gate
def test_an_answer_of_another_type_is_refused_and_nothing_is_consumed(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    before = run.view, run.events
    for _ in range(2):
        with pytest.raises(InvalidValue) as refused:
            run.answer("g", gate.wrong, key="k")
        assert (refused.value.status, refused.value.code) == (422, "invalid_value")
        assert [fault.path for fault in refused.value.faults] == [()]
    assert (run.view, run.events) == before
    run.answer("g", gate.yes, key="k")
    assert [gate.result] == RAN


@every_gate
def test_no_wrong_answer_keeps_the_timeout_from_firing(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    sandbox.advance(HOUR - TICK)
    with pytest.raises(InvalidValue):
        run.answer("g", gate.wrong)
    sandbox.advance(TICK)
    expected = {"forever": "WAITING", "timeout": "TIMED_OUT", "on_timeout": "SUCCEEDED"}
    assert run.node("g").phase == expected[gate.patience]


# ---- early ----

EARLY = [gate._replace(late=True) for gate in MATRIX]
early_inputs = pytest.mark.parametrize("gate", EARLY[:3], ids=ids)
early_approvals = pytest.mark.parametrize("gate", EARLY[3:], ids=ids)


@early_inputs
def test_an_early_answer_to_an_input_is_kept_and_used_when_the_gate_opens(
    sandbox: Sandbox, gate: Gate
):
    run = launched(sandbox, gate)
    assert run.node("g").phase == "QUEUED"
    with pytest.raises(InvalidValue):
        run.answer("g", "five")
    assert run.signals["g"].answer is None
    reply = run.answer("g", 5, who="ann")
    given = sandbox.now
    assert (reply.early, reply.at) == (True, given)
    shown = run.signals["g"].answer
    assert shown is not None
    assert (shown.early, shown.value, shown.who, shown.at) == (True, 5, "ann", given)
    assert (run.node("g").phase, RAN) == ("QUEUED", [])
    sandbox.advance(HOUR)
    node = run.node("g")
    assert (node.phase, node.answer, RAN) == ("SUCCEEDED", shown, [5])
    sandbox.advance(10 * HOUR)
    assert run.node("g") == node


@early_inputs
def test_a_second_early_answer_is_taken_as_any_second_answer(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    first = run.answer("g", 5)
    assert run.answer("g", 5) == first
    with pytest.raises(AlreadyAnswered):
        run.answer("g", 6)
    sandbox.advance(HOUR)
    assert RAN == [5]


@early_approvals
def test_an_early_approval_is_refused_and_counts_for_nothing(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    for value in (True, False):
        with pytest.raises(NotWaitingYet) as refused:
            run.answer("g", value)
        assert (refused.value.status, refused.value.code) == (409, "not_waiting_yet")
    sandbox.advance(HOUR)
    assert run.node("g").phase == "WAITING"
    run.approve("g")
    assert RAN == [1]


# ---- unknown ----


@every_gate
def test_an_unknown_signal_is_refused_and_those_there_are_are_listed(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    with pytest.raises(UnknownSignal, match="it has: g, other") as refused:
        run.answer("h", gate.yes, key="k")
    assert (refused.value.status, refused.value.details["signals"]) == (404, ["g", "other"])
    run.answer("g", gate.yes, key="k")


# ---- again ----


def finish(sandbox: Sandbox, run: Run) -> None:
    run.answer("other", 0)
    assert run.phase == "SUCCEEDED"


def abort(sandbox: Sandbox, run: Run) -> None:
    run.abort("enough")
    assert run.phase == "ABORTED"


def nothing(sandbox: Sandbox, run: Run) -> None:
    assert run.phase == "WAITING"


then = pytest.mark.parametrize("then", [nothing, finish, abort])


@then
@every_gate
def test_the_same_answer_again_gets_the_same_reply_and_changes_nothing(
    sandbox: Sandbox, gate: Gate, then: Callable[[Sandbox, Run], None]
):
    run = launched(sandbox, gate)
    first = run.answer("g", gate.yes, who="ann")
    then(sandbox, run)
    sandbox.advance(3 * HOUR)
    before = run.view
    assert run.answer("g", gate.yes, who="bob") == first
    assert run.view == before
    assert [gate.result] == RAN


@then
@every_gate
def test_the_same_key_again_gets_the_same_reply_whatever_else_it_says(
    sandbox: Sandbox, gate: Gate, then: Callable[[Sandbox, Run], None]
):
    run = launched(sandbox, gate)
    first = run.answer("g", gate.yes, who="ann", key="k")
    then(sandbox, run)
    sandbox.advance(3 * HOUR)
    for value in (gate.yes, gate.no, gate.wrong):
        assert run.answer("g", value, who="bob", key="k") == first
    assert [gate.result] == RAN


@then
def test_the_same_no_again_gets_the_same_reply(
    sandbox: Sandbox, then: Callable[[Sandbox, Run], None]
):
    run = launched(sandbox, Gate("approve", "forever"))
    first = run.reject("g", who="ann")
    assert run.phase == "FAILED"
    assert run.reject("g", who="bob") == first
    assert run.answer("g", False, key="k") == first
    assert run.answer("g", True, key="k") == first


@then
@every_gate
def test_a_refusal_by_key_stays_a_refusal(
    sandbox: Sandbox, gate: Gate, then: Callable[[Sandbox, Run], None]
):
    run = launched(sandbox, gate)
    run.answer("g", gate.yes)
    with pytest.raises(AlreadyAnswered) as first:
        run.answer("g", gate.no, key="k")
    then(sandbox, run)
    with pytest.raises(AlreadyAnswered) as second:
        run.answer("g", gate.yes, key="k")
    assert second.value.message == first.value.message


@every_gate
def test_a_key_that_was_used_for_another_signal_is_refused(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    run.answer("g", gate.yes, key="k")
    with pytest.raises(KeyReused) as refused:
        run.answer("other", 0, key="k")
    assert refused.value.status == 409
    assert run.waiting == ["other"]


@then
@every_gate
def test_a_different_answer_after_the_first_is_refused_saying_who_and_when(
    sandbox: Sandbox, gate: Gate, then: Callable[[Sandbox, Run], None]
):
    run = launched(sandbox, gate)
    reply = run.answer("g", gate.yes, who="ann")
    then(sandbox, run)
    sandbox.advance(3 * HOUR)
    with pytest.raises(AlreadyAnswered) as refused:
        run.answer("g", gate.no, who="bob")
    assert (refused.value.status, refused.value.code) == (409, "already_answered")
    assert (refused.value.details["who"], refused.value.details["at"]) == ("ann", reply.at)
    assert "by ann at 2026-01-01 00:00:00 UTC" in refused.value.message
    node = run.node("g")
    assert node.answer is not None
    assert node.answer.value == gate.yes


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


def test_of_a_hundred_equal_answers_at_once_all_are_accepted_and_one_counts(sandbox: Sandbox):
    run = launched(sandbox, Gate("input", "timeout"))
    told = race(100, lambda n: run.answer("g", 5, who=f"client {n}"))
    assert all(reply == told[0] for reply in told)
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
            return run.answer("g", gate.yes, who=f"client {number}")

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
    assert node.answer is not None
    assert node.answer.by_timeout
