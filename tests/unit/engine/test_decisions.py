"""What people decide stands in the audit log, once, with what it was stored with."""

from datetime import timedelta

import pytest

from tidegate import approve, task, wait_for_input, workflow
from tidegate.errors import TidegateError
from tidegate.ports.audit import AuditQuery
from tidegate.testing import Sandbox


@task
def twice(x: int) -> int:
    return 2 * x


@workflow
def asks(x: int) -> tuple[int, int]:
    number = wait_for_input("number", timedelta(days=1), int)
    return number, approve(twice(x=x), "ok", None)


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


def lines(sandbox):
    rows = reversed(sandbox._store.audit.page(AuditQuery()).rows)
    return [(row.kind, row.who, row.execution, row.about, row.outcome) for row in rows]


def test_an_answer_an_approval_and_a_rejection_are_one_line_each(sandbox):
    one, other = sandbox.launch_as("one", asks, x=1), sandbox.launch_as("other", asks, x=1)
    one.answer("number", 5, who="ann")
    one.approve("ok", who="bob")
    other.reject("ok", who="cid")

    assert lines(sandbox) == [
        ("decision", "ann", "one", "number", "answered"),
        ("decision", "bob", "one", "ok", "approved"),
        ("decision", "cid", "other", "ok", "rejected"),
    ]


def test_what_is_repeated_refused_or_decided_by_time_is_none(sandbox):
    run = sandbox.launch_as("one", asks, x=1)
    run.answer("number", 5, who="ann", key="k")
    run.answer("number", 5, who="ann", key="k")
    for wrong in (lambda: run.answer("number", 6, who="bob"), lambda: run.answer("what", 1)):
        with pytest.raises(TidegateError):
            wrong()
    other = sandbox.launch_as("other", asks, x=1)
    sandbox.advance(timedelta(days=2))
    with pytest.raises(TidegateError):
        other.answer("number", 5)

    assert lines(sandbox) == [("decision", "ann", "one", "number", "answered")]


def test_who_ends_an_execution_stands_there_too(sandbox):
    sandbox.launch_as("one", asks, x=1).abort("enough", who="ann")
    assert lines(sandbox) == [("abort", "ann", "one", "", "")]
