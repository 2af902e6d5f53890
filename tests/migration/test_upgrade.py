"""
Lists are written again from the history: when a store of an earlier version is opened, and when an operator asks for it.

`stores/0002b.sql` was made by a Tidegate of schema 2: its executions wait for answers, approvals and time, and their history is real.
"""

import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.core.waits import Preview
from tidegate.errors import StoreError
from tidegate.ports.journal import Batch, Counts, HistoryRow, Key, WaitRow
from tidegate.ports.listings import ExecutionQuery, ListedWait, Narrowing, WaitQuery
from tidegate.ports.store import Store
from tidegate.stores import arms, rebuild
from tidegate.stores.sqlite import SqliteStore

STORES = Path(__file__).parent / "stores"
IN_THE_INBOX = [
    ("shown-1", "how many"),
    ("shown-2", "how many"),
    ("review-1", "review"),
    ("ask-1", "title"),
    *(("fan-1", f"item {i}") for i in range(11)),
    ("outer-1", "inner"),
    ("fan-2", "item 0"),
]
"""The soonest due first, then as they opened, names as people count."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tidegate.db"
    revive("0002b", path)
    return path


def revive(name: str, path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute((STORES / f"{name}.sql").read_text()).fetchall()
    connection.close()


def change(path: Path, *statements: str) -> None:
    """Change a store from outside."""
    connection = apsw.Connection(str(path))
    for statement in statements:
        connection.execute(statement).fetchall()
    connection.close()


def inbox(store: Store, text: str = "") -> list[ListedWait]:
    return store.listings.waits(WaitQuery(Narrowing(text=text), limit=1000)).rows


def names(rows: list[ListedWait]) -> list[tuple[str, str]]:
    return [(row.wait.execution, row.wait.name) for row in rows]


def lists(store: Store) -> tuple[object, ...]:
    """Return all that lists show."""
    waits = store.listings.waits(WaitQuery(kinds=(), limit=1000)).rows
    # A mark says where a row is; that may change.
    return (
        [(row.wait, row.workflow, row.damaged) for row in waits],
        store.listings.executions(ExecutionQuery(limit=1000)).rows,
        store.listings.counts(),
        names(inbox(store, "ITEM 1")),
        names(inbox(store, "an-1")),
    )


# -- a store of an earlier version --


def test_everything_that_waits_in_an_old_store_is_in_the_inbox(path: Path):
    store = SqliteStore.open(path)

    assert names(inbox(store)) == IN_THE_INBOX
    assert not any(row.damaged for row in inbox(store))
    assert store.problems() == []
    assert store.listings.counts() == Counts(
        {Phase.WAITING: 8, Phase.SUCCEEDED: 1, Phase.FAILED: 1, Phase.ABORTED: 1},
        {"input": 16, "approve": 1, "sleep": 1},
    )
    store.close()


def test_what_stands_beside_a_question_of_an_old_store_is_shown(path: Path):
    store = SqliteStore.open(path)
    rows = {(row.wait.execution, row.wait.name): row.wait for row in inbox(store)}

    small, large = rows["shown-1", "how many"].shown, rows["shown-2", "how many"].shown
    assert (small.show, small.suggested) == ({"numbers": [0, 1, 2, 3, 4], "n": 5}, 5)
    assert (large.show, large.suggested) == ({"n": 2000}, 2000)
    preview = large.preview["show.numbers"]
    assert preview.text.startswith("[0,1,2,3,")
    assert preview == Preview(preview.text, 8891)
    review = rows["review-1", "review"]
    assert review.shown.value == {"title": "Quarter", "total": 12.5, "items": ["one", "two"]}
    assert rows["outer-1", "inner"].path == "inner"
    assert rows["fan-1", "item 3"].shown.gate is not None
    store.close()


def test_an_old_store_is_searched_as_a_new_one(path: Path):
    store = SqliteStore.open(path)

    assert names(inbox(store, "ITEM 1")) == [("fan-1", "item 1"), ("fan-1", "item 10")]
    assert names(inbox(store, "shown-")) == IN_THE_INBOX[:2]
    assert names(inbox(store, "review_")) == [("review-1", "review")]
    found = store.listings.executions(
        ExecutionQuery(Narrowing(text="-1"), phases=(Phase.FAILED,))
    ).rows
    assert [row.id for row in found] == ["rejected-1"]
    store.close()


def test_who_opens_an_old_store_hears_how_far_it_is(path: Path, monkeypatch):
    monkeypatch.setattr(rebuild, "PAGE", 3)
    heard: list[tuple[int, int]] = []

    SqliteStore.open(path, progress=lambda done, of: heard.append((done, of))).close()
    # Eight that wait or run, and two that did not end well.
    assert heard == [(0, 10), (3, 10), (6, 10), (9, 10), (10, 10)]

    heard.clear()
    SqliteStore.open(path, progress=lambda done, of: heard.append((done, of))).close()
    assert heard == []


def test_the_older_version_refuses_a_store_that_was_brought_up_to_date(path: Path):
    SqliteStore.open(path).close()

    connection = apsw.Connection(str(path))
    # A version refuses what has a higher number than it knows; see `StoreTooNew`.
    assert connection.pragma("user_version") > 2
    connection.close()


KILLED = """
import sys
from tidegate.stores import arms
from tidegate.stores import rebuild
from tidegate.stores.sqlite import SqliteStore

