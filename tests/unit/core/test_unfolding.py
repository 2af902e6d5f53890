"""What a dynamic task returns: a graph under it, or the next round of a loop."""

from typing import Any

import pytest
from tests.unit.core.machine import AT, Machine, approval, gate, out, task, workflow

from tidegate.core import unfolding
from tidegate.core.evaluate import outputs
from tidegate.core.history import replay, to_bytes
from tidegate.core.messages import (
    Accepted,
    Denied,
    Failure,
    GivenBack,
    TakenUp,
    TaskFailed,
    TaskSucceeded,
    TaskUnfolded,
)
from tidegate.core.state import ExecutionPhase, NodePhase, NodeState
from tidegate.ir.check import MAX_PLANNED
from tidegate.ir.expr import Compare, Const, DictExpr, Expr, InputRef, ListExpr, NodeId, OutputRef
from tidegate.ir.graph import (
    BranchNode,
    Case,
    Graph,
    Interface,
    Otherwise,
    PythonTarget,
    SubNode,
    TaskNode,
    When,
)

LOOP = PythonTarget("tests", "loop")


def call(id_: str = "next", **more: Any) -> TaskNode:
    """The task that calls itself."""
    return task(id_, target=LOOP, dynamic=True, **more)


def one_round(**inputs: Expr) -> Graph:
    """A gate, a task on its answer, and the call."""
    return workflow(
        gate("g", "label"),
        task("t", inputs={"x": out("g")}),
        call(inputs=inputs or {"x": out("t")}),
        o0=out("next"),
    )


def ends(value: Any = "end") -> Graph:
    """A round that calls nothing."""
    return workflow(o0=Const(value))


@pytest.fixture
def loop() -> Machine:
    """A loop in its first round, and a task after it."""
    machine = Machine(workflow(call("n"), task("after", inputs={"x": out("n")}), o0=out("after")))
    machine.unfold("n", one_round())
    return machine


def go_round(machine: Machine, path: str, graph: Graph, value: Any = 1) -> None:
    """Answer the gate of a round, run its task, and let the call return a graph."""
    machine.answer(f"{path}/g", value)
    machine.succeed(f"{path}/t", value)
    machine.unfold(f"{path}/next", graph)


