"""What the three gates promise, through the door that users' own tests take."""

import inspect
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from tidegate import (
    CompileError,
    Workflow,
    approve,
    conditional,
    dynamic,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from tidegate.errors import AuthoringError
from tidegate.testing import Sandbox

HOUR = timedelta(hours=1)


@dataclass
class Report:
    mean: float
    tags: list[str]


@dataclass
class Titled:
    title: str
    report: Report


class Review(NamedTuple):
    approved: bool
    text: str


@task
def report() -> Report:
    return Report(mean=2.0, tags=["a", "b"])


@task
def double(x: int) -> int:
    return 2 * x


@task
def titled(title: str, made: Report) -> Titled:
    return Titled(title, made)


@task
def nothing() -> None: ...


@task
def names_gate_in_body(which: str) -> int:
    match which:
        case "sleep":
            sleep(HOUR)
        case "wait_for_input":
            wait_for_input("x", expected_type=int)
        case _:
            approve(3, "ok")
    return 0


def compile_error(body: Any) -> str:
    with pytest.raises(AuthoringError) as error:
        workflow(body).compile()
    return error.value.message


# ---- the calls ----


def test_argument_order_is_that_of_the_seed_page():
    assert list(inspect.signature(sleep).parameters)[:1] == ["duration"]
    assert list(inspect.signature(wait_for_input).parameters)[:3] == [
        "name",
        "timeout",
        "expected_type",
    ]
    assert list(inspect.signature(approve).parameters)[:3] == ["upstream_item", "name", "timeout"]


@workflow
def positional(x: int) -> int:
    answer = wait_for_input("answer", HOUR, int)
    sleep(HOUR) >> answer
    return approve(answer, "ok", 2 * HOUR)


def test_positional_arguments_mean_what_the_seed_page_means(sandbox: Sandbox):
    run = sandbox.launch(positional, x=1)
    assert run.waiting == []
    sandbox.advance(HOUR)
    (question,) = run.questions
    assert (question.name, question.due) == ("answer", sandbox.now + HOUR)
    run.answer("answer", 3)
    (question,) = run.questions
    assert (question.name, question.due) == ("ok", sandbox.now + 2 * HOUR)
    run.approve("ok")
    assert run.outputs == {"o0": 3}


@workflow
def pause() -> None:
    nap = sleep(HOUR)
    nap >> nothing()


def test_sleep_has_no_output_and_orders_what_comes_after(sandbox: Sandbox):
    run = sandbox.launch(pause)
    assert run.node("sleep").outputs is None
    sandbox.advance(HOUR - timedelta(microseconds=1))
    assert (run.phase, run.node("sleep").phase) == ("WAITING", "WAITING")
    assert run.node("nothing").phase == "QUEUED"
    sandbox.advance(timedelta(microseconds=1))
    assert (run.node("nothing").phase, run.phase) == ("SUCCEEDED", "SUCCEEDED")
    assert run.outputs == {}


@workflow
def patient() -> int:
    return wait_for_input("answer", expected_type=int)


def test_without_a_timeout_a_gate_waits_without_end_and_shows_it(sandbox: Sandbox):
    run = sandbox.launch(patient)
    sandbox.advance(timedelta(days=100 * 365))
    (question,) = sandbox.inbox()
    assert question.due is None
    run.answer("answer", 5)
    assert run.outputs == {"o0": 5}


@pytest.mark.parametrize("duration", [timedelta(0), timedelta(seconds=-1), 10, 1.5, "1h"], ids=str)
@pytest.mark.parametrize("gate", ["wait_for_input", "approve", "sleep"])
def test_a_duration_that_is_none_is_refused_by_the_compiler_with_the_name_of_the_gate(
    gate: str, duration: Any
):
    def body(x: int) -> None:
        match gate:
            case "wait_for_input":
                wait_for_input("the gate", duration, int)
            case "approve":
                approve(x, "the gate", duration)
            case _:
                sleep(duration)

    message = compile_error(body)
    assert ("sleep" if gate == "sleep" else "'the gate'") in message


def test_sleep_refuses_none():
    def body() -> None:
        sleep(None)  # type: ignore[arg-type]

    assert "sleep" in compile_error(body)


# ---- prompt, show, suggested, on_timeout ----


@workflow
def asked(x: int) -> int:
    made = report()
    answer = wait_for_input(
        "answer",
        HOUR,
        int,
        prompt="# How many?",
        show={"mean": made.mean, "x": x},
        suggested=double(x=x),
        on_timeout=9,
    )
    return approve(answer, "ok", HOUR, prompt="*Sure?*", show=[made, x], on_timeout=True)


def test_prompt_shown_values_and_suggestion_stand_beside_the_question(sandbox: Sandbox):
    run = sandbox.launch(asked, x=4)
    (question,) = sandbox.inbox()
    assert question == run.questions[0]
    assert question.prompt == "# How many?"
    assert question.show == {"mean": 2.0, "x": 4}
    assert question.suggested == 8
    assert question.on_timeout == 9
    run.answer("answer", 1)
    (question,) = sandbox.inbox()
    assert question.prompt == "*Sure?*"
    assert question.show == {"report": {"mean": 2.0, "tags": ["a", "b"]}, "x": 4}
    assert (question.value, question.on_timeout) == (1, True)


@workflow
def shows_late() -> int:
    slow = double(x=21)
    sleep(HOUR) >> slow
    return wait_for_input("answer", expected_type=int, show={"slow": slow})


@workflow
def suggests_late() -> int:
    slow = double(x=21)
    sleep(HOUR) >> slow
    return wait_for_input("answer", expected_type=int, suggested=slow)


@workflow
def approves_late(x: int) -> int:
    slow = double(x=21)
    sleep(HOUR) >> slow
    return approve(x, "answer", show=[slow])


@pytest.mark.parametrize("wf", [shows_late, suggests_late, approves_late], ids=lambda wf: wf.name)
def test_a_gate_waits_for_the_values_that_it_shows(sandbox: Sandbox, wf: Any):
    run = sandbox.launch(wf, **({"x": 1} if wf is approves_late else {}))
    assert run.waiting == []
    sandbox.advance(HOUR)
    (question,) = run.questions
    assert 42 in [*question.show.values(), question.suggested]


def test_on_timeout_is_the_answer_that_is_taken_marked_as_given_by_the_timeout(sandbox: Sandbox):
    run = sandbox.launch(asked, x=4)
    sandbox.advance(HOUR)
    answer = run.node("answer").answer
    assert answer is not None
    assert (answer.value, answer.by_timeout, answer.who) == (9, True, "timeout")
    sandbox.advance(HOUR)
    assert run.outputs == {"o0": 9}


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda x: wait_for_input("g", expected_type=int, on_timeout=3), "on_timeout"),
        (lambda x: approve(x, "g", on_timeout=True), "on_timeout"),
        (lambda x: wait_for_input("g", HOUR, int, on_timeout="three"), "on_timeout"),
        (lambda x: wait_for_input("g", HOUR, int, on_timeout=None), "on_timeout"),
        (lambda x: approve(x, "g", HOUR, on_timeout=3), "on_timeout"),
        (lambda x: wait_for_input("g", expected_type=int, suggested="three"), "suggested"),
        (lambda x: approve(x, "g", suggested=3), "suggested"),  # type: ignore[call-arg]
        (lambda x: wait_for_input("g", expected_type=int, prompt=3), "prompt"),  # type: ignore[arg-type]
        (lambda x: wait_for_input("g", expected_type=int, promt=""), "promt"),  # type: ignore[call-arg]
        (lambda x: wait_for_input("g", expected_type=int, show={"": x}), "show"),
        (lambda x: wait_for_input("g"), "expected_type"),
        (lambda x: wait_for_input("g", expected_type=None), "expected_type"),
    ],
)
def test_an_option_that_means_nothing_is_refused_by_the_compiler(call: Any, word: str):
    def body(x: int) -> None:
        call(x)

    message = compile_error(body)
    assert word in message
    assert "'g'" in message


