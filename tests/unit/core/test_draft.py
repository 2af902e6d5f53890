"""The changes of a step, on top of a state: counters that stay true, and a fold that is the same as the decision."""

import pytest
from tests.unit.core.machine import AT, Machine, gate, out, standing, task, workflow

from tidegate.core.draft import Draft, fold
from tidegate.core.history import from_bytes
from tidegate.core.plan import ROOT, Plan
from tidegate.core.state import ExecutionState, NodePhase, NodeState
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import SubNode


@pytest.fixture
def machine() -> Machine:
    sub = SubNode(id=NodeId("s"), name="s", graph=workflow(gate("g"), task("t")))
    return Machine(workflow(task("a"), gate("b"), sub, task("c", inputs={"x": out("a")})))


def test_a_draft_shows_what_is_current_and_the_state_what_was(machine: Machine) -> None:
    draft = Draft(machine.plan, machine.state, AT)
    draft.put(NodeId("b"), NodeState(NodePhase.SUCCEEDED, began=AT, ended=AT))
    assert draft.node(NodeId("b")).phase is NodePhase.SUCCEEDED
    assert machine.phase("b") == "WAITING"
    assert draft.node(NodeId("a")) is machine.node("a")
    assert (draft.gates, machine.state.gates) == (1, 2)


def test_the_counters_are_what_the_nodes_say(machine: Machine) -> None:
    assert (machine.state.live, machine.state.gates) == (2, 2)
    machine.succeed("a")
    machine.answer("b", 1)
    assert (machine.state.live, machine.state.gates) == (2, 1)
    assert (machine.state.open[ROOT], machine.state.open[NodeId("s")]) == (2, 2)
    machine.answer("s/g", 1)
    machine.succeed("s/t")
    machine.succeed("c")
    assert (machine.state.live, machine.state.gates, machine.state.open[ROOT]) == (0, 0, 0)


def test_an_illegal_change_of_phase_is_a_bug(machine: Machine) -> None:
    machine.succeed("a")
    draft = Draft(machine.plan, machine.state, AT)
    with pytest.raises(AssertionError, match="a: .*SUCCEEDED.* -> .*RUNNING"):
        draft.put(NodeId("a"), NodeState(NodePhase.RUNNING, attempt=1))


def test_what_has_begun_in_a_scope_is_found_there_and_in_all_below_it(machine: Machine) -> None:
    draft = Draft(machine.plan, machine.state, AT)
    assert draft.begun(NodeId("s")) == ["s/g", "s/t"]
    assert set(draft.begun(ROOT)) == {"a", "b", "s", "s/g", "s/t"}
    machine.answer("s/g", 1)
    assert Draft(machine.plan, machine.state, AT).begun(NodeId("s")) == ["s/t"]


def test_a_history_folds_line_by_line_to_the_state_that_was_decided(machine: Machine) -> None:
    plan, state = machine.first_plan, ExecutionState()
    for node in ("a", "c", "s/t"):
        machine.succeed(node)
    for body in machine.lines:
        line = from_bytes(body)
        plan = fold(plan, state, line.event, line.changes)
    assert standing(state) == standing(machine.state)
    assert plan is machine.first_plan


def test_a_plan_of_nothing_ends_at_once() -> None:
    machine = Machine(workflow())
    assert machine.state.phase.name == "SUCCEEDED"
    assert Plan.of(workflow()).members == {"": ()}
