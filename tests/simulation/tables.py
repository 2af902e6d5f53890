"""
A Postgres server in memory: the tables of a store, the locks of transactions, and what our statements do to them.

Each statement of ours is known by its name and done in Python, with what the fence rests upon: locks of rows that conflict as those of Postgres do,
a second look at a row once its lock was waited for, unique keys, numbers of transactions that a crash gives again.
Which columns are in a key is read from the migrations.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from psycopg import errors

from tidegate.core.shards import SHARDS
from tidegate.ir.graph import Instant
from tidegate.stores import statements
from tidegate.stores.postgres.dialect import SCHEMA

from .timeline import LATE, SECOND, Machine, Timeline, Waiter

Row = tuple[Any, ...]
START = Instant(1_767_225_600 * SECOND)
NEVER = -1

SHARE, UPDATE, KEY_UPDATE = "key share", "update", "key update"
CONFLICTS = {(SHARE, KEY_UPDATE), (UPDATE, UPDATE), (UPDATE, KEY_UPDATE), (KEY_UPDATE, KEY_UPDATE)}
"""Of the modes of Postgres's row locks those that our statements take; each pair also the other way round."""


def keys_of(table: str) -> set[tuple[str, ...]]:
    """Return the keys of a table, as the migrations declare them."""
    found = set()
    for migration in statements.migrations("postgres"):
        for body in re.findall(rf"CREATE TABLE {table} \((.*?)\n\);", migration.sql, re.DOTALL):
            for columns in re.findall(r"(?:UNIQUE|PRIMARY KEY) \(([^)]*)\)", body):
                found.add(tuple(each.strip() for each in columns.split(",")))
            for column in re.findall(
                r"^\s*(\w+) [^,\n]*(?:UNIQUE|PRIMARY KEY),?$", body, re.MULTILINE
            ):
                found.add((column,))
    return found


class Transaction:
    """What a session has begun: its number once it writes, its locks, and what happens at its commit."""

    def __init__(self, at: int, host: str) -> None:
        self.at = at
        self.host = host
        self.number: int | None = None
        self.writes: list[Callable[[], object]] = []
        self.lines: list[tuple[int, int, bytes, int, int, int]] = []
        self.locks: list[tuple[Any, ...]] = []
        self.failed = False
        self.hands_over = False


