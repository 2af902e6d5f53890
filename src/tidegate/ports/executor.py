"""What the engine needs of whatever runs tasks: a pool of processes here, the workers of a terminal, a cluster."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, NamedTuple, Protocol, TypeAlias

from msgspec import Struct

from tidegate.core.keys import own_key
from tidegate.core.messages import Failure
from tidegate.core.state import UNKNOWN, Setting
from tidegate.errors import Fault
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import ORDINARY, Graph, Instant, Micros, PythonTarget, Requirements, Target
from tidegate.ports.journal import Key

MISSING: Final = "missing"
"""Why an attempt is held: its code is missing, a file, or a module that its code imports."""

NO_ROOM: Final = "no_room"
"""Why an attempt is held: the disk of the store has no room left."""

NO_OBJECTS: Final = "no_objects"
"""Why an attempt is held: the object store with the files of the store is away."""

NO_WORKER: Final = "no_worker"
"""Why an attempt is held, or waits: no worker can be started."""

BUSY: Final = "busy"
"""Why an attempt waits: all workers are busy, or running attempts leave too little of the machine."""

TOO_LARGE: Final = "too_large"
"""Why an attempt is held: it requests more than the machine has."""

NO_CLUSTER: Final = "no_cluster"
"""Why an attempt is held: the cluster that it is to run on cannot be reached, or must not be used."""

ENVIRONMENT: Final = "environment"
"""Why an attempt is held: its code cannot be imported here, or imports other packages than at launch."""


LEFT: Final = "left"
"""Why an attempt waits: the owner of the store ended, or only stored an answer, before it started. The next owner submits it."""


Drained: TypeAlias = "Future[None]"
"""Done when no attempt is running."""


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
    requires: Requirements = ORDINARY
    """What it requests from the machine that runs it."""
    at: Instant = Instant(0)
    """When it was requested."""
    setting: Setting = UNKNOWN
    """Where its execution was launched."""
    kept_key: str = ""
    """The idempotency key inherited from the recovered execution; empty if it has its own."""

    @property
    def idempotency_key(self) -> str:
        """The key that the task can pass to external systems, so that they recognize a repeated attempt."""
        return self.kept_key or own_key(self.id, self.node, self.setting.keys)


class Attempt(NamedTuple):
    """One try of a task node."""

    key: Key
    node: NodeId
    number: int


class Began(Struct, frozen=True, gc=False, tag="began"):
    """The attempt has been running for more than a tenth of a second."""


class Returned(Struct, frozen=True, gc=False, tag="returned"):
    """The attempt returned these outputs. `deck` is the blob with the decks it made; empty if it made none. The same for the two below."""

    outputs: dict[str, Value]
    deck: str = ""


class Unfolded(Struct, frozen=True, gc=False, tag="unfolded"):
    """The attempt of a dynamic task returned this graph."""

    graph: Graph
    deck: str = ""


class Raised(Struct, frozen=True, gc=False, tag="raised"):
    """The attempt failed: it raised, crashed, or overran its timeout (`failure.code`)."""

    failure: Failure
    deck: str = ""


class Lost(Struct, frozen=True, gc=False, tag="lost"):
    """The attempt was given back without having ended, through no fault of its own. `given_back`: nor did its host die; it ended in good order."""

    given_back: bool = False


class Hindered(Struct, frozen=True, gc=False, tag="hindered"):
    """The attempt could not start, for a reason outside it: a code, and a sentence. It does not count as an attempt, and may be submitted again."""

    code: str
    why: str


class Elsewhere(Struct, frozen=True, gc=False, tag="elsewhere"):
    """The attempt starts where its code imports other packages than at launch. Another report follows later."""

    differs: str


Outcome: TypeAlias = Began | Elsewhere | Returned | Unfolded | Raised | Lost | Hindered


class Report(Struct, frozen=True, gc=False):
    """What became of one attempt. After any outcome except `Began` and `Elsewhere`, no further report follows."""

    key: Key
    node: NodeId
    attempt: int
    outcome: Outcome
    took: Micros = Micros(0)
    """How long the attempt ran, once it has ended; 0 if that is not known."""
    job: Job | None = None
    """For an attempt that was hindered: what to submit again. For one that starts elsewhere: the attempt itself."""


def left(job: Job) -> Report:
    """Return the report on an attempt that the next owner submits."""
    return Report(job.key, job.node, job.attempt, Hindered(LEFT, ""), job=job)


class Capacity(Struct, frozen=True):
    """What concurrent attempts may use together: processors in thousandths, memory in bytes; whether memory limits are enforced."""

    cpu: int
    mem: int
    limits_memory: bool
    everything: bool = False
    """GPUs, other resources and environments are counted as well."""


class Queue(Struct, frozen=True):
    """The running attempts, and the waiting ones in order; `trouble` is why no worker can be started, if that is so."""

    running: Sequence[Job] = ()
    waiting: Sequence[Job] = ()
    trouble: str = ""


class Described(Protocol):
    """One workflow of a module: its encoded graph, or why it cannot be compiled."""

    @property
    def name(self) -> str:
        """Return the name of the workflow."""
        ...

    @property
    def variable(self) -> str:
        """Return the variable of the module that holds it."""
        ...

    @property
    def graph(self) -> bytes:
        """Return its encoded graph."""
        ...

    @property
    def error(self) -> str:
        """Return why it cannot be compiled; empty if it can."""
        ...

    @property
    def recorded(self) -> str:
        """Return the blob that records what its code imports; empty if that is not known."""
        ...


class Executor(Protocol):
    """Runs tasks. It calls `deliver`, from any thread, with reports in groups."""

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        """Start; called once, before anything is submitted."""
        ...

    def submit(self, jobs: Sequence[Job]) -> None:
        """Run these attempts, earlier ones first, when there is room. Never blocks for long. If it raises, none of them was taken."""
        ...

    def cancel(self, key: Key, node: NodeId, attempt: int) -> None:
        """End this attempt if it still runs; its report, if any, is ignored."""
        ...

    def recall(self, attempts: Sequence[Attempt]) -> None:
        """Report those of these attempts as `LEFT` that have not begun, as far as that is easily done; the others go on."""
        ...

    def drain(self) -> Drained:
        """Start no more attempts, though more may be submitted. Running ones continue; the future is done when nothing runs."""
        ...

    def close(self) -> None:
        """End everything that runs, and return when it has ended. Attempts that ended before are reported, those ended now are not, and those not started are `LEFT`."""
        ...

    @property
    def capacity(self) -> Capacity:
        """Return the capacity for attempts. One that requests more is not submitted."""
        ...

    def queue(self) -> Queue:
        """Return what runs and what waits. For any thread; only callers pay for it."""
        ...

    def describe(self, bundle: str, module: str) -> Sequence[Described]:
        """Import a module of a bundle where that is safe, and compile the workflows in it. Errors: `CodeError` if it cannot be imported."""
        ...

    def check(self, bundle: str, target: PythonTarget, value: Value) -> Sequence[Fault]:
        """Return what is wrong with a stored value by a Python type of a bundle. Errors: `CodeError`."""
        ...

    def attach(self, attempts: Sequence[Attempt]) -> frozenset[Attempt]:
        """
        Return which of these attempts, submitted by an earlier owner of the store, still run and will be reported on.

        Called once for all of them, after `start` and before anything is submitted. All others have ended, with their descendants.
        """
        ...


class KeepsAttempts(Protocol):
    """
    What keeps attempts beyond the process that has submitted them: a cluster.

    It reports as `Began` what an earlier owner has left and nobody has attached since. If that is not wanted, it is cancelled.
    """

    def attach(self, attempts: Sequence[Attempt]) -> frozenset[Attempt]:
        """Return which of these attempts will be reported on. All that is not named here is ended."""
        ...

    def release(self, attempts: Sequence[Attempt]) -> None:
        """Follow these attempts no longer: they go on, and another owner attaches them."""
        ...

    def stored(self, reports: Sequence[Report]) -> None:
        """What these reports say is stored: they need not be kept for another owner."""
        ...
