"""The race table as the machine decides it: what is refused leaves nothing, and what has ended can be decided without an engine."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.core.machine import AT, Machine, approval, gate, out, standing, task, workflow

from tidegate.core.history import replay
from tidegate.core.messages import (
    AbortRequested,
    Accepted,
    AnswerGiven,
    AnswerRecord,
    Denied,
    TimerFired,
)
from tidegate.core.questions import digest_of, written
from tidegate.core.state import KeyBound, NodeChanged, NodePhase
from tidegate.core.step import step
from tidegate.ir.expr import Compare, Const, NodeId
from tidegate.ir.graph import (
    BranchNode,
    Case,
    Defaults,
    Expires,
    Instant,
    Micros,
    Otherwise,
    Question,
    SleepNode,
    When,
)

HOUR = Micros(3_600_000_000)
LATER = Instant(AT + HOUR)


def full() -> Machine:
    """Gates that stand in every way: answered, open, early, timed out by default, late, withdrawn; and an approval that is not open."""
    late = (NodeId("nap"),)
    machine = Machine(
        workflow(
            SleepNode(id=NodeId("nap"), name="nap", duration=Micros(2 * HOUR)),
            gate("done"),
            gate("open"),
            gate("early", after=late),
            gate("default", patience=Defaults(HOUR, 9)),
            gate("late", after=late),
            approval("unborn", out("late")),
            gate("pick"),
            BranchNode(
                id=NodeId("b"),
                name="b",
                cases=(When(Compare("==", out("pick"), Const(1)), {"o0": out("in")}),),
                otherwise=Otherwise({"o0": Const(0)}),
                outputs={"o0": {}},
            ),
            gate("in", case=Case(NodeId("b"), 0)),
        )
    )
    machine.answer("done", 5, "k-done")
    machine.answer("early", 5, "k-early")
    machine.answer("pick", 2)
    machine.tell(TimerFired(LATER, NodeId("default")))
    machine.at = LATER
    return machine


REFUSED = [
    ("done", 6, "already_answered"),
    ("early", 6, "already_answered"),
    ("default", 5, "timed_out"),
    ("unborn", True, "not_waiting_yet"),
    ("in", 5, "withdrawn"),
    ("nap", 5, "unknown_signal"),
    ("nowhere", 5, "unknown_signal"),
]


class TestRefusals:
    @pytest.mark.parametrize(("node", "value", "code"), REFUSED)
    @pytest.mark.parametrize("key", ["", "new", "k-done"])
    def test_a_refusal_changes_nothing_and_keeps_no_key(
        self, node: str, value: Any, code: str, key: str
    ) -> None:
        machine = full()
        before = standing(machine.state)
        decided = machine.tell(AnswerGiven(LATER, NodeId(node), value, "ann", key=key))
        assert isinstance(decided.reply, Denied)
        assert decided.reply.code == ("key_reused" if key == "k-done" else code)
        assert (decided.changes, decided.commands) == ([], [])
        assert standing(machine.state) == before

    def test_ten_thousand_refusals_leave_the_state_and_the_history_as_they_are(self) -> None:
        machine = full()
        before, lines = standing(machine.state), list(machine.lines)
        for n in range(10_000):
            decided = step(
                machine.plan, machine.state, AnswerGiven(LATER, NodeId("done"), 6, key=f"k{n}")
            )
            assert decided.changes == []
        assert (standing(machine.state), machine.lines) == (before, lines)

    def test_a_key_that_was_refused_is_free(self) -> None:
        machine = full()
        assert machine.answer("done", 6, "k") == Denied("already_answered", AT, "ann")
        assert machine.answer("open", 1, "k") == Accepted(LATER, "ann")
        assert machine.answer("done", 5, "k") == Denied("key_reused")

    def test_a_refusal_says_when_time_ran_out_however_late_that_is_noticed(self) -> None:
        machine = Machine(workflow(gate("g", patience=Expires(HOUR)), gate("other")))
        late = Instant(LATER + 5 * HOUR)
        for _ in range(2):
            decided = machine.tell(AnswerGiven(late, NodeId("g"), 5))
            assert decided.reply == Denied("timed_out", LATER)
        assert machine.node("g").ended == late

    def test_the_refusal_that_finds_that_time_is_up_ends_the_gate_and_keeps_no_key(self) -> None:
        machine = Machine(workflow(gate("g", patience=Expires(HOUR))))
        decided = machine.tell(AnswerGiven(LATER, NodeId("g"), 5, key="k"))
        assert decided.reply == Denied("timed_out", LATER)
        assert machine.phase("g") == "TIMED_OUT"
        assert not any(isinstance(change, KeyBound) for change in decided.changes)


class TestKeys:
    def test_an_accepted_key_keeps_its_reply(self) -> None:
        machine = full()
        first = machine.answer("open", 1, "k")
        for value in (1, 1.0):
            assert machine.answer("open", value, "k") == first

    @pytest.mark.parametrize(
        ("node", "value"), [("open", 2), ("open", "else"), ("done", 5), ("early", 5)]
    )
    def test_a_key_of_ones_own_is_of_one_answer(self, node: str, value: Any) -> None:
        machine = full()
        machine.answer("open", 1, "k")
        decided = machine.tell(AnswerGiven(LATER, NodeId(node), value, "ann", key="k"))
        assert (decided.reply, decided.changes) == (Denied("key_reused"), [])

    def test_a_key_of_somebody_else_is_another_key(self) -> None:
        machine = full()
        machine.answer("open", 1, "k")
        for value in (1, 2):
            refused = machine.answer("open", value, "k", who="bob")
            assert refused == Denied("already_answered", LATER, "ann")

    def test_ten_thousand_repeats_under_new_keys_leave_a_hundred(self) -> None:
        machine = Machine(workflow(gate("a"), gate("b")))
        first = machine.answer("a", 1, "k")
        lines = len(machine.lines)
        for n in range(110):
            assert machine.answer("a", 1, f"k{n}") == first
        assert machine.answer("a", 1, "k0") == first
        assert machine.answer("b", 1, "k0") == Denied("key_reused")
        bound = len(machine.state.keys)
        assert bound <= len(machine.state.nodes) + 100
        assert len(machine.lines) - lines == bound - 1
        for n in range(10_000):
            event = AnswerGiven(AT, NodeId("a"), 1, "ann", key=f"n{n}")
            decided = step(machine.plan, machine.state, event)
            assert (decided.reply, decided.changes) == (first, [])
        assert machine.answer("b", 1, "new") == Accepted(AT, "ann")
        assert machine.answer("a", 1, "new") == Denied("key_reused")

    def test_two_people_may_use_one_key_for_two_gates(self) -> None:
        machine = Machine(workflow(gate("a"), gate("b")))
        assert machine.answer("a", 1, "k") == Accepted(AT, "ann")
        assert machine.answer("b", 1, "k", who="bob") == Accepted(AT, "bob")
        assert machine.answer("a", 1, "k") == Accepted(AT, "ann")
        assert machine.answer("b", 1, "k") == Denied("key_reused")

    def test_the_answer_that_ends_the_execution_keeps_its_key(self) -> None:
        machine = Machine(workflow(gate("g"), o0=out("g")))
        first = machine.answer("g", 1, "k")
        assert machine.state.phase.name == "SUCCEEDED"
        assert machine.answer("g", 1, "k") == first
        assert machine.answer("g", 2, "k") == Denied("key_reused")

    def test_the_no_that_ends_the_execution_keeps_its_key(self) -> None:
        machine = Machine(workflow(approval("g", Const(1))))
        first = machine.answer("g", False, "k")
        assert machine.state.phase.name == "FAILED"
        assert machine.answer("g", False, "k") == first
        assert machine.answer("g", True, "k") == Denied("key_reused")

    def test_a_key_that_an_earlier_version_stored_is_of_who_gave_the_answer(self) -> None:
        """Those lines say no more of a key than today's: whose it was stands in their event."""
        machine = full()
        event = AnswerGiven(LATER, NodeId("open"), 1, "eve", key="old")
        state = replace(machine.node("open"), phase=NodePhase.SUCCEEDED, ended=LATER)
        draft = machine.draft()
        answer = AnswerRecord(1, LATER, "eve", "api")
        draft.repeat(NodeChanged(NodeId("open"), replace(state, answer=answer)), event)
        draft.repeat(KeyBound("old", NodeId("open"), Accepted(LATER, "eve")), event)
        draft.merge()
        assert machine.state.keys["eve", "old"] == (NodeId("open"), Accepted(LATER, "eve"))

    def test_a_refusal_that_an_earlier_version_stored_binds_nothing(self) -> None:
        machine = full()
        old = KeyBound("old", NodeId("open"), Denied("not_waiting_yet"))
        draft = machine.draft()
        draft.repeat(old, AnswerGiven(LATER, NodeId("open"), 1, "eve", key="old"))
        draft.merge()
        assert machine.state.keys.keys() == {("ann", "k-done"), ("ann", "k-early")}


