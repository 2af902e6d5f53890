"""What is shown of an execution, whole and since a line: a reader who merges what has changed sees what one who asks again sees."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.engine.histories import told

from tidegate import (
    WorkflowFailurePolicy,
    approve,
    conditional,
    task,
    wait_for_input,
    workflow,
)
from tidegate.engine.damage import Damage
from tidegate.engine.folds import Folds
from tidegate.engine.programs import Programs
from tidegate.service.views import damaged_view, execution_view
from tidegate.testing import Run, Sandbox
from tidegate.wire import ExecutionView, GetExecution, WaitingView, merged

SEEDS = range(80)


def test_what_has_changed_since_any_line_merged_into_what_was_seen_is_the_whole():
    for seed in SEEDS:
        growing, rng = told(seed), random.Random(seed)
        folds = Folds(growing.store.journal, Programs(growing.store.catalog), Damage())
        seen: list[ExecutionView] = []
        for seq in growing:
            now = folds.get(growing.row)
            whole = execution_view(now)
            for before in rng.sample(seen, min(3, len(seen))):
                news = execution_view(now, before.seq)
                assert merged(before, news) == whole, f"seed {seed}: {before.seq} to {seq}"
            seen.append(whole)


def test_a_reader_who_follows_line_by_line_sees_the_whole_in_the_end():
    for seed in SEEDS:
        growing = told(seed)
        folds = Folds(growing.store.journal, Programs(growing.store.catalog), Damage())
        seen: ExecutionView | None = None
        for _ in growing:
            now = folds.get(growing.row)
            seen = execution_view(now) if seen is None else merged(seen, execution_view(now, seen.seq))  # fmt: skip
        assert seen == execution_view(folds.get(growing.row)), f"seed {seed}"


def test_what_has_not_changed_is_not_among_what_has():
    """Most lines change few nodes; those that are shown as before may be told again, but not all of them each time."""
    told_again = nodes = 0
    for seed in SEEDS:
        growing = told(seed)
        folds = Folds(growing.store.journal, Programs(growing.store.catalog), Damage())
        before: ExecutionView | None = None
        for _ in growing:
            now = folds.get(growing.row)
            whole = execution_view(now)
            if before is not None:
                shown = {node.id: node for node in before.nodes}
                news = execution_view(now, before.seq).nodes
                told_again += sum(shown.get(node.id) == node for node in news)
                nodes += len(news)
            before = whole
    assert nodes
    assert told_again / nodes < 0.2


@pytest.mark.parametrize("beyond", [1, 1_000])
def test_after_a_line_that_there_is_not_everything_is_told(beyond):
    growing = told(3)
    assert list(growing)
    folds = Folds(growing.store.journal, Programs(growing.store.catalog), Damage())
    now = folds.get(growing.row)

    assert execution_view(now, now.seq + beyond) == execution_view(now)
    assert execution_view(now, 0) == execution_view(now)


def test_after_the_last_line_there_is_nothing_new():
    growing = told(3)
    assert list(growing)
    folds = Folds(growing.store.journal, Programs(growing.store.catalog), Damage())
    now = folds.get(growing.row)

    news = execution_view(now, now.seq)

    assert (news.nodes, news.waiting, news.seq) == ([], [], now.seq)


def test_what_is_shown_of_one_that_is_damaged_takes_the_place_of_what_was_seen():
    growing = told(3)
    assert list(growing)
    folds = Folds(growing.store.journal, Programs(growing.store.catalog), Damage())
    seen = execution_view(folds.get(growing.row))

    news = damaged_view(growing.row, "its history is damaged")

    assert merged(seen, news) == news
    assert (news.id, news.nodes, news.damaged) == ("e1", [], "its history is damaged")


def test_what_python_prints_of_a_question_is_whole_and_holds_nothing_that_cannot_be_seen():
    rows = [{"n": n, "pay_to": f"account {n}\u202e\u200b"} for n in range(5_000)]
    view = WaitingView(
        execution="e1",
        workflow="w",
        name="ok",
        path="ok",
        kind="approve",
        opened=datetime(2026, 1, 1, tzinfo=UTC),
        value=rows,
        prompt="100\u202e",
    )

    shown = repr(view)

    assert "account 4999" in shown
    assert shown.isprintable()


@task
def fails(n: int) -> int:
    raise ValueError(n)


@task
def takes(a: int, b: int) -> int:
    return a + b


@workflow
def chooses(n: int) -> int:
    big = wait_for_input("go", expected_type=int)
    return (
        conditional("size")
        .if_(big > 5)
        .then(takes(a=big, b=wait_for_input("detail", expected_type=int)))
        .else_()
        .then(takes(a=fails(n=n), b=1))
    )


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def withdraws() -> int:
    return takes(a=approve(1, "first"), b=wait_for_input("second", expected_type=int))


def reasons(flow: Any, decide: Callable[[Run], object], **inputs: Any) -> set[tuple[str, str]]:
    with Sandbox() as sandbox:
        run = sandbox.launch(flow, **inputs)
        decide(run)
        view = sandbox._service.handle(GetExecution(id=run.id))
        assert {node.reason for node in view.nodes if node.phase != "SKIPPED"} == {""}
        return {(node.name, node.reason) for node in view.nodes if node.phase == "SKIPPED"}


def test_a_node_of_another_case_was_not_taken_and_one_after_a_failure_not_reached():
    assert reasons(chooses, lambda run: run.answer("go", 1), n=1) == {
        ("detail", "not_taken"),
        ("takes", "not_taken"),
        ("takes", "upstream_failed"),
    }


def test_a_question_that_nobody_needs_answered_was_withdrawn():
    found = reasons(withdraws, lambda run: run.reject("first"))

    assert found == {("second", "withdrawn"), ("takes", "upstream_failed")}


def test_what_an_abort_left_unreached_says_so():
    found = reasons(chooses, lambda run: run.abort(), n=1)

    assert ("takes", "upstream_failed") in found
