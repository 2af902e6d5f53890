"""Whole gate cycles a second, in-process: a task, a gate, a task; beside a bare loop that commits the same rows."""

import tempfile
import time
from pathlib import Path

import machine
from figures import Figure
from inprocess import Host, Recording

from tidegate.core.state import ExecutionPhase
from tidegate.ports.journal import Batch

EXECUTIONS = 2_000


def figures(repeats: int) -> list[Figure]:
    rates, bare, most, groups = [], [], [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(dir=machine.here()) as place:
            took, batches = cycles(Path(place))
            rates.append(EXECUTIONS / took)
            groups.append(float(len(batches)))
            bare.append(EXECUTIONS / machine.bare_commits(Path(place) / "bare.db", batches))
            seconds = machine.bare_commits(Path(place) / "most.db", batches, at_once=True)
            most.append(EXECUTIONS / seconds)
    return [
        Figure(
            f"gate cycles, {EXECUTIONS:,} executions",
            "/s",
            rates,
            bare,
            "a loop that inserts the same rows into the same tables, in the same groups",
            aim=1_500,
        ),
        Figure(
            "... as a part of the bare loop",
            "",
            [a / b for a, b in zip(rates, bare, strict=True)],
            aim=0.25,
        ),
        Figure(
            "... as a part of the most that SQLite takes: all rows of a statement in one call",
            "",
            [a / b for a, b in zip(rates, most, strict=True)],
        ),
        Figure("... in transactions", "", groups),
    ]


def cycles(place: Path) -> tuple[float, list[Batch]]:
    """Launch all, let all come to the gate, answer all, let all end; return the seconds, and what was committed."""
    host = Host(place / "store" / "tidegate.db", record=True)
    start = time.perf_counter()
    placed = [host.launch(f"e{i}") for i in range(EXECUTIONS)]
    host.wait(ExecutionPhase.WAITING, EXECUTIONS)
    for future in placed:
        host.answer(future.result().key)
    host.wait(ExecutionPhase.SUCCEEDED, EXECUTIONS)
    took = time.perf_counter() - start
    assert isinstance(host.store.journal, Recording)
    batches = host.store.journal.batches
    host.close()
    return took, batches
