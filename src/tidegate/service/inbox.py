"""The inbox: everything that waits for an answer, over all executions or in one, the soonest due first."""

import base64
import binascii

import msgspec

from tidegate.core.state import NodePhase
from tidegate.engine.memory import Programs, Snapshot, snapshot
from tidegate.errors import InvalidValue
from tidegate.ports.journal import Key, WaitRow
from tidegate.ports.listings import WaitQuery
from tidegate.ports.store import Store
from tidegate.service.executions import Executions, Places
from tidegate.service.views import waiting_view
from tidegate.wire import ANSWERABLE, InboxPage, ListInbox, WaitingView

MAX_PAGE = 500
NEVER_DUE = 2**62
"""What stands in a cursor for a wait without end."""


class Inbox:
    """What waits for people."""

    def __init__(self, store: Store, programs: Programs, executions: Executions) -> None:
        self._store = store
        self._programs = programs
        self._executions = executions

    def page(self, request: ListInbox, places: Places | None = None) -> InboxPage:
        """Return a page of what waits; in these places, if they are given."""
        limit = max(1, min(request.limit, MAX_PAGE))
        key = self._executions.row(request.execution).key if request.execution else None
        rows = self._store.waits(
            WaitQuery(
                kinds=_kinds(request.kind),
                key=key,
                workflow=request.workflow,
                project=request.project,
                domain=request.domain,
                text=request.text,
                after=_decoded(request.cursor),
                limit=limit + 1,
                places=places,
            )
        )
        page = rows[:limit]
        seen: dict[Key, Snapshot | None] = {}
        views = [view for row in page if (view := self._view(row, seen)) is not None]
        return InboxPage(items=views, next=_encoded(page[-1]) if len(rows) > limit else "")

    def _view(self, wait: WaitRow, seen: dict[Key, Snapshot | None]) -> WaitingView | None:
        if wait.key not in seen:  # an execution may have many waits on a page
            row = self._store.get(wait.key)
            seen[wait.key] = snapshot(self._store, self._programs, row) if row else None
        now = seen[wait.key]
        if now is None or now.state.node(wait.node).phase is not NodePhase.WAITING:
            return None  # it was answered between the two looks
        return waiting_view(now, wait.node)


def _kinds(kind: str) -> tuple[str, ...]:
    if kind and kind not in ANSWERABLE:
        raise InvalidValue(f"there is no kind {kind[:40]!r}; there are: {', '.join(ANSWERABLE)}")
    return (kind,) if kind else ANSWERABLE


def _encoded(row: WaitRow) -> str:
    due = NEVER_DUE if row.due is None else row.due
    body = msgspec.json.encode((due, row.opened, row.key, row.node))
    return base64.urlsafe_b64encode(body).decode()


def _decoded(cursor: str) -> tuple[int, int, int, str] | None:
    if not cursor:
        return None
    try:
        body = base64.urlsafe_b64decode(cursor)
        return msgspec.json.decode(body, type=tuple[int, int, int, str])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise InvalidValue(
            f"{cursor[:40]!r} is not a cursor; take the `next` of the page before"
        ) from None
