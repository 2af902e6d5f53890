"""
The connections to one SQLite file: one that writes, some that read, and one that checkpoints the log.

Rule 1: every commit is synced to disk before it returns (WAL, synchronous=FULL).
Rule 2: the writing connection is used under one lock. Most pages are checkpointed by a thread with a
connection of its own, so that no answer waits for it. The writer checkpoints the last few, which lets the log restart; and all of them
if there is no such thread, or it is far behind.
Rule 3: after a failed sync nothing more is written until the store is reopened: the system may have
dropped the pages it could not write, and would report the next sync as good.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import apsw

from tidegate.errors import StoreError
from tidegate.stores import statements
from tidegate.stores.database import SqlConnection
from tidegate.stores.folder import EngineLock, identity
from tidegate.stores.reserve import Reserve
from tidegate.stores.rows import Bindings, Row
from tidegate.stores.sqlite.connect import DATABASE, explained, sync

LOG_PAGES = 2000
"""
How long (in pages of 4 KiB) the log grows before its pages are checkpointed.
Measured: half as long makes each checkpoint half as long and twice as frequent; twice as long gains 5 %.
"""

BEHIND = 4
"""By how many times the log may outgrow that before the writer checkpoints it itself: 32 MB, half of what it is truncated to when it restarts."""

FEW = 64
"""Pages that the writer checkpoints itself, after all before them have been synced: about as long as a commit."""

PASSES = 10
"""How many times in a row pages are checkpointed in the background, while others arrive; each leaves what was committed during its sync."""

LEAVING_MS = 200
"""How long `close` waits for readers before it leaves the log as it is."""

IDLE_READERS = 4
"""How many reading connections are kept open for the next reader."""

Background: TypeAlias = Callable[[str, Callable[[], None]], None]
"""Runs something in a supervised thread: its name, and what to call until it returns."""

_FAILED_SYNC = frozenset({apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC})


class Connections:
    """
    The connections of one store; `name` is its name in messages.

    Without `connect` the writing connection is also the one that reads. Without `writer` nothing can be written.
    """

    def __init__(
        self,
        name: str,
        writer: apsw.Connection | None,
        connect: Callable[[], apsw.Connection] | None,
        lock: EngineLock | None,
        mover: Callable[[], apsw.Connection] | None = None,
    ) -> None:
        self.name = name
        self.sql = {**statements.shared(), **statements.own(DATABASE)}
        self._writer = writer
        self._connect = connect
        self._lock = lock
        self._mover = mover
        self.held = self._writing = threading.RLock()
        self._readers: list[apsw.Connection] = []
        self._broken = ""
        # The log: how many pages it has, how many of them are in the database and synced, how many times it has restarted, when to act
        # next.
        self._log_pages = 0
        self._synced_pages = 0
        self._log_turn = 0
        self._longest = LOG_PAGES
        self._move_at = LOG_PAGES
        self._must_move = threading.Event()
        self._moving = threading.Lock()
        self._moves = False
        self._closed = False
        self.reserve: Reserve | None = None
        """Room set aside on the disk of the store, if it has one."""
        self._file = None if lock is None else identity(name)
        if writer is not None:
            writer.set_wal_hook(self._see_log)

    def begin(self, background: Background) -> None:
        """Checkpoint in the background from now on."""
        if self._mover is not None:
            self._moves = True
            background("checkpoints", self._move_in_background)

    def keep(self, reader: apsw.Connection) -> None:
        """Take a reading connection that is open already."""
        self._readers.append(reader)

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """Give the writing connection, inside a transaction which is committed at the end, or rolled back as a whole."""
        with self._writing:
            connection = self._ready_writer()
            with explained(connection, self.name):
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    yield connection
                    connection.execute("COMMIT")
                except BaseException as error:
                    self._undo(connection, error)
                    if isinstance(error, apsw.FullError):
                        self._make_room(connection)
                    raise
            if self._log_pages >= self._move_at:
                self._move_log(connection)

    @contextmanager
    def alone(self) -> Iterator[apsw.Connection]:
        """Give the writing connection outside a transaction, and let nobody else write meanwhile."""
        with self._writing:
            connection = self._ready_writer()
            with explained(connection, self.name):
                yield connection

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """Give a connection that nobody else uses meanwhile."""
        if self._connect is None:
            with self._writing:
                assert self._writer is not None
                self._refuse_closed()
                with explained(self._writer, self.name):
                    yield self._writer
            return
        connection = self._reader(self._connect)
        sound = False
        try:
            with explained(connection, self.name):
                yield connection
            sound = True
        finally:
            if not (sound and self._give_back(connection)):
                connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """Give a reading connection on which several statements see one moment."""
        with self.reading() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def stream(
        self, connection: SqlConnection, statement: str, bindings: Bindings
    ) -> Iterator[Row]:
        """Return the rows of a statement, read only as far as they are taken."""
        return iter(connection.execute(statement, bindings))

    def rows(self, statement: str, bindings: Bindings) -> list[Row]:
        """Return the rows of a statement."""
        with self.reading() as connection:
            return connection.execute(statement, bindings).fetchall()

    def value(self, statement: str, bindings: Bindings) -> Any:
        """Return the first value of a statement's first row."""
        return self.rows(statement, bindings)[0][0]

    def close(self) -> None:
        """Close the files, after a checkpoint."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            self._must_move.set()
            # A connection that is closed after the writing one would leave the log behind.
            with self._moving:
                while self._readers:
                    self._readers.pop().close()
                if self._writer is not None:
                    self._close_writer(self._writer)
            if self.reserve is not None:
                self.reserve.give_up()
            if self._lock is not None:
                self._lock.release()

    def _close_writer(self, connection: apsw.Connection) -> None:
        if not self._broken:
            # Somebody may be reading, or the disk may be full: the log stays, and is safe.
            with suppress(apsw.Error):
                connection.set_busy_timeout(LEAVING_MS)
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        connection.close()

    # -- readers --

    def _reader(self, connect: Callable[[], apsw.Connection]) -> apsw.Connection:
        self._refuse_closed()
        try:
            # Taking from a list is atomic; no lock is needed.
            return self._readers.pop()
        except IndexError:
            connection = connect()
        if self._closed:
            connection.close()
            self._refuse_closed()
        return connection

    def _give_back(self, connection: apsw.Connection) -> bool:
        """Keep a connection for the next reader; False if it is to be closed."""
        if self._closed or len(self._readers) >= IDLE_READERS:
            return False
        self._readers.append(connection)
        # `close` may have emptied the list a moment ago: then this one is left to us.
        return not (self._closed and self._withdrawn(connection))

    def _withdrawn(self, connection: apsw.Connection) -> bool:
        try:
            self._readers.remove(connection)
        except ValueError:
            return False
        return True

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreError(f"the store {self.name} is closed: open it again")

    # -- the writer --

    def _ready_writer(self) -> apsw.Connection:
        if self._writer is None:
            raise StoreError(
                f"the store {self.name} was opened for reading: nothing can be written"
            )
        self._refuse_closed()
        if self._broken:
            raise StoreError(self._broken)
        if self._file is not None and identity(self.name) != self._file:
            raise StoreError(
                f"the store {self.name} was removed or replaced while it was in use: put it back, or start again"
            )
        return self._writer

    def _undo(self, connection: apsw.Connection, error: BaseException) -> None:
        if _failed_to_sync(error):
            self._note_failed_sync(error)
        # SQLite ends the transaction by itself after some errors.
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except apsw.Error as second:
                self._broken = (
                    f"the store {self.name} could not undo a write ({second}): start again"
                )
        if self._broken:
            raise StoreError(self._broken) from error

    def _note_failed_sync(self, why: object) -> None:
        self._broken = (
            f"the disk under {self.name} failed to keep what it had accepted ({why}):"
            " check the disk, then start again; everything acknowledged is safe"
        )

    # -- the log --

    def _see_log(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        if pages < self._log_pages:
            # What was checkpointed is overwritten from the beginning now.
            self._log_turn += 1
            self._synced_pages = 0
            self._move_at = self._longest
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _move_log(self, connection: apsw.Connection) -> None:
        if self._moves and self._log_pages < BEHIND * self._longest:
            if self._moving.locked():
                return
            if self._log_pages - self._synced_pages > FEW:
                self._must_move.set()
                return
        # A long reader, or a full disk, can keep the log from restarting: then not every commit tries again.
        self._move_at = self._log_pages + self._longest
        if self._checkpoint(connection) is None:
            # For lack of room, most likely: new room must go to the database before the log takes it.
            self._move_at = self._log_pages

    def _make_room(self, connection: apsw.Connection) -> None:
        """
        Checkpoint what is possible: a log whose pages are all in the database restarts in its existing file, and needs no room.

        From now on it grows half as long as it had room for, so that the rest of the disk is the database's. If that could not grow now,
        it is retried with the first commit that has room.
        """
        self._longest = max(FEW, min(self._longest, self._log_pages // 2))
        self._move_at = self._log_pages
        self._checkpoint(connection)

    def _move_in_background(self) -> None:
        while True:
            self._must_move.wait()
            with self._moving:
                if self._closed:
                    return
                if not self._broken:
                    self._move_most()
                # Commits in the meantime ask again if that was not enough.
                self._must_move.clear()

    def _move_most(self) -> None:
        """Checkpoint pages, and sync them: SQLite would leave that to the connection that moves the last one, which would wait for the sync of all."""
        assert self._mover is not None
        connection = self._mover()
        try:
            for _ in range(PASSES):
                turn, before = self._log_turn, self._synced_pages
                done = self._checkpoint(connection)
                if done is None:
                    self._move_at = self._log_pages  # as above
                    return
                _, moved = done
                if moved <= before:
                    break
                if code := sync(connection):
                    self._note_failed_sync(f"SQLite's code {code}")
                    return
                if turn == self._log_turn:
                    self._synced_pages = moved
                if self._log_pages - moved <= FEW:
                    return
            # A long reader, as above; or so many commits that the writer must help.
            self._move_at = self._log_pages + self._longest
        finally:
            connection.close()

    def _checkpoint(self, connection: apsw.Connection) -> tuple[int, int] | None:
        """Checkpoint pages; return how many the log has, and how many of them are in the database; None if it failed."""
        try:
            return connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            # The commits before this are safe in the log, so nobody sees an error.
            if _failed_to_sync(error):
                self._note_failed_sync(error)
            return None


def _failed_to_sync(error: BaseException) -> bool:
    return getattr(error, "extendedresult", 0) in _FAILED_SYNC
