"""
The store in a SQLite file: opened, brought up to date, and its ports put together.

A store with a thread for it (`begin`) checkpoints in the background; without one it does so between commits.
"""

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import apsw

from tidegate import disk
from tidegate.errors import StoreError, StoreFull
from tidegate.ports.reports import AttemptReports
from tidegate.ports.shares import StoreShares
from tidegate.ports.store import Progress
from tidegate.stores import moving, statements
from tidegate.stores.access import SqlAccess
from tidegate.stores.audit import SqlAudit
from tidegate.stores.catalog import SqlCatalog
from tidegate.stores.database import Database
from tidegate.stores.folder import (
    EngineLock,
    failed,
    make_file,
    make_folder,
    refuse_network,
    refuse_open,
)
from tidegate.stores.listings import SqlListings
from tidegate.stores.reserve import Reserve
from tidegate.stores.sqlite.changes import SqliteChanges
from tidegate.stores.sqlite.connect import (
    DATABASE,
    connect,
    connect_mover,
    connect_reader,
    explained,
    prepare_writer,
    refuse_older,
)
from tidegate.stores.sqlite.connections import Background, Connections
from tidegate.stores.sqlite.journal import SqliteJournal
from tidegate.stores.sqlite.search import Search
from tidegate.stores.sqlite.upgrade import Upgrade


def _in_silence(done: int, of: int) -> None:
    del done, of


