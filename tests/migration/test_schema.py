"""
The schema is the sum of its migrations, stores of every earlier schema go on, and each statement uses an index.

`schema.sql` is what the migrations must add up to, and changes with a new one.
`stores/NNNN.sql` is a store as schema NNNN left it, with executions in it that wait; none of them is ever edited.
"""

import re
from pathlib import Path

import apsw
import pytest

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.errors import StoreError
from tidegate.ports.journal import Batch, HistoryRow, PhaseRow, WaitEnd, WaitRow
from tidegate.ports.listings import ExecutionQuery, WaitQuery
from tidegate.stores import sql
from tidegate.stores.sqlite import SqliteStore

HERE = Path(__file__).parent
NOON = 1_800_000_000_000_000
OLD_STORES = sorted((HERE / "stores").glob("*.sql"))

MAY_SCAN = {
    # Workflows are few.
    "executions": [
        "SCAN workflows USING COVERING INDEX sqlite_autoindex_workflows_1",
        "SCAN p VIRTUAL TABLE INDEX 1:",
    ],
    "workflows": ["SCAN workflows USING COVERING INDEX sqlite_autoindex_workflows_1"],
    # The index holds the active ones and no others.
    "active": ["SCAN executions USING INDEX executions_active"],
    # SQLite would look for orphans to adopt, if it had let any in.
    "add_workflow": ["SCAN executions"],
    # The grants of a token are few.
    "waits_where": ["SCAN p VIRTUAL TABLE INDEX 1:"] * 4,
    # To count all is to read all.
    "count_executions": ["SCAN executions"],
    "count_waits": ["SCAN waits USING COVERING INDEX waits_by_due"],
    # Tokens and logins are few, and all of them are read once.
    "tokens": ["SCAN tokens"],
    "logins": ["SCAN logins"],
}


