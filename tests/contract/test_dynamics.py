"""Graphs that unfold at run time, loops among them, and answers that come before the place they belong to has begun."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from tidegate import (
    approve,
    conditional,
    current_context,
    dynamic,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from tidegate.errors import Withdrawn
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


@task
def once(x: int) -> int:
    stumble("once")
    return x


@task
def add(x: int, y: int) -> int:
    return x + y


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


# ---- dynamic ----


@dynamic(retries=2, backoff=MINUTE)
def shaky_dynamic(x: int) -> int:
    stumble("dynamic")
    return add(x=wait_for_input("g", expected_type=int), y=x)


@workflow
def calls_shaky_dynamic(x: int) -> int:
    return shaky_dynamic(x=x)


def test_a_dynamic_that_fails_is_repeated_until_it_unfolds(sandbox: Sandbox):
    FAILURES["dynamic"] = 2
    run = sandbox.launch(calls_shaky_dynamic, x=1)
    starts(sandbox, run)
    assert run.waiting == ["g"]
    run.answer("g", 2)
    assert run.outputs == {"o0": 3}
    assert len(ATTEMPTS) == 3


@dynamic
def wrong_dynamic(x: int) -> int:
    first, second = once(x=x), once(x=x)
    first >> second
    second >> first
    return first


@workflow
def calls_wrong_dynamic(x: int) -> int:
    return wrong_dynamic(x=x)


def test_a_dynamic_whose_graph_cannot_run_fails_with_the_words_of_the_compiler(sandbox: Sandbox):
    run = sandbox.launch(calls_wrong_dynamic, x=1)
    error = run.view.error
    assert error is not None
    assert run.phase == "FAILED"
    assert "nodes wait for each other" in error.message
    assert ATTEMPTS == []


@task
def train(labels: list[int]) -> float:
    return len(labels) / 3


@task
def add_label(labels: list[int], label: int) -> list[int]:
    return [*labels, label]


@task
def most_uncertain(labels: list[int]) -> int:
    return 100 + len(labels)


@dynamic
def learn(labels: list[int], score: float) -> list[int]:
    """Ask, train, and go on until the score is good enough."""
    if score >= 1:
        return labels
    question = most_uncertain(labels=labels)
    label = wait_for_input("label", HOUR, int, show={"item": question})
    more = add_label(labels=labels, label=label)
    return learn(labels=more, score=train(labels=more))


@workflow
def active_learning(labels: list[int]) -> list[int]:
    return approve(learn(labels=labels, score=train(labels=labels)), "release")


def test_a_loop_of_ask_and_train_goes_on_until_it_is_good_enough(sandbox: Sandbox):
    run = sandbox.launch(active_learning, labels=[])
    for turn in range(3):
        (question,) = run.questions
        assert question.show == {"item": 100 + turn}
        assert question.name == "label"
        assert question.path == ("label" if turn == 0 else f"n1~{turn + 1}/label")
        run.answer(question.path, turn)
    (question,) = run.questions
    assert (question.name, question.value) == ("release", [0, 1, 2])
    run.approve("release")
    assert run.outputs == {"o0": [0, 1, 2]}


def test_a_loop_that_nobody_answers_times_out_at_its_depth(sandbox: Sandbox):
    run = sandbox.launch(active_learning, labels=[1])
    run.answer(run.questions[0].path, 2)
    sandbox.advance(HOUR)
    assert (run.phase, error_of(run)) == ("FAILED", ("TimeoutExpired", "label"))
    assert run.node("release").phase == "SKIPPED"


@dynamic
def rounds(count: int) -> list[int]:
    """A loop of Python: every question after the answer before it."""
    answers: list[int] = []
    for number in range(count):
        answer = wait_for_input(f"round {number}", expected_type=int)
        if answers:
            answers[-1] >> answer  # type: ignore[operator]
        answers.append(answer)
    return answers


@workflow
def ask_in_turn(count: int) -> list[int]:
    return rounds(count=count)


def test_a_loop_of_gates_asks_one_after_the_other(sandbox: Sandbox):
    run = sandbox.launch(ask_in_turn, count=20)
    for number in range(20):
        assert run.waiting == [f"round {number}"]
        run.answer(f"round {number}", number)
    assert run.outputs == {"o0": list(range(20))}


def test_later_rounds_can_be_answered_early(sandbox: Sandbox):
    run = sandbox.launch(ask_in_turn, count=5)
    for number in reversed(range(5)):
        assert run.answer(f"round {number}", number).early is (number > 0)
    assert run.outputs == {"o0": [0, 1, 2, 3, 4]}


def test_a_loop_without_rounds_asks_nothing(sandbox: Sandbox):
    assert sandbox.launch(ask_in_turn, count=0).outputs == {"o0": []}


# ---- early, inside of others ----


@workflow
def inner_asks(x: int) -> int:
    return add(x=x, y=wait_for_input("inner", expected_type=int))


@workflow
def asks_after_a_sleep(x: int) -> int:
    nap = sleep(HOUR)
    inside = inner_asks(x=x)
    nap >> inside
    return inside


@workflow
def asks_in_a_case(x: int) -> int:
    go = wait_for_input("go", expected_type=bool)
    return conditional("c").if_(go.is_true()).then(inner_asks(x=x)).else_().then(x)


def test_an_answer_inside_a_sub_workflow_may_come_before_that_begins(sandbox: Sandbox):
    run = sandbox.launch(asks_after_a_sleep, x=1)
    assert run.answer("inner", 5).early
    assert run.node("n1/n0").phase == "QUEUED"
    sandbox.advance(HOUR)
    assert run.outputs == {"o0": 6}


def test_an_early_answer_inside_a_case_counts_if_the_case_is_taken(sandbox: Sandbox):
    run = sandbox.launch(asks_in_a_case, x=1)
    assert run.answer("inner", 5).early
    run.answer("go", True)
    assert run.outputs == {"o0": 6}


def test_an_early_answer_inside_a_case_that_is_not_taken_is_kept_and_used_by_nobody(
    sandbox: Sandbox,
):
    run = sandbox.launch(asks_in_a_case, x=1)
    first = run.answer("inner", 5)
    run.answer("go", False)
    assert (run.phase, run.outputs, run.node("inner").phase) == ("SUCCEEDED", {"o0": 1}, "SKIPPED")
    assert run.answer("inner", 5) == first
    assert run.signals["inner"].answer is not None


def test_an_answer_inside_a_case_that_was_not_taken_is_refused(sandbox: Sandbox):
    @workflow
    def wf(x: int) -> int:
        chosen = asks_in_a_case(x=x)
        last = wait_for_input("last", expected_type=int)
        return add(x=chosen, y=last)

    run = sandbox.launch(wf, x=1)
    run.answer("go", False)
    with pytest.raises(Withdrawn):
        run.answer("inner", 5)
    run.answer("last", 1)
    assert run.outputs == {"o0": 2}


@dynamic
def deeper(n: int) -> int:
    """Something is made of what the call returns, so it is not a loop."""
    return add(x=n, y=0) if n <= 0 else add(x=deeper(n=add(x=n, y=-1)), y=0)


@workflow
def endless() -> int:
    return deeper(n=1_000_000)


@workflow
def hundred() -> int:
    return deeper(n=100)


def test_dynamic_tasks_unfold_in_each_other_many_times(sandbox: Sandbox):
    assert sandbox.launch(hundred).outputs == {"o0": 0}


def test_a_dynamic_task_that_calls_itself_without_end_fails_its_own_execution_alone(
    sandbox: Sandbox,
):
    run = sandbox.launch(endless)
    assert run.phase == "FAILED"
    assert run.view.error is not None
    assert "graphs would be nested more than 200 deep" in run.view.error.message
    assert sandbox.launch(asks_in_a_case, x=1).waiting == ["go"]
