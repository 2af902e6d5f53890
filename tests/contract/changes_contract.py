"""What every store promises of changes: everybody's history in the order of commits, after a cursor, and who is told. Used as `JournalContract` is."""

import pytest
from tests.contract.store_rows import launch

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.errors import InvalidValue
from tidegate.ports.changes import ChangeRow
from tidegate.ports.journal import Batch, HistoryRow, Key, Series
from tidegate.ports.store import Store

NOT_CURSORS = [
    "", " ", "x", "-1", "+1", "1.0", "1e3", "0x1", "1 ", "\n1", "½", "²", "٣", "\uff11", "None", "9" * 400, "1,2", "\x00", "1_000",
]  # fmt: skip


def read(store: Store, cursor=None, key=None, size=3) -> list[ChangeRow]:
    """Read everything after a cursor, or from the beginning, page by page."""
    cursor = store.changes.resume("0") if cursor is None else cursor
    found: list[ChangeRow] = []
    while page := store.changes.after(cursor, size, key):
        assert len(page) <= size
        found += page
        cursor = page[-1].cursor
    return found


class ChangesContract:
    """The promises. `store` is a fixture of the subclass, and `beyond` are cursors of a store with more lines."""

    beyond: tuple[str, ...] = ("99", "9" * 18)

    def test_changes_hold_everybodys_history_in_the_order_of_commits(self, store: Store):
        launch(store, 1, 2, series=Series("p", "d", "report"))
        store.journal.append(Batch(history=[HistoryRow(2, 2, b"b"), HistoryRow(1, 2, b"a")]))

        rows = read(store)

        # Of one commit the executions come in any order.
        found = [(row.id, row.key, row.seq, row.body) for row in rows]
        assert sorted(found[:2]) == [("e1", 1, 1, b"launched"), ("e2", 2, 1, b"launched")]
        assert sorted(found[2:]) == [("e1", 1, 2, b"a"), ("e2", 2, 2, b"b")]
        assert {(row.workflow_name, row.project, row.domain) for row in rows} == {
            ("report", "p", "d")
        }
        assert store.changes.latest() == rows[-1].cursor

    @pytest.mark.parametrize("size", [1, 2, 100])
    def test_what_lines_add_is_told_by_project_and_each_line_once(self, store: Store, size):
        launch(store, 1, 2, series=Series("p", "d", "report"))
        launch(store, 3, series=Series("q", "d", "report"))
        store.journal.append(Batch(history=[HistoryRow(2, 2, b"12345")]))
        used: dict[str, tuple[int, int]] = {}
        cursor = store.changes.resume("0")

        while cursor != store.changes.latest():
            found, cursor = store.changes.usage(cursor, size)
            for each in found:
                launches, written = used.get(each.project, (0, 0))
                used[each.project] = (launches + each.launches, written + each.written)

        assert used == {"p": (2, 2 * len(b"launched") + 5), "q": (1, len(b"launched"))}
        assert store.changes.usage(cursor, size) == ([], cursor)

    def test_one_may_go_on_after_any_line(self, store: Store):
        launch(store, *range(1, 8))
        whole = read(store, size=100)

        for at, row in enumerate(whole):
            cursor = store.changes.resume(str(row.cursor))
            assert read(store, cursor) == whole[at + 1 :]
        assert store.changes.after(store.changes.latest(), 100) == []
        launch(store, 8)
        assert [row.id for row in read(store, whole[-1].cursor)] == ["e8"]

    def test_the_changes_of_one_execution_hold_no_other(self, store: Store):
        launch(store, 1, 2)
        store.journal.append(Batch(history=[HistoryRow(2, 2, b"b"), HistoryRow(1, 2, b"a")]))

        rows = read(store, key=1, size=1)

        assert [(row.id, row.seq) for row in rows] == [("e1", 1), ("e1", 2)]
        assert [row.seq for row in store.changes.after(rows[0].cursor, 100, 1)] == [2]
        assert store.changes.after(store.changes.resume("0"), 100, 9) == []

    def test_nothing_has_changed_in_an_empty_store(self, store: Store):
        assert read(store) == []
        assert store.changes.after(store.changes.latest(), 100) == []

    @pytest.mark.parametrize("text", NOT_CURSORS)
    def test_what_is_not_a_cursor_is_refused_in_a_line(self, store: Store, text):
        launch(store, 1)

        with pytest.raises(InvalidValue, match="is not a cursor") as caught:
            store.changes.resume(text)

        assert "\n" not in caught.value.message
        assert len(caught.value.message) < 200

    def test_a_cursor_from_beyond_the_end_becomes_the_latest(self, store: Store):
        launch(store, 1, 2)
        last = store.changes.latest()

        assert {store.changes.resume(text) for text in self.beyond} == {last}
        launch(store, 3)
        assert [row.id for row in read(store, store.changes.resume(last))] == ["e3"]

    def test_who_subscribes_is_told_until_that_ends(self, store: Store):
        told: list[object] = []
        end = store.changes.subscribe(told.append)
        other: list[object] = []
        store.changes.subscribe(other.append)

        store.changes.announce({Key(1): Phase.RUNNING})
        end()
        store.changes.announce({Key(2): Phase.WAITING})
        end()

        assert told == [{1: Phase.RUNNING}]
        assert other == [{1: Phase.RUNNING}, {2: Phase.WAITING}]

    def test_who_subscribes_twice_is_told_twice_and_ends_each_by_itself(self, store: Store):
        told: list[object] = []
        first, second = store.changes.subscribe(told.append), store.changes.subscribe(told.append)

        store.changes.announce({Key(1): Phase.RUNNING})
        first()
        store.changes.announce({Key(2): Phase.RUNNING})
        second()
        store.changes.announce({Key(3): Phase.RUNNING})

        assert told == [{1: Phase.RUNNING}, {1: Phase.RUNNING}, {2: Phase.RUNNING}]

    def test_a_subscriber_that_fails_or_leaves_keeps_it_from_no_other(self, store: Store, caplog):
        told: list[object] = []

        def fail(_: object) -> None:
            raise ValueError("no")

        def leave(_: object) -> None:
            end()

        store.changes.subscribe(fail)
        end = store.changes.subscribe(leave)
        store.changes.subscribe(told.append)

        store.changes.announce({Key(1): Phase.RUNNING})

        assert told == [{1: Phase.RUNNING}]
        assert "subscriber" in caplog.text
