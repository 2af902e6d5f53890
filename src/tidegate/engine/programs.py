"""The most recently used workflows, decoded and planned once for all readers."""

import msgspec

from tidegate.core.plan import ROOT, Plan
from tidegate.engine.cache import Cache
from tidegate.errors import StoreDamaged, UnknownWorkflow
from tidegate.ir.graph import Graph
from tidegate.ports.catalog import Catalog, WorkflowRow

PROGRAMS = 64 * 1024 * 1024
"""Bytes of all programs kept: some 400 workflows of 100 nodes, or 5,000 of a few."""

BUNDLES, BUNDLE = 2 * 1024 * 1024, 200
"""Bytes of all digests of bundles kept, some 10,000, and of one."""

UNPACKED, AROUND = 12, 1_000
"""Bytes of memory for each byte of an encoded graph, and for each program (measured with tracemalloc: 7 to 14)."""

_graphs = msgspec.msgpack.Decoder(Graph)


class Program:
    """A registered workflow, ready to run: its plan, and the bundle with its code."""

    __slots__ = ("bundle", "name", "plan", "recorded", "version")

    def __init__(self, row: WorkflowRow, plan: Plan) -> None:
        self.name = row.name
        self.version = row.version
        self.bundle = row.bundle
        self.recorded = row.recorded
        self.plan = plan

    @property
    def graph(self) -> Graph:
        """The workflow's own graph."""
        return self.plan.scopes[ROOT]


class Programs:
    """The programs of a store. May be used from any thread."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._kept: Cache[int, Program] = Cache(PROGRAMS)
        self._bundles: Cache[int, str] = Cache(BUNDLES)

    def has(self, workflow: int) -> bool:
        """Whether a workflow need not be read."""
        return self._kept.get(workflow) is not None

    def bundle(self, workflow: int) -> str:
        """Return the bundle of a workflow, for lists: its graph is not decoded. Empty if it has none, or is not in the store."""
        found = self._bundles.get(workflow)
        if found is None:
            try:
                found = self._catalog.workflow(workflow).bundle
            except UnknownWorkflow:
                return ""
            self._bundles.put(workflow, found, BUNDLE)
        return found

    def get(self, workflow: int) -> Program:
        """Return a workflow by its number. Errors: `StoreDamaged`."""
        found = self._kept.get(workflow)
        if found is not None:
            return found
        try:
            row = self._catalog.workflow(workflow)
        except UnknownWorkflow as error:
            raise StoreDamaged(f"workflow number {workflow} is not in the store") from error
        return self.of(row)

    def of(self, row: WorkflowRow) -> Program:
        """Return a workflow that was read from the catalog. Errors: `StoreDamaged`."""
        found = self._kept.get(row.id)
        if found is not None:
            found.recorded = row.recorded  # it may have been registered again
            return found
        try:
            plan = Plan.of(_graphs.decode(row.graph))
        except (msgspec.DecodeError, LookupError) as error:
            raise StoreDamaged(
                f"the graph of workflow {row.name!r} cannot be read: {error}"
            ) from error
        program = Program(row, plan)
        self._kept.put(row.id, program, AROUND + UNPACKED * len(row.graph))
        return program
