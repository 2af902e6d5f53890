"""
The journal: the history of executions, appended to by one owner, and what lists show of them, changed in the same transaction.

An append says after which line of each execution it goes. If another writer has appended meanwhile, nothing is stored and the
conflict is reported: the caller forgets those executions, reads them again, and decides again.
"""

from collections.abc import Sequence
from typing import NamedTuple, NewType, Protocol

from msgspec import Struct, field

from tidegate.core.endings import Ending
from tidegate.core.state import ExecutionPhase
from tidegate.core.waits import NOTHING, Shown
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.ports.audit import AuditRow

Key = NewType("Key", int)
"""An execution's internal key: a small integer, never reused. At the doors it is known by its public id."""


class Series(NamedTuple):
    """What executions have in common that lists are filtered by."""

    project: str = ""
    domain: str = ""
    workflow: str = ""


class LaunchRow(Struct, frozen=True, gc=False):
    """A new execution. `workflow` is the number of the version, `series` has its name."""

    key: Key
    id: str
    workflow: int
    at: Instant
    who: str = "local"
    series: Series = Series()
    phase: ExecutionPhase = ExecutionPhase.QUEUED


class HistoryRow(Struct, frozen=True, gc=False):
    """What one event did: `body` is the encoded event and its changes. `seq` counts from 1 without gaps: it goes after line `seq - 1`."""

    key: Key
    seq: int
    body: bytes


class PhaseRow(Struct, frozen=True, gc=False):
    """An execution has entered another phase. `ending` says how it ended, unless it goes on or has succeeded."""

    key: Key
    phase: ExecutionPhase
    at: Instant
    ending: Ending | None = None


class WaitRow(Struct, frozen=True, gc=False):
    """
    A node waits, for an answer, for an instant, or for both: all that lists show of it.

    `kind` is sleep, input, approve or retry; `path` addresses the signal, `execution` is the public id. `handle` names
    the question, and `digest`, in its `form`, what it shows (`core.questions`); they are empty for waits that need no answer.
    """

    key: Key
    node: NodeId
    kind: str
    name: str
    opened: Instant
    due: Instant | None
    path: str = ""
    execution: str = ""
    series: Series = Series()
    handle: str = ""
    form: int = 0
    digest: bytes = b""
    shown: Shown = NOTHING
    words: str = ""
    """The first line of the prompt, for the search. Only written."""


class WaitEnd(Struct, frozen=True, gc=False):
    """A node no longer waits."""

    key: Key
    node: NodeId


class HeldRow(Struct, frozen=True, gc=False):
    """A requested attempt that has not started: why, and since when (`ports.executor` has the codes)."""

    key: Key
    node: NodeId
    attempt: int
    code: str
    why: str
    since: Instant


class Counts(Struct):
    """How many executions there are in each phase, and how many waits of each kind; in a batch, by how much these change."""

    phases: dict[ExecutionPhase, int] = field(default_factory=dict)
    waits: dict[str, int] = field(default_factory=dict)


class Batch(Struct):
    """
    Everything that one group of events changes; it is stored completely or not at all.

    A node is in `waits` or in `ends`, not in both. A wait replaces the node's previous one; ending a wait that is not stored is a no-op.
    """

    launches: list[LaunchRow] = []
    history: list[HistoryRow] = []
    phases: list[PhaseRow] = []
    waits: list[WaitRow] = []
    ends: list[WaitEnd] = []
    counts: Counts = field(default_factory=Counts)
    audit: list[AuditRow] = []
    """What people decided."""
    reported: list[tuple[Key, NodeId, int]] = []
    """Attempts whose reports (`ports.reports`) are applied by this, and removed."""
    urgent: bool = False
    """It only ends something, and may use the room that is set aside for that."""


class ExecutionRow(Struct, frozen=True):
    """An execution, as listed. `changed` is when its phase last changed."""

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
    ending: Ending | None = None

    @property
    def series(self) -> Series:
        """What it has in common with others."""
        return Series(self.project, self.domain, self.workflow_name)


class Recorded(NamedTuple):
    """An execution's history, with what is needed to fold it."""

    key: Key
    workflow: int
    project: str
    domain: str
    bodies: list[bytes]


class Due(NamedTuple):
    """A node whose instant has come."""

    key: Key
    node: NodeId


class Journal(Protocol):
    """
    Where executions live. `append` is called by the engine's one thread, every other method from any thread.

    Errors: `StoreFull`, `StoreError`; after one of them from `append`, nothing of the batch is stored.
    """

    def append(self, batch: Batch) -> frozenset[Key]:
        """
        Store a batch in one transaction; on return it survives a power cut.

        Returns the executions whose history does not end where the batch says, or whose key or id is taken: then nothing is stored.
        """
        ...

    def try_commit(self) -> None:
        """Commit something that changes nothing; raise `StoreFull` also if there is room for that, but little more. Called like `append`."""
        ...

    def hold(self, rows: Sequence[HeldRow]) -> None:
        """Store which attempts have not started, one per node; completely or not at all."""
        ...

    def release(self, nodes: Sequence[tuple[Key, NodeId]]) -> None:
        """Forget the attempts of these nodes: they start, or are no longer wanted. On return it survives a power cut."""
        ...

    def held(self) -> list[HeldRow]:
        """Return the stored attempts that have not started, the first held first."""
        ...

    def new_key(self, execution_id: str, at: Instant, beside: Key | None = None) -> Key:
        """
        Return a key that no execution has, for one that is launched now; it is greater than those of earlier launches. Called like `append`.

        `beside` is an execution that must have the same owner.
        """
        ...

    def last_key(self) -> Key:
        """Return the highest execution key in use, 0 if there is none."""
        ...

    def last_seq(self, key: Key) -> int:
        """Return the number of the last line of an execution's history, 0 if there is none."""
        ...

    def history(self, key: Key, after: int = 0, limit: int | None = None) -> list[bytes]:
        """Return the bodies of an execution's history after line `after`, in order, at most `limit` of them."""
        ...

    def find(self, execution_id: str) -> ExecutionRow | None:
        """Return the execution with this public id."""
        ...

    def recorded(
        self, execution_ids: Sequence[str], limit: int | None = None
    ) -> list[Recorded | None]:
        """Return executions by their public ids with their histories, or at most `limit` lines of each, from one moment."""
        ...

    def get(self, key: Key) -> ExecutionRow | None:
        """Return the execution with this key."""
        ...

    def active(self) -> list[Key]:
        """Return the executions in phase QUEUED or RUNNING: those with work that must be taken up after a restart."""
        ...

    def due(self, until: Instant, limit: int) -> list[Due]:
        """Return what is due at or before an instant, earliest first."""
        ...

    def next_due(self) -> Instant | None:
        """Return the earliest due instant."""
        ...
