"""
Rebuilding lists from the history: after a migration, or when `tidegate doctor --rebuild` asks for it.

Executions are processed page by page, each page a transaction that also records the progress; when the store is opened after
a crash, it continues from there. An execution that cannot be read back stays listed with its former row, marked as damaged.
"""

import json
import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from tidegate.core.endings import Ending, ending_of
from tidegate.core.history import from_bytes, replay
from tidegate.core.messages import AbortRequested, Event
from tidegate.core.plan import Plan
from tidegate.core.state import ExecutionPhase, NodePhase
from tidegate.errors import StoreDamaged, StoreError
from tidegate.ir.graph import Graph
from tidegate.ports.journal import Counts, ExecutionRow, Key, PhaseRow, Series, WaitRow
from tidegate.ports.rows import WaitingExecution, wait_row
from tidegate.ports.store import Progress
from tidegate.stores.database import SqlConnection
from tidegate.stores.rows import (
    KINDS,
    LATEST,
    Row,
    counter_rows,
    execution_row,
    listed_wait,
    phase_bindings,
    phase_of,
    wait_bindings,
)

PAGE = 1_000
"""Executions per transaction."""

REBUILD = "rebuild"
"""The mark that says up to which execution lists have been rebuilt; it exists until all of them have been."""

ENDINGS = "rebuild_endings"
"""The mark that exists if those that failed or were aborted are read for how they ended, which earlier versions did not list."""

ENDED = "rebuild_ended"
"""The mark that exists if ended executions are checked too, in case their phase is listed wrongly."""

log = logging.getLogger(__name__)


