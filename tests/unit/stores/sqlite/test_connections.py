"""The connections to a file: what the writing one promises, how the log is kept short, and what is left at the end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest
from tests.contract.store_rows import launch
from tests.crash.disk import Disk, Fault

from tidegate.errors import StoreError
from tidegate.parts import FIRST_PAUSE
from tidegate.ports.journal import Batch, HistoryRow
from tidegate.stores.sqlite import SqliteStore, connect, connections, store

LONGEST = 30.0
"""Seconds after which something that was promised has not happened."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "tidegate.db"


def log_of(path: Path) -> int:
    """Return the size of the log in bytes."""
    return Path(f"{path}-wal").stat().st_size


def write(store: SqliteStore, lines: range, size: int = 4000) -> None:
    """Append lines to execution 1, a page each."""
    for n in lines:
        assert not store.journal.append(Batch(history=[HistoryRow(1, n, bytes(size))]))


@contextmanager
def background(store: SqliteStore) -> Iterator[list[threading.Thread]]:
    """Give the store its threads, and wait for their end after it is closed."""
    threads: list[threading.Thread] = []

    def begin(name: str, run: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=run, name=name, daemon=True))
        threads[-1].start()

    store.begin(begin)
    try:
        yield threads
    finally:
        store.close()
        for thread in threads:
            thread.join(LONGEST)
            assert not thread.is_alive()


def test_the_writing_connection_syncs_each_commit_and_trusts_nothing(path: Path):
    store = SqliteStore.open(path)
    names = ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync", "foreign_keys")
    with store._connections.alone() as writer:
        found = {name: writer.pragma(name) for name in (*names, "trusted_schema", "mmap_size")}
    store.close()

    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "fullfsync": 1,
        "checkpoint_fullfsync": 1,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "mmap_size": 0,
    }


# -- the log --


def test_the_log_stays_bounded_however_much_is_written(path: Path, monkeypatch):
    monkeypatch.setattr(connections, "LOG_PAGES", 50)
    store = SqliteStore.open(path)
    launch(store, 1)

    write(store, range(2, 302))

    assert log_of(path) < 100 * 4200
    assert path.stat().st_size > 250 * 4096
    store.close()


def test_a_long_reader_does_not_stop_the_writer_and_the_log_recovers(path: Path, monkeypatch):
    monkeypatch.setattr(connections, "LOG_PAGES", 50)
    store = SqliteStore.open(path)
    launch(store, 1)
    reader = apsw.Connection(str(path))
    reader.execute("BEGIN; SELECT * FROM history").fetchall()
    write(store, range(2, 302))
    grown = log_of(path)
    assert grown > 300 * 4096

    reader.execute("COMMIT")
    reader.close()
    write(store, range(302, 602))

    assert log_of(path) < grown + 100 * 4200
    assert len(store.journal.history(1)) == 601
    store.close()


def test_with_a_thread_of_its_own_the_log_stays_bounded_too(path: Path, monkeypatch):
    monkeypatch.setattr(connections, "LOG_PAGES", 100)
    store = SqliteStore.open(path)
    with background(store):
        launch(store, 1)

        write(store, range(2, 2002))

        # However late the thread is, the writer helps when the log is this far behind.
        assert log_of(path) < (connections.BEHIND + 1) * 100 * 4200
        assert len(store.journal.history(1)) == 2001
    assert not Path(f"{path}-wal").exists()


def test_most_pages_are_moved_and_synced_by_the_thread_and_few_by_who_commits(
    path: Path, monkeypatch
):
    monkeypatch.setattr(connections, "LOG_PAGES", 200)
    monkeypatch.setattr(connections, "BEHIND", 1000)
    store = SqliteStore.open(path)
    moved: list[tuple[str, int]] = []
    inside = connections.Connections._checkpoint

    def watched(self, connection):
        before = self._synced_pages
        result = inside(self, connection)
        if result is not None:
            moved.append((threading.current_thread().name, result[1] - before))
        return result

    monkeypatch.setattr(connections.Connections, "_checkpoint", watched)
    with background(store):
        launch(store, 1)
        n, turns = 2, 0
        while turns < 5 and n < 20_000:
            write(store, range(n, n + 1))
            n += 1
            turns = store._connections._log_turn

    assert turns == 5
    here = threading.current_thread().name
    assert max(pages for name, pages in moved if name == here) <= connections.FEW + 10
    assert max(pages for name, pages in moved if name == "checkpoints") > connections.FEW


