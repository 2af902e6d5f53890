"""
The schema is the sum of its migrations, stores of every earlier schema go on, and each statement uses an index.

`schema.sql` is what the migrations must add up to, and changes with a new one.
`stores/NNNN.sql` is a store as schema NNNN left it, with executions in it that wait; none of them is ever edited. Of one whose name ends
in a letter, the executions have a real history, and `test_upgrade.py` says what must become of it.
"""

import re
from pathlib import Path

import apsw
import pytest

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.errors import StoreError
from tidegate.ports.journal import Batch, HistoryRow, PhaseRow, WaitEnd
from tidegate.ports.listings import ExecutionQuery, WaitQuery
from tidegate.stores import statements
from tidegate.stores.sqlite import SqliteStore
from tidegate.stores.sqlite.connect import DATABASE

HERE = Path(__file__).parent
NOON = 1_800_000_000_000_000
OLD_STORES = sorted((HERE / "stores").glob("[0-9][0-9][0-9][0-9].sql"))

A_LIST = "VIRTUAL TABLE INDEX 1:"
"""A list of numbers, given with the statement."""

MAY_SCAN = {
    # Workflows are few.
    "workflows": ["workflows USING COVERING INDEX sqlite_autoindex_workflows_1"],
    # SQLite would look for orphans to adopt, if it had let any in.
    "add_workflow": ["executions"],
    # Tokens and sessions are few, and all of them are read once.
    "tokens": ["tokens"],
    # What is held is read once.
    "held": ["held"],
    "sessions": ["sessions"],
    "end_expired_sessions": ["sessions"],
    # Some ten rows.
    "counters": ["counters"],
    # A few hundred at most: then they are entered into the index.
    "count_late": ["waits_late"],
    "index_late": ["l"],
    "waits_found": [f"k {A_LIST}", "l", f"k {A_LIST}"],
    # One page of the index.
    "stale_waits_text": ["d"],
    # The search indexes.
    "find_waits_text": ["waits_text VIRTUAL TABLE INDEX 0:M1"],
    "find_executions_text": ["executions_text VIRTUAL TABLE INDEX 0:M1"],
    "sweep_waits_text": ["waits_text VIRTUAL TABLE INDEX 0:="],
    # To check all, or to write it again, is to read all.
    "count_executions": ["executions USING COVERING INDEX executions_by_part"],
    "count_waits": ["waits USING COVERING INDEX waits_by_kind"],
    "forget_stray_waits": ["waits USING INDEX waits_by_series"],
    # What is given with the statement.
    "execution_rows": [f"k {A_LIST}"],
    "executions_found": [f"k {A_LIST}"],
    "wait_rows": [f"n {A_LIST}"],
    "waiting_names": [f"k {A_LIST}"],
    "heads_of_executions": [f"s {A_LIST}", f"p {A_LIST}", "heads"],
    "heads_of_waits": [f"s {A_LIST}", f"p {A_LIST}", "heads"],
    "executions_searched": [f"json_each {A_LIST}"] * 6,
    "waits_searched": [f"json_each {A_LIST}"] * 4,
    # Lists given with the statement, and the few figures of a row.
    "waits_sorted": [f"json_each {A_LIST}"] * 3 + [f"f {A_LIST}", "found"],
    "count_waits_of": [f"s {A_LIST}", f"p {A_LIST}", "(subquery-1)"],
}

READ_ALL = ("problem_", "move_", "compare_", "is_used")
"""How the names of statements begin that check or move a whole store, or ask for what is in it."""