rebuild.PAGE = 1

def wait(done, of):
    if done == int(sys.argv[2]):
        print(done, of, flush=True)
        sys.stdin.read()

SqliteStore.open(sys.argv[1], progress=wait)
"""


def kill_after(path: Path, done: int) -> None:
    """Open a store in another process, which is killed when it has come so far."""
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path), str(done)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline().startswith(f"{done} ")
    child.kill()
    child.communicate()


def test_after_a_kill_it_goes_on_where_it_was(path: Path, monkeypatch):
    kill_after(path, 3)
    kill_after(path, 2)
    monkeypatch.setattr(rebuild, "PAGE", 1)
    heard: list[int] = []

    store = SqliteStore.open(path, progress=lambda done, of: heard.append(of))

    # Not from the beginning: five of ten were done.
    assert heard[0] in (5, 6)
    assert names(inbox(store)) == IN_THE_INBOX
    assert store.problems() == []
    store.close()


def test_who_only_reads_is_told_to_wait_while_lists_are_written(path: Path):
    kill_after(path, 3)

    with pytest.raises(StoreError, match=r"being rebuilt.*run its engine once") as caught:
        SqliteStore.open(path, writer=False)
    assert "\n" not in caught.value.message

    SqliteStore.open(path).close()
    SqliteStore.open(path, writer=False).close()


# -- damage --

DAMAGE = {
    "a changed letter": "UPDATE history SET body = CAST(substr(body, 1, length(body) - 1) || x'00' AS BLOB) WHERE key = 2",
    "no line": "DELETE FROM history WHERE key = 2",
    "no first line": "DELETE FROM history WHERE key = 2 AND seq = 1",
    "an empty line": "UPDATE history SET body = x'' WHERE key = 2",
    "a line twice": "UPDATE history SET body = (SELECT body FROM history WHERE key = 2 AND seq = 1) WHERE key = 2 AND seq = 2",
    "a graph": "UPDATE graphs SET body = substr(body, 1, 20) WHERE id = (SELECT w.graph FROM workflows AS w JOIN executions AS e ON e.workflow = w.id WHERE e.key = 2)",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_execution_stays_listed_as_it_was_and_all_others_are_whole(
    path: Path, damage, caplog
):
    change(path, damage)

    store = SqliteStore.open(path)

    assert names(inbox(store)) == IN_THE_INBOX
    damaged = {row.wait.execution: row.damaged for row in inbox(store) if row.damaged}
    assert list(damaged) == ["review-1"]
    assert "its history cannot be read" in damaged["review-1"]
    assert "\n" not in damaged["review-1"]
    assert "review-1" in caplog.text
    assert names(inbox(store, "review")) == [("review-1", "review")]
    store.close()


def test_histories_that_never_could_be_read_are_listed_in_order(tmp_path: Path):
    path = tmp_path / "old.db"
    revive("0002", path)

    store = SqliteStore.open(path)
    rows = store.listings.waits(WaitQuery(kinds=())).rows

    assert [row.wait.name for row in rows] == ["review", "nap", "fetch", "title"]
    assert all("cannot be read" in row.damaged for row in rows)
    store.close()


# -- on demand --

TAMPERED = {
    "a wait is missing": "DELETE FROM waits WHERE key = 2",
    "all waits are missing": "DELETE FROM waits",
    "a wait too many": "INSERT INTO waits SELECT 5, 'n9', kind, order_key, series, name, path, opened, due, handle, form, digest, title_key, figures, search, body FROM waits WHERE key = 2",
    "a wait of nobody": "UPDATE waits SET key = 77 WHERE key = 2",
    "a wait of one that has ended": "UPDATE waits SET key = 8 WHERE key = 2",
    "another name": "UPDATE waits SET name = 'x', search = 'x' WHERE key = 6",
    "another order": "UPDATE waits SET order_key = x'01' WHERE key = 6 AND node LIKE '%n3'",
    "what is shown": "UPDATE waits SET body = x'c1' WHERE key = 3",
    "a phase": "UPDATE executions SET phase = 1 WHERE key = 2",
    "a phase at the end": "UPDATE executions SET phase = 4 WHERE key = 8",
    "a phase of one that waits": "UPDATE executions SET phase = 3 WHERE key = 3",
    "counters": "UPDATE counters SET value = value + 3",
    "no counters": "DELETE FROM counters",
    "an index of texts": "INSERT INTO waits_text (waits_text) VALUES ('delete-all')",
    "an index of ids": "INSERT INTO executions_text (executions_text) VALUES ('delete-all')",
}


@pytest.mark.parametrize("tampering", TAMPERED.values(), ids=TAMPERED)
def test_lists_that_differ_from_the_history_are_corrected(path: Path, tampering, monkeypatch):
    monkeypatch.setattr(arms, "GLANCE", 1)
    store = SqliteStore.open(path)
    before = lists(store)
    store.close()
    change(path, tampering)
    store = SqliteStore.open(path)
    assert lists(store) != before

    heard: list[tuple[int, int]] = []
    store.rebuild(lambda done, of: heard.append((done, of)))

    assert lists(store) == before
    assert heard[-1] == (11, 11)
    assert store.problems() == []
    store.close()


def test_after_lists_are_written_again_the_store_goes_on(path: Path):
    store = SqliteStore.open(path)
    row = store.journal.find("ask-1")
    assert row is not None
    another = WaitRow(
        row.key, "n7", "input", "another", 9, None, "another", row.id, row.series
    )  # fmt: skip
    again = WaitRow(Key(6), "n8", "input", "later", 9, None, "later", "fan-1", row.series)
    store.journal.append(Batch(waits=[another], counts=Counts(waits={"input": 1})))

    store.rebuild(lambda *_: None)
    assert names(inbox(store)) == IN_THE_INBOX
    last = store.journal.last_seq(row.key)
    line = HistoryRow(row.key, last + 1, b"x")
    store.journal.append(Batch(history=[line], waits=[again], counts=Counts(waits={"input": 1})))

    assert names(inbox(store, "later")) == [("fan-1", "later")]
    assert store.listings.counts().waits["input"] == 17
    store.close()


def test_what_was_begun_for_all_executions_goes_on_for_all_after_a_kill(path: Path, monkeypatch):
    store = SqliteStore.open(path)
    before = lists(store)
    store.close()
    change(path, "UPDATE executions SET phase = 4 WHERE key = 8")
    store = SqliteStore.open(path)
    monkeypatch.setattr(rebuild, "PAGE", 1)

    class Killed(BaseException):
        """The process ends here."""

    def die(done: int, of: int) -> None:
        if done == 4:
            raise Killed

    with pytest.raises(Killed):
        store.rebuild(die)
    store.close()
    heard: list[tuple[int, int]] = []

    store = SqliteStore.open(path, progress=lambda done, of: heard.append((done, of)))

    assert heard[0] == (0, 7)
    assert lists(store) == before
    store.close()
