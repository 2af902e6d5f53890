"""Whole gate cycles a second, in-process: a task, a gate, a task; beside a bare loop that commits the same rows."""

import tempfile
import time
from pathlib import Path

import machine
from figures import Figure
from inprocess import Host, Recording

from tidegate.core.state import ExecutionPhase
from tidegate.ports.journal import Batch

FEW, MANY = 2_000, 10_000
"""How many are under way at once."""


def figures(repeats: int) -> list[Figure]:
    return [each for executions in (FEW, MANY) for each in measured(executions, repeats)]


def measured(executions: int, repeats: int) -> list[Figure]:
    rates, bare, most, groups = [], [], [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(dir=machine.here()) as place:
            took, batches = cycles(Path(place), executions)
            rates.append(executions / took)
            groups.append(float(len(batches)))
            bare.append(executions / machine.bare_commits(Path(place) / "bare.db", batches))
            seconds = machine.bare_commits(Path(place) / "most.db", batches, at_once=True)
            most.append(executions / seconds)
    return [
        Figure(
            f"gate cycles, {executions:,} under way at once",
            "/s",
            rates,
            bare,
            "a loop that inserts the same rows into the same tables, in the same groups",
            aim=0.29,
            of_bare=True,
        ),
        Figure(
            "... as a part of the most that SQLite takes: all rows of a statement in one call",
            "",
            [a / b for a, b in zip(rates, most, strict=True)],
        ),
        Figure("... in transactions", "", groups),
    ]


def cycles(place: Path, executions: int = FEW) -> tuple[float, list[Batch]]:
    """Return the seconds for whole cycles, and what was committed."""
    host = Host(place / "store" / "tidegate.db", record=True)
    took = cycled(host, executions)
    assert isinstance(host.store.journal, Recording)
    return took, host.store.journal.batches


def cycled(host: Host, executions: int) -> float:
    """Launch all, let all come to the gate, answer all, let all end; close the host, and return the seconds."""
    start = time.perf_counter()
    placed = [host.launch(f"e{i}") for i in range(executions)]
    host.wait(ExecutionPhase.WAITING, executions)
    for future in placed:
        host.answer(future.result().key)
    host.wait(ExecutionPhase.SUCCEEDED, executions)
    took = time.perf_counter() - start
    host.close()
    return took
