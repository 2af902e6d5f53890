"""Attempts: which one counts, what uses up a retry, and what a change of hosts does to those that are live."""

import pytest
from tests.unit.core.machine import AT, Machine, gate, out, task, workflow

from tidegate.core.attempts import MAX_LOST
from tidegate.core.messages import (
    TASK_RAISED,
    CancelTask,
    ClockSetBack,
    Failure,
    GivenBack,
    TakenUp,
    TaskFailed,
    TaskLost,
    TaskStarted,
    TaskSucceeded,
    TimerFired,
)
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Expires, Instant, Micros, Retry, SleepNode

A, B = NodeId("a"), NodeId("b")


def started(machine: Machine, node: NodeId) -> None:
    machine.tell(TaskStarted(AT, node, machine.node(node).attempt))


def failed(machine: Machine, node: NodeId) -> None:
    machine.tell(TaskFailed(AT, node, machine.node(node).attempt, Failure(TASK_RAISED, "no")))


@pytest.fixture
def two() -> Machine:
    """Task `a` runs, task `b` was submitted; each may be tried again once."""
    machine = Machine(
        workflow(task("a", retry=Retry(1, Micros(0))), task("b", retry=Retry(1, Micros(0))))
    )
    started(machine, A)
    return machine


class TestTakenUp:
    def test_what_ran_is_lost_and_what_was_submitted_is_not_and_both_get_a_new_number(self, two):
        two.tell(TakenUp(AT))
        assert two.ran == [("a", 2), ("b", 2)]
        a, b = two.node("a"), two.node("b")
        assert (a.phase.name, a.lost, a.reissued) == ("QUEUED", 1, 0)
        assert (b.phase.name, b.lost, b.reissued) == ("QUEUED", 0, 1)

    def test_what_is_known_not_to_have_begun_is_submitted_as_it_was_and_leaves_no_line(self, two):
        two.succeed("a")
        lines = len(two.lines)
        two.tell(TakenUp(AT, {B: 1}))
        assert two.ran == [("b", 1)]
        assert (two.phase("b"), two.node("b").reissued) == ("QUEUED", 0)
        assert len(two.lines) == lines

    def test_that_one_has_not_begun_says_nothing_of_another_attempt_nor_of_one_that_has(self, two):
        two.tell(TakenUp(AT, {A: 1, B: 2}))
        assert two.ran == [("a", 2), ("b", 2)]
        assert (two.node("a").lost, two.node("b").reissued) == (1, 1)

    def test_it_is_one_line_of_history_however_much_is_live(self):
        machine = Machine(workflow(*(task(f"n{n}") for n in range(50))))
        for n in range(0, 50, 2):
            started(machine, NodeId(f"n{n}"))
        before = len(machine.lines)
        machine.tell(TakenUp(AT))
        assert len(machine.lines) == before + 1
        assert len(machine.ran) == 50

    def test_where_nothing_is_live_it_changes_nothing(self, two):
        two.succeed("a")
        two.succeed("b")
        waiting = Machine(workflow(gate("g"), task("t", after=(NodeId("g"),))))
        pausing = Machine(workflow(task("a", retry=Retry(1, Micros(9)))))
        failed(pausing, A)
        assert pausing.phase("a") == "WAITING"
        for machine in (two, waiting, pausing):
            decided = machine.tell(TakenUp(AT))
            assert (decided.changes, decided.commands) == ([], [])

    def test_an_unfolded_dynamic_task_does_not_run_and_what_is_in_it_does(self):
        machine = Machine(workflow(task("d", dynamic=True)))
        machine.unfold("d", workflow(task("n0"), o0=out("n0")))
        started(machine, NodeId("d/n0"))
        machine.tell(TakenUp(AT))
        assert machine.ran == [("d/n0", 2)]
        assert (machine.phase("d"), machine.node("d").lost) == ("RUNNING", 0)

    def test_neither_a_loss_nor_a_new_number_uses_up_a_retry(self, two):
        for _ in range(5):
            two.tell(TakenUp(AT))
            started(two, A)
        for node in (A, B):
            failed(two, node)
            assert two.phase(node) == "QUEUED"
        failed(two, B)
        assert two.phase("b") == "FAILED"

    def test_a_task_whose_host_died_too_often_fails_and_nothing_is_submitted_beside_it(self, two):
        for _ in range(MAX_LOST):
            two.tell(TakenUp(AT))
            started(two, A)
        two.tell(TakenUp(AT))
        assert (two.phase("a"), two.phase("b")) == ("FAILED", "ABORTED")
        assert two.node("a").failure.code == "LostTooOften"
        assert two.ran == []
        assert two.state.phase.name == "FAILED"

    def test_a_new_number_is_never_what_a_task_is_given_up_for(self, two):
        for _ in range(5 * MAX_LOST):
            two.tell(TakenUp(AT))
            started(two, A)
            two.tell(GivenBack(AT))
        assert (two.phase("a"), two.phase("b")) == ("QUEUED", "QUEUED")

    def test_a_loss_that_the_executor_reports_counts_as_one(self, two):
        two.tell(TaskLost(AT, A, 1))
        assert (two.ran, two.node("a").lost) == ([("a", 2)], 1)

    def test_one_that_its_host_gives_back_never_counts(self, two):
        for number in range(1, 3 * MAX_LOST):
            two.tell(TaskLost(AT, A, number, given_back=True))
        assert (two.node("a").attempt, two.node("a").lost) == (3 * MAX_LOST, 0)
        assert two.phase("a") == "QUEUED"
        assert two.ran == [("a", 3 * MAX_LOST)]

    def test_what_outlives_its_host_goes_on_and_leaves_no_line(self, two):
        lines = len(two.lines)
        two.tell(TakenUp(AT, kept={A: 1, B: 1}))
        assert two.ran == []
        assert (two.phase("a"), two.phase("b")) == ("RUNNING", "QUEUED")
        assert len(two.lines) == lines

    def test_that_one_attempt_is_kept_says_nothing_of_another(self, two):
        two.tell(TakenUp(AT, kept={A: 2}))
        assert two.ran == [("a", 2), ("b", 2)]


