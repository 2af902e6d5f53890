"""Plans: one of a workflow never changes; that of an execution grows by what unfolds, and a further graph costs what the first one did."""

import statistics
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.core.machine import Machine, approval, gate, out, task, workflow

from tidegate.core.messages import Launched, TaskUnfolded
from tidegate.core.plan import NamedGates, Overlay, Plan, Round
from tidegate.core.state import ExecutionState
from tidegate.core.step import step
from tidegate.ir.expr import Compare, Const, NodeId
from tidegate.ir.graph import BranchNode, Case, Graph, Instant, Otherwise, SubNode, When

AT = Instant(1)


def indexes(plan: Plan) -> dict[str, Any]:
    """All that a plan knows."""
    return {name: dict(getattr(plan, name)) for name in plan.INDEXES}


def inner(name: str = "asked") -> Graph:
    """A graph with a gate, a branch with a task, and a sub-workflow."""
    branch = BranchNode(
        id=NodeId("b"),
        name="b",
        cases=(When(Compare("==", out("g"), Const(1)), {"o0": out("t")}),),
        otherwise=Otherwise({"o0": out("h")}),
        outputs={"o0": {}},
    )
    sub = SubNode(id=NodeId("s"), name="s", graph=workflow(approval("ok", Const(1))))
    nodes = (gate("g", name), gate("h"), branch, task("t", case=Case(NodeId("b"), 0)), sub)
    return workflow(*nodes, o0=out("b"))


@pytest.fixture
def many() -> Graph:
    """Dynamic tasks side by side."""
    return workflow(*(task(f"n{n}", dynamic=True) for n in range(200)))


def test_the_plan_of_a_workflow_never_changes(many: Graph) -> None:
    shared = Plan.of(many)
    before = indexes(shared)
    machines = [Machine(many) for _ in range(2)]
    for machine in machines:
        machine.plan = machine.first_plan = shared
        machine.unfold("n0", inner())
        machine.unfold("n1", inner("other"))
    assert indexes(shared) == before
    assert machines[0].plan is not machines[1].plan


def test_nothing_of_a_step_is_in_the_plan_before_it_is_merged(many: Graph) -> None:
    machine = Machine(many)
    machine.unfold("n0", inner())
    before = indexes(machine.plan)
    decided = step(machine.plan, machine.state, TaskUnfolded(AT, NodeId("n1"), 1, inner()))
    assert indexes(machine.plan) == before
    assert decided.plan.nodes[NodeId("n1/g")].scope == "n1"
    assert decided.plan.names["asked"] == NamedGates(2, NodeId("n0/g"))
    assert indexes(decided.merge()) == indexes(decided.plan)


def test_what_was_laid_out_step_by_step_is_what_would_be_laid_out_at_once(many: Graph) -> None:
    machine, again = Machine(many), Plan.of(many).growing()
    for n in (3, 1, 2):
        machine.unfold(f"n{n}", inner())
        again.unfold(NodeId(f"n{n}"), inner(), None)
    assert indexes(machine.plan) == indexes(again.settled())


def test_a_plan_that_has_grown_once_grows_in_place(many: Graph) -> None:
    machine = Machine(many)
    machine.unfold("n0", inner())
    grown = machine.plan
    for n in range(1, 20):
        machine.unfold(f"n{n}", inner())
        assert machine.plan is grown


def test_the_last_of_thousands_of_dynamic_tasks_costs_what_the_first_one_did() -> None:
    """Measured in memory, which is the same on every machine: whatever copies what is there needs room for it."""
    count, graph = 5_000, inner()
    state = ExecutionState()
    plan = Plan.of(workflow(*(task(f"n{n}", dynamic=True) for n in range(count))))
    plan = step(plan, state, Launched(AT, {})).merge()

    def unfold(numbers: range) -> Iterator[int]:
        nonlocal plan
        for n in numbers:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            plan = step(plan, state, TaskUnfolded(AT, NodeId(f"n{n}"), 1, graph)).merge()
            yield tracemalloc.get_traced_memory()[1] - before

    used = []
    for numbers in (range(100), range(100, count - 100), range(count - 100, count)):
        if len(numbers) == 100:
            tracemalloc.start()
        used.append(statistics.median(unfold(numbers)))
        tracemalloc.stop()
    assert used[2] < 2 * used[0]


class TestRounds:
    """A graph in the place of another one."""

    def test_all_of_the_round_before_is_gone_but_that_its_names_were_had(self, many: Graph) -> None:
        machine = Machine(many)
        machine.unfold("n0", inner("first"))
        before = indexes(machine.plan)
        grown = machine.plan.growing()
        gone = grown.unfold(NodeId("n0"), inner("second"), Round(2, {}))
        plan = grown.settled()
        assert sorted(each.id for each in gone) == [
            "n0/b",
            "n0/g",
            "n0/h",
            "n0/s",
            "n0/s/ok",
            "n0/t",
        ]
        left = {
            name: {
                key
                for key in index
                if any(
                    str(each).startswith("n0/")
                    for each in (key if isinstance(key, tuple) else (key,))
                )
            }
            for name, index in indexes(plan).items()
        }
        assert not any(left.values()), left
        assert plan.names["first"] == NamedGates(1, NodeId("n0/g"))
        assert plan.gates["n0~2", "second"] == "n0~2/g"
        assert {
            name: len(index)
            for name, index in indexes(plan).items()
            if name not in ("names", "rounds")
        } == {name: len(index) for name, index in before.items() if name not in ("names", "rounds")}


class TestOverlay:
    """A dict over a dict: what is done above is seen there, and below only when it is settled."""

    def test_it_behaves_as_a_dict_and_leaves_the_one_below_alone(self) -> None:
        below = {1: "a", 2: "b", 3: "c"}
        over, copy = Overlay(below), dict(below)
        over[4], over[2] = "d", "B"
        del over[1]
        assert below == copy
        assert dict(over) == {3: "c", 4: "d", 2: "B"}
        assert (len(over), 1 in over, 2 in over, over.get(1), over.get(2)) == (
            3,
            False,
            True,
            None,
            "B",
        )
        with pytest.raises(KeyError):
            over[1]
        assert over.pop(4) == "d"
        assert over.pop(9, "none") == "none"
        over[1] = "again"
        assert len(over) == 3
        over.settle(below)
        assert below == dict(over) == {1: "again", 2: "B", 3: "c"}
