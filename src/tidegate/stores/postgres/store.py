"""The store in a Postgres database: opened, brought up to date, and its ports put together."""

import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from tidegate.core.shards import SHARDS
from tidegate.errors import StoreError, StoreLocked
from tidegate.ir.graph import Instant
from tidegate.ports.store import Progress
from tidegate.stores import moving, statements
from tidegate.stores.access import SqlAccess
from tidegate.stores.audit import SqlAudit
from tidegate.stores.catalog import SqlCatalog
from tidegate.stores.database import Database, SchemaBehind
from tidegate.stores.folder import NOTHING, EngineLock, Left
from tidegate.stores.listings import SqlListings
from tidegate.stores.postgres.changes import PostgresChanges
from tidegate.stores.postgres.connections import (
    Background,
    PostgresConnections,
    connect,
    is_pooled,
)
from tidegate.stores.postgres.dialect import DATABASE, SCHEMA, explained
from tidegate.stores.postgres.journal import PostgresJournal
from tidegate.stores.postgres.keeping import Keeping
from tidegate.stores.postgres.ownership import Ownership, Presence, too_new
from tidegate.stores.postgres.placing import Placing
from tidegate.stores.postgres.rebuild import ListsRebuild
from tidegate.stores.postgres.reports import PostgresReports
from tidegate.stores.postgres.search import TrigramSearch

OLDEST = 130_000
"""The oldest server that has all that is used: 13."""

TRY_SECONDS = 0.5

AGREE_SECONDS = 2.0
"""How long a server that starts at the same moment may take to note where the files are."""

MIGRATING = 0x54696465
"""The number of the lock under which a schema is brought up to date ("Tide")."""


class PostgresStore:
    """A `Store`."""

    def __init__(
        self, connections: PostgresConnections, ownership: Ownership, lock: EngineLock | None
    ) -> None:
        self._connections = connections
        self.shares = self._ownership = ownership
        self._lock = lock
        self.number = str(connections.value(connections.sql["number"], {}))
        self.name = ownership.name
        self.journal = PostgresJournal(connections, ownership)
        self.listings = SqlListings(connections, TrigramSearch(connections))
        self.catalog = SqlCatalog(connections)
        self.access = SqlAccess(connections)
        self.audit = SqlAudit(connections)
        self.changes = PostgresChanges(connections)
        self.reports = PostgresReports(connections, ownership)
        written = self.journal.written
        self._keeping = Keeping(connections, ownership, self.changes, self.reports, written)
        ownership.on_take = self.journal.forget
        self.database: Database = connections

    @classmethod
    def open(
        cls,
        address: str,
        *,
        writer: bool = True,
        patience: float = 0.0,
        lock: EngineLock | None = None,
        presence: tuple[str, str] | None = None,
        left: Left = NOTHING,
    ) -> "PostgresStore":
        """
        Open the store in the database at `address`, which belongs to it, as does its schema.

        The writer makes what is missing, brings an older store up to date, and owns it until `close`: another owner that died has lost it after
        ten seconds, so `patience` says how long to wait for that; one that renews its lease meanwhile is not waited for. `lock` is that of its home, and is released with the store. With a `presence` it
        shares the store with others that have one. Any number of others (`writer=False`) can read at the same time.

        `left` is what an owner has left that is known to have ended: nobody waits for its lease to end, and an older database than it has seen is refused.

        Errors: `StoreLocked` if another server owns it, `StoreTooNew`, `StoreError`.
        """
        connections = PostgresConnections(address, reads_only=not writer, note=left.note)
        ownership = Ownership(connections, None if presence is None else Presence(*presence))
        try:
            _check(address, connections.name, writer=writer)
            if writer or left.note:
                connections.past.remember(str(connections.value(connections.sql["number"], {})))
            if writer:
                ownership.succeed(left.former)
                _take(ownership, patience)
            return cls(connections, ownership, lock)
        except BaseException:
            connections.close()
            raise

    def begin(self, background: Background) -> None:
        """Keep the lease in the background from now on, and hear of others."""
        self._keeping.begin(background, self.number)

    def let_change_access(self) -> None:
        """Let somebody who owns nothing change tokens: they are rows that no shard has."""
        self._connections.let_write()

    def on_access(self, call: Callable[[], None]) -> None:
        """Call this when tokens or sessions have changed."""
        self._keeping.on_access(call)

    def clock(self) -> Instant:
        """Return the present instant, by the clock of the database."""
        return self._ownership.now()

    def agree_on_files(self, address: str) -> None:
        """
        Note in which object store the files are, or that they are in directories (an empty address).

        Errors: `StoreError` if the other servers of this store look for them elsewhere.
        """
        until = time.monotonic() + AGREE_SECONDS
        known, others, is_first = self._files()
        while address and not (known or is_first) and time.monotonic() < until:
            time.sleep(AGREE_SECONDS / 20)
            known, others, is_first = self._files()
        if known == address:
            return
        if known and (others or not address):
            where = f"not in {address}" if address else "not in a directory"
            raise StoreError(
                f"the files of {self._connections.name} are in {known}, {where}: start with --blobs {known}"
            )
        if not is_first:
            raise StoreError(
                f"the files of {self._connections.name} are in a directory of its servers, not in {address}: `tidegate store copy` moves them"
            )
        with self._connections.transaction() as session:
            session.execute(self._connections.sql["put_files"], {"files": address})

    def _files(self) -> tuple[str, bool, bool]:
        """Return where the files are, as noted, whether other servers are alive, and whether this one was there before all of them."""
        known = str(self._connections.value(self._connections.sql["files"], {}))
        alive = sorted(self._ownership.replicas(), key=lambda each: (each.since, each.name))
        others = any(each.name != self.name for each in alive)
        return known, others, not others or alive[0].name == self.name

    def problems(self) -> list[str]:
        """Check the database: references, gaps in the history, counters, what was seen of it; one line per problem."""
        found: list[str] = []
        past = self._connections.past
        try:
            for name, query in self._connections.sql.items():
                if name.startswith("problem_"):
                    found.extend(line for (line,) in self._connections.rows(query, {}))
            mark = past.mark()
            ends = self._connections.rows(self._connections.sql["last_positions"], {})
            past.compare(mark, dict(ends))
        except StoreError as error:
            found.append(error.message)
        return found

    def rebuild(self, progress: Progress) -> None:
        """Rebuild what lists show, from the journal. Nothing else is written meanwhile."""
        with self._connections.alone() as session:
            rebuild = ListsRebuild(self._connections, session, progress)
            rebuild.begin()
            rebuild.go_on()
        self.journal.forget()

    def take(
        self, source: Database, progress: Progress, done: Callable[[], None]
    ) -> dict[str, moving.Rows]:
        """
        Take all rows of another database into this one, which must be empty, and compare them; return how many there are. `done` is called before that counts.

        It is one transaction, so all of it is here or nothing. Errors: `StoreDamaged` if they differ; `StoreError` and below.
        """
        sql, placing = self._connections.sql, Placing()
        with self._connections.transaction() as session:
            # It stands idle while much is read elsewhere.
            session.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            placing.at = self._ownership.prove(session, range(SHARDS))
            if session.execute(sql["is_used"]).fetchall() != [(0,)]:
                raise StoreError(f"{self._connections.name} is not empty: nothing was copied")
            numbering = moving.Numbering(placing.key, placing.line)
            moving.copy_rows(source, session, sql, numbering, progress)
            session.execute(sql["continue_numbers"])
            rebuild = ListsRebuild(self._connections, session, progress)
            rebuild.begin()
            rebuild.go_on()
            found = moving.compared(self.database, session)
            moving.refuse_different(moving.counted(source), found)
            done()
        self.journal.forget()
        return found

    def close(self) -> None:
        """Let go of the store, and close the connections."""
        try:
            self._keeping.close()
            with suppress(StoreError):  # then they count as lost, for this server is gone
                self.reports.flush()
            self._ownership.let_go()
            self._connections.past.keep()
        finally:
            self._connections.close()
            if self._lock is not None:
                self._lock.release()

    def is_owned(self) -> bool:
        """Return whether a server owns it now."""
        return bool(self._connections.rows(self._connections.sql["holders"], {}))


