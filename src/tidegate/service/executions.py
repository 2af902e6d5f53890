"""
Executions: launch one, show it, wait for it, list them, end one.

A launch is idempotent by its id: the same content returns the first execution, different content is refused.
"""

import base64
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import islice
from time import monotonic
from typing import TypeVar

from msgspec import UNSET, structs

from tidegate.core.evaluate import same
from tidegate.core.messages import AbortRequested, Denied, Reuse
from tidegate.core.plan import ROOT
from tidegate.core.recovery import RECOVERABLE
from tidegate.core.state import ExecutionPhase
from tidegate.engine.arrivals import NewExecution
from tidegate.engine.cache import Cache, size_of
from tidegate.engine.folds import Folds, Snapshot, snapshot
from tidegate.engine.launches import recovered_already
from tidegate.engine.loop import Engine
from tidegate.engine.memory import LIGHT_BYTES
from tidegate.errors import (
    ExecutionEnded,
    Fault,
    IdTaken,
    InvalidValue,
    NotRecoverable,
    StoreDamaged,
    UnknownExecution,
)
from tidegate.ir.expr import Value
from tidegate.ir.graph import Graph, Instant
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.journal import ExecutionRow, Key
from tidegate.ports.listings import ExecutionQuery, Narrowing, Patterns
from tidegate.ports.store import Store
from tidegate.service.events import history_page
from tidegate.service.intake import Intake, is_costly, unfit
from tidegate.service.missing import Missing
from tidegate.service.moments import instant, moment, number
from tidegate.service.previews import preview
from tidegate.service.recovering import Recovering
from tidegate.service.registry import Registry
from tidegate.service.steps import ASIDE, Pause, Steps
from tidegate.service.views import (
    damaged_view,
    ended_as,
    execution_line,
    execution_view,
    is_quiet,
)
from tidegate.service.watch import Watch
from tidegate.types.schema import describe
from tidegate.wire import (
    Abort,
    Aborted,
    CheckInputs,
    CheckView,
    EventList,
    ExecutionPage,
    ExecutionView,
    GetExecution,
    Launch,
    ListEvents,
    ListExecutions,
    PreviewRecovery,
    Recover,
    RecoveryView,
    Relaunch,
)

ID_BYTES = 10
MAX_FAULTS = 20
"""Most unknown inputs that a refusal names."""
MAX_NAMES = 20
"""Names of open gates in a line of a list: more than fit on any line."""
KEYS, PER_KEY = 4 * 1024 * 1024, 200
"""Bytes of remembered ids and keys, and of one of them: some 20,000 executions."""

LIGHT_NODES = 200
"""Number of nodes from which a view is built off the event loop: measured, 10 us per node."""

T = TypeVar("T")


