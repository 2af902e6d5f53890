"""The journal on Postgres."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import psycopg

from tidegate.core.shards import SHARDS, home_shard
from tidegate.core.state import ExecutionPhase
from tidegate.errors import ConnectionLost
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.ports.journal import Batch, Due, HeldRow, HistoryRow, Key, Recorded, Series
from tidegate.stores.journal import SqlJournal
from tidegate.stores.postgres.connections import PostgresConnections, Session
from tidegate.stores.postgres.dialect import storable
from tidegate.stores.postgres.ownership import Ownership, shard_of
from tidegate.stores.postgres.pipeline import Command
from tidegate.stores.rows import LATEST, Row, due_bound, recorded, writes

MAX_SERIES = 10_000
"""Numbers of series that are remembered: some 3 MB. There are as many as workflows in projects."""

LAST_COUNTS = {"add_wait": 2, "set_phase": 1}
"""Statements that change a row once at most, and how many columns say which: of several rows with the same, the last counts."""


class _Conflict(Exception):
    """A row contradicts what is stored: the transaction is rolled back, and then the cause is determined."""


class PostgresJournal(SqlJournal):
    """A `Journal` of the shards that this process owns."""

    def __init__(self, connections: PostgresConnections, ownership: Ownership) -> None:
        super().__init__(connections)
        self._connections = connections
        self._ownership = ownership
        self._series: dict[Series, int] = {}
        self._positions: dict[int, int] | None = None
        self.written: dict[int, tuple[int, int]] = {}
        """Of each shard the lines that this process has written last, without one of another between: after which position, and up to which."""
        self._at = 0
        self._tick: int | None = None

    def append(self, batch: Batch) -> frozenset[Key]:
        """Store a batch in one transaction, or return the executions that another writer has appended to."""
        with self._connections.held:
            try:
                positions = self._stored(batch)
            except _Conflict as conflict:
                self.forget()
                keys = self.conflicts(batch)
                if keys:
                    return keys
                why = f"the batch contradicts what the store {self._connections.name} holds"
                raise AssertionError(f"{why}: {conflict}") from conflict.__cause__
            except BaseException:
                self.forget()
                raise
            self._note(batch, self._positions or {}, positions or {})
            self._positions = positions
            if positions is not None:
                self._connections.past.grown(
                    {shard: positions[shard] for shard in _shards_of(batch)}
                )
        return frozenset()

    def _note(self, batch: Batch, before: dict[int, int], after: dict[int, int]) -> None:
        for shard in _shards_of(batch):
            begin = before.get(shard, 0)
            first, last = self.written.get(shard, (begin, begin))
            self.written[shard] = first if last == begin else begin, after[shard]

    def forget(self) -> None:
        """What is remembered of the database may be wrong: read it again."""
        self._positions = None
        self._tick = None
        self._series.clear()

    def try_commit(self) -> None:
        """Commit something that changes nothing."""
        with self._connections.transaction() as session:
            session.execute("SELECT pg_current_xact_id()")

    def hold(self, rows: Sequence[HeldRow]) -> None:
        """Store which attempts have not started, one per node."""
        self._many(
            "hold", [(row.key, row.node, row.attempt, row.code, row.why, row.since) for row in rows]
        )

    def release(self, nodes: Sequence[tuple[Key, NodeId]]) -> None:
        """Forget the attempts of these nodes."""
        self._many("release", nodes)

    def new_key(self, execution_id: str, at: Instant, beside: Key | None = None) -> Key:
        """
        Return a key that no execution has: the instant of the launch, or the next after the last one, and the shard, that of its id or of another execution.

        So keys of all shards grow with time, and lists that run by key are in the order of launches.
        """
        tick = self.last_key() // SHARDS if self._tick is None else self._tick
        self._tick = max(tick + 1, at)
        shard = home_shard(execution_id) if beside is None else shard_of(beside)
        return Key(self._tick * SHARDS + shard)

    def active(self) -> list[Key]:
        """Return the executions of shards that are owned in phase QUEUED or RUNNING."""
        return [key for (key,) in self._own_rows("active_in")]

    def held(self) -> list[HeldRow]:
        """Return the stored attempts of shards that are owned that have not started, the first held first."""
        return [HeldRow(*row) for row in self._own_rows("held_in")]

    def recorded(
        self, execution_ids: Sequence[str], limit: int | None = None
    ) -> list[Recorded | None]:
        """Return executions with their histories, from one moment."""
        statement, most = self._sql["recorded"], LATEST if limit is None else limit
        with self._connections.snapshot() as session, session.raw.pipeline():
            cursors = [
                session.execute(statement, {"id": each, "limit": most}) for each in execution_ids
            ]
            return [recorded(cursor.fetchall()) for cursor in cursors]

    def due(self, until: Instant, limit: int) -> list[Due]:
        """Return what is due at or before an instant, earliest first."""
        bindings = {"until": due_bound(until), "limit": limit, "shards": self._ownership.own}
        return [Due(*row) for row in self._connections.rows(self._sql["due"], bindings)]

    def next_due(self) -> Instant | None:
        """Return the earliest due instant."""
        bindings = {"shards": self._ownership.own}
        due: Instant | None = self._connections.value(self._sql["next_due"], bindings)
        return due

    # -- inside --

    def _own_rows(self, name: str) -> list[Row]:
        return self._connections.rows(self._sql[name], {"shards": self._ownership.own})

    def _stored(self, batch: Batch) -> dict[int, int] | None:
        """Store a batch; if the server goes away before the commit, and is there again, once more."""
        first = batch.history[0] if batch.history else None
        is_stored = None if first is None else partial(self._has, first)
        try:
            with self._connections.transaction(is_stored) as session:
                return self._write(session, batch)
        except ConnectionLost:
            self.forget()
        with self._connections.transaction(is_stored) as session:
            return self._write(session, batch)

    def _has(self, line: HistoryRow, session: Session) -> bool:
        """Return whether exactly this line of history is stored: its bytes have the instant of its event, so no other event makes them."""
        wanted = {"key": line.key, "seq": line.seq}
        rows = session.execute(self._sql["line"], wanted).fetchall()
        return bool(rows) and bytes(rows[0][0]) == line.body

    def _write(self, session: Session, batch: Batch) -> dict[int, int] | None:
        """Write a batch; return where the history of each shard then ends."""
        numbers = {series: self._number_of(session, series) for series in sorted(_series_of(batch))}
        positions = self._last_positions(session) if batch.history else self._positions
        touched = {shard_of(key) for key in _keys_of(batch)} or set(self._ownership.own[:1])
        now = self._ownership.prove(session, touched)
        commands = []
        for name, rows in writes(batch, numbers.__getitem__):
            extra: tuple[Any, ...] = ()
            changes = rows
            if name == "add_history":
                positions, changes = _placed(positions or {}, rows)
                extra = (self._at,)
            elif name == "count":
                extra = (min(touched),)
            commands.append(Command(f"many_{name}", (*_columns(name, changes), *extra)))
        try:
            session.together(commands, ends=True)
        except psycopg.IntegrityError as error:
            raise _Conflict(" ".join(str(error).split())) from error
        self._at = max(self._at, now)
        if len(self._series) > MAX_SERIES:
            self._series.clear()
        return positions

    def _last_positions(self, session: Session) -> dict[int, int]:
        if self._positions is None:
            self._positions = self._connections.ends(session)
            instants = session.execute(self._sql["latest_instants"]).fetchall()
            self._at = max((at or 0 for _, at in instants), default=0)
        return self._positions

    def _many(self, name: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        with self._connections.transaction() as session:
            self._ownership.prove(session, {shard_of(row[0]) for row in rows})
            session.together([Command(f"many_{name}", _columns(name, list(rows)))], ends=True)

    def _number_of(self, session: Session, series: Series) -> int:
        number = self._series.get(series)
        if number is None:
            bindings = series._asdict()
            session.execute(self._sql["add_series"], bindings)
            number = self._series[series] = session.execute(
                self._sql["find_series"], bindings
            ).fetchall()[0][0]
        return number


def _series_of(batch: Batch) -> set[Series]:
    return {row.series for row in batch.launches} | {row.series for row in batch.waits}


def _keys_of(batch: Batch) -> Iterable[Key]:
    for rows in (batch.launches, batch.history, batch.phases, batch.waits, batch.ends):
        for row in rows:
            yield row.key
    for key, *_ in batch.reported:
        yield key


def _shards_of(batch: Batch) -> set[int]:
    return {shard_of(row.key) for row in batch.history}


def _placed(positions: dict[int, int], rows: list[Row]) -> tuple[dict[int, int], list[Row]]:
    """Give each line of history its shard and its place there; return where each shard then ends, and the lines."""
    ends = dict(positions)
    placed = []
    for key, seq, body in rows:
        shard = shard_of(key)
        ends[shard] = ends.get(shard, 0) + 1
        placed.append((key, seq, body, shard, ends[shard]))
    return ends, placed


def _columns(name: str, rows: list[Row]) -> list[list[Any]]:
    """Return rows as one list a column."""
    if which := LAST_COUNTS.get(name):
        rows = [*{row[:which]: row for row in rows}.values()]
    if name == "add_wait":
        rows = [storable(row) for row in rows]
    columns = [list(column) for column in zip(*rows, strict=True)]
    if name in ("add_execution", "set_phase"):
        columns = [
            [int(each) for each in column] if isinstance(column[0], ExecutionPhase) else column
            for column in columns
        ]
    return columns
