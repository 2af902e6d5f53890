"""What a recovery takes over: results, answers, graphs, and the round that a loop was in."""

import pytest
from tests.unit.core.machine import AT, Machine, gate, out, task, workflow
from tests.unit.core.test_unfolding import call, ends, go_round, one_round

from tidegate.core.messages import AbortRequested, Failure, Launched, Reuse, TaskFailed
from tidegate.core.recovery import reusable
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Graph, Interface, Param


@pytest.fixture
def graph() -> Graph:
    return workflow(call("n"), gate("g"), gate("late", after=(NodeId("n"),)), o0=out("n"))


def recovered(machine: Machine, graph: Graph, origin: str = "e1") -> Machine:
    """Return the execution that recovers one, just launched."""
    reuse = reusable(machine.plan, machine.state, origin)
    return Machine(graph, reuse=reuse)


def fails(machine: Machine, node: str) -> None:
    attempt = machine.node(node).attempt
    machine.tell(
        TaskFailed(AT, NodeId(node), attempt, Failure("TaskRaised", "no", retryable=False))
    )


@pytest.fixture
def failed(graph: Graph) -> Machine:
    """A loop that has failed in its third round."""
    machine = Machine(graph)
    machine.unfold("n", one_round())
    machine.answer("g", "kept")
    machine.answer("late", "early")
    for path in ("n", "n~2"):
        go_round(machine, path, one_round())
    machine.answer("n~3/g", 3)
    fails(machine, "n~3/t")
    assert machine.state.phase.name == "FAILED"
    return machine


def test_a_loop_goes_on_with_the_round_it_was_in(failed: Machine, graph: Graph) -> None:
    again = recovered(failed, graph)
    assert again.ran == [("n~3/t", 1)]
    assert (again.phase("n"), again.phase("n~3/g"), again.phase("g")) == (
        "RUNNING",
        "SUCCEEDED",
        "SUCCEEDED",
    )
    again.succeed("n~3/t")
    again.unfold("n~3/next", one_round())
    assert again.phase("n~4/g") == "WAITING"
    go_round(again, "n~4", ends())
    assert again.phase("n") == "SUCCEEDED"
    assert again.node("late").answer.value == "early"


def test_nothing_of_a_round_that_was_over_is_taken_along(failed: Machine) -> None:
    reuse = reusable(failed.plan, failed.state, "e1")
    assert reuse.outputs.keys() == set()
    assert reuse.answers.keys() == {"g", "late", "n~3/g"}
    assert reuse.graphs.keys() == {"n"}
    assert reuse.rounds[NodeId("n")].number == 3


def test_what_a_recovery_took_over_is_passed_on_but_for_rounds_that_it_has_left(
    failed: Machine, graph: Graph
) -> None:
    again = recovered(failed, graph)
    again.succeed("n~3/t")
    again.unfold("n~3/next", one_round())
    again.tell(AbortRequested(AT))
    reuse = reusable(again.plan, again.state, "e2")
    assert reuse.answers.keys() == {"g", "late"}
    assert reuse.rounds[NodeId("n")].number == 4
    third = recovered(again, graph, "e2")
    assert third.phase("n~4/g") == "WAITING"
    assert third.node("late").answer is None
    assert third.answer("late", "early").early


def test_one_that_did_not_come_as_far_passes_on_what_it_had(failed: Machine, graph: Graph) -> None:
    reuse = reusable(failed.plan, failed.state, "e1")
    again = Machine(graph, reuse=reuse)
    again.tell(AbortRequested(AT))
    passed = reusable(again.plan, again.state, "e2")
    assert passed.answers.keys() >= {"g", "n~3/g"}
    assert passed.rounds == reuse.rounds


def test_inputs_of_the_call_are_taken_along_with_its_round(graph: Graph) -> None:
    refers = Graph(
        name="r",
        interface=Interface({"x": Param({})}, {"o0": {}}),
        nodes=one_round().nodes,
        outputs={"o0": out("next")},
    )
    machine = Machine(graph)
    machine.unfold("n", one_round())
    go_round(machine, "n", refers, value="given")
    machine.answer("n~2/g", 1)
    fails(machine, "n~2/t")
    reuse = reusable(machine.plan, machine.state, "e1")
    assert reuse.rounds[NodeId("n")].given == {"x": "given"}


def test_an_event_of_an_earlier_version_has_no_rounds() -> None:
    assert Launched(AT, {}, reuse=Reuse("e1", {}, {}, {})).reuse.rounds == {}
    assert task("t").dynamic is False
