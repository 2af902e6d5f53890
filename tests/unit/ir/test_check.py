"""A graph is refused before it runs if a name in it leads nowhere, if nodes wait for each other, or if it is too large."""

from itertools import pairwise
from typing import Any

import pytest

from tidegate.errors import CompileError
from tidegate.ir.check import MAX_DEPTH, MAX_NAME, MAX_NODES, check, find_cycle
from tidegate.ir.expr import Compare, Const, DictExpr, Expr, InputRef, ListExpr, NodeId, OutputRef
from tidegate.ir.graph import (
    ApproveNode,
    BranchNode,
    Case,
    Default,
    Graph,
    InputNode,
    Interface,
    Micros,
    Node,
    Otherwise,
    Param,
    PythonTarget,
    Question,
    SleepNode,
    SubNode,
    TaskNode,
    When,
)

TEXT = {"type": "string"}


def out(node: str, output: str = "o0") -> OutputRef:
    return OutputRef(NodeId(node), output)


def task(
    id_: str, *, after: tuple[str, ...] = (), case: Case | None = None, **inputs: Expr
) -> TaskNode:
    return TaskNode(
        id=NodeId(id_),
        name=f"task-{id_}",
        after=tuple(NodeId(a) for a in after),
        case=case,
        target=PythonTarget("m", "f"),
        inputs=inputs,
        outputs={"o0": TEXT},
    )


def branch(id_: str, left: Expr, *outputs: dict[str, Expr], **more: Any) -> BranchNode:
    *first, last = outputs
    return BranchNode(
        id=NodeId(id_),
        name=f"branch-{id_}",
        cases=tuple(When(Compare("==", left, Const(1)), o) for o in first),
        otherwise=Otherwise(last),
        outputs=dict.fromkeys(last, TEXT),
        **more,
    )


def graph(*nodes: Node, **more: Any) -> Graph:
    return Graph(name="g", nodes={node.id: node for node in nodes}, **more)


def case(id_: str, index: int) -> Case:
    return Case(NodeId(id_), index)


GOOD = graph(
    task("n0", x=InputRef("text")),
    SleepNode(id=NodeId("n1"), name="sleep", duration=Micros(1), after=(NodeId("n0"),)),
    InputNode(id=NodeId("n2"), name="title", schema=TEXT, question=Question(suggested=out("n0"))),
    branch("n3", out("n2"), {"o0": out("n4")}, {"o0": out("n0")}),
    task("n4", case=case("n3", 0), x=ListExpr((out("n0"), DictExpr({"a": out("n2")})))),
    branch("n5", out("n2"), {}, {}, case=case("n3", 1)),
    task("n6", case=case("n5", 0), x=out("n0")),
    ApproveNode(id=NodeId("n7"), name="ok", subject=out("n3"), schema=TEXT),
    SubNode(
        id=NodeId("n8"),
        name="sub",
        graph=Graph(
            name="sub",
            interface=Interface({"a": Param(TEXT), "b": Param(TEXT, Default(""))}, {"o": TEXT}),
            outputs={"o": InputRef("a")},
        ),
        inputs={"a": out("n7")},
    ),
    interface=Interface({"text": Param(TEXT)}, {"o0": TEXT}),
    outputs={"o0": out("n8", "o")},
)


def test_a_graph_that_can_run_is_taken():
    check(GOOD)
    check(Graph(name="empty"))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (graph(task("n0", x=InputRef("a"))), r"task-n0 \(n0\) uses the input 'a'"),
        (graph(task("n0", x=out("n9"))), r"uses an output of 'n9', which does not exist"),
        (
            graph(task("n0"), task("n1", x=out("n0", "o1"))),
            r"output 'o1' of task-n0 \(n0\), whose outputs are \['o0'\]",
        ),
        (graph(task("n0", after=("n9",))), "waits for 'n9', which does not exist"),
        (graph(task("n0", case=case("n9", 0))), "belongs to 'n9', which is not a conditional"),
        (
            graph(task("n0"), task("n1", case=case("n0", 0))),
            "belongs to 'n0', which is not a conditional",
        ),
        (
            graph(branch("n0", Const(1), {}, {}), task("n1", case=case("n0", 2))),
            "belongs to case 2 of branch-n0",
        ),
        (
            graph(branch("n0", Const(1), {}, {}), task("n1", case=case("n0", -1))),
            "belongs to case -1",
        ),
        (
            Graph(name="g", nodes={NodeId("n1"): task("n0")}),
            "node 'n0' is listed under the id 'n1'",
        ),
        (graph(task("a/b")), "'a/b' of a node has a '/' or a '~'"),
        (graph(task("n0~2")), "'n0~2' of a node has a '/' or a '~'"),
        (graph(task("")), "node ''"),
        (
            Graph(name="g", outputs={"o0": Const(1)}),
            r"declares the outputs \[\] but gives \['o0'\]",
        ),
        (
            Graph(name="g", interface=Interface({}, {"o0": TEXT})),
            r"declares the outputs \['o0'\] but gives \[\]",
        ),
        (
            Graph(name="g", interface=Interface({}, {"o0": TEXT}), outputs={"o0": out("n0")}),
            "output 'o0' uses an output of 'n0', which does not exist",
        ),
        (
            Graph(name="g", interface=Interface({"x" * (MAX_NAME + 1): Param(TEXT)})),
            "has 201 characters",
        ),
        (Graph(name="g", interface=Interface({"": Param(TEXT)})), "has 0 characters"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused(bad, message):
    with pytest.raises(CompileError, match=message):
        check(bad)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "is not given 'a'"),
        ({"a": Const(1), "c": Const(1)}, r"is given 'c'; its inputs are \['a', 'b'\]"),
    ],
)
def test_inputs_of_a_sub_workflow_must_match(inputs, message):
    sub = GOOD.nodes[NodeId("n8")]
    assert isinstance(sub, SubNode)
    node = SubNode(id=NodeId("n0"), name="sub", graph=sub.graph, inputs=inputs)

    with pytest.raises(CompileError, match=message):
        check(graph(node))


