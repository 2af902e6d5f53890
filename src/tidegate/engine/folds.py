"""
Executions as the store has them: their histories, folded into states, for all readers.

Rule 1: a fold is kept and continues from its last line, so a second read costs the lines added since.
Rule 2: a fold that was handed out never changes: new lines are folded into a copy, which replaces it.
Rule 3: nothing is kept of an execution that is known to be damaged: each read starts from scratch, and so notices a repair.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from threading import Lock

from msgspec import Struct

from tidegate.core.addresses import readdressed
from tidegate.core.draft import fold
from tidegate.core.history import Line, from_bytes
from tidegate.core.messages import Launched
from tidegate.core.plan import ROOT, Kind, Plan
from tidegate.core.rounds import PastRound, values_of
from tidegate.core.state import (
    ExecutionState,
    NodeChanged,
    NodePhase,
    NodeUnfolded,
    PhaseChanged,
)
from tidegate.engine.cache import Cache, size_of
from tidegate.engine.damage import Damage, damaged
from tidegate.engine.programs import UNPACKED, Programs
from tidegate.errors import StoreDamaged
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import BranchNode, Instant
from tidegate.ports.journal import ExecutionRow, Journal, Key

FOLDS = 64 * 1024 * 1024
"""Bytes of all folds kept: those of some 7 executions of 10,000 nodes, or of 20,000 small ones. People read fewer at a time."""

NODE = 700
"""Bytes of a changed node, beside its values (measured by tracemalloc: 460, and 130 for the line that changed it last)."""

ROUND = 900
"""Bytes of a round that was replaced, with at most six small values."""

AROUND = 1_500
"""Bytes of a fold without nodes."""

GONE = "its history is gone"


class Snapshot(Struct, frozen=True):
    """
    An execution as the store has it at one moment, after line `seq` of its history.

    `changed` is the line after which a node was last shown differently, the latest last; a node that is not in it is shown as at the launch.
    `emptied` is the last line with which a loop moved to a round without nodes: those before it were removed, and no new ones indicate that.
    `rounds` has the rounds of each loop that were replaced, in order.
    """

    row: ExecutionRow
    plan: Plan
    state: ExecutionState
    seq: int
    changed: dict[NodeId, int]
    emptied: int = 0
    rounds: Mapping[NodeId, Sequence[PastRound]] = {}

    def since(self, seq: int) -> set[NodeId]:
        """Return the nodes that are shown differently since a line."""
        return set(takewhile(lambda node: self.changed[node] > seq, reversed(self.changed)))


class _Fold(Struct, frozen=True):
    """A history up to a line, as it is kept. `weight` is in bytes."""

    plan: Plan
    state: ExecutionState
    seq: int
    changed: dict[NodeId, int]
    emptied: int
    weight: int
    rounds: dict[NodeId, list[PastRound]]


class Folds:
    """The folds of a store. May be used from any thread."""

    def __init__(self, journal: Journal, programs: Programs, damage: Damage) -> None:
        self._journal = journal
        self._programs = programs
        self._damage = damage
        self._kept: Cache[Key, _Fold] = Cache(FOLDS)
        self._lock = Lock()
        self._folding: dict[Key, tuple[Lock, int]] = {}

    def get(self, row: ExecutionRow) -> Snapshot:
        """Return the current state of an execution. Errors: `StoreDamaged`, naming it."""
        key = row.key
        with self._alone(key):
            was_damaged = self._damage.is_unreadable(key)
            kept = None if was_damaged else self._kept.get(key)
            try:
                now = _read(self._journal, self._programs, row, kept)
            except StoreDamaged as error:
                self._kept.drop(key)
                raise self._damage.noticed(key, row.id, error) from error
            if was_damaged:
                self._damage.lacks(key, "")
            if now is not kept:
                self._kept.put(key, now, now.weight)
        return Snapshot(row, now.plan, now.state, now.seq, now.changed, now.emptied, now.rounds)

    @contextmanager
    def _alone(self, key: Key) -> Iterator[None]:
        """Let one thread at a time fold an execution, so that of many readers only one does; other executions do not wait for it."""
        with self._lock:
            lock, users = self._folding.get(key) or (Lock(), 0)
            self._folding[key] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._folding.pop(key)
                if users > 1:
                    self._folding[key] = (lock, users - 1)


def snapshot_at(journal: Journal, programs: Programs, row: ExecutionRow, seq: int) -> Snapshot:
    """Read an execution as it was after a line of its history. Errors: `StoreDamaged`, naming it."""
    try:
        bodies = journal.history(row.key, 0, seq)
        plan, state = replayed(programs.get(row.workflow).plan, bodies)
    except StoreDamaged as error:
        raise damaged(row.id, error) from error
    return Snapshot(row, plan, state, seq, {})


def snapshot(journal: Journal, programs: Programs, row: ExecutionRow) -> Snapshot:
    """Read a whole execution from the store. Errors: `StoreDamaged`, naming it."""
    try:
        now = _read(journal, programs, row, None)
    except StoreDamaged as error:
        raise damaged(row.id, error) from error
    return Snapshot(row, now.plan, now.state, now.seq, now.changed, now.emptied, now.rounds)


def _read(journal: Journal, programs: Programs, row: ExecutionRow, kept: _Fold | None) -> _Fold:
    bodies = journal.history(row.key, kept.seq if kept is not None else 0)
    if kept is None and not bodies:
        raise StoreDamaged(GONE)
    if kept is not None:
        if not bodies:
            return kept
        plan, state, seq, changed = (
            kept.plan.shared(),
            kept.state.copied(),
            kept.seq,
            dict(kept.changed),
        )
        emptied, weight = kept.emptied, kept.weight
        rounds = {node: list(past) for node, past in kept.rounds.items()}
    else:
        plan, state, seq, changed = programs.get(row.workflow).plan, ExecutionState(), 0, {}
        emptied, weight, rounds = 0, AROUND, {}
    for body in bodies:
        seq += 1
        line = _line(seq, body)
        over = _over(plan, line)
        for node in over:
            weight -= NODE * (changed.pop(node, None) is not None)
        for node in _replaced(plan, line):
            past = rounds.setdefault(node, [])
            past.append(_round(plan, state, node, past, seq - 1, line.event.at))
            weight += ROUND
        plan = _folded(plan, state, seq, line)
        if over and _has_emptied(plan, line):
            emptied = seq
        for node in _shown_differently(plan, state, line):
            changed.pop(node, None)
            changed[node] = seq
        weight += _weight(line, len(body))
    return _Fold(plan, state, seq, changed, emptied, weight, rounds)


def _round(
    plan: Plan,
    state: ExecutionState,
    node: NodeId,
    past: Sequence[PastRound],
    seq: int,
    ended: Instant,
) -> PastRound:
    """Return what is kept of a round that is about to be replaced."""
    now = plan.rounds.get(node)
    number = 1 if now is None else now.number
    began = past[-1].ended if past else state.node(node).began or ended
    return PastRound(number, seq, began, ended, values_of(plan, state, node))


def replayed(plan: Plan, bodies: Sequence[bytes]) -> tuple[Plan, ExecutionState]:
    """Fold a whole history, from the launch on. Errors: `StoreDamaged`."""
    if not bodies:
        raise StoreDamaged(GONE)
    state = ExecutionState()
    for seq, body in enumerate(bodies, start=1):
        plan = _folded(plan, state, seq, _line(seq, body))
    return plan, state


def _line(seq: int, body: bytes) -> Line:
    """Read one line. Errors: `StoreDamaged`."""
    try:
        return from_bytes(body)
    except StoreDamaged as error:
        raise StoreDamaged(f"line {seq}: {error.message}") from error


def _folded(plan: Plan, state: ExecutionState, seq: int, line: Line) -> Plan:
    """Fold one line into a state, and return the plan after it. Errors: `StoreDamaged`."""
    try:
        assert isinstance(line.event, Launched) == (seq == 1), "a line is missing or duplicated"
        return fold(plan, state, line.event, line.changes)
    except (AssertionError, LookupError) as error:
        # Lines that are readable but inconsistent break an assertion of the machine.
        raise StoreDamaged(
            f"line {seq} does not fit those before: {type(error).__name__}: {error}"
        ) from error


def _weight(line: Line, length: int) -> int:
    weight = 0
    if isinstance(line.event, Launched):
        weight += size_of(line.event.inputs)
        if line.event.reuse is not None:
            weight += UNPACKED * length
    for change in line.changes:
        match change:
            case NodeChanged(_, state):
                weight += NODE
                if state.outputs is not None:
                    weight += size_of(state.outputs)
                if state.answer is not None:
                    weight += size_of(state.answer.value)
                if state.failure is not None:
                    weight += size_of(state.failure.message) + size_of(state.failure.trace)
            case NodeUnfolded():
                weight += UNPACKED * length
            case _:
                weight += AROUND
    return weight


# ---- which nodes a line has changed ----


def _over(plan: Plan, line: Line) -> list[NodeId]:
    """Return the nodes that a line removes: those of a round that is replaced by the next one. `plan` is the one before it."""
    return [node for loop in _replaced(plan, line) for node in _below(plan, loop)]


def _replaced(plan: Plan, line: Line) -> list[NodeId]:
    """Return the loops whose round a line replaces by the next one. `plan` is the one before it."""
    return [
        change.node
        for change in line.changes
        if isinstance(change, NodeUnfolded) and change.node in plan.scopes
    ]


def _has_emptied(plan: Plan, line: Line) -> bool:
    """Return whether a node has unfolded into an empty graph. `plan` is the one after the line."""
    unfolded = (change.node for change in line.changes if isinstance(change, NodeUnfolded))
    return any(next(_below(plan, node), None) is None for node in unfolded)


def _shown_differently(plan: Plan, state: ExecutionState, line: Line) -> Iterator[NodeId]:
    """
    Yield the nodes that are shown differently after a line: those that it changed, and those affected indirectly.

    A node that was never reached is shown as SKIPPED once its holder has ended; and a gate gets another path once its name is no longer unique.
    """
    for change in line.changes:
        match change:
            case NodeChanged(node, now):
                yield node
                if now.phase.is_terminal and _is_holder(plan, node):
                    yield from _unreached(plan, state, node)
            case NodeUnfolded(node):
                yield from _below(plan, node)
            case PhaseChanged(phase) if phase.is_terminal:
                yield from _unreached(plan, state, ROOT)
            case _:
                pass
    yield from readdressed(plan, line.changes)


def _held(plan: Plan, holder: NodeId) -> Iterator[NodeId]:
    """Yield the nodes that a holder opens, in whatever case."""
    node = None if holder == ROOT else plan.nodes[holder].node
    cases = len(node.cases) + 1 if isinstance(node, BranchNode) else 1
    for case in range(cases):
        yield from plan.groups.get((holder, case), ())


def _is_holder(plan: Plan, node: NodeId) -> bool:
    return plan.nodes[node].kind is Kind.HOLDER or node in plan.scopes


def _below(plan: Plan, holder: NodeId) -> Iterator[NodeId]:
    """Yield every node below a holder."""
    todo = [holder]
    while todo:
        for node in _held(plan, todo.pop()):
            yield node
            if _is_holder(plan, node):
                todo.append(node)


def _unreached(plan: Plan, state: ExecutionState, holder: NodeId) -> Iterator[NodeId]:
    """Yield the nodes below a holder that never started. A holder that ended earlier has already reported those below it."""
    todo = [holder]
    while todo:
        for node in _held(plan, todo.pop()):
            now = state.node(node)
            if now.phase is NodePhase.QUEUED and not now.attempt:
                yield node
            if not now.phase.is_terminal and _is_holder(plan, node):
                todo.append(node)
