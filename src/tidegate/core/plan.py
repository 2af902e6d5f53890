"""
A graph, indexed for scheduling: made once per graph, shared by all its executions.

Sub-workflows are laid out in it, so that every node has one absolute id (`n2/n0`); a dynamic task lays its graph out when it unfolds.
One that calls itself and returns what the call returns is a loop: the graph of each round replaces that of the round before, under ids of its
own (`n2/n0`, `n2~2/n0`, `n2~3/n0`).
Three things *hold* other nodes: the execution itself (ROOT), a node that stands for a graph (sub-workflow, unfolded dynamic task), and a branch,
which holds those of the case it takes. A node begins when its holder is open and everything it needs has succeeded.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from enum import Enum
from typing import NamedTuple, TypeVar

from msgspec import Struct

from tidegate.ir.check import case_outputs, needed
from tidegate.ir.expr import Expr, InputRef, NodeId, OutputRef, Value, refs
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

K = TypeVar("K")
V = TypeVar("V")

ROOT = NodeId("")
"""The execution itself, as a holder and as a scope."""


class Kind(Enum):
    """What a node is to the scheduler: it runs, it waits, or it holds others."""

    TASK = 0
    GATE = 1
    HOLDER = 2


# Looking up an enum member by attribute costs more than the comparison it is needed for.
TASK, GATE, HOLDER = Kind


class Planned(NamedTuple):
    """
    One node with its neighbours.

    `scope` is the node (or ROOT) whose graph it belongs to, `holder` what must open before it starts: the scope, or a branch.
    `needs` are the nodes that must succeed first, `dependents` those that need it, `wants` the number of needs, plus one for the holder.
    """

    id: NodeId
    node: Node
    scope: NodeId
    holder: NodeId
    needs: tuple[NodeId, ...]
    dependents: tuple[NodeId, ...]
    wants: int
    kind: Kind


class Round(Struct, frozen=True, array_like=True, gc=False):
    """The current round of a loop, from 2, and the inputs that the graph of this round refers to."""

    number: int
    given: dict[str, Value]


class NamedGates(NamedTuple):
    """How many gates have had a name, including those of earlier rounds, and the first of them."""

    times: int
    first: NodeId


class Plan:
    """
    A graph with its indexes.

    A plan made by `of` never changes: all executions of a workflow share it. The first graph that unfolds gives the execution a copy of its
    own, which from then on changes in place, as the state does: at `Draft.merge` and only then. So another graph costs what it adds, and a
    look-up costs the same as in a plan that never grew. (Immutable layers would suit readers in other threads better, but every look-up
    would go through several.) A reader in another thread may look up one key at a time, and must expect it to be missing.

    `groups` gives the nodes that a holder opens, by (holder, case); `outside` the nodes beyond a case which the outputs of that case come from,
    and `watchers` the same seen from those nodes. `scopes` gives the graph that stands under a node, `members` all nodes of that graph,
    and `rounds` the round it is, beyond the first. `wanted` are nodes that outputs of their graph come from.
    `gates` finds a gate that takes answers by the path of its graph and its name; `names` counts the gates that have had a name.
    """

    groups: MutableMapping[tuple[NodeId, int], tuple[NodeId, ...]]
    nodes: MutableMapping[NodeId, Planned]
    outside: MutableMapping[tuple[NodeId, int], tuple[NodeId, ...]]
    watchers: MutableMapping[NodeId, tuple[tuple[NodeId, int], ...]]
    scopes: MutableMapping[NodeId, Graph]
    members: MutableMapping[NodeId, tuple[NodeId, ...]]
    rounds: MutableMapping[NodeId, Round]
    wanted: MutableMapping[NodeId, None]
    gates: MutableMapping[tuple[str, str], NodeId]
    names: MutableMapping[str, NamedGates]

    INDEXES = tuple(__annotations__)
    __slots__ = (*INDEXES, "is_shared")

    def __init__(self) -> None:
        for index in self.INDEXES:
            setattr(self, index, {})
        self.is_shared = True

    @staticmethod
    def of(graph: Graph) -> "Plan":
        """Index a checked graph."""
        plan = Plan()
        plan._lay_out(ROOT, graph)
        return plan

    def shared(self) -> "Plan":
        """Return this plan, and change a copy instead from now on, so that others can keep it."""
        self.is_shared = True
        return self

    def growing(self) -> "Growth":
        """Return a view of this plan that one step may change."""
        return Growth(self)

    def settled(self) -> "Plan":
        """Return the plan with the changes of a step applied."""
        return self

    def path(self, scope: NodeId) -> str:
        """Return the prefix of the ids of a scope's nodes: its own id and, in a loop, the round, so that no two rounds share an id."""
        now = self.rounds.get(scope)
        return scope if now is None else f"{scope}~{now.number}"

    def absolute(self, scope: NodeId, node: NodeId) -> NodeId:
        """Return the id of a node of a scope's graph within the whole execution."""
        return NodeId(f"{self.path(scope)}/{node}") if scope else node

    def _lay_out(self, scope: NodeId, graph: Graph) -> None:
        path = self.path(scope)
        full = {id_: NodeId(f"{path}/{id_}") if scope else id_ for id_ in graph.nodes}
        needs = {full[id_]: _needs(full, node) for id_, node in graph.nodes.items()}
        dependents: dict[NodeId, list[NodeId]] = {id_: [] for id_ in needs}
        for id_, upstream in needs.items():
            for up in upstream:
                dependents[up].append(id_)
        groups: dict[tuple[NodeId, int], list[NodeId]] = {(scope, 0): []}
        for node in graph.nodes.values():
            id_ = full[node.id]
            holder = full[node.case.branch] if node.case else scope
            groups.setdefault((holder, node.case.index if node.case else 0), []).append(id_)
            own, others = needs[id_], tuple(dependents[id_])
            wants, kind = len(own) + 1, _kind(node)
            self.nodes[id_] = Planned(id_, node, scope, holder, own, others, wants, kind)
            if isinstance(node, InputNode | ApproveNode):
                known = self.names.get(node.name)
                self.gates[path, node.name] = id_
                self.names[node.name] = (
                    NamedGates(known.times + 1, known.first) if known else NamedGates(1, id_)
                )
        self.scopes[scope] = graph
        self.members[scope] = tuple(needs)
        self.groups.update({key: tuple(members) for key, members in groups.items()})
        self.wanted.update(dict.fromkeys(_sources(full, graph.outputs)))
        for node in graph.nodes.values():
            match node:
                case SubNode(graph=inner):
                    self._lay_out(full[node.id], inner)
                case BranchNode():
                    self._watch(full[node.id], full, node)
                case _:
                    pass

    def _watch(self, branch: NodeId, full: Mapping[NodeId, NodeId], node: BranchNode) -> None:
        for index, outputs in enumerate(case_outputs(node)):
            inside = self.groups.get((branch, index), ())
            sources = tuple(s for s in _sources(full, outputs) if s not in inside)
            if sources:
                self.outside[branch, index] = sources
            for source in sources:
                self.watchers[source] = (*self.watchers.get(source, ()), (branch, index))


