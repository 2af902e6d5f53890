"""Expressions and conditions: where values come from, and which of them are equal."""

from typing import Any

import pytest
from tests.unit.core.machine import Machine, approval, gate, out, task, workflow

from tidegate.core.evaluate import NoValue, compare, evaluate, output_of, outputs, same, walk
from tidegate.core.plan import ROOT
from tidegate.ir.expr import Compare, Const, DictExpr, InputRef, ListExpr, NodeId
from tidegate.ir.graph import BranchNode, Case, Fail, Graph, Otherwise, SubNode, When

EQUAL = [
    (None, None),
    (True, True),
    (1, 1),
    (1, 1.0),
    (0.0, -0.0),
    ("a", "a"),
    ([1, [True]], [1.0, [True]]),
    ({"a": 1, "b": None}, {"b": None, "a": 1.0}),
]
DIFFERENT = [
    (True, 1),
    (1, True),
    (False, 0),
    (1.0, True),
    (None, False),
    (None, 0),
    ("1", 1),
    ("", None),
    ([], {}),
    ([1], [True]),
    ([1], [1, 1]),
    ({"a": True}, {"a": 1}),
    ({"a": 1}, {"a": 1, "b": 1}),
    ({"a": {"b": [0]}}, {"a": {"b": [False]}}),
]


class TestSame:
    @pytest.mark.parametrize(("a", "b"), EQUAL)
    def test_values_are_equal_as_json_is(self, a: Any, b: Any) -> None:
        assert same(a, b)
        assert same(b, a)
        assert compare("==", a, b)
        assert not compare("!=", a, b)

    @pytest.mark.parametrize(("a", "b"), DIFFERENT)
    def test_a_boolean_is_not_a_number_and_text_is_not_what_it_says(self, a: Any, b: Any) -> None:
        assert not same(a, b)
        assert not same(b, a)
        assert not compare("==", a, b)
        assert compare("!=", a, b)

    @pytest.mark.parametrize(("answer", "constant", "taken"), [(True, 1, 1), (1, 1, 0), (True, True, 0), (0, False, 1), (1.0, 1, 0)])  # fmt: skip
    def test_a_branch_on_a_gate_that_takes_both_tells_true_from_1(
        self, answer: Any, constant: Any, taken: int
    ) -> None:
        machine = Machine(workflow(gate("g"), *chosen(Compare("==", out("g"), Const(constant)))))
        machine.answer("g", answer)
        assert machine.node("b").case == taken


class TestOrder:
    @pytest.mark.parametrize(("a", "b"), [(1, 2), (1, 1.5), ("a", "b"), (-1.5, 0)])
    def test_numbers_and_texts_have_an_order(self, a: Any, b: Any) -> None:
        assert [compare(op, a, b) for op in ("<", "<=", ">", ">=")] == [True, True, False, False]
        assert [compare(op, a, a) for op in ("<", "<=", ">", ">=")] == [False, True, False, True]

    @pytest.mark.parametrize(("a", "b"), [(True, 2), (1, "2"), (None, 1), ([1], [2]), ({}, {}), (False, True)])  # fmt: skip
    def test_other_kinds_have_none(self, a: Any, b: Any) -> None:
        for op in ("<", "<=", ">", ">="):
            with pytest.raises(NoValue, match="only numbers and text have an order"):
                compare(op, a, b)


def chosen(*conditions: Any, otherwise: Any = None) -> tuple[Any, ...]:
    cases = tuple(When(each, {"o0": Const(n)}) for n, each in enumerate(conditions))
    last = otherwise or Otherwise({"o0": Const("else")})
    return (BranchNode(id=NodeId("b"), name="b", cases=cases, otherwise=last, outputs={"o0": {}}),)


class TestPaths:
    def test_a_path_leads_into_dicts_and_lists(self) -> None:
        value = {"a": [{"b": 1}, {"b": 2}], "1": "one"}
        assert walk(value, ("a", -1, "b"), "n0.o0") == 2
        assert walk(value, (1,), "n0.o0") == "one"

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            (("c",), "n0.o0 has no 'c': it has 'a'"),
            (("a", 5), r"n0.o0\['a'\] has no 5: it has 1 items"),
            (("a", "x"), r"n0.o0\['a'\] has no 'x'"),
            (("a", 0, "b"), r"n0.o0\['a'\]\[0\] has no 'b': it is int"),
        ],
    )
    def test_where_it_leads_nowhere_the_message_says_how_far_it_came(
        self, path: tuple[str | int, ...], message: str
    ) -> None:
        with pytest.raises(NoValue, match=message):
            walk({"a": [1]}, path, "n0.o0")


def long_chain(length: int) -> Graph:
    """Approvals, each of what the one before passes on."""
    nodes = [approval("n0", InputRef("x"))]
    nodes += [approval(f"n{n}", out(f"n{n - 1}")) for n in range(1, length)]
    return workflow(*nodes, inputs=("x",), o0=out(f"n{length - 1}"))


class TestWhereValuesComeFrom:
    def test_a_value_may_be_passed_on_many_times(self) -> None:
        length = 2_000
        machine = Machine(long_chain(3), x=7)
        for n in range(3):
            machine.answer(f"n{n}", True)
        assert outputs(machine.plan, machine.state) == {"o0": 7}
        nested = workflow(gate("g"), o0=out("g"))
        for _ in range(40):
            nested = workflow(SubNode(id=NodeId("s"), name="s", graph=nested), o0=out("s"))
        deep = Machine(nested)
        deep.answer("s/" * 40 + "g", length)
        assert outputs(deep.plan, deep.state) == {"o0": length}

    def test_an_output_of_a_sub_workflow_is_evaluated_in_its_own_scope(self) -> None:
        inner = workflow(task("t", inputs={"x": InputRef("x")}), inputs=("x",), o0=out("t"))
        sub = SubNode(id=NodeId("s"), name="s", graph=inner, inputs={"x": out("t", "part")})
        machine = Machine(workflow(task("t"), sub, o0=DictExpr({"a": out("s"), "b": ListExpr((out("t"), InputRef("x")))}), inputs=("x",)), x="in")  # fmt: skip
        machine.succeed("t", {"part": "outer"})
        assert machine.commands[0].inputs == {"x": "outer"}
        machine.succeed("s/t", "inner")
        want = {"o0": {"a": "inner", "b": [{"part": "outer"}, "in"]}}
        assert outputs(machine.plan, machine.state) == want
        assert output_of(machine.plan, machine.state, NodeId("s"), "o0") == "inner"

    def test_a_branch_passes_on_what_the_case_does_that_it_took(self) -> None:
        always = Compare("==", Const(1), Const(1))
        case = {"case": Case(NodeId("b"), 0)}
        branch = BranchNode(id=NodeId("b"), name="b", cases=(When(always, {"o0": out("t")}),), otherwise=Fail("no"), outputs={"o0": {}})  # fmt: skip
        machine = Machine(workflow(branch, task("t", **case), o0=out("b", "x")))
        with pytest.raises(NoValue):
            evaluate(machine.plan, machine.state, ROOT, out("b"))
        machine.succeed("t", {"x": 1})
        assert outputs(machine.plan, machine.state) == {"o0": 1}

    def test_what_was_not_reached_has_no_value(self) -> None:
        machine = Machine(workflow(gate("g"), task("t", inputs={"x": out("g")}), o0=out("t")))
        for expr in (out("g"), out("t")):
            with pytest.raises(NoValue, match="has no output 'o0'"):
                evaluate(machine.plan, machine.state, ROOT, expr)