class Tables:
    """The rows that are committed, and the locks of those who change them."""

    def __init__(self, timeline: Timeline, machine: Machine) -> None:
        self.timeline = timeline
        self.machine = machine
        self.epochs = [0] * SHARDS
        self.owners = [""] * SHARDS
        self.leases: list[tuple[str, str, int, int]] = [("", "", NEVER, NEVER)] * SHARDS
        self.replicas: dict[str, tuple[str, str, int, int, bool]] = {}
        self.executions: dict[int, dict[str, Any]] = {}
        self.ids: dict[str, int] = {}
        self.history: dict[int, list[bytes]] = {}
        self.places: list[list[tuple[int, int, bytes, int, int]]] = [[] for _ in range(SHARDS)]
        """Of each shard its lines: key, seq, body, position, instant."""
        self.waits: dict[tuple[int, str], Row] = {}
        self.held: dict[tuple[int, str], Row] = {}
        self.reports: dict[Row, tuple[str, bool, bytes | None]] = {}
        """Attempts that were handed over: their keeper, whether they have ended, and what was said of them last."""
        self.series: dict[Row, int] = {}
        self.workflows: dict[int, Row] = {}
        self.counters: dict[tuple[int, str], int] = {}
        self.locks: dict[tuple[Any, ...], list[tuple[Transaction, str]]] = {}
        self._waiting: list[Waiter] = []
        self.next_number = 1
        self.safe_number = 1
        self.ended: dict[int, str] = {}
        self.since = 1
        self.running: set[int] = set()
        self.on_commit: Callable[[Transaction], None] = lambda _: None
        self.epoch_is_key = any("epoch" in key for key in keys_of("shards"))
        self.one_writer = {("key", "seq"), ("shard", "position")} <= keys_of("history")

    def clock(self) -> int:
        return START + self.timeline.now

    # -- locks and transactions --

    def lock(self, of: Transaction, row: tuple[Any, ...], mode: str, seconds: float = 10.0) -> bool:
        """Lock a row; return whether that took a wait, after which it may be another."""
        waited = False
        until = self.timeline.now + round(seconds * SECOND)
        while any(
            other is not of and ((mode, theirs) in CONFLICTS or (theirs, mode) in CONFLICTS)
            for other, theirs in self.locks.get(row, ())
        ):
            waited = True
            waiter = Waiter(self.timeline)
            self._waiting.append(waiter)
            if waiter.wait((until - self.timeline.now) / SECOND) is LATE:
                of.failed = True
                raise errors.LockNotAvailable("canceling statement due to lock timeout")
            if of.failed:
                raise errors.AdminShutdown("terminating connection")
        self.locks.setdefault(row, []).append((of, mode))
        of.locks.append(row)
        self.number(of)
        return waited

    def number(self, of: Transaction) -> None:
        if of.number is None:
            of.number = self.next_number
            self.next_number += 1
            self.running.add(of.number)

    def commit(self, of: Transaction) -> None:
        if of.failed:
            self.abort(of)
            return
        self.on_commit(of)
        for write in of.writes:
            write()
        self.safe_number = self.next_number
        self._end(of, "committed")

    def abort(self, of: Transaction) -> None:
        of.failed = True
        self._end(of, "aborted")

    def _end(self, of: Transaction, how: str) -> None:
        if of.number is not None:
            self.running.discard(of.number)
            self.ended[of.number] = how
        for row in of.locks:
            left = [each for each in self.locks.get(row, ()) if each[0] is not of]
            if left:
                self.locks[row] = left
            else:
                self.locks.pop(row, None)
        of.locks = []
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.done(None)

    def crash(self) -> None:
        """Forget what has not reached the log: numbers that were given since are given again."""
        self.locks.clear()
        self.running.clear()
        self.next_number = self.safe_number
        self.ended = {n: how for n, how in self.ended.items() if n < self.next_number}
        self.since += 1

    # -- what statements do --

    def fence(self, of: Transaction, shards: list[int], epochs: list[int]) -> list[Row]:
        rows = []
        for shard, epoch in sorted(zip(shards, epochs, strict=True)):
            if self.epochs[shard] == epoch:
                self.lock(of, ("shard", shard), SHARE)
                if self.epochs[shard] == epoch:
                    rows.append((shard, of.at))
        return rows

    def take(
        self, of: Transaction, owner: str, address: str, seconds: int, shards: list[int]
    ) -> list[Row]:
        free = []
        for shard in sorted(shards):
            if self.leases[shard][3] < self.clock():
                self.lock(of, ("lease", shard), UPDATE)
                if self.leases[shard][3] < self.clock():
                    free.append(shard)
        rows = []
        for shard in free:
            mode = KEY_UPDATE if self.epoch_is_key else UPDATE
            self.lock(of, ("shard", shard), mode)
            now = self.clock()
            rows.append((shard, self.epochs[shard] + 1))
            of.writes.append(
                lambda s=shard, n=now: self._taken(s, (owner, address, n, n + seconds * SECOND))
            )
        return rows

    def _taken(self, shard: int, lease: tuple[str, str, int, int]) -> None:
        self.epochs[shard] += 1
        self.owners[shard] = lease[0]
        self.leases[shard] = lease

    def renew(self, of: Transaction, owner: str, seconds: int, shards: list[int]) -> list[Row]:
        mine = []
        for shard in sorted(shards):
            if self.leases[shard][0] == owner:
                self.lock(of, ("lease", shard), UPDATE)
                if self.leases[shard][0] == owner:
                    mine.append(shard)
        until = self.clock() + seconds * SECOND
        for shard in mine:
            of.writes.append(lambda s=shard: self._leased(s, (*self.leases[s][:3], until)))
        return [(shard,) for shard in mine]

    def let_go(self, of: Transaction, owner: str, shards: list[int]) -> list[Row]:
        for shard in sorted(shards):
            if self.leases[shard][0] == owner:
                self.lock(of, ("lease", shard), UPDATE)
                if self.leases[shard][0] == owner:
                    of.writes.append(lambda s=shard: self._leased(s, ("", "", NEVER, NEVER)))
        return []

    def _leased(self, shard: int, lease: tuple[str, str, int, int]) -> None:
        self.leases[shard] = lease

    def attend(
        self,
        of: Transaction,
        owner: str,
        address: str,
        version: str,
        seconds: int,
        leaving: bool,
    ) -> list[Row]:
        now = self.clock()
        before = self.replicas.get(owner, (address, version, now))[:3]
        row = (*before, now + seconds * SECOND, leaving)
        of.writes.append(lambda: self.replicas.update({owner: row}))
        return []

    def depart(self, of: Transaction, owner: str, **_: Any) -> list[Row]:
        of.writes.append(lambda: self.replicas.pop(owner, None))
        return []

    def attending(self) -> list[Row]:
        now = self.clock()
        return [
            (name, address, version, since / SECOND, (expires - now) / SECOND, leaving, SCHEMA)
            for name, (address, version, since, expires, leaving) in sorted(self.replicas.items())
            if expires > now
        ]

    def all_owners(self) -> list[Row]:
        now = self.clock()
        return [
            (shard, owner if expires > now else "", address, epoch, since / SECOND)
            for shard, ((owner, address, since, expires), epoch) in enumerate(
                zip(self.leases, self.epochs, strict=True)
            )
        ]

    def holders(self) -> list[Row]:
        now = self.clock()
        found: dict[tuple[str, str], list[tuple[str, str, int, int]]] = {}
        for lease in self.leases:
            if lease[3] > now:
                found.setdefault(lease[:2], []).append(lease)
        return [
            (*who, len(all_), min(e[2] for e in all_) / SECOND, (max(e[3] for e in all_) - now) / SECOND)
            for who, all_ in sorted(found.items())
        ]  # fmt: skip

    # -- attempts that go on elsewhere --

    def hand_over(self, of: Transaction, rows: Iterable[Row]) -> list[Row]:
        of.hands_over = True
        for *which, keeper in rows:
            attempt = tuple(which)
            self.lock(of, ("report", attempt), UPDATE)
            of.writes.append(lambda a=attempt, k=keeper: self._put_report(a, (k, False, None)))
        return []

    def _put_report(self, attempt: Row, row: tuple[str, bool, bytes | None]) -> None:
        self.reports[attempt] = row

    def report(self, of: Transaction, attempt: Row, owner: str, said: Row) -> list[Row]:
        if self.reports.get(attempt, ("", True))[:2] != (owner, False):
            return []
        self.lock(of, ("report", attempt), UPDATE)
        if self.reports.get(attempt, ("", True))[:2] != (owner, False):
            return []
        of.writes.append(lambda: self._put_report(attempt, (owner, *said)))
        return [(attempt[0],)]

    def end_reports(self, of: Transaction, attempts: Iterable[Row]) -> list[Row]:
        for each in attempts:
            if each in self.reports:
                self.lock(of, ("report", each), UPDATE)
                of.writes.append(lambda a=each: self.reports.pop(a, None))
        return []

    def is_there(self, name: str) -> bool:
        return name in self.replicas and self.replicas[name][3] > self.clock()

    def commit_status(self, number: str) -> list[Row]:
        asked = int(number)
        if asked >= self.next_number:
            found = "aborted"
        elif asked in self.running:
            found = "in progress"
        else:
            found = self.ended.get(asked, "aborted")
        return [(found, str(self.since))]

    def unique(self, of: Transaction, row: tuple[Any, ...], *, taken: Callable[[], bool]) -> None:
        """Enter a key into an index: waits for others who are about to, and is refused if they do."""
        self.lock(of, row, KEY_UPDATE)
        if taken():
            of.failed = True
            raise errors.UniqueViolation(f"duplicate key {row}")

    def add_executions(self, of: Transaction, columns: Iterable[list[Any]]) -> None:
        for key, id_, workflow, series, phase, launched, who in zip(*columns, strict=True):
            self.unique(of, ("execution", key), taken=lambda k=key: k in self.executions)
            self.unique(of, ("id", id_), taken=lambda i=id_: i in self.ids)
            row = {
                "id": id_, "workflow": workflow, "series": series, "phase": phase,
                "part": phase, "launched": launched, "changed": launched, "who": who, "ending": None,
            }  # fmt: skip
            of.writes.append(lambda k=key, r=row: self._launched(k, r))

    def _launched(self, key: int, row: dict[str, Any]) -> None:
        self.executions[key] = row
        self.ids[row["id"]] = key

    def add_history(self, of: Transaction, columns: Iterable[list[Any]], at: int) -> None:
        instant = max(at, of.at)
        for key, seq, body, shard, position in zip(*columns, strict=True):
            if self.one_writer:
                self.unique(
                    of, ("line", key, seq), taken=lambda k=key, s=seq: self.last_seq(k) >= s
                )
                self.unique(
                    of,
                    ("place", shard, position),
                    taken=lambda s=shard, p=position: self.last_position(s) >= p,
                )
            of.lines.append((key, seq, body, shard, position, instant))
        count = len(of.lines)

        def write() -> None:
            for line in of.lines[:count]:
                self._line(*line)

        of.writes.append(write)

    def _line(self, key: int, seq: int, body: bytes, shard: int, position: int, at: int) -> None:
        self.history.setdefault(key, []).append(body)
        self.places[shard].append((key, seq, body, position, at))

    def last_seq(self, key: int) -> int:
        return len(self.history.get(key, ()))

    def last_position(self, shard: int) -> int:
        lines = self.places[shard]
        return lines[-1][3] if lines else 0

    def after(self, positions: list[int]) -> list[Row]:
        """Return the lines after these positions, in the order of a reader."""
        found = []
        for shard, position in enumerate(positions):
            lines = self.places[shard]
            if lines and lines[-1][3] > position:
                found += [(at, shard, p, k, s, b) for k, s, b, p, at in lines if p > position]
        return sorted(found, key=lambda line: line[:3])
