"""
Which shards this process owns: taken for a new epoch, kept by a lease, proved in every commit.

A shard is taken once its lease has expired by the clock of the database. Its epoch grows with that, and is shard of a key: so taking waits for
commits that have proved the old epoch, and no later one can. The lease only says who is alive; no clock can make two write at once.

An owner alone has all shards. Replicas have a share each: a thread compares what they have with what they should have, and the engine takes and
gives, because only it knows what it is about to write.
"""

import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Any, NamedTuple

from tidegate.core.shards import SHARDS, home_shard
from tidegate.errors import NotHere, StoreLocked, StoreTooNew
from tidegate.ir.graph import Instant
from tidegate.ports.journal import Key
from tidegate.ports.shares import Replica, Turnover, Vitals
from tidegate.stores.postgres.connections import PostgresConnections, Session
from tidegate.stores.postgres.dialect import SCHEMA
from tidegate.stores.postgres.pipeline import Command
from tidegate.stores.rows import Row

LEASE_SECONDS = 10
RENEW_SECONDS = 3.0
"""How long a lease lasts, and the pause between renewals."""

MARGIN_SECONDS = 2.0
"""How long before the end of a lease its owner takes it for lost, if it cannot renew it."""

LEAVING = 5
"""The column of a server that says whether it leaves."""

REPORTS = 4
"""The schema from which on a server knows of attempts that go on at another."""

log = logging.getLogger(__name__)


def shard_of(key: int) -> int:
    """Return the shard of an execution."""
    return key % SHARDS


class Presence(NamedTuple):
    """How a server presents itself to the others: where it is reached, and its version."""

    address: str = ""
    version: str = ""


