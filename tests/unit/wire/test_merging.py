"""What was seen before and what changed since are, together, what is seen now."""

from typing import Any

from tidegate import approve, dynamic, task, wait_for_input, workflow
from tidegate.testing import Run, Sandbox
from tidegate.wire import ExecutionView, GetExecution, ListSignals
from tidegate.wire.merging import merged


@task
def double(x: int) -> int:
    return 2 * x


@dynamic
def spread(n: int) -> list[int]:
    return [double(x=i) for i in range(n)]


@workflow
def story() -> list[int]:
    n = wait_for_input("n", expected_type=int)
    wait_for_input("aside", expected_type=str)
    return spread(n=approve(double(x=n), "ok"))


def look(sandbox: Sandbox, run: Run, after: int = 0) -> ExecutionView:
    handle: Any = sandbox._service.handle
    return handle(GetExecution(id=run.id, after=after))


def follow(sandbox: Sandbox, run: Run, seen: ExecutionView) -> ExecutionView:
    """Ask what has changed, and check that it is all one needs to know."""
    now = merged(seen, look(sandbox, run, seen.seq))
    assert now == look(sandbox, run)
    return now


def test_following_an_execution_step_by_step_shows_it_as_it_is():
    with Sandbox() as sandbox:
        run = sandbox.launch(story)
        seen = look(sandbox, run)
        for name, value in (("n", 2), ("aside", "x"), ("ok", True)):
            run.answer(name, value)
            seen = follow(sandbox, run, seen)
        assert seen.phase == "SUCCEEDED"
        assert seen.waiting == []


def test_the_beginning_and_the_end_are_enough():
    with Sandbox() as sandbox:
        run = sandbox.launch(story)
        seen = look(sandbox, run)
        run.answer("n", 3)
        run.reject("ok")

        assert follow(sandbox, run, seen).phase == "FAILED"


def test_nothing_new_changes_nothing():
    with Sandbox() as sandbox:
        run = sandbox.launch(story)
        seen = look(sandbox, run)

        assert look(sandbox, run, seen.seq).nodes == []
        assert follow(sandbox, run, seen) == seen


def test_what_was_seen_of_another_life_does_not_count():
    with Sandbox() as sandbox:
        run = sandbox.launch(story)
        run.answer("n", 3)
        later = look(sandbox, run)
        fresh = sandbox.launch(story)

        assert merged(later, look(sandbox, fresh)) == look(sandbox, fresh)


@workflow
def inner() -> int:
    return wait_for_input("inner", expected_type=int)


@dynamic
def many(n: int) -> list[int]:
    return [wait_for_input(f"label-{i}", expected_type=int) for i in range(n)]


@workflow
def outer() -> tuple[int, int, list[int], str]:
    return (
        inner(),
        wait_for_input("zeta", expected_type=int),
        many(n=12),
        wait_for_input("alpha", expected_type=str),
    )


def test_questions_that_open_together_come_in_the_order_of_the_source():
    labels = [f"label-{i}" for i in range(12)]
    with Sandbox() as sandbox:
        run = sandbox.launch(outer)
        seen = look(sandbox, run, 0)

        assert run.waiting == ["inner", "zeta", *labels, "alpha"]
        run.answer("label-3", 1)
        follow(sandbox, run, seen)
        assert run.waiting == ["inner", "zeta", *labels[:3], *labels[4:], "alpha"]
        assert [each.name for each in sandbox._service.handle(ListSignals(id=run.id)).items] == [
            *("inner", "zeta", *labels, "alpha")
        ]
