"""
Executions: to launch one, look at it, wait for it, list them, end one.

A launch is idempotent by its id: the same content again gets the first execution, other content is refused.
"""

import base64
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeAlias, TypeVar, assert_never

from msgspec import structs, to_builtins

from tidegate.core.evaluate import same
from tidegate.core.history import Line, from_bytes
from tidegate.core.messages import AbortRequested, AnswerGiven, Denied, Reuse, TaskFailed
from tidegate.core.state import ExecutionPhase, Expanded, KeyKept, NodeChanged, PhaseChanged
from tidegate.core.step import reusable
from tidegate.engine.arrivals import NewExecution
from tidegate.engine.loop import Engine
from tidegate.engine.memory import Snapshot, snapshot
from tidegate.errors import (
    ExecutionEnded,
    Fault,
    IdTaken,
    InvalidValue,
    NotRecoverable,
    UnknownExecution,
)
from tidegate.ir.expr import Value
from tidegate.ir.graph import Graph, Instant
from tidegate.ports.journal import ExecutionRow, Key
from tidegate.ports.listings import ExecutionQuery, WaitQuery
from tidegate.ports.store import Store
from tidegate.service.intake import Intake
from tidegate.service.registry import Registry
from tidegate.service.steps import Pause, Steps
from tidegate.service.views import EPOCH, ended_as, execution_line, execution_view, is_quiet, moment
from tidegate.service.watch import Watch
from tidegate.types.schema import describe
from tidegate.wire import (
    ANSWERABLE,
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
    Recover,
    Relaunch,
)

ID_BYTES = 10
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
MAX_PAGE = 1_000
LEFT_OUT = frozenset({"at", "graph", "outputs", "failure", "took"})
"""What of an event is not shown in the history, for it is large, or stored elsewhere."""
MAX_KEYS = 10_000
"""How many ids are remembered with their keys."""
MAX_WAIT = 3_600.0
"""Seconds that one request may wait."""
GLANCE = 2.0
"""Seconds after which whoever waits looks again in any case: an engine that has died tells of no change."""

T = TypeVar("T")
Places: TypeAlias = tuple[tuple[str, str], ...]