MAY_SORT = {
    # The few of one workflow, of one execution, or that are active.
    "versions",
    "workflows",
    "active",
    "waits_of_execution",
    # Few, and read once.
    "tokens",
    "held",
    "sessions",
    # A page, or what the search index has found.
    "execution_rows",
    "wait_rows",
    "waiting_names",
    "heads_of_executions",
    "heads_of_waits",
    "waits_found",
    "index_late",
    # All that match, up to a limit that the reader checks before.
    "waits_sorted",
    # The projects of a bounded number of lines.
    "usage",
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
    # A virtual table makes tables of its own.
    query = r"SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '%\_text\__%' ESCAPE '\' ORDER BY rowid"
    rows = connection.execute(query)

    assert plain(";".join(text for (text,) in rows)) == plain((HERE / "schema.sql").read_text())


def test_the_file_says_whose_it_is_and_which_schema_it_has(connection):
    assert connection.pragma("application_id").to_bytes(4, "big") == b"Tide"
    assert connection.pragma("user_version") == len(statements.migrations(DATABASE))


def test_each_schema_has_a_store_that_is_kept_for_this_test():
    assert [int(path.stem) for path in OLD_STORES] == [
        m.number for m in statements.migrations(DATABASE)
    ]


# -- old stores --


@pytest.mark.parametrize("dump", OLD_STORES, ids=lambda path: path.stem)
def test_what_waits_in_an_old_store_goes_on(tmp_path: Path, dump: Path):
    path = tmp_path / "tidegate.db"
    revive(dump, path)

    store = SqliteStore.open(path)

    assert store.problems() == []
    assert [(row.id, row.phase) for row in store.listings.executions(ExecutionQuery()).rows] == [
        ("sleeps", Phase.RUNNING),
        ("waits-for-review", Phase.WAITING),
        ("waits-for-title", Phase.WAITING),
        ("ended", Phase.SUCCEEDED),
    ]
    assert store.journal.history(3) == [b"one", b"\x00\xff"]
    assert store.journal.active() == [4]
    assert store.journal.next_due() == NOON + 60
    listed = [row.wait for row in store.listings.waits(WaitQuery(kinds=())).rows]
    assert [(row.key, row.node, row.kind, row.name, row.opened, row.due) for row in listed] == [
        (3, "n2", "approve", "review", NOON + 3, NOON + 90),
        (4, "n0", "sleep", "nap", NOON + 4, NOON + 60),
        (4, "n3", "retry", "fetch", NOON + 5, NOON + 70),
        (2, "n1", "input", "title", NOON + 2, None),
    ]
    found = store.catalog.find_workflow("report")
    assert found is not None
    assert (found.version, found.graph, found.bundle) == ("v2", b"graph two", "b2")
    assert found.recorded == ("c1" if dump.stem >= "0004" else "")
    assert [row.attempt for row in store.journal.held()] == ([1] if dump.stem >= "0005" else [])
    store.journal.append(
        Batch(
            history=[HistoryRow(2, 2, b"answered")],
            phases=[PhaseRow(2, Phase.SUCCEEDED, NOON + 99)],
            ends=[WaitEnd(2, "n1")],
        )
    )
    assert store.journal.history(2) == [b"one", b"answered"]
    store.close()


@pytest.mark.parametrize("dump", OLD_STORES[1:], ids=lambda path: path.stem)
def test_who_could_come_in_still_can_and_who_could_not_still_cannot(tmp_path: Path, dump: Path):
    path = tmp_path / "tidegate.db"
    revive(dump, path)

    store = SqliteStore.open(path)

    assert [(row.name, row.hash, row.revoked) for row in store.access.tokens()] == [
        ("admin", b"\x11", None),
        ("ada", b"\x22", NOON + 50),
    ]
    assert store.access.tokens()[1].grants == (("viewer", "*", "*"), ("approver", "flow", "*"))
    assert [(row.hash, row.name, row.token) for row in store.access.sessions()] == [
        (b"\x33", "admin", "0a1b2c3d"),
        (b"\x44", "ada", "4e5f6a7b"),
    ]
    store.close()


GROW = statements.Migration(
    len(statements.migrations(DATABASE)) + 1,
    "grow",
    "ALTER TABLE executions ADD COLUMN label TEXT; ",
)
BREAK = statements.Migration(
    len(statements.migrations(DATABASE)) + 1,
    "break",
    "ALTER TABLE executions ADD COLUMN label TEXT; DELETE FROM waits; INSERT INTO nowhere VALUES (1)",
)


def test_a_writer_brings_an_older_store_up_to_date_once(tmp_path: Path, monkeypatch):
    path = tmp_path / "tidegate.db"
    revive(OLD_STORES[-1], path)
    newer = (*statements.migrations(DATABASE), GROW)
    monkeypatch.setattr(statements, "migrations", lambda _: newer)

    for _ in range(2):
        store = SqliteStore.open(path)
        assert store.journal.last_key() == 4
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
    newer = (*statements.migrations(DATABASE), GROW)
    monkeypatch.setattr(statements, "migrations", lambda _: newer)

    with pytest.raises(StoreError, match=r"older schema \d+.*run its engine once"):
        SqliteStore.open(path, writer=False)

    other = apsw.Connection(str(path))
    assert other.pragma("user_version") == GROW.number - 1
    other.close()


def test_a_migration_that_fails_leaves_the_old_store_whole(tmp_path: Path, monkeypatch):
    path = tmp_path / "tidegate.db"
    revive(OLD_STORES[-1], path)
    known = statements.migrations(DATABASE)
    monkeypatch.setattr(statements, "migrations", lambda _: (*known, BREAK))
    with pytest.raises(StoreError, match="nowhere"):
        SqliteStore.open(path)

    monkeypatch.setattr(statements, "migrations", lambda _: known)
    store = SqliteStore.open(path)

    assert len(store.listings.waits(WaitQuery(kinds=())).rows) == 4
    assert store.problems() == []
    store.close()


# -- statements --

STATEMENTS = {**statements.shared(), **statements.own(DATABASE)}


def explained(connection, statement: str) -> list[str]:
    numbered = re.findall(r"\?(\d+)", statement)
    named = dict.fromkeys(re.findall(r"[:](\w+)", statement))
    bindings = [None] * max(map(int, numbered)) if numbered else named
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings)]


