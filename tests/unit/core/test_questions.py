"""The digest of a question: it covers what is shown and decided about, and nothing else."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.core.machine import AT, Machine, approval, gate, out, task, workflow

from tidegate.core.history import replay
from tidegate.core.messages import TaskSucceeded
from tidegate.core.questions import FORM, PARTS, SIZE, differences, digest_of, written
from tidegate.ir.expr import Const, DictExpr, NodeId
from tidegate.ir.graph import Expires, Forever, Graph, Micros, Question

SHOWN = Question("Pay?", {"invoice": Const({"no": 7}), "who": Const("ann")})
APPROVAL = approval("pay", Const(50), question=SHOWN, schema={"type": "integer"})
INPUT = gate("pay", "amount", question=replace(SHOWN, suggested=Const(1)))


def digest(graph: Graph, node: str = "pay") -> bytes:
    machine = Machine(graph)
    return digest_of(machine.plan, machine.state, machine.plan.nodes[NodeId(node)])


def changed(before: Any, after: Any, node: str = "pay") -> tuple[str, ...]:
    """The parts in which two gates differ."""
    return differences(written(digest(workflow(before))), digest(workflow(after), node))


@pytest.mark.parametrize(
    ("after", "parts"),
    [
        (replace(APPROVAL, subject=Const(51)), ("subject",)),
        (replace(APPROVAL, subject=Const("50")), ("subject",)),
        (replace(APPROVAL, schema={"type": "number"}), ("schema",)),
        (replace(APPROVAL, question=replace(SHOWN, prompt="Pay it?")), ("prompt",)),
        (replace(APPROVAL, question=replace(SHOWN, show={"who": Const("ann")})), ("shown values",)),
        (
            replace(APPROVAL, question=replace(SHOWN, show={**SHOWN.show, "who": Const("bob")})),
            ("shown values",),
        ),
        (gate("pay", question=SHOWN), ("kind", "schema", "subject")),
        (replace(APPROVAL, question=replace(SHOWN, title=("Pay ", Const(50)))), ("title",)),
        (replace(APPROVAL, question=replace(SHOWN, figures={"sum": Const(50)})), ("figures",)),
    ],
)
def test_each_part_that_is_shown_counts_and_is_named(after: Any, parts: tuple[str, ...]) -> None:
    assert changed(APPROVAL, after) == parts


def test_the_suggestion_counts() -> None:
    after = replace(INPUT, question=replace(INPUT.question, suggested=Const(2)))
    assert changed(INPUT, after) == ("suggestion",)


def test_the_place_counts() -> None:
    assert changed(APPROVAL, replace(APPROVAL, id=NodeId("other")), "other") == ("handle",)


@pytest.mark.parametrize("patience", [Forever(), Expires(Micros(1)), Expires(Micros(2))])
def test_due_dates_do_not_count(patience: Any) -> None:
    assert changed(APPROVAL, replace(APPROVAL, patience=patience)) == ()


def test_the_digest_is_the_same_when_it_is_computed_again_from_the_history() -> None:
    graph = workflow(
        task("t"),
        approval("pay", out("t"), question=Question(show={"t": DictExpr({"x": out("t")})})),
    )
    machine = Machine(graph)
    machine.succeed("t", {"b": [1, 1.0, None], "a": "ü"})
    first = digest_of(machine.plan, machine.state, machine.plan.nodes[NodeId("pay")])
    plan, state = replay(machine.first_plan, machine.lines)
    assert digest_of(plan, state, plan.nodes[NodeId("pay")]) == first
    machine.answer("pay", True)
    assert digest_of(machine.plan, machine.state, machine.plan.nodes[NodeId("pay")]) == first
    assert machine.at == AT


def test_this_form_is_written_as_it_always_was() -> None:
    """Digests stand in histories and in scripts: another way to write them takes another number."""
    assert (FORM, len(PARTS)) == (1, 10)
    assert (
        written(digest(workflow(APPROVAL)))
        == "1:01e3b2b78906a7df7011869a3a231879d8afb227e4cf2af422b1441924e81a692368af6008c2c2b84ac2"
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(deadline=None)
@given(VALUES, VALUES)
def test_other_values_have_another_digest(a: Any, b: Any) -> None:
    one, two = (digest(workflow(replace(APPROVAL, subject=Const(each)))) for each in (a, b))
    equal = repr(one) == repr(two)
    assert equal is (typed(a) == typed(b))


def typed(value: Any) -> Any:
    """A value that equals another only if their types do, too: True is 1 in Python."""
    match value:
        case dict():
            return {key: typed(each) for key, each in value.items()}
        case list():
            return [typed(each) for each in value]
        case _:
            return type(value).__name__, value


def test_a_digest_that_was_made_to_look_alike_is_told_all_the_same() -> None:
    """The bytes that tell which part differs are few; the whole does not depend on them."""
    one = digest(workflow(APPROVAL))
    other = bytes(SIZE) + one[SIZE:]
    assert differences(written(other), one) == ("question",)


def test_the_decks_of_what_comes_before_count_as_they_were_when_their_attempt_ended() -> None:
    def shown(deck: str, other: str = "d") -> str:
        graph = workflow(
            task("first"),
            task("t", inputs={"x": out("first")}),
            task("beside"),
            approval("pay", out("t")),
        )
        machine = Machine(graph)
        machine.tell(TaskSucceeded(machine.at, NodeId("beside"), 1, {"o0": 1}, deck=other))
        machine.tell(TaskSucceeded(machine.at, NodeId("first"), 1, {"o0": 1}, deck=deck))
        decided = machine.tell(TaskSucceeded(machine.at, NodeId("t"), 1, {"o0": 1}, deck="t"))
        before = digest_of(decided.plan, machine.state, machine.plan.nodes[NodeId("pay")])
        plan, state = replay(machine.first_plan, machine.lines)
        assert digest_of(plan, state, plan.nodes[NodeId("pay")]) == before
        return written(before)

    assert shown("a") == shown("a", "another deck, that nobody is shown")
    assert shown("a") != shown("b")
    assert shown("a") != shown("")
