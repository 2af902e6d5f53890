"""A graph is the same on every machine: it comes back from its bytes, and says what each node passes on."""

import msgspec
import pytest

from tidegate.ir.expr import Compare, Const, NodeId, OutputRef
from tidegate.ir.graph import (
    ApproveNode,
    BranchNode,
    Expires,
    Graph,
    InputNode,
    Interface,
    Micros,
    Node,
    Otherwise,
    PythonTarget,
    SleepNode,
    SubNode,
    TaskNode,
    When,
    outputs_of,
)

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
OUT = OutputRef(NodeId("n0"), "o0")
INNER = Graph(name="inner", interface=Interface(outputs={"a": TEXT, "b": NUMBER}))

NODES: list[tuple[Node, dict[str, object]]] = [
    (TaskNode(id="n0", name="t", target=PythonTarget("m", "f"), outputs={"x": TEXT}), {"x": TEXT}),
    (SleepNode(id="n1", name="s", duration=Micros(1)), {}),
    (InputNode(id="n2", name="i", schema=NUMBER, patience=Expires(Micros(5))), {"o0": NUMBER}),
    (ApproveNode(id="n3", name="a", subject=OUT, output="slope", schema=TEXT), {"slope": TEXT}),
    (SubNode(id="n4", name="w", graph=INNER), {"a": TEXT, "b": NUMBER}),
    (
        BranchNode(
            id="n5",
            name="b",
            cases=(When(Compare("==", OUT, Const(True)), {"o0": OUT}),),
            otherwise=Otherwise(),
            outputs={"o0": TEXT},
        ),
        {"o0": TEXT},
    ),
]


@pytest.mark.parametrize(("node", "outputs"), NODES, ids=lambda part: type(part).__name__)
def test_each_kind_of_node_says_what_it_passes_on(node: Node, outputs: dict[str, object]):
    assert outputs_of(node) == outputs


def test_a_graph_of_every_kind_of_node_comes_back_from_its_bytes():
    graph = Graph(name="all", nodes={node.id: node for node, _ in NODES}, outputs={"o0": OUT})

    packed = msgspec.msgpack.encode(graph)

    assert msgspec.msgpack.decode(packed, type=Graph) == graph
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(packed, type=Graph)) == packed


def test_a_target_is_spelled_as_people_write_it():
    assert str(PythonTarget("reports.weekly", "Group.publish")) == "reports.weekly:Group.publish"
