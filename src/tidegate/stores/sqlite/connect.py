"""Connections to a SQLite file: opened, configured, verified to be ours, brought up to date; and the meaning of its errors."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from tidegate import disk
from tidegate.errors import (
    StoreDamaged,
    StoreError,
    StoreLocked,
    StoreTooNew,
)
from tidegate.stores import statements
from tidegate.stores.folder import full, is_locked

DATABASE = "sqlite"
"""The directory of its statements and migrations."""

APPLICATION_ID = 0x54696465
"""The application id in the file's header, which marks it as ours ("Tide")."""

LOG_LIMIT = 64 * 1024 * 1024
"""Bytes to which a log that had to grow is truncated when it restarts."""

BUSY_MS = 5000
"""How long to wait for another process that has the file locked, which is for instants only."""

CACHE_KIB = 8192
"""Page cache of the writing connection; readers keep SQLite's 2 MiB."""


def connect(path: Path, *, frozen: bool = False) -> apsw.Connection:
    """Open a file that exists; a `frozen` one is read as it is, without files beside it."""
    # Checked from outside: opening and closing the file here would drop the locks that another connection of this process holds on it.
    if path.is_dir():
        raise StoreError(f"{path} is a directory: a store is a file")
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise StoreError(f"cannot read {path}: permission denied")
    try:
        if frozen:
            flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
            connection = apsw.Connection(f"{path.as_uri()}?immutable=1", flags)
        else:
            connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READWRITE)
    except apsw.Error as error:
        raise StoreError(f"cannot open {path}: {error}") from error
    # A plan is made once, whatever is bound to the statement: else each new limit has it compiled again, which takes four times as long as
    # reading.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    return connection


def connect_mover(path: Path) -> apsw.Connection:
    """Open a file that exists, to checkpoint its log."""
    connection = connect(path)
    with explained(connection, str(path)):
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.execute("PRAGMA synchronous = FULL; PRAGMA checkpoint_fullfsync = 1").fetchall()
    return connection


def sync(connection: apsw.Connection) -> int:
    """
    Make the system write the database file, not its log, to the disk; return SQLite's code.

    It uses SQLite's own handle of the file: opening and closing another would drop the locks of this process.
    """
    # `sqlite3_file` starts with a pointer to `sqlite3_io_methods`: a version, xClose, xRead, xWrite, xTruncate, xSync, ...
    file = ctypes.c_void_p()
    connection.file_control("main", apsw.SQLITE_FCNTL_FILE_POINTER, ctypes.addressof(file))
    methods = ctypes.cast(file, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p)))[0]
    x_sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)(methods[5])
    try:
        return int(x_sync(file, apsw.SQLITE_SYNC_NORMAL))
    except SystemError:
        # A file system written in Python has raised, beside returning its code, which is lost with that.
        return int(apsw.SQLITE_IOERR_FSYNC)


def connect_reader(path: Path) -> apsw.Connection:
    """Open a file that exists, for reading only, beside a writer."""
    connection = connect(path, frozen=_is_frozen(path))
    with explained(connection, str(path)):
        connection.set_busy_timeout(BUSY_MS)
        # Only the writing connection checkpoints.
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        connection.execute("PRAGMA query_only = 1; PRAGMA mmap_size = 0").fetchall()
    return connection


def _is_frozen(path: Path) -> bool:
    """Whether nobody writes there, as in a snapshot or where it was made read-only, and nothing is left in the log."""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size:
        return False
    if os.statvfs(path.parent).f_flag & os.ST_RDONLY:
        return True
    # Another user might write all the same, and then has the lock.
    may_write = any(os.access(each, os.W_OK) for each in (path, path.parent))
    return not may_write and not is_locked(path.parent)


