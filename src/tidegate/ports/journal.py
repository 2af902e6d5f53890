"""The history of executions: appended to by one owner, and read back to know where they stand."""

from typing import NewType, Protocol

from msgspec import Struct

from tidegate.core.state import ExecutionPhase
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant

Key = NewType("Key", int)
"""An execution, inside: a small integer, never reused. At the doors it is known by its public id."""


class LaunchRow(Struct, frozen=True, gc=False):
    """A new execution."""

    key: Key
    id: str
    workflow: int
    at: Instant
    who: str = "local"
    project: str = ""
    domain: str = ""
    phase: ExecutionPhase = ExecutionPhase.QUEUED


class HistoryRow(Struct, frozen=True, gc=False):
    """What one event did: `body` is the encoded event and its changes. `seq` counts from 1 without gaps."""

    key: Key
    seq: int
    body: bytes


class PhaseRow(Struct, frozen=True, gc=False):
    """An execution has come into another phase."""

    key: Key
    phase: ExecutionPhase
    at: Instant


class WaitRow(Struct, frozen=True, gc=False):
    """A node waits: for an answer, for an instant, or for both. `kind` is sleep, input, approve or retry."""

    key: Key
    node: NodeId
    kind: str
    name: str
    opened: Instant
    due: Instant | None


class WaitEnd(Struct, frozen=True, gc=False):
    """A node waits no more."""

    key: Key
    node: NodeId


class Batch(Struct):
    """
    Everything that one group of events changes; it is stored whole or not at all.

    A node is in `waits` or in `ends`, not in both; a wait may replace the one that the node had, an end may be of none that is stored.
    """

    launches: list[LaunchRow] = []
    history: list[HistoryRow] = []
    phases: list[PhaseRow] = []
    waits: list[WaitRow] = []
    ends: list[WaitEnd] = []


class ExecutionRow(Struct, frozen=True):
    """An execution, as listed. `changed` is when its phase changed last."""

    key: Key
    id: str
    workflow: int
    workflow_name: str
    version: str
    phase: ExecutionPhase
    launched: Instant
    changed: Instant
    who: str
    project: str
    domain: str


class Journal(Protocol):
    """
    Where executions live. `commit` is called by the engine's one thread, every other method from any thread.

    Errors: `StoreFull`, `StoreError`; after one of them from `commit`, nothing of the batch is stored.
    """

    def commit(self, batch: Batch) -> None:
        """Store a batch in one transaction; on return it survives a power cut."""
        ...

    def last_key(self) -> Key:
        """Return the highest execution key in use, 0 if there is none."""
        ...

    def history(self, key: Key) -> list[bytes]:
        """Return the bodies of an execution's history, in order."""
        ...

    def find(self, execution_id: str) -> ExecutionRow | None:
        """Return the execution with this public id."""
        ...

    def get(self, key: Key) -> ExecutionRow | None:
        """Return the execution with this key."""
        ...

    def active(self) -> list[Key]:
        """Return the executions in phase QUEUED or RUNNING: those with work that must be taken up after a restart."""
        ...

    def due(self, until: Instant, limit: int) -> list[WaitRow]:
        """Return waits that are due at or before an instant, the earliest first."""
        ...

    def next_due(self) -> Instant | None:
        """Return the earliest due instant."""
        ...
