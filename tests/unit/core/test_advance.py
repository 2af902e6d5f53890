"""What follows from one change: who begins, who is skipped, which gates are withdrawn, how far a failure reaches, and what that costs."""

from typing import Any

import pytest
from tests.unit.core.calls import calls_of
from tests.unit.core.machine import AT, Machine, approval, gate, out, task, workflow

from tidegate.core.messages import AnswerGiven, CancelTask, Failure, Launched, TaskFailed
from tidegate.core.plan import Plan
from tidegate.core.state import ExecutionState
from tidegate.core.step import step
from tidegate.ir.expr import Compare, Const, NodeId
from tidegate.ir.graph import BranchNode, Case, Graph, Otherwise, SleepNode, SubNode, When


def branch(id_: str, asks: str, *, then: Any, otherwise: Any = 0) -> BranchNode:
    """A branch on whether the answer to a gate is `True`."""
    when = When(Compare("==", out(asks), Const(True)), {"o0": then})
    return BranchNode(
        id=NodeId(id_),
        name=id_,
        cases=(when,),
        otherwise=Otherwise({"o0": Const(otherwise)}),
        outputs={"o0": {}},
    )


def inside(branch: str, index: int = 0) -> dict[str, Case]:
    return {"case": Case(NodeId(branch), index)}


def lenient(graph: Graph) -> Graph:
    """The same graph, whose nodes go on beside one that fails."""
    return Graph(name=graph.name, interface=graph.interface, nodes=graph.nodes, outputs=graph.outputs, finish_others=True)  # fmt: skip


def fails(node: str, attempt: int = 1) -> TaskFailed:
    return TaskFailed(AT, NodeId(node), attempt, Failure("TaskRaised", "no", retryable=False))


class TestWithdrawal:
    @pytest.fixture
    def shared(self) -> Machine:
        """Gate `a` feeds a task in a case of `one`, and is itself what a case of `two` passes on."""
        return Machine(
            workflow(
                gate("a"),
                gate("first"),
                gate("second"),
                branch("one", "first", then=out("t")),
                task("t", inputs={"x": out("a")}, **inside("one")),
                branch("two", "second", then=out("a")),
                o0=out("one"),
                o1=out("two"),
            )
        )

    def test_a_gate_stays_open_while_another_branch_that_needs_it_is_undecided(
        self, shared
    ) -> None:
        shared.answer("first", False)
        assert (shared.phase("t"), shared.phase("a")) == ("SKIPPED", "WAITING")
        shared.answer("second", True)
        assert shared.phase("a") == "WAITING"
        shared.answer("a", 7)
        assert shared.state.phase.name == "SUCCEEDED"

    def test_it_is_withdrawn_once_the_last_branch_has_decided_against_it(self, shared) -> None:
        shared.answer("first", False)
        shared.answer("second", False)
        assert shared.phase("a") == "SKIPPED"
        assert shared.state.phase.name == "SUCCEEDED"

    def test_it_does_not_matter_which_of_them_decides_first(self, shared) -> None:
        shared.answer("second", False)
        assert shared.phase("a") == "WAITING"
        shared.answer("first", True)
        shared.answer("a", 7)
        assert shared.ran == [("t", 1)]

    def test_a_gate_that_the_result_needs_is_never_withdrawn(self) -> None:
        machine = Machine(
            workflow(
                gate("a"),
                gate("go"),
                branch("b", "go", then=out("t")),
                task("t", inputs={"x": out("a")}, **inside("b")),
                o0=out("a"),
            )
        )
        machine.answer("go", False)
        assert machine.phase("a") == "WAITING"

    def test_sleeps_and_approvals_are_withdrawn_too_and_so_on_up_the_chain(self) -> None:
        nap = SleepNode(id=NodeId("nap"), name="nap", duration=AT)
        machine = Machine(
            workflow(
                gate("go"),
                gate("a"),
                approval("ok", out("a"), after=(NodeId("nap"),)),
                nap,
                branch("b", "go", then=out("t")),
                task("t", inputs={"x": out("ok")}, **inside("b")),
                o0=out("b"),
            )
        )
        machine.answer("go", False)
        assert [machine.phase(node) for node in ("t", "ok", "a", "nap")] == ["SKIPPED"] * 4
        assert machine.state.phase.name == "SUCCEEDED"


