"""
The store on SQLite: one file, written by one connection, read by several.

Rule 1: every commit is synced to disk before it returns (WAL, synchronous=FULL).
Rule 2: what the writing connection does is done under one lock, and it alone moves pages from the log into the database.
Rule 3: after a failed sync nothing more is written until the store is opened anew: the system may have
dropped the pages it could not write, and would report the next sync as good.
"""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import apsw

from tidegate.errors import (
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreTooNew,
    UnknownWorkflow,
)
from tidegate.ir.graph import Instant
from tidegate.ports import (
    Batch,
    ExecutionQuery,
    ExecutionRow,
    Key,
    WaitQuery,
    WaitRow,
    WorkflowRow,
)
from tidegate.stores import sql
from tidegate.stores.folder import EngineLock, make_file, make_folder, refuse_network
from tidegate.stores.store import (
    FOREVER,
    Bindings,
    Row,
    execution_bindings,
    execution_row,
    wait_bindings,
    wait_row,
    workflow_bindings,
    workflow_row,
    writes,
)

APPLICATION_ID = 0x54696465
"""Stands in the head of the file, and says that it is ours ("Tide")."""

LOG_PAGES = 4000
"""How long (in pages of 4 KiB) the log grows before its pages are moved into the database: few moves, a short pause each."""

IDLE_READERS = 4
"""How many reading connections are kept open for the next reader."""

BUSY_MS = 5000
"""How long to wait for another process that has the file locked, which is for instants only."""

CACHE_KIB = 8192
"""Page cache of the writing connection; readers keep SQLite's 2 MiB."""

