"""A decision is spent once: an execution has one successor, and what that keeps says who gave it."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tidegate import approve, current_context, task, wait_for_input, workflow
from tidegate.errors import IdTaken, NotRecoverable, RecoveredAlready, TidegateError
from tidegate.testing import Run, Sandbox

BROKEN: set[str] = set()
PAID: list[tuple[int, str]] = []


@pytest.fixture(autouse=True)
def _forget():
    BROKEN.clear()
    PAID.clear()


@task
def pay(amount: int) -> int:
    PAID.append((amount, current_context().idempotency_key))
    if "pay" in BROKEN:
        raise ValueError("the bank is closed")
    return amount


@task
def book(amount: int) -> int:
    if "book" in BROKEN:
        raise ValueError("the books are closed")
    return amount


@workflow
def payment(amount: int) -> int:
    note = wait_for_input("note", expected_type=str)
    paid = pay(amount=approve(amount, "ok"))
    note >> paid
    booked = book(amount=paid)
    wait_for_input("receipt", expected_type=str) >> booked
    return booked


def decided(sandbox: Sandbox, *broken: str) -> Run:
    """A payment that ada has approved."""
    BROKEN.update(broken)
    run = sandbox.launch_as("first", payment, amount=50)
    run.answer("note", "for the roof", who="bob")
    run.approve("ok", who="ada", comment="once")
    return run


def test_after_a_failure_the_approval_is_kept_and_the_payment_is_recognized(sandbox: Sandbox):
    run = decided(sandbox, "pay")
    assert run.phase == "FAILED"
    BROKEN.clear()

    again = run.recover("second")

    assert again.waiting == ["receipt"]
    kept = again.signals["ok"].answer
    assert kept is not None
    assert (kept.who, kept.comment, kept.kept) == ("ada", "once", "first")
    assert again.node("note").answer.kept == "first"
    assert [amount for amount, _ in PAID] == [50, 50]
    (key,) = {key for _, key in PAID}
    assert re.fullmatch(r"[a-z0-9-]{1,128}", key)
    assert (run.view.successor, again.view.origin) == ("second", "first")
    event = run.events[-1]
    assert (event.kind, event.details["successor"]) == ("RecoveryRequested", "second")


def test_after_an_abort_the_approval_is_asked_for_again(sandbox: Sandbox):
    run = decided(sandbox)
    run.abort("wait", who="oscar")
    assert len(PAID) == 1

    again = run.recover("second", who="oscar")

    assert sorted(again.waiting) == ["ok", "receipt"]
    assert again.node("note").answer.who == "bob"
    assert len(PAID) == 1
    again.answer("receipt", "r")
    again.approve("ok", who="cid")
    assert again.phase == "SUCCEEDED"
    assert len(PAID) == 1  # its result was kept


def test_an_execution_has_one_living_successor(sandbox: Sandbox):
    run = decided(sandbox, "pay")
    BROKEN.clear()
    again = run.recover("second")
    before = run.events, again.events

    for id_ in ("third", ""):
        with pytest.raises(RecoveredAlready, match="by second, which has not ended yet") as refused:
            run.recover(id_)
        assert (refused.value.status, refused.value.code) == (409, "recovered_already")
        assert refused.value.details["execution"] == "second"
    with pytest.raises(NotRecoverable):
        again.recover()
    assert run.recover("second").view == again.view
    assert (run.events, again.events) == before
    assert len(PAID) == 2

    again.answer("receipt", "r")
    assert again.phase == "SUCCEEDED"
    with pytest.raises(RecoveredAlready, match="by second, which has succeeded"):
        run.recover("third")
    assert run.recover("second").phase == "SUCCEEDED"


def test_when_the_successor_has_failed_it_is_what_is_recovered(sandbox: Sandbox):
    run = decided(sandbox, "pay")
    BROKEN.clear()
    BROKEN.add("book")
    second = run.recover("second")
    second.answer("receipt", "r", who="eve")
    assert second.phase == "FAILED"
    BROKEN.clear()

    third = run.recover("third")

    assert (third.phase, third.view.origin) == ("SUCCEEDED", "second")
    assert len(PAID) == 2
    answers = {each.name: each.answer for each in third.view.nodes if each.answer is not None}
    assert {name: (each.who, each.kept) for name, each in answers.items()} == {
        "note": ("bob", "first"),
        "ok": ("ada", "first"),
        "receipt": ("eve", "second"),
    }
    assert run.recover("second").phase == "FAILED"
    assert run.recover("third").phase == second.recover("third").phase == "SUCCEEDED"


def test_a_successor_cannot_have_the_id_of_something_else(sandbox: Sandbox):
    run = decided(sandbox, "pay")
    sandbox.launch_as("other", payment, amount=1)
    with pytest.raises(IdTaken):
        run.recover("other")
    assert run.view.successor == ""
    assert run.recover("second").view.origin == "first"


def test_of_many_recoveries_at_once_one_is_made(sandbox: Sandbox):
    run = decided(sandbox, "pay")
    BROKEN.clear()

    def recover(number: int) -> Any:
        try:
            return run.recover(f"r{number}").id
        except TidegateError as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(recover, range(16)))
    made = [each for each in told if isinstance(each, str)]
    assert len(made) == 1
    refused = [each for each in told if not isinstance(each, str)]
    assert {(each.code, each.details["execution"]) for each in refused} == {
        ("recovered_already", made[0])
    }
    assert len(PAID) == 2


def test_a_recovery_outlives_its_engine(tmp_path: Any):
    with Sandbox(home=tmp_path) as sandbox:
        run = decided(sandbox, "pay")
        BROKEN.clear()
        run.recover("second")
    with Sandbox(home=tmp_path, now=sandbox.now) as sandbox:
        with pytest.raises(RecoveredAlready):
            sandbox.run("first").recover("third")
        assert sandbox.run("first").recover("second").waiting == ["receipt"]
