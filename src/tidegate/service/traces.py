"""
One trace for each execution, made from its history: a span for a node when it has ended, and one for the whole at the end.

No span is open while people think, and none is lost with a process that held it: what a line of history says is all there is to it. What was stored
while no server ran is not sent again.
"""

import logging
import threading
from collections.abc import Iterator

from tidegate.core.history import from_bytes
from tidegate.core.state import NodeChanged, NodeState, PhaseChanged
from tidegate.core.traces import span_of, trace_of
from tidegate.errors import StoreDamaged, TidegateError
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.parts import Part
from tidegate.ports.changes import ChangeRow, Changes, Cursor
from tidegate.ports.traces import Spans, TraceSpan
from tidegate.service.executions import Executions

PAGE = 500
"""Most lines of history read at once."""

PAUSE = 0.5
"""Seconds between two looks: what ends in between is sent together."""

KINDS = frozenset({"task", "approve", "input", "sleep"})
"""The kinds of nodes that have a span: the others only hold these."""

log = logging.getLogger(__name__)


class Traces:
    """Makes spans of what is stored from now on, of the executions that this server decides about."""

    def __init__(self, changes: Changes, executions: Executions, spans: Spans) -> None:
        self._changes = changes
        self._executions = executions
        self._spans = spans
        self._cursor: Cursor = changes.latest()
        self._more = threading.Event()

    def stir(self) -> None:
        """Note that something was stored."""
        self._more.set()

    def follow(self, part: Part) -> None:
        """Send spans, in this thread, until the part is stopped."""
        while not part.is_stopped:
            self._more.wait()
            self._more.clear()
            self.look()
            part.works()
            part.pause(PAUSE)
        self.look()
        self._spans.close()

    def look(self) -> None:
        """Send the spans of what was stored since the last call. Errors: `StoreError`."""
        while rows := self._changes.after(self._cursor, PAGE):
            self._cursor = rows[-1].cursor
            found = [
                span for row in rows if self._executions.serves(row.key) for span in self._of(row)
            ]
            if found:
                self._spans.send(found)

    def _of(self, row: ChangeRow) -> Iterator[TraceSpan]:
        try:
            line = from_bytes(row.body)
            for change in line.changes:
                if isinstance(change, NodeChanged) and change.state.phase.is_terminal:
                    yield from self._of_node(row, change.node, change.state)
                elif isinstance(change, PhaseChanged) and change.phase.is_terminal:
                    failure = "" if change.failure is None else change.failure.message
                    yield self._of_execution(row, line.event.at, change.phase.name, failure)
        except (StoreDamaged, TidegateError) as error:
            log.debug("no spans of execution %s: %s", row.id, error.message)

    def _of_execution(self, row: ChangeRow, ended: Instant, phase: str, failure: str) -> TraceSpan:
        stored = self._executions.row(row.id)
        return TraceSpan(
            trace=trace_of(row.id),
            id=span_of(row.id),
            parent=b"",
            name=row.workflow_name,
            began=stored.launched,
            ended=max(stored.launched, ended),
            failed="" if phase == "SUCCEEDED" else failure or phase,
            facts={
                "tidegate.execution": row.id,
                "tidegate.workflow": row.workflow_name,
                "tidegate.project": row.project,
                "tidegate.domain": row.domain,
                "tidegate.phase": phase,
                "tidegate.launched_by": stored.who,
            },
        )

    def _of_node(self, row: ChangeRow, id_: NodeId, state: NodeState) -> Iterator[TraceSpan]:
        if state.began is None or state.ended is None:
            return  # it was skipped, or withdrawn before it began
        now = self._executions.look(row.id)
        planned = now.plan.nodes.get(id_)
        kind = "" if planned is None else str(planned.node.__struct_config__.tag)
        if planned is None or kind not in KINDS:
            return
        facts: dict[str, str | int] = {
            "tidegate.execution": row.id,
            "tidegate.node": id_,
            "tidegate.kind": kind,
            "tidegate.attempt": state.attempt,
            "tidegate.phase": state.phase.name,
        }
        if state.answer is not None:
            facts["tidegate.answered_by"] = state.answer.who
            facts["tidegate.answered_via"] = state.answer.via
        yield TraceSpan(
            trace=trace_of(row.id),
            id=span_of(row.id, id_, state.attempt),
            parent=span_of(row.id),
            name=planned.node.name,
            began=state.began,
            ended=max(state.began, state.ended),
            failed="" if state.failure is None else state.failure.message,
            facts=facts,
        )
