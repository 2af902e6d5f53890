"""
Results of former code: which node of a recovered execution corresponds to which node of this one, and whether it is unchanged.

Node ids do not help here: they are numbered in the order of the author's calls, so one more call in a workflow shifts those after it. A node is matched
with one of the same kind and name in the matched graph: the one that takes the same constants and outputs of the same nodes. Those left over are matched
in order. A result is kept if the signature and the input values are the same, whichever node with that name in that graph it belongs to.

Rule 1: values are compared when a node begins. So what depends on a task that runs again runs again only if that task returns something different.
Rule 2: a result is reused by one node only. If two calls replace one, one of them keeps the result, and the other runs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from msgspec import json

from tidegate.core.draft import Draft
from tidegate.core.evaluate import NoValue, evaluate
from tidegate.core.messages import AnswerRecord, Former, FormerNode
from tidegate.core.plan import ROOT, Plan, Planned
from tidegate.core.state import QUEUED, ExecutionState, NodeState
from tidegate.ir.expr import (
    Const,
    DictExpr,
    Expr,
    InputRef,
    ListExpr,
    NodeId,
    OutputRef,
    Value,
)
from tidegate.ir.graph import (
    ApproveNode,
    BranchNode,
    Graph,
    InputNode,
    Node,
    Question,
    SleepNode,
    SubNode,
    TaskNode,
)

SIZE: Final = 16
FORMERS: Final = 4
"""Recovered executions whose nodes stay indexed: those that are making progress at the moment."""
PAIRINGS: Final = 256
"""Pairs of graphs per recovered execution whose matches are cached: more than are in progress at a time."""

TASK, SLEEP, INPUT, APPROVE, BRANCH, WORKFLOW = (
    "task",
    "sleep",
    "input",
    "approve",
    "branch",
    "workflow",
)

_encode = json.Encoder(order="sorted").encode


class Match(NamedTuple):
    """The node that a node is matched with; `same` says whether its signature and its values are unchanged."""

    node: FormerNode
    same: bool


def find(draft: Draft, planned: Planned) -> Match | None:
    """Return the node of the recovered execution that matches a node that begins now."""
    former = None if draft.reuse is None else draft.reuse.former
    path = None if former is None else _path(draft, planned.scope)
    if former is None or path is None or kind_of(planned.node) == BRANCH:
        return None
    pairs = _paired(former, path, draft.plan.scopes[planned.scope])
    own, node = pairs.of.get(planned.node.id), planned.node
    means, target = meanings(draft.plan, draft, planned), target_of(node)
    if own is not None and _is_free(draft, own) and _is_same(former, own, means, target):
        return Match(own, same=True)
    for meant in means:
        for each in pairs.meant.get((kind_of(node), node.name, meant), ()):
            taken = each.at in pairs.sure or not _is_free(draft, each)
            if not taken and _is_same(former, each, means, target):
                return Match(each, same=True)
    if own is not None and is_holder(node):
        return Match(own, same=False)
    return None


def answer_to(draft: Draft, node: NodeId, now: NodeState) -> AnswerRecord | None:
    """Return the answer that a gate has, or will certainly keep once it opens."""
    told = draft.answer_to(node, now)
    if told is not None or now.phase is not QUEUED or draft.reuse is None:
        return told
    found = find(draft, draft.plan.nodes[node])
    return found.node.answer if found is not None and found.same else None


def key_of(former: Former | None, origin: str, task: TaskNode, inputs: dict[str, Value]) -> str:
    """Return the idempotency key that a task takes over from the node it is matched with, or an empty string."""
    known = None if former is None or not origin else _indexed(_Same(former)).by_id.get(origin)
    if known is None or former is None:
        return ""
    means = (_task_meaning(task, inputs),)
    return known.key if _is_same(former, known, means, str(task.target)) else ""


def node_at(former: Former, at: str) -> FormerNode | None:
    """Return a node of the recovered execution by its id."""
    return _indexed(_Same(former)).by_id.get(at)


def counterpart(former: Former, path: str, graph: Graph, node: NodeId) -> FormerNode | None:
    """Return the match of a graph's node, whatever its values are; `path` is the path of the matched graph."""
    return _paired(former, path, graph).of.get(node)


