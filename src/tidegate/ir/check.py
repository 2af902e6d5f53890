"""
Can a graph run? Every name it mentions exists, nothing waits for itself, and no limit is exceeded.

Branches appear twice in the search for cycles: once where they decide, before the nodes of their cases, and once where they end, after those.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tidegate.errors import CompileError
from tidegate.ir.expr import Expr, InputRef, NodeId, OutputRef, operands, refs
from tidegate.ir.graph import (
    ApproveNode,
    BranchNode,
    Case,
    Graph,
    InputNode,
    Node,
    Otherwise,
    SleepNode,
    SubNode,
    TaskNode,
    outputs_of,
)

MAX_NODES: Final = 10_000
"""Most nodes in one graph, without those of its sub-workflows."""

MAX_PLANNED: Final = 100_000
"""How many nodes an execution may have, with those of its sub-workflows and everything that unfolds in it."""

MAX_NAME: Final = 200
"""Longest name of a node, an input or an output, in characters."""

MAX_DEPTH: Final = 50
"""How deep sub-workflows may be nested."""


class Vertex(NamedTuple):
    """A moment that others wait for: the end of a node, or the decision of a branch."""

    node: NodeId
    decides: bool = False


def check(graph: Graph, depth: int = 0) -> None:
    """Raise CompileError, naming the place, if a graph cannot run."""
    if depth > MAX_DEPTH:
        raise CompileError(
            f"workflow {graph.name!r} is nested more than {MAX_DEPTH} workflows deep"
        )
    if not depth and size_of(graph) > MAX_PLANNED:
        raise _wrong(
            graph,
            f"with its sub-workflows it has more than {MAX_PLANNED:,} nodes; let a @dynamic add them as they are needed",
        )
    if len(graph.nodes) > MAX_NODES:
        raise _wrong(graph, f"it has {len(graph.nodes)} nodes; at most {MAX_NODES} are allowed")
    _check_names(graph)
    for node in graph.nodes.values():
        _check_case(graph, node)
        here, what = _cases(graph, node), named(graph, node.id)
        for expr in needed(node):
            _check_refs(graph, expr, here, what)
        match node:
            case SubNode():
                _check_inputs(graph, node)
                check(node.graph, depth + 1)
            case BranchNode():
                for index, outputs in enumerate(case_outputs(node)):
                    for expr in outputs.values():
                        _check_refs(graph, expr, [*here, Case(node.id, index)], what)
            case _:
                pass
    if graph.outputs.keys() != graph.interface.outputs.keys():
        raise _wrong(
            graph,
            f"it declares the outputs {list(graph.interface.outputs)} but gives {list(graph.outputs)}",
        )
    for name, expr in graph.outputs.items():
        _check_refs(graph, expr, [], f"output {name!r}")
    cycle = find_cycle(graph)
    if cycle:
        shown = " -> ".join(named(graph, node) for node in cycle)
        raise _wrong(graph, f"nodes wait for each other: {shown}")


def size_of(graph: Graph, known: dict[int, int] | None = None) -> int:
    """Return how many nodes a graph has, with those of its sub-workflows. `known` are those of graphs by identity: many nodes may share one."""
    known = {} if known is None else known
    if id(graph) not in known:
        inner = (node.graph for node in graph.nodes.values() if isinstance(node, SubNode))
        known[id(graph)] = len(graph.nodes) + sum(size_of(each, known) for each in inner)
    return known[id(graph)]


def needed(node: Node) -> Iterator[Expr]:
    """Yield the expressions that must have a value before a node starts."""
    match node:
        case TaskNode(inputs=inputs) | SubNode(inputs=inputs):
            yield from inputs.values()
        case SleepNode():
            return
        case InputNode(question=question):
            yield from question.show.values()
            yield from question.listed().values()
            if question.suggested is not None:
                yield question.suggested
        case ApproveNode(subject=subject, question=question):
            yield subject
            yield from question.show.values()
            yield from question.listed().values()
        case BranchNode(cases=cases):
            for when in cases:
                yield from operands(when.condition)


def case_outputs(node: BranchNode) -> Iterator[Mapping[str, Expr]]:
    """Yield what each case of a branch returns, in the order of the cases."""
    for when in node.cases:
        yield when.outputs
    if isinstance(node.otherwise, Otherwise):
        yield node.otherwise.outputs


def named(graph: Graph, node: NodeId) -> str:
    """Name a node in a message: `report (n0)`."""
    return f"{graph.nodes[node].name} ({node})" if node in graph.nodes else node


def find_cycle(graph: Graph) -> list[NodeId]:
    """Return nodes that wait for each other, in the order in which they would have to run, the first again at the end; empty if there are none."""
    upstream = _upstream(graph)
    done: set[Vertex] = set()
    for start in upstream:
        trail: dict[Vertex, None] = {}
        stack: list[tuple[Vertex, Iterator[Vertex]]] = []
        vertex: Vertex | None = start
        while vertex is not None or stack:
            if vertex is not None and vertex not in done:
                if vertex in trail:
                    path = list(trail)
                    return _shown([*path[path.index(vertex) :], vertex])
                trail[vertex] = None
                stack.append((vertex, iter(upstream[vertex])))
            if not stack:
                break
            vertex = next(stack[-1][1], None)
            if vertex is None:
                finished, _ = stack.pop()
                done.add(finished)
                del trail[finished]
    return []


def _shown(waiting: list[Vertex]) -> list[NodeId]:
    # From "waits for" to the order of `a >> b`; a branch that decides and ends in one cycle is shown once.
    nodes = [vertex.node for vertex in reversed(waiting)]
    return [
        node for i, node in enumerate(nodes) if i == 0 or node != nodes[i - 1] or len(nodes) == 2
    ]


def _upstream(graph: Graph) -> dict[Vertex, list[Vertex]]:
    upstream: dict[Vertex, list[Vertex]] = {}
    for node in graph.nodes.values():
        begins = [Vertex(up) for up in node.after]
        begins += [Vertex(up) for expr in needed(node) for up in _nodes_in(expr)]
        if node.case is not None:
            begins.append(Vertex(node.case.branch, decides=True))
        if isinstance(node, BranchNode):
            upstream[Vertex(node.id, decides=True)] = begins
            handed = (expr for outputs in case_outputs(node) for expr in outputs.values())
            ends = [Vertex(up) for expr in handed for up in _nodes_in(expr)]
            upstream[Vertex(node.id)] = [Vertex(node.id, decides=True), *ends]
        else:
            upstream[Vertex(node.id)] = begins
    for node in graph.nodes.values():
        if node.case is not None:
            upstream[Vertex(node.case.branch)].append(Vertex(node.id))
    return upstream


def _nodes_in(expr: Expr) -> Iterator[NodeId]:
    for ref in refs(expr):
        if isinstance(ref, OutputRef):
            yield ref.node


def _wrong(graph: Graph, reason: str) -> CompileError:
    return CompileError(f"workflow {graph.name!r}: {reason}")


def _check_names(graph: Graph) -> None:
    gates: dict[str, NodeId] = {}
    for id_, node in graph.nodes.items():
        if id_ != node.id or not id_:
            raise _wrong(graph, f"node {node.id!r} is listed under the id {id_!r}")
        if "/" in id_ or "~" in id_:
            raise _wrong(
                graph,
                f"the id {id_!r} of a node has a '/' or a '~', which separate the ids of a path",
            )
        if isinstance(node, InputNode | ApproveNode):
            if node.name in gates:
                raise _wrong(
                    graph, f"two gates are called {node.name!r}: {gates[node.name]} and {id_}"
                )
            if node.name in (".", ".."):
                raise _wrong(
                    graph,
                    f"gate {id_} is called {node.name!r}, which cannot be used as an address; use letters in its name",
                )
            gates[node.name] = id_
    names = [n.name for n in graph.nodes.values()]
    for name in (*names, *graph.interface.inputs, *graph.interface.outputs):
        if not name or len(name) > MAX_NAME:
            raise _wrong(
                graph,
                f"the name {name[:40]!r} has {len(name)} characters; from 1 to {MAX_NAME} are allowed",
            )


def _check_case(graph: Graph, node: Node) -> None:
    for up in node.after:
        if up not in graph.nodes:
            raise _wrong(graph, f"{named(graph, node.id)} waits for {up!r}, which does not exist")
        _check_visible(graph, up, _cases(graph, node), named(graph, node.id))
    if node.case is None:
        return
    branch = graph.nodes.get(node.case.branch)
    if not isinstance(branch, BranchNode):
        raise _wrong(
            graph,
            f"{named(graph, node.id)} belongs to {node.case.branch!r}, which is not a conditional",
        )
    if not 0 <= node.case.index <= len(branch.cases):
        raise _wrong(
            graph,
            f"{named(graph, node.id)} belongs to case {node.case.index} of {named(graph, branch.id)}, which does not exist",
        )


def _check_refs(graph: Graph, expr: Expr, here: list[Case], what: str) -> None:
    for ref in refs(expr):
        _check_ref(graph, ref, what)
        if isinstance(ref, OutputRef):
            _check_visible(graph, ref.node, here, what)


def _check_ref(graph: Graph, ref: InputRef | OutputRef, what: str) -> None:
    match ref:
        case InputRef(name):
            if name not in graph.interface.inputs:
                raise _wrong(
                    graph,
                    f"{what} uses the input {name!r}; the inputs are {list(graph.interface.inputs)}",
                )
        case OutputRef(node, output):
            if node not in graph.nodes:
                raise _wrong(graph, f"{what} uses an output of {node!r}, which does not exist")
            outputs = outputs_of(graph.nodes[node])
            if output not in outputs:
                raise _wrong(
                    graph,
                    f"{what} uses output {output!r} of {named(graph, node)}, whose outputs are {list(outputs)}",
                )


def _check_inputs(graph: Graph, node: SubNode) -> None:
    params = node.graph.interface.inputs
    for name in node.inputs:
        if name not in params:
            raise _wrong(
                graph, f"{named(graph, node.id)} is given {name!r}; its inputs are {list(params)}"
            )
    for name, param in params.items():
        if name not in node.inputs and param.default is None:
            raise _wrong(graph, f"{named(graph, node.id)} is not given {name!r}")


def _cases(graph: Graph, node: Node) -> list[Case]:
    """Return the cases that contain a node, the outermost first."""
    found: list[Case] = []
    case = node.case
    while case is not None and len(found) <= len(graph.nodes):
        found.append(case)
        outer = graph.nodes.get(case.branch)
        case = outer.case if outer is not None else None
    return found[::-1]


def _check_visible(graph: Graph, up: NodeId, here: list[Case], what: str) -> None:
    there = _cases(graph, graph.nodes[up])
    if there != here[: len(there)]:
        raise _hidden(graph, up, what)


def _hidden(graph: Graph, up: NodeId, what: str) -> CompileError:
    case = graph.nodes[up].case
    assert case is not None
    return _wrong(
        graph,
        f"{what} needs {named(graph, up)}, which runs only if case {case.index + 1} of {named(graph, case.branch)} is taken; use what the conditional returns",
    )
