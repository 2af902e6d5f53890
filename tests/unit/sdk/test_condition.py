"""Conditionals: which cases and nodes they become, what they pass on, and what is refused."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, NamedTuple

import pytest

from tidegate import CompileError, approve, conditional, dynamic, sleep, task, workflow
from tidegate.ir.expr import AllOf, AnyOf, Compare, Const, InputRef, IsNone, NodeId, OutputRef
from tidegate.ir.graph import BranchNode, Fail, Otherwise


class Fit(NamedTuple):
    slope: float
    quality: int


class Wide(NamedTuple):
    quality: int
    note: str


class Colour(Enum):
    RED = "red"


@dataclass
class Review:
    approved: bool
    score: float


@task
def number(value: int = 1) -> int:
    return value


@task
def word() -> str:
    return "w"


@task
def flag() -> bool:
    return True


@task
def maybe() -> int | None:
    return None


@task
def review() -> Review:
    return Review(True, 1.0)


@task
def colour() -> Colour:
    return Colour.RED


@task
def numbers() -> list[int]:
    return []


@task
def void(): ...


@task
def fit() -> Fit:
    return Fit(1.0, 1)


@task
def wide() -> Wide:
    return Wide(1, "")


def out(node: int, output: str = "o0", *path: str | int) -> OutputRef:
    return OutputRef(NodeId(f"n{node}"), output, path)


def branch(body: Any) -> BranchNode:
    graph = compiled(body)
    return next(n for n in graph.nodes.values() if isinstance(n, BranchNode))


def condition(test: Any) -> Any:
    def body(x: int, y: float, s: str, b: bool):
        conditional("c").if_(test(x, y, s, b)).then(number()).else_().then(number())

    return branch(body).cases[0].condition


def compiled(body: Any) -> Any:
    """Compile a function, or a lambda as a function that returns nothing."""

    def call() -> None:
        body()

    return workflow(call if body.__name__ == "<lambda>" else body).compile()


def refused(body: Any, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        compiled(body)


X, Y, S, B = (InputRef(name) for name in "xysb")


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (lambda x, y, s, b: x == 1, Compare("==", X, Const(1))),
        (lambda x, y, s, b: x != y, Compare("!=", X, Y)),
        (lambda x, y, s, b: x < 1.5, Compare("<", X, Const(1.5))),
        (lambda x, y, s, b: 1 <= x, Compare(">=", X, Const(1))),  # noqa: SIM300
        (lambda x, y, s, b: y > x, Compare(">", Y, X)),
        (lambda x, y, s, b: y <= 2, Compare("<=", Y, Const(2))),
        (lambda x, y, s, b: s == "a", Compare("==", S, Const("a"))),
        (lambda x, y, s, b: s < "b", Compare("<", S, Const("b"))),
        (lambda x, y, s, b: b.is_true(), Compare("==", B, Const(True))),
        (lambda x, y, s, b: b.is_false(), Compare("==", B, Const(False))),
        (lambda x, y, s, b: b.is_(False), Compare("==", B, Const(False))),
        (lambda x, y, s, b: b == True, Compare("==", B, Const(True))),  # noqa: E712
        (lambda x, y, s, b: x.is_none(), IsNone(X)),
        (
            lambda x, y, s, b: (x >= 1) & (x < 3),
            AllOf((Compare(">=", X, Const(1)), Compare("<", X, Const(3)))),
        ),
        (
            lambda x, y, s, b: (x > 1) | b.is_true() | (s == "a"),
            AnyOf(
                (
                    Compare(">", X, Const(1)),
                    Compare("==", B, Const(True)),
                    Compare("==", S, Const("a")),
                )
            ),
        ),
    ],
)
def test_comparisons_become_conditions(test, expected):
    assert condition(test) == expected


def test_parts_and_enums_can_be_compared():
    def body():
        r, c = review(), colour()
        conditional("c").if_((r.score > 1) & r.approved.is_true() & (c == Colour.RED)).then(
            number()
        ).else_().then(number())

    first, _, last = branch(body).cases[0].condition.parts  # type: ignore[union-attr]
    assert first == Compare(">", out(0, "o0", "score"), Const(1))
    assert last == Compare("==", out(1), Const("red"))


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (lambda x, y, s, b: x == "1", "`==` cannot compare"),
        (lambda x, y, s, b: s > 1, "`>` cannot compare"),
        (lambda x, y, s, b: x < s, "`<` cannot compare"),
        (lambda x, y, s, b: b < True, "`<` cannot compare"),
        (lambda x, y, s, b: x.is_true(), "`==` cannot compare"),
        (lambda x, y, s, b: x == [1], "`==` cannot compare"),
        (lambda x, y, s, b: x == object(), "cannot be compared with"),
        (lambda x, y, s, b: b, "input 'b' is not a condition by itself; write .is_true()"),
        (lambda x, y, s, b: (x > 1) & b, "input 'b' is not a condition by itself"),
        (lambda x, y, s, b: b & (x > 1), "is not a condition; write"),
        (lambda x, y, s, b: (x > 1) and (y > 1), "use conditional"),
        (lambda x, y, s, b: not (x > 1), "use conditional"),
        (lambda x, y, s, b: "x > 1", "a condition is a comparison"),
    ],
)
def test_what_is_not_a_condition_is_refused(test, message):
    with pytest.raises(CompileError, match=message):
        condition(test)


def test_a_list_is_not_compared_but_a_part_of_it():
    refused(lambda: conditional("c").if_(numbers() == [1]), "compare a part of it")
    assert isinstance(
        branch(lambda: conditional("c").if_(numbers()[0] == 1).then(None).else_().then(None)),
        BranchNode,
    )


def test_null_can_be_compared_with():
    def body():
        m = maybe()
        conditional("c").if_(m == None).then(void()).else_().then(void())  # noqa: E711

    assert branch(body).cases[0].condition == Compare("==", out(0), Const(None))


def test_the_first_case_that_holds_is_one_of_many():
    def body(x: int) -> int:
        return (
            conditional("c")
            .if_(x < 1)
            .then(number(value=1))
            .elif_(x < 2)
            .then(number(value=2))
            .elif_(x < 3)
            .then(number(value=3))
            .else_()
            .fail("too large")
        )

    node = branch(body)
    assert [case.outputs for case in node.cases] == [{"o0": out(i)} for i in (1, 2, 3)]
    assert node.otherwise == Fail("too large")
    assert node.outputs == {"o0": {"type": "integer"}}


def test_nodes_between_if_and_then_belong_to_the_case_and_those_of_tests_do_not():
    def body(x: int):
        before = flag()
        (
            conditional("c")
            .if_(before.is_true())
            .then(number(value=number()))
            .elif_(flag().is_true())
            .then(number())
            .else_()
            .then(number())
        )
        number()

    nodes = workflow(body).compile().nodes
    assert [(n.name, n.case.index if n.case else None) for n in nodes.values()] == [
        ("flag", None),
        ("c", None),
        ("number", 0),
        ("number", 0),
        ("flag", None),
        ("number", 1),
        ("number", 2),
        ("number", None),
    ]


def test_conditionals_nest():
    def body(x: int) -> int:
        return (
            conditional("outer")
            .if_(x > 1)
            .then(
                conditional("inner").if_(x > 2).then(number(value=1)).else_().then(number(value=2))
            )
            .else_()
            .then(number(value=3))
        )

    graph = workflow(body).compile()
    assert [(n.name, n.case) for n in graph.nodes.values()][:2] == [
        ("outer", None),
        ("inner", graph.nodes["n1"].case),
    ]
    assert graph.nodes["n1"].case is not None
    assert graph.nodes["n1"].case.branch == "n0"
    assert graph.nodes["n2"].case is not None
    assert (graph.nodes["n2"].case.branch, graph.nodes["n3"].case.index) == ("n1", 1)  # type: ignore[union-attr]


def test_outputs_are_those_that_all_cases_have_in_common():
    def body(x: int) -> int:
        result = conditional("c").if_(x > 1).then(fit()).else_().then(wide())
        return result.quality

    node = branch(body)
    assert node.outputs == {"quality": {"type": "integer"}}
    assert node.cases[0].outputs == {"quality": out(1, "quality")}
    assert node.otherwise == Otherwise({"quality": out(2, "quality")})


def test_an_output_that_only_some_cases_have_is_not_there():
    def body(x: int):
        return conditional("c").if_(x > 1).then(fit()).else_().then(wide()).slope

    refused(body, "has no output 'slope'; it has: quality")


def test_types_of_the_cases_are_united():
    def body(x: int) -> int | str:
        return conditional("c").if_(x > 1).then(number()).else_().then(word())

    assert branch(body).outputs == {"o0": {"anyOf": [{"type": "integer"}, {"type": "string"}]}}


def test_one_value_under_different_names_is_one_value():
    def body(x: int) -> float:
        return conditional("c").if_(x > 1).then(fit().slope).else_().then(number())

    assert list(branch(body).outputs) == ["o0"]


def test_a_case_without_outputs_leaves_none():
    def body(x: int):
        conditional("c").if_(x > 1).then(number()).else_().then(void())

    assert branch(body).outputs == {}


def test_a_case_may_pass_on_what_stands_outside_of_it_and_constants():
    def body(x: int) -> int:
        outside = number()
        return conditional("c").if_(x > 1).then(outside).elif_(x > 0).then(x).else_().then(7)

    node = branch(body)
    assert node.cases[0].outputs == {"o0": out(0)}
    assert node.cases[1].outputs == {"o0": X}
    assert node.otherwise == Otherwise({"o0": Const(7)})


def test_several_values_can_be_passed_on():
    def body(x: int) -> tuple[int, str]:
        a, b = conditional("c").if_(x > 1).then((number(), word())).else_().then((x, "b"))
        return a, b

    assert list(branch(body).outputs) == ["o0", "o1"]


def test_a_node_of_a_case_is_reached_only_through_the_conditional():
    def body(x: int) -> int:
        kept = []

        def keep(promise):
            kept.append(promise)
            return promise

        conditional("c").if_(x > 1).then(keep(number())).else_().then(number())
        return number(value=kept[0])

    refused(
        body, r"number \(n3\) needs number \(n1\), which runs only if case 1 of c \(n0\) is taken"
    )


def test_a_missing_else_is_refused():
    refused(
        lambda: conditional("c").if_(number() > 1).then(number()),
        "conditional 'c' .n0. has no else_",
    )
    refused(lambda: conditional("c"), "conditional 'c' .n0. has no else_")


def test_only_the_last_case_can_fail():
    refused(lambda: conditional("c").if_(number() > 1).fail("no"), "only else_.. can fail")


def test_a_failure_needs_a_message():
    refused(
        lambda: conditional("c").if_(number() > 1).then(None).else_().fail(""),
        "fail.. needs a non-empty message",
    )


def test_a_conditional_is_written_once():
    def body():
        start = conditional("c")
        start.if_(number() > 1).then(None).else_().then(None)
        start.if_(number() > 1)

    refused(body, "already has its if_")


def test_a_conditional_that_goes_on_within_an_incomplete_one_is_refused():
    def body(x: int):
        outer = conditional("outer").if_(x > 1)
        conditional("inner").if_(x > 2)
        outer.then(number())

    refused(body, "'outer' continues while another one inside it is not complete")


def test_a_conditional_can_be_approved_slept_in_and_consumed():
    @workflow
    def wf(x: int) -> int:
        picked = conditional("c").if_(x > 1).then(sleep(timedelta(1))).else_().then(void())
        chosen = conditional("d").if_(x > 1).then(number(value=5)).else_().then(number(value=6))
        picked >> chosen
        return number(value=approve(chosen, "ok"))

    assert wf.run({"x": 2}, answers={"ok": True}) == 5
    assert wf.run({"x": 1}, answers={"ok": True}) == 6


def test_in_a_dynamic_python_may_know_the_answer_already():
    @dynamic
    def choose(x: int, p: bool) -> int:
        return conditional("c").if_(x > 1).then(number(value=1)).else_().then(number(value=2))

    @workflow
    def wf(x: int) -> int:
        return choose(x=x, p=True)

    assert [wf(x=2), wf(x=0)] == [1, 2]


def test_thousands_of_conditions_stand_side_by_side():
    @workflow
    def wf(x: int) -> int:
        inside, outside = x > 0, x < 0
        for number in range(2_000):
            inside, outside = inside & (x != -number), (x == number) | outside
        return conditional("c").if_(inside & outside).then(x).else_().fail("no")

    assert wf(x=1999) == 1999
