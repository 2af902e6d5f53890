"""A plain call: the same machine, in this process, with a clock that jumps and answers from the caller or standard input."""

import asyncio
import io
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from tidegate import (
    ExecutionFailed,
    File,
    InvalidValue,
    NoAnswer,
    WorkflowFailurePolicy,
    approve,
    conditional,
    current_context,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from tidegate.core.keys import own_key
from tidegate.ir.expr import NodeId

HOUR = timedelta(hours=1)


class Colour(Enum):
    RED = "red"


@dataclass
class Review:
    approved: bool
    at: datetime


@task
def double(x: int) -> int:
    return 2 * x


@task
def shout(text: str) -> str:
    return text.upper()


@workflow
def asks(x: int) -> str:
    value = wait_for_input("title", HOUR, str, prompt="Which title?", show={"x": x})
    return shout(text=value)


@workflow
def approves(x: int) -> int:
    return double(x=approve(double(x=x), "ok", prompt="Really?"))


@pytest.fixture
def typed(monkeypatch) -> Any:
    def give(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return give


def test_sleeps_are_jumped_over_and_it_says_so(capsys):
    @workflow
    def wf(x: int) -> int:
        pause = sleep(timedelta(days=400))
        result = double(x=x)
        pause >> result
        return result

    assert wf(x=3) == 6
    assert wf(3) == 6
    err = capsys.readouterr().err
    assert err.count("slept 400 days, 0:00:00 (a plain call skips waiting times)") == 2


def test_answers_may_be_python_values_of_any_type():
    @workflow
    def wf() -> tuple[Review, Colour, timedelta, list[int], int | None]:
        return (
            wait_for_input("review", expected_type=Review),
            wait_for_input("colour", expected_type=Colour),
            wait_for_input("pause", expected_type=timedelta),
            wait_for_input("list", expected_type=list[int]),
            wait_for_input("maybe", expected_type=int | None),
        )

    review = Review(True, datetime.fromisoformat("2024-01-01T00:00:00+00:00"))
    answers = {"review": review, "colour": Colour.RED, "pause": HOUR, "list": [], "maybe": None}

    assert wf.run(answers=answers) == (review, Colour.RED, HOUR, [], None)
    assert wf.run(answers=answers | {"colour": "red"})[1] is Colour.RED


def test_an_answer_that_does_not_fit_is_refused_with_the_gate_s_name():
    with pytest.raises(InvalidValue, match="the answer to 'title'"):
        asks.run({"x": 1}, answers={"title": 3})
    with pytest.raises(InvalidValue, match="the answer to 'ok'"):
        approves.run({"x": 1}, answers={"ok": "yes"})


def test_a_rejection_fails_the_execution():
    with pytest.raises(ExecutionFailed, match=r"'ok' \(n1\): .*rejected 'ok'") as error:
        approves.run({"x": 1}, answers={"ok": False})

    assert error.value.details["code"] == "Rejected"
    assert error.value.details["node"] == "n1"


def test_what_a_task_raised_is_the_cause():
    @task
    def broken(x: int) -> int:
        raise ValueError(f"no {x}")

    @workflow
    def wf() -> int:
        return broken(x=double(x=2))

    with pytest.raises(ExecutionFailed, match=r"'broken' \(n1\): ValueError: no 4") as error:
        wf()

    assert isinstance(error.value.__cause__, ValueError)
    assert error.value.details["code"] == "TaskRaised"
    trace = error.value.details["failure"].trace
    assert "raise ValueError" in trace
    assert "tidegate/sdk" not in trace


def test_a_task_that_leaves_fails_by_itself():
    @task
    def leave() -> int:
        sys.exit("enough")

    @workflow
    def wf() -> int:
        return leave()

    with pytest.raises(ExecutionFailed, match="SystemExit: enough"):
        wf()


def test_a_failed_task_is_tried_again_after_pauses_that_are_jumped_over(capsys):
    seen = []

    @task(retries=2, backoff=timedelta(minutes=1))
    def flaky() -> int:
        seen.append((current_context().attempt, current_context().idempotency_key))
        if len(seen) < 3:
            raise OSError("try again")
        return 7

    @workflow
    def wf() -> int:
        return flaky()

    assert wf() == 7
    assert [attempt for attempt, _ in seen] == [1, 2, 3]
    assert len({key for _, key in seen}) == 1
    err = capsys.readouterr().err
    assert "paused 0:01:00 before 'flaky' is retried" in err
    assert "paused 0:02:00" in err


def test_a_value_of_the_wrong_type_names_task_and_output():
    @task
    def wrong() -> int:
        return "a"  # type: ignore[return-value]

    @workflow
    def wf() -> int:
        return wrong()

    with pytest.raises(
        ExecutionFailed, match="wrong' returned a str for output 'o0': expected a whole number"
    ):
        wf()


def test_an_input_of_the_wrong_type_is_refused_before_anything_runs():
    with pytest.raises(InvalidValue, match="input 'x'.*whole number"):
        asks(x="a")
    with pytest.raises(InvalidValue, match="input 'x' is missing"):
        asks()
    with pytest.raises(InvalidValue, match="unknown input 'y'"):
        asks.run({"x": 1, "y": 2})


def test_questions_are_read_line_by_line_and_asked_again(typed, capsys):
    typed("\nabc\n")

    assert asks(x=1) == "ABC"
    err = capsys.readouterr().err
    assert "Answer 'title': text; waits 1:00:00, then it fails" in err
    assert "  Which title?\n" in err
    assert "  x: 1\n" in err
    assert "an empty line is not an answer" in err


def test_approvals_have_no_default_for_enter(typed, capsys):
    typed("\nperhaps\nyes\n")

    assert approves(x=1) == 4
    err = capsys.readouterr().err
    assert "Approve 'ok': yes or no; no timeout" in err
    assert "  value: 2\n" in err
    assert err.count("approve, yes or no? ") == 3
    assert "type yes or no" in err


def test_no_at_the_terminal_is_a_rejection(typed):
    typed("n\n")

    with pytest.raises(ExecutionFailed, match="rejected"):
        approves(x=1)


@pytest.mark.parametrize("text", ["", "\n"])
def test_the_end_of_standard_input_is_an_error_that_names_the_gate(typed, text):
    typed(text)

    with pytest.raises(NoAnswer, match="gate 'title' waits for text, but standard input has ended"):
        asks(x=1)


def test_without_standard_input_nobody_is_asked(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(NoAnswer, match="gate 'ok' waits for yes or no"):
        approves(x=1)


def test_with_nobody_to_ask_the_answer_for_the_timeout_is_taken(typed, capsys):
    @workflow
    def wf() -> str:
        return shout(text=wait_for_input("title", HOUR, str, on_timeout="none"))

    typed("")

    assert wf() == "NONE"
    assert "nobody answered 'title' for 1:00:00" in capsys.readouterr().err


def test_an_approval_may_be_rejected_by_its_timeout(typed):
    @workflow
    def wf() -> int:
        return approve(double(x=1), "ok", HOUR, on_timeout=False)

    typed("")

    with pytest.raises(ExecutionFailed) as error:
        wf()
    assert error.value.details["code"] == "Rejected"


def test_the_suggestion_is_taken_for_an_empty_line(typed, capsys):
    @workflow
    def wf(x: int) -> int:
        return wait_for_input("n", expected_type=int, suggested=double(x=x))

    typed("\n")
    assert wf(x=4) == 8
    assert "suggested (Enter accepts it): 8\n> " in capsys.readouterr().err
    typed("5\n")
    assert wf(x=4) == 5


def test_only_the_branch_taken_runs_and_asks():
    ran = []

    @task
    def mark(name: str) -> str:
        ran.append(name)
        return name

    @workflow
    def wf(x: int) -> str:
        return (
            conditional("c")
            .if_(x > 1)
            .then(mark(name="large"))
            .else_()
            .then(wait_for_input("why", expected_type=str))
        )

    assert wf(x=2) == "large"
    assert wf.run({"x": 0}, answers={"why": "small"}) == "small"
    assert ran == ["large"]


def test_an_answer_that_nobody_needs_is_not_asked_for():
    @workflow
    def wf() -> str:
        passes = wait_for_input("passes", expected_type=bool)
        title = wait_for_input("title", expected_type=str)
        return (
            conditional("c")
            .if_(passes.is_true())
            .then(shout(text=title))
            .else_()
            .then(shout(text="none"))
        )

    assert wf.run(answers={"passes": False}) == "NONE"
    assert wf.run(answers={"passes": True, "title": "a"}) == "A"


def test_a_conditional_that_fails_says_so():
    @workflow
    def wf(x: int) -> int:
        return conditional("c").if_(x > 1).then(double(x=x)).else_().fail("x must be large")

    with pytest.raises(ExecutionFailed, match="x must be large") as error:
        wf(x=1)
    assert error.value.details["code"] == "BranchFailed"


def test_a_missing_key_fails_its_node():
    @task
    def table() -> dict[str, int]:
        return {"a": 1}

    @workflow
    def wf() -> int:
        return double(x=table()["b"])

    with pytest.raises(ExecutionFailed, match="has no 'b'"):
        wf()


def test_other_nodes_end_if_the_policy_says_so():
    ran = []

    @task
    def mark(name: str):
        ran.append(name)

    @task
    def broken() -> str:
        raise ValueError

    def body():
        mark(name=broken())
        mark(name="other")

    with pytest.raises(ExecutionFailed):
        workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)(body)()
    assert ran == ["other"]


def test_files_travel_and_outlive_the_call(tmp_path: Path):
    @task
    def write(text: str) -> File:
        path = Path(current_context().working_directory) / "out.txt"
        path.write_text(text)
        return File(str(path))

    @task
    def read(file: File) -> str:
        return Path(file).read_text()

    @workflow
    def wf(given: File) -> tuple[File, str]:
        made = write(text=read(file=given))
        return made, read(file=made)

    source = tmp_path / "in.txt"
    source.write_text("hello")

    made, text = wf(given=File(str(source)))
    assert (Path(made).read_text(), text) == ("hello", "hello")


def test_a_workflow_called_in_a_task_runs_by_itself_and_asks_nobody(typed):
    @task
    def calls(x: int) -> int:
        return approves(x=x)

    @task
    def calls_other(x: int) -> str:
        return doubled(x=x)

    @workflow
    def doubled(x: int) -> str:
        return shout(text="a")

    @workflow
    def asking() -> int:
        return calls(x=1)

    @workflow
    def quiet() -> str:
        return calls_other(x=1)

    typed("yes\n")
    assert quiet() == "A"
    with pytest.raises(ExecutionFailed, match="gate 'ok' waits") as error:
        asking()
    assert isinstance(error.value.__cause__, NoAnswer)


def test_an_asynchronous_task_runs_within_a_running_loop_too():
    @task
    async def later(x: int) -> str:
        await asyncio.sleep(0)
        return current_context().node + str(x)

    @workflow
    def wf(x: int) -> str:
        return later(x=x)

    async def notebook() -> tuple[str, str]:
        return wf(x=3), await later(x=4)  # type: ignore[misc]

    assert asyncio.run(notebook()) == ("n03", "4")


def test_a_task_may_ask_about_its_run():
    seen: list[Any] = []

    @task
    def look() -> int:
        run = current_context()
        seen.append(run)
        assert list(Path(run.working_directory).iterdir()) == []
        run.logging.debug("here")
        return 1

    @workflow
    def wf() -> int:
        look()
        return look()

    wf()

    assert [run.node for run in seen] == ["n0", "n1"]
    assert seen[0].execution_id == seen[1].execution_id
    assert seen[0].working_directory != seen[1].working_directory
    assert seen[1].idempotency_key == own_key(seen[1].execution, NodeId("n1"))
    assert current_context().execution == "local"


@pytest.mark.parametrize(
    ("reach", "message"),
    [
        (lambda r: r["a"]["z"], r"n0.o0\['a'\] has no 'z': it has 'b'"),
        (lambda r: r["a"]["b"][5], r"n0.o0\['a'\]\['b'\] has no 5: it has 2 items"),
        (lambda r: r["none"]["z"], r"n0.o0\['none'\] has no 'z': it is null"),
        (lambda r: r["z"], "n0.o0 has no 'z': it has 'a', 'none'"),
    ],
)
def test_a_part_that_is_not_there_is_told_with_what_is_there(reach, message):
    @task
    def report() -> dict:
        return {"a": {"b": [1, 2]}, "none": None}

    @workflow
    def wf() -> Any:
        return reach(report())

    with pytest.raises(ExecutionFailed, match=message):
        wf()


@workflow
def inner_question() -> str:
    return wait_for_input("inner", expected_type=str)


@workflow
def outer_question() -> tuple[str, str]:
    first = inner_question()
    return first, wait_for_input("second", expected_type=str)


def test_questions_are_asked_in_the_order_of_the_source_those_of_a_sub_workflow_too(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\ntwo\n"))

    assert outer_question() == ("one", "two")