class Executions:
    """The executions of a store."""

    def __init__(
        self, store: Store, engine: Engine, registry: Registry, watch: Watch, intake: Intake
    ) -> None:
        self._store = store
        self._engine = engine
        self._registry = registry
        self._watch = watch
        self._intake = intake
        self._keys: dict[str, Key] = {}

    def launch(self, request: Launch) -> Steps[ExecutionView]:
        """Launch an execution, or return the one that was launched with this id and this content before."""
        id_ = _usable_id(request.id)
        workflow = self._registry.find(request.workflow, request.version)
        inputs = complete(self._registry.graph(workflow), request.inputs, self._intake)
        wanted = NewExecution(
            id=id_,
            workflow=workflow.id,
            inputs=inputs,
            who=request.who,
            via=request.via,
            project=request.project,
            domain=request.domain,
            fresh=not request.id,
        )
        return (yield from self._place(wanted))

    def again(self, request: Relaunch | Recover) -> Steps[ExecutionView]:
        """
        Launch an execution again: with nothing of what it came to, or, to recover it, with all that has succeeded.

        Errors: `NotRecoverable` for an execution that has not ended, or has succeeded.
        """
        id_ = _usable_id(request.new_id)
        first = self.look(request.id)
        row, phase = first.row, first.state.phase
        reuse = Reuse(row.id, {}, {}, {})
        if isinstance(request, Recover):
            if not phase.is_terminal or phase is ExecutionPhase.SUCCEEDED:
                why = f"{ended_as(phase)} already" if phase.is_terminal else "has not ended yet"
                raise NotRecoverable(
                    f"execution {row.id} {why}; only one that failed or was aborted can be recovered"
                )
            reuse = reusable(first.plan, first.state, row.id)
        wanted = NewExecution(
            id=id_,
            workflow=row.workflow,
            inputs=first.state.inputs,
            who=request.who,
            via=request.via,
            project=row.project,
            domain=row.domain,
            fresh=not request.new_id,
            reuse=reuse,
        )
        return (yield from self._place(wanted))

    def _place(self, wanted: NewExecution) -> Steps[ExecutionView]:
        placed = yield Pause(self._engine.launch(wanted))
        self._remember(wanted.id, placed.key)
        now = self.look(wanted.id)
        if not placed.created:
            _check_same(now, wanted)
        return structs.replace(execution_view(now), created=placed.created)

    def get(self, request: GetExecution) -> Steps[ExecutionView]:
        """Return an execution, at once or when what is waited for has come, or the time is up."""

        def may_be_reached(phase: ExecutionPhase) -> bool:
            return phase.is_terminal or (request.until_waiting and phase is ExecutionPhase.WAITING)

        def look() -> tuple[bool, Snapshot]:
            now = self.look(request.id)
            return now.state.phase.is_terminal or (request.until_waiting and is_quiet(now)), now

        key = self.row(request.id).key
        return execution_view((yield from self._wait(key, request.wait, may_be_reached, look)))

    def events(self, request: ListEvents) -> Steps[EventList]:
        """Return the history of an execution, from a number on."""

        def look() -> tuple[bool, list[bytes]]:
            row = self.row(request.id)
            bodies = self._store.history(row.key)
            return len(bodies) > request.after or row.phase.is_terminal, bodies

        key = self.row(request.id).key
        bodies = yield from self._wait(key, request.wait, lambda _: True, look)
        last = request.after + max(1, min(request.limit, MAX_PAGE))
        return EventList(
            items=[
                event_view(number, from_bytes(body))
                for number, body in enumerate(bodies, start=1)
                if request.after < number <= last
            ]
        )

    def _wait(
        self,
        key: Key,
        seconds: float,
        matters: Callable[[ExecutionPhase], bool],
        look: Callable[[], tuple[bool, T]],
    ) -> Steps[T]:
        """Look, and look again after each change that matters, until it is as wanted (the first of the pair), or the time is up."""
        if not 0 <= seconds <= MAX_WAIT:
            raise InvalidValue(f"wait must be between 0 and {MAX_WAIT:.0f} seconds, not {seconds}")
        until = monotonic() + seconds
        while True:
            token = self._watch.token(key, matters)
            try:
                reached, found = look()
                rest = until - monotonic()
                if reached or rest <= 0 or self._watch.is_closed:
                    return found
                if self._engine.failure is not None:
                    raise self._engine.failure
                yield Pause(token, min(rest, GLANCE))
            finally:
                self._watch.drop(key, token)

    def page(self, request: ListExecutions, places: Places | None = None) -> ExecutionPage:
        """List executions, newest first; those in these places, if they are given."""
        limit = max(1, min(request.limit, MAX_PAGE))
        rows = self._store.executions(
            ExecutionQuery(
                phases=tuple(_phase(name) for name in request.phases),
                workflow=request.workflow,
                project=request.project,
                domain=request.domain,
                text=request.text,
                since=_instant(request.since),
                until=_instant(request.until),
                before=_key(request.cursor),
                limit=limit + 1,
                places=places,
            )
        )
        page = rows[:limit]
        return ExecutionPage(
            items=[execution_line(row, self._waiting_names(row)) for row in page],
            next=_cursor(page[-1].key) if len(rows) > limit else "",
        )

    def _waiting_names(self, row: ExecutionRow) -> list[str]:
        if row.phase.is_terminal:
            return []
        waits = self._store.waits(WaitQuery(kinds=ANSWERABLE, key=row.key))
        return [wait.name for wait in waits]

    def abort(self, request: Abort) -> Steps[Aborted]:
        """End an execution. Errors: `ExecutionEnded` if it has ended in another way."""
        row = self.row(request.id)
        event = AbortRequested(
            at=Instant(0), reason=request.reason, who=request.who, via=request.via
        )
        reply = yield Pause(self._engine.submit(row.key, event))
        state = self.look(request.id).state
        phase = state.phase
        if isinstance(reply, Denied) or phase is not ExecutionPhase.ABORTED:
            ended = state.ended
            when = f" at {moment(ended):%Y-%m-%d %H:%M:%S} UTC" if ended else ""
            raise ExecutionEnded(f"execution {row.id} {ended_as(phase)} already{when}")
        return Aborted(execution=row.id, phase=phase.name)

    def row(self, id_: str) -> ExecutionRow:
        """Return the row of an execution. Errors: `UnknownExecution`."""
        row = self._store.find(id_)
        if row is None:
            raise no_such_execution(id_)
        return row

    def key(self, id_: str) -> Key:
        """Return by what the engine knows an execution; this never changes. Errors: `UnknownExecution`."""
        key = self._keys.get(id_)
        return self._remember(id_, self.row(id_).key) if key is None else key

    def _remember(self, id_: str, key: Key) -> Key:
        if len(self._keys) >= MAX_KEYS:
            self._keys.clear()
        self._keys[id_] = key
        return key

    def look(self, id_: str) -> Snapshot:
        """Return an execution as it is now. Errors: `UnknownExecution`."""
        return snapshot(self._store, self._engine.programs, self.row(id_))


