"""
Executions: to launch one, look at it, wait for it, list them, end one.

A launch is idempotent by its id: the same content again gets the first execution, other content is refused.
"""

import base64
import re
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedLongEnough
from time import monotonic
from typing import Any, assert_never

from msgspec import Struct, structs, to_builtins

from tidegate.core.evaluate import same
from tidegate.core.history import from_bytes
from tidegate.core.messages import AbortRequested, AnswerGiven, Denied, TaskFailed
from tidegate.core.state import ExecutionPhase, Expanded, KeyKept, NodeChanged, PhaseChanged
from tidegate.engine.loop import Engine, Snapshot
from tidegate.errors import ExecutionEnded, Fault, IdTaken, InvalidValue, UnknownExecution
from tidegate.ir.expr import Value
from tidegate.ir.graph import Graph, Instant
from tidegate.ports import ExecutionQuery, ExecutionRow, Key, LaunchRow, Store, WaitQuery
from tidegate.service.registry import Registry
from tidegate.service.views import ANSWERABLE, execution_line, execution_view, is_quiet, moment
from tidegate.service.watch import Watch
from tidegate.types import text
from tidegate.wire import (
    Abort,
    Aborted,
    EventList,
    EventView,
    ExecutionPage,
    ExecutionView,
    GetExecution,
    Launch,
    ListEvents,
    ListExecutions,
)

ID_BYTES = 10
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
MAX_PAGE = 1_000
LEFT_OUT = frozenset({"at", "graph", "outputs", "failure"})
"""What of an event is not shown in the history, for it is large, or stored elsewhere."""
MAX_WAIT = 3_600.0
"""Seconds that one request may wait."""


class Look(Struct, frozen=True):
    """An execution at one moment: its row and its snapshot."""

    row: ExecutionRow
    now: Snapshot


class Executions:
    """The executions of a store."""

    def __init__(self, store: Store, engine: Engine, registry: Registry, watch: Watch) -> None:
        self._store = store
        self._engine = engine
        self._registry = registry
        self._watch = watch
        self._lock = threading.Lock()
        self._launching: dict[str, Future[Key]] = {}

    def launch(self, request: Launch) -> ExecutionView:
        """Launch an execution, or return the one that was launched with this id and this content before."""
        id_ = request.id or new_id()
        if not ID.match(id_):
            raise InvalidValue(
                f"the id {id_[:80]!r} cannot be used; take 1 to 64 letters, digits, '.', '_' and '-'"
            )
        workflow = self._registry.find(request.workflow, request.version)
        inputs = complete(self._registry.graph(workflow), request.inputs)
        row = LaunchRow(
            key=Key(0),
            id=id_,
            workflow=workflow.id,
            at=Instant(0),
            who=request.who,
            project=request.project,
            domain=request.domain,
        )
        with self._lock:
            under_way = self._launching.get(id_)
            known = under_way is not None or self._store.find(id_) is not None
            if not known:
                under_way = self._launching[id_] = self._engine.launch(row, inputs)
        try:
            if under_way is not None:
                under_way.result()
        finally:
            with self._lock:
                if not known:
                    del self._launching[id_]
        look = self.look(id_)
        if known:
            self._check_same(look, row, inputs)
        return self._view(look)

    def _check_same(self, look: Look, row: LaunchRow, inputs: dict[str, Value]) -> None:
        first = look.row
        differs = [
            name
            for name, equal in (
                ("workflow", first.workflow == row.workflow),
                ("inputs", same(look.now.state.inputs, inputs)),
                ("project", (first.project, first.domain) == (row.project, row.domain)),
            )
            if not equal
        ]
        if differs:
            raise IdTaken(
                f"execution {row.id!r} was launched before with another {' and another '.join(differs)} "
                f"({first.workflow_name} {first.version}); choose another id",
                differs=differs,
            )

    def get(self, request: GetExecution) -> ExecutionView:
        """Return an execution, at once or when what is waited for has come, or the time is up."""

        def reached(look: Look) -> bool:
            state = look.now.state
            quiet = request.until_waiting and is_quiet(look.now.plan, state)
            return quiet or state.phase.is_terminal

        return self._view(self._wait(request.id, request.wait, reached))

    def events(self, request: ListEvents) -> EventList:
        """Return the history of an execution, from a number on."""
        look = self._wait(request.id, request.wait, lambda look: look.now.seq > request.after)
        bodies = self._store.history(look.row.key)
        last = request.after + max(1, min(request.limit, MAX_PAGE))
        return EventList(
            items=[
                _event_view(number, body)
                for number, body in enumerate(bodies, start=1)
                if request.after < number <= last
            ]
        )

    def _wait(self, id_: str, seconds: float, reached: Callable[[Look], bool]) -> Look:
        if not 0 <= seconds <= MAX_WAIT:
            raise InvalidValue(f"wait must be between 0 and {MAX_WAIT:.0f} seconds, not {seconds}")
        until = monotonic() + seconds
        key = self.row(id_).key
        while True:
            token = self._watch.token(key)
            try:
                look = self.look(id_)
                rest = until - monotonic()
                if reached(look) or rest <= 0 or self._watch.is_closed:
                    return look
                token.result(rest)
            except WaitedLongEnough:
                return self.look(id_)
            finally:
                self._watch.drop(key, token)

    def list(self, request: ListExecutions) -> ExecutionPage:
        """List executions, newest first."""
        limit = max(1, min(request.limit, MAX_PAGE))
        rows = self._store.executions(
            ExecutionQuery(
                phases=tuple(_phase(name) for name in request.phases),
                workflow=request.workflow,
                project=request.project,
                domain=request.domain,
                text=request.text,
                before=_key(request.cursor),
                limit=limit + 1,
            )
        )
        page = rows[:limit]
        return ExecutionPage(
            items=[execution_line(row, self._waiting_names(row)) for row in page],
            next=_cursor(page[-1].key) if len(rows) > limit else "",
        )

    def _waiting_names(self, row: ExecutionRow) -> "list[str]":
        if row.phase.is_terminal:
            return []
        waits = self._store.waits(WaitQuery(kinds=ANSWERABLE, key=row.key))
        return [wait.name for wait in waits]

    def abort(self, request: Abort) -> Aborted:
        """End an execution. Errors: `ExecutionEnded` if it has ended in another way."""
        row = self.row(request.id)
        event = AbortRequested(
            at=Instant(0), reason=request.reason, who=request.who, via=request.via
        )
        reply = self._engine.submit(row.key, event).result()
        look = self.look(request.id)
        phase = look.now.state.phase
        if isinstance(reply, Denied) or phase is not ExecutionPhase.ABORTED:
            ended = look.now.state.ended
            when = f" at {moment(ended):%Y-%m-%d %H:%M:%S} UTC" if ended else ""
            raise ExecutionEnded(f"execution {row.id} has {phase.name.lower()} already{when}")
        return Aborted(execution=row.id, phase=phase.name)

    def row(self, id_: str) -> ExecutionRow:
        """Return the row of an execution. Errors: `UnknownExecution`."""
        row = self._store.find(id_)
        if row is None:
            raise UnknownExecution(f"there is no execution {id_[:80]!r}; tidegate list shows those there are")
        return row

    def look(self, id_: str) -> Look:
        """Return an execution as it is now. Errors: `UnknownExecution`."""
        row = self.row(id_)
        return Look(row, self._engine.view(row.key))

    def _view(self, look: Look) -> ExecutionView:
        return execution_view(look.row, look.now.plan, look.now.state)


