"""
What the engine keeps in memory: plans of workflows, and the executions that are hot.

Both are caches of what the store has, bounded, and may be dropped at any time. An execution that waits costs nothing here
once it has cooled; when something happens to it, its history is read once.
"""

import threading
from collections import OrderedDict

import msgspec

from tidegate.core.history import replay
from tidegate.core.plan import Plan
from tidegate.core.state import ExecutionState
from tidegate.errors import StoreDamaged, UnknownExecution
from tidegate.ir.graph import Graph
from tidegate.ports.journal import ExecutionRow, Key
from tidegate.ports.store import Store

HOT_NODES = 50_000
"""How many nodes of hot executions are kept, over all of them (about a kilobyte each)."""

HOT_EXECUTIONS = 5_000

PLANS = 256

_graphs = msgspec.msgpack.Decoder(Graph)


class Program:
    """A registered workflow, ready to run: its plan, and the bundle with its code."""

    __slots__ = ("bundle", "plan")

    def __init__(self, plan: Plan, bundle: str) -> None:
        self.plan = plan
        self.bundle = bundle


class Programs:
    """The plans of the workflows used last. May be used from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._programs: OrderedDict[int, Program] = OrderedDict()

    def get(self, workflow: int) -> Program:
        """Return a workflow by its number."""
        with self._lock:
            found = self._programs.get(workflow)
            if found is not None:
                self._programs.move_to_end(workflow)
                return found
        row = self._store.workflow(workflow)
        try:
            graph = _graphs.decode(row.graph)
        except msgspec.DecodeError as error:
            raise StoreDamaged(
                f"the graph of workflow {row.name!r} cannot be read: {error}"
            ) from error
        program = Program(Plan.of(graph), row.bundle)
        with self._lock:
            self._programs[workflow] = program
            if len(self._programs) > PLANS:
                self._programs.popitem(last=False)
        return program


class Hot:
    """
    An execution in memory: where it stands after line `seq` of its history. `plan` has all that has unfolded.

    `weight` is the number of nodes that the memory has counted for it.
    """

    __slots__ = ("bundle", "id", "key", "plan", "seq", "state", "weight")

    def __init__(self, key: Key, id_: str, program: Program) -> None:
        self.key = key
        self.id = id_
        self.bundle = program.bundle
        self.plan = program.plan
        self.state = ExecutionState()
        self.seq = 0
        self.weight = 0


class Snapshot(msgspec.Struct, frozen=True):
    """An execution as the store has it at one moment."""

    row: ExecutionRow
    plan: Plan
    state: ExecutionState
    seq: int


def snapshot(store: Store, programs: Programs, row: ExecutionRow) -> Snapshot:
    """Read an execution from the store. May be called from any thread."""
    bodies = store.history(row.key)
    plan, state = replay(programs.get(row.workflow).plan, bodies)
    return Snapshot(row, plan, state, len(bodies))


class Memory:
    """The hot executions, the one used last at the end. Only the engine's thread uses it, but for `peek`."""

    def __init__(self, store: Store, programs: Programs) -> None:
        self._store = store
        self._programs = programs
        self._hot: OrderedDict[Key, Hot] = OrderedDict()
        self._nodes = 0

    def get(self, key: Key) -> Hot:
        """Return an execution, read from the store if it is cold. Raises UnknownExecution."""
        hot = self._hot.get(key)
        if hot is not None:
            self._hot.move_to_end(key)
            return hot
        row = self._store.get(key)
        if row is None:
            raise UnknownExecution(f"there is no execution number {key}")
        hot = Hot(key, row.id, self._programs.get(row.workflow))
        bodies = self._store.history(key)
        hot.plan, hot.state = replay(hot.plan, bodies)
        hot.seq = len(bodies)
        self.put(hot)
        return hot

    def peek(self, key: Key) -> Hot | None:
        """Return an execution that is hot, and leave it where it is. May be called from any thread: one look into a dict."""
        return self._hot.get(key)

    def put(self, hot: Hot) -> None:
        """Keep an execution."""
        self._hot[hot.key] = hot
        self.weigh(hot.key)

    def weigh(self, key: Key) -> None:
        """Count the nodes of an execution anew, for it may have grown."""
        hot = self._hot.get(key)
        if hot is not None:
            weight = len(hot.state.nodes)
            self._nodes += weight - hot.weight
            hot.weight = weight

    def drop(self, key: Key) -> None:
        """Forget an execution: it has ended, or what was done to it could not be stored."""
        hot = self._hot.pop(key, None)
        if hot is not None:
            self._nodes -= hot.weight

    def clear(self) -> None:
        """Forget everything."""
        self._hot.clear()
        self._nodes = 0

    def cool(self) -> None:
        """Let go of the executions used longest ago, down to the limits. Only between groups of events."""
        while self._hot and (self._nodes > HOT_NODES or len(self._hot) > HOT_EXECUTIONS):
            _, hot = self._hot.popitem(last=False)
            self._nodes -= hot.weight