@pytest.mark.parametrize("name", ["", "  ", 3, "a\nb", "x" * 300])
def test_a_gate_needs_a_name_that_can_be_shown(name: Any):
    def body(x: int) -> None:
        approve(x, name)

    assert "name" in compile_error(body)


# ---- where gates are legal ----


@workflow
def as_a_function(x: int) -> int:
    nap, ask = sleep(HOUR), wait_for_input("ask", expected_type=int)
    nap >> ask
    return approve(ask, "ok")


@dynamic
def unfolding(x: int) -> int:
    nap, ask = sleep(HOUR), wait_for_input("ask", expected_type=int)
    nap >> ask
    return approve(ask, "ok")


@workflow
def in_a_dynamic(x: int) -> int:
    return unfolding(x=x)


@workflow
def in_a_sub_workflow(x: int) -> int:
    return as_a_function(x=x)


imperative = Workflow("imperative")
_x = imperative.add_workflow_input("x", int)
_nap = imperative.add_sleep(HOUR)
_ask = imperative.add_wait_for_input("ask", expected_type=int)
_nap >> _ask
_ok = imperative.add_approve(_ask.o0, "ok")
imperative.add_workflow_output("o0", _ok.outputs["o0"])


@task
def ready(x: int) -> bool:
    return x > 0


@workflow
def gates_of_a_case(x: int) -> int:
    nap, ask = sleep(HOUR), wait_for_input("ask", expected_type=int)
    nap >> ask
    return approve(ask, "ok")


@workflow
def in_a_conditional(x: int) -> int:
    go = ready(x=x)
    start = conditional("go").if_(go.is_true())
    nap, ask = sleep(HOUR), wait_for_input("ask", expected_type=int)
    nap >> ask
    return start.then(approve(ask, "ok")).else_().then(double(x=x))


PLACES = [as_a_function, in_a_dynamic, in_a_sub_workflow, imperative, in_a_conditional]


