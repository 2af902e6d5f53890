"""A second writer that wins: before every third append, somebody else appends to one of its executions, or takes the key of a new one."""

from typing import Any

from tidegate.core.history import from_bytes, to_bytes
from tidegate.core.messages import AbortRequested, GivenBack
from tidegate.core.state import ExecutionPhase as Phase
from tidegate.ports.journal import Batch, Counts, HistoryRow, Journal, Key, LaunchRow

EVERY = 3
"""How many appends there are for each that is contested."""


class Contested:
    """A journal, as it is to the one of two writers who is always late. `lost` counts how many times that was."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._appends = 0
        self.lost = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def append(self, batch: Batch) -> frozenset[Key]:
        """Store a batch, unless the other writer comes first."""
        self._appends += 1
        if self._appends % EVERY:
            return self._journal.append(batch)
        assert not self._journal.append(theirs(batch, self._appends))
        conflicts = self._journal.append(batch)
        assert conflicts, "the other writer was first"
        self.lost += 1
        return conflicts


def theirs(batch: Batch, number: int = 0) -> Batch:
    """Return what the other writer does to one of the executions of a batch: it changes nothing but the number of the next line."""
    launched = {row.key: row for row in batch.launches}
    lines = [row for row in batch.history if row.key not in launched]
    if lines:
        line = lines[number % len(lines)]
        first = min(row.seq for row in lines if row.key == line.key)
        at = from_bytes(line.body).event.at
        return Batch(history=[HistoryRow(line.key, first, to_bytes(GivenBack(at), []))])
    row = [*launched.values()][number % len(launched)]
    rival = LaunchRow(
        row.key, f"rival-{row.key}", row.workflow, row.at, "rival", row.series, Phase.ABORTED
    )
    ended = HistoryRow(row.key, 1, to_bytes(AbortRequested(row.at), []))
    return Batch([rival], [ended], counts=Counts({Phase.ABORTED: 1}))
