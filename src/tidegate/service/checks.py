"""
Checking a store: the database itself, and for each execution whether its listing matches its history.

It may run while an engine writes: an execution that seems wrong is checked a second time, because it may have changed in between.
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

NOT_FOLDED = frozenset({"key", "node", "words"})
"""Fields of a listed wait that do not follow from the history, or are only searched."""


class StoreCheck(NamedTuple):
    """How many executions a store has, what is wrong, and which required files are missing: one line per problem."""

    executions: int
    problems: list[str]
    missing: list[str]


def check_store(store: Store, artifacts: Artifacts | None = None) -> StoreCheck:
    """Check a store; with `artifacts`, also check that everything kept beside the database is present."""
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
    """Checks one execution after another."""

    def __init__(self, store: Store, artifacts: Artifacts | None) -> None:
        self._store = store
        self._artifacts = artifacts
        self._programs = Programs(store.catalog)

    def look(self, key: Key) -> tuple[list[str], list[str]]:
        """Return what is wrong with an execution now, and what it lacks."""
        row = self._store.journal.get(key)
        if row is None:
            return ["it no longer exists"], []
        try:
            now = snapshot(self._store.journal, self._programs, row)
            program = self._programs.get(row.workflow)
        except StoreDamaged as error:
            return [f"it cannot be read back: {error.details.get('why', error.message)}"], []
        found = []
        if row.phase is not now.state.phase:
            found.append(f"listed as {row.phase.name}, but its history says {now.state.phase.name}")
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
    """Say how a listed wait differs from the history; empty if it does not."""
    if listed is None:
        return "it is waiting, but is not listed"
    if true is None:
        return f"listed as waiting ({listed.wait.kind}), but according to its history it is not"
    if listed.damaged:
        return listed.damaged
    stands, ought = structs.asdict(listed.wait), structs.asdict(true)
    differs = [name for name in ought if name not in NOT_FOLDED and stands[name] != ought[name]]
    return f"its listed {', '.join(differs)} differs from its history" if differs else ""


def _shown_otherwise(now: Snapshot) -> list[str]:
    """Return the answers that were given to something other than what their question shows."""
    return [
        f"node {node}: the answer was given to {state.answer.shown[:20]}, which is not the digest of the question"
        for node, state in now.state.nodes.items()
        if state.answer is not None
        and state.answer.shown.startswith(f"{FORM}:")
        and not state.answer.kept
        and state.answer.shown != written(digest_of(now.plan, now.state, now.plan.nodes[node]))
    ]


def _stuck(now: Snapshot) -> list[str]:
    """Return the nodes that are stuck: unfinished in an ended execution, or ready but never started."""
    if now.state.phase.is_terminal:
        return [
            f"node {node} is {state.phase.name}, although the execution has ended"
            for node, state in now.state.nodes.items()
            if not state.phase.is_terminal
        ]
    alive = any(not state.phase.is_terminal for state in now.state.nodes.values())
    return [] if alive else ["it has not ended, but nothing in it can make progress"]
