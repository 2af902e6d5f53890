"""The last rows of the race table: gates that are no longer needed, aborts, and the clock that jumps."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tidegate import approve, conditional, dynamic, sleep, task, wait_for_input, workflow
from tidegate.errors import ExecutionEnded, Withdrawn
from tidegate.testing import Run, Sandbox

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
GATES = ("input", "approve", "sleep")


@task
def after(x: int) -> int:
    return x


@task
def nothing() -> int:
    return 0


def make(kind: str, x: Any) -> Any:
    match kind:
        case "input":
            return wait_for_input("g", HOUR, int)
        case "approve":
            return approve(x, "g", HOUR)
        case _:
            return sleep(HOUR)


def node_of(run: Run, kind: str) -> Any:
    return run.node("sleep" if kind == "sleep" else "g")


# ---- withdrawn ----


def wanted_in_one_case(kind: str) -> Any:
    def wf(x: int) -> int:
        gate = make(kind, x)
        go = wait_for_input("go", expected_type=bool)
        start = conditional("c").if_(go.is_true())
        use = nothing() if kind == "sleep" else after(x=gate)
        gate >> use
        chosen = start.then(use).else_().then(after(x=x))
        last = wait_for_input("last", expected_type=int)
        chosen >> last
        return last

    return workflow(wf)


def passed_on_in_one_case(kind: str) -> Any:
    def wf(x: int) -> int:
        gate = make(kind, x)
        go = wait_for_input("go", expected_type=bool)
        chosen = conditional("c").if_(go.is_true()).then(gate).else_().then(after(x=x))
        last = wait_for_input("last", expected_type=int)
        chosen >> last
        return last

    return workflow(wf)


CASES = [(wanted_in_one_case, kind) for kind in GATES] + [
    (passed_on_in_one_case, kind) for kind in GATES[:2]
]


@pytest.mark.parametrize(("make_workflow", "kind"), CASES)
def test_a_gate_that_is_no_longer_needed_is_withdrawn_and_the_run_goes_on(
    sandbox: Sandbox, make_workflow: Any, kind: str
):
    run = sandbox.launch(make_workflow(kind), x=1)
    assert node_of(run, kind).phase == "WAITING"
    run.answer("go", False)
    assert node_of(run, kind).phase == "SKIPPED"
    assert [question.name for question in sandbox.inbox()] == ["last"]
    sandbox.advance(10 * HOUR)
    assert node_of(run, kind).phase == "SKIPPED"
    if kind != "sleep":
        with pytest.raises(Withdrawn):
            run.answer("g", 3 if kind == "input" else True)
    run.answer("last", 7)
    assert (run.phase, run.outputs) == ("SUCCEEDED", {"o0": 7})


@pytest.mark.parametrize(("make_workflow", "kind"), CASES)
def test_a_gate_that_is_needed_is_not_withdrawn(sandbox: Sandbox, make_workflow: Any, kind: str):
    run = sandbox.launch(make_workflow(kind), x=1)
    run.answer("go", True)
    assert node_of(run, kind).phase == "WAITING"
    if kind == "sleep":
        sandbox.advance(HOUR)
    else:
        run.answer("g", 3 if kind == "input" else True)
    assert node_of(run, kind).phase == "SUCCEEDED"
    run.answer("last", 7)
    assert run.phase == "SUCCEEDED"


@workflow
def sub(x: int) -> int:
    return after(x=x)


@dynamic
def unfolds(x: int) -> int:
    return after(x=x)


USERS: dict[str, Callable[[Any], Any]] = {
    "task": lambda gate: after(x=gate),
    "sub-workflow": lambda gate: sub(x=sub(x=gate)),
    "dynamic": lambda gate: unfolds(x=gate),
    "approval": lambda gate: approve(gate, "ok"),
    "shown value": lambda gate: wait_for_input("in", expected_type=int, show=[gate]),
    "suggestion": lambda gate: wait_for_input("in", expected_type=int, suggested=gate),
    "condition": lambda gate: (
        conditional("d").if_(gate > 1).then(after(x=1)).else_().then(after(x=2))
    ),
    "nested case": lambda gate: (
        conditional("d").if_(after(x=1) > 1).then(gate).else_().then(after(x=2))
    ),
    "order": lambda gate: gate >> nothing(),
}


@pytest.mark.parametrize("user", USERS.values(), ids=USERS)
def test_anyone_who_would_have_used_it_a_gate_of_a_case_not_taken_is_withdrawn(
    sandbox: Sandbox, user: Callable[[Any], Any]
):
    def body(x: int) -> int:
        gate = wait_for_input("g", expected_type=int)
        go = wait_for_input("go", expected_type=bool)
        start = conditional("c").if_(go.is_true())
        return start.then(user(gate)).else_().then(after(x=x))

    run = sandbox.launch(workflow(body), x=1)
    run.answer("go", False)
    assert run.node("g").phase == "SKIPPED"
    assert (run.phase, run.outputs) == ("SUCCEEDED", {"o0": 1})


@workflow
def wanted_elsewhere_too(x: int) -> int:
    gate = wait_for_input("g", expected_type=int)
    go = wait_for_input("go", expected_type=bool)
    conditional("c").if_(go.is_true()).then(after(x=gate)).else_().then(after(x=x))
    return after(x=gate)


def test_a_gate_that_one_other_still_needs_is_not_withdrawn(sandbox: Sandbox):
    run = sandbox.launch(wanted_elsewhere_too, x=1)
    run.answer("go", False)
    assert run.waiting == ["g"]
    run.answer("g", 4)
    assert run.outputs == {"o0": 4}


@workflow
def chained(x: int) -> int:
    first = wait_for_input("first", expected_type=int)
    second = approve(first, "second")
    go = wait_for_input("go", expected_type=bool)
    return conditional("c").if_(go.is_true()).then(after(x=second)).else_().then(after(x=x))


def test_a_chain_of_gates_that_nobody_needs_is_withdrawn_whole(sandbox: Sandbox):
    run = sandbox.launch(chained, x=1)
    run.answer("go", False)
    assert [run.node(name).phase for name in ("first", "second")] == ["SKIPPED", "SKIPPED"]
    assert (run.phase, run.outputs) == ("SUCCEEDED", {"o0": 1})
    with pytest.raises((Withdrawn, ExecutionEnded)):
        run.answer("first", 1)


@workflow
def nobody_uses(x: int) -> int:
    wait_for_input("g", expected_type=int)
    return after(x=x)


def test_a_gate_that_nothing_hangs_on_is_waited_for_all_the_same(sandbox: Sandbox):
    run = sandbox.launch(nobody_uses, x=1)
    assert (run.phase, run.waiting) == ("WAITING", ["g"])
    run.answer("g", 1)
    assert run.phase == "SUCCEEDED"


# ---- aborted ----


@workflow
def ask_twice(x: int) -> int:
    return approve(wait_for_input("in sub", HOUR, int), "later")


@dynamic
def ask_at_run_time(x: int) -> int:
    return wait_for_input("in dynamic", expected_type=int)


@workflow
def asks_everywhere(x: int) -> int:
    sleep(HOUR)
    ask_twice(x=x)
    ask_at_run_time(x=x)
    branch = conditional("c").if_(x > 0).then(approve(x, "in case")).else_().then(after(x=x))
    return after(x=branch)


def test_an_abort_ends_every_open_gate_and_empties_the_inbox_at_once(sandbox: Sandbox):
    run = sandbox.launch(asks_everywhere, x=1)
    bystander = sandbox.launch(ask_twice, x=1)
    names = {"in sub", "in dynamic", "in case"}
    assert {question.name for question in sandbox.inbox()} == names
    assert len(sandbox.inbox()) == 4
    run.abort("enough", who="ann")
    assert [question.execution for question in sandbox.inbox()] == [bystander.id]
    assert {run.node(name).phase for name in {*names, "sleep"}} == {"ABORTED"}
    error = run.view.error
    assert error is not None
    assert (run.phase, error.code, error.message) == ("ABORTED", "Aborted", "enough")
    assert (run.waiting, run.view.waiting) == ([], [])
    view = run.view
    sandbox.advance(100 * HOUR)
    assert run.view == view


def test_an_abort_of_what_has_ended_otherwise_is_refused_and_of_what_is_aborted_is_not(
    sandbox: Sandbox,
):
    run = sandbox.launch(nobody_uses, x=1)
    run.abort("enough")
    view = run.view
    run.abort("again")
    assert run.view == view
    other = sandbox.launch(nobody_uses, x=1)
    other.answer("g", 1)
    with pytest.raises(ExecutionEnded):
        other.abort("too late")
    assert other.phase == "SUCCEEDED"


# ---- the clock jumps ----


@workflow
def timed() -> list[int]:
    nap = sleep(HOUR)
    woken = nothing()
    nap >> woken
    return [woken, wait_for_input("g", 2 * HOUR, int, on_timeout=9)]


def fired(run: Run) -> list[Any]:
    return [event.details["node"] for event in run.events if event.kind == "TimerFired"]


def test_a_clock_that_jumps_back_wakes_nothing_early(sandbox: Sandbox):
    run = sandbox.launch(timed)
    start = sandbox.now
    sandbox.advance(HOUR - TICK)
    sandbox.set_clock(start - 1000 * HOUR)
    assert fired(run) == []
    sandbox.advance(1000 * HOUR)
    assert fired(run) == []
    sandbox.set_clock(start + HOUR - TICK)
    assert fired(run) == []
    sandbox.advance(TICK)
    assert fired(run) == ["n0"]


def test_a_clock_that_jumps_forth_wakes_everything_that_is_due_once(sandbox: Sandbox):
    run = sandbox.launch(timed)
    start = sandbox.now
    sandbox.set_clock(start + 100 * HOUR)
    assert sorted(fired(run)) == ["n0", "n2"]
    assert run.outputs == {"o0": [0, 9]}


def test_no_timer_fires_twice_however_the_clock_jumps(sandbox: Sandbox):
    run = sandbox.launch(timed)
    start = sandbox.now
    for hours in (1, -5, 1, 0, 1.5, -1, 2, 0, 3, -7, 4):
        sandbox.set_clock(start + hours * HOUR)
    assert sorted(fired(run)) == ["n0", "n2"]


def test_an_answer_after_the_clock_went_back_past_the_opening_still_counts(sandbox: Sandbox):
    run = sandbox.launch(timed)
    sandbox.set_clock(sandbox.now - 10 * HOUR)
    run.answer("g", 3)
    sandbox.set_clock(sandbox.now + 11 * HOUR)
    assert run.outputs == {"o0": [0, 3]}
