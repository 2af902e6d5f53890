"""
Recoveries: what an execution that failed or was aborted passes on to its successor, with the same code or with other code.

Under other code a result or an answer is kept if its node, what it takes and its signature or type are unchanged (`core.former`). Where the graph is not enough, the sources of both bundles decide: whether a signature has changed, and whether a dynamic task builds the same graph.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tidegate.bundles.definitions import Definitions
from tidegate.core.former import APPROVE, INPUT, SLEEP, TASK, target_of
from tidegate.core.history import from_bytes
from tidegate.core.inventory import Inventory
from tidegate.core.messages import Former, FormerNode, Reuse
from tidegate.core.plan import ROOT, Plan
from tidegate.core.recovery import ABORT, reusable, without_approvals
from tidegate.core.state import ExecutionPhase
from tidegate.engine.arrivals import NewExecution
from tidegate.engine.folds import Snapshot
from tidegate.engine.programs import Programs
from tidegate.errors import CodeError, Fault, InvalidValue
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import BranchNode, Graph, SubNode, TaskNode
from tidegate.ports.bundles import Bundles
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.journal import Journal
from tidegate.service.registry import Registry
from tidegate.wire import PreviewRecovery, Recover, Relaunch

RERUN, APPROVAL, SOURCE = "rerun", "approval", "source"
"""Why something is not kept: the caller asked for that, it approves other code, or it is a graph built by code that has changed."""

NAMED = 20
"""Most nodes that a message lists."""

_graphs = msgspec.msgpack.Decoder(Graph)


class Recovery(Struct, frozen=True):
    """A prepared recovery: of which execution, with which code and inputs, what is kept, and the nodes whose source has changed."""

    first: Snapshot
    workflow: WorkflowRow
    plan: Plan
    same_code: bool
    inputs: dict[str, Value]
    reuse: Reuse
    changed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


class Recovering:
    """Prepares recoveries; changes nothing."""

    def __init__(
        self,
        journal: Journal,
        programs: Programs,
        registry: Registry,
        bundles: Bundles,
        look: Callable[[str], Snapshot],
        complete: Callable[[Graph, dict[str, Value]], dict[str, Value]],
    ) -> None:
        self._journal = journal
        self._programs = programs
        self._registry = registry
        self._bundles = bundles
        self._look = look
        self._complete = complete

    def wanted(self, first: Snapshot, request: Relaunch | Recover) -> NewExecution:
        """Return the execution to launch, without its id. Errors: see `prepare`."""
        if isinstance(request, Recover):
            found = self.prepare(first, request)
            setting = first.state.setting
            recorded = setting.recorded if found.same_code else found.workflow.recorded
            return replace(
                _again(first, request, found.workflow.id, found.inputs),
                environment=recorded if setting.strict else "",
                reuse=found.reuse,
                recovers=first.row.key,
                version="" if found.same_code else found.workflow.version,
                approvals="kept" if request.keep_approvals and not found.same_code else "",
            )
        workflow, inputs = first.row.workflow, first.state.inputs
        if request.version or request.inputs:
            version = request.version or first.row.version
            row = self._registry.find(first.row.workflow_name, version)
            graph = self._registry.plan(row).scopes[ROOT]
            workflow, inputs = row.id, self._complete(graph, {**inputs, **request.inputs})
            if workflow != first.row.workflow and first.state.setting.strict:
                again = _again(first, request, workflow, inputs)
                return replace(again, environment=row.recorded)
        return _again(first, request, workflow, inputs)

    def prepare(self, first: Snapshot, request: Recover | PreviewRecovery) -> Recovery:
        """Return what a recovery would be. Errors: `UnknownWorkflow`, `CodeError`, `InvalidValue`."""
        own = self._registry.find(first.row.workflow_name, first.row.version)
        workflow = self._workflow(first, request, own)
        same_code = (workflow.bundle, workflow.graph) == (own.bundle, own.graph)
        plan = self._registry.plan(workflow) if workflow.id else _planned(workflow)
        aborted = first.state.phase is ExecutionPhase.ABORTED
        if request.keep_approvals and aborted:
            why = f"execution {first.row.id} was aborted, so its approvals are asked for again"
            raise InvalidValue(why, [Fault(("keep_approvals",), why)])
        if same_code and not request.rerun:
            reuse = reusable(first.plan, first.state, first.row.id)
            return Recovery(first, workflow, plan, same_code, first.state.inputs, reuse)
        inputs, notes = self._inputs(first, plan.scopes[ROOT])
        nodes = self._taken(first)
        rerun = _rerun(first, nodes, request.rerun)
        compared = _Compared(self._bundles, own.bundle, workflow.bundle, same=same_code)
        alike = _alike(compared, nodes, plan)
        kept_by = request.who if request.keep_approvals and not same_code else ""
        former = Former(
            [_kept(each, compared, alike, rerun, kept_by) for each in nodes],
            alike,
            kept_by,
            request.credential if kept_by else "",
            request.via if kept_by else "",
        )
        if aborted:
            former = without_approvals(former, ABORT)
        elif not same_code and not kept_by:
            former = without_approvals(former, APPROVAL)
        changed = frozenset(
            each.at
            for each in former.nodes
            if each.kind == TASK and each.outputs is not None and compared.differ(each.target)
        )
        reuse = Reuse(first.row.id, {}, {}, {}, former=former)
        return Recovery(first, workflow, plan, same_code, inputs, reuse, changed, notes)

    def _workflow(
        self, first: Snapshot, request: Recover | PreviewRecovery, own: WorkflowRow
    ) -> WorkflowRow:
        name = first.row.workflow_name
        if isinstance(request, PreviewRecovery) and request.bundle:
            module = request.module or own.module
            return self._registry.look_into(request.bundle, module, name, request.terminal)
        return self._registry.find(name, request.version) if request.version else own

    def _inputs(self, first: Snapshot, graph: Graph) -> tuple[dict[str, Value], tuple[str, ...]]:
        """Return the inputs under other code, and notes about them. Errors: `InvalidValue`."""
        there, given = graph.interface.inputs, first.state.inputs
        notes = [f"input {name!r} no longer exists" for name in given if name not in there]
        notes += [
            f"input {name!r} is new, and gets its default" for name in there if name not in given
        ]
        inputs = self._complete(
            graph, {name: each for name, each in given.items() if name in there}
        )
        return inputs, tuple(notes)

    def _taken(self, first: Snapshot) -> list[FormerNode]:
        """Record the nodes of an execution, including those of finished loop rounds, its own and those of its predecessors with the same code."""
        found = Inventory()
        line = [first]
        while (reuse := line[-1].state.reuse) is not None and reuse.rounds:
            line.append(self._look(reuse.origin))
        for each in reversed(line):
            if each.plan.rounds:
                lines = map(from_bytes, self._journal.history(each.row.key, 0))
                found.take_rounds(each.row.id, self._programs.get(each.row.workflow).plan, lines)
        return found.take(first.row.id, first.plan, first.state)


def _again(
    first: Snapshot, request: Relaunch | Recover, workflow: int, inputs: dict[str, Value]
) -> NewExecution:
    row = first.row
    return NewExecution(
        id="",
        workflow=workflow,
        inputs=inputs,
        who=request.who,
        via=request.via,
        credential=request.credential,
        project=row.project,
        domain=row.domain,
        reuse=Reuse(row.id, {}, {}, {}),
        launched_from=first.state.setting.launched_from,
        environment=first.state.setting.recorded if first.state.setting.strict else "",
    )


class _Compared:
    """The sources of two bundles. If one is missing, every source counts as changed, and every signature as unchanged."""

    def __init__(self, bundles: Bundles, old: str, new: str, *, same: bool) -> None:
        self._same = same
        self._old, self._new = _definitions(bundles, old), _definitions(bundles, new)

    def is_signature_kept(self, old: str, new: str) -> bool:
        """Return whether two tasks have the same inputs and outputs."""
        if self._same or self._old is None or self._new is None:
            return old == new
        before = self._old.signature(old)
        return before == self._new.signature(new) and (before is not None or old == new)

    def differ(self, old: str, new: str = "") -> bool:
        """Return whether the definition of a name has changed."""
        if self._same:
            return bool(new) and old != new
        if self._old is None or self._new is None:
            return True
        before = self._old.source(old)
        return before is None or before != self._new.source(new or old)


def _definitions(bundles: Bundles, digest: str) -> Definitions | None:
    try:
        return Definitions(bundles.tree(digest))
    except CodeError:
        return None


def _planned(workflow: WorkflowRow) -> Plan:
    return Plan.of(_graphs.decode(workflow.graph))


def _targets(graph: Graph) -> Iterator[tuple[str, bool]]:
    """Yield the Python names that a graph uses, and whether each one names a task."""
    for node in graph.nodes.values():
        target = target_of(node)
        if target:
            yield target, isinstance(node, TaskNode)
        if isinstance(node, SubNode):
            yield from _targets(node.graph)


def _alike(compared: _Compared, nodes: Sequence[FormerNode], plan: Plan) -> dict[str, list[str]]:
    """Map each task and type of the new code to those of the old code with the same signature or source."""
    old = {each.target: each.kind == TASK for each in nodes if each.target}
    old |= {name: task for each in nodes if each.graph for name, task in _targets(each.graph)}
    by_name: dict[tuple[str, bool], list[str]] = {}
    for target, is_task in old.items():
        by_name.setdefault((_last(target), is_task), []).append(target)
    found: dict[str, list[str]] = {}
    for new, is_task in {**old, **dict(_targets(plan.scopes[ROOT]))}.items():
        same = [
            each
            for each in by_name.get((_last(new), is_task), ())
            if (
                compared.is_signature_kept(each, new) if is_task else not compared.differ(each, new)
            )
        ]
        if same:
            found[new] = same
    return found


def _last(target: str) -> str:
    return target.rpartition(":")[2]


def _kept(
    node: FormerNode,
    compared: _Compared,
    alike: dict[str, list[str]],
    rerun: frozenset[str],
    kept_by: str,
) -> FormerNode:
    """Return a node reduced to what may be kept of it."""
    if node.at in rerun:
        return replace(node, outputs=None, answer=None, graph=None, dropped=RERUN)
    if node.graph is not None:
        # A kept graph runs tasks by the names that it contains.
        fits = all(name in alike.get(name, ()) for name, _ in _targets(node.graph))
        if not fits or compared.differ(node.target):
            return replace(node, graph=None, dropped=SOURCE)
    if node.kind == APPROVE and node.answer is not None and kept_by:
        return replace(node, answer=replace(node.answer, kept_by=kept_by))
    return node


def _rerun(first: Snapshot, nodes: Sequence[FormerNode], wanted: Sequence[str]) -> frozenset[str]:
    """Return the nodes that must run again. Errors: `InvalidValue`."""
    there: dict[str, FormerNode] = {each.at: each for each in nodes}
    found: set[str] = set()
    faults: list[Fault] = []
    for number, called in enumerate(wanted):
        planned = first.plan.nodes
        named = [id_ for id_, each in planned.items() if each.node.name == called]
        ids: list[str] = [called] if called in there or called in planned else [*named]
        why = _unfit(first, called, ids)
        if why:
            faults.append(Fault(("rerun", number), why))
            continue
        (id_,) = ids
        inside = there[id_].kind not in (TASK, INPUT, APPROVE, SLEEP)
        found.add(id_)
        if inside:
            found.update(at for at in there if at.startswith((f"{id_}/", f"{id_}~")))
    if faults:
        raise InvalidValue(faults[0].reason, faults)
    return frozenset(found)


def _unfit(first: Snapshot, called: str, ids: Sequence[str]) -> str:
    planned = first.plan.nodes
    if not ids:
        names = dict.fromkeys(each.node.name for each in planned.values())
        some = ", ".join(list(names)[:NAMED])
        return f"execution {first.row.id} has no node {called[:80]!r}; it has: {some or 'none'}"
    if len(ids) > 1:
        some = ", ".join(ids[:NAMED])
        return f"{len(ids)} nodes are called {called!r}; name one by its id: {some}"
    found = planned.get(NodeId(ids[0]))
    if found is not None and isinstance(found.node, BranchNode):
        return f"{called!r} is a branch, which is always decided again; name nodes in it"
    return ""
