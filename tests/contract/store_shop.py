"""A store with executions at random, and what its lists must hold of them, filtered as plainly as can be."""

import random
from fnmatch import fnmatchcase

from tests.contract.store_rows import EVERY_KIND, NOON, titled, wait, workflow

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.core.waits import Shown
from tidegate.ir.graph import SECOND
from tidegate.ports.journal import (
    Batch,
    ExecutionRow,
    HistoryRow,
    LaunchRow,
    Series,
    WaitEnd,
    WaitRow,
)
from tidegate.ports.listings import Narrowing
from tidegate.ports.store import Store


class Shop:
    """
    A store with executions at random, and the same in plain lists: what a query must find is filtered from these.

    Executions begin and end to wait over several batches, some long after their launch.
    """

    NAMES = ("title", "item 9", "item 10", "Straße", "Übersicht", "a_b", "100%", 'it\'s "so" \\')

    def __init__(self, store: Store, seed: int, batches: int, projects: int) -> None:
        self.store = store
        self.chance = random.Random(seed)
        self.executions: dict[int, ExecutionRow] = {}
        self.waits: dict[tuple[int, str], WaitRow] = {}
        self._projects = projects
        self._workflows = {
            name: store.catalog.put_workflow(workflow(name)).id
            for name in ("reports.daily", "Reports.Weekly", "train")
        }
        for _ in range(batches):
            self._grow()

    def _grow(self) -> None:
        chance, batch = self.chance, Batch()
        for _ in range(20):
            row = self._new()
            batch.launches.append(
                LaunchRow(row.key, row.id, row.workflow, row.launched, "me", row.series, row.phase)
            )
            batch.history.append(HistoryRow(row.key, 1, b"x"))
            self._wait(row, chance.randrange(3), batch)
        for row in chance.sample([*self.executions.values()], 5):
            self._wait(row, 1, batch)
        new = {(row.key, row.node) for row in batch.waits}
        for key, node in chance.sample(
            sorted(self.waits.keys() - new), min(4, len(self.waits) - len(new))
        ):
            del self.waits[key, node]
            batch.ends.append(WaitEnd(key, node))
        assert not self.store.journal.append(batch)

    def _new(self) -> ExecutionRow:
        chance = self.chance
        key = len(self.executions) + 1
        name = chance.choice([*self._workflows])
        project = f"p{chance.randrange(self._projects)}"
        # Clocks go back now and then.
        launched = NOON + key - chance.choice((0, 0, 0, 7))
        row = ExecutionRow(
            key,
            f"{chance.choice('abCD')}{chance.randrange(16**6):06x}-{key}",
            self._workflows[name],
            name,
            "v1",
            chance.choice(list(Phase)),
            launched,
            launched,
            "me",
            project,
            chance.choice(("dev", "live")),
        )
        self.executions[key] = row
        return row

    def _wait(self, row: ExecutionRow, count: int, batch: Batch) -> None:
        chance = self.chance
        for node in chance.sample([f"n{i}" for i in range(12)], count):
            if any((w.key, w.node) == (row.key, node) for w in batch.waits):
                continue
            name = chance.choice(self.NAMES)
            due = chance.choice((None, NOON + chance.randrange(5) * SECOND))
            shown = (
                titled(f"Rechnung {chance.randrange(100)}") if chance.random() < 0.3 else Shown()
            )
            opened = NOON + row.key // 7 * SECOND
            wanted = wait(
                row.key,
                node,
                chance.choice(EVERY_KIND),
                opened,
                due,
                name=name,
                series=row.series,
                shown=shown,
                execution=row.id,
            )
            self.waits[row.key, node] = wanted
            batch.waits.append(wanted)

    def question(self) -> Narrowing:
        """Ask for something at random."""
        chance = self.chance
        some = chance.choice([*self.executions.values()])
        texts = (
            "", "", "tit", "TITLE", "item 1", "e", "ß", "STRASSE", "über", "_", "%", "'s", '"', "\\",
            "train", "weekly", "port", "rechnung 4", some.id, some.id.upper(), some.id[1:4], "nobody has it",
        )  # fmt: skip
        return Narrowing(
            workflow=chance.choice(("", "", "train", "trai")),
            project=chance.choice(("", "", some.project)),
            domain=chance.choice(("", "", "live")),
            within=chance.choice((None, None, (("p1*", "*"),), (("p*", "dev"), ("p2", "*")), ())),
            text=chance.choice(texts),
        )


def meant(where: Narrowing, series: Series, *texts: str) -> bool:
    """Say whether a row is meant, as plainly as can be."""
    return (
        where.workflow in ("", series.workflow)
        and where.project in ("", series.project)
        and where.domain in ("", series.domain)
        and (
            where.within is None
            or any(
                fnmatchcase(series.project, project) and fnmatchcase(series.domain, domain)
                for project, domain in where.within
            )
        )
        and any(where.text.casefold() in text.casefold() for text in (*texts, series.workflow))
    )