_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FAILED_SYNC = frozenset(
    {apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC, apsw.SQLITE_IOERR_TRUNCATE}
)


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
        self._closed = False
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
            connection = _connect(path)
            try:
                _prepare_writer(connection, str(path))
            except BaseException:
                connection.close()
                raise
            return cls(str(path), connection, lambda: _connect_reader(path), lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _open_reader(cls, path: Path) -> "SqliteStore":
        if not path.exists():
            raise StoreError(f"there is no store at {path}: run something first, or look at --home")
        connection = _connect_reader(path)
        try:
            with _explained(connection, str(path)):
                have, newest = _version(connection, str(path)), len(sql.migrations())
            if have < newest:
                raise StoreError(
                    f"the store {path} has the older schema {have}, this Tidegate reads {newest}:"
                    " run its engine once (any `tidegate run`) to bring it up to date"
                )
        except BaseException:
            connection.close()
            raise
        store = cls(str(path), None, lambda: _connect_reader(path), None)
        store._readers.append(connection)
        return store

    @classmethod
    def memory(cls) -> "SqliteStore":
        """Make an empty store that lives in this process only."""
        return cls.alone(apsw.Connection(":memory:"), "memory")

    @classmethod
    def alone(cls, connection: apsw.Connection, name: str) -> "SqliteStore":
        """Make a store that writes and reads through this connection, which nobody else uses."""
        _prepare_writer(connection, name)
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
        name = "waits" if query.key is None else "waits_of"
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

    def workflows(self) -> list[WorkflowRow]:
        """Return the latest version of each workflow, by name."""
        return [workflow_row(row) for row in self._rows("workflows", {})]

    def problems(self) -> list[str]:
        """Check the file itself: integrity, foreign keys, gaps in the history; one line a problem."""
        with self._reading() as connection:
            return [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]

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
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                self._undo(connection, error)
            if self._log_pages >= LOG_PAGES:
                self._move_log(connection)

    def _ready_writer(self) -> apsw.Connection:
        if self._writer is None:
            raise StoreError(f"the store {self._name} was opened for reading: nothing can be written")
        if self._closed:
            raise StoreError(f"the store {self._name} is closed: open it again")
        if self._broken:
            raise StoreError(self._broken)
        return self._writer

    def _undo(self, connection: apsw.Connection, error: BaseException) -> NoReturn:
        if isinstance(error, apsw.Error):
            self._note_failed_sync(error)
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except apsw.Error as second:
                self._broken = f"the store {self._name} could not undo a write ({second}): open it again"
        if isinstance(error, apsw.Error):
            raise _translated(error, connection, self._name) from error
        raise error

    def _note_failed_sync(self, error: apsw.Error) -> None:
        if getattr(error, "extendedresult", 0) in _FAILED_SYNC:
            self._broken = (
                f"the disk under {self._name} failed to write what it had accepted ({error}):"
                " check the disk, then start again; what was acknowledged is safe"
            )

    def _see_log(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _move_log(self, connection: apsw.Connection) -> None:
        # The commit before it is safe in the log whatever happens here, so no error goes to its caller;
        # without room or time the log just grows until the next attempt.
        self._log_pages = 0
        try:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            self._note_failed_sync(error)

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        """Give a connection that nobody else uses meanwhile."""
        if self._closed:
            raise StoreError(f"the store {self._name} is closed: open it again")
        if self._connect is None:
            assert self._writer is not None
            with self._writing, _explained(self._writer, self._name):
                yield self._writer
            return
        try:
            # Taking from and adding to a list is atomic; no lock is needed.
            connection = self._readers.pop()
        except IndexError:
            connection = self._connect()
        with _explained(connection, self._name):
            yield connection
        if len(self._readers) < IDLE_READERS and not self._closed:
            self._readers.append(connection)
        else:
            connection.close()

    def _rows(self, query: str, bindings: Bindings) -> list[Row]:
        with self._reading() as connection:
            return connection.execute(self._queries[query], bindings).fetchall()

    def _value(self, query: str, bindings: Bindings) -> Any:
        return self._rows(query, bindings)[0][0]


def _connect(path: Path, flags: int = apsw.SQLITE_OPEN_READWRITE) -> apsw.Connection:
    if path.is_dir():
        raise StoreError(f"{path} is a directory: a store is a file")
    if not os.access(path, os.R_OK):
        raise StoreError(f"cannot read {path}: permission denied")
    try:
        return apsw.Connection(str(path), flags)
    except apsw.Error as error:
        raise StoreError(f"cannot open {path}: {error}") from error


def _connect_reader(path: Path) -> apsw.Connection:
    connection = _connect(path)
    with _explained(connection, str(path)):
        connection.set_busy_timeout(BUSY_MS)
        # The writing connection alone moves the log.
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        connection.execute("PRAGMA query_only = 1; PRAGMA mmap_size = 0")
    return connection


def _prepare_writer(connection: apsw.Connection, name: str) -> None:
    """Set the connection up, look whether the file is ours, and bring its schema up to date."""
    with _explained(connection, name):
        connection.set_busy_timeout(BUSY_MS)
        connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        have = _version(connection, name)
        if connection.readonly("main"):
            raise StoreError(f"cannot write {name}: the file or its file system is read-only")
        connection.execute(
            f"""
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            PRAGMA fullfsync = 1;
            PRAGMA checkpoint_fullfsync = 1;
            PRAGMA foreign_keys = 1;
            PRAGMA mmap_size = 0;
            PRAGMA cache_size = -{CACHE_KIB};
            PRAGMA journal_size_limit = {8 * LOG_PAGES * 4096};
            """
        )
        for migration in sql.migrations()[have:]:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute(migration.sql)
                connection.execute(f"PRAGMA user_version = {migration.number}")
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _version(connection: apsw.Connection, name: str) -> int:
    """Return the schema's number, 0 for an empty file; refuse what is not ours, or newer than we are."""
    ident = connection.pragma("application_id")
    if ident == 0 and connection.execute("SELECT count(*) FROM sqlite_schema").get == 0:
        return 0
    if ident != APPLICATION_ID:
        raise StoreDamaged(f"{name} is a database of another program: choose another place for the store")
    have, newest = int(connection.pragma("user_version")), len(sql.migrations())
    if have > newest:
        raise StoreTooNew(
            f"the store {name} was written by a newer Tidegate (its schema is {have}, this one knows {newest}):"
            " install that version again, or use another store",
            schema=have,
            known=newest,
        )
    return have


@contextmanager
def _explained(connection: apsw.Connection, name: str) -> Iterator[None]:
    """Turn what SQLite says into errors of ours."""
    try:
        yield
    except apsw.Error as error:
        raise _translated(error, connection, name) from error


def _translated(error: apsw.Error, connection: apsw.Connection, name: str) -> Exception:
    match error:
        case apsw.ConstraintError():
            return AssertionError(f"the batch contradicts what the store {name} holds: {error}")
        case apsw.FullError():
            return _full(name)
        case apsw.IOError() if connection.system_errno in _ROOM:
            return _full(name)
        case apsw.NotADBError() | apsw.CorruptError():
            return StoreDamaged(f"{name} is not a Tidegate store, or is damaged ({error}): restore a copy of it")
        case apsw.BusyError() | apsw.LockedError():
            return StoreLocked(f"another program keeps {name} locked: end it, then try again")
        case apsw.ReadOnlyError():
            return StoreError(f"cannot write {name}: the file or its file system is read-only")
        case apsw.IOError():
            why = os.strerror(connection.system_errno) if connection.system_errno else str(error)
            return StoreError(f"cannot read or write {name} ({why}): look at the disk")
        case _:
            return StoreError(f"the store {name} does not work: {error}")


def _full(name: str) -> StoreFull:
    return StoreFull(
        f"no room is left on the disk of {name}: free some and try again; what was acknowledged is safe"
    )
