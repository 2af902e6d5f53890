"""
The phases, and the legal ways from one to the next: the two tables are those of the contract, and executions keep to them.

Method of the second half: stories that visit every phase are told to a sandbox; their histories give every step that was taken.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

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
from tidegate.core.state import (
    EXECUTION_TRANSITIONS,
    NODE_TRANSITIONS,
    ExecutionPhase,
    NodePhase,
)
from tidegate.errors import TidegateError
from tidegate.testing import Run, Sandbox

HOUR = timedelta(hours=1)
SEEN: list[Any] = []
LOOK: list[Callable[[], Any]] = []
"""What a task looks at while it runs."""

NODE_TERMINAL = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "SKIPPED"}
EXECUTION_TERMINAL = {"SUCCEEDED", "FAILED", "ABORTED"}

NODE_STEPS = {
    "QUEUED": {"QUEUED", "RUNNING", "WAITING", *NODE_TERMINAL},
    "RUNNING": {"QUEUED", "RUNNING", "WAITING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"},
    "WAITING": {"QUEUED", *NODE_TERMINAL},
} | {phase: set() for phase in NODE_TERMINAL}

EXECUTION_STEPS = {
    "QUEUED": {"RUNNING", "WAITING", *EXECUTION_TERMINAL},
    "RUNNING": {"WAITING", *EXECUTION_TERMINAL},
    "WAITING": {"RUNNING", *EXECUTION_TERMINAL},
} | {phase: set() for phase in EXECUTION_TERMINAL}


@task
def same(x: int) -> int:
    return x


@task
def fails(x: int) -> int:
    raise ValueError


@task(retries=1, backoff=HOUR)
def fails_twice(x: int) -> int:
    raise ValueError


@task
def looks(x: int) -> int:
    SEEN.extend(look() for look in LOOK)
    return x


@pytest.fixture
def sandbox():
    SEEN.clear()
    LOOK.clear()
    with Sandbox() as sandbox:
        yield sandbox


# ---- the tables ----


def test_the_phases_are_those_of_the_contract():
    assert [phase.name for phase in NodePhase] == [
        "QUEUED",
        "RUNNING",
        "WAITING",
        "SUCCEEDED",
        "FAILED",
        "TIMED_OUT",
        "ABORTED",
        "SKIPPED",
    ]
    assert [phase.name for phase in ExecutionPhase] == [
        "QUEUED",
        "RUNNING",
        "WAITING",
        "SUCCEEDED",
        "FAILED",
        "ABORTED",
    ]


def test_the_transition_tables_are_those_of_the_contract():
    nodes = {old.name: {new.name for new in to} for old, to in NODE_TRANSITIONS.items()}
    executions = {old.name: {new.name for new in to} for old, to in EXECUTION_TRANSITIONS.items()}
    assert (nodes, executions) == (NODE_STEPS, EXECUTION_STEPS)


def test_terminal_phases_absorb():
    for phase in NodePhase:
        assert phase.is_terminal is (phase.name in NODE_TERMINAL)
        assert bool(NODE_TRANSITIONS[phase]) is not phase.is_terminal
    for execution in ExecutionPhase:
        assert execution.is_terminal is (execution.name in EXECUTION_TERMINAL)
        assert bool(EXECUTION_TRANSITIONS[execution]) is not execution.is_terminal


# ---- lives ----


@dynamic
def unfolds(x: int) -> int:
    return same(x=wait_for_input("late", expected_type=int))


@workflow
def long_life(x: int) -> int:
    first = same(x=x)
    asked = wait_for_input("asked", expected_type=int)
    nap = sleep(HOUR)
    first >> nap >> asked
    chosen = conditional("c").if_(asked > 1).then(approve(asked, "ok")).else_().then(same(x=x))
    return unfolds(x=chosen)


def test_an_execution_goes_from_queued_through_running_and_waiting_to_its_end(sandbox: Sandbox):
    run = sandbox.launch(long_life, x=1)
    assert (run.phase, run.node("sleep").phase, run.node("asked").phase) == (
        "WAITING",
        "WAITING",
        "QUEUED",
    )
    sandbox.advance(HOUR)
    assert run.node("asked").phase == "WAITING"
    run.answer("asked", 2)
    assert [run.node(name).phase for name in ("c", "ok")] == ["RUNNING", "WAITING"]
    run.approve("ok")
    assert [run.node(name).phase for name in ("c", "unfolds", "late")] == [
        "SUCCEEDED",
        "RUNNING",
        "WAITING",
    ]
    run.answer("late", 7)
    assert {node.phase for node in run.view.nodes} == {"SUCCEEDED", "SKIPPED"}
    assert (run.phase, run.outputs) == ("SUCCEEDED", {"o0": 7})
    phases = [event.details["phase"] for event in run.events if "phase" in event.details]
    assert phases == ["RUNNING", "WAITING", "RUNNING", "WAITING", "RUNNING", "SUCCEEDED"]


@workflow
def looks_while_open() -> list[int]:
    return [
        looks(x=wait_for_input("first", expected_type=int)),
        wait_for_input("second", expected_type=int),
    ]


def test_an_execution_waits_only_while_nothing_of_it_runs(sandbox: Sandbox):
    run = sandbox.launch(looks_while_open)
    LOOK.append(lambda: (run.phase, run.waiting))
    assert run.phase == "WAITING"
    run.answer("first", 1)
    assert SEEN == [("RUNNING", ["second"])]
    assert run.phase == "WAITING"


def test_an_execution_that_only_pauses_before_a_retry_is_not_waiting(sandbox: Sandbox):
    @workflow
    def wf(x: int) -> int:
        return fails_twice(x=x)

    run = sandbox.launch(wf, x=1)
    assert (run.phase, run.node("fails_twice").phase) == ("RUNNING", "WAITING")
    sandbox.advance(HOUR)
    assert (run.phase, run.node("fails_twice").phase) == ("FAILED", "FAILED")


# ---- every life keeps to the tables ----


def story_of_success(sandbox: Sandbox) -> Run:
    run = sandbox.launch(long_life, x=1)
    sandbox.advance(HOUR)
    run.answer("asked", 2)
    run.approve("ok")
    run.answer("late", 7)
    return run


def story_of_early_answers(sandbox: Sandbox) -> Run:
    run = sandbox.launch(long_life, x=1)
    run.answer("asked", 0)
    sandbox.advance(HOUR)
    run.answer("late", 1)
    return run


def story_of_rejection(sandbox: Sandbox) -> Run:
    run = sandbox.launch(long_life, x=1)
    sandbox.advance(HOUR)
    run.answer("asked", 2)
    run.reject("ok")
    return run


def story_of_abort(sandbox: Sandbox) -> Run:
    run = sandbox.launch(long_life, x=1)
    sandbox.advance(HOUR)
    run.answer("asked", 2)
    run.approve("ok")
    run.abort("enough")
    return run


@workflow
def times_out(x: int) -> int:
    sleep(2 * HOUR)
    fails_twice(x=x)
    return same(x=wait_for_input("g", HOUR, int))


def story_of_timeout(sandbox: Sandbox) -> Run:
    run = sandbox.launch(times_out, x=1)
    sandbox.advance(HOUR - timedelta(seconds=1))
    sandbox.advance(HOUR)
    return run


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def withdraws(x: int) -> int:
    asked = wait_for_input("g", expected_type=int)
    go = wait_for_input("go", expected_type=bool)
    conditional("c").if_(go.is_true()).then(same(x=asked)).else_().then(fails(x=x))
    return same(x=x)


def story_of_withdrawal(sandbox: Sandbox) -> Run:
    run = sandbox.launch(withdraws, x=1)
    run.answer("go", False)
    return run


STORIES = [
    story_of_success,
    story_of_early_answers,
    story_of_rejection,
    story_of_abort,
    story_of_timeout,
    story_of_withdrawal,
]


def steps_of(run: Run) -> Iterator[tuple[str, str, str]]:
    """Yield each step of each node: the node, from which phase, to which."""
    now: dict[str, str] = {}
    for event in run.events:
        for node, phase in event.details.get("changes", {}).items():
            yield node, now.get(node, "QUEUED"), phase
            now[node] = phase


@pytest.mark.parametrize("story", STORIES)
def test_every_step_of_a_life_is_in_the_tables(sandbox: Sandbox, story: Callable[[Sandbox], Run]):
    run = story(sandbox)
    assert run.phase in EXECUTION_TERMINAL
    for node, old, new in steps_of(run):
        assert new in NODE_STEPS[old], f"{node}: {old} -> {new}"
    before = "QUEUED"
    for event in run.events:
        after = event.details.get("phase", before) if event.kind != "Launched" else "RUNNING"
        assert after == before or after in EXECUTION_STEPS[before]
        before = after


def test_the_stories_visit_every_phase(sandbox: Sandbox):
    runs = [story(sandbox) for story in STORIES]
    assert {new for run in runs for _, _, new in steps_of(run)} == NODE_STEPS.keys()
    assert {run.phase for run in runs} == EXECUTION_TERMINAL


@pytest.mark.parametrize("story", STORIES)
def test_after_the_end_nothing_changes_whatever_is_tried(
    sandbox: Sandbox, story: Callable[[Sandbox], Run]
):
    run = story(sandbox)
    view = run.view
    assert {node.phase for node in view.nodes} - NODE_TERMINAL <= {"QUEUED"}  # never reached
    for name in ("asked", "ok", "late", "g", "go", "c"):
        for value in (1, 2, True, False, None):
            try:
                run.answer(name, value)
            except TidegateError:
                continue
    if view.phase != "ABORTED":
        with pytest.raises(TidegateError):
            run.abort("again")
    sandbox.advance(1000 * HOUR)
    assert run.view == view
    assert sandbox.inbox() == []


@pytest.mark.parametrize("story", STORIES)
def test_a_node_and_an_execution_end_once(sandbox: Sandbox, story: Callable[[Sandbox], Run]):
    run = story(sandbox)
    ends = [node for node, _, new in steps_of(run) if new in NODE_TERMINAL]
    assert len(ends) == len(set(ends))
    phases = [event.details.get("phase") for event in run.events]
    assert len([phase for phase in phases if phase in EXECUTION_TERMINAL]) == 1


@pytest.mark.parametrize("story", STORIES)
def test_events_are_numbered_without_gaps(sandbox: Sandbox, story: Callable[[Sandbox], Run]):
    events = story(sandbox).events
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.at for event in events] == sorted(event.at for event in events)


@workflow
def unreached_wf() -> int:
    """A task behind a gate."""
    return same(x=wait_for_input("number", expected_type=int))


def test_a_node_that_an_ended_execution_never_reached_is_shown_as_skipped() -> None:
    """Nothing looks as if it were still to come once the execution is over."""
    with Sandbox() as sandbox:
        run = sandbox.launch(unreached_wf)
        assert run.node("n1").phase == "QUEUED"
        run.abort("enough")
        assert run.node("n1").phase == "SKIPPED"