class TestWhatWasShown:
    """An answer that says what was shown counts only for a question that shows that."""

    def machine(self) -> Machine:
        """Two approvals of one kind, of different amounts, and an input with a suggestion."""
        return Machine(
            workflow(
                approval("small", Const(2)),
                approval("large", Const(1_000_000)),
                gate("g", question=Question(suggested=Const(1))),
                gate("later", after=(NodeId("g"),)),
            )
        )

    def shown(self, machine: Machine, node: str) -> str:
        return written(digest_of(machine.plan, machine.state, machine.plan.nodes[NodeId(node)]))

    def tell(
        self, machine: Machine, node: str, shown: str, value: Any = True, key: str = ""
    ) -> Any:
        event = AnswerGiven(machine.at, NodeId(node), value, "ann", key=key, shown=shown)
        return machine.tell(event)

    def test_the_digest_of_the_question_is_kept_with_the_answer(self) -> None:
        machine = self.machine()
        shown = self.shown(machine, "small")
        assert self.tell(machine, "small", shown).reply == Accepted(AT, "ann")
        assert machine.node("small").answer.shown == shown
        machine.answer("large", True)
        assert machine.node("large").answer.shown == ""

    def test_what_was_shown_of_another_question_is_refused_and_nothing_is_stored(self) -> None:
        machine = self.machine()
        shown = self.shown(machine, "small")
        for _ in range(2):  # whether or not the other has its answer already
            decided = self.tell(machine, "large", shown, key="k")
            assert decided.reply == Denied("changed", changed=("handle", "subject"))
            assert decided.changes == []
            machine.answer("large", True)
        assert machine.state.keys == {}

    @pytest.mark.parametrize("shown", ["2:00", "1:00", "1:", "1:" + 42 * "xy", "0:" + "0" * 84])
    def test_what_cannot_be_compared_is_refused(self, shown: str) -> None:
        machine = self.machine()
        assert self.tell(machine, "small", shown).reply == Denied("changed", changed=("form",))

    def test_a_question_says_the_same_after_its_answer(self) -> None:
        machine = self.machine()
        shown = self.shown(machine, "small")
        first = self.tell(machine, "small", shown).reply
        assert self.tell(machine, "small", shown).reply == first
        assert self.tell(machine, "small", shown, False).reply == Denied(
            "already_answered", AT, "ann"
        )
        machine.tell(AbortRequested(LATER, "enough"))
        large = self.shown(machine, "large")
        assert self.tell(machine, "large", large).reply == Denied("execution_ended", LATER)

    def test_a_gate_that_is_not_open_showed_nothing_of_another(self) -> None:
        machine = self.machine()
        reply = self.tell(machine, "later", self.shown(machine, "g"), 1).reply
        assert reply == Denied("changed", changed=("handle", "suggestion"))


