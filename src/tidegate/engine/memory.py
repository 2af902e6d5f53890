"""
What the engine keeps in memory: the executions that are hot.

It is a cache of what the store has, bounded in bytes, and may be dropped at any time. An execution that waits costs nothing here
once it has cooled; when something happens to it, its history is read once.
"""

import gc
from collections import OrderedDict
from collections.abc import Callable, Sequence

from tidegate.core.state import ExecutionState
from tidegate.engine.damage import Damage
from tidegate.engine.folds import replayed
from tidegate.engine.programs import Program, Programs
from tidegate.errors import StoreDamaged, UnknownExecution
from tidegate.ports.journal import Journal, Key, Recorded, Series
from tidegate.ports.rows import WaitingExecution

HOT_BYTES = 64 * 1024 * 1024
"""
Bytes of hot executions, by the estimate of `Hot.weigh`: some 50,000 that wait at one gate, or 30 with a megabyte of values each.
With less, 10,000 concurrent gate cycles run at a third of the speed, because each is read back three times.
"""

LIGHT_LINES, LIGHT_BYTES = 64, 16 * 1024
"""How much of a history, or of an encoded graph, is read in an event loop: about a millisecond."""

YOUNG = 10_000
"""
How many new containers Python's garbage collector lets accumulate before it scans them, in a process with an engine. The engine makes almost no cycles
of references, and the default of 700 costs a gate cycle 9 % of its time; scanning this many takes half a millisecond.
"""

_EXECUTION, _NODE, _FACTOR = 600, 400, 3
"""
Bytes of an execution, of one node of it, and by how much values grow when they are decoded.
Measured with tracemalloc: 830 bytes for an execution that waits at one gate; nested lists of small numbers grow more, long texts less.
"""


def collect_seldom() -> None:
    """Make Python's garbage collector run less often, unless it was already configured or disabled."""
    if 0 < gc.get_threshold()[0] < YOUNG:
        gc.set_threshold(YOUNG)


class Hot:
    """
    An execution in memory, after line `seq` of its history. `plan` has everything that has unfolded.

    `written` is how many bytes its history has, `weight` what the memory has counted for it.
    """

    __slots__ = ("bundle", "id", "key", "owner", "plan", "seq", "state", "weight", "written")

    def __init__(self, key: Key, id_: str, program: Program, project: str, domain: str) -> None:
        self.key = key
        self.id = id_
        self.bundle = program.bundle
        self.plan = program.plan
        self.owner = WaitingExecution(key, id_, Series(project, domain, program.name), program.plan)
        self.state = ExecutionState()
        self.seq = 0
        self.written = 0
        self.weight = 0

    def replay(self, bodies: Sequence[bytes]) -> None:
        """Fold a whole history. Errors: `StoreDamaged`."""
        self.plan, self.state = replayed(self.plan, bodies)
        self.seq = len(bodies)
        self.written = sum(map(len, bodies))

    def weigh(self) -> int:
        """Return its approximate memory in bytes."""
        return _EXECUTION + _NODE * len(self.state.nodes) + _FACTOR * self.written


class Memory:
    """The hot executions, the most recently used at the end. Used only on the engine's thread, except `peek` and `read`."""

    def __init__(self, journal: Journal, programs: Programs, damage: Damage) -> None:
        self._journal = journal
        self._programs = programs
        self._damage = damage
        self._hot: OrderedDict[Key, Hot] = OrderedDict()
        self._by_id: dict[str, Hot] = {}
        self._weight = 0

    def get(self, key: Key, read: Hot | None = None) -> Hot:
        """Return an execution: from memory, else `read`, else from the store. Errors: `UnknownExecution`; `StoreDamaged`, naming it."""
        hot = self._hot.get(key)
        if hot is not None:
            self._hot.move_to_end(key)
            return hot
        if read is not None:
            self.put(read)
            return read
        row = self._journal.get(key)
        hot = None if row is None else self.read(row.id)
        if hot is None:
            raise UnknownExecution(f"there is no execution number {key}")
        self.put(hot)
        return hot

    def read(self, execution_id: str) -> Hot | None:
        """
        Read an execution from the store; None if it does not exist.

        May be called from any thread, as it touches nothing here. Errors: `StoreDamaged`, naming it.
        """
        (found,) = self._journal.recorded((execution_id,))
        return None if found is None else self._replayed(execution_id, found)

    def read_light(self, execution_ids: Sequence[str]) -> list[Hot | StoreDamaged | None]:
        """
        Read executions from the store; None for one that does not exist, or takes longer to read than an event loop has time for.

        May be called from any thread. A damaged one is returned as the error of `read`.
        """
        read: list[Hot | StoreDamaged | None] = []
        recorded = self._journal.recorded(execution_ids, LIGHT_LINES + 1)
        for id_, found in zip(execution_ids, recorded, strict=True):
            if found is None or not self._is_light(found):
                read.append(None)
                continue
            try:
                read.append(self._replayed(id_, found))
            except StoreDamaged as error:
                read.append(error)
        return read

    def _is_light(self, found: Recorded) -> bool:
        few = len(found.bodies) <= LIGHT_LINES and sum(map(len, found.bodies)) <= LIGHT_BYTES
        return few and self._programs.has(found.workflow)

    def _replayed(self, execution_id: str, found: Recorded) -> Hot:
        try:
            program = self._programs.get(found.workflow)
            hot = Hot(found.key, execution_id, program, found.project, found.domain)
            hot.replay(found.bodies)
        except StoreDamaged as error:
            raise self._damage.noticed(found.key, execution_id, error) from error
        return hot

    def peek(self, execution_id: str) -> Hot | None:
        """Return a hot execution without marking it as used. May be called from any thread: one lookup in a dict."""
        return self._by_id.get(execution_id)

    def put(self, hot: Hot) -> None:
        """Keep an execution."""
        self._hot[hot.key] = hot
        self._by_id[hot.id] = hot
        self.weigh(hot.key)

    def weigh(self, key: Key) -> None:
        """Weigh an execution again, because it may have grown."""
        hot = self._hot.get(key)
        if hot is not None:
            before, hot.weight = hot.weight, hot.weigh()
            self._weight += hot.weight - before

    def drop(self, key: Key) -> None:
        """Forget an execution: it has ended, or its changes could not be stored."""
        hot = self._hot.pop(key, None)
        if hot is not None:
            self._let_go(hot)

    def keep(self, wanted: Callable[[Key], bool]) -> None:
        """Forget all executions but these."""
        for key in [key for key in self._hot if not wanted(key)]:
            self.drop(key)

    def clear(self) -> None:
        """Forget everything."""
        self._hot.clear()
        self._by_id.clear()
        self._weight = 0

    def cool(self) -> None:
        """Evict the least recently used executions, down to the limit. Only between groups of events."""
        while self._hot and self._weight > HOT_BYTES:
            _, hot = self._hot.popitem(last=False)
            self._let_go(hot)

    def _let_go(self, hot: Hot) -> None:
        del self._by_id[hot.id]
        self._weight -= hot.weight
