"""
`Remote`: a Python client of a Tidegate server.

It caches nothing: every object that it returns is what the server said at that moment.
"""

import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self, TypedDict, TypeVar, Unpack

from msgspec import UNSET

from tidegate.bundles.archive import Archive
from tidegate.errors import InvalidValue, StoreDamaged
from tidegate.remote.answering import (
    AnswerOptions,
    RecoverOptions,
    RelaunchOptions,
    again_with,
    answer_to,
    check_known,
    fresh,
)
from tidegate.remote.config import Config
from tidegate.remote.execution import Execution, RemoteWorkflow
from tidegate.remote.problems import StillRunning
from tidegate.remote.requests import ask
from tidegate.remote.values import declared_types, decoded, encoded
from tidegate.sdk.scratch import here
from tidegate.wire import (
    Abort,
    AnswerReply,
    Ask,
    ExecutionView,
    FeedView,
    GetExecution,
    GetQuestion,
    GetWorkflow,
    Launch,
    ListExecutions,
    ListInbox,
    ListSignals,
    ListWorkflows,
    RecoveryView,
    SignalView,
    WaitingView,
)

V = TypeVar("V")

LONG_POLL: Final = 20.0
"""Seconds that one request waits for the end of an execution."""
PAGE: Final = 200


class LaunchOptions(TypedDict, total=False):
    """
    Options of `execute`.

    `wait`: return when it has ended. `id` or `execution_name`: its id; the same id again, with the same content, returns the first execution.
    `version`: of the workflow, by default the latest.
    """

    wait: bool
    id: str
    execution_name: str
    version: str