class Rebuild(ABC):
    """Rebuilds the lists of one store, with its writing connection. A database adds what only it does."""

    def __init__(
        self, connection: SqlConnection, sql: Mapping[str, str], progress: Progress
    ) -> None:
        self._connection = connection
        self._sql = sql
        self._progress = progress
        self._plans: dict[int, Plan] = {}
        self._series: dict[Series, int] = {}

    def is_due(self) -> bool:
        """Whether a rebuild has started and not finished."""
        return bool(self._rows("mark", name=REBUILD))

    def begin(self) -> None:
        """Reset all progress, to rebuild all lists."""
        with self._page():
            self._reset()
            for mark in (REBUILD, ENDED):
                self._mark(mark, 0)

    def go_on(self) -> None:
        """Rebuild the lists that have not been rebuilt yet."""
        self._write_all()
        self._finish()

    # -- what a database adds --

    @abstractmethod
    def _page(self) -> AbstractContextManager[object]:
        """Give one transaction."""

    @abstractmethod
    def _reset(self) -> None:
        """Forget what the database adds to the lists."""

    @abstractmethod
    def _is_damage(self, error: Exception) -> bool:
        """Return whether an error is damage of one execution; any other one concerns all of them."""

    def _stored(self, wait: Row) -> Row:
        """Return a row of `add_wait` as this database takes it."""
        return wait

    # -- inside --

    def _finish(self) -> None:
        with self._page():
            self._connection.execute(self._sql["forget_stray_waits"])
            self._connection.execute(self._sql["forget_counters"])
            self._connection.executemany(self._sql["count"], counter_rows(self._counted()))
            for mark in (REBUILD, ENDED, ENDINGS):
                self._connection.execute(self._sql["end_mark"], {"name": mark})

    def _write_all(self) -> None:
        # Of the phases of live executions, WAITING is the last.
        ended = bool(self._rows("mark", name=ENDED))
        last_phase = ExecutionPhase.ABORTED if ended else ExecutionPhase.WAITING
        wanted = {"last_phase": last_phase, "endings": bool(self._rows("mark", name=ENDINGS))}
        after = self._rows("mark", name=REBUILD)[0][0]
        left = self._rows("count_unfinished", after=after, **wanted)[0][0]
        done = 0
        self._progress(done, left)
        while keys := self._rows("unfinished", after=after, limit=PAGE, **wanted):
            with self._page():
                rows = self._rows("execution_rows", keys=json.dumps([key for (key,) in keys]))
                for row in reversed(rows):
                    self._write(execution_row(row))
                after = keys[-1][0]
                self._mark(REBUILD, after)
            done += len(keys)
            self._progress(done, max(left, done))

    def _write(self, row: ExecutionRow) -> None:
        """Write the rows of one execution."""
        damaged, phase, ending = "", row.phase, row.ending
        try:
            phase, waits, ending = self._read(row)
        except Exception as error:
            # What is damaged may break anything that reads it.
            if not self._is_damage(error):
                raise
            damaged, waits = _said(error), self._listed(row.key)
        if damaged:
            log.warning("execution %s is damaged (%s): run `tidegate doctor`", row.id, damaged)
            damaged = f"its history cannot be read ({damaged}): restore a copy of the store, or abort the execution"
        if phase is not row.phase or ending != row.ending:
            now = PhaseRow(row.key, phase, row.changed, ending)
            self._connection.execute(self._sql["set_phase"], phase_bindings(now))
        self._connection.execute(self._sql["forget_waits_of"], {"key": row.key})
        series = self._number_of(row.series)
        self._connection.executemany(
            self._sql["add_wait"],
            [self._stored(wait_bindings(wait, series, damaged)) for wait in waits],
        )

    def _listed(self, key: Key) -> list[WaitRow]:
        """Return the current rows of an execution."""
        waits = [[key, node] for (node,) in self._rows("nodes_that_wait", key=key)]
        return [listed_wait(row).wait for row in self._rows("wait_rows", waits=json.dumps(waits))]

    def _number_of(self, series: Series) -> int:
        number = self._series.get(series)
        if number is None:
            found = self._rows("find_series", **series._asdict())
            number = self._series[series] = found[0][0]
        return number

    def _read(self, row: ExecutionRow) -> tuple[ExecutionPhase, list[WaitRow], Ending | None]:
        first = self._plan(row.workflow)
        bodies = [body for (body,) in self._rows("history", key=row.key, after=0, limit=LATEST)]
        last = self._rows("last_seq", key=row.key)[0][0]
        if not bodies or len(bodies) != last:
            raise StoreDamaged(f"{len(bodies)} lines of history, the last of them line {last}")
        plan, state = replay(first, bodies)
        owner = WaitingExecution(row.key, row.id, row.series, first)
        waits = [
            wait_row(owner, plan, state, plan.nodes[id_])
            for id_, now in state.nodes.items()
            if now.phase is NodePhase.WAITING
        ]
        return state.phase, waits, ending_of(plan, state, _last_event(bodies))

    def _plan(self, workflow: int) -> Plan:
        plan = self._plans.get(workflow)
        if plan is None:
            body = self._rows("workflow", workflow=workflow)[0][3]
            try:
                plan = self._plans[workflow] = Plan.of(msgspec.msgpack.decode(body, type=Graph))
            except msgspec.MsgspecError as error:
                raise StoreDamaged(f"its graph cannot be read: {error}") from error
        return plan

    def _counted(self) -> Counts:
        phases: Counter[ExecutionPhase] = Counter()
        for part, count in self._rows("count_executions"):
            phases[phase_of(part)] += count
        return Counts(
            dict(phases),
            {KINDS[kind]: count for kind, count in self._rows("count_waits")},
        )

    def _rows(self, statement: str, **bindings: Any) -> list[Row]:
        return self._connection.execute(self._sql[statement], bindings).fetchall()

    def _mark(self, name: str, value: int) -> None:
        self._connection.execute(self._sql["set_mark"], {"name": name, "value": value})


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, StoreError) else f"{type(error).__name__}: {error}"


def _last_event(bodies: list[bytes]) -> Event | None:
    """Return the event that aborted an execution, if one did. Only its successor is noted after its end."""
    events = (from_bytes(body).event for body in reversed(bodies[-2:]))
    return next((each for each in events if isinstance(each, AbortRequested)), None)
