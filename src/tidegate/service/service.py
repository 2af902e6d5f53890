"""
The use cases behind every door: one request in, one view out, or an error of `tidegate.errors`.

It is called from any thread. It decides nothing about an execution: that is the machine's, and the engine's thread asks it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from tidegate.engine.loop import Engine
from tidegate.ports.clock import Clock
from tidegate.ports.executor import Executor
from tidegate.ports.store import Store
from tidegate.service.access import LOCAL, Principal, visible
from tidegate.service.admission import admit
from tidegate.service.attempts import Attempts
from tidegate.service.executions import Executions, no_such_execution
from tidegate.service.feed import Feed
from tidegate.service.gauges import Gauges
from tidegate.service.inbox import Inbox
from tidegate.service.intake import Intake
from tidegate.service.registry import Registry
from tidegate.service.signals import Signals
from tidegate.service.steps import Steps, carry_out
from tidegate.service.texts import check_texts
from tidegate.service.tokens import Tokens
from tidegate.service.watch import Watch
from tidegate.wire import (
    Abort,
    Answer,
    GetDeck,
    GetExecution,
    GetLogs,
    GetWorkflow,
    Launch,
    ListEvents,
    ListExecutions,
    ListInbox,
    ListSignals,
    ListTokens,
    ListVersions,
    ListWorkflows,
    MakeToken,
    Recover,
    Register,
    Relaunch,
    Request,
    RevokeToken,
    View,
)


class Service:
    """
    What Tidegate does for whoever asks.

    `watch` lets a door wait for changes without a thread, `tokens` say who asks, `feed` is everybody's history, `gauges` is for operators.
    """

    def __init__(
        self, store: Store, engine: Engine, executor: Executor, home: Path, clock: Clock
    ) -> None:
        self.watch = Watch()
        self.tokens = Tokens(store, clock)
        self._home = home
        intake = Intake(home)
        self._registry = Registry(store, executor, clock)
        self._executions = Executions(store, engine, self._registry, self.watch, intake)
        self._attempts = Attempts(home, self._executions)
        self._signals = Signals(engine, self._executions, intake, executor)
        self._inbox = Inbox(store, engine.programs, self._executions)
        self.feed = Feed(store, self._executions)
        self.gauges = Gauges(store, engine)
        self._engine = engine
        engine.watch(self.watch.changed)

    def on_commit(self, call: Callable[[], None]) -> None:
        """Have this called after each commit, in the engine's thread; it must be quick."""
        self._engine.watch(lambda _: call())

    def handle(self, request: Request, principal: Principal = LOCAL) -> View:
        """Do what a request asks, if whoever asks may, in this thread. Errors: those of `tidegate.errors`; then nothing has changed."""
        return carry_out(self.steps(request, principal))

    def steps(self, request: Request, principal: Principal = LOCAL) -> Steps[View]:
        """Do what a request asks, step by step, for a door that must not block while the engine decides."""
        check_texts(request)
        request = admit(request, principal, self._executions.row, no_such_execution)
        match request:
            case Register():
                return self._registry.register(request)
            case Launch():
                return (yield from self._executions.launch(request))
            case Relaunch() | Recover():
                return (yield from self._executions.again(request))
            case GetExecution():
                return self._attempts.marked((yield from self._executions.get(request)))
            case ListExecutions():
                return self._executions.page(request, visible(principal))
            case ListInbox():
                return self._inbox.page(request, visible(principal))
            case ListSignals():
                return self._signals.all_of(request)
            case Answer():
                return (yield from self._signals.answer(request))
            case Abort():
                return (yield from self._executions.abort(request))
            case ListEvents():
                return (yield from self._executions.events(request))
            case GetLogs():
                return self._attempts.logs(request)
            case GetDeck():
                return self._attempts.deck(request)
            case ListWorkflows():
                return self._registry.workflows()
            case GetWorkflow():
                return self._registry.detail(request.name, request.version)
            case ListVersions():
                return self._registry.versions(request.name)
            case MakeToken():
                return self.tokens.make(request)
            case ListTokens():
                return self.tokens.all_of(request)
            case RevokeToken():
                return self.tokens.revoke(request)
            case _:
                assert_never(request)

    def close(self) -> None:
        """Let everybody go who waits for a change."""
        self.watch.close()