class Remote:
    """
    A Tidegate server.

        remote = Remote(Config.for_sandbox())
        execution = remote.execute(remote.fetch_workflow("reports.publish"), inputs={"data": [1.0, 2.0]})
        remote.set_signal("title", execution.id.name, "my report")
        print(remote.wait(execution).outputs.o0)

    Every refusal of the server is raised as the same class of `tidegate.errors`. It may be used from any thread.
    """

    def __init__(
        self, config: Config | None = None, default_project: str = "", default_domain: str = ""
    ) -> None:
        # Loaded here, because it brings the HTTP library: a command for its own machine does not need it.
        from tidegate.remote.blobs import remote_files  # noqa: PLC0415
        from tidegate.remote.transport import HttpTransport  # noqa: PLC0415

        self.config = config or Config.auto()
        self.default_project = default_project
        self.default_domain = default_domain
        scratch = tempfile.mkdtemp(prefix="tidegate-")
        self._transport = HttpTransport(self.config)
        self.blobs = remote_files(self._transport, Path(scratch))
        weakref.finalize(self, shutil.rmtree, scratch, ignore_errors=True)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        """Enter a block at whose end the remote is closed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the remote."""
        self.close()

    def ask(self, request: Ask[V]) -> V:
        """Send a request of `tidegate.wire`, and return the view that answers it."""
        return ask(self._transport, request)

    send = ask

    # ---- workflows ----

    def fetch_workflow(
        self,
        project: str | None = None,
        domain: str | None = None,
        name: str | None = None,
        version: str | None = None,
    ) -> RemoteWorkflow:
        """
        Return a workflow by its dotted name, by default in its latest version. Errors: `UnknownWorkflow`.

        The order of arguments is Flyte's; a single one is the name. `project` and `domain` have no effect: code belongs to the whole server.
        """
        request = GetWorkflow(name=_alone(project, domain, name), version=version or "")
        return RemoteWorkflow(self.ask(request).workflow)

    def workflows(self) -> list[RemoteWorkflow]:
        """Return the latest version of each workflow."""
        return [RemoteWorkflow(view) for view in self.ask(ListWorkflows()).items]

    def register(
        self,
        *paths: Path | str,
        version: str = "",
        only: Sequence[str] = (),
        include: Sequence[Path | str] = (),
    ) -> list[RemoteWorkflow]:
        """
        Register the workflows of Python files, or of all files below a directory, with their source tree.

        `include` names files and directories there that are packed as well, like `--include` at the terminal; `only` names workflows.

        Their names are dotted, relative to the directory from which Python would import them. The version is the tree's digest, unless it is given.
        What the server already has is not sent again. Errors: `CodeError`.
        """
        # Loaded here, because it reads and packs source code, which few programs do.
        from tidegate.remote.registering import register  # noqa: PLC0415

        found = register(
            self._transport,
            [Path(path) for path in paths],
            version,
            only,
            include=[Path(path) for path in include],
        )
        return [RemoteWorkflow(view) for view in found]

    def upload(self, archive: Archive) -> bool:
        """Bring a packed source tree to the server; return whether it had to be sent."""
        from tidegate.remote.registering import upload  # noqa: PLC0415 - as above

        return upload(self._transport, archive)

    # ---- executions ----

    def execute(
        self,
        entity: Any,
        inputs: Mapping[str, Any] | None = None,
        project: str | None = None,
        domain: str | None = None,
        **options: Unpack[LaunchOptions],
    ) -> Execution:
        """
        Launch a workflow: a fetched one, one of this program's own that is registered there, or the name of one.

        `project` and `domain` say where the execution belongs, instead of the remote's own.

        Errors: `UnknownWorkflow`, `InvalidValue` with every wrong input, `IdTaken`.
        """
        check_known("execute", options, LaunchOptions)
        chosen = self._workflow(entity, options.get("version"))
        types = getattr(getattr(chosen.python, "signature", None), "inputs", {})
        request = Launch(
            workflow=chosen.name,
            version=chosen.version,
            inputs={
                name: self._encoded(value, types.get(name), f"input {name!r} of {chosen.name}")
                for name, value in (inputs or {}).items()
            },
            # An id generated here makes it safe to retry when no reply comes.
            id=options.get("id") or options.get("execution_name") or fresh(),
            project=project or self.default_project,
            domain=domain or self.default_domain,
            launched_from=here(),
        )
        execution = self._execution(self.ask(request), chosen)
        return self.wait(execution) if options.get("wait") else execution

    def fetch_execution(
        self, project: str | None = None, domain: str | None = None, name: str | None = None
    ) -> Execution:
        """
        Return an execution by its id. Errors: `UnknownExecution`.

        The order of arguments is Flyte's; a single one is the id. `project` and `domain` have no effect.
        """
        return self._execution(self.look(_alone(project, domain, name)))

    def recent_executions(
        self,
        project: str | None = None,
        domain: str | None = None,
        limit: int = 100,
        *,
        phases: Sequence[str] = (),
        workflow: str = "",
    ) -> list[Execution]:
        """Return the last launched executions, newest first: by default those of the remote's own project and domain. The order of arguments is Flyte's."""
        if isinstance(project, int):
            raise TypeError(f"{project} is not a project; write recent_executions(limit={project})")
        found: list[Execution] = []
        cursor = ""
        while len(found) < limit:
            request = ListExecutions(
                phases=list(phases),
                workflow=workflow,
                project=self.default_project if project is None else project,
                domain=self.default_domain if domain is None else domain,
                cursor=cursor,
                limit=min(PAGE, limit - len(found)),
            )
            page = self.ask(request)
            found += [Execution(each, self) for each in page.items]
            cursor = page.next
            if not cursor:
                break
        return found

    def sync(
        self,
        execution: Execution,
        entity_definition: Any = None,
        sync_nodes: bool = True,  # noqa: FBT001, FBT002  Flyte's
    ) -> Execution:
        """Read an execution again: it is updated, and returned. Further arguments are Flyte's, and have no effect."""
        del entity_definition, sync_nodes
        execution.update(self.ask(GetExecution(id=execution.id.name, after=execution.seq)))
        return execution

    sync_execution = sync

    def wait(
        self,
        execution: Execution | str,
        timeout: timedelta | float | None = None,
        poll_interval: timedelta | float | None = None,
        sync_nodes: bool = True,  # noqa: FBT001, FBT002  Flyte's
    ) -> Execution:
        """
        Return an execution once it has ended, in whatever way, without polling. Further arguments are Flyte's, and have no effect.

        Errors: `StillRunning`, a `TimeoutError`, when the time is up; `StoreDamaged` if it cannot be read back.
        """
        del poll_interval, sync_nodes
        found = execution if isinstance(execution, Execution) else self.fetch_execution(execution)
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        until = None if seconds is None else time.monotonic() + seconds
        while not found.is_done:
            if found.damaged and not found.nodes:
                raise StoreDamaged(found.damaged)
            left = LONG_POLL if until is None else min(LONG_POLL, until - time.monotonic())
            if left <= 0:
                raise StillRunning(
                    f"execution {found.id.name} is still {found.phase} after {seconds:g} s; it continues"
                )
            found.update(self.ask(GetExecution(id=found.id.name, after=found.seq, wait=left)))
        return found

    def terminate(self, execution: Execution | str, cause: str = "") -> None:
        """End an execution; its open questions are withdrawn. Errors: `ExecutionEnded`."""
        self.ask(Abort(id=_name(execution), reason=cause))

    def relaunch(
        self,
        execution: Execution | str,
        inputs: Mapping[str, Any] | None = None,
        **options: Unpack[RelaunchOptions],
    ) -> Execution:
        """Launch an execution again, with the same version and inputs, or others: `inputs` replace those of the same name. Errors: as of `execute`."""
        check_known("relaunch", options, RelaunchOptions)
        given = (inputs or {}).items()
        changed = {name: self._encoded(each, None, f"input {name!r}") for name, each in given}
        return self._execution(self.ask(again_with(_name(execution), changed, options)))

    def recover(self, execution: Execution | str, **options: Unpack[RecoverOptions]) -> Execution:
        """
        Continue an execution that failed or was aborted in a new one, with its results and answers; after an abort approvals are asked for again.

        With other code (`here`, `version`) what is unchanged is kept, and approvals are asked for again, unless `keep_approvals`.
        Errors: `NotRecoverable`; `RecoveredAlready` if its successor lives, or has succeeded; `CodeError`, and then nothing has changed.
        """
        from tidegate.remote.recovering import recover  # noqa: PLC0415

        return self._execution(recover(self, _name(execution), options))

    def preview_recovery(
        self, execution: Execution | str, **options: Unpack[RecoverOptions]
    ) -> RecoveryView:
        """Return what `recover` would keep, run again and ask again. Nothing is written. Errors: as of `recover`."""
        from tidegate.remote.recovering import preview  # noqa: PLC0415

        return preview(self, _name(execution), options)

    def watch(self, execution: Execution | str | None = None) -> Iterator[FeedView]:
        """
        Yield events as they happen: of one execution, from its start to its end, or of all of them from now on, indefinitely.

        A broken connection is reestablished, and no event is lost.
        Errors: `StoreDamaged` for an execution that cannot be read back, after its readable events.
        """
        # Loaded here, as in `__init__`.
        from tidegate.remote.events import follow  # noqa: PLC0415

        return follow(self._transport, _name(execution) if execution is not None else "")

    # ---- signals ----

    # In the methods below, `project` and `domain` are Flyte's, and have no effect: an execution is found by its id.

    def list_signals(
        self,
        execution_name: str,
        project: str | None = None,
        domain: str | None = None,
        limit: int | None = None,
        filters: Any = None,
    ) -> list[SignalView]:
        """
        Return the signals of an execution, by default all of them: waiting, answered, and still to come.

        Errors: `TypeError` for `filters`, which are Flyte's: ignoring them would return the wrong signals.
        """
        if filters is not None:
            raise TypeError(
                "list_signals does not support filters; filter the list that it returns"
            )
        del project, domain
        return self.ask(ListSignals(id=_name(execution_name))).items[:limit]

    def set_signal(
        self,
        signal_id: str | WaitingView,
        execution_name: str = "",
        value: Any = UNSET,
        project: str | None = None,
        domain: str | None = None,
        python_type: Any = None,
        **options: Unpack[AnswerOptions],
    ) -> AnswerReply:
        """
        Answer a signal, by its name, path or handle; also before its gate opens. `python_type` is the type of the value, if the value does not show it.

        A question returned by `inbox` or `question` may be given instead of the name, as `set_signal(item, value=...)`: then the answer says what
        was shown, and is refused (`Changed`) if the question has changed since.

        Errors: `InvalidValue` with each fault if the value is invalid, and then the gate stays open; `UnknownSignal`; `Refused` and below.
        """
        del project, domain
        if value is UNSET:
            raise TypeError("set_signal needs a value")
        called = signal_id.name if isinstance(signal_id, WaitingView) else signal_id
        stored = self._encoded(value, python_type, f"signal {called!r}")
        return self._answer(signal_id, execution_name, stored, options)

    set_input = set_signal

    def approve(
        self,
        signal_id: str | WaitingView,
        execution_name: str = "",
        project: str | None = None,
        domain: str | None = None,
        **options: Unpack[AnswerOptions],
    ) -> AnswerReply:
        """Approve what a signal shows, by its name or by the question that was returned. Errors: those of `set_signal`; `NotWaitingYet` before its gate is open."""
        del project, domain
        return self._answer(signal_id, execution_name, True, options)

    def reject(
        self,
        signal_id: str | WaitingView,
        execution_name: str = "",
        project: str | None = None,
        domain: str | None = None,
        **options: Unpack[AnswerOptions],
    ) -> AnswerReply:
        """Reject what a signal shows; its node fails. Give the reason as `comment`. Errors: those of `approve`."""
        del project, domain
        return self._answer(signal_id, execution_name, False, options)

    def inbox(self, limit: int = 1000, **filters: Any) -> list[WaitingView]:
        """
        Return what waits for an answer, in all executions, earliest due first. Values that are too large for a list are in `preview`; see `question`.

        `filters`: execution, workflow, project, domain, kind (input, approve), text, yours (only what you may answer), due, zone, sort (see the HTTP API).
        """
        found: list[WaitingView] = []
        cursor = ""
        while len(found) < limit:
            page = self.ask(
                ListInbox(cursor=cursor, limit=min(PAGE, limit - len(found)), **filters)
            )
            found += page.items
            cursor = page.next
            if not cursor:
                break
        return found

    def question(self, signal_id: str, execution_name: str) -> WaitingView:
        """Return a question with all its values; of one that was decided, with the decision. Errors: `UnknownSignal`; `Refused` and below if it was never asked."""
        return self.ask(GetQuestion(id=_name(execution_name), name=signal_id))

    # ---- what executions call ----

    def look(self, execution: str, /) -> ExecutionView:
        """Return everything known of an execution."""
        return self.ask(GetExecution(id=execution))

    def results(self, view: ExecutionView, workflow: RemoteWorkflow | None, /) -> dict[str, Any]:
        """Return the outputs of an execution as Python objects."""
        outputs = view.outputs or {}
        if not outputs:
            return {}
        known = workflow or self.fetch_workflow(view.workflow, version=view.version)
        types = declared_types(known.name, known.view.module, known.python)
        return {
            name: decoded(value, known.outputs.get(name, {}), types.get(name), self.blobs)
            for name, value in outputs.items()
        }

    # ---- inside ----

    def _answer(
        self,
        signal_id: str | WaitingView,
        execution_name: str,
        value: Any,
        options: AnswerOptions,
    ) -> AnswerReply:
        request = answer_to(signal_id, _name(execution_name), value, options)
        return self.ask(request)

    def _encoded(self, value: Any, python_type: Any, what: str) -> Any:
        try:
            return encoded(value, python_type, self.blobs)
        except InvalidValue as error:
            raise InvalidValue(f"{what}: {error.message}", error.faults) from None

    def _workflow(self, workflow: Any, version: str | None) -> RemoteWorkflow:
        match workflow:
            case RemoteWorkflow():
                return workflow
            case str():
                return self.fetch_workflow(workflow, version=version)
            case _ if hasattr(workflow, "signature") and hasattr(workflow, "name"):
                found = self.fetch_workflow(workflow.name, version=version)
                return RemoteWorkflow(found.view, workflow)
            case _:
                raise InvalidValue(
                    f"{workflow!r} cannot be executed: give a workflow, or the name of one"
                )

    def _execution(self, view: ExecutionView, workflow: RemoteWorkflow | None = None) -> Execution:
        return Execution(view, self, workflow)

    def __repr__(self) -> str:
        return f"Remote({self.config!r}, {self.default_project!r}, {self.default_domain!r})"


def _alone(project: str | None, domain: str | None, name: str | None) -> str:
    """Return the name in Flyte's order of arguments, or the single argument given instead."""
    found = project if (name, domain) == (None, None) else name
    if found is None:
        raise InvalidValue("give a name: alone, as `name=`, or after project and domain")
    return found


def _name(execution: Execution | str) -> str:
    return execution.id.name if isinstance(execution, Execution) else str(execution)