def test_a_store_without_much_to_do_leaves_its_thread_alone(path: Path):
    store = SqliteStore.open(path)
    with background(store) as threads:
        launch(store, 1)
        assert [thread.name for thread in threads] == ["checkpoints"]
        assert threads[0].is_alive()


class _Failing:
    """A connection to the file whose log fails to sync, as on a disk which is about to die."""

    def wal_checkpoint(self, **_: object) -> tuple[int, int]:
        error = apsw.IOError("disk I/O error")
        error.extendedresult = apsw.SQLITE_IOERR_FSYNC
        raise error

    def close(self) -> None:
        pass


@pytest.mark.parametrize("file", ["log", "database"])
def test_after_a_failed_sync_in_the_background_nothing_is_stored_until_the_store_is_opened_again(
    path: Path, monkeypatch, file
):
    monkeypatch.setattr(connections, "LOG_PAGES", 200)
    with monkeypatch.context() as fails:
        if file == "log":
            fails.setattr(store, "connect_mover", lambda _: _Failing())
        else:
            fails.setattr(connections, "sync", lambda _: apsw.SQLITE_IOERR_FSYNC)
        opened = SqliteStore.open(path)
        with background(opened):
            launch(opened, 1)
            n = 1
            with pytest.raises(StoreError, match="check the disk, then start again"):
                while n < 10_000:
                    write(opened, range(n + 1, n + 2))
                    n += 1
            # Who reads still sees what was acknowledged, and no more.
            assert len(opened.journal.history(1)) == n
            with pytest.raises(StoreError, match="check the disk"):
                launch(opened, 2)

    opened = SqliteStore.open(path)
    assert len(opened.journal.history(1)) == n
    write(opened, range(n + 1, n + 2))
    opened.close()


def test_a_sync_is_of_the_database_and_tells_how_it_went():
    disk = Disk()
    with disk.connection() as connection:
        opened = SqliteStore.alone(connection, "tidegate.db")
        launch(opened, 1)
        connection.execute("PRAGMA synchronous = OFF")
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        assert disk.files["tidegate.db"].since

        assert connect.sync(connection) == apsw.SQLITE_OK
        assert disk.files["tidegate.db"].since == []

        disk.fail(Fault.SYNC, 1)
        assert connect.sync(connection) == apsw.SQLITE_IOERR_FSYNC


def test_a_thread_that_cannot_open_the_file_says_so_and_the_writer_helps(path: Path, monkeypatch):
    monkeypatch.setattr(connections, "LOG_PAGES", 100)

    def refuse(_: Path) -> apsw.Connection:
        raise StoreError("too many open files")

    monkeypatch.setattr(store, "connect_mover", refuse)
    opened = SqliteStore.open(path)
    seen: list[BaseException] = []
    pause = threading.Event()

    def begin(_: str, run: Callable[[], None]) -> None:
        def watched() -> None:
            # As the registry of parts does: see it end, and start it again after a pause.
            while not opened._connections._closed:
                try:
                    run()
                except StoreError as error:
                    seen.append(error)
                    pause.wait(FIRST_PAUSE)

        threads.append(threading.Thread(target=watched, daemon=True))
        threads[0].start()

    threads: list[threading.Thread] = []
    opened.begin(begin)
    launch(opened, 1)
    write(opened, range(2, 1002))

    assert log_of(path) < (connections.BEHIND + 1) * 100 * 4200
    opened.close()
    threads[0].join(LONGEST)
    assert not threads[0].is_alive()
    assert seen


# -- the end --


def test_connections_that_come_back_after_the_end_are_closed(path: Path):
    store = SqliteStore.open(path)
    launch(store, 1)
    with store._connections.reading() as connection:
        store.close()
        assert connection.execute("SELECT count(*) FROM history").get == 1

    with pytest.raises(apsw.ConnectionClosedError):
        connection.execute("SELECT 1")


def test_readers_and_the_end_at_once_leave_no_connection_open(path: Path):
    for _ in range(20):
        store = SqliteStore.open(path)
        launch(store, store.journal.last_key() + 1)
        begin = threading.Barrier(5)

        def read(store: SqliteStore = store, begin: threading.Barrier = begin) -> None:
            begin.wait()
            try:
                while True:
                    store.journal.last_key()
            except StoreError:
                pass

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        begin.wait()
        store.close()
        for thread in threads:
            thread.join(LONGEST)

        open_files = [
            connection for connection in apsw.connections() if str(path) in connection.filename
        ]
        assert open_files == []
