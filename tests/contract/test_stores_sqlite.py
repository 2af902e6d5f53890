"""The SQLite store keeps the promises of a store, and those that only files can break."""

import os
import resource
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest
from tests.contract.access_contract import AccessContract
from tests.contract.audit_contract import AuditContract, line
from tests.contract.catalog_contract import CatalogContract
from tests.contract.changes_contract import ChangesContract
from tests.contract.journal_contract import JournalContract
from tests.contract.keys_contract import KeysContract
from tests.contract.listings_contract import ListingsContract
from tests.contract.search_contract import SearchContract
from tests.contract.sorting_contract import SortingContract
from tests.contract.store_rows import NOON, launch, open_waits, wait, waits, workflow

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.errors import StoreDamaged, StoreError, StoreFull, StoreLocked, StoreTooNew
from tidegate.ports.journal import Batch, HistoryRow, LaunchRow, PhaseRow
from tidegate.ports.listings import ExecutionQuery
from tidegate.ports.store import Store
from tidegate.stores import arms, listings
from tidegate.stores.sqlite import SqliteStore, search


class StoreContract(
    JournalContract,
    KeysContract,
    ListingsContract,
    SearchContract,
    SortingContract,
    CatalogContract,
    AccessContract,
    AuditContract,
    ChangesContract,
):
    """All ports of a store."""

    @pytest.fixture
    def small_search(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Make the limits of a search so small that each of its ways is taken."""

        def limit(pending=40, candidates=60, glance=15, arms_=6, sweep=20, examined=10_000) -> None:
            monkeypatch.setattr(search, "PENDING", pending)
            monkeypatch.setattr(search, "CANDIDATES", candidates)
            monkeypatch.setattr(search, "SWEEP", sweep)
            monkeypatch.setattr(arms, "GLANCE", glance)
            monkeypatch.setattr(arms, "MAX_ARMS", arms_)
            monkeypatch.setattr(arms, "EXAMINED", examined)

        return limit

    @pytest.fixture
    def spans(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
        """Say how many executions of a span of time are read at once."""
        return lambda limit: monkeypatch.setattr(listings, "SPAN", limit)


class TestFile(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = SqliteStore.open(tmp_path / "tidegate.db")
        yield store
        store.close()


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        store = SqliteStore.memory()
        yield store
        store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "tidegate.db"


def in_another_process(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


HOLD = """
import sys
import tempfile
from tidegate.stores.sqlite import SqliteStore
store = SqliteStore.open(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


# -- files --


def test_what_was_committed_is_there_when_the_store_is_opened_again(path: Path):
    store = SqliteStore.open(path)
    launch(store, 1)
    open_waits(store, wait(1, due=NOON))
    store.close()

    store = SqliteStore.open(path)

    assert store.journal.history(1) == [b"launched"]
    assert waits(store) == [wait(1, due=NOON)]
    assert store.journal.last_key() == 1
    store.close()


def test_nobody_else_may_look_into_the_files(path: Path):
    before = os.umask(0)
    try:
        store = SqliteStore.open(path)
        launch(store, 1)
        modes = {
            p.name: stat.S_IMODE(p.stat().st_mode) for p in [path.parent, *path.parent.iterdir()]
        }
        store.close()
    finally:
        os.umask(before)

    assert modes == {
        "home": 0o700,
        "tidegate.db": 0o600,
        "tidegate.db-wal": 0o600,
        "tidegate.db-shm": 0o600,
        "engine.lock": 0o600,
        "reserve": 0o600,
    }


def test_a_closed_store_leaves_no_log_behind_and_refuses_what_follows(path: Path):
    store = SqliteStore.open(path)
    launch(store, 1)

    store.close()
    store.close()

    assert {p.name for p in path.parent.iterdir()} == {"tidegate.db", "engine.lock", "reserve"}
    with pytest.raises(StoreError, match="closed"):
        store.journal.last_key()
    with pytest.raises(StoreError, match="closed"):
        store.journal.append(Batch(phases=[PhaseRow(1, Phase.RUNNING, NOON)]))


@pytest.mark.parametrize("replaced", [False, True])
def test_nothing_is_acknowledged_into_a_file_that_was_removed_or_replaced(
    path: Path, *, replaced: bool
):
    store = SqliteStore.open(path)
    launch(store, 1)
    kept = path.rename(path.with_suffix(".kept"))
    if replaced:
        path.touch()

    with pytest.raises(StoreError, match="removed or replaced"):
        launch(store, 2)

    kept.replace(path)
    launch(store, 3)
    store.close()


# -- one engine --


def test_a_second_engine_is_refused_and_told_which_process_runs_the_first(path: Path):
    store = SqliteStore.open(path)

    with pytest.raises(StoreLocked, match=rf"process {os.getpid()}\b") as caught:
        SqliteStore.open(path)

    assert caught.value.details["pid"] == os.getpid()
    store.close()
    SqliteStore.open(path).close()


def test_the_lock_of_an_engine_that_was_killed_is_free(path: Path):
    other = in_another_process(HOLD, path)
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    with pytest.raises(StoreLocked, match=str(other.pid)):
        SqliteStore.open(path)

    other.kill()
    other.communicate()

    SqliteStore.open(path).close()


def test_others_read_while_an_engine_writes(path: Path):
    store = SqliteStore.open(path)
    reader = None
    try:
        launch(store, 1)
        reader = SqliteStore.open(path, writer=False)
        assert [row.id for row in reader.listings.executions(ExecutionQuery()).rows] == ["e1"]
        launch(store, 2)
        assert reader.journal.last_key() == 2
        with pytest.raises(StoreError, match="opened for reading"):
            reader.journal.append(Batch(launches=[LaunchRow(3, "e3", 1, NOON)]))
        with pytest.raises(StoreError, match="opened for reading"):
            reader.catalog.put_workflow(workflow())
    finally:
        if reader is not None:
            reader.close()
        store.close()


def test_a_reader_sees_what_a_killed_engine_had_acknowledged(path: Path):
    code = HOLD.replace(
        'print("open"',
        "from tests.contract.store_rows import launch\nlaunch(store, 1)\nprint('open'",
    )
    other = in_another_process(code, path)
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    other.kill()
    other.communicate()

    reader = SqliteStore.open(path, writer=False)

    assert reader.journal.history(1) == [b"launched"]
    reader.close()


def test_a_reader_makes_nothing(path: Path):
    with pytest.raises(StoreError, match="there is no store at"):
        SqliteStore.open(path, writer=False)

    assert not path.parent.exists()


# -- what is not a store --


def test_a_file_that_is_not_a_database_is_refused_and_left_alone(path: Path):
    path.parent.mkdir()
    path.write_text("Dear diary, " * 1000)

    for writer in (True, False):
        with pytest.raises(StoreDamaged, match=r"tidegate\.db is not a Tidegate store"):
            SqliteStore.open(path, writer=writer)

    assert path.read_text() == "Dear diary, " * 1000


def test_the_database_of_another_program_is_refused_and_left_alone(path: Path):
    path.parent.mkdir()
    with apsw.Connection(str(path)) as other:
        other.execute("CREATE TABLE songs (name TEXT)")
    other.close()
    before = path.read_bytes()

    with pytest.raises(StoreDamaged, match="another program"):
        SqliteStore.open(path)

    assert path.read_bytes() == before


def test_the_store_of_a_newer_tidegate_is_refused_and_left_alone(path: Path):
    SqliteStore.open(path).close()
    other = apsw.Connection(str(path))
    other.execute("PRAGMA user_version = 999")
    other.close()
    before = path.read_bytes()

    for writer in (True, False):
        with pytest.raises(StoreTooNew, match=r"schema is 999, this one knows \d+.*install"):
            SqliteStore.open(path, writer=writer)

    assert path.read_bytes() == before


def test_a_directory_in_place_of_the_file_is_refused(path: Path):
    path.mkdir(parents=True)

    for writer in (True, False):
        with pytest.raises(StoreError, match="is a directory"):
            SqliteStore.open(path, writer=writer)


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path):
    (tmp_path / "home").write_text("")

    with pytest.raises(StoreError, match="home"):
        SqliteStore.open(tmp_path / "home" / "tidegate.db")


def test_a_failed_open_lets_go_of_the_lock(path: Path):
    path.parent.mkdir()
    path.write_text("Dear diary, " * 1000)
    with pytest.raises(StoreDamaged):
        SqliteStore.open(path)
    path.unlink()

    SqliteStore.open(path).close()


@pytest.fixture
def nobody() -> Iterator[None]:
    """Root may do everything, so it steps down for a test of what one may not do."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.fixture
def anyones() -> Iterator[Path]:
    # Not below `tmp_path`: how many directories lie above that, and closed to others, depends on how the tests are run.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        path = Path(place)
        path.chmod(0o777)
        yield path


@pytest.mark.parametrize(
    ("what", "mode", "writer"),
    [
        ("tidegate.db", 0o000, True),
        ("tidegate.db", 0o000, False),
        ("tidegate.db", 0o400, True),
        ("engine.lock", 0o000, True),
        (".", 0o000, True),
        (".", 0o000, False),
    ],
)
def test_what_one_may_not_touch_is_said_in_a_line(anyones: Path, nobody, what, mode, writer):
    home = anyones / "home"
    SqliteStore.open(home / "tidegate.db").close()
    (home / what).chmod(mode)

    try:
        with pytest.raises(
            StoreError, match=r"cannot .*home.*(permission denied|read-only)"
        ) as caught:
            SqliteStore.open(home / "tidegate.db", writer=writer)
        assert "\n" not in caught.value.message
    finally:
        home.chmod(0o700)


# -- no room --


def test_when_there_is_no_room_nothing_is_lost_reading_goes_on_and_room_is_used_again(path: Path):
    store = SqliteStore.open(path)
    launch(store, 1)
    stored, rows = 1, [HistoryRow(1, 2, b"")]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # For the process the disk ends there: the system refuses to make any file longer.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        with pytest.raises(StoreFull, match=r"tidegate\.db.*free some"):
            while stored < 10_000:
                rows = [HistoryRow(1, stored + i + 1, bytes(999)) for i in range(10)]
                store.journal.append(Batch(history=rows))
                stored += 10
        assert len(store.journal.history(1)) == stored
        with pytest.raises(StoreFull):
            store.catalog.put_workflow(workflow("big", graph=bytes(1_000_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    store.journal.append(Batch(history=rows))

    assert len(store.journal.history(1)) == stored + 10 > 100
    assert store.problems() == []
    store.close()


def test_a_store_that_found_no_room_to_begin_begins_when_there_is_some(path: Path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(StoreFull, match="free some"):
            SqliteStore.open(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    store = SqliteStore.open(path)
    launch(store, 1)
    assert store.problems() == []
    store.close()


# -- damage --


def pages_of(path: Path, table: str) -> list[int]:
    """Return the pages of a table, numbered from 0."""
    connection = apsw.Connection(str(path))
    query = "SELECT pageno - 1 FROM dbstat WHERE name = ? AND pagetype = 'leaf'"
    pages = [page for (page,) in connection.execute(query, (table,))]
    connection.close()
    assert len(pages) > 5
    return pages


def test_damage_in_the_file_is_found(path: Path):
    store = SqliteStore.open(path)
    launch(store, *range(1, 2000))
    store.close()
    whole = bytearray(path.read_bytes())
    for page in pages_of(path, "history")[::5]:
        whole[page * 4096 : page * 4096 + 40] = bytes(40)
    path.write_bytes(whole)

    store = SqliteStore.open(path)

    assert any("damaged" in line for line in store.problems())
    store.close()


def test_a_page_that_cannot_be_read_is_said_to_be_damaged_and_others_are_read(path: Path):
    store = SqliteStore.open(path)
    launch(store, *range(1, 2000))
    store.close()
    whole = bytearray(path.read_bytes())
    for page in pages_of(path, "executions")[3:]:
        whole[page * 4096 : (page + 1) * 4096] = os.urandom(4096)
    path.write_bytes(whole)

    store = SqliteStore.open(path)

    assert store.journal.find("e1") is not None
    with pytest.raises(StoreDamaged, match="restore"):
        store.journal.find("e1999")
    store.close()


@pytest.mark.parametrize("wish", ["UPDATE audit SET who = 'bob'", "DELETE FROM audit"])
def test_the_audit_log_is_only_appended_to_by_the_database_itself(tmp_path: Path, wish: str):
    path = tmp_path / "tidegate.db"
    store = SqliteStore.open(path)
    store.audit.record([line(1)])
    store.close()

    connection = apsw.Connection(str(path))
    with pytest.raises(apsw.ConstraintError, match="append-only"):
        connection.execute(wish)
    connection.close()
