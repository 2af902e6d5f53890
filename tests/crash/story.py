"""
A seeded story of batches as an engine commits them, and what a store must hold after each.

`Story.tell(n)` makes batch n, the same for the same seed; `Story.after(n)` is what a store holds after the first n.
"""

import random
from typing import Any, TypeAlias

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.journal import (
    Batch,
    Counts,
    HistoryRow,
    Key,
    LaunchRow,
    PhaseRow,
    Series,
    WaitEnd,
    WaitRow,
)
from tidegate.ports.listings import ExecutionQuery, Narrowing, WaitQuery
from tidegate.ports.store import Store
from tidegate.stores.sqlite import SqliteStore

Contents: TypeAlias = tuple[list[Any], dict[Key, list[bytes]], list[Any], Counts, list[Key]]

NEEDLE = "NEEDLE"
SERIES = Series("", "", "story")
WORKFLOW = WorkflowRow(0, "story", "v1", b"graph", "", "", 0)


def contents(store: Store) -> Contents:
    """Read everything that a store holds, through its public door."""
    rows = store.listings.executions(ExecutionQuery(limit=10**6)).rows
    history = {row.key: store.journal.history(row.key) for row in rows}
    waits = store.listings.waits(WaitQuery(kinds=(), limit=10**6)).rows
    needles = WaitQuery(Narrowing(text=NEEDLE), limit=10**6)
    found = [row.wait.key for row in store.listings.waits(needles).rows]
    return rows, history, waits, store.listings.counts(), found


class Story:
    """Batches, and a store in memory that always follows them."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._told: list[Batch] = []
        self._mirror = SqliteStore.memory()
        self._followed = 0
        self._number = self._mirror.catalog.put_workflow(WORKFLOW).id
        self._seqs: dict[Key, int] = {}
        self._waiting: list[Key] = []

    def tell(self, n: int) -> Batch:
        """Return batch n; they are made in order."""
        while len(self._told) <= n:
            self._told.append(self._next(len(self._told)))
        return self._told[n]

    def after(self, n: int) -> Contents:
        """Return what a store holds after the first n batches; n never goes down."""
        assert n >= self._followed, "a story is followed forwards"
        for i in range(self._followed, n):
            self._mirror.journal.append(self.tell(i))
        self._followed = n
        return contents(self._mirror)

    def _next(self, at: int) -> Batch:
        """Let some that wait end, and launch some that wait then; every batch changes something."""
        chance, batch = self._chance, Batch()
        for _ in range(min(chance.randrange(4), len(self._waiting))):
            key = self._waiting.pop(chance.randrange(len(self._waiting)))
            self._write(batch, key)
            self._write(batch, key)
            batch.phases.append(PhaseRow(key, Phase.SUCCEEDED, at))
            batch.ends.append(WaitEnd(key, "n1"))
            self._count(batch, Phase.WAITING, -1)
            self._count(batch, Phase.SUCCEEDED, 1)
        for _ in range(chance.randrange(1, 4)):
            key = Key(len(self._seqs) + 1)
            self._seqs[key] = 0
            self._waiting.append(key)
            self._write(batch, key)
            due = at + chance.randrange(100) if chance.random() < 0.5 else None
            row = LaunchRow(key, f"e{key}", self._number, at, series=SERIES, phase=Phase.WAITING)
            batch.launches.append(row)
            name = chance.choice(("title", "needle"))
            batch.waits.append(WaitRow(key, "n1", "input", name, at, due, name, row.id, SERIES))
            self._count(batch, Phase.WAITING, 1)
        return batch

    @staticmethod
    def _count(batch: Batch, phase: Phase, by: int) -> None:
        counts = batch.counts
        counts.phases[phase] = counts.phases.get(phase, 0) + by
        if phase is Phase.WAITING:
            counts.waits["input"] = counts.waits.get("input", 0) + by

    def _write(self, batch: Batch, key: Key) -> None:
        self._seqs[key] += 1
        body = self._chance.randbytes(self._chance.choice((20, 100, 300, 6000)))
        batch.history.append(HistoryRow(key, self._seqs[key], body))
