"""How an execution ended, as lists show it: by whom, at which node, in one line."""

from typing import Any

import pytest
from tests.unit.core.machine import Machine, approval, gate, out, task, workflow

from tidegate.core.endings import LONGEST, Ending, ending_of
from tidegate.core.messages import AbortRequested, AnswerGiven, TaskFailed, TimerFired, final
from tidegate.ir.expr import Const, NodeId
from tidegate.ir.graph import Defaults, Expires, Micros


def ended(machine: Machine, event: Any = None) -> Ending | None:
    return ending_of(machine.plan, machine.state, event)


def asked(**options: Any) -> Machine:
    return Machine(workflow(approval("go", Const(1), **options)))


def test_what_goes_on_or_has_succeeded_has_no_ending():
    machine = asked()
    assert ended(machine) is None
    machine.answer("go", True)
    assert ended(machine) is None


def test_a_rejection_is_by_a_person_with_a_comment():
    machine = asked()
    machine.tell(
        AnswerGiven(machine.at, NodeId("go"), False, "ben", comment="one night\nis over the limit")
    )

    assert ended(machine) == Ending(
        "rejected", "one night is over the limit", "ben", NodeId("go"), "go"
    )


@pytest.mark.parametrize("patience", [Expires(Micros(5)), Defaults(Micros(5), False)])
def test_silence_is_told_apart_from_a_rejection(patience):
    machine = asked(patience=patience)
    due = machine.state.node(NodeId("go")).due
    machine.tell(TimerFired(due, NodeId("go")))

    found = ended(machine)
    assert found is not None
    assert (found.kind, found.who, found.node) == ("timed_out", "", "go")
    assert "'go'" in found.message


def test_an_error_has_its_message_on_one_line():
    machine = Machine(workflow(task("t")))
    machine.tell(
        TaskFailed(
            machine.at, NodeId("t"), 1, final("TaskRaised", "ValueError: a\n\n  b" + "c" * 999)
        )
    )

    found = ended(machine)
    assert found is not None
    assert (found.kind, found.node, found.name) == ("failed", "t", "t")
    assert found.message.startswith("ValueError: a bccc")
    assert len(found.message) == LONGEST


@pytest.mark.parametrize(("reason", "message"), [("wrong dates", "wrong dates"), ("", "")])
def test_an_abort_has_who_and_why(reason, message):
    machine = Machine(workflow(gate("g")))
    event = AbortRequested(machine.at, reason, "ann")
    machine.tell(event)

    assert ended(machine, event) == Ending("aborted", message, "ann")
    assert ended(machine) == Ending("aborted", message)


def test_a_rejection_deep_inside_is_still_a_rejection():
    machine = Machine(workflow(task("t"), approval("go", out("t"))))
    machine.succeed("t", 1)
    machine.answer("go", False)

    found = ended(machine)
    assert found is not None
    assert found.kind == "rejected"