def no_such_execution(id_: str) -> UnknownExecution:
    """Return the error that says that there is no execution with this id."""
    return UnknownExecution(
        f"there is no execution {id_[:80]!r}; tidegate list shows those there are"
    )


def _check_same(first: Snapshot, wanted: NewExecution) -> None:
    row = first.row
    if (row.project, row.domain) != (wanted.project, wanted.domain):
        # Nothing is said of it: who launches here may not be allowed to see what is there.
        raise IdTaken(
            f"the id {row.id!r} is taken in another project or domain; choose another id",
            differs=["project"],
        )
    differs = [
        what
        for what, equal in (
            ("workflow or version", row.workflow == wanted.workflow),
            ("inputs", same(first.state.inputs, wanted.inputs)),
            ("origin", _origin(first.state.reuse) == _origin(wanted.reuse)),
        )
        if not equal
    ]
    if differs:
        raise IdTaken(
            f"execution {row.id!r} ({row.workflow_name} {row.version}) was launched before, and not with the same "
            f"{', '.join(differs)}; choose another id",
            differs=differs,
        )


def _origin(reuse: Reuse | None) -> tuple[str, bool]:
    """Return what an execution was made from, and whether it keeps anything of that: to begin again and to recover differ in it."""
    kept = reuse is not None and bool(reuse.outputs or reuse.answers or reuse.graphs)
    return "" if reuse is None else reuse.origin, kept


def _usable_id(given: str) -> str:
    """Return the id for a new execution. Errors: `InvalidValue`."""
    id_ = given or new_id()
    if not ID.match(id_):
        raise InvalidValue(
            f"the id {id_[:80]!r} cannot be used; take 1 to 64 letters, digits, '.', '_' and '-'"
        )
    return id_


def new_id() -> str:
    """Return a fresh id: 16 lower-case letters and digits, from 80 random bits."""
    return base64.b32encode(secrets.token_bytes(ID_BYTES)).decode().lower()


def complete(graph: Graph, given: dict[str, Value], intake: Intake) -> dict[str, Value]:
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
            found = intake.faults(param.schema, given[name])
            faults.extend(structs.replace(fault, path=(name, *fault.path)) for fault in found)
            inputs[name] = given[name]
        elif param.default is not None:
            inputs[name] = param.default.value
        else:
            faults.append(Fault((name,), f"is missing; give {describe(param.schema)}"))
    if faults:
        raise InvalidValue(f"the inputs do not fit workflow {graph.name!r}", faults)
    return inputs


def event_view(number: int, line: Line) -> EventView:
    """Return a line of history: what the event says, and under `changes` the phase that each node came into."""
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
        why = f"there is no phase {name[:40]!r}; there are: {there}"
        raise InvalidValue(why, [Fault(("phase",), why)]) from None


def _instant(at: datetime | None) -> Instant | None:
    if at is None:
        return None
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return Instant((aware - EPOCH) // timedelta(microseconds=1))


def _cursor(key: Key) -> str:
    return str(int(key))


def _key(cursor: str) -> Key | None:
    if not cursor:
        return None
    if not cursor.isdecimal() or len(cursor) > 18:
        raise InvalidValue(f"{cursor[:40]!r} is not a cursor; take the `next` of the page before")
    return Key(int(cursor))
