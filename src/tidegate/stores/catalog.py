"""The catalog of workflows in SQL."""

from tidegate.errors import StoreDamaged, UnknownWorkflow
from tidegate.ports.catalog import WorkflowRow
from tidegate.stores.database import Database
from tidegate.stores.rows import workflow_bindings, workflow_row


class SqlCatalog:
    """A `Catalog`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def put_workflow(self, row: WorkflowRow) -> WorkflowRow:
        """Store a version of a workflow and return it as stored; the same name and version again returns the first."""
        bindings = workflow_bindings(row)
        with self._database.transaction() as connection:
            connection.execute(self._sql["add_graph"], bindings)
            connection.execute(self._sql["add_workflow"], bindings)
            stored = connection.execute(self._sql["find_workflow"], bindings).fetchall()
        if not stored:
            raise StoreDamaged(
                f"{self._database.name} does not return what it has stored: restore a copy"
            )
        return workflow_row(stored[0])

    def workflow(self, workflow: int) -> WorkflowRow:
        """Return a workflow by its number."""
        rows = self._database.rows(self._sql["workflow"], {"workflow": workflow})
        if not rows:
            raise UnknownWorkflow(
                f"the store {self._database.name} has no workflow number {workflow}"
            )
        return workflow_row(rows[0])

    def find_workflow(self, name: str, version: str | None = None) -> WorkflowRow | None:
        """Return a version of a workflow, by default the one registered last."""
        query = "latest_workflow" if version is None else "find_workflow"
        rows = self._database.rows(self._sql[query], {"name": name, "version": version})
        return workflow_row(rows[0]) if rows else None

    def versions(self, name: str, limit: int) -> list[WorkflowRow]:
        """Return the versions of a workflow, last registered first."""
        bindings = {"name": name, "limit": limit}
        return [workflow_row(row) for row in self._database.rows(self._sql["versions"], bindings)]

    def workflows(self) -> list[WorkflowRow]:
        """Return the latest version of each workflow, by name."""
        return [workflow_row(row) for row in self._database.rows(self._sql["workflows"], {})]
