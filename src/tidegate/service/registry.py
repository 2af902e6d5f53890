"""
Registering workflows: those that a bundle's module defines, each under a name and a version.

A version is a name chosen by people; without one it is the start of the bundle's digest, so the same code is the same version.
"""

from collections.abc import Sequence
from difflib import get_close_matches

from msgspec import structs

from tidegate.core.plan import Plan
from tidegate.engine.cache import Cache
from tidegate.engine.damage import REMEDY
from tidegate.engine.programs import Programs
from tidegate.errors import CodeError, StoreDamaged, UnknownTerminal, UnknownWorkflow
from tidegate.ir.expr import natural
from tidegate.ir.graph import Instant
from tidegate.ports.catalog import Catalog, WorkflowRow
from tidegate.ports.clock import Clock
from tidegate.ports.executor import Described, Executor
from tidegate.ports.terminals import Terminals
from tidegate.service.demands import notes
from tidegate.service.graphs import graph_views
from tidegate.service.views import workflow_view
from tidegate.wire import BrokenView, Register, WorkflowDetail, WorkflowList, WorkflowView

VERSION_LENGTH = 12
VIEWS = 32 * 1024 * 1024
"""Bytes of cached views: some 500 workflows of 100 nodes. A page requests all of them every few seconds."""

AROUND, UNPACKED = 2_000, 3
"""Bytes of a view, and per byte of the encoded graph: it has the interface and the gates, but no tasks."""
PER_NOTES = 200
"""Bytes of the notes on a workflow, without their text."""
MAX_VERSIONS = 1_000


