"""The workflows that a store knows, each version of them."""

from typing import Protocol

from msgspec import Struct

from tidegate.ir.graph import Instant


class WorkflowRow(Struct, frozen=True):
    """One version of a workflow. `graph` is the encoded graph, `bundle` the digest of its code, `module` its main module."""

    id: int
    name: str
    version: str
    graph: bytes
    bundle: str
    module: str
    registered: Instant
    recorded: str = ""
    """The blob that records what the code imported when it was last registered; empty if that is not known."""


class Catalog(Protocol):
    """The registered workflows. Called from any thread. Errors: `StoreError`, `StoreFull`."""

    def put_workflow(self, row: WorkflowRow) -> WorkflowRow:
        """Store a version of a workflow (`row.id` is ignored) and return it as stored; the same name and version again returns the first, with the new record."""
        ...

    def workflow(self, workflow: int) -> WorkflowRow:
        """Return a workflow by its number."""
        ...

    def find_workflow(self, name: str, version: str | None = None) -> WorkflowRow | None:
        """Return a version of a workflow, by default the one registered last."""
        ...

    def versions(self, name: str, limit: int) -> list[WorkflowRow]:
        """Return the versions of a workflow, last registered first."""
        ...

    def workflows(self) -> list[WorkflowRow]:
        """Return the latest version of each workflow, by name."""
        ...
