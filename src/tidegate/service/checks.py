"""
Checking whether a store is sound: the database itself, and for each execution whether what is listed of it is what its history says.

It may look while an engine writes: an execution that seems wrong is looked at once more, for it may have changed between two looks.
"""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import structs

from tidegate.core.questions import FORM, digest_of, written
from tidegate.core.state import NodePhase
from tidegate.engine.folds import Snapshot, snapshot
from tidegate.engine.programs import Programs
from tidegate.errors import StoreDamaged
from tidegate.ir.expr import NodeId
from tidegate.ports.artifacts import Artifacts
from tidegate.ports.journal import ExecutionRow, Key, WaitRow
from tidegate.ports.listings import ExecutionQuery, ListedWait, WaitQuery
from tidegate.ports.rows import WaitingExecution, wait_row
from tidegate.ports.store import Store
from tidegate.service.missing import lacking

PAGE = 500

NOT_FOLDED = frozenset({"key", "node"})
"""What of a listed wait does not follow from the history."""


class StoreCheck(NamedTuple):
    """How many executions a store has, what is wrong, and what is missing that must be there: one line a problem."""

    executions: int
    problems: list[str]
    missing: list[str]


def check_store(store: Store, artifacts: Artifacts | None = None) -> StoreCheck:
    """Check a store; with `artifacts`, also whether all is there that it keeps beside its database."""
    checked = StoreCheck(0, list(store.problems()), [])
    check = _Check(store, artifacts)
    count = 0
    for row in _executions(store):
        count += 1
        if any(check.look(row.key)):
            for found, noted in zip(check.look(row.key), checked[1:], strict=True):
                noted += [f"execution {row.id}: {each}" for each in found]
    return checked._replace(executions=count)


def _executions(store: Store) -> Iterator[ExecutionRow]:
    before: Key | None = None
    while rows := store.listings.executions(ExecutionQuery(before=before, limit=PAGE)).rows:
        yield from rows
        before = rows[-1].key


class _Check:
    """The check of one execution after the other."""

    def __init__(self, store: Store, artifacts: Artifacts | None) -> None:
        self._store = store
        self._artifacts = artifacts
        self._programs = Programs(store.catalog)

    def look(self, key: Key) -> tuple[list[str], list[str]]:
        """Return what is wrong with an execution now, and what it lacks."""
        row = self._store.journal.get(key)
        if row is None:
            return ["it is gone"], []
        try:
            now = snapshot(self._store.journal, self._programs, row)
            program = self._programs.get(row.workflow)
        except StoreDamaged as error:
            return [f"it cannot be read back: {error.details.get('why', error.message)}"], []
        found = []
        if row.phase is not now.state.phase:
            found.append(f"listed as {row.phase.name}, by its history {now.state.phase.name}")
        found += self._listed_otherwise(
            WaitingExecution(key, row.id, row.series, program.plan), now
        )
        artifacts = self._artifacts
        missing = [] if artifacts is None else list(lacking(artifacts, program, now))
        return found + _stuck(now) + _shown_otherwise(now), missing

    def _listed_otherwise(self, owner: WaitingExecution, now: Snapshot) -> list[str]:
        query = WaitQuery(kinds=(), key=owner.key, limit=1_000_000)
        listed = {each.wait.node: each for each in self._store.listings.waits(query).rows}
        true = _waits(owner, now)
        return [
            f"node {node}: {wrong}"
            for node in sorted(listed.keys() | true.keys())
            if (wrong := _difference(listed.get(node), true.get(node)))
        ]


def _waits(owner: WaitingExecution, now: Snapshot) -> dict[NodeId, WaitRow]:
    return {
        node: wait_row(owner, now.plan, now.state, now.plan.nodes[node])
        for node, state in now.state.nodes.items()
        if state.phase is NodePhase.WAITING
    }


def _difference(listed: ListedWait | None, true: WaitRow | None) -> str:
    """Say how a listed wait differs from what history says; empty if it does not."""
    if listed is None:
        return "it waits, and is not listed"
    if true is None:
        return f"listed as waiting ({listed.wait.kind}), by its history it does not wait"
    if listed.damaged:
        return listed.damaged
    stands, ought = structs.asdict(listed.wait), structs.asdict(true)
    differs = [name for name in ought if name not in NOT_FOLDED and stands[name] != ought[name]]
    return f"listed with another {', '.join(differs)} than its history says" if differs else ""


def _shown_otherwise(now: Snapshot) -> list[str]:
    """Return the answers that were given to something else than what their question shows."""
    return [
        f"node {node}: what was shown ({state.answer.shown[:20]}) is not what the question shows"
        for node, state in now.state.nodes.items()
        if state.answer is not None
        and state.answer.shown.startswith(f"{FORM}:")
        and not state.answer.kept
        and state.answer.shown != written(digest_of(now.plan, now.state, now.plan.nodes[node]))
    ]


def _stuck(now: Snapshot) -> list[str]:
    """Return the nodes that will never move: in an ended execution, or with all they need and still not begun."""
    if now.state.phase.is_terminal:
        return [
            f"node {node} is {state.phase.name}, though the execution has ended"
            for node, state in now.state.nodes.items()
            if not state.phase.is_terminal
        ]
    alive = any(not state.phase.is_terminal for state in now.state.nodes.values())
    return [] if alive else ["it has not ended, and nothing of it can move"]
