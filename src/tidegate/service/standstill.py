"""
How executions are shown while no process runs their store, after Ctrl-C or a crash: nothing is shown as running.

The stored phase is RUNNING until the next owner repeats the attempt. Until then, a reader sees that it was interrupted and how to continue, or, if it was held, why.
"""

from collections.abc import Sequence

from msgspec import structs

from tidegate.engine.folds import Snapshot
from tidegate.ports.executor import LEFT
from tidegate.ports.journal import HeldRow, Journal
from tidegate.service.moments import moment
from tidegate.wire import (
    ENDED,
    INTERRUPTED,
    ExecutionLine,
    ExecutionPage,
    ExecutionView,
    HeldView,
    NodeView,
)

QUEUED, RUNNING = "QUEUED", "RUNNING"


class Standstill:
    """Views of a store that no process runs."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def told(self, view: ExecutionView, now: Snapshot | None) -> ExecutionView:
        """Return the view of an execution in which nothing runs."""
        if view.phase in ENDED or now is None:
            return view
        held = {str(row.node): row for row in self._journal.held() if row.key == now.row.key}
        parents = {node.parent for node in view.nodes}
        nodes = [
            _stopped(node, held.get(node.id), view, is_leaf=node.id not in parents)
            for node in view.nodes
        ]
        phase = QUEUED if view.phase == RUNNING else view.phase
        return structs.replace(view, phase=phase, nodes=nodes)

    def page(self, page: ExecutionPage) -> ExecutionPage:
        """Return a page of executions, none of which runs."""
        return structs.replace(page, items=[_line(each) for each in page.items])

    def asked(self, phases: Sequence[str]) -> list[str]:
        """Return the stored phases that a filter selects: what is stored as RUNNING is shown as QUEUED."""
        stored = [phase for phase in phases if phase != RUNNING]
        return [*stored, RUNNING] if QUEUED in phases else stored


def _stopped(
    node: NodeView, held: HeldRow | None, view: ExecutionView, *, is_leaf: bool
) -> NodeView:
    if node.kind == "task" and is_leaf:
        if node.phase == RUNNING or (node.phase == QUEUED and node.attempts):
            return structs.replace(node, phase=QUEUED, held=_why(held, view))
    elif node.phase == RUNNING and view.phase == RUNNING:
        return structs.replace(node, phase=QUEUED)
    return node


def _why(held: HeldRow | None, view: ExecutionView) -> HeldView:
    if held is None or held.code == LEFT:
        return HeldView(code=INTERRUPTED, message=_told(view.id), since=view.changed)
    return HeldView(code=held.code, message=held.why, since=moment(held.since))


def _line(each: ExecutionLine) -> ExecutionLine:
    if each.phase != RUNNING:
        return each
    return structs.replace(each, phase=QUEUED, held=each.held or _told(each.id))


def _told(id_: str) -> str:
    return f"interrupted; continue with `tidegate resume {id_}`"