def new_id() -> str:
    """Return a fresh id: 16 lower-case letters and digits, from 80 random bits."""
    return base64.b32encode(secrets.token_bytes(ID_BYTES)).decode().lower()


def complete(graph: Graph, given: dict[str, Value]) -> dict[str, Value]:
    """Check the inputs of a launch and fill in the defaults. Errors: `InvalidValue`, naming every input that is wrong."""
    params = graph.interface.inputs
    faults = [
        Fault((name,), f"there is no such input; there are: {', '.join(params) or 'none'}")
        for name in given
        if name not in params
    ]
    inputs: dict[str, Value] = {}
    for name, param in params.items():
        if name in given:
            found = text.faults(param.schema, given[name])
            faults.extend(structs.replace(fault, path=(name, *fault.path)) for fault in found)
            inputs[name] = given[name]
        elif param.default is not None:
            inputs[name] = param.default.value
        else:
            faults.append(Fault((name,), f"is missing; give {text.describe(param.schema)}"))
    if faults:
        raise InvalidValue(f"the inputs do not fit workflow {graph.name!r}", faults)
    return inputs


def _event_view(number: int, body: bytes) -> EventView:
    """Return a line of history: what the event says, and under `changes` the phase that each node came into."""
    line = from_bytes(body)
    event = line.event
    details: dict[str, Any] = {
        name: to_builtins(value)
        for name in event.__struct_fields__
        if name not in LEFT_OUT and (value := getattr(event, name)) not in ("", None)
    }
    moved: dict[str, str] = {}
    for change in line.changes:
        match change:
            case NodeChanged(node, state):
                moved[node] = state.phase.name
                if isinstance(event, AnswerGiven) and node == event.node and state.answer:
                    details["value"] = state.answer.value
                if isinstance(event, TaskFailed) and node == event.node and state.failure:
                    details["failure"] = state.failure.message
            case PhaseChanged(phase):
                details["phase"] = phase.name
            case Expanded() | KeyKept():
                pass
            case _:
                assert_never(change)
    if moved:
        details["changes"] = moved
    return EventView(seq=number, at=moment(event.at), kind=type(event).__name__, details=details)


def _phase(name: str) -> ExecutionPhase:
    try:
        return ExecutionPhase[name.upper()]
    except KeyError:
        there = ", ".join(phase.name for phase in ExecutionPhase)
        raise InvalidValue(f"there is no phase {name[:40]!r}; there are: {there}") from None


def _cursor(key: Key) -> str:
    return str(int(key))


def _key(cursor: str) -> Key | None:
    if not cursor:
        return None
    if not cursor.isdecimal() or len(cursor) > 18:
        raise InvalidValue(f"{cursor[:40]!r} is not a cursor; take the `next` of the page before")
    return Key(int(cursor))