class SqliteStore:
    """A `Store`. Made by `open`, `memory` or `alone`."""

    number: str = ""
    shares: StoreShares | None = None
    reports: AttemptReports | None = None
    """A file has one owner, who has all of it."""

    def __init__(self, connections: Connections) -> None:
        """Take over open connections."""
        self._connections = connections
        self._search = Search()
        self.journal = SqliteJournal(connections, self._search)
        self.listings = SqlListings(connections, self._search)
        self.catalog = SqlCatalog(connections)
        self.access = SqlAccess(connections)
        self.audit = SqlAudit(connections)
        self.changes = SqliteChanges(connections)
        self.database: Database = connections

    def is_owned(self) -> bool:
        """Return False: the lock of its home says who does."""
        return False

    def on_access(self, call: Callable[[], None]) -> None:
        """Do nothing: no other process changes tokens or sessions."""
        del call

    def agree_on_files(self, address: str) -> None:
        """Do nothing: the home says where they are."""
        del address

    @classmethod
    def open(
        cls, path: str | Path, *, writer: bool = True, progress: Progress = _in_silence
    ) -> "SqliteStore":
        """
        Open the store in the file `path`; its directory belongs to it.

        The one writer makes what is missing, brings an older store up to date (reporting to `progress`), and holds
        the directory's engine lock until `close`. Any number of others (`writer=False`) can read at the same time.

        Errors: `StoreLocked` if another engine is running, `StoreTooNew`, `StoreDamaged`, `StoreFull`, `StoreError`.
        """
        path = Path(path).absolute()
        if not writer:
            return cls._open_reader(path)
        make_folder(path.parent)
        refuse_network(path.parent)
        lock = EngineLock(path.parent)
        try:
            if not path.exists():
                _make(path, progress)
            reserve = Reserve(path.parent)
            try:
                connection = _ready(path, progress)
            except StoreFull:
                # An abort can be stored all the same, and for that the store must be open.
                connection = reserve.lend(partial(_ready, path, progress))
            reserve.restore()
            connections = Connections(
                str(path),
                connection,
                lambda: connect_reader(path),
                lock,
                lambda: connect_mover(path),
            )
            connections.reserve = reserve
            return cls(connections)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _open_reader(cls, path: Path) -> "SqliteStore":
        try:
            there = path.exists()
        except OSError as error:
            raise failed("look into", path.parent, error) from error
        if there:
            refuse_open(path.parent)
        else:
            raise StoreError(f"there is no store at {path}: run something first, or check --home")
        connection = connect_reader(path)
        try:
            with explained(connection, str(path)):
                refuse_older(connection, str(path))
        except BaseException:
            connection.close()
            raise
        connections = Connections(str(path), None, lambda: connect_reader(path), None)
        connections.keep(connection)
        return cls(connections)

    @classmethod
    def memory(cls) -> "SqliteStore":
        """Make an empty store that lives in this process only."""
        return cls.alone(apsw.Connection(":memory:"), "memory")

    @classmethod
    def alone(cls, connection: apsw.Connection, name: str) -> "SqliteStore":
        """Make a store that writes and reads through this connection, which nobody else uses."""
        _bring_up_to_date(connection, name, _in_silence, is_new=True)
        return cls(Connections(name, connection, None, None))

    def begin(self, background: Background) -> None:
        """Do deferrable work in the background from now on."""
        self._connections.begin(background)

    def problems(self) -> list[str]:
        """Check the file itself: integrity, foreign keys, gaps in the history, counters; one line per problem."""
        found = []
        own = statements.own(DATABASE)
        try:
            with self._connections.reading() as connection:
                for (line,) in connection.execute("PRAGMA integrity_check"):
                    if line != "ok":
                        found.append(f"the file is damaged: {line}")
                for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
                    found.append(
                        f"row {row} of {table} names a row of {parent} that does not exist"
                    )
                for name, query in own.items():
                    if name.startswith("problem_"):
                        found.extend(line for (line,) in connection.execute(query))
        except StoreError as error:
            found.append(error.message)
        return found

    def rebuild(self, progress: Progress) -> None:
        """Rebuild what lists show, from the journal. Nothing else is written meanwhile."""
        with self._connections.alone() as connection:
            upgrade = Upgrade(connection, self._connections.name, progress)
            upgrade.begin()
            upgrade.go_on()
        self.journal.forget()

    def take(
        self, source: Database, progress: Progress, done: Callable[[], None]
    ) -> dict[str, moving.Rows]:
        """
        Take all rows of another database into this one, which must be empty, and compare them; return how many there are. `done` is called before that counts.

        If that fails, what is here is incomplete. Errors: `StoreDamaged` if they differ; `StoreError` and below.
        """
        keys, positions = count(1), count(1)
        numbering = moving.Numbering(lambda _, __: next(keys), lambda _, __: (next(positions),))
        with self._connections.transaction() as connection:
            moving.copy_rows(source, connection, self.database.sql, numbering, progress)
        self.rebuild(progress)
        found = moving.counted(self.database)
        moving.refuse_different(moving.counted(source), found)
        done()
        return found

    def close(self) -> None:
        """Close the files, after a checkpoint."""
        self._connections.close()


def _make(path: Path, progress: Progress) -> None:
    """Make an empty store, which gets its name only once it is complete: so an empty file with that name has lost its contents."""
    aside = path.with_name(f"{path.name}.new")
    for end in ("", "-wal", "-shm", "-journal"):
        aside.with_name(aside.name + end).unlink(missing_ok=True)
    make_file(aside)
    connection = connect(aside)
    try:
        _bring_up_to_date(connection, str(aside), progress, is_new=True)
    finally:
        connection.close()
    try:
        aside.rename(path)
        disk.sync(path.parent)
    except OSError as error:
        raise failed("make", path, error) from error


def _ready(path: Path, progress: Progress) -> apsw.Connection:
    connection = connect(path)
    try:
        _bring_up_to_date(connection, str(path), progress)
    except BaseException:
        connection.close()
        raise
    return connection


def _bring_up_to_date(
    connection: apsw.Connection, name: str, progress: Progress, *, is_new: bool = False
) -> None:
    prepare_writer(connection, name, is_new=is_new)
    with explained(connection, name):
        upgrade = Upgrade(connection, name, progress)
        if upgrade.is_due():
            upgrade.go_on()
