"""The feed: what happens to all executions, or to one, in the order in which it was stored."""

from tidegate.core.history import from_bytes
from tidegate.ports.changes import FeedRow
from tidegate.ports.journal import Key
from tidegate.ports.store import Store
from tidegate.service.access import Place, Principal, sees
from tidegate.service.executions import Executions, event_view, no_such_execution
from tidegate.wire import FeedView

MAX_PAGE = 1_000


class Feed:
    """Everybody's history, from a place on."""

    def __init__(self, store: Store, executions: Executions) -> None:
        self._store = store
        self._executions = executions

    def last(self) -> int:
        """Return the place of the last event, 0 if there is none."""
        return self._store.last_place()

    def key(self, execution: str, principal: Principal) -> Key:
        """Return by what an execution is followed. Errors: `UnknownExecution`, also for one that may not be seen."""
        row = self._executions.row(execution)
        if not sees(principal, Place(row.project, row.domain)):
            raise no_such_execution(execution)
        return row.key

    def after(self, place: int, limit: int, key: Key | None = None) -> list[FeedView]:
        """Return the events after a place."""
        rows = self._store.feed(place, max(1, min(limit, MAX_PAGE)), key)
        return [feed_view(row) for row in rows]


def feed_view(row: FeedRow) -> FeedView:
    """Return one event as it is shown."""
    return FeedView(
        place=row.place,
        execution=row.id,
        workflow=row.workflow_name,
        project=row.project,
        domain=row.domain,
        event=event_view(row.seq, from_bytes(row.body)),
    )