class TestGivenBack:
    def test_what_runs_is_cancelled_and_queued_under_a_new_number_and_nothing_is_submitted(
        self, two
    ):
        before = two.node("b")
        two.tell(GivenBack(AT))
        assert two.commands == [CancelTask(A, 1)]
        a = two.node("a")
        assert (a.phase.name, a.attempt, a.lost, a.reissued) == ("QUEUED", 2, 0, 1)
        assert two.node("b") == before

    def test_the_next_host_submits_it(self, two):
        two.tell(GivenBack(AT))
        two.tell(TakenUp(AT))
        assert two.ran == [("a", 3), ("b", 2)]
        assert two.node("a").lost == 0

    def test_what_the_attempt_reports_later_is_ignored(self, two):
        two.tell(GivenBack(AT))
        for event in (
            TaskSucceeded(AT, A, 1, {"o0": 99}),
            TaskFailed(AT, A, 1, Failure(TASK_RAISED, "late")),
            TaskStarted(AT, A, 1),
        ):
            assert two.tell(event).changes == []

    def test_fifty_times_fail_no_task_and_leave_it_its_retries(self, two):
        for _ in range(50):
            two.tell(GivenBack(AT))
            two.tell(TakenUp(AT))
            started(two, A)
        failed(two, A)
        assert (two.phase("a"), two.node("a").lost) == ("QUEUED", 0)
        failed(two, A)
        assert two.phase("a") == "FAILED"

    def test_it_is_said_of_a_task_that_succeeds_in_the_end(self, two):
        two.tell(GivenBack(AT))
        two.tell(TakenUp(AT))
        two.succeed("a")
        assert (two.node("a").attempt, two.node("a").reissued) == (3, 2)

    def test_the_pause_before_a_retry_is_as_long_as_without_it(self):
        one = workflow(task("a", retry=Retry(5, Micros(10), Micros(1_000))))
        machine = Machine(one)
        for _ in range(4):
            started(machine, A)
            machine.tell(GivenBack(AT))
            machine.tell(TakenUp(AT))
        failed(machine, A)
        assert machine.node("a").due == AT + 10
        machine.tell(TimerFired(machine.node("a").due, A))
        failed(machine, A)
        assert machine.node("a").due == AT + 20


class TestClockSetBack:
    @pytest.fixture
    def paused(self):
        """Task `a` pauses for 10 before its second attempt; a gate and a sleep are due at the same time."""
        nap = SleepNode(id=NodeId("nap"), name="nap", duration=Micros(10))
        waits = gate("wait", patience=Expires(Micros(10)))
        machine = Machine(
            workflow(task("a", retry=Retry(5, Micros(10), Micros(1_000))), nap, waits)
        )
        started(machine, A)
        failed(machine, A)
        assert {machine.node(each).due for each in ("a", "nap", "wait")} == {AT + 10}
        return machine

    def test_a_pause_ends_as_if_it_had_not_happened_and_all_else_follows_the_clock(self, paused):
        paused.tell(ClockSetBack(Instant(AT - 996), Micros(1_000)))  # 4 of the 10 have gone by
        assert paused.node("a").due == AT - 990
        assert {paused.node(each).due for each in ("nap", "wait")} == {AT + 10}
        paused.tell(TimerFired(Instant(AT - 990), A))
        assert (paused.phase("a"), paused.node("a").attempt) == ("QUEUED", 2)

    def test_set_back_by_more_than_was_seen_a_pause_is_no_longer_than_it_was_meant_to_be(
        self, paused
    ):
        paused.tell(ClockSetBack(Instant(AT - 2_000), Micros(1_000)))
        assert paused.node("a").due == AT - 1_990

    def test_where_nobody_saw_it_the_next_host_waits_no_longer_than_the_pause(self, paused):
        paused.tell(TakenUp(Instant(AT - 2_000)))
        assert paused.node("a").due == AT - 1_990
        assert {paused.node(each).due for each in ("nap", "wait")} == {AT + 10}

    def test_where_nothing_pauses_it_is_not_a_line_of_history(self, two):
        before = len(two.lines)
        two.tell(ClockSetBack(Instant(AT - 5), Micros(5)))
        assert len(two.lines) == before


class TestDecks:
    """The decks of an attempt are the blob that it ended with."""

    def test_the_decks_of_each_attempt_that_ends_are_kept_by_its_number(self, two):
        two.tell(TaskFailed(AT, A, 1, Failure(TASK_RAISED, "no"), deck="d1"))
        two.tell(TaskSucceeded(AT, A, 2, {"o0": 1}, deck="d2"))

        assert two.state.decks == {A: {1: "d1", 2: "d2"}}

    def test_what_is_said_of_decks_after_the_end_changes_nothing(self, two):
        two.tell(TaskSucceeded(AT, A, 1, {"o0": 1}, deck="d1"))
        two.tell(TaskSucceeded(AT, A, 1, {"o0": 1}, deck="late"))
        two.tell(TaskFailed(AT, B, 7, Failure(TASK_RAISED, "no"), deck="of another attempt"))

        assert two.state.decks == {A: {1: "d1"}}
