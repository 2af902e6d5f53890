"""What a recovery takes over: results, answers, graphs, and the round that a loop was in."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.core.machine import AT, Machine, approval, gate, out, task, workflow
from tests.unit.core.test_unfolding import call, ends, go_round, one_round

from tidegate.core.keys import own_key
from tidegate.core.messages import (
    AbortRequested,
    Accepted,
    Denied,
    Failure,
    Launched,
    RecoveryRequested,
    Reuse,
    RunTask,
    TaskFailed,
    TimerFired,
)
from tidegate.core.plan import Plan
from tidegate.core.recovery import reusable
from tidegate.ir.expr import Const, NodeId
from tidegate.ir.graph import (
    SECOND,
    Graph,
    Instant,
    Interface,
    Param,
    PythonTarget,
    Retry,
    SubNode,
)


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


def test_a_loop_continues_with_the_round_it_was_in(failed: Machine, graph: Graph) -> None:
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


def test_an_event_of_an_earlier_version_has_no_rounds_and_no_keys() -> None:
    reuse = Launched(AT, {}, reuse=Reuse("e1", {}, {}, {})).reuse
    assert (reuse.rounds, reuse.keys) == ({}, {})
    assert task("t").dynamic is False


# ---- one successor ----


def requests(machine: Machine, successor: str, who: str = "ann") -> Any:
    return machine.tell(RecoveryRequested(machine.at, successor, who))


@pytest.mark.parametrize("end", ["fails", "is aborted"])
def test_an_execution_names_one_successor(graph: Graph, end: str) -> None:
    machine = Machine(workflow(task("t"), gate("g")))
    fails(machine, "t") if end == "fails" else machine.tell(AbortRequested(AT))
    phase, ended = machine.state.phase, machine.state.ended

    assert requests(machine, "e2").reply == Accepted(AT, "ann")
    for successor in ("e3", "e2"):
        refused = requests(machine, successor, "bob")
        assert refused.reply == Denied("recovered_already", ended, execution="e2")
        assert (refused.changes, refused.commands) == ([], [])
    assert (machine.state.phase, machine.state.ended, machine.state.successor) == (
        phase,
        ended,
        "e2",
    )


def test_what_has_not_ended_or_has_succeeded_has_no_successor() -> None:
    machine = Machine(workflow(task("t")))
    for _ in range(2):
        refused = requests(machine, "e2")
        assert refused.reply == Denied("not_recoverable", machine.state.ended)
        assert refused.changes == []
        machine.succeed("t")
    assert machine.state.phase.name == "SUCCEEDED"


# ---- decisions ----


def decided(inside: bool) -> tuple[Graph, Machine]:
    """An approval and an answer have been given, at the top or in a sub-workflow or in what a dynamic task has returned; then comes a task."""
    gates = (approval("ok", Const(50)), gate("g"))
    if not inside:
        graph = workflow(*gates, task("t", inputs={"x": out("ok")}))
    else:
        sub = SubNode(id=NodeId("s"), name="s", graph=workflow(*gates))
        graph = workflow(sub, call("n"), task("t", after=(NodeId("s"), NodeId("n"))))
    machine = Machine(graph)
    if inside:
        machine.unfold("n", workflow(*gates, o0=Const(1)))
    for node in ("s/ok", "s/g", "n/ok", "n/g") if inside else ("ok", "g"):
        machine.answer(node, True, who="ada")
    return graph, machine


@pytest.mark.parametrize("inside", [False, True])
def test_after_a_failure_answers_and_approvals_are_kept_with_who_gave_them(inside: bool) -> None:
    graph, machine = decided(inside)
    fails(machine, "t")

    again = recovered(machine, graph)

    assert again.ran == [("t", 1)]
    for node in ("s/ok", "s/g", "n/ok", "n/g") if inside else ("ok", "g"):
        answer = again.node(node).answer
        assert (answer.who, answer.value, answer.at, answer.kept) == ("ada", True, AT, "e1")
    fails(again, "t")
    third = recovered(again, graph, "e2")
    assert third.node("s/ok" if inside else "ok").answer.kept == "e1"


@pytest.mark.parametrize("inside", [False, True])
def test_after_an_abort_approvals_are_asked_again_and_answers_are_kept(inside: bool) -> None:
    graph, machine = decided(inside)
    machine.tell(AbortRequested(AT, "enough"))

    again = recovered(machine, graph)

    assert again.ran == []
    for where in ("s/", "n/") if inside else ("",):
        assert again.phase(f"{where}ok") == "WAITING"
        assert again.node(f"{where}g").answer.kept == "e1"


@pytest.mark.parametrize("inside", [False, True])
def test_an_approval_that_was_kept_and_not_reached_is_asked_again_after_an_abort(
    inside: bool,
) -> None:
    graph, machine = decided(inside)
    fails(machine, "t")
    # Of this one nothing was reached: all that it took over waits in what it was launched with.
    reuse = reusable(machine.plan, machine.state, "e1")
    unreached = Machine(workflow(gate("first")), reuse=reuse)
    unreached.plan = Plan.of(graph)
    unreached.tell(AbortRequested(AT))

    passed = reusable(Plan.of(graph), unreached.state, "e2")

    assert passed.answers.keys() == ({"s/g", "n/g"} if inside else {"g"})


# ---- idempotency keys of tasks ----


def keys(machine: Machine) -> dict[str, str]:
    """The keys that are kept, of the attempts that the last event has submitted."""
    return {each.node: each.kept_key for each in machine.commands if isinstance(each, RunTask)}


def paid(**inputs: Any) -> Graph:
    return workflow(task("pay", inputs={k: Const(v) for k, v in inputs.items()}))


def test_a_task_that_is_the_same_keeps_its_key_from_recovery_to_recovery() -> None:
    graph = paid(amount=50)
    machine = Machine(graph)
    assert keys(machine) == {"pay": ""}
    for origin in ("e1", "e2", "e3"):
        fails(machine, "pay")
        machine = recovered(machine, graph, origin)
        assert keys(machine) == {"pay": own_key("e1", NodeId("pay"), 0)}


def test_all_attempts_of_a_node_that_keeps_a_key_have_it() -> None:
    graph = workflow(task("pay", retry=Retry(1)))
    machine = Machine(graph)
    machine.tell(AbortRequested(AT))
    again = recovered(machine, graph)
    first = keys(again)
    again.tell(TaskFailed(AT, NodeId("pay"), 1, Failure("TaskRaised", "no")))
    again.tell(TimerFired(Instant(AT + SECOND), NodeId("pay")))
    assert keys(again) == first == {"pay": own_key("e1", NodeId("pay"), 0)}


@pytest.mark.parametrize(
    "other",
    [
        paid(amount=51),
        paid(amount=50, to="bob"),
        workflow(replace(paid(amount=50).nodes[NodeId("pay")], name="refund")),
        workflow(task("pay", target=PythonTarget("tests", "other"), inputs={"amount": Const(50)})),
        workflow(replace(paid(amount=50).nodes[NodeId("pay")], outputs={"o0": {"type": "string"}})),
    ],
)
def test_a_task_with_another_name_signature_or_input_has_a_key_of_its_own(other: Graph) -> None:
    machine = Machine(paid(amount=50))
    fails(machine, "pay")
    assert keys(recovered(machine, other)) == {"pay": ""}


def test_a_task_that_was_never_tried_has_a_key_of_its_own() -> None:
    graph = workflow(task("first"), task("pay", after=(NodeId("first"),)))
    machine = Machine(graph)
    fails(machine, "first")
    again = recovered(machine, graph)
    again.succeed("first")
    assert keys(again) == {"pay": ""}
