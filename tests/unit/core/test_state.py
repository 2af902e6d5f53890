"""States: the tables of phases, states of earlier versions, and copies that go their own way."""

import msgspec
import pytest
from tests.unit.core.machine import AT, Machine, gate, standing, task, workflow

from tidegate.core.messages import AnswerRecord
from tidegate.core.state import (
    EXECUTION_TRANSITIONS,
    NODE_TRANSITIONS,
    Change,
    ExecutionPhase,
    NodePhase,
    NodeState,
    NodeUnfolded,
)
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Graph, Instant


@pytest.mark.parametrize("table", [NODE_TRANSITIONS, EXECUTION_TRANSITIONS])
def test_each_phase_has_a_line_and_those_that_are_terminal_lead_nowhere(table) -> None:
    kind = type(next(iter(table)))
    assert table.keys() == set(kind)
    for phase, others in table.items():
        assert bool(others) is not phase.is_terminal
        assert others <= set(kind)


def test_what_comes_later_in_the_order_of_phases_is_over() -> None:
    """The machine compares phases by their order."""
    for kind in (NodePhase, ExecutionPhase):
        assert [phase.is_terminal for phase in kind] == sorted(phase.is_terminal for phase in kind)


def test_a_state_that_an_earlier_version_stored_is_read() -> None:
    """It ends where that version knew no more."""
    old = msgspec.msgpack.encode([1, 3, 2, 7, None, None, None, None, None, None])
    now = msgspec.msgpack.decode(old, type=NodeState)
    assert now == NodeState(NodePhase.RUNNING, 3, 2, Instant(7))
    assert now.reissued == 0


def test_a_graph_that_an_earlier_version_stored_is_that_of_the_first_round() -> None:
    old = msgspec.msgpack.encode([3, "n0", {"name": "g"}])
    change = msgspec.msgpack.decode(old, type=Change)
    assert change == NodeUnfolded(NodeId("n0"), Graph(name="g"))
    assert change.round is None


def test_a_copy_goes_its_own_way() -> None:
    machine = Machine(workflow(gate("g"), gate("h"), task("t")))
    machine.answer("g", 1, "key")
    copied, before = machine.state.copied(), standing(machine.state)
    assert standing(copied) == before
    machine.state, other = copied, machine.state
    machine.answer("h", 2, "other")
    machine.succeed("t")
    assert standing(other) == before
    assert machine.phase("h") == "SUCCEEDED"
    assert other.node(NodeId("g")).answer == AnswerRecord(1, AT, "ann", "code")