def path_of(draft: Draft, scope: NodeId) -> str | None:
    """Return the path of the graph that a graph of this execution is matched with; None if there is none."""
    return _path(draft, scope)


def kind_of(node: Node) -> str:
    """Return the kind of a node."""
    match node:
        case TaskNode():
            return TASK
        case SleepNode():
            return SLEEP
        case InputNode():
            return INPUT
        case ApproveNode():
            return APPROVE
        case BranchNode():
            return BRANCH
        case SubNode():
            return WORKFLOW


def is_holder(node: Node) -> bool:
    """Return whether a node contains a graph, or may come to contain one."""
    return isinstance(node, SubNode) or (isinstance(node, TaskNode) and node.dynamic)


def target_of(node: Node) -> str:
    """Return the Python name of a task, or of the type of an answer."""
    match node:
        case TaskNode(target=target):
            return str(target)
        case InputNode(python=python) if python is not None:
            return str(python)
        case _:
            return ""


def meanings(plan: Plan, state: Draft | ExecutionState, planned: Planned) -> tuple[bytes, ...]:
    """
    Return the digests of a node's signature and its input values; none if a value is not known.

    An input gate has a second digest, of its type alone: that is all that an early answer, given before the gate opened, answers.
    """
    node, scope = planned.node, planned.scope
    try:
        match node:
            case TaskNode(inputs=exprs):
                return (_task_meaning(node, _values(plan, state, scope, exprs)),)
            case SubNode(inputs=exprs):
                return (_digest([WORKFLOW, _values(plan, state, scope, exprs)]),)
            case SleepNode(duration=duration):
                return (_digest([SLEEP, duration]),)
            case InputNode(schema=schema, question=question):
                shown = _values(plan, state, scope, _shown(question))
                return _digest([INPUT, schema, shown]), _digest([INPUT, schema])
            case ApproveNode(schema=schema, question=question, subject=subject):
                shown = _values(plan, state, scope, {**_shown(question), "": subject})
                return (_digest([APPROVE, schema, question.prompt, shown]),)
            case BranchNode():
                return ()
    except NoValue:
        return (_digest([INPUT, node.schema]),) if isinstance(node, InputNode) else ()


def early_meaning(node: InputNode) -> bytes:
    """Return the digest that identifies what an early answer answers: the type of its gate."""
    return _digest([INPUT, node.schema])


def positions(graph: Graph) -> dict[NodeId, bytes]:
    """Return a digest for each node of a graph that does not depend on its position: of its kind, its name and its inputs; duplicates are numbered."""
    found: dict[NodeId, bytes] = {}
    counts: dict[bytes, int] = defaultdict(int)
    for id_, node in graph.nodes.items():
        made = {name: _form(graph, found, expr) for name, expr in _exprs(node).items()}
        form = _digest([kind_of(node), node.name, made])
        found[id_] = _digest([form.hex(), counts[form]])
        counts[form] += 1
    return found


# ---- matching ----


class _Same:
    """A cache key that compares by identity: graphs contain unhashable values, and comparing them by value would be slow."""

    __slots__ = ("it",)

    def __init__(self, it: Former | Graph) -> None:
        self.it = it

    def __hash__(self) -> int:
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.it is self.it


class _Pairs(NamedTuple):
    """
    The nodes of a graph and their matches.

    `sure` are matches with the same inputs; no other node may reuse their results. `meant` finds nodes by kind, name and meaning.
    """

    of: Mapping[NodeId, FormerNode]
    sure: frozenset[str]
    meant: Mapping[tuple[str, str, bytes], list[FormerNode]]


class _Index(NamedTuple):
    by_id: Mapping[str, FormerNode]
    by_scope: Mapping[str, list[FormerNode]]
    pairs: dict[tuple[str, _Same], _Pairs]


