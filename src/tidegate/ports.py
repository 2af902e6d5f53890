"""
What the engine needs of the world: a store, an executor, a clock. Adapters implement these; one contract suite a port tests them all.

Inside, an execution is known by an integer key, and by its public id only at the doors.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NewType, Protocol, TypeAlias

from msgspec import Struct

from tidegate.core.messages import Failure
from tidegate.core.state import ExecutionPhase
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import Graph, Instant, Micros, Target

Key = NewType("Key", int)
"""An execution, inside: a small integer, never reused."""


class Clock(Protocol):
    """The one clock of a host."""

    def now(self) -> Instant:
        """Return the wall-clock instant in microseconds since 1970, UTC."""
        ...


# ---- store ----


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


class ExecutionQuery(Struct, frozen=True):
    """Which executions to list, newest first; `before` is the key of the last one of the page before."""

    phases: tuple[ExecutionPhase, ...] = ()
    workflow: str = ""
    project: str = ""
    domain: str = ""
    text: str = ""
    before: Key | None = None
    limit: int = 100
    places: tuple[tuple[str, str], ...] | None = None
    """Only those whose project and domain fit one of these pairs of patterns, in which `*` stands for any characters."""
    since: Instant | None = None
    """Only those launched then or later."""
    until: Instant | None = None
    """Only those launched before."""


class WaitQuery(Struct, frozen=True):
    """
    Which open waits to list, the soonest due first and those without end last, then the oldest.

    `kinds` empty means every kind. `after` is (due or 2**62, opened, key, node) of the last row of the page before.
    """

    kinds: tuple[str, ...] = ("input", "approve")
    key: Key | None = None
    after: tuple[int, int, int, str] | None = None
    limit: int = 100
    places: tuple[tuple[str, str], ...] | None = None
    """Only those of executions whose project and domain fit, as in `ExecutionQuery`."""
    workflow: str = ""
    project: str = ""
    domain: str = ""
    text: str = ""
    """Part of the name of the signal or of the workflow, or of the id of the execution."""


class WorkflowRow(Struct, frozen=True):
    """One version of a workflow. `graph` is the encoded graph, `bundle` the digest of its code, `module` where the code begins."""

    id: int
    name: str
    version: str
    graph: bytes
    bundle: str
    module: str
    registered: Instant


class FeedRow(Struct, frozen=True):
    """One line of history among those of all executions. `place` numbers them in the order of commits; there may be gaps."""

    place: int
    key: Key
    seq: int
    body: bytes
    id: str
    workflow_name: str
    project: str
    domain: str


class Counts(Struct, frozen=True):
    """How many executions there are in each phase, and how many waits of each kind."""

    phases: dict[ExecutionPhase, int]
    waits: dict[str, int]


class TokenRow(Struct, frozen=True):
    """
    A token, known by the SHA-256 of its secret.

    `grants` are (role, pattern of projects, pattern of domains); `creator` is who made it.
    `used` is about when it was used last.
    """

    id: str
    name: str
    hash: bytes
    grants: tuple[tuple[str, str, str], ...]
    creator: str
    created: Instant
    expires: Instant | None = None
    revoked: Instant | None = None
    used: Instant | None = None


class LoginRow(Struct, frozen=True):
    """A browser that has traded a token for a cookie, known by the SHA-256 of what is in the cookie."""

    hash: bytes
    token: str
    created: Instant
    expires: Instant


class Store(Protocol):
    """
    Where executions live. `commit` is called by the engine's one thread; every other method from any thread.

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

    def feed(self, after: int, limit: int, key: Key | None = None) -> list[FeedRow]:
        """Return the history of all executions, or of one, that stands after a place, in the order of commits."""
        ...

    def last_place(self) -> int:
        """Return the place of the last line of history, 0 if there is none."""
        ...

    def counts(self) -> Counts:
        """Count what there is. It reads all executions, so it is not for often."""
        ...

    def find(self, execution_id: str) -> ExecutionRow | None:
        """Return the execution with this public id."""
        ...

    def get(self, key: Key) -> ExecutionRow | None:
        """Return the execution with this key."""
        ...

    def executions(self, query: ExecutionQuery) -> list[ExecutionRow]:
        """List executions."""
        ...

    def waits(self, query: WaitQuery) -> list[WaitRow]:
        """List what waits."""
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

    def put_workflow(self, row: WorkflowRow) -> WorkflowRow:
        """Store a version of a workflow (`row.id` is ignored) and return it as stored; the same name and version again returns the first."""
        ...

    def workflow(self, workflow: int) -> WorkflowRow:
        """Return a workflow by its number."""
        ...

    def find_workflow(self, name: str, version: str | None = None) -> WorkflowRow | None:
        """Return a version of a workflow, the one registered last if none is given."""
        ...

    def versions(self, name: str, limit: int) -> list[WorkflowRow]:
        """Return the versions of a workflow, the one registered last first."""
        ...

    def workflows(self) -> list[WorkflowRow]:
        """Return the latest version of each workflow, by name."""
        ...

    def put_token(self, row: TokenRow) -> None:
        """Store a token; of one that is stored already, only when it was revoked."""
        ...

    def tokens(self) -> list[TokenRow]:
        """Return every token, the oldest first, those that are of no use any more too."""
        ...

    def note_uses(self, uses: Mapping[str, Instant]) -> None:
        """Store when tokens, by id, were used last."""
        ...

    def put_login(self, row: LoginRow) -> None:
        """Store a login; those that have expired by the time it was created are forgotten."""
        ...

    def logins(self) -> list[LoginRow]:
        """Return every login, the oldest first."""
        ...

    def end_login(self, hash_: bytes) -> None:
        """Forget a login, if there is such a one."""
        ...

    def problems(self) -> list[str]:
        """Check the file itself: integrity, foreign keys, gaps in the history; one line a problem."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...


# ---- executor ----


class Job(Struct, frozen=True, gc=False):
    """One attempt to be run. `key` and `id` are of its execution; `idempotency_key` is the same for every attempt of the node."""

    key: Key
    id: str
    node: NodeId
    attempt: int
    target: Target
    inputs: dict[str, Value]
    bundle: str
    timeout: Micros | None = None
    dynamic: bool = False

    @property
    def idempotency_key(self) -> str:
        """What the task can hand to the outside world so that a repeated attempt is recognized."""
        return f"{self.id}/{self.node}"


class Began(Struct, frozen=True, gc=False, tag="began"):
    """The attempt has been running for more than a tenth of a second."""


class Returned(Struct, frozen=True, gc=False, tag="returned"):
    """The attempt returned these outputs."""

    outputs: dict[str, Value]


class Unfolded(Struct, frozen=True, gc=False, tag="unfolded"):
    """The attempt of a dynamic task returned this graph."""

    graph: Graph


class Raised(Struct, frozen=True, gc=False, tag="raised"):
    """The attempt failed: it raised, crashed, or overran its timeout (`failure.code`)."""

    failure: Failure


class Lost(Struct, frozen=True, gc=False, tag="lost"):
    """The attempt was given back without having come to an end, for no fault of its own."""


Outcome: TypeAlias = Began | Returned | Unfolded | Raised | Lost


class Report(Struct, frozen=True, gc=False):
    """What became of one attempt. After any outcome but `Began`, nothing more is said of it."""

    key: Key
    node: NodeId
    attempt: int
    outcome: Outcome
    took: Micros = Micros(0)
    """How long the attempt ran, once it has ended; 0 if that is not known."""


class Executor(Protocol):
    """Runs tasks. It calls `deliver`, from any thread, with reports in groups."""

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        """Begin; called once, before anything is submitted."""
        ...

    def submit(self, jobs: Sequence[Job]) -> None:
        """Run these attempts, the earlier first, when there is room. Never blocks for long."""
        ...

    def cancel(self, key: Key, node: NodeId, attempt: int) -> None:
        """End this attempt if it still runs; its report, if any, does not matter any more."""
        ...

    def close(self) -> None:
        """End everything that runs, and return when it has ended."""
        ...