class TestFailures:
    def test_the_first_failure_aborts_what_is_under_way_and_cancels_its_attempts(self) -> None:
        sub = SubNode(id=NodeId("s"), name="s", graph=workflow(task("t"), gate("g")))
        machine = Machine(workflow(task("a"), task("b"), sub, gate("g")))
        machine.tell(fails("a"))
        phases = [machine.phase(node) for node in ("a", "b", "s", "s/t", "s/g", "g")]
        assert phases == ["FAILED"] + ["ABORTED"] * 5
        assert set(machine.commands) == {CancelTask(NodeId("b"), 1), CancelTask(NodeId("s/t"), 1)}

    def test_an_early_answer_below_what_has_not_begun_ends_with_the_rest(self) -> None:
        sub = SubNode(id=NodeId("s"), name="s", graph=workflow(gate("g")), after=(NodeId("a"),))
        machine = Machine(workflow(task("a"), sub))
        machine.answer("s/g", 1)
        machine.tell(fails("a"))
        assert machine.phase("s/g") == "ABORTED"
        assert machine.answer("s/g", 1).early

    def test_a_failure_in_a_graph_ends_what_is_in_it_and_leaves_the_others_to_the_policy(
        self,
    ) -> None:
        sub = SubNode(id=NodeId("s"), name="s", graph=workflow(task("t"), gate("g")))
        machine = Machine(lenient(workflow(sub, gate("g"), task("after", after=(NodeId("s"),)))))
        machine.tell(fails("s/t"))
        phases = [machine.phase(node) for node in ("s/t", "s/g", "s", "after", "g")]
        assert phases == ["FAILED", "ABORTED", "FAILED", "SKIPPED", "WAITING"]
        machine.answer("g", 1)
        assert machine.state.phase.name == "FAILED"
        assert machine.state.failed == "s/t"


def many(count: int) -> Graph:
    """Sub-workflows side by side, each with a task and a gate."""
    inner = workflow(task("t"), gate("g"))
    subs = (SubNode(id=NodeId(f"s{n}"), name="s", graph=inner) for n in range(count))
    return lenient(workflow(*subs))


def skipped(count: int) -> Graph:
    """The same, each in a case of a branch of its own that is not taken once its gate is answered."""
    inner = workflow(task("t"), gate("g"))
    nodes: list[Any] = []
    for n in range(count):
        nodes += [gate(f"go{n}"), branch(f"b{n}", f"go{n}", then=Const(1))]
        nodes.append(SubNode(id=NodeId(f"s{n}"), name="s", graph=inner, **inside(f"b{n}")))
    return workflow(*nodes)


class TestCost:
    """What a step costs is what it changes, and not what is there."""

    @pytest.mark.parametrize("count", [400])
    def test_the_failure_of_one_of_many_graphs_costs_the_same_however_many_there_are(
        self, count: int
    ) -> None:
        def cost(of: int) -> int:
            state = ExecutionState()
            plan = step(Plan.of(many(of)), state, Launched(AT, {})).merge()
            return calls_of(lambda: step(plan, state, fails("s0/t")).merge())

        assert cost(count) == cost(2)

    def test_skipping_one_of_many_graphs_costs_the_same_however_many_there_are(self) -> None:
        def cost(of: int) -> int:
            machine = Machine(skipped(of))
            return calls_of(lambda: step(machine.plan, machine.state, no("go0")).merge())

        assert cost(300) == cost(2)


def no(node: str) -> AnswerGiven:
    return AnswerGiven(AT, NodeId(node), False)
