"""The objects that the client returns: executions, workflows and outputs, as they were when requested."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from msgspec import UNSET, Struct

from tidegate.errors import ExecutionFailed, Refused, StoreDamaged, TidegateError
from tidegate.ir.expr import Schema
from tidegate.wire import (
    ENDED,
    ExecutionLine,
    ExecutionView,
    FailureView,
    NodeView,
    WaitingView,
    WorkflowView,
    merged,
)


class ExecutionId(Struct, frozen=True):
    """The id of an execution, and where it belongs."""

    name: str
    project: str = ""
    domain: str = ""

    def __str__(self) -> str:
        return self.name


class RemoteWorkflow:
    """A version of a workflow on a server: its inputs and outputs, and its questions."""

    def __init__(self, view: WorkflowView, python: Any = None) -> None:
        self.view = view
        self.python = python
        """The workflow itself, if this process has it."""

    @property
    def name(self) -> str:
        """Its dotted name."""
        return self.view.name

    @property
    def version(self) -> str:
        """Its version."""
        return self.view.version

    @property
    def inputs(self) -> dict[str, Schema]:
        """The JSON Schema of each input."""
        return {each.name: each.schema for each in self.view.inputs}

    @property
    def outputs(self) -> dict[str, Schema]:
        """The JSON Schema of each output."""
        return self.view.outputs

    def __repr__(self) -> str:
        return f"<Workflow {self.name} {self.version}>"


class RemoteOutputs(Mapping[str, Any]):
    """Results by name: as items, and as attributes."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        values: dict[str, Any] = self.__dict__.get("_values", {})
        if name in values:
            return values[name]
        raise AttributeError(f"no output {name!r}; the outputs are: {', '.join(values) or 'none'}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"RemoteOutputs({self._values!r})"


class Lookup(Protocol):
    """Where an execution gets more details of itself."""

    def look(self, execution: str, /) -> ExecutionView:
        """Return an execution as it is now."""
        ...

    def results(
        self, view: ExecutionView, workflow: "RemoteWorkflow | None", /
    ) -> Mapping[str, Any]:
        """Return the outputs of an execution that has succeeded, as Python objects."""
        ...


class Execution:
    """An execution as it was when last read; `remote.sync(execution)` reads it again, `remote.wait(execution)` until it has ended."""

    def __init__(
        self,
        seen: ExecutionView | ExecutionLine,
        source: Lookup,
        workflow: RemoteWorkflow | None = None,
    ) -> None:
        self._seen = seen
        self._source = source
        self._workflow = workflow
        self._outputs: RemoteOutputs | None = None

    def update(self, view: ExecutionView) -> None:
        """Take over a later view: all of it, or what has changed since `seq`."""
        seen = self._seen
        self._seen = merged(seen, view) if isinstance(seen, ExecutionView) else view
        self._outputs = None

    @property
    def seq(self) -> int:
        """The number of the last line of its history that was seen; 0 if it comes from a list."""
        return self._seen.seq if isinstance(self._seen, ExecutionView) else 0

    @property
    def damaged(self) -> str:
        """What is damaged in it, and what to do; empty if no damage is known."""
        return self._seen.damaged

    @property
    def view(self) -> ExecutionView:
        """Everything the server tells about it. If it comes from a list, the rest is fetched on first use."""
        if isinstance(self._seen, ExecutionLine):
            self.update(self._source.look(self._seen.id))
        assert isinstance(self._seen, ExecutionView)
        return self._seen

    @property
    def id(self) -> ExecutionId:
        """Its id; `execution.id.name` is what the other methods take."""
        return ExecutionId(self._seen.id, self._seen.project, self._seen.domain)

    @property
    def workflow(self) -> str:
        """The name of its workflow."""
        return self._seen.workflow

    @property
    def version(self) -> str:
        """The version it was launched with."""
        return self._seen.version

    @property
    def asked_version(self) -> str:
        """The version requested by the launch that returned this, if another one had been launched under its id before; else empty."""
        return getattr(self._seen, "asked_version", "") or ""

    @property
    def phase(self) -> str:
        """QUEUED, RUNNING, WAITING, SUCCEEDED, FAILED or ABORTED."""
        return self._seen.phase

    @property
    def launched(self) -> datetime:
        """When it was launched."""
        return self._seen.launched

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self.phase in ENDED

    @property
    def is_successful(self) -> bool:
        """Whether it has succeeded."""
        return self.phase == "SUCCEEDED"

    @property
    def inputs(self) -> dict[str, Any]:
        """What it was launched with, as plain data. Errors: `StoreDamaged` if that cannot be read."""
        inputs = self.view.inputs
        if inputs is UNSET:
            raise StoreDamaged(self.damaged)
        return inputs

    @property
    def outputs(self) -> RemoteOutputs:
        """
        Its results.

        Errors: `ExecutionFailed` if it ended in a phase other than SUCCEEDED; `Refused` if it has not ended.
        """
        if self._outputs is None:
            view = self.view
            if view.outputs is None:
                raise _no_outputs(view)
            self._outputs = RemoteOutputs(self._source.results(view, self._workflow))
        return self._outputs

    @property
    def error(self) -> FailureView | None:
        """Why it did not succeed; None if it has succeeded or has not ended."""
        return self.view.error

    @property
    def nodes(self) -> list[NodeView]:
        """Its nodes, in the order of their definition."""
        return self.view.nodes

    @property
    def waiting(self) -> list[WaitingView]:
        """What it waits for."""
        return self.view.waiting

    def __repr__(self) -> str:
        return f"<Execution {self.id.name} of {self.workflow}: {self.phase}>"


def _no_outputs(view: ExecutionView) -> TidegateError:
    if view.phase not in ENDED:
        return Refused(
            f"execution {view.id} is {view.phase} and has no outputs yet; remote.wait(execution) waits for them"
        )
    why = "" if view.error is None else f": {view.error.message}"
    return ExecutionFailed(f"execution {view.id} is {view.phase}{why}", failure=view.error)
