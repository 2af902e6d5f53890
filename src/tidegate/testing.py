"""
For the tests of your workflows: a whole Tidegate in memory, with a clock that you move.

    with Sandbox() as sandbox:
        run = sandbox.launch(reporting_wf, data=[1.0, 2.0])
        assert run.waiting == ["title"]
        sandbox.advance(timedelta(minutes=59))
        run.answer("title", "my report")
        assert run.outputs["o0"]["title"] == "my report"

It is the engine, the store and the rules of the server; only the clock is yours, and tasks run in this process, as soon as they can.
Nothing sleeps: when a call returns, nothing more can happen without an answer or the clock.
"""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from msgspec import msgpack

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.blobs.uploads import UploadDirectory
from tidegate.bundles.directory import BundleDirectory
from tidegate.engine.loop import Engine
from tidegate.errors import CodeError
from tidegate.executors.inline import InlineExecutor
from tidegate.home import BLOBS, BUNDLES, SCRATCH, UPLOADS
from tidegate.ir.expr import Value
from tidegate.ir.graph import Instant, PythonTarget
from tidegate.logs import Logs
from tidegate.ports.artifacts import Artifacts
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.store import Store
from tidegate.sdk.invoke import Callee
from tidegate.sdk.load import load
from tidegate.sdk.scratch import here
from tidegate.sdk.signature import encode
from tidegate.sdk.workflow import Launchable
from tidegate.service.access import person
from tidegate.service.service import Service
from tidegate.stores.sqlite import SqliteStore
from tidegate.wire import (
    Abort,
    Answer,
    AnswerReply,
    EventList,
    EventView,
    ExecutionView,
    GetExecution,
    GetQuestion,
    InboxPage,
    Launch,
    ListEvents,
    ListInbox,
    ListSignals,
    NodeView,
    Recover,
    SignalList,
    SignalView,
    WaitingView,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class VirtualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.instant = to_instant(now)

    def now(self) -> Instant:
        """Return the instant it stands at."""
        return self.instant


class Sandbox:
    """
    An in-memory Tidegate. Use it in a `with` block.

    With `home`, a directory, the store and the files are kept there, and the next sandbox with the same home goes on where this one ended,
    as a server does after a restart; the tasks are then found by importing their modules.
    """

    def __init__(
        self,
        *,
        now: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        home: Path | None = None,
    ) -> None:
        self._files = tempfile.TemporaryDirectory(prefix="tidegate-sandbox-")
        self._store: Store = (
            SqliteStore.memory() if home is None else SqliteStore.open(home / "tidegate.db")
        )
        own = Path(self._files.name)
        home = own if home is None else home
        artifacts = Artifacts(
            blobs=BlobDirectory(home / BLOBS, sync=home != own),
            bundles=BundleDirectory(home / BUNDLES),
            logs=Logs(home),
            uploads=UploadDirectory(home / UPLOADS),
        )
        self._blobs = BlobFiles(artifacts.blobs, own / SCRATCH)
        self._tasks: dict[PythonTarget, Callee] = {}
        self._clock = VirtualClock(now)
        executor = InlineExecutor(self._load, self._blobs)
        self._engine = Engine(self._store, executor, self._clock)
        self._service = Service(self._store, self._engine, executor, artifacts, self._clock)

    def __enter__(self) -> Self:
        """Start the engine."""
        self._engine.start()
        self._engine.settle()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._service.close()
        self._engine.stop()
        self._store.close()
        self._files.cleanup()

    @property
    def now(self) -> datetime:
        """The current time, by the sandbox's clock."""
        return EPOCH + timedelta(microseconds=self._clock.instant)

    def launch(self, workflow: Launchable, /, **inputs: Any) -> "Run":
        """Launch a workflow with Python values. Raises what compiling it raises, and `InvalidValue`."""
        return self.launch_as("", workflow, **inputs)

    def launch_as(self, execution: str, workflow: Launchable, /, **inputs: Any) -> "Run":
        """Launch a workflow under an id of your choice. Raises `IdTaken`, and what `launch` does."""
        signature = workflow.signature
        version = self._register(workflow)
        stored = {
            name: encode(signature.inputs[name], value, self._blobs, f"input {name!r}")
            if name in signature.inputs
            else value
            for name, value in inputs.items()
        }
        request = Launch(
            workflow=workflow.name,
            version=version,
            inputs=stored,
            id=execution,
            launched_from=here(),
        )
        view = self._service.handle(request, person("local"))
        assert isinstance(view, ExecutionView)
        self._engine.settle()
        return Run(self._service, view.id, self._engine.settle)

    def run(self, execution: str) -> "Run":
        """Return an execution by its id."""
        return Run(self._service, execution, self._engine.settle)

    def advance(self, time: timedelta) -> None:
        """Advance the clock, stopping at each instant at which something is due."""
        target = Instant(self._clock.instant + time // timedelta(microseconds=1))
        while (due := self._store.journal.next_due()) is not None and due <= target:
            self._clock.instant = Instant(max(due, self._clock.instant))
            self._engine.settle()
        self._clock.instant = target
        self._engine.settle()

    def set_clock(self, now: datetime) -> None:
        """Set the clock forward or back, as may happen on a real machine."""
        self._clock.instant = to_instant(now)
        self._engine.settle()

    def stored(self, annotation: Any, value: Any) -> Value:
        """Return a Python value in stored form, for use as an answer. Raises CompileError if it does not fit the type."""
        return encode(annotation, value, self._blobs, "a value")

    def inbox(self) -> list[WaitingView]:
        """Return everything that waits for an answer, the soonest due first, each question in full."""
        page = self._service.handle(ListInbox())
        assert isinstance(page, InboxPage)
        return [self._whole(each) for each in page.items]

    def _whole(self, listed: WaitingView) -> WaitingView:
        if not listed.preview:
            return listed
        question = self._service.handle(GetQuestion(id=listed.execution, name=listed.path))
        assert isinstance(question, WaitingView)
        return question

    def _register(self, workflow: Launchable) -> str:
        compiled = workflow.compiled()
        for target, task in compiled.tasks.items():
            if self._tasks.setdefault(target, task) is not task:
                raise CodeError(
                    f"two tasks of this sandbox are called {target}; take another sandbox, or give them names of their own"
                )
        graph = msgpack.encode(compiled.graph)
        version = sha256(graph).hexdigest()[:12]
        self._store.catalog.put_workflow(
            WorkflowRow(
                id=0,
                name=workflow.name,
                version=version,
                graph=graph,
                bundle="",
                module="",
                registered=self._clock.now(),
            )
        )
        return version

    def _load(self, target: PythonTarget) -> Callee:
        found = self._tasks.get(target)
        return load(target.module, target.name) if found is None else found


class Run:
    """One execution in a sandbox."""

    def __init__(self, service: Service, execution: str, settle: Callable[[], None]) -> None:
        self._service = service
        self._settle = settle
        self.id = execution

    @property
    def view(self) -> ExecutionView:
        """The execution as every interface shows it."""
        view = self._service.handle(GetExecution(id=self.id))
        assert isinstance(view, ExecutionView)
        return view

    @property
    def phase(self) -> str:
        """Its phase."""
        return self.view.phase

    @property
    def outputs(self) -> dict[str, Value] | None:
        """Its outputs as stored values; None until it has succeeded."""
        return self.view.outputs

    @property
    def waiting(self) -> list[str]:
        """The names of the gates that wait for an answer."""
        return [each.name for each in self.questions]

    @property
    def questions(self) -> list[WaitingView]:
        """What it waits for, with the whole question."""
        return [each for each in self.view.waiting if each.kind in ("input", "approve")]

    @property
    def signals(self) -> dict[str, SignalView]:
        """Its signals by path, open or not."""
        found = self._service.handle(ListSignals(id=self.id))
        assert isinstance(found, SignalList)
        return {signal.path: signal for signal in found.items}

    @property
    def events(self) -> list[EventView]:
        """Its history, the oldest event first."""
        found = self._service.handle(ListEvents(id=self.id))
        assert isinstance(found, EventList)
        return found.items

    def node(self, name: str) -> NodeView:
        """Return a node by its id or its name."""
        return next(node for node in self.view.nodes if name in (node.id, node.name))

    def answer(
        self,
        name: str,
        value: Value,
        *,
        who: str = "local",
        comment: str = "",
        key: str = "",
        shown: str = "",
    ) -> AnswerReply:
        """Answer a signal with a stored value. Raises `InvalidValue`, `UnknownSignal` and the refusals."""
        request = Answer(
            id=self.id, name=name, value=value, who=who, comment=comment, key=key, shown=shown
        )
        try:
            reply = self._service.handle(request, person(who))
        finally:
            self._settle()  # a refused answer, too, may find a timeout that is due
        assert isinstance(reply, AnswerReply)
        return reply

    def approve(self, name: str, *, who: str = "local", comment: str = "") -> AnswerReply:
        """Approve."""
        return self.answer(name, True, who=who, comment=comment)

    def reject(self, name: str, *, who: str = "local", comment: str = "") -> AnswerReply:
        """Reject."""
        return self.answer(name, False, who=who, comment=comment)

    def abort(self, reason: str = "", *, who: str = "local") -> None:
        """End the execution. Raises `ExecutionEnded`."""
        self._service.handle(Abort(id=self.id, reason=reason, who=who), person(who))
        self._settle()

    def recover(self, id: str = "", *, who: str = "local") -> "Run":  # noqa: A002
        """Continue it in a new execution, with the results and answers that it has. Raises `NotRecoverable`, `RecoveredAlready`."""
        view = self._service.handle(Recover(id=self.id, new_id=id), person(who))
        assert isinstance(view, ExecutionView)
        self._settle()
        return Run(self._service, view.id, self._settle)


def to_instant(when: datetime) -> Instant:
    """Return an aware datetime as an instant."""
    return Instant((when - EPOCH) // timedelta(microseconds=1))