class Ownership:
    """The `StoreShares` of one process. With a presence it shares the store with others, without one it has all of it."""

    def __init__(self, connections: PostgresConnections, presence: Presence | None = None) -> None:
        self._connections = connections
        self._sql = connections.sql
        self._presence = presence
        self._epochs: dict[int, int] = {}
        self._renewed = monotonic()
        self._clock: tuple[float, int] | None = None
        self._leaving = self._says_so = False
        self.outdated = ""
        """That a newer version has told this one to stop writing; empty if none has."""
        self._attends = False
        self.lacks = False
        """Whether others are about to give up shards, of which this server has too few."""
        self._told = Turnover()
        self._doubted: set[int] = set()
        self._refused = 0
        self._call: Callable[[Turnover], None] = lambda _: None
        self.on_take: Callable[[], None] = lambda: None
        """Called when shards were taken: what is remembered of the database may be wrong."""
        self.on_give: Callable[[], None] = lambda: None
        """Called when shards were given up."""
        self.on_leave: Callable[[], None] = lambda: None
        """Called when this server is told to leave."""
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        """The owner in the database: unique, also if a process with the same number comes after this one."""

    # -- from any thread --

    @property
    def own(self) -> list[int]:
        """The shards that are owned."""
        return sorted(self._epochs.copy())

    @property
    def is_shared(self) -> bool:
        """Whether others may own some."""
        return self._presence is not None

    def has(self, shard: int) -> bool:
        """Return whether a shard is owned."""
        return shard in self._epochs

    def owns(self, key: Key) -> bool:
        """Return whether an execution is in a shard that is owned."""
        return key % SHARDS in self._epochs

    def is_sure(self, key: Key) -> bool:
        """Return whether nobody else can have taken the shard of an execution: the lease lasts, and nothing is known of another owner."""
        return self.left > 0 and key % SHARDS not in self._doubted

    def shard_of(self, key: Key) -> int:
        """Return the shard of an execution."""
        return shard_of(key)

    def home_shard(self, execution_id: str) -> int:
        """Return the shard in which an execution with this id is launched."""
        return home_shard(execution_id)

    def now(self) -> Instant:
        """Return the present instant: that of the database when it was asked last, and what has passed since. The clock of this machine has no say."""
        if self._clock is None:
            self._ask_clock()
        assert self._clock is not None
        asked, said = self._clock
        return Instant(said + round((monotonic() - asked) * 1_000_000))

    def _ask_clock(self) -> None:
        began = monotonic()
        said = int(self._connections.value(self._sql["clock"], {}))
        self._clock = ((began + monotonic()) / 2, said)

    def follow(self, call: Callable[[Turnover], None]) -> None:
        """Call this whenever something ought to change."""
        self._call = call

    def leave(self) -> None:
        """Take nothing more, and give up everything."""
        self._leaving = True
        self.on_leave()

    def replicas(self) -> list[Replica]:
        """Return the servers that are alive."""
        shards: dict[str, dict[int, Instant]] = {}
        for shard, owner, _, _, since in self._connections.rows(self._sql["owners"], {}):
            if owner:  # one that was never owned is so since minus infinity
                shards.setdefault(owner, {})[shard] = _instant(since)
        return [
            Replica(
                name,
                address,
                version,
                _instant(since),
                leaving,
                LEASE_SECONDS - left,
                shards.get(name, {}),
            )
            for name, address, version, since, left, leaving, _ in self._attending()
        ]

    def vitals(self) -> Vitals:
        """Return how the lease stands."""
        return Vitals(monotonic() - self._renewed, self._refused)

    def secret(self) -> bytes:
        """Return what proves one server to another."""
        return bytes(self._connections.rows(self._sql["number"], {})[0][1])

    # -- when the store is opened and closed --

    def take_all(self) -> None:
        """Take all shards. Errors: `StoreLocked` if somebody owns any of them."""
        self._ask_clock()
        with self._connections.transaction() as session:
            self._renewed = monotonic()
            rows = self._taken(session, range(SHARDS))
            if len(rows) < SHARDS:
                raise self._locked(session)
        self._epochs = dict(rows)

    def join(self) -> None:
        """Join the servers that share the store, and take what is free up to a share. Errors: `StoreLocked` if a command has all of it for itself."""
        self._ask_clock()
        self.attend()
        alone = [owner for owner, address, *_ in self._holders() if not address]
        if alone:
            with self._connections.reading() as session:
                raise self._locked(session)
        self.take(self.survey().take)

    def succeed(self, former: str) -> None:
        """Let go of what an owner has that is known to have ended."""
        if former:
            with self._connections.transaction() as session:
                ended = {"owner": former, "shards": list(range(SHARDS))}
                session.execute(self._sql["let_go"], ended)
                session.execute(self._sql["depart"], ended)

    def let_go(self) -> None:
        """Let others take the shards at once."""
        epochs, self._epochs = self._epochs, {}
        if not epochs and not self._attends:
            return
        with self._connections.transaction() as session:
            wanted = {"owner": self.name, "shards": list(epochs)}
            session.execute(self._sql["let_go"], wanted)
            if self._attends:
                session.execute(self._sql["depart"], wanted)

    def _locked(self, session: Session) -> StoreLocked:
        found = session.execute(self._sql["holders"]).fetchall()
        others = [row for row in found if row[0] != self.name]
        if not others:
            return StoreLocked(
                f"{self._connections.name} was taken by another server a moment ago: try again"
            )
        owner, address, shards, _, left = others[0]
        host, pid, _ = owner.rsplit(":", 2)
        if address:
            return StoreLocked(
                f"process {pid} on {host} ({address}) runs {self._connections.name} for everybody: ask it with --server {address}, or give its directory with --home"
            )
        return StoreLocked(
            f"process {pid} on {host} runs {self._connections.name}: stop it first, or wait {max(1, round(left))} s if it has died",
            pid=int(pid) if host == socket.gethostname() and shards else None,
            left=left,
        )

    # -- on the engine's thread --

    def take(self, shards: Sequence[int]) -> list[int]:
        """Take shards that nobody owns; return those that were taken."""
        wanted = [each for each in shards if each not in self._epochs]
        if not wanted:
            return []
        with self._connections.transaction() as session:
            rows = self._taken(session, wanted)
        self.on_take()
        self._epochs = {**self._epochs, **dict(rows)}
        self._doubted.difference_update(self._epochs)
        return sorted(shard for shard, _ in rows)

    def _taken(self, session: Session, shards: Iterable[int]) -> list[Row]:
        address = "" if self._presence is None else self._presence.address
        wanted = {"owner": self.name, "address": address, "seconds": LEASE_SECONDS}
        wanted |= {"shards": list(shards), "schema": SCHEMA}
        return session.execute(self._sql["take"], wanted).fetchall()

    def give(self, shards: Sequence[int]) -> None:
        """Give up shards."""
        self._epochs = {each: epoch for each, epoch in self._epochs.items() if each not in shards}
        with self._connections.transaction() as session:
            wanted = {"owner": self.name, "shards": list(shards)}
            session.execute(self._sql["let_go"], wanted)
        self.on_give()

    def lose(self, shards: Sequence[int]) -> None:
        """Give up shards without a word."""
        self._doubted.difference_update(shards)
        self._epochs = {each: epoch for each, epoch in self._epochs.items() if each not in shards}

    def prove(self, session: Session, shards: Iterable[int]) -> int:
        """
        Prove in this transaction that these shards are still owned; return the instant of the database at which it began.

        Errors: `NotHere` if somebody else has taken one; then nothing of the transaction may be kept, and that one is no longer owned.
        """
        wanted = sorted(set(shards))
        epochs = self._epochs
        held = [epochs.get(each, -1) for each in wanted]
        (rows,) = session.together([Command("fence", (wanted, held, SCHEMA))])
        if len(rows) < len(wanted):
            try:
                self._refuse_newer(session)
            except StoreTooNew:
                if not self.is_shared:
                    raise  # of a server, the others decide
            lost = sorted(set(wanted) - {shard for shard, _ in rows})
            self._epochs = {each: epoch for each, epoch in epochs.items() if each not in lost}
            self._refused += 1
            raise NotHere(
                f"another server has taken over {self._connections.name} (shards {', '.join(map(str, lost[:8]))}): nothing was stored"
            )
        return int(rows[0][1]) if rows else 0

    # -- in the thread that keeps the lease --

    @property
    def left(self) -> float:
        """Seconds until the lease may end: what is owned after that may be another's."""
        return self._renewed + LEASE_SECONDS - MARGIN_SECONDS - monotonic()

    def renew(self) -> None:
        """
        Renew the lease once; tell which shards others have by now. It has no say in what may be written: that is proved in each commit.

        Errors: `StoreError`.
        """
        began, own = monotonic(), self.own
        wanted = {"owner": self.name, "seconds": LEASE_SECONDS, "shards": own, "schema": SCHEMA}
        rows = self._connections.rows(self._sql["renew"], wanted)
        if self._presence is not None:
            self.attend()
        gone = set(own) & self._epochs.keys() - {shard for (shard,) in rows}
        # Known before the lease lasts again: the engine may not have time for it yet.
        self._doubted.update(gone)
        self._renewed = began
        self._ask_clock()
        if not gone:
            return
        try:
            with self._connections.reading() as session:
                self._refuse_newer(session)
        finally:
            self.tell(Turnover(lost=sorted(gone), is_said=bool(self.outdated)))
        if not self.is_shared:
            log.error("another server has taken over %s", self._connections.name)

    def _refuse_newer(self, session: Session) -> None:
        """Raise `StoreTooNew`, and leave the store to the others, if this version is too old to write there."""
        least = session.execute(self._sql["least"]).fetchall()[0][0]
        if least > SCHEMA:
            error = too_new(self._connections.name, least)
            self.outdated = error.message
            self.leave()
            wanted = {"owner": self.name, "shards": list(range(SHARDS))}
            session.execute(self._sql["let_go"], wanted)
            raise error

    def attend(self) -> None:
        """Let the others know that this server is alive. Errors: `StoreError`."""
        assert self._presence is not None
        said = {"address": self._presence.address, "version": self._presence.version}
        leaving = self._leaving
        wanted = {"owner": self.name, "seconds": LEASE_SECONDS, "leaving": leaving, **said}
        self._attends = True
        with self._connections.reading() as session:
            session.execute(self._sql["attend"], {**wanted, "schema": SCHEMA})
        self._says_so = leaving

    def survey(self) -> Turnover:
        """Compare what each server has with what it should have. Errors: `StoreError`."""
        if self._leaving and not self._says_so:
            # The others take more than their share of now.
            self.attend()
        others = [row for row in self._attending() if not row[LEAVING]]
        staying = [name for name, *_ in others]
        keeps = all(schema >= REPORTS for *_, schema in others)
        own = len(self._epochs)
        if self._leaving:
            # With nobody to take over, answers are taken here to the end.
            return _giving(own if set(staying) - {self.name} else 0, keeps=keeps)
        if self.name not in staying:
            return (
                Turnover()
            )  # it has been silent for a while: the next renewal says that it is there
        base, more = divmod(SHARDS, len(staying))
        rank = staying.index(self.name)
        share = base + (rank < more)
        self.lacks = own < share
        if own > share:
            return _giving(own - share, keeps=keeps)
        rows = self._connections.rows(self._sql["owners"], {})
        free = [shard for shard, owner, *_ in rows if not owner]
        # Each begins elsewhere, so they seldom want the same.
        begin = rank * SHARDS // len(staying)
        free.sort(key=lambda shard: (shard - begin) % SHARDS)
        return Turnover(take=tuple(free[: share - own]))

    def tell(self, turnover: Turnover) -> None:
        """Tell the engine what ought to change, and once when nothing ought to."""
        if turnover != Turnover() or self._told != Turnover():
            self._told = turnover
            self._doubted.update(turnover.lost)
            self._call(turnover)

    def _attending(self) -> list[Any]:
        return self._connections.rows(self._sql["attending"], {})

    def _holders(self) -> list[Any]:
        return self._connections.rows(self._sql["holders"], {})


def too_new(name: str, least: int) -> StoreTooNew:
    """Return the error for a store that this version may not write."""
    return StoreTooNew(
        f"{name} is written by a newer Tidegate (its schema is {least}, this one knows {SCHEMA}): install that version"
    )


def _giving(count: int, *, keeps: bool) -> Turnover:
    return Turnover(give=count, keeps=keeps) if count else Turnover()


def _instant(seconds: float) -> Instant:
    return Instant(round(seconds * 1_000_000))
