"""The race table, first part: answers, right, wrong, early and again."""

from collections.abc import Callable

import pytest
from tests.contract.race_gates import (
    HOUR,
    MATRIX,
    RAN,
    TICK,
    Gate,
    every_gate,
    every_timed_gate,
    ids,
    launched,
)

from tidegate.errors import (
    AlreadyAnswered,
    Changed,
    InvalidValue,
    KeyReused,
    NotWaitingYet,
    Refused,
    TimedOut,
    UnknownSignal,
)
from tidegate.testing import Run, Sandbox


@pytest.fixture
def sandbox():
    RAN.clear()
    with Sandbox() as sandbox:
        yield sandbox


# ---- answered ----


@every_gate
def test_an_answer_of_the_declared_type_while_the_gate_is_open_is_accepted(
    sandbox: Sandbox, gate: Gate
):
    run = launched(sandbox, gate)
    sandbox.advance(HOUR - TICK)
    reply = run.answer("g", gate.yes, who="ann", comment="why not")
    assert (reply.who, reply.at, reply.early) == ("ann", sandbox.now, False)
    node = run.node("g")
    assert node.phase == "SUCCEEDED"
    assert node.answer is not None
    assert (node.answer.value, node.answer.who, node.answer.comment, node.answer.via) == (
        gate.yes,
        "ann",
        "why not",
        "code",
    )
    assert [gate.result] == RAN
    sandbox.advance(10 * HOUR)
    assert (run.node("g"), RAN) == (node, [gate.result])
    run.answer("other", 0)
    assert run.outputs == {"o0": [gate.result, 0]}


