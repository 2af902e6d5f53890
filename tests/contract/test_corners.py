"""Where several rules of the machine meet: failures beside gates, answers to what ended unasked, long chains, recoveries."""

from collections import Counter
from datetime import timedelta

import pytest

from tidegate import (
    WorkflowFailurePolicy,
    approve,
    conditional,
    dynamic,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from tidegate.errors import AlreadyAnswered, NotRecoverable, Withdrawn
from tidegate.testing import Sandbox

HOUR = timedelta(hours=1)
OTHERS_FINISH = WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
BEGAN: Counter[str] = Counter()
BROKEN = {"first", "second"}


@pytest.fixture
def sandbox():
    BEGAN.clear()
    BROKEN.clear()
    with Sandbox() as sandbox:
        yield sandbox


@task
def note(name: str) -> str:
    BEGAN[name] += 1
    if name in BROKEN:
        raise ValueError(name)
    return name


@task
def mark(name: str) -> None:
    BEGAN[name] += 1


@task
def table() -> dict[str, int]:
    return {"there": 1}


@task
def same(x: int) -> int:
    return x


# ---- failures ----


@workflow(failure_policy=OTHERS_FINISH)
def rejected_before_a_case(x: int) -> None:
    gate = approve(x, "gate")
    chosen = conditional("c").if_(gate == 1).then(note(name="inside")).else_().fail("no")
    chosen >> note(name="below")
    wait_for_input("other", expected_type=str)


@workflow(failure_policy=OTHERS_FINISH)
def rejected_beside_a_case(x: int) -> None:
    gate = approve(x, "gate")
    go = wait_for_input("go", expected_type=bool)
    taken = conditional("c").if_(go.is_true()).then(gate >> mark(name="inside"))
    taken.else_().then(mark(name="else")) >> note(name="below")
    wait_for_input("other", expected_type=str)


@pytest.mark.parametrize("go_first", [True, False])
@pytest.mark.parametrize("wf", [rejected_before_a_case, rejected_beside_a_case])
def test_nothing_below_a_rejected_gate_runs_not_even_behind_the_branch_it_leads_into(
    sandbox, wf, go_first
) -> None:
    run = sandbox.launch(wf, x=1)
    if "go" in run.waiting and go_first:
        run.answer("go", True)
    run.reject("gate")
    if "go" in run.waiting:
        run.answer("go", True)
    run.answer("other", "v")

    assert run.phase == "FAILED"
    assert run.view.error.code == "Rejected"
    assert BEGAN == {}


@workflow(failure_policy=OTHERS_FINISH)
def shows_what_is_missing() -> None:
    approve(table()["missing"], "gate")
    wait_for_input("other", expected_type=str)


@workflow
def fails_beside_a_gate() -> None:
    wait_for_input("inner", expected_type=str)
    note(name="first")


@workflow(failure_policy=OTHERS_FINISH)
def holds_what_fails() -> None:
    fails_beside_a_gate()
    wait_for_input("other", expected_type=str)


@pytest.mark.parametrize(
    ("wf", "gate"), [(shows_what_is_missing, "gate"), (holds_what_fails, "inner")]
)
def test_an_answer_to_a_gate_that_ended_unasked_is_refused_as_withdrawn_while_the_others_go_on(
    sandbox, wf, gate
) -> None:
    BROKEN.add("first")
    run = sandbox.launch(wf)

    with pytest.raises(Withdrawn):
        run.answer(gate, True if gate == "gate" else "v")

    assert run.waiting == ["other"]
    run.answer("other", "v")
    assert run.phase == "FAILED"


# ---- long chains ----


@workflow
def passes_on(x: int) -> int:
    return x


@workflow
def approved_by_many(x: int) -> int:
    for number in range(600):
        x = approve(x, f"gate {number}")
    return same(x=x)


@workflow
def handed_through_many(x: int) -> int:
    for _ in range(600):
        x = passes_on(x=x)
    return same(x=x)


def test_a_value_may_be_passed_on_by_any_number_of_approvals_and_sub_workflows(sandbox) -> None:
    approved = sandbox.launch(approved_by_many, x=7)
    for number in range(600):
        approved.approve(f"gate {number}")

    assert approved.outputs == {"o0": 7}
    assert sandbox.launch(handed_through_many, x=8).outputs == {"o0": 8}


# ---- recoveries ----


@workflow
def long_way() -> str:
    start = note(name="start")
    nap = sleep(HOUR)
    early = wait_for_input("early", expected_type=str)
    last = note(name="last")
    start >> nap >> note(name="first") >> early >> note(name="second") >> last
    return last


def test_a_recovery_repeats_no_sleep_and_no_task_and_keeps_what_was_answered_early(sandbox) -> None:
    run = sandbox.launch(long_way)
    run.answer("early", "the answer")
    BROKEN.add("first")
    sandbox.advance(HOUR)
    assert run.phase == "FAILED"
    BROKEN.clear()

    again = run.recover()

    assert again.phase == "SUCCEEDED"
    assert BEGAN == {"start": 1, "first": 2, "second": 1, "last": 1}
    assert again.signals["early"].answer.value == "the answer"


def test_a_recovery_of_a_recovery_has_all_that_both_had(sandbox) -> None:
    run = sandbox.launch(long_way)
    run.answer("early", "the answer")
    BROKEN.update(("first", "second"))
    sandbox.advance(HOUR)
    again = run.recover()
    assert again.phase == "FAILED"
    BROKEN.clear()
    BROKEN.add("second")
    third = again.recover()
    with pytest.raises(AlreadyAnswered):
        third.answer("early", "another")
    BROKEN.clear()

    assert third.recover().phase == "SUCCEEDED"
    assert BEGAN == {"start": 1, "first": 3, "second": 2, "last": 1}


@dynamic
def rounds(count: int) -> None:
    for number in range(count):
        wait_for_input(f"round {number}", expected_type=int) >> note(name=f"round {number}")


@workflow
def unfolds(count: int) -> None:
    rounds(count=count) >> note(name="last")


def test_a_recovery_keeps_what_has_unfolded_with_its_answers(sandbox) -> None:
    BROKEN.add("round 1")
    run = sandbox.launch(unfolds, count=3)
    run.answer("round 0", 1)
    run.answer("round 1", 1)
    assert run.phase == "FAILED"
    BROKEN.clear()

    again = run.recover()

    assert again.waiting == ["round 2"]
    assert BEGAN == {"round 0": 1, "round 1": 2}
    again.answer("round 2", 1)
    assert again.phase == "SUCCEEDED"
    with pytest.raises(NotRecoverable):
        again.recover()