class TestLoops:
    def test_a_round_takes_the_place_of_the_one_before(self, loop: Machine) -> None:
        go_round(loop, "n", one_round())
        assert [*loop.state.nodes] == ["n", "n~2/g"]
        assert (loop.phase("n"), loop.phase("n~2/g")) == ("RUNNING", "WAITING")
        assert loop.state.phase.name == "WAITING"

    def test_it_ends_with_what_its_last_round_returns(self, loop: Machine) -> None:
        for path in ("n", "n~2", "n~3"):
            go_round(loop, path, one_round())
        go_round(loop, "n~4", ends("fine"))
        assert loop.phase("n") == "SUCCEEDED"
        assert loop.ran == [("after", 1)]
        assert loop.commands[0].inputs == {"x": "fine"}
        loop.succeed("after")
        assert loop.state.phase.name == "SUCCEEDED"

    def test_the_state_and_the_plan_do_not_grow_with_the_rounds(self, loop: Machine) -> None:
        sizes = set()
        path = "n"
        for number in range(2, 40):
            go_round(loop, path, one_round())
            path = f"n~{number}"
            state = loop.state
            sizes.add(tuple(len(part) for part in (state.nodes, state.pending, state.open)))
            plan = loop.plan
            sizes.add(tuple(len(getattr(plan, index)) for index in plan.INDEXES))
        assert len(sizes) == 2
        assert len(loop.state.past) == 38

    def test_a_round_that_is_over_is_told_so_only_by_its_gates(self, loop: Machine) -> None:
        go_round(loop, "n", one_round())
        for event in (
            TaskSucceeded(AT, NodeId("n/t"), 1, {"o0": 9}),
            TaskFailed(AT, NodeId("n/next"), 1, Failure("TaskRaised", "late")),
            TaskUnfolded(AT, NodeId("n/next"), 1, ends()),
        ):
            assert loop.tell(event).changes == []
        assert loop.answer("n/t", 1) == Denied("unknown_signal")
        assert loop.answer("n/g", 1) == Accepted(AT, "ann")
        assert loop.answer("n/g", True) == Denied("already_answered", AT, "ann")

    def test_a_change_of_hosts_in_a_round_repeats_what_is_of_this_round(
        self, loop: Machine
    ) -> None:
        go_round(loop, "n", one_round())
        loop.answer("n~2/g", 1)
        loop.tell(GivenBack(AT))
        loop.tell(TakenUp(AT))
        assert loop.ran == [("n~2/t", 2)]

    def test_more_rounds_than_there_may_be_fail_the_call(
        self, loop: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(unfolding, "MAX_ROUNDS", 3)
        for path in ("n", "n~2"):
            go_round(loop, path, one_round())
        go_round(loop, "n~3", one_round())
        assert loop.state.phase.name == "FAILED"
        assert loop.state.failure is not None
        assert "called itself 3 times" in loop.state.failure.message

    def test_gates_of_rounds_that_are_over_count_as_nodes_of_the_execution(
        self, loop: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert unfolding.MAX_PLANNED == MAX_PLANNED
        monkeypatch.setattr(unfolding, "MAX_PLANNED", 9)
        path = "n"
        for number in range(2, 5):
            go_round(loop, path, one_round())
            path = f"n~{number}"
        assert loop.state.failure is not None
        assert "more than 9 nodes" in loop.state.failure.message


class TestWhatTheNextRoundTakesAlong:
    """A graph that refers to inputs of the call continues with their values."""

    def refers(self, **inputs: Expr) -> Graph:
        """A round whose task takes the inputs of the call that has returned it."""
        given = {name: InputRef(name) for name in ("x", "y")}
        return workflow(
            gate("g", "label"),
            task("t", inputs={**given, "z": out("g")}),
            call(inputs=inputs, after=(NodeId("t"),)),
            inputs=("x", "y"),
            o0=out("next"),
        )

    def test_inputs_of_the_call_survive_the_round_they_come_from(self) -> None:
        machine = Machine(workflow(call("n", inputs={"x": Const(0), "y": Const("y")}), o0=out("n")))
        machine.unfold("n", self.refers(x=out("t"), y=ListExpr((InputRef("y"), out("g")))))
        assert machine.answer("n/g", 1) == Accepted(AT, "ann")
        assert machine.commands[0].inputs == {"x": 0, "y": "y", "z": 1}
        machine.succeed("n/t", "first")
        assert machine.commands[0].inputs == {"x": "first", "y": ["y", 1]}
        machine.unfold("n/next", self.refers(x=DictExpr({"was": InputRef("x")}), y=InputRef("y")))
        machine.answer("n~2/g", 2)
        assert machine.commands[0].inputs == {"x": "first", "y": ["y", 1], "z": 2}
        machine.succeed("n~2/t", "second")
        assert machine.commands[0].inputs == {"x": {"was": "first"}, "y": ["y", 1]}
        machine.unfold("n~2/next", self.refers(x=InputRef("x"), y=InputRef("y")))
        machine.answer("n~3/g", 3)
        assert machine.commands[0].inputs == {"x": {"was": "first"}, "y": ["y", 1], "z": 3}

    def test_an_input_that_the_call_was_not_given_has_no_value(self) -> None:
        machine = Machine(workflow(call("n", inputs={"x": Const(0), "y": Const(0)}), o0=out("n")))
        machine.unfold("n", self.refers(x=out("t")))
        machine.answer("n/g", 1)
        machine.succeed("n/t")
        machine.unfold("n/next", self.refers(x=out("t")))
        machine.answer("n~2/g", 1)
        assert machine.node("n~2/t").failure.code == "BadPath"

    def test_only_what_the_graph_refers_to_is_stored(self, loop: Machine) -> None:
        go_round(loop, "n", one_round(), value="large" * 1_000)
        assert loop.plan.rounds[NodeId("n")].given == {}
        assert "large" * 1_000 not in loop.lines[-1].decode(errors="replace")


def branch(*cases: When, otherwise: Expr) -> BranchNode:
    return BranchNode(
        id=NodeId("b"),
        name="b",
        cases=cases,
        otherwise=Otherwise({"o0": otherwise}),
        outputs={"o0": {}},
    )


YES = Compare("==", Const(1), Const(1))
IN_CASE = {"case": Case(NodeId("b"), 0)}


def through_a_branch() -> Graph:
    return workflow(
        branch(When(YES, {"o0": out("next")}), otherwise=Const(0)), call(**IN_CASE), o0=out("b")
    )


def through_a_workflow() -> Graph:
    sub = SubNode(id=NodeId("s"), name="s", graph=workflow(call(), o0=out("next")))
    return workflow(sub, o0=out("s"))


def with_two_outputs(**outputs: Expr) -> Graph:
    node = TaskNode(
        id=NodeId("next"), name="next", target=LOOP, dynamic=True, outputs={"a": {}, "b": {}}
    )
    return Graph(
        name="two",
        interface=Interface({}, {"a": {}, "b": {}}),
        nodes={node.id: node},
        outputs=outputs,
    )


def handed(output: str) -> OutputRef:
    return OutputRef(NodeId("next"), output)


class TestWhatIsARound:
    @pytest.mark.parametrize(
        ("graph", "inner"),
        [
            (workflow(call(), o0=out("next")), "n/next"),
            (through_a_branch(), "n/next"),
            (through_a_workflow(), "n/s/next"),
        ],
    )
    def test_a_call_whose_outputs_are_passed_on_ends_a_round(
        self, graph: Graph, inner: str
    ) -> None:
        machine = Machine(workflow(call("n"), o0=out("n")))
        machine.unfold("n", graph)
        machine.unfold(inner, graph)
        assert machine.plan.rounds[NodeId("n")].number == 2
        assert machine.phase(inner.replace("n/", "n~2/", 1)) == "QUEUED"

    @pytest.mark.parametrize(
        "graph",
        [
            workflow(call(), o0=out("next", "part")),
            workflow(call(), o0=ListExpr((out("next"),))),
            workflow(call(), o0=Const(1)),
            workflow(call(), task("t", inputs={"x": out("next")}), o0=out("next")),
            workflow(call(), task("t", after=(NodeId("next"),)), o0=out("next")),
            workflow(call(), task("t"), o0=out("next")),
            workflow(call(), gate("g"), o0=out("next")),
            workflow(call(), approval("ok", out("next")), o0=out("ok")),
            workflow(
                task("next", target=PythonTarget("tests", "other"), dynamic=True), o0=out("next")
            ),
            workflow(
                branch(When(YES, {"o0": out("next", 0)}), otherwise=Const(0)),
                call(**IN_CASE),
                o0=out("b"),
            ),
            workflow(
                branch(When(YES, {"o0": out("next")}), otherwise=Const(0)),
                call(**IN_CASE),
                gate("g", case=Case(NodeId("b"), 0)),
                o0=out("b"),
            ),
        ],
    )
    def test_all_else_nests(self, graph: Graph) -> None:
        machine = Machine(workflow(call("n"), o0=out("n")))
        machine.unfold("n", graph)
        machine.unfold("n/next", ends())
        assert machine.plan.rounds == {}
        assert machine.plan.scopes[NodeId("n/next")] == ends()

    def test_outputs_that_change_places_are_not_passed_on(self) -> None:
        node = TaskNode(
            id=NodeId("n"), name="n", target=LOOP, dynamic=True, outputs={"a": {}, "b": {}}
        )
        for given, rounds in (({"a": "a", "b": "b"}, 1), ({"a": "b", "b": "a"}, 0)):
            machine = Machine(workflow(node))
            graph = with_two_outputs(**{name: handed(of) for name, of in given.items()})
            machine.unfold("n", graph)
            machine.unfold("n/next", graph)
            assert len(machine.plan.rounds) == rounds

    def test_a_round_in_which_something_failed_is_not_let_go(self) -> None:
        machine = Machine(workflow(call("n"), o0=out("n")))
        graph = workflow(task("t"), call(), o0=out("next"))
        lenient = Graph(
            name="r",
            interface=graph.interface,
            nodes=graph.nodes,
            outputs=graph.outputs,
            finish_others=True,
        )
        machine.unfold("n", lenient)
        machine.tell(TaskFailed(AT, NodeId("n/t"), 1, Failure("TaskRaised", "no")))
        machine.unfold("n/next", ends())
        assert machine.phase("n") == "FAILED"
        assert machine.state.phase.name == "FAILED"

    def test_loops_in_a_loop_have_rounds_of_their_own(self) -> None:
        inside = PythonTarget("tests", "inside")
        inner = task("in", target=inside, dynamic=True)
        again = workflow(inner, o0=out("in"))
        outer = workflow(inner, call(after=(NodeId("in"),)), o0=out("next"))
        machine = Machine(workflow(call("n"), o0=out("n")))
        machine.unfold("n", outer)
        seen: set[NodeId] = set()
        for path in ("n", "n~2", "n~3"):
            machine.unfold(f"{path}/in", again)
            machine.unfold(f"{path}/in/in", again)
            machine.unfold(f"{path}/in~2/in", ends())
            assert machine.phase(f"{path}/in") == "SUCCEEDED"
            assert not seen & machine.plan.nodes.keys() - {"n"}
            seen |= machine.plan.nodes.keys() - {"n"}
            machine.unfold(f"{path}/next", outer if path != "n~3" else ends())
        assert machine.state.phase.name == "SUCCEEDED"

    def test_a_loop_that_an_earlier_version_has_nested_goes_on_in_rounds(self) -> None:
        """That version laid each call out under itself, and wrote it down so."""
        machine = Machine(workflow(call("n"), o0=out("n")))
        machine.unfold("n", one_round())
        machine.answer("n/g", 1)
        machine.succeed("n/t")
        draft, deep = machine.draft(), NodeId("n/next")
        draft.unfold(deep, one_round())
        draft.put(deep, NodeState(NodePhase.RUNNING, attempt=1, began=AT))
        draft.put(NodeId("n/next/g"), NodeState(NodePhase.WAITING, began=AT))
        draft.set_phase(ExecutionPhase.WAITING)
        event = TaskUnfolded(AT, deep, 1, one_round())
        machine.lines.append(to_bytes(event, draft.changes))
        machine.plan, machine.state = replay(machine.first_plan, machine.lines)
        go_round(machine, "n/next", one_round())
        assert machine.plan.rounds.keys() == {"n/next"}
        go_round(machine, "n/next~2", ends("fine"))
        assert machine.state.phase.name == "SUCCEEDED"
        assert outputs(machine.plan, machine.state) == {"o0": "fine"}


def test_what_does_not_fit_fails_the_task_with_the_words_of_the_compiler(loop: Machine) -> None:
    wrong = Graph(name="wrong", outputs={"o0": Const(1)})
    go_round(loop, "n", wrong)
    assert loop.state.failure is not None
    assert "declares the outputs" in loop.state.failure.message
    _, state = replay(loop.first_plan, loop.lines)
    assert state.failure == loop.state.failure
