"""One step: what it says of itself before and after it is merged, and what it makes of events that come late, twice or from nowhere."""

import pytest
from tests.unit.core.machine import AT, Machine, approval, gate, out, standing, task, workflow

from tidegate.core.evaluate import evaluate
from tidegate.core.messages import (
    AbortRequested,
    Accepted,
    AnswerGiven,
    CancelTask,
    Denied,
    EnvironmentDiffers,
    Launched,
    TaskFailed,
    TaskLost,
    TaskStarted,
    TaskSucceeded,
    TaskUnfolded,
    TimerFired,
    final,
)
from tidegate.core.state import DifferenceNoted, NodePhase
from tidegate.core.step import step
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Expires, Graph, Instant, Micros, SleepNode

LATER = Instant(AT + 100)


@pytest.fixture
def machine() -> Machine:
    return Machine(
        workflow(
            task("t"),
            gate("g", patience=Expires(Micros(50)), after=(NodeId("t"),)),
            approval("ok", out("g")),
            SleepNode(id=NodeId("nap"), name="nap", duration=Micros(50)),
        )
    )


class TestWhatAStepSays:
    def test_before_has_the_phases_of_the_changed_nodes_before_and_after_the_merge(self, machine):
        decided = step(machine.plan, machine.state, TaskSucceeded(AT, NodeId("t"), 1, {"o0": 1}))
        want = {"t": NodePhase.QUEUED, "g": NodePhase.QUEUED}
        assert decided.before == want
        assert decided.nodes.keys() == want.keys()
        decided.merge()
        assert decided.before == want
        assert {node: now.phase for node, now in decided.nodes.items()} == {
            "t": NodePhase.SUCCEEDED,
            "g": NodePhase.WAITING,
        }

    def test_a_node_that_changes_twice_in_a_step_was_before_what_it_was_at_first(self):
        machine = Machine(workflow(task("t"), approval("ok", out("t", "missing"))))
        machine.tell(TaskStarted(AT, NodeId("t"), 1))
        decided = step(machine.plan, machine.state, TaskSucceeded(AT, NodeId("t"), 1, {"o0": {}}))
        assert decided.before == {"t": NodePhase.RUNNING, "ok": NodePhase.QUEUED}

    def test_expressions_can_be_evaluated_on_what_is_not_merged_yet(self, machine):
        machine.succeed("t")
        decided = step(machine.plan, machine.state, AnswerGiven(AT, NodeId("g"), "words"))
        before = standing(machine.state)
        subject = decided.plan.nodes[NodeId("ok")].node.subject
        assert evaluate(decided.plan, decided.draft, NodeId(""), subject) == "words"
        assert standing(machine.state) == before

    def test_so_can_those_of_a_graph_that_has_just_unfolded(self):
        machine = Machine(workflow(task("d", dynamic=True)))
        inner = workflow(task("t"), approval("ok", out("t")))
        decided = step(machine.plan, machine.state, TaskUnfolded(AT, NodeId("d"), 1, inner))
        assert decided.before == {"d": NodePhase.QUEUED, "d/t": NodePhase.QUEUED}
        assert decided.plan.nodes[NodeId("d/ok")].scope == "d"
        assert NodeId("d/ok") not in machine.plan.nodes


class TestStrayEvents:
    @pytest.mark.parametrize(
        "event",
        [
            Launched(LATER, {}),
            TaskSucceeded(LATER, NodeId("t"), 2, {"o0": 1}),
            TaskSucceeded(LATER, NodeId("nowhere"), 1, {"o0": 1}),
            TaskSucceeded(LATER, NodeId("nap"), 1, {}),
            TaskFailed(LATER, NodeId("t"), 0, final("TaskRaised", "no")),
            TaskLost(LATER, NodeId("g"), 0),
            TaskUnfolded(LATER, NodeId("t"), 7, Graph(name="g")),
            TimerFired(AT, NodeId("nap")),
            TimerFired(LATER, NodeId("t")),
            TimerFired(LATER, NodeId("nowhere")),
        ],
    )
    def test_what_fits_nothing_changes_nothing(self, machine, event):
        decided = machine.tell(event)
        assert (decided.changes, decided.commands) == ([], [])

    def test_the_end_of_an_attempt_counts_once(self, machine):
        for value in (1, 2):
            machine.tell(TaskSucceeded(AT, NodeId("t"), 1, {"o0": value}))
        assert machine.node("t").outputs == {"o0": 1}

    def test_a_timer_fires_at_its_instant_and_once(self, machine):
        assert machine.tell(TimerFired(Instant(AT + 49), NodeId("nap"))).changes == []
        machine.tell(TimerFired(Instant(AT + 50), NodeId("nap")))
        assert machine.phase("nap") == "SUCCEEDED"
        assert machine.tell(TimerFired(LATER, NodeId("nap"))).changes == []


class TestAnotherEnvironment:
    def test_each_difference_is_noted_once_and_the_last_one_is_kept(self, machine):
        node = NodeId("t")
        first = machine.tell(EnvironmentDiffers(AT, node, "one"))
        again = machine.tell(EnvironmentDiffers(AT, node, "one"))
        machine.tell(EnvironmentDiffers(AT, node, "two"))

        assert (first.changes, again.changes) == ([DifferenceNoted("one")], [])
        assert machine.state.setting.differs == "two"
        assert machine.phase("t") == "QUEUED"

    def test_of_an_execution_that_has_ended_none_is_noted(self, machine):
        machine.tell(AbortRequested(AT))
        assert machine.tell(EnvironmentDiffers(AT, NodeId("t"), "one")).changes == []


class TestAborts:
    def test_everything_under_way_ends_and_attempts_are_cancelled(self, machine):
        reply = machine.tell(AbortRequested(LATER, "enough", "ann")).reply
        assert reply == Accepted(LATER, "ann")
        assert machine.commands == [CancelTask(NodeId("t"), 1)]
        assert [machine.phase(node) for node in ("t", "g", "nap")] == [
            "ABORTED",
            "QUEUED",
            "ABORTED",
        ]
        assert machine.state.phase.name == "ABORTED"
        assert machine.state.failure is not None
        assert machine.state.failure.message == "enough"

    def test_again_it_is_accepted_and_changes_nothing(self, machine):
        machine.tell(AbortRequested(AT))
        decided = machine.tell(AbortRequested(LATER))
        assert decided.reply == Accepted(AT, "")
        assert decided.changes == []

    def test_what_has_ended_otherwise_cannot_be_aborted(self):
        machine = Machine(workflow(gate("g")))
        machine.answer("g", 1)
        decided = machine.tell(AbortRequested(LATER))
        assert decided.reply == Denied("execution_ended", AT)
        assert decided.changes == []