class Registry:
    """The workflows that a store knows."""

    def __init__(
        self,
        catalog: Catalog,
        programs: Programs,
        executor: Executor,
        clock: Clock,
        terminals: Terminals | None = None,
    ) -> None:
        self._catalog = catalog
        self._programs = programs
        self._executor = executor
        self._terminals = terminals
        self._clock = clock
        self._views: Cache[int, WorkflowView] = Cache(VIEWS)
        self._notes: Cache[int, list[str]] = Cache(VIEWS)

    def register(self, request: Register) -> WorkflowList:
        """Register the workflows of a bundle's module, or those named by `only`. Errors: `CodeError`; `UnknownTerminal`."""
        found = self._described(request.bundle, request.module, request.terminal)
        if not found:
            raise CodeError(
                f"module {request.module!r} defines no workflow; decorate a function with @workflow"
            )
        named = [_named(name, found, request.module) for name in request.only]
        wanted = [each for them in named for each in them] or list(found)
        if broken := [each for each in wanted if each.error]:
            if request.only or len(broken) == len(wanted):
                raise CodeError(broken[0].error)
            wanted = [each for each in wanted if not each.error]
        version = request.version or request.bundle[:VERSION_LENGTH]
        rows = [
            self._catalog.put_workflow(
                WorkflowRow(
                    id=0,
                    name=each.name,
                    version=version,
                    graph=each.graph,
                    bundle=request.bundle,
                    module=request.module,
                    registered=Instant(self._clock.now()),
                    recorded=each.recorded,
                )
            )
            for each in wanted
        ]
        for row in rows:
            self._programs.of(row)
        return WorkflowList(
            items=[
                structs.replace(self.view(row), environment=each.recorded)
                for row, each in zip(rows, wanted, strict=True)
            ],
            broken=[BrokenView(name=each.name, error=each.error) for each in broken],
        )

    def _described(self, bundle: str, module: str, terminal: str) -> Sequence[Described]:
        """Have the module imported where its tasks are to run."""
        if not terminal:
            return self._executor.describe(bundle, module)
        if self._terminals is None:
            raise UnknownTerminal("no terminal serves this store: leave `terminal` out")
        return self._terminals.describe_there(terminal, bundle, module)

    def look_into(self, bundle: str, module: str, name: str, terminal: str) -> WorkflowRow:
        """Return a workflow of a bundle's module as it would be registered. Nothing is stored. Errors: `CodeError`, `UnknownWorkflow`."""
        (found,) = _named(name, self._described(bundle, module, terminal), module)
        if found.error:
            raise CodeError(found.error)
        version = bundle[:VERSION_LENGTH]
        now = Instant(self._clock.now())
        return WorkflowRow(0, found.name, version, found.graph, bundle, module, now)

    def workflows(self) -> WorkflowList:
        """List the latest version of each workflow."""
        return self._listed(sorted(self._catalog.workflows(), key=lambda row: natural(row.name)))

    def versions(self, name: str) -> WorkflowList:
        """List the versions of a workflow, last registered first. Errors: `UnknownWorkflow`."""
        rows = self._catalog.versions(name, MAX_VERSIONS)
        if not rows:
            self.find(name, "")
        return self._listed(rows)

    def _listed(self, rows: Sequence[WorkflowRow]) -> WorkflowList:
        """Return the views of workflows; one with a damaged graph is marked as such and does not hide the others."""
        items: list[WorkflowView] = []
        broken: list[BrokenView] = []
        for row in rows:
            try:
                items.append(self.view(row))
            except StoreDamaged as error:
                broken.append(BrokenView(name=row.name, error=f"{error.message}; {REMEDY}"))
        return WorkflowList(items=items, broken=broken)

    def detail(self, name: str, version: str) -> WorkflowDetail:
        """Return a version of a workflow with its graph. Errors: `UnknownWorkflow`."""
        row = self.find(name, version)
        return WorkflowDetail(workflow=self.view(row), nodes=graph_views(self.plan(row)))

    def find(self, name: str, version: str) -> WorkflowRow:
        """Return a version of a workflow, by default the latest. Errors: `UnknownWorkflow`."""
        row = self._catalog.find_workflow(name, version or None)
        if row is not None:
            return row
        if version and self._catalog.find_workflow(name) is not None:
            raise UnknownWorkflow(f"workflow {name!r} has no version {version!r}")
        raise no_such_workflow(name, [each.name for each in self._catalog.workflows()])

    def plan(self, row: WorkflowRow) -> Plan:
        """Return the plan of a stored workflow. Errors: `StoreDamaged`."""
        return self._programs.of(row).plan

    def notes(self, workflow: int) -> list[str]:
        """Return what a workflow's tasks request that cannot be provided here, one sentence each. Errors: `StoreDamaged`."""
        found = self._notes.get(workflow)
        if found is None:
            found = notes(self._programs.get(workflow).plan, self._executor.capacity)
            self._notes.put(workflow, found, PER_NOTES + sum(map(len, found)))
        return found

    def view(self, row: WorkflowRow) -> WorkflowView:
        """Return the view of a stored workflow. Errors: `StoreDamaged`."""
        view = self._views.get(row.id)
        if view is None:
            view = workflow_view(row, self.plan(row), self.notes(row.id))
            self._views.put(row.id, view, AROUND + UNPACKED * len(row.graph))
        return view


def _named(name: str, found: Sequence[Described], module: str) -> list[Described]:
    """Return the workflow that a name refers to: a full name, a variable of the module, or the last part of a name. Errors: `UnknownWorkflow`, `CodeError`."""
    exact = [each for each in found if each.name == name]
    held = [each for each in found if each.variable == name]
    named = exact or held or [each for each in found if each.name.rpartition(".")[2] == name]
    if not named:
        raise no_such_workflow(name, [each.name for each in found], module)
    if len(named) > 1:
        raise CodeError(
            f"{len(named)} workflows are named {name!r}; use the full name: {', '.join(each.name for each in named)}"
        )
    return named


def no_such_workflow(name: str, there: Sequence[str], where: str = "") -> UnknownWorkflow:
    """Return the error that lists the known workflows and suggests the closest one."""
    short = [each.rpartition(".")[2] for each in there]
    close = get_close_matches(name, short, n=1) or get_close_matches(name, there, n=1)
    if close:
        hint = f"did you mean {close[0]!r}?"
    elif there:
        hint = f"known workflows: {', '.join(sorted(there, key=natural)[:20])}"
    else:
        hint = "none is registered; `tidegate run FILE` registers those of a file"
    missing = f"module {where!r} has no workflow {name!r}" if where else f"no workflow {name!r}"
    return UnknownWorkflow(f"{missing}; {hint}", workflows=list(there)[:100])