def _take(ownership: Ownership, patience: float) -> None:
    began, first = time.monotonic(), -1.0
    while True:
        try:
            return ownership.join() if ownership.is_shared else ownership.take_all()
        except StoreLocked as error:
            left, past = float(error.details.get("left", 0)), time.monotonic() - began
            first = left if first < 0 else first
            # An owner that has renewed its lease meanwhile is alive, and stays.
            if past >= patience or left > first - past + TRY_SECONDS:
                raise
        time.sleep(TRY_SECONDS)


def _check(address: str, name: str, *, writer: bool) -> None:
    """Check that the server and the database will do, and bring the schema up to date."""
    with explained(name), connect(address, of="opens") as raw:
        if raw.info.server_version < OLDEST:
            raise StoreError(
                f"{name} runs Postgres {raw.info.server_version // 10_000}: 13 or newer is needed"
            )
        if is_pooled(address):
            raise StoreError(
                f"{name} is reached through a pooler that gives a session to one statement after the other: set it to session mode, or connect to the server itself"
            )
        encoding = raw.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StoreError(f"{name} has the encoding {encoding}: make a database with UTF8")
        have = _version(raw)
        if have > SCHEMA:
            # An older version goes on beside what a newer one has added, unless that says otherwise.
            least = raw.execute("SELECT least FROM store").fetchone()
            if least is None or int(str(least[0])) > SCHEMA:
                raise too_new(name, have)
        if writer:
            _migrate(raw)
        elif have < SCHEMA:
            what = f"is of an older Tidegate (schema {have})" if have else "has no store"
            raise SchemaBehind(f"{name} {what}: start `tidegate serve` there first")


def _version(raw: psycopg.Connection[tuple[object, ...]]) -> int:
    if raw.execute("SELECT to_regclass('schema_version')").fetchone() == (None,):
        return 0
    row = raw.execute("SELECT coalesce(max(number), 0) FROM schema_version").fetchone()
    assert row is not None
    return int(str(row[0]))


def _migrate(raw: psycopg.Connection[tuple[object, ...]]) -> None:
    """Bring the schema up to date, one process at a time."""
    if _version(raw) >= SCHEMA:
        return
    known = statements.migrations(DATABASE)
    with raw.transaction():
        raw.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATING,))
        raw.execute("CREATE TABLE IF NOT EXISTS schema_version (number bigint PRIMARY KEY)")
        for migration in known[_version(raw) :]:
            raw.execute(migration.sql.encode())
            raw.execute("INSERT INTO schema_version (number) VALUES (%s)", (migration.number,))
