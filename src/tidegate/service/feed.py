"""The feed: events of all executions, or of one, in the order in which they were stored, after a cursor."""

from tidegate.core.history import from_bytes
from tidegate.engine.damage import Damage
from tidegate.errors import StoreDamaged
from tidegate.ports.changes import ChangeRow, Cursor
from tidegate.ports.journal import Key
from tidegate.ports.store import Store
from tidegate.service.access import Namespace, Principal, sees
from tidegate.service.events import damaged_event, event_line, within_bytes
from tidegate.service.executions import Executions, no_such_execution
from tidegate.wire import FeedView

MAX_PAGE = 1_000


class Feed:
    """The history of all executions, after a cursor."""

    def __init__(self, store: Store, executions: Executions, damage: Damage) -> None:
        self._journal = store.journal
        self._changes = store.changes
        self._executions = executions
        self._damage = damage

    def latest(self) -> Cursor:
        """Return the cursor after the last event."""
        return self._changes.latest()

    def resume(self, text: str) -> Cursor:
        """Return the cursor that a reader has kept; `0` is before the first event. Errors: `InvalidValue` if it is not a cursor."""
        return self._changes.resume(text)

    def key(self, execution: str, principal: Principal) -> Key:
        """Return the key by which an execution is followed. Errors: `UnknownExecution`, also for one that may not be seen."""
        row = self._executions.row(execution)
        if not sees(principal, Namespace(row.project, row.domain)):
            raise no_such_execution(execution)
        return row.key

    def after(self, cursor: Cursor, limit: int, key: Key | None = None) -> list[FeedView]:
        """Return up to `limit` events after a cursor; fewer if they are large."""

        def read(found: list[ChangeRow], count: int) -> list[ChangeRow]:
            return self._changes.after(found[-1].cursor if found else cursor, count, key)

        rows = within_bytes(read, lambda row: len(row.body), max(1, min(limit, MAX_PAGE)))
        return [self._view(row) for row in rows]

    def _view(self, row: ChangeRow) -> FeedView:
        try:
            event = event_line(row.seq, from_bytes(row.body))
        except StoreDamaged as error:
            why = StoreDamaged(f"line {row.seq}: {error.message}")
            named = self._damage.noticed(row.key, row.id, why)
            event = damaged_event(
                self._journal, self._executions.row(row.id), row.seq, named.message
            )
        return FeedView(
            cursor=row.cursor,
            execution=row.id,
            workflow=row.workflow_name,
            project=row.project,
            domain=row.domain,
            event=event,
        )