class Growth(Plan):
    """A plan with the additions and removals of one step on top. The plan below does not change before `settled`."""

    __slots__ = ("_below",)

    def __init__(self, below: Plan) -> None:
        self._below = below
        self.is_shared = False
        for index in self.INDEXES:
            setattr(self, index, Overlay(getattr(below, index)))

    def growing(self) -> "Growth":
        """Return itself."""
        return self

    def settled(self) -> Plan:
        """Apply the changes to the plan below, or to a copy if it is shared, and return it."""
        plan = self._below
        if plan.is_shared:
            plan = Plan()
            plan.is_shared = False
            for index in self.INDEXES:
                setattr(plan, index, dict(getattr(self._below, index)))
        for index in self.INDEXES:
            getattr(self, index).settle(getattr(plan, index))
        return plan

    def unfold(self, node: NodeId, graph: Graph, now: Round | None) -> list[Planned]:
        """Lay a graph out under a node, replacing the one that is there; return the nodes that this removes."""
        gone = list(self._clear(node)) if node in self.scopes else []
        if now is not None:
            self.rounds[node] = now
        self._lay_out(node, graph)
        return gone

    def _clear(self, scope: NodeId) -> Iterator[Planned]:
        """Remove the graph under a node, and all that has unfolded in it. The names of its gates stay counted."""
        path = self.path(scope)
        self.rounds.pop(scope, None)
        del self.scopes[scope], self.groups[scope, 0]
        for id_ in self.members.pop(scope):
            planned = self.nodes.pop(id_)
            self.watchers.pop(id_, None)
            self.wanted.pop(id_, None)
            match planned.node:
                case InputNode(name=name) | ApproveNode(name=name):
                    del self.gates[path, name]
                case BranchNode(cases=cases):
                    for index in range(len(cases) + 1):
                        self.groups.pop((id_, index), None)
                        self.outside.pop((id_, index), None)
                case _ if id_ in self.scopes:
                    yield from self._clear(id_)
                case _:
                    pass
            yield planned


class Overlay(MutableMapping[K, V]):
    """A dict on top of another one, which does not change before `settle`."""

    __slots__ = ("_below", "_gone", "_set", "_size")

    def __init__(self, below: MutableMapping[K, V]) -> None:
        self._below = below
        self._gone: set[K] = set()
        self._set: dict[K, V] = {}
        self._size = len(below)

    def __getitem__(self, key: K) -> V:
        if key in self._set:
            return self._set[key]
        if key in self._gone:
            raise KeyError(key)
        return self._below[key]

    def __contains__(self, key: object) -> bool:
        return key in self._set or (key in self._below and key not in self._gone)

    def __setitem__(self, key: K, value: V) -> None:
        self._size += key not in self
        self._set[key] = value

    def __delitem__(self, key: K) -> None:
        self._size -= key in self
        self._set.pop(key, None)
        self._gone.add(key)

    def __iter__(self) -> Iterator[K]:
        fresh = self._set.keys() | self._gone
        yield from (key for key in self._below if key not in fresh)
        yield from self._set

    def __len__(self) -> int:
        return self._size

    def settle(self, into: dict[K, V]) -> None:
        """Apply the changes to a dict."""
        for key in self._gone:
            into.pop(key, None)
        into.update(self._set)


def _kind(node: Node) -> Kind:
    match node:
        case TaskNode():
            return TASK
        case SleepNode() | InputNode() | ApproveNode():
            return GATE
        case BranchNode() | SubNode():
            return HOLDER


def _sources(full: Mapping[NodeId, NodeId], exprs: Mapping[str, Expr]) -> tuple[NodeId, ...]:
    found = {
        full[ref.node]: None
        for expr in exprs.values()
        for ref in refs(expr)
        if isinstance(ref, OutputRef)
    }
    return tuple(found)


def _needs(full: Mapping[NodeId, NodeId], node: Node) -> tuple[NodeId, ...]:
    found = {full[up]: None for up in node.after}
    for expr in needed(node):
        for ref in refs(expr):
            match ref:
                case OutputRef():
                    found[full[ref.node]] = None
                case InputRef():
                    pass
    return tuple(found)
