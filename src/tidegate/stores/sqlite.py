"""
The store on SQLite: one file, written by one connection, read by several.

Rule 1: every commit is synced to disk before it returns (WAL, synchronous=FULL).
Rule 2: what the writing connection does is done under one lock, and it alone moves pages from the log into the database.
Rule 3: after a failed sync nothing more is written until the store is opened anew: the system may have
dropped the pages it could not write, and would report the next sync as good.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw
from msgspec.structs import asdict

from tidegate.errors import StoreDamaged, StoreError, UnknownWorkflow
from tidegate.ir.graph import Instant
from tidegate.ports.access import LoginRow, TokenRow
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.changes import FeedRow
from tidegate.ports.journal import Batch, ExecutionRow, Key, WaitRow
from tidegate.ports.listings import Counts, ExecutionQuery, WaitQuery
from tidegate.stores import sql
from tidegate.stores.connect import (
    connect,
    connect_reader,
    explained,
    prepare_writer,
    refuse_older,
)
from tidegate.stores.folder import (
    EngineLock,
    failed,
    identity,
    make_file,
    make_folder,
    refuse_network,
)
from tidegate.stores.store import (
    FOREVER,
    Bindings,
    Row,
    counts,
    execution_bindings,
    execution_row,
    is_narrowed,
    login_row,
    token_bindings,
    token_row,
    wait_bindings,
    wait_row,
    workflow_bindings,
    workflow_row,
    writes,
)

LOG_PAGES = 2000
"""
How long (in pages of 4 KiB) the log grows before its pages are moved into the database, which holds the next commit up.
Measured: half as long makes the pause half as long but one commit in a hundred meets it; twice as long gains 5 %.
"""

LEAVING_MS = 200
"""How long `close` waits for readers before it leaves the log as it is."""

IDLE_READERS = 4
"""How many reading connections are kept open for the next reader."""

_FAILED_SYNC = frozenset({apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC})


class SqliteStore:
    """A store in a SQLite file. Made by `open` or `memory`."""

    def __init__(
        self,
        name: str,
        writer: apsw.Connection | None,
        connect: Callable[[], apsw.Connection] | None,
        lock: EngineLock | None,
    ) -> None:
        """
        Take over open connections; `name` is what messages call the store.

        Without `connect` the writing connection is also the one that reads. Without `writer` nothing can be written.
        """
        self._name = name
        self._queries = sql.queries()
        self._writer = writer
        self._connect = connect
        self._lock = lock
        self._writing = threading.RLock()
        self._readers: list[apsw.Connection] = []
        self._broken = ""
        self._log_pages = 0
        self._move_at = LOG_PAGES
        self._closed = False
        self._file = None if lock is None else identity(name)
        if writer is not None:
            writer.set_wal_hook(self._see_log)

    @classmethod
    def open(cls, path: str | Path, *, writer: bool = True) -> "SqliteStore":
        """
        Open the store in the file `path`; its directory belongs to it.

        The one writer makes what is missing, brings an older schema up to date, and holds the directory's engine lock
        until `close`. Any number of others (`writer=False`) can read at the same time.

        Errors: `StoreLocked` if another engine is running, `StoreTooNew`, `StoreDamaged`, `StoreFull`, `StoreError`.
        """
        path = Path(path).absolute()
        if not writer:
            return cls._open_reader(path)
        make_folder(path.parent)
        refuse_network(path.parent)
        lock = EngineLock(path.parent)
        try:
            make_file(path)
            connection = connect(path)
            try:
                prepare_writer(connection, str(path))
            except BaseException:
                connection.close()
                raise
            return cls(str(path), connection, lambda: connect_reader(path), lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _open_reader(cls, path: Path) -> "SqliteStore":
        try:
            there = path.exists()
        except OSError as error:
            raise failed("look into", path.parent, error) from error
        if not there:
            raise StoreError(f"there is no store at {path}: run something first, or look at --home")
        connection = connect_reader(path)
        try:
            with explained(connection, str(path)):
                refuse_older(connection, str(path))
        except BaseException:
            connection.close()
            raise
        store = cls(str(path), None, lambda: connect_reader(path), None)
        store._readers.append(connection)
        return store

    @classmethod
    def memory(cls) -> "SqliteStore":
        """Make an empty store that lives in this process only."""
        return cls.alone(apsw.Connection(":memory:"), "memory")

    @classmethod
    def alone(cls, connection: apsw.Connection, name: str) -> "SqliteStore":
        """Make a store that writes and reads through this connection, which nobody else uses."""
        prepare_writer(connection, name)
        return cls(name, connection, None, None)

    # -- the engine's thread --

    def commit(self, batch: Batch) -> None:
        """Store a batch in one transaction; on return it survives a power cut."""
        steps = [(self._queries[name], rows) for name, rows in writes(batch)]
        if not steps:
            return
        with self._transaction() as connection:
            for statement, rows in steps:
                connection.executemany(statement, rows)

    # -- any thread --

    def last_key(self) -> Key:
        """Return the highest execution key in use, 0 if there is none."""
        return Key(self._value("last_key", {}))

    def history(self, key: Key) -> list[bytes]:
        """Return the bodies of an execution's history, in order."""
        return [body for (body,) in self._rows("history", {"key": key})]

    def feed(self, after: int, limit: int, key: Key | None = None) -> list[FeedRow]:
        """Return the history of all executions, or of one, that stands after a place, in the order of commits."""
        name = "feed" if key is None else "feed_of"
        bindings = {"after": after, "limit": limit, "key": key}
        return [FeedRow(*row) for row in self._rows(name, bindings)]

    def last_place(self) -> int:
        """Return the place of the last line of history, 0 if there is none."""
        return int(self._value("last_place", {}))

    def counts(self) -> Counts:
        """Count what there is."""
        return counts(self._rows("count_executions", {}), self._rows("count_waits", {}))

    def find(self, execution_id: str) -> ExecutionRow | None:
        """Return the execution with this public id."""
        rows = self._rows("find", {"id": execution_id})
        return execution_row(rows[0]) if rows else None

    def get(self, key: Key) -> ExecutionRow | None:
        """Return the execution with this key."""
        rows = self._rows("get", {"key": key})
        return execution_row(rows[0]) if rows else None

    def executions(self, query: ExecutionQuery) -> list[ExecutionRow]:
        """List executions, newest first."""
        return [execution_row(row) for row in self._rows("executions", execution_bindings(query))]

    def waits(self, query: WaitQuery) -> list[WaitRow]:
        """List what waits, the soonest due first."""
        name = "waits_where" if is_narrowed(query) else "waits"
        if query.key is not None:
            name = "waits_of"
        return [wait_row(row) for row in self._rows(name, wait_bindings(query))]

    def active(self) -> list[Key]:
        """Return the executions in phase QUEUED or RUNNING."""
        return [key for (key,) in self._rows("active", {})]

    def due(self, until: Instant, limit: int) -> list[WaitRow]:
        """Return waits that are due at or before an instant, the earliest first."""
        bindings = {"until": min(until, FOREVER - 1), "limit": limit}
        return [wait_row(row) for row in self._rows("due", bindings)]

    def next_due(self) -> Instant | None:
        """Return the earliest due instant."""
        due = self._value("next_due", {})
        return None if due is None or due == FOREVER else Instant(due)

    def put_workflow(self, row: WorkflowRow) -> WorkflowRow:
        """Store a version of a workflow and return it as stored; the same name and version again returns the first."""
        bindings = workflow_bindings(row)
        with self._transaction() as connection:
            connection.execute(self._queries["add_graph"], bindings)
            connection.execute(self._queries["add_workflow"], bindings)
            stored = connection.execute(self._queries["find_workflow"], bindings).fetchall()
        if not stored:
            raise StoreDamaged(f"{self._name} does not return what it has stored: restore a copy")
        return workflow_row(stored[0])

    def workflow(self, workflow: int) -> WorkflowRow:
        """Return a workflow by its number."""
        rows = self._rows("workflow", {"workflow": workflow})
        if not rows:
            raise UnknownWorkflow(f"the store {self._name} has no workflow number {workflow}")
        return workflow_row(rows[0])

    def find_workflow(self, name: str, version: str | None = None) -> WorkflowRow | None:
        """Return a version of a workflow, the one registered last if none is given."""
        query = "latest_workflow" if version is None else "find_workflow"
        rows = self._rows(query, {"name": name, "version": version})
        return workflow_row(rows[0]) if rows else None

    def versions(self, name: str, limit: int) -> list[WorkflowRow]:
        """Return the versions of a workflow, the one registered last first."""
        return [workflow_row(row) for row in self._rows("versions", {"name": name, "limit": limit})]

    def workflows(self) -> list[WorkflowRow]:
        """Return the latest version of each workflow, by name."""
        return [workflow_row(row) for row in self._rows("workflows", {})]

    def put_token(self, row: TokenRow) -> None:
        """Store a token; of one that is stored already, only when it was revoked."""
        with self._transaction() as connection:
            connection.execute(self._queries["put_token"], token_bindings(row))

    def tokens(self) -> list[TokenRow]:
        """Return every token, the oldest first, those that are of no use any more too."""
        return [token_row(row) for row in self._rows("tokens", {})]

    def note_uses(self, uses: Mapping[str, Instant]) -> None:
        """Store when tokens, by id, were used last."""
        with self._transaction() as connection:
            connection.executemany(self._queries["note_use"], uses.items())

    def put_login(self, row: LoginRow) -> None:
        """Store a login; those that have expired by the time it was created are forgotten."""
        bindings = asdict(row)
        with self._transaction() as connection:
            connection.execute(self._queries["end_logins"], bindings)
            connection.execute(self._queries["put_login"], bindings)

    def logins(self) -> list[LoginRow]:
        """Return every login, the oldest first."""
        return [login_row(row) for row in self._rows("logins", {})]

    def end_login(self, hash_: bytes) -> None:
        """Forget a login, if there is such a one."""
        with self._transaction() as connection:
            connection.execute(self._queries["end_login"], {"hash": hash_})

    def problems(self) -> list[str]:
        """Check the file itself: integrity, foreign keys, gaps in the history; one line a problem."""
        found = []
        try:
            with self._reading() as connection:
                for (line,) in connection.execute("PRAGMA integrity_check"):
                    if line != "ok":
                        found.append(f"the file is damaged: {line}")
                for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
                    found.append(
                        f"row {row} of {table} names a row of {parent} that does not exist"
                    )
                for name, query in self._queries.items():
                    if name.startswith("problem_"):
                        found.extend(line for (line,) in connection.execute(query))
        except StoreError as error:
            found.append(error.message)
        return found

    def close(self) -> None:
        """Let go of the files; the log is moved into the database first."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            while self._readers:
                self._readers.pop().close()
            if self._writer is not None:
                if not self._broken:
                    # Somebody may be reading, or the disk may be full: the log stays, and is safe.
                    with suppress(apsw.Error):
                        self._writer.set_busy_timeout(LEAVING_MS)
                        self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                self._writer.close()
            if self._lock is not None:
                self._lock.release()

    # -- inside --

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        """Give the writing connection, inside a transaction which is committed at the end, or undone as a whole."""
        with self._writing:
            connection = self._ready_writer()
            with explained(connection, self._name):
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    yield connection
                    connection.execute("COMMIT")
                except BaseException as error:
                    self._undo(connection, error)
                    raise
            if self._log_pages >= self._move_at:
                self._move_log(connection)

    def _ready_writer(self) -> apsw.Connection:
        if self._writer is None:
            raise StoreError(
                f"the store {self._name} was opened for reading: nothing can be written"
            )
        if self._closed:
            raise StoreError(f"the store {self._name} is closed: open it again")
        if self._broken:
            raise StoreError(self._broken)
        if self._file is not None and identity(self._name) != self._file:
            raise StoreError(
                f"the store {self._name} was removed or replaced while it was in use: put it back, or start again"
            )
        return self._writer

    def _undo(self, connection: apsw.Connection, error: BaseException) -> None:
        self._note_failed_sync(error)
        # SQLite ends the transaction by itself after some errors.
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except apsw.Error as second:
                self._broken = (
                    f"the store {self._name} could not undo a write ({second}): start again"
                )
        if self._broken:
            raise StoreError(self._broken) from error

    def _note_failed_sync(self, error: BaseException) -> None:
        if getattr(error, "extendedresult", 0) in _FAILED_SYNC:
            self._broken = (
                f"the disk under {self._name} failed to keep what it had accepted ({error}):"
                " check the disk, then start again; what was acknowledged is safe"
            )

    def _see_log(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        if pages < self._log_pages:
            # What was moved is overwritten from the beginning now.
            self._move_at = LOG_PAGES
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _move_log(self, connection: apsw.Connection) -> None:
        # A long reader, or a full disk, can keep the log from beginning anew: then not every commit tries again.
        self._move_at = self._log_pages + LOG_PAGES
        try:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            # The commit before this is safe in the log, so its caller sees no error.
            self._note_failed_sync(error)

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        """Give a connection that nobody else uses meanwhile."""
        if self._closed:
            raise StoreError(f"the store {self._name} is closed: open it again")
        if self._connect is None:
            assert self._writer is not None
            with self._writing, explained(self._writer, self._name):
                yield self._writer
            return
        try:
            # Taking from and adding to a list is atomic; no lock is needed.
            connection = self._readers.pop()
        except IndexError:
            connection = self._connect()
        sound = False
        try:
            with explained(connection, self._name):
                yield connection
            sound = True
        finally:
            if sound and len(self._readers) < IDLE_READERS and not self._closed:
                self._readers.append(connection)
            else:
                connection.close()

    def _rows(self, query: str, bindings: Bindings) -> list[Row]:
        with self._reading() as connection:
            return connection.execute(self._queries[query], bindings).fetchall()

    def _value(self, query: str, bindings: Bindings) -> Any:
        return self._rows(query, bindings)[0][0]