def test_a_bad_graph_inside_a_good_one_is_found():
    inner = Graph(name="inner", nodes={NodeId("n0"): task("n0", x=out("n7"))})

    with pytest.raises(CompileError, match="workflow 'inner': .*'n7'"):
        check(graph(SubNode(id=NodeId("n0"), name="sub", graph=inner)))


def test_two_gates_of_one_name_are_refused():
    gates = [InputNode(id=NodeId(f"n{i}"), name="x", schema=TEXT) for i in range(2)]

    with pytest.raises(CompileError, match="two gates are called 'x': n0 and n1"):
        check(graph(*gates))


@pytest.mark.parametrize(
    "bad",
    [
        graph(
            branch("n0", Const(1), {}, {}), task("n1", case=case("n0", 0)), task("n2", x=out("n1"))
        ),
        graph(
            branch("n0", Const(1), {}, {}),
            task("n1", case=case("n0", 0)),
            task("n2", after=("n1",)),
        ),
        graph(
            branch("n0", Const(1), {}, {}),
            task("n1", case=case("n0", 0)),
            task("n2", case=case("n0", 1), x=out("n1")),
        ),
        graph(
            branch("n0", Const(1), {"o0": out("n1")}, {"o0": out("n1")}),
            task("n1", case=case("n0", 0)),
        ),
        graph(
            branch("n0", Const(1), {}, {}),
            task("n1", case=case("n0", 0)),
            interface=Interface({}, {"o0": TEXT}),
            outputs={"o0": out("n1")},
        ),
    ],
    ids=["outside", "after", "other case", "passed on by another case", "output"],
)
def test_a_node_of_a_case_is_hidden_from_the_rest(bad):
    with pytest.raises(
        CompileError, match=r"task-n1 \(n1\), which runs only if case 1 of branch-n0"
    ):
        check(bad)


@pytest.mark.parametrize(
    ("nodes", "cycle"),
    [
        ([task("a", after=("a",))], ["a", "a"]),
        ([task("a", after=("b",)), task("b", after=("a",))], ["a", "b", "a"]),
        (
            [task("a", x=out("c")), task("b", x=out("a")), task("c", x=out("b"))],
            ["a", "b", "c", "a"],
        ),
        ([branch("a", out("b"), {}, {}), task("b", case=case("a", 0))], ["a", "b", "a"]),
        (
            [branch("a", Const(1), {}, {}, after=(NodeId("b"),)), task("b", case=case("a", 0))],
            ["a", "b", "a"],
        ),
        (
            [
                InputNode(
                    id=NodeId("a"), name="a", schema=TEXT, question=Question(show={"x": out("b")})
                ),
                ApproveNode(id=NodeId("b"), name="b", subject=out("a"), schema=TEXT),
            ],
            ["a", "b", "a"],
        ),
    ],
)
def test_nodes_that_wait_for_each_other_are_shown_in_the_order_of_the_arrows(nodes, cycle):
    found = find_cycle(graph(*nodes))

    steps = set(pairwise(found))
    assert found[0] == found[-1]
    assert steps == set(pairwise(cycle))


def test_a_case_that_passes_on_a_node_before_its_branch_is_not_a_cycle():
    assert (
        find_cycle(graph(task("n0"), branch("n1", out("n0"), {"o0": out("n0")}, {"o0": Const(1)})))
        == []
    )


def test_a_cycle_is_refused_with_names_and_ids():
    with pytest.raises(
        CompileError, match=r"workflow 'g': nodes wait for each other: task-\w \(\w\) -> "
    ):
        check(graph(task("a", after=("b",)), task("b", after=("a",))))


def test_too_many_nodes_are_refused():
    nodes = [task(f"n{i}") for i in range(MAX_NODES + 1)]

    with pytest.raises(CompileError, match="it has 10001 nodes; at most 10000 are allowed"):
        check(graph(*nodes))


def test_workflows_nested_too_deep_are_refused():
    inner = Graph(name="inner")
    for _ in range(MAX_DEPTH + 1):
        inner = Graph(
            name="g", nodes={NodeId("n0"): SubNode(id=NodeId("n0"), name="s", graph=inner)}
        )

    with pytest.raises(CompileError, match="more than 50 workflows deep"):
        check(inner)


def test_a_chain_of_any_length_is_searched_without_recursion():
    nodes = [task("n0"), *(task(f"n{i}", x=out(f"n{i - 1}")) for i in range(1, 5_000))]

    assert find_cycle(graph(*nodes)) == []
    assert len(find_cycle(graph(*nodes[1:], task("n0", x=out("n4999"))))) == 5_001


def test_sub_workflows_that_double_again_and_again_are_refused_at_once():
    inner = Graph(name="inner", nodes={NodeId("n0"): task("n0")})
    for _ in range(40):
        pair = [SubNode(id=NodeId(f"n{i}"), name="s", graph=inner) for i in range(2)]
        inner = Graph(name="g", nodes={node.id: node for node in pair})

    with pytest.raises(CompileError, match="with its sub-workflows it has more than 100,000 nodes"):
        check(inner)
