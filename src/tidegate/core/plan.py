"""
A graph, indexed for scheduling: made once per graph, shared by all its executions.

Sub-workflows are laid out in it, so that every node has one absolute id (`n2/n0`); a dynamic task lays its graph out when it unfolds.
Three things *hold* other nodes: the execution itself (ROOT), a node that stands for a graph (sub-workflow, unfolded dynamic task), and a branch,
which holds those of the case it takes. A node begins when its holder is open and everything it needs has succeeded.
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from tidegate.ir.check import case_outputs, needed
from tidegate.ir.expr import Expr, InputRef, NodeId, OutputRef, refs
from tidegate.ir.graph import (
    ApproveNode,
    BranchNode,
    Graph,
    InputNode,
    Node,
    SleepNode,
    SubNode,
    TaskNode,
)

ROOT = NodeId("")
"""The execution itself, as a holder and as a scope."""


class Kind(Enum):
    """What a node is to the scheduler: it runs, it waits, or it holds others."""

    TASK = 0
    GATE = 1
    HOLDER = 2


class Planned(NamedTuple):
    """
    One node in its place.

    `scope` is the node (or ROOT) whose graph it belongs to, `holder` what must open before it begins: the scope, or a branch.
    `needs` are the nodes that must succeed first, `dependents` those that need it, `wants` the number of needs, and one for the holder.
    """

    id: NodeId
    node: Node
    scope: NodeId
    holder: NodeId
    needs: tuple[NodeId, ...]
    dependents: tuple[NodeId, ...]
    wants: int
    kind: Kind


class Plan:
    """
    A graph with its indexes. Immutable: `expanded` returns another.

    `groups` gives the nodes that a holder opens, by (holder, case); `outside` the nodes beyond a case which the outputs of that case come from,
    and `watchers` the same seen from those nodes. `wanted` are nodes that outputs of their graph come from.
    `signals` gives the gates that take answers, by name.
    """

    __slots__ = ("groups", "nodes", "outside", "scopes", "signals", "wanted", "watchers")

    def __init__(self) -> None:
        self.nodes: dict[NodeId, Planned] = {}
        self.groups: dict[tuple[NodeId, int], tuple[NodeId, ...]] = {}
        self.outside: dict[tuple[NodeId, int], tuple[NodeId, ...]] = {}
        self.watchers: dict[NodeId, tuple[tuple[NodeId, int], ...]] = {}
        self.scopes: dict[NodeId, Graph] = {}
        self.wanted: set[NodeId] = set()
        self.signals: dict[str, tuple[NodeId, ...]] = {}

    @staticmethod
    def of(graph: Graph) -> "Plan":
        """Index a checked graph."""
        plan = Plan()
        plan._lay_out(ROOT, graph)
        return plan

    def expanded(self, node: NodeId, graph: Graph) -> "Plan":
        """Return this plan with a graph laid out under a node."""
        plan = Plan()
        plan.nodes = dict(self.nodes)
        plan.groups = dict(self.groups)
        plan.outside = dict(self.outside)
        plan.watchers = dict(self.watchers)
        plan.scopes = dict(self.scopes)
        plan.wanted = set(self.wanted)
        plan.signals = dict(self.signals)
        plan._lay_out(node, graph)
        return plan

    def _lay_out(self, scope: NodeId, graph: Graph) -> None:
        needs = {absolute(scope, id_): _needs(scope, node) for id_, node in graph.nodes.items()}
        dependents: dict[NodeId, list[NodeId]] = {id_: [] for id_ in needs}
        for id_, upstream in needs.items():
            for up in upstream:
                dependents[up].append(id_)
        groups: dict[tuple[NodeId, int], list[NodeId]] = {(scope, 0): []}
        for id_, node in graph.nodes.items():
            path = absolute(scope, id_)
            holder = absolute(scope, node.case.branch) if node.case else scope
            groups.setdefault((holder, node.case.index if node.case else 0), []).append(path)
            own = needs[path]
            self.nodes[path] = Planned(
                path,
                node,
                scope,
                holder,
                own,
                tuple(dependents[path]),
                len(own) + 1,
                _kind(node),
            )
            if isinstance(node, InputNode | ApproveNode):
                self.signals[node.name] = (*self.signals.get(node.name, ()), path)
        self.scopes[scope] = graph
        self.groups |= {key: tuple(members) for key, members in groups.items()}
        self.wanted.update(_sources(scope, graph.outputs))
        for id_, node in graph.nodes.items():
            match node:
                case SubNode(graph=inner):
                    self._lay_out(absolute(scope, id_), inner)
                case BranchNode():
                    self._watch(absolute(scope, id_), scope, node)
                case _:
                    pass

    def _watch(self, branch: NodeId, scope: NodeId, node: BranchNode) -> None:
        for index, outputs in enumerate(case_outputs(node)):
            inside = self.groups.get((branch, index), ())
            sources = tuple(s for s in _sources(scope, outputs) if s not in inside)
            if sources:
                self.outside[branch, index] = sources
            for source in sources:
                self.watchers[source] = (*self.watchers.get(source, ()), (branch, index))


def absolute(scope: NodeId, node: NodeId) -> NodeId:
    """Return the id of a node of a scope's graph within the whole execution."""
    return NodeId(f"{scope}/{node}") if scope else node


def _kind(node: Node) -> Kind:
    match node:
        case TaskNode():
            return Kind.TASK
        case SleepNode() | InputNode() | ApproveNode():
            return Kind.GATE
        case BranchNode() | SubNode():
            return Kind.HOLDER


def _sources(scope: NodeId, exprs: Mapping[str, Expr]) -> tuple[NodeId, ...]:
    found = {
        absolute(scope, ref.node): None
        for expr in exprs.values()
        for ref in refs(expr)
        if isinstance(ref, OutputRef)
    }
    return tuple(found)


def _needs(scope: NodeId, node: Node) -> tuple[NodeId, ...]:
    found = {absolute(scope, up): None for up in node.after}
    for expr in needed(node):
        for ref in refs(expr):
            match ref:
                case OutputRef():
                    found[absolute(scope, ref.node)] = None
                case InputRef():
                    pass
    return tuple(found)
