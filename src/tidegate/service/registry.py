"""
Registering workflows: what a bundle's module holds, each under a name and a version.

A version is what people call it; if they do not, it is the beginning of the bundle's digest, so the same code is the same version.
"""

from collections.abc import Sequence
from difflib import get_close_matches

import msgspec

from tidegate.errors import CodeError, StoreDamaged, UnknownWorkflow
from tidegate.ir.graph import Graph, Instant
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.clock import Clock
from tidegate.ports.executor import Described, Executor
from tidegate.ports.store import Store
from tidegate.service.graphs import graph_views
from tidegate.service.views import workflow_view
from tidegate.wire import BrokenView, Register, WorkflowDetail, WorkflowList, WorkflowView

VERSION_LENGTH = 12
MAX_CACHED = 256
MAX_VERSIONS = 1_000


class Registry:
    """The workflows that a store knows."""

    def __init__(self, store: Store, executor: Executor, clock: Clock) -> None:
        self._store = store
        self._executor = executor
        self._clock = clock
        self._graphs: dict[int, Graph] = {}

    def register(self, request: Register) -> WorkflowList:
        """Register the workflows of a bundle's module, or those named by `only`."""
        found = self._executor.describe(request.bundle, request.module)
        if not found:
            raise CodeError(
                f"module {request.module!r} holds no workflow; decorate a function with @workflow"
            )
        named = [_named(name, found, request.module) for name in request.only]
        wanted = [each for them in named for each in them] or list(found)
        if broken := [each for each in wanted if each.error]:
            if request.only or len(broken) == len(wanted):
                raise CodeError(broken[0].error)
            wanted = [each for each in wanted if not each.error]
        version = request.version or request.bundle[:VERSION_LENGTH]
        rows = [
            self._store.put_workflow(
                WorkflowRow(
                    id=0,
                    name=each.name,
                    version=version,
                    graph=each.graph,
                    bundle=request.bundle,
                    module=request.module,
                    registered=Instant(self._clock.now()),
                )
            )
            for each in wanted
        ]
        return WorkflowList(
            items=[self.view(row) for row in rows],
            broken=[BrokenView(name=each.name, error=each.error) for each in broken],
        )

    def workflows(self) -> WorkflowList:
        """List the latest version of each workflow."""
        return WorkflowList(items=[self.view(row) for row in self._store.workflows()])

    def versions(self, name: str) -> WorkflowList:
        """List the versions of a workflow, the one registered last first. Errors: `UnknownWorkflow`."""
        rows = self._store.versions(name, MAX_VERSIONS)
        if not rows:
            self.find(name, "")
        return WorkflowList(items=[self.view(row) for row in rows])

    def detail(self, name: str, version: str) -> WorkflowDetail:
        """Return a version of a workflow with its graph. Errors: `UnknownWorkflow`."""
        row = self.find(name, version)
        return WorkflowDetail(workflow=self.view(row), nodes=graph_views(self.graph(row)))

    def find(self, name: str, version: str) -> WorkflowRow:
        """Return a version of a workflow, the latest if none is given. Errors: `UnknownWorkflow`."""
        row = self._store.find_workflow(name, version or None)
        if row is not None:
            return row
        if version and self._store.find_workflow(name) is not None:
            raise UnknownWorkflow(f"workflow {name!r} has no version {version!r}")
        raise no_such_workflow(name, [each.name for each in self._store.workflows()])

    def graph(self, row: WorkflowRow) -> Graph:
        """Return the graph of a stored workflow. Errors: `StoreDamaged`."""
        graph = self._graphs.get(row.id)
        if graph is None:
            try:
                graph = msgspec.msgpack.decode(row.graph, type=Graph)
            except msgspec.MsgspecError as error:
                raise StoreDamaged(
                    f"the graph of workflow {row.name!r} cannot be read: {error}"
                ) from error
            if len(self._graphs) >= MAX_CACHED:
                self._graphs.clear()
            self._graphs[row.id] = graph
        return graph

    def view(self, row: WorkflowRow) -> WorkflowView:
        """Return a stored workflow as it is shown."""
        return workflow_view(row, self.graph(row))


def _named(name: str, found: Sequence[Described], module: str) -> list[Described]:
    """Return the workflow that a name means: a whole name, a variable of the module, or the last part of a name. Errors: `UnknownWorkflow`, `CodeError`."""
    exact = [each for each in found if each.name == name]
    held = [each for each in found if each.variable == name]
    named = exact or held or [each for each in found if each.name.rpartition(".")[2] == name]
    if not named:
        raise no_such_workflow(name, [each.name for each in found], module)
    if len(named) > 1:
        raise CodeError(
            f"there are {len(named)} workflows named {name!r}; use a whole name: {', '.join(each.name for each in named)}"
        )
    return named


def no_such_workflow(name: str, there: Sequence[str], where: str = "") -> UnknownWorkflow:
    """Return the error that says which workflows there are, and which one may be meant."""
    short = [each.rpartition(".")[2] for each in there]
    close = get_close_matches(name, short, n=1) or get_close_matches(name, there, n=1)
    if close:
        hint = f"did you mean {close[0]!r}?"
    elif there:
        hint = f"there are: {', '.join(sorted(there)[:20])}"
    else:
        hint = "none is registered; tidegate run FILE registers those of a file"
    place = (
        f"module {where!r} has no workflow {name!r}" if where else f"there is no workflow {name!r}"
    )
    return UnknownWorkflow(f"{place}; {hint}", workflows=list(there)[:100])
