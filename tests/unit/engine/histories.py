"""Executions whose history is appended line by line, as the simulation has told it: for the tests of whatever reads them."""

from collections.abc import Iterator

import msgspec
from tests.simulation.run import Run

from tidegate.core.plan import ROOT
from tidegate.ir.graph import Graph, Instant
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.journal import Batch, ExecutionRow, HistoryRow, Key, LaunchRow
from tidegate.stores.sqlite import SqliteStore

NOON = Instant(1_767_268_800_000_000)


class Growing:
    """A store with one execution, whose history grows by a line with each step of an iteration."""

    def __init__(self, graph: Graph, lines: list[bytes]) -> None:
        self.store = SqliteStore.memory()
        self._lines = lines
        workflow = WorkflowRow(0, graph.name, "1", msgspec.msgpack.encode(graph), "", "", NOON)
        number = self.store.catalog.put_workflow(workflow).id
        self.store.journal.append(Batch(launches=[LaunchRow(Key(1), "e1", number, NOON)]))

    @property
    def row(self) -> ExecutionRow:
        row = self.store.journal.find("e1")
        assert row is not None
        return row

    def __iter__(self) -> Iterator[int]:
        """Yield the number of each line once it is stored."""
        for seq, line in enumerate(self._lines, start=1):
            self.store.journal.append(Batch(history=[HistoryRow(Key(1), seq, line)]))
            yield seq


def told(seed: int) -> Growing:
    """Return an execution of the simulation: of any graph, with anything that may befall it, to its end."""
    run = Run(seed).go()
    return Growing(run.first_plan.scopes[ROOT], run.lines)