@every_gate
def test_an_answer_of_another_type_is_refused_and_nothing_is_consumed(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    before = run.view, run.events
    for _ in range(2):
        with pytest.raises(InvalidValue) as refused:
            run.answer("g", gate.wrong, key="k")
        assert (refused.value.status, refused.value.code) == (422, "invalid_value")
        assert [fault.path for fault in refused.value.faults] == [()]
    assert (run.view, run.events) == before
    run.answer("g", gate.yes, key="k")
    assert [gate.result] == RAN


@every_gate
def test_no_wrong_answer_keeps_the_timeout_from_firing(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    sandbox.advance(HOUR - TICK)
    with pytest.raises(InvalidValue):
        run.answer("g", gate.wrong)
    sandbox.advance(TICK)
    expected = {"forever": "WAITING", "timeout": "TIMED_OUT", "on_timeout": "SUCCEEDED"}
    assert run.node("g").phase == expected[gate.patience]


# ---- early ----

EARLY = [gate._replace(late=True) for gate in MATRIX]
early_inputs = pytest.mark.parametrize("gate", EARLY[:3], ids=ids)
early_approvals = pytest.mark.parametrize("gate", EARLY[3:], ids=ids)


@early_inputs
def test_an_early_answer_to_an_input_is_kept_and_used_when_the_gate_opens(
    sandbox: Sandbox, gate: Gate
):
    run = launched(sandbox, gate)
    assert run.node("g").phase == "QUEUED"
    with pytest.raises(InvalidValue):
        run.answer("g", "five")
    assert run.signals["g"].answer is None
    reply = run.answer("g", 5, who="ann")
    given = sandbox.now
    assert (reply.early, reply.at) == (True, given)
    shown = run.signals["g"].answer
    assert shown is not None
    assert (shown.early, shown.value, shown.who, shown.at) == (True, 5, "ann", given)
    assert (run.node("g").phase, RAN) == ("QUEUED", [])
    sandbox.advance(HOUR)
    node = run.node("g")
    assert (node.phase, node.answer, RAN) == ("SUCCEEDED", shown, [5])
    sandbox.advance(10 * HOUR)
    assert run.node("g") == node


@early_inputs
def test_a_second_early_answer_is_taken_as_any_second_answer(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    first = run.answer("g", 5)
    assert run.answer("g", 5) == first
    with pytest.raises(AlreadyAnswered):
        run.answer("g", 6)
    sandbox.advance(HOUR)
    assert RAN == [5]


@early_approvals
def test_an_early_approval_is_refused_and_counts_for_nothing(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    for value in (True, False):
        with pytest.raises(NotWaitingYet) as refused:
            run.answer("g", value)
        assert (refused.value.status, refused.value.code) == (409, "not_waiting_yet")
    sandbox.advance(HOUR)
    assert run.node("g").phase == "WAITING"
    run.approve("g")
    assert RAN == [1]


# ---- unknown ----


@every_gate
def test_an_unknown_signal_is_refused_and_those_there_are_are_listed(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    with pytest.raises(UnknownSignal, match="its signals are: g, other") as refused:
        run.answer("h", gate.yes, key="k")
    assert (refused.value.status, refused.value.details["signals"]) == (404, ["g", "other"])
    run.answer("g", gate.yes, key="k")


# ---- again ----


def finish(sandbox: Sandbox, run: Run) -> None:
    run.answer("other", 0)
    assert run.phase == "SUCCEEDED"


def abort(sandbox: Sandbox, run: Run) -> None:
    run.abort("enough")
    assert run.phase == "ABORTED"


def nothing(sandbox: Sandbox, run: Run) -> None:
    assert run.phase == "WAITING"


then = pytest.mark.parametrize("then", [nothing, finish, abort])


@then
@every_gate
def test_the_same_answer_again_gets_the_same_reply_and_changes_nothing(
    sandbox: Sandbox, gate: Gate, then: Callable[[Sandbox, Run], None]
):
    run = launched(sandbox, gate)
    first = run.answer("g", gate.yes, who="ann")
    then(sandbox, run)
    sandbox.advance(3 * HOUR)
    before = run.view
    assert run.answer("g", gate.yes, who="ann") == first
    assert run.view == before
    assert [gate.result] == RAN


@then
@every_gate
def test_the_same_answer_of_somebody_else_is_refused_saying_who_gave_it(
    sandbox: Sandbox, gate: Gate, then: Callable[[Sandbox, Run], None]
):
    run = launched(sandbox, gate)
    first = run.answer("g", gate.yes, who="ann", key="k")
    then(sandbox, run)
    before = run.view, run.events
    for key in ("", "k", "other"):
        with pytest.raises(AlreadyAnswered, match="by ann at 2026-01-01") as refused:
            run.answer("g", gate.yes, who="bob", key=key)
        assert (refused.value.status, refused.value.details["at"]) == (409, first.at)
        assert "another value" not in refused.value.message
    assert (run.view, run.events) == before
    assert [gate.result] == RAN


@then
@every_gate
def test_the_same_key_again_gets_the_same_reply_and_for_another_value_it_is_refused(
    sandbox: Sandbox, gate: Gate, then: Callable[[Sandbox, Run], None]
):
    run = launched(sandbox, gate)
    first = run.answer("g", gate.yes, who="ann", key="k")
    then(sandbox, run)
    sandbox.advance(3 * HOUR)
    before = run.events
    assert run.answer("g", gate.yes, who="ann", key="k") == first
    for value in (gate.no, gate.wrong):
        with pytest.raises(KeyReused, match="you have used the key 'k'") as refused:
            run.answer("g", value, who="ann", key="k")
        assert (refused.value.status, refused.value.code) == (422, "key_reused")
    assert run.events == before
    assert [gate.result] == RAN


def test_two_people_may_use_one_key(sandbox: Sandbox):
    run = launched(sandbox, Gate("input", "forever"))
    first = run.answer("g", 5, who="ann", key="k")
    assert run.answer("other", 0, who="bob", key="k").who == "bob"
    assert run.answer("g", 5, who="ann", key="k") == first


def test_a_no_is_not_told_as_taken_where_somebody_else_has_said_yes_under_that_key(
    sandbox: Sandbox,
):
    run = launched(sandbox, Gate("approve", "forever"))
    run.approve("g", who="eve")
    with pytest.raises(AlreadyAnswered, match="by eve"):
        run.answer("g", False, who="ann", key="k")


def test_the_same_no_again_gets_the_same_reply(sandbox: Sandbox):
    run = launched(sandbox, Gate("approve", "forever"))
    first = run.answer("g", False, who="ann", key="k")
    assert run.phase == "FAILED"
    assert run.reject("g", who="ann") == first
    assert run.answer("g", False, who="ann", key="k") == first
    with pytest.raises(KeyReused):
        run.answer("g", True, who="ann", key="k")


# ---- shown ----


@every_gate
def test_an_answer_records_what_was_shown_or_that_nothing_was(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    shown = {each.name: each.digest for each in run.questions}
    assert shown == {each.name: each.digest for each in sandbox.inbox()}
    assert all(each.startswith("1:") for each in shown.values())
    run.answer("g", gate.yes, shown=shown["g"])
    run.answer("other", 0)
    answers = {node.name: node.answer for node in run.view.nodes if node.answer is not None}
    assert {name: answer.shown for name, answer in answers.items()} == {
        "g": shown["g"],
        "other": "no",
    }
    told = [event.details["shown"] for event in run.events if event.kind == "AnswerGiven"]
    assert told == [shown["g"], "no"]


@every_gate
def test_an_answer_to_what_is_not_what_was_shown_is_refused_saying_what_changed(
    sandbox: Sandbox, gate: Gate
):
    run = launched(sandbox, gate)
    before = run.view, run.events
    other = next(each.digest for each in run.questions if each.name == "other")
    with pytest.raises(
        Changed, match="signal 'g' has changed since it was shown: handle"
    ) as refused:
        run.answer("g", gate.yes, key="k", shown=other)
    assert (refused.value.status, refused.value.code) == (409, "changed")
    assert "handle" in refused.value.details["changed"]
    with pytest.raises(Changed, match="cannot be compared: the digest is incomplete"):
        run.answer("g", gate.yes, key="k", shown=other[:-2])
    assert (run.view, run.events) == before
    run.answer("g", gate.yes, key="k")
    assert [gate.result] == RAN


@every_gate
def test_a_handle_means_its_question_and_no_other(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    handles = {each.name: each.handle for each in run.questions}
    assert len(set(handles.values())) == 2
    assert run.answer(handles["g"], gate.yes).signal == "g"
    with pytest.raises(AlreadyAnswered):
        run.answer(handles["g"], gate.no)
    assert run.waiting == ["other"]


def test_a_key_that_is_first_used_after_the_end_binds_nothing(sandbox: Sandbox):
    run = launched(sandbox, Gate("approve", "forever"))
    first = run.reject("g")
    before = run.events
    for _ in range(2):
        assert run.answer("g", False, key="k") == first
        with pytest.raises(AlreadyAnswered):
            run.answer("g", True, key="k")
    assert run.events == before


@then
@every_gate
def test_a_refusal_keeps_no_key_and_the_same_request_is_decided_again(
    sandbox: Sandbox, gate: Gate, then: Callable[[Sandbox, Run], None]
):
    run = launched(sandbox, gate)
    first = run.answer("g", gate.yes)
    before = run.events
    with pytest.raises(AlreadyAnswered):
        run.answer("g", gate.no, key="k")
    assert run.events == before
    then(sandbox, run)
    with pytest.raises(AlreadyAnswered):
        run.answer("g", gate.no, key="k")
    assert run.answer("g", gate.yes, key="k") == first


@early_approvals
def test_a_key_that_was_refused_before_the_gate_opened_counts_when_it_is_open(
    sandbox: Sandbox, gate: Gate
):
    run = launched(sandbox, gate)
    with pytest.raises(NotWaitingYet):
        run.answer("g", True, key="k")
    sandbox.advance(HOUR)
    reply = run.answer("g", True, key="k")
    assert run.answer("g", True, key="k") == reply
    assert RAN == [1]


@every_timed_gate
def test_the_answer_that_finds_that_time_is_up_ends_the_gate_and_keeps_no_key(
    sandbox: Sandbox, gate: Gate
):
    run = launched(sandbox, gate)
    sandbox.advance(HOUR)
    before = run.events
    for value in (gate.yes, gate.no):
        with pytest.raises(TimedOut):
            run.answer("g", value, key="k")
    assert run.events == before


@pytest.mark.parametrize("then", [finish, abort])
@every_gate
def test_ten_refusals_after_the_end_leave_nothing(
    sandbox: Sandbox, gate: Gate, then: Callable[[Sandbox, Run], None]
):
    run = launched(sandbox, gate)
    run.answer("g", gate.yes)
    then(sandbox, run)
    before = run.events
    for n in range(10):
        with pytest.raises(Refused):
            run.answer("g", gate.no, key=f"k{n}")
        with pytest.raises(Refused):
            run.answer("other", 1, key=f"o{n}")
    assert run.events == before


@every_gate
def test_a_key_that_was_used_for_another_signal_is_refused(sandbox: Sandbox, gate: Gate):
    run = launched(sandbox, gate)
    run.answer("g", gate.yes, key="k")
    with pytest.raises(KeyReused) as refused:
        run.answer("other", 0, key="k")
    assert refused.value.status == 422
    assert run.waiting == ["other"]


@then
@every_gate
def test_a_different_answer_after_the_first_is_refused_saying_who_and_when(
    sandbox: Sandbox, gate: Gate, then: Callable[[Sandbox, Run], None]
):
    run = launched(sandbox, gate)
    reply = run.answer("g", gate.yes, who="ann")
    then(sandbox, run)
    sandbox.advance(3 * HOUR)
    with pytest.raises(AlreadyAnswered) as refused:
        run.answer("g", gate.no, who="bob")
    assert (refused.value.status, refused.value.code) == (409, "already_answered")
    assert (refused.value.details["who"], refused.value.details["at"]) == ("ann", reply.at)
    assert "by ann at 2026-01-01 00:00:00 UTC" in refused.value.message
    node = run.node("g")
    assert node.answer is not None
    assert node.answer.value == gate.yes