class TestAfterTheEnd:
    """Anyone who has the folded state of an ended execution can decide an answer by `step`: the engine need not be asked."""

    @pytest.fixture
    def ended(self) -> Machine:
        machine = full()
        machine.tell(AbortRequested(LATER, "enough"))
        return machine

    @pytest.mark.parametrize(
        ("node", "value", "reply"),
        [
            ("done", 5, Accepted(AT, "ann")),
            ("done", 6, Denied("already_answered", AT, "ann")),
            ("early", 5, Accepted(AT, "ann", early=True)),
            ("default", 9, Denied("timed_out", LATER)),
            ("open", 5, Denied("execution_ended", LATER)),
            ("unborn", True, Denied("execution_ended", LATER)),
            ("nowhere", 5, Denied("unknown_signal")),
        ],
    )
    @pytest.mark.parametrize("key", ["", "new"])
    def test_a_replayed_state_gives_the_reply_and_no_changes(
        self, ended: Machine, node: str, value: Any, reply: Any, key: str
    ) -> None:
        plan, state = replay(ended.first_plan, ended.lines)
        before = standing(state)
        for _ in range(2):
            decided = step(plan, state, AnswerGiven(LATER, NodeId(node), value, "ann", key=key))
            assert decided.reply == reply
            assert (decided.changes, decided.commands) == ([], [])
        assert standing(state) == before

    def test_a_key_from_before_the_end_gets_its_reply(self, ended: Machine) -> None:
        plan, state = replay(ended.first_plan, ended.lines)
        for node, value, reply in (
            ("done", 5, Accepted(AT, "ann")),
            ("done", 6, Denied("key_reused")),
            ("open", 5, Denied("key_reused")),
        ):
            decided = step(
                plan, state, AnswerGiven(LATER, NodeId(node), value, "ann", key="k-done")
            )
            assert (decided.reply, decided.changes) == (reply, [])

    def test_aborting_again_changes_nothing_either(self, ended: Machine) -> None:
        decided = step(ended.plan, ended.state, AbortRequested(LATER, "again"))
        assert isinstance(decided.reply, Accepted)
        assert (decided.changes, decided.commands) == ([], [])


class TestSameAnswer:
    """Which second answer is the first one again: JSON's equality, in which 1 is 1.0, and neither is true."""

    @pytest.mark.parametrize(
        ("first", "again"),
        [(True, True), (1, 1), (1, 1.0), ({"a": [1, None]}, {"a": [1.0, None]}), (None, None)],
    )
    def test_the_same_value_again_is_accepted(self, first: Any, again: Any) -> None:
        machine = Machine(workflow(gate("g"), gate("other")))
        reply = machine.answer("g", first)
        assert machine.answer("g", again) == reply
        assert machine.answer("g", again, who="bob") == Denied("already_answered", AT, "ann")

    @pytest.mark.parametrize(
        ("first", "other"),
        [
            (True, 1),
            (1, True),
            (False, 0),
            (0, False),
            (1.0, True),
            ([True], [1]),
            ({"a": {"b": False}}, {"a": {"b": 0}}),
            ("1", 1),
            (None, False),
            ([], {}),
            ([1], [1, 1]),
            ({"a": 1}, {"a": 1, "b": 2}),
        ],
    )
    def test_another_value_is_refused(self, first: Any, other: Any) -> None:
        machine = Machine(workflow(gate("g"), gate("other"), task("t", inputs={"x": out("g")})))
        machine.answer("g", first)
        assert machine.answer("g", other) == Denied("already_answered", AT, "ann")
        assert machine.node("g").answer.value is first