def revive(dump: Path, path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(dump.read_text()).fetchall()
    connection.close()


@pytest.fixture
def connection():
    connection = apsw.Connection(":memory:")
    SqliteStore.alone(connection, "memory")
    return connection


def plain(text: str) -> list[str]:
    """Statements without comments and spacing."""
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [" ".join(s.split()) for s in "\n".join(lines).split(";") if s.strip()]


# -- the sum --


def test_the_schema_is_the_sum_of_its_migrations(connection):
    rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")

    assert plain(";".join(text for (text,) in rows)) == plain((HERE / "schema.sql").read_text())


def test_the_file_says_whose_it_is_and_which_schema_it_has(connection):
    assert connection.pragma("application_id").to_bytes(4, "big") == b"Tide"
    assert connection.pragma("user_version") == len(sql.migrations())


def test_each_schema_has_a_store_that_is_kept_for_this_test():
    assert [int(path.stem) for path in OLD_STORES] == [m.number for m in sql.migrations()]


# -- old stores --


@pytest.mark.parametrize("dump", OLD_STORES, ids=lambda path: path.stem)
def test_what_waits_in_an_old_store_goes_on(tmp_path: Path, dump: Path):
    path = tmp_path / "tidegate.db"
    revive(dump, path)

    store = SqliteStore.open(path)

    assert store.problems() == []
    assert [(row.id, row.phase) for row in store.executions(ExecutionQuery())] == [
        ("sleeps", Phase.RUNNING),
        ("waits-for-review", Phase.WAITING),
        ("waits-for-title", Phase.WAITING),
        ("ended", Phase.SUCCEEDED),
    ]
    assert store.history(3) == [b"one", b"\x00\xff"]
    assert store.active() == [4]
    assert store.next_due() == NOON + 60
    assert store.waits(WaitQuery(kinds=())) == [
        WaitRow(4, "n0", "sleep", "nap", NOON + 4, NOON + 60),
        WaitRow(4, "n3", "retry", "fetch", NOON + 5, NOON + 70),
        WaitRow(3, "n2", "approve", "review", NOON + 3, NOON + 90),
        WaitRow(2, "n1", "input", "title", NOON + 2, None),
    ]
    found = store.find_workflow("report")
    assert found is not None
    assert (found.version, found.graph, found.bundle) == ("v2", b"graph two", "b2")
    store.commit(
        Batch(
            history=[HistoryRow(2, 2, b"answered")],
            phases=[PhaseRow(2, Phase.SUCCEEDED, NOON + 99)],
            ends=[WaitEnd(2, "n1")],
        )
    )
    assert store.history(2) == [b"one", b"answered"]
    store.close()


@pytest.mark.parametrize("dump", OLD_STORES[1:], ids=lambda path: path.stem)
def test_who_could_come_in_still_can_and_who_could_not_still_cannot(tmp_path: Path, dump: Path):
    path = tmp_path / "tidegate.db"
    revive(dump, path)

    store = SqliteStore.open(path)

    assert [(row.name, row.hash, row.revoked) for row in store.tokens()] == [
        ("admin", b"\x11", None),
        ("ada", b"\x22", NOON + 50),
    ]
    assert store.tokens()[1].grants == (("viewer", "*", "*"), ("approver", "flow", "*"))
    assert [(row.hash, row.token) for row in store.logins()] == [
        (b"\x33", "0a1b2c3d"),
        (b"\x44", "4e5f6a7b"),
    ]
    store.close()


GROW = sql.Migration(
    len(sql.migrations()) + 1, "grow", "ALTER TABLE executions ADD COLUMN label TEXT; "
)
BREAK = sql.Migration(
    len(sql.migrations()) + 1,
    "break",
    "ALTER TABLE executions ADD COLUMN label TEXT; DELETE FROM waits; INSERT INTO nowhere VALUES (1)",
)


def test_a_writer_brings_an_older_store_up_to_date_once(tmp_path: Path, monkeypatch):
    path = tmp_path / "tidegate.db"
    revive(OLD_STORES[-1], path)
    newer = (*sql.migrations(), GROW)
    monkeypatch.setattr(sql, "migrations", lambda: newer)

    for _ in range(2):
        store = SqliteStore.open(path)
        assert store.last_key() == 4
        store.close()

    other = apsw.Connection(str(path))
    assert other.pragma("user_version") == GROW.number
    assert "label" in other.execute("SELECT sql FROM sqlite_schema WHERE name = 'executions'").get
    other.close()


def test_who_only_reads_does_not_change_an_older_store_and_says_what_to_do(
    tmp_path: Path, monkeypatch
):
    path = tmp_path / "tidegate.db"
    revive(OLD_STORES[-1], path)
    newer = (*sql.migrations(), GROW)
    monkeypatch.setattr(sql, "migrations", lambda: newer)

    with pytest.raises(StoreError, match=r"older schema \d+.*run its engine once"):
        SqliteStore.open(path, writer=False)

    other = apsw.Connection(str(path))
    assert other.pragma("user_version") == GROW.number - 1
    other.close()


def test_a_migration_that_fails_leaves_the_old_store_whole(tmp_path: Path, monkeypatch):
    path = tmp_path / "tidegate.db"
    revive(OLD_STORES[-1], path)
    known = sql.migrations()
    monkeypatch.setattr(sql, "migrations", lambda: (*known, BREAK))
    with pytest.raises(StoreError, match="nowhere"):
        SqliteStore.open(path)

    monkeypatch.setattr(sql, "migrations", lambda: known)
    store = SqliteStore.open(path)

    assert len(store.waits(WaitQuery(kinds=()))) == 4
    assert store.problems() == []
    store.close()


# -- statements --


def explained(connection, statement: str) -> list[str]:
    numbered = re.findall(r"\?(\d+)", statement)
    named = dict.fromkeys(re.findall(r"[:](\w+)", statement))
    bindings = [None] * max(map(int, numbered)) if numbered else named
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings)]


@pytest.mark.parametrize("name", sql.queries())
def test_each_statement_fits_the_schema_and_looks_up_what_it_needs(connection, name):
    plan = explained(connection, sql.queries()[name])

    if not name.startswith("problem_"):
        assert [s for s in plan if s.startswith("SCAN")] == MAY_SCAN.get(name, []), plan


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("due", "waits_by_due"),
        ("next_due", "waits_by_due"),
        ("waits", "waits_by_due"),
        ("waits_where", "waits_by_due"),
        ("waits_of", "PRIMARY KEY"),
        ("history", "history_by_key"),
        ("active", "executions_active"),
        ("find", "sqlite_autoindex_executions_1"),
        ("executions", "INTEGER PRIMARY KEY"),
    ],
)
def test_a_statement_that_must_be_fast_uses_its_index_and_sorts_nothing(connection, name, index):
    plan = explained(connection, sql.queries()[name])

    assert any(index in line for line in plan), plan
    # The few waits of one execution are sorted.
    assert name == "waits_of" or not any("TEMP B-TREE" in line for line in plan), plan


def test_each_statement_has_a_use():
    code = "".join(p.read_text() for p in Path(sql.__file__).parent.glob("*.py"))

    unused = [n for n in sql.queries() if f'"{n}"' not in code and not n.startswith("problem_")]
    assert unused == []


def test_a_statement_of_a_file_is_found_by_its_name_without_its_comments():
    text = "-- A file.\n\n-- name: one\n-- why\nSELECT 1;\n\n-- name: two\nSELECT\n    2;\n"

    assert sql.parse(text) == {"one": "SELECT 1", "two": "SELECT\n    2"}