def prepare_writer(connection: apsw.Connection, name: str, *, is_new: bool) -> None:
    """Configure the connection, check that the file is ours, and bring its schema up to date. Only one that `is_new` may be empty."""
    with explained(connection, name):
        connection.set_busy_timeout(BUSY_MS)
        connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        have = version(connection, name)
        if not have and not is_new:
            raise _empty(name)
        if connection.readonly("main"):
            raise StoreError(
                f"cannot write {name}: the file or its file system is read-only: make it writable, or copy the store elsewhere"
            )
        # A statement that returns rows blocks those after it until they are fetched.
        connection.execute(
            f"""
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            PRAGMA fullfsync = 1;
            PRAGMA checkpoint_fullfsync = 1;
            PRAGMA foreign_keys = 1;
            PRAGMA mmap_size = 0;
            PRAGMA cache_size = -{CACHE_KIB};
            PRAGMA journal_size_limit = {LOG_LIMIT};
            """
        ).fetchall()
        for migration in statements.migrations(DATABASE)[have:]:
            _migrate(connection, migration)


def _migrate(connection: apsw.Connection, migration: statements.Migration) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(migration.sql).fetchall()
        connection.execute(f"PRAGMA user_version = {migration.number}")
        connection.execute("COMMIT")
    except BaseException:
        # SQLite ends the transaction by itself after some errors.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def refuse_older(connection: apsw.Connection, name: str) -> None:
    """Raise `StoreError` if the schema is outdated, because a reader cannot migrate."""
    have, newest = version(connection, name), len(statements.migrations(DATABASE))
    if not have:
        raise _empty(name)
    if have < newest:
        raise StoreError(
            f"the store {name} has the older schema {have}, this Tidegate reads {newest}:"
            " run its engine once (any `tidegate run`) to bring it up to date"
        )
    if connection.execute("SELECT 1 FROM marks WHERE name = 'rebuild'").fetchall():
        raise StoreError(
            f"the lists of the store {name} are being rebuilt: wait for its owner, or run its engine once (any `tidegate run`)"
        )


def _empty(name: str) -> StoreDamaged:
    return StoreDamaged(
        f"{name} is empty, and a store never is: what was in it is lost; restore a copy of it, or remove the file to start a new store"
    )


def version(connection: apsw.Connection, name: str) -> int:
    """Return the schema's number, 0 for an empty file; refuse what is not ours, or newer than we are."""
    ident = connection.pragma("application_id")
    if ident == 0 and connection.execute("SELECT count(*) FROM sqlite_schema").get == 0:
        return 0
    if ident != APPLICATION_ID:
        raise StoreDamaged(
            f"{name} is a database of another program: choose another place for the store"
        )
    have, newest = int(connection.pragma("user_version")), len(statements.migrations(DATABASE))
    if have > newest:
        raise StoreTooNew(
            f"the store {name} was written by a newer Tidegate (its schema is {have}, this one knows {newest}):"
            " install that version again, or use another store",
            schema=have,
            known=newest,
        )
    return have


@contextmanager
def explained(connection: apsw.Connection, name: str) -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except apsw.Error as error:
        raise _translated(error, connection, name) from error


def _translated(error: apsw.Error, connection: apsw.Connection, name: str) -> Exception:
    match error:
        case apsw.ConstraintError():
            return AssertionError(f"the batch contradicts what the store {name} holds: {error}")
        case apsw.FullError():
            return full(name)
        case apsw.IOError() if connection.system_errno in disk.OUT_OF_ROOM:
            return full(name)
        case apsw.NotADBError() | apsw.CorruptError():
            return StoreDamaged(
                f"{name} is not a Tidegate store, or is damaged ({error}): restore a copy of it"
            )
        case apsw.BusyError() | apsw.LockedError():
            return StoreLocked(f"another program keeps {name} locked: end it, then try again")
        case apsw.ReadOnlyError():
            return StoreError(
                f"cannot write {name}: the file or its file system is read-only: make it writable, or copy the store elsewhere"
            )
        case apsw.CantOpenError() if Path(f"{name}-wal").exists():
            return StoreError(
                f"cannot open {name}: the last writes are in its log, which SQLite reads only where it can write:"
                " copy the directory to such a place, and use that with --home"
            )
        case apsw.IOError():
            why = os.strerror(connection.system_errno) if connection.system_errno else str(error)
            return StoreError(f"cannot read or write {name} ({why}): check the disk")
        case _:
            return StoreError(f"the store {name} does not work: {error}")