@pytest.mark.parametrize("name", [n for n in STATEMENTS if not n.startswith(READ_ALL)])
def test_each_statement_looks_up_what_it_needs_and_scans_and_sorts_nothing_large(connection, name):
    plan = explained(connection, STATEMENTS[name])

    scanned = [line.removeprefix("SCAN ") for line in plan if line.startswith("SCAN")]
    assert scanned == MAY_SCAN.get(name, []), plan
    assert any("TEMP B-TREE" in line for line in plan) is (name in MAY_SORT), plan


@pytest.mark.parametrize("name", [n for n in STATEMENTS if n.startswith("problem_")])
def test_each_check_fits_the_schema(connection, name):
    assert explained(connection, STATEMENTS[name])


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("due", "COVERING INDEX waits_by_due"),
        ("next_due", "COVERING INDEX waits_by_due"),
        ("waits", "COVERING INDEX waits_by_kind"),
        ("waits_searched", "INDEX waits_by_kind"),
        ("waits_of_series", "COVERING INDEX waits_by_series"),
        ("waits_of_series_searched", "INDEX waits_by_series"),
        ("heads_of_waits", "COVERING INDEX waits_by_series"),
        ("waits_of_execution", "PRIMARY KEY"),
        ("history", "history_by_key"),
        ("recorded", "history_by_key"),
        ("active", "COVERING INDEX executions_by_part"),
        ("find", "sqlite_autoindex_executions_1"),
        ("executions", "INTEGER PRIMARY KEY"),
        ("executions_searched", "INTEGER PRIMARY KEY"),
        ("executions_of_series", "executions_by_part"),
        ("executions_of_series_searched", "executions_by_part"),
        ("heads_of_executions", "executions_by_part"),
        ("launched_between", "executions_by_launch"),
        ("keys_launched_between", "COVERING INDEX executions_by_launch"),
        ("changes_of", "history_by_key"),
    ],
)
def test_a_statement_that_must_be_fast_uses_its_index(connection, name, index):
    plan = explained(connection, STATEMENTS[name])

    assert any(line.startswith("SEARCH") and index in line for line in plan), plan


def test_each_statement_has_a_use():
    code = "".join(p.read_text() for p in Path(statements.__file__).parent.rglob("*.py"))

    def used(name: str) -> bool:
        # Some names are put together: of what a list is called, and of what is done with it.
        parts = (
            "_searched",
            "_of_series",
            "heads_of_",
            "index_",
            "merge_",
            "tidy_",
            "find_",
            "forget_",
            "move_",
            "take_",
            "compare_",
        )
        return f'"{name}"' in code or any(part in name for part in parts)

    assert [name for name in STATEMENTS if not used(name) and not name.startswith("problem_")] == []