@lru_cache(FORMERS)
def _indexed(same: _Same) -> _Index:
    former = same.it
    assert isinstance(former, Former)
    by_scope: dict[str, list[FormerNode]] = defaultdict(list)
    for each in former.nodes:
        by_scope[each.scope].append(each)
    return _Index({each.at: each for each in former.nodes}, by_scope, {})


def _paired(former: Former, path: str, graph: Graph) -> _Pairs:
    index, key = _indexed(_Same(former)), (path, _Same(graph))
    found = index.pairs.get(key)
    if found is None:
        if len(index.pairs) >= PAIRINGS:
            index.pairs.clear()
        found = index.pairs[key] = _matched(index.by_scope.get(path, []), graph)
    return found


def _matched(there: Sequence[FormerNode], graph: Graph) -> _Pairs:
    own = positions(graph)
    by_position = {each.position: each for each in reversed(there)}
    found = {id_: by_position[position] for id_, position in own.items() if position in by_position}
    sure = frozenset(each.at for each in found.values())
    rest: dict[tuple[str, str], list[FormerNode]] = defaultdict(list)
    meant: dict[tuple[str, str, bytes], list[FormerNode]] = defaultdict(list)
    for each in there:
        meant[each.kind, each.name, each.meant].append(each)
        if each.at not in sure:
            rest[each.kind, each.name].append(each)
    for left in rest.values():
        left.reverse()
    for id_, node in graph.nodes.items():
        left = rest.get((kind_of(node), node.name), [])
        if id_ not in found and left:
            found[id_] = left.pop()
    return _Pairs(found, sure, meant)


def _path(draft: Draft, scope: NodeId) -> str | None:
    if scope == ROOT:
        return ""
    origin = draft.node(scope).origin
    now = draft.plan.rounds.get(scope)
    return (origin if now is None else f"{origin}~{now.number}") if origin else None


def _is_free(draft: Draft, node: FormerNode) -> bool:
    return draft.matched_with(node.at) is None


def _is_same(former: Former, node: FormerNode, means: Iterable[bytes], target: str) -> bool:
    alike = node.target in former.alike.get(target, ()) if target else not node.target
    return alike and node.meant in means


# ---- a node's inputs, as expressions and as values ----


def _task_meaning(task: TaskNode, inputs: dict[str, Value]) -> bytes:
    return _digest([TASK, task.name, task.dynamic, task.outputs, inputs])


def _shown(question: Question) -> dict[str, Expr]:
    shown = {f"show.{name}": expr for name, expr in question.show.items()} | question.listed()
    return shown if question.suggested is None else {**shown, "suggested": question.suggested}


def _exprs(node: Node) -> Mapping[str, Expr]:
    match node:
        case TaskNode(inputs=exprs) | SubNode(inputs=exprs):
            return exprs
        case InputNode(question=question):
            return _shown(question)
        case ApproveNode(question=question, subject=subject):
            return {**_shown(question), "": subject}
        case SleepNode(duration=duration):
            return {"": Const(duration)}
        case BranchNode():
            return {}


def _form(graph: Graph, known: Mapping[NodeId, bytes], expr: Expr) -> object:
    """Return an expression with positions of nodes in place of their ids."""
    match expr:
        case Const(value):
            return ["const", value]
        case InputRef(name, path):
            return ["input", name, path]
        case OutputRef(node, output, path):
            # A graph that was not traced may refer to a node before it lists it.
            position = known[node].hex() if node in known else graph.nodes[node].name
            return ["output", position, output, path]
        case ListExpr(items):
            return ["list", [_form(graph, known, each) for each in items]]
        case DictExpr(parts):
            return ["dict", {key: _form(graph, known, each) for key, each in parts.items()}]


def _values(
    plan: Plan, state: Draft | ExecutionState, scope: NodeId, exprs: Mapping[str, Expr]
) -> dict[str, Value]:
    return {name: evaluate(plan, state, scope, expr) for name, expr in exprs.items()}


def _digest(parts: object) -> bytes:
    return blake2b(_encode(parts), digest_size=SIZE).digest()
