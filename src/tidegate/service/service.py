"""
The use cases behind every door: one request in, one view out, or an error of `tidegate.errors`.

It may be called from any thread. It decides nothing about an execution: the machine does, on the engine's thread.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeAlias, TypeVar, assert_never

from msgspec import structs

from tidegate import wire
from tidegate.engine.loop import Engine
from tidegate.errors import Overloaded, QuotaReached, TablesMissing
from tidegate.ports.artifacts import Artifacts
from tidegate.ports.clock import Clock
from tidegate.ports.executor import Executor
from tidegate.ports.listings import Patterns
from tidegate.ports.store import Store
from tidegate.ports.tables import Tables
from tidegate.ports.terminals import Terminals
from tidegate.ports.traces import Spans
from tidegate.service.access import LOCAL, Principal, Right, visible
from tidegate.service.admission import admit
from tidegate.service.attempts import Attempts
from tidegate.service.audit import AuditLog
from tidegate.service.codes import OneTimeCodes
from tidegate.service.deciders import Deciders
from tidegate.service.executions import Executions, new_id, no_such_execution
from tidegate.service.feed import Feed
from tidegate.service.gathering import gathered
from tidegate.service.gauges import Gauges
from tidegate.service.inbox import Inbox
from tidegate.service.intake import Intake
from tidegate.service.missing import Missing
from tidegate.service.queued import Queued
from tidegate.service.quotas import Quotas
from tidegate.service.registry import Registry
from tidegate.service.replicas import Replicas
from tidegate.service.rounds import Rounds
from tidegate.service.sessions import Sessions
from tidegate.service.signals import Signals
from tidegate.service.standstill import Standstill
from tidegate.service.steps import ASIDE, Steps, carry_out
from tidegate.service.tokens import Tokens
from tidegate.service.traces import Traces
from tidegate.service.watch import Watch
from tidegate.wire import Ask, Checked, Request, check, view_of

V = TypeVar("V")

AccessRequest: TypeAlias = (
    wire.MakeToken
    | wire.ListTokens
    | wire.RevokeToken
    | wire.RotateToken
    | wire.MakeCode
    | wire.ListSessions
    | wire.EndSession
    | wire.ListAudit
    | wire.ListReplicas
)

LAUNCHES = (wire.Launch, wire.Relaunch, wire.Recover)

WITH_LAST = 100
"""Workflows in a list whose newest execution is read, too: a few screens of them."""

RETURN = 5
"""Seconds after which a caller refused by a stopping server should retry: by then its successor is up, or another replica is chosen."""


class Service:
    """
    What Tidegate does for its callers.

    `watch` lets a door wait for changes without a thread, `tokens` and `sessions` identify callers, `audit` records refusals, `feed` is the history of all executions, `gauges` is for operators;
    `blobs`, `bundles` and `uploads` are for doors that transfer files, `terminals` for terminals that serve an execution (None where there are none).
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        executor: Executor,
        artifacts: Artifacts,
        clock: Clock,
        terminals: Terminals | None = None,
    ) -> None:
        self.watch = Watch()
        self.parts = engine.parts
        self.tokens = Tokens(store.access, clock, self.parts.part("token-uses", tidies=True))
        self.sessions = Sessions(store.access, clock, self.tokens)
        self.codes = OneTimeCodes(clock)
        self.audit = AuditLog(store.audit, clock, self.parts.part("audit", tidies=True))
        self.blobs = artifacts.blobs
        self.bundles = artifacts.bundles
        self.uploads = artifacts.uploads
        self._tables = artifacts.tables
        intake = Intake(artifacts.blobs)
        self._registry = Registry(store.catalog, engine.programs, executor, clock, terminals)
        self.terminals = terminals
        self._standstill = Standstill(store.journal)
        self.is_run = True
        """Whether this process, or another one, runs the store; if not, nothing is shown as running."""
        self._missing = missing = Missing(artifacts, engine.programs, engine.damage)
        self._executions = Executions(store, engine, self._registry, self.watch, intake, missing)
        queued = Queued(engine, executor, self._executions, clock)
        self._attempts = Attempts(queued, artifacts, self._executions)
        self._rounds = Rounds(store.journal, engine.programs, self._executions)
        self.replicas = Replicas(store.shares, self._executions, new_id)
        self._executions.new_id = self.replicas.new_id
        store.on_access(self._forget_access)
        self._signals = Signals(engine, self._executions, intake, executor)
        self._inbox = Inbox(store.listings, engine, self._executions, missing, clock, self._rounds)
        self.feed = Feed(store, self._executions, engine.damage)
        self.gauges = Gauges(store, engine, executor)
        self.quotas = Quotas(store.changes, artifacts.blobs)
        self._engine = engine
        self._changes = store.changes
        store.changes.subscribe(self.parts.part("watch").guard(self.watch.changed))
        engine.on_end(self.watch.wake)

    @property
    def tables(self) -> Tables:
        """What reads rows of large values. Errors: `TablesMissing` where nothing does."""
        if self._tables is None:
            raise TablesMissing("rows of large tables are read by `tidegate serve` only")
        return self._tables

    def _forget_access(self) -> None:
        self.tokens.forget()
        self.sessions.forget()

    def traces(self, spans: Spans) -> Traces:
        """Return what makes spans of what is stored from now on."""
        return Traces(self._changes, self._executions, spans)

    def on_commit(self, call: Callable[[], None], name: str) -> None:
        """Call this function after each commit, on the engine's thread; it must be quick. `name` is the name of its part."""
        self._changes.subscribe(self.parts.part(name).guard(lambda _: call()))

    def drain(self) -> "Future[None]":
        """Refuse launches and start no more attempts, because the process is shutting down; everything else continues. The future is done when nothing runs."""
        self.gauges.is_stopping = True
        self.replicas.leave()
        return self._engine.drain()

    def handle(self, request: Ask[V], principal: Principal = LOCAL) -> V:
        """Handle a request in this thread, if the caller may make it. Errors: those of `tidegate.errors`; then nothing has changed."""
        return carry_out(self.steps(check(request), principal))

    def steps(
        self, checked: Checked[V], principal: Principal, *, passed_on: bool = False
    ) -> Steps[V]:
        """
        Handle a request step by step, for a door that must not block while the engine decides.

        One that was `passed_on` by another server of this store is handled here or not at all (`NotHere`).
        """
        request = checked.request
        admitted = admit(request, principal, self._executions.row, no_such_execution)
        stops = self.gauges.is_stopping and isinstance(request, LAUNCHES)
        if stops and not self.replicas.hands_over():
            why = "the server is shutting down and accepts no launches; retry once it is back"
            raise Overloaded(why, retry_after=RETURN)
        if isinstance(admitted, wire.Launch):
            self._check_quota(admitted.project, admitted.id)
        if not isinstance(request, wire.Answer | wire.Launch):
            # These two come in large numbers, and yield by themselves when they become large. All others read lists, files or whole
            # histories.
            yield ASIDE
        if isinstance(admitted, wire.Relaunch | wire.Recover):
            self._check_quota(self._executions.row(admitted.id).project, admitted.new_id)
        if self.replicas.concerns(request):
            view = yield from self.replicas.decide(
                admitted, principal, lambda it: self._view(it, principal), passed_on=passed_on
            )
        elif isinstance(admitted, wire.GetLogs) and not passed_on:
            view = yield from self._logs(admitted, principal)
        else:
            view = yield from self._view(admitted, principal)
        if isinstance(view, wire.ExecutionView):
            view = Deciders(self.tokens, principal).told_of(view)
        kind = view_of(type(request))
        assert isinstance(view, kind), f"{type(request).__name__} gave {type(view).__name__}"
        return view

    def _logs(self, request: wire.GetLogs, principal: Principal) -> Steps[wire.LogList]:
        """Return what tasks have printed, wherever that is kept."""
        peers = self.replicas.peers
        if peers is None or self._attempts.has_all_logs:
            return self._attempts.logs(request)
        return (yield from gathered(self._attempts.logs, peers, request, principal))

    def _check_quota(self, project: str, id_: str) -> None:
        """Raise `QuotaReached` if a project may launch no more; an execution launched earlier with this id is returned all the same."""
        try:
            self.quotas.check(project)
        except QuotaReached:
            if not (id_ and self._executions.is_there(id_)):
                raise

    def _view(self, request: Request, principal: Principal) -> Steps[Any]:
        match request:
            case wire.Answer():
                return (yield from self._signals.answer(request))
            case wire.Launch():
                return (yield from self._executions.launch(request))
            case wire.Register():
                return self._registry.register(request)
            case wire.Relaunch() | wire.Recover():
                return (yield from self._executions.again(request))
            case wire.PreviewRecovery():
                return self._executions.preview(request)
            case wire.GetExecution():
                view, now = yield from self._executions.get(request)
                found = self._attempts.marked(self._missing.told(view, now), now)
                return found if self.is_run else self._standstill.told(found, now)
            case wire.ListExecutions():
                return self._page(request, visible(principal))
            case wire.ListInbox():
                return self._inbox.page(
                    request,
                    Deciders(self.tokens, principal),
                    visible(principal, Right.DECIDE if request.yours else Right.READ),
                )
            case wire.SummarizeInbox():
                return self._inbox.summary(visible(principal), visible(principal, Right.DECIDE))
            case wire.ListSignals():
                return self._signals.all_of(request)
            case wire.GetQuestion():
                deciders = Deciders(self.tokens, principal)
                asked = self._inbox.question(request, deciders, self._attempts.with_decks)
                return self._missing.told_of(asked)
            case wire.CheckAnswer():
                return (yield from self._signals.check(request))
            case wire.CheckInputs():
                return self._executions.check(request)
            case wire.Abort():
                return (yield from self._executions.abort(request))
            case wire.ListEvents():
                return (yield from self._executions.events(request))
            case wire.GetLogs():
                return self._attempts.logs(request)
            case wire.GetNode():
                return self._attempts.node(request)
            case wire.ListRounds():
                return self._rounds.page(request)
            case wire.GetRound():
                return self._rounds.nodes(request)
            case wire.GetDeck():
                return self._attempts.deck(request)
            case wire.DescribeBlob():
                return self._missing.findings.of(request)
            case wire.ListWorkflows():
                return self._with_last(self._registry.workflows(), visible(principal))
            case wire.GetWorkflow():
                return self._registry.detail(request.name, request.version)
            case wire.ListVersions():
                return self._registry.versions(request.name)
            case _:
                return self._access(request, principal)

    def _access(self, request: AccessRequest, principal: Principal) -> Any:
        """Handle a request about tokens, sessions, the audit log or servers."""
        match request:
            case wire.MakeToken():
                return self.tokens.make(request)
            case wire.ListTokens():
                return self.tokens.all_of(request)
            case wire.RevokeToken():
                return self.tokens.revoke(request)
            case wire.RotateToken():
                return self.tokens.rotate(request)
            case wire.MakeCode():
                return self.codes.make(request, principal)
            case wire.ListSessions():
                return self.sessions.all_of(request, principal)
            case wire.EndSession():
                return self.sessions.end(request, principal)
            case wire.ListAudit():
                return self.audit.page(request)
            case wire.ListReplicas():
                return self.replicas.list()
            case _:
                assert_never(request)

    def _with_last(self, found: wire.WorkflowList, within: Patterns | None) -> wire.WorkflowList:
        """Add the newest execution of each workflow: an indexed read of one row each, so of the first hundred only."""
        last: dict[str, wire.ExecutionLine] = {}
        for each in found.items[:WITH_LAST]:
            page = self._page(wire.ListExecutions(workflow=each.name, limit=1), within)
            last.update((each.name, line) for line in page.items)
        return structs.replace(found, last=last)

    def _page(self, request: wire.ListExecutions, within: Patterns | None) -> wire.ExecutionPage:
        if self.is_run:
            return self._executions.page(request, within)
        if request.phases:
            phases = self._standstill.asked(request.phases)
            if not phases and not request.ends:
                return wire.ExecutionPage(items=[], next="")
            request = structs.replace(request, phases=phases)
        return self._standstill.page(self._executions.page(request, within))

    def close(self) -> None:
        """Release everybody who waits for a change, and write the pending refusals."""
        self.watch.close()
        if self._tables is not None:
            self._tables.close()
        self.audit.close()