@pytest.mark.parametrize("wf", PLACES, ids=lambda wf: wf.name.rpartition(".")[2])
def test_gates_are_legal_wherever_a_node_is(sandbox: Sandbox, wf: Any):
    run = sandbox.launch(wf, x=1)
    assert (run.phase, run.waiting) == ("WAITING", [])
    sandbox.advance(HOUR)
    assert run.waiting == ["ask"]
    run.answer("ask", 7)
    assert run.questions[0].value == 7
    run.approve("ok")
    assert (run.phase, run.outputs) == ("SUCCEEDED", {"o0": 7})


@workflow
def inside_then(x: int) -> int:
    return (
        conditional("which")
        .if_(x > 1)
        .then(wait_for_input("much", expected_type=int))
        .elif_(x == 1)
        .then(approve(double(x=x), "one"))
        .else_()
        .then(approve(x, "little"))
    )


@pytest.mark.parametrize(
    ("x", "gate", "answer", "result"),
    [(2, "much", 5, 5), (1, "one", True, 2), (0, "little", True, 0)],
)
def test_only_the_gate_of_the_case_that_is_taken_opens(
    sandbox: Sandbox, x: int, gate: str, answer: Any, result: int
):
    run = sandbox.launch(inside_then, x=x)
    assert run.waiting == [gate]
    others = {"much", "one", "little"} - {gate}
    assert {run.node(other).phase for other in others} == {"SKIPPED"}
    run.answer(gate, answer)
    assert run.outputs == {"o0": result}


@workflow
def gate_in_a_task(which: str) -> int:
    return names_gate_in_body(which=which)


@pytest.mark.parametrize("which", ["sleep", "wait_for_input", "approve"])
def test_in_the_body_of_a_task_a_gate_says_where_it_belongs(sandbox: Sandbox, which: str):
    run = sandbox.launch(gate_in_a_task, which=which)
    assert run.phase == "FAILED"
    error = run.view.error
    assert error is not None
    assert f"{which}(...) belongs in the body of a @workflow or a @dynamic" in error.message


def test_outside_of_any_workflow_a_gate_says_where_it_belongs():
    with pytest.raises(CompileError, match="belongs in the body of a @workflow"):
        sleep(HOUR)
    with pytest.raises(CompileError, match="belongs in the body of a @workflow"):
        wait_for_input("x", expected_type=int)
    with pytest.raises(CompileError, match="belongs in the body of a @workflow"):
        approve(1, "x")


# ---- what can be approved ----


@workflow
def approve_output() -> Report:
    return approve(report(), "ok")


@workflow
def approve_attribute() -> float:
    return approve(report().mean, "ok")


@workflow
def approve_item() -> str:
    return approve(report().tags[1], "ok")


@workflow
def approve_item_by_key() -> float:
    return approve(report()["mean"], "ok")  # type: ignore[index]


@workflow
def approve_gate() -> int:
    return approve(wait_for_input("first", expected_type=int), "ok")


@workflow
def approve_approval(x: int) -> int:
    return approve(approve(x, "first"), "ok")


@workflow
def inner(x: int) -> int:
    return double(x=x)


@workflow
def approve_sub_workflow(x: int) -> int:
    return approve(inner(x=x), "ok")


@workflow
def approve_conditional(x: int) -> int:
    chosen = conditional("c").if_(x > 1).then(double(x=x)).else_().then(double(x=0))
    return approve(chosen, "ok")


@workflow
def approve_input(x: int) -> int:
    return approve(x, "ok")


@workflow
def approve_dynamic(x: int) -> int:
    return approve(twice_at_run_time(x=x), "ok")


@dynamic
def twice_at_run_time(x: int) -> int:
    return double(x=x)


@pytest.mark.parametrize(
    ("wf", "inputs", "first", "value"),
    [
        (approve_output, {}, None, {"mean": 2.0, "tags": ["a", "b"]}),
        (approve_attribute, {}, None, 2.0),
        (approve_item, {}, None, "b"),
        (approve_item_by_key, {}, None, 2.0),
        (approve_gate, {}, 6, 6),
        (approve_approval, {"x": 6}, True, 6),
        (approve_sub_workflow, {"x": 3}, None, 6),
        (approve_conditional, {"x": 3}, None, 6),
        (approve_input, {"x": 6}, None, 6),
        (approve_dynamic, {"x": 3}, None, 6),
    ],
    ids=lambda each: each.name.rpartition(".")[2] if hasattr(each, "name") else "",
)
def test_any_promise_can_be_approved_and_is_passed_through(
    sandbox: Sandbox, wf: Any, inputs: dict[str, Any], first: Any, value: Any
):
    run = sandbox.launch(wf, **inputs)
    if first is not None:
        run.answer("first", first)
    (question,) = run.questions
    assert (question.name, question.kind, question.value) == ("ok", "approve", value)
    assert run.outputs is None
    run.approve("ok", comment="looks right")
    assert run.outputs == {"o0": value}
