"""Titles and figures as they come out: short, on one line, and there whatever the values are."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.core.machine import Machine, approval, gate, out, task, workflow

from tidegate.core.titles import LONGEST, SHORT, figures_of, first_figures, title_of
from tidegate.ir.expr import Const, NodeId, OutputRef
from tidegate.ir.graph import Question

PART = OutputRef(NodeId("t"), "o0", ("name",))


def titled(*parts: Any, result: Any = None) -> str:
    machine = Machine(workflow(task("t"), gate("g", question=Question(title=parts), after=("t",))))
    machine.succeed("t", result)
    return title_of(machine.plan, machine.state, machine.plan.nodes[NodeId("g")])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("churn", "churn"),
        ("two\nlines\tand  more", "two lines and more"),
        ("x" * 100, "x" * (SHORT - 1) + "…"),
        (1234567, "1234567"),
        (0.912345678, "0.912346"),
        (3.0, "3"),
        (True, "yes"),
        (False, "no"),
        (None, "none"),
        ({"$float": "inf"}, "inf"),
        ({"$blob": "a" * 64, "size": 3, "media": "text/csv", "name": "claims.csv"}, "claims.csv"),
        ({"$blob": "a" * 64, "size": 3}, "a file"),
        ({"$uri": "https://example.org/a"}, "https://example.org/a"),
        ([1, 2], "2 items"),
        ([1], "1 item"),
        ({"a": 1}, "1 field"),
        (10**100, "a number of 333 bits"),
    ],
)
def test_a_value_in_a_title_is_a_few_words(value, words):
    assert titled("About ", Const(value), ".") == f"About {words}."


def test_a_title_is_cut_where_no_list_has_room_for_it():
    found = titled(*[Const("x" * 70)] * 10)

    assert found == "x" * (LONGEST - 1) + "…"


def test_what_does_not_exist_leaves_a_mark_and_fails_nothing():
    assert titled("For ", PART, result={}) == "For ?"
    assert titled("For ", PART, result={"name": "ann"}) == "For ann"


def test_without_a_title_there_is_none():
    machine = Machine(workflow(gate("g")))

    assert title_of(machine.plan, machine.state, machine.plan.nodes[NodeId("g")]) == ""


def test_figures_come_in_order_without_those_that_do_not_exist():
    figures = {"b": Const(1), "gone": PART, "a": Const("x\ny"), "many": Const([1, 2])}
    machine = Machine(
        workflow(task("t"), approval("g", out("t"), question=Question(figures=figures)))
    )
    machine.succeed("t", {})
    planned = machine.plan.nodes[NodeId("g")]

    found = figures_of(machine.plan, machine.state, planned)

    assert found == (("b", 1), ("a", "x y"), ("many", "2 items"))


FILE = {"$blob": "a" * 64, "size": 3, "name": "f"}


@pytest.mark.parametrize(
    ("values", "figures"),
    [
        ({}, {}),
        ({"value": 7}, {"value": 7}),
        ({"value": {"a": [1], "b": "x", "c": 1.5, "d": True}}, {"b": "x", "c": 1.5}),
        ({"value": {"a": None, "b": {"$float": "nan"}}}, {"a": None, "b": "nan"}),
        ({"value": [{"a": 1}], "show.who": "ann", "show.why": "y"}, {"who": "ann", "why": "y"}),
        ({"value": {"a": 1}, "show.row": {"a": 2, "b": 3}}, {"a": 1, "b": 3}),
        ({"suggested": 5, "show.n": 1}, {"n": 1}),
        ({"value": FILE, "show.x": {"file": FILE, "n": 2}}, {"n": 2}),
    ],
)
def test_without_figures_the_first_two_scalars_tell_questions_apart(values, figures):
    assert dict(first_figures(values)) == figures


def test_a_long_text_is_a_short_figure():
    found = dict(first_figures({"value": {"note": "x" * 5_000}}))

    assert len(found["note"]) == SHORT


def test_the_machine_is_the_same_with_and_without_a_title():
    plain = Machine(workflow(gate("g")))
    named = Machine(workflow(replace(gate("g"), question=Question(title=("Go",)))))

    assert plain.lines == named.lines