class Executions:
    """The executions of a store."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        registry: Registry,
        watch: Watch,
        intake: Intake,
        missing: Missing,
    ) -> None:
        self._journal = store.journal
        self._listings = store.listings
        self._engine = engine
        self._damage = engine.damage
        self._registry = registry
        self._watch = watch
        self._intake = intake
        self._missing = missing
        self._folds = Folds(store.journal, engine.programs, engine.damage)
        self._keys: Cache[str, Key] = Cache(KEYS)
        self.new_id = new_id
        """Draws the id of an execution whose caller gives none."""
        self._recovering = Recovering(
            store.journal,
            engine.programs,
            registry,
            missing.bundles,
            self.look,
            lambda graph, given: complete(graph, given, intake),
        )

    def launch(self, request: Launch) -> Steps[ExecutionView]:
        """Launch an execution, or return the one launched earlier with this id, workflow and inputs, even if the code has changed since."""
        id_ = request.id or self.new_id()
        workflow = self._registry.find(request.workflow, request.version)
        asked_again = partial(self._check_asked_again, request=request, workflow=workflow)
        first = self._journal.find(request.id) if request.id else None
        if first is not None:
            yield ASIDE
            return self._found(first, asked_again)
        if len(workflow.graph) > LIGHT_BYTES:
            yield ASIDE
        graph = self._registry.plan(workflow).scopes[ROOT]
        if takes_many_steps(graph, request.inputs):
            yield ASIDE
        inputs = complete(graph, request.inputs, self._intake)
        wanted = NewExecution(
            id=id_,
            workflow=workflow.id,
            inputs=inputs,
            who=request.who,
            via=request.via,
            credential=request.credential,
            project=request.project,
            domain=request.domain,
            fresh=not request.id,
            launched_from=request.launched_from,
            environment=self._intake.record(request.environment),
        )
        return (yield from self._launch(wanted, asked_again))

    def check(self, request: CheckInputs) -> CheckView:
        """Check the inputs of a launch. Errors: `UnknownWorkflow`."""
        workflow = self._registry.find(request.name, request.version)
        try:
            complete(self._registry.plan(workflow).scopes[ROOT], request.inputs, self._intake)
        except InvalidValue as error:
            return unfit(error)
        return CheckView(valid=True)

    def again(self, request: Relaunch | Recover) -> Steps[ExecutionView]:
        """
        Launch an execution again: from scratch, or, to recover it, with everything that has succeeded.

        If it has been recovered before, the last successor is recovered; the same new id again returns the same successor.
        Errors: `NotRecoverable` if the execution has not ended or has succeeded; `RecoveredAlready` if that is true of its successor.
        """
        id_ = request.new_id or self.new_id()
        first, successor = self.look(request.id), None
        if isinstance(request, Recover):
            first, successor = self._last_of(first, request.new_id)
            if successor is not None:
                return self._found(successor.row, lambda now: now.row.version)
        wanted = structs.replace(
            self._recovering.wanted(first, request), id=id_, fresh=not request.new_id
        )
        return (yield from self._launch(wanted, partial(_check_repeated, wanted=wanted)))

    def preview(self, request: PreviewRecovery) -> RecoveryView:
        """Return what a recovery would do. Errors: as of `again`."""
        first, _ = self._last_of(self.look(request.id), "")
        return preview(self._recovering.prepare(first, request))

    def _last_of(self, first: Snapshot, new_id: str) -> tuple[Snapshot, Snapshot | None]:
        """Return the execution to recover, the last in the chain of successors, and the one with this id if it is in the chain."""
        last = first
        while last.state.successor:
            last = self.look(last.state.successor)
            if new_id == last.row.id:
                return first, last
        phase = last.state.phase
        if phase in RECOVERABLE:
            return last, None
        why = f"{ended_as(phase)}" if phase.is_terminal else "has not ended yet"
        if last is not first:
            raise recovered_already(first.row.id, last.row.id, f", which {why}")
        raise NotRecoverable(
            f"execution {last.row.id} {why}; only one that failed or was aborted can be recovered"
        )

    def _launch(
        self, wanted: NewExecution, check: Callable[[Snapshot], str]
    ) -> Steps[ExecutionView]:
        placed = yield Pause(self._engine.launch(wanted))
        self._keys.put(wanted.id, placed.key, PER_KEY)
        nodes = len(self._engine.programs.get(wanted.workflow).plan.nodes)
        is_small = nodes <= LIGHT_NODES and size_of(wanted.inputs) <= LIGHT_BYTES
        if not placed.created or wanted.reuse is not None or not is_small:
            yield ASIDE
        row = self._journal.get(placed.key)
        if row is None:
            raise no_such_execution(wanted.id)
        if not placed.created:
            return self._found(row, check)
        # It has a line or two and may never be read again, so it is not cached.
        now = snapshot(self._journal, self._engine.programs, row)
        told = self._registry.notes(wanted.workflow)
        view = execution_view(now)
        return structs.replace(view, created=True, notes=told or UNSET, python=sys.executable)

    def _found(self, row: ExecutionRow, check: Callable[[Snapshot], str]) -> ExecutionView:
        """Return an existing execution. `check` returns the version requested now. Errors: those of `check`."""
        now = self._folds.get(row)
        asked = check(now)
        view = structs.replace(execution_view(now), created=False)
        return view if asked == row.version else structs.replace(view, asked_version=asked)

    def _check_asked_again(self, first: Snapshot, request: Launch, workflow: WorkflowRow) -> str:
        """Return the version that a launch means. Errors: `IdTaken` if the first launch differed."""
        row = first.row
        _check_namespace(row, request.project, request.domain)
        same_inputs = False
        if row.workflow_name == workflow.name:
            # An omitted input keeps the default it had at the first launch: the code may have another one by now.
            graph = self._engine.programs.get(row.workflow).graph
            with suppress(InvalidValue):
                same_inputs = same(
                    first.state.inputs, complete(graph, request.inputs, self._intake)
                )
        _refuse_other(
            row,
            workflow=row.workflow_name == workflow.name,
            inputs=same_inputs,
            origin=first.state.reuse is None,
        )
        return workflow.version

    def get(self, request: GetExecution) -> Steps[tuple[ExecutionView, Snapshot | None]]:
        """
        Return an execution and its version, at once, or when the awaited change has happened or the time is up.

        If its history cannot be read, return at once what is known: waiting cannot help.
        """

        def may_be_reached(phase: ExecutionPhase) -> bool:
            return phase.is_terminal or (request.until_waiting and phase is ExecutionPhase.WAITING)

        def look() -> tuple[bool, Snapshot | ExecutionView]:
            row = self.row(request.id)
            try:
                now = self._folds.get(row)
            except StoreDamaged as error:
                return True, damaged_view(row, error.message)
            return now.state.phase.is_terminal or (request.until_waiting and is_quiet(now)), now

        key = self.key(request.id)
        found = yield from self._wait(key, request.wait, may_be_reached, look)
        if isinstance(found, ExecutionView):
            return found, None
        return execution_view(found, request.after, request.questions), found

    def events(self, request: ListEvents) -> Steps[EventList]:
        """Return the history of an execution, from a number on."""
        key = self.key(request.id)

        def look() -> tuple[bool, None]:
            if self._journal.last_seq(key) > request.after or self._damage.is_unreadable(key):
                return True, None
            return self.row(request.id).phase.is_terminal, None

        yield from self._wait(key, request.wait, lambda _: True, look)
        row = self.row(request.id)
        items = history_page(self._journal, self._damage, row, request.after, request.limit)
        return EventList(items=items)

    def _wait(
        self,
        key: Key,
        seconds: float,
        matters: Callable[[ExecutionPhase], bool],
        look: Callable[[], tuple[bool, T]],
    ) -> Steps[T]:
        """Check after each relevant change until the execution is as wanted (the first of the pair), or the time is up."""
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
                yield Pause(token, rest)
                yield ASIDE
            finally:
                self._watch.drop(key, token)

    def page(self, request: ListExecutions, within: Patterns | None = None) -> ExecutionPage:
        """List executions, newest first; only those that match these patterns, if given."""
        query = ExecutionQuery(
            where=Narrowing(
                workflow=request.workflow,
                project=request.project,
                domain=request.domain,
                within=within,
                text=request.text,
            ),
            phases=tuple(_phase(name) for name in request.phases),
            endings=tuple(request.ends),
            since=instant("since", request.since),
            until=instant("until", request.until),
            before=_key(request.cursor),
            limit=request.limit + 1,
        )
        found = self._listings.executions(query)
        page = found.rows[: request.limit]
        more = page[-1].key if len(found.rows) > request.limit else found.rest
        open_ = [row.key for row in page if not row.phase.is_terminal]
        names = self._listings.waiting(open_, MAX_NAMES) if open_ else {}
        held = {each.job.key: each.why for each in self._engine.held()}
        codes = self._missing.codes()
        return ExecutionPage(
            items=[
                execution_line(
                    row,
                    names.get(row.key, []),
                    self._damage.why(row.key)
                    or ("" if row.phase.is_terminal else codes.lacks(row.workflow, row.id)),
                    held.get(row.key, ""),
                )
                for row in page
            ],
            next="" if more is None else str(more),
        )

    def abort(self, request: Abort) -> Steps[Aborted]:
        """End an execution. Errors: `ExecutionEnded` if it has already ended in another way."""
        row = self.row(request.id)
        event = AbortRequested(
            at=Instant(0),
            reason=request.reason,
            who=request.who,
            via=request.via,
            credential=request.credential,
        )
        reply = yield Pause(self._engine.submit(row.key, event))
        row = self.row(request.id)
        if isinstance(reply, Denied) or row.phase is not ExecutionPhase.ABORTED:
            when = f" at {moment(row.changed):%Y-%m-%d %H:%M:%S} UTC"
            raise ExecutionEnded(f"execution {row.id} {ended_as(row.phase)} already{when}")
        return Aborted(execution=row.id, phase=row.phase.name)

    def serves(self, key: Key) -> bool:
        """Return whether an execution is decided about here, and not at another server of this store."""
        return self._engine.sharing.serves(key)

    def is_there(self, id_: str) -> bool:
        """Return whether an execution with this id exists."""
        return self._journal.find(id_) is not None

    def row(self, id_: str) -> ExecutionRow:
        """Return the row of an execution. Errors: `UnknownExecution`."""
        row = self._journal.find(id_)
        if row is None:
            raise no_such_execution(id_)
        return row

    def key(self, id_: str) -> Key:
        """Return the key under which the engine knows an execution; it never changes. Errors: `UnknownExecution`."""
        key = self._keys.get(id_)
        if key is None:
            key = self.row(id_).key
            self._keys.put(id_, key, PER_KEY)
        return key

    def known_key(self, id_: str) -> Key | None:
        """Return the key of an execution that was asked for lately; None if it must be looked up."""
        return self._keys.get(id_)

    def look(self, id_: str) -> Snapshot:
        """Return the current state of an execution. Errors: `UnknownExecution`, `StoreDamaged`."""
        return self._folds.get(self.row(id_))


def no_such_execution(id_: str) -> UnknownExecution:
    """Return the error for an unknown execution id."""
    return UnknownExecution(f"no execution {id_[:80]!r}; run `tidegate list` to see them")


def _check_repeated(first: Snapshot, wanted: NewExecution) -> str:
    """Return the version of an execution that is launched again. Errors: `IdTaken` if the id belongs to a different launch."""
    row = first.row
    _check_namespace(row, wanted.project, wanted.domain)
    _refuse_other(
        row,
        workflow=row.workflow == wanted.workflow,
        inputs=same(first.state.inputs, wanted.inputs),
        origin=_origin(first.state.reuse) == _origin(wanted.reuse),
    )
    return row.version


def _check_namespace(row: ExecutionRow, project: str, domain: str) -> None:
    if (row.project, row.domain) != (project, domain):
        # It reveals nothing else: the caller may launch here without being allowed to see that execution.
        raise IdTaken(
            f"the id {row.id!r} is taken in another project or domain; choose another id",
            differs=["project"],
        )


def _refuse_other(row: ExecutionRow, **equal: bool) -> None:
    """Raise `IdTaken` if anything differs from the first launch."""
    differs = [what for what, is_same in equal.items() if not is_same]
    if differs:
        raise IdTaken(
            f"execution {row.id!r} ({row.workflow_name} {row.version}) already exists, launched with a different {', '.join(differs)}; choose "
            "another id",
            differs=differs,
        )


def _origin(reuse: Reuse | None) -> tuple[str, bool]:
    """Return the execution that this one was made from, and whether it keeps its results: that is how recovery and relaunch differ."""
    kept = reuse is not None and bool(
        reuse.outputs or reuse.answers or reuse.graphs or reuse.former
    )
    return "" if reuse is None else reuse.origin, kept


def new_id() -> str:
    """Return a new id: 16 lower-case letters and digits, from 80 random bits."""
    return base64.b32encode(secrets.token_bytes(ID_BYTES)).decode().lower()


def takes_many_steps(graph: Graph, given: dict[str, Value]) -> bool:
    """Return whether one of these inputs has a type that is expensive to check."""
    params = graph.interface.inputs
    return any(
        name in params and is_costly(params[name].schema, value) for name, value in given.items()
    )


def complete(graph: Graph, given: dict[str, Value], intake: Intake) -> dict[str, Value]:
    """Check the inputs of a launch and fill in the defaults. Errors: `InvalidValue`, naming every wrong input."""
    params = graph.interface.inputs
    there = ", ".join(params) or "none"
    unknown = (name for name in given if name not in params)
    faults = [
        Fault((name,), f"unknown input; the inputs are: {there}")
        for name in islice(unknown, MAX_FAULTS)
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
        raise InvalidValue(f"the inputs do not match workflow {graph.name!r}", faults)
    return inputs


def _phase(name: str) -> ExecutionPhase:
    try:
        return ExecutionPhase[name.upper()]
    except KeyError:
        there = ", ".join(phase.name for phase in ExecutionPhase)
        why = f"unknown phase {name[:40]!r}; the phases are: {there}"
        raise InvalidValue(why, [Fault(("phase",), why)]) from None


def _key(cursor: str) -> Key | None:
    found = number(cursor)
    return None if found is None else Key(found)
