"""
What every journal promises, whatever database it is.

Method, here and in the other suites: an adapter's test file makes a subclass and gives it a fixture `store`, open and empty.
"""

import threading

import pytest
from tests.contract.store_rows import (
    EVERY_KIND,
    NOON,
    REPORT,
    launch,
    listed,
    nodes,
    open_waits,
    wait,
    waits,
    workflow,
)

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.journal import (
    Batch,
    Counts,
    HeldRow,
    HistoryRow,
    LaunchRow,
    PhaseRow,
    Recorded,
    Series,
    WaitEnd,
    WaitRow,
)
from tidegate.ports.listings import ExecutionQuery, WaitQuery
from tidegate.ports.store import Store


def everything(store: Store):
    """Return all that a batch may change."""
    rows = store.listings.executions(ExecutionQuery(limit=1000)).rows
    history = {row.key: store.journal.history(row.key) for row in rows}
    return rows, history, store.listings.waits(WaitQuery(kinds=())).rows, store.listings.counts()


class JournalContract:
    """The promises. `store` is a fixture of the subclass."""

    # -- batches --

    def test_a_new_store_is_empty(self, store: Store):
        assert store.journal.last_key() == 0
        assert store.journal.active() == []
        assert store.journal.next_due() is None
        assert everything(store) == ([], {}, [], Counts())
        assert store.problems() == []

    def test_what_is_launched_can_be_found_by_id_and_by_key(self, store: Store):
        launch(store, 1, 2, who="ada", series=Series("flow", "production", "report"))

        row = store.journal.find("e2")
        assert row is not None
        assert row == store.journal.get(2)
        assert (row.key, row.id, row.workflow_name, row.version) == (2, "e2", "report", "v1")
        assert (row.who, row.project, row.domain) == ("ada", "flow", "production")
        assert (row.launched, row.changed, row.phase) == (NOON + 2, NOON + 2, Phase.QUEUED)
        assert row.series == Series("flow", "production", "report")
        assert store.journal.find("e3") is None
        assert store.journal.get(3) is None
        assert store.journal.last_key() == 2

    def test_an_execution_can_be_launched_straight_into_a_phase(self, store: Store):
        launch(store, 1, phase=Phase.WAITING)

        row = store.journal.get(1)
        assert row is not None
        assert row.phase is Phase.WAITING

    def test_history_comes_back_whole_and_in_order(self, store: Store):
        launch(store, 1, 2)
        big = bytes(range(256)) * 400

        store.journal.append(
            Batch(
                history=[HistoryRow(2, 2, b"other"), HistoryRow(1, 2, b""), HistoryRow(1, 3, big)]
            )
        )

        assert store.journal.history(1) == [b"launched", b"", big]
        assert store.journal.history(2) == [b"launched", b"other"]
        assert store.journal.history(3) == []
        assert [store.journal.last_seq(key) for key in (1, 2, 3)] == [3, 2, 0]

    def test_history_is_read_from_any_line_on_and_no_further_than_asked(self, store: Store):
        launch(store, 1, 2)
        store.journal.append(Batch(history=[HistoryRow(1, n, b"%d" % n) for n in range(2, 8)]))

        assert store.journal.history(1, 3) == [b"4", b"5", b"6", b"7"]
        assert store.journal.history(1, 3, 2) == [b"4", b"5"]
        assert store.journal.history(1, limit=1) == [b"launched"]
        assert store.journal.history(1, 7) == []
        assert store.journal.history(1, 99) == []

    def test_executions_come_with_their_histories_in_one_read(self, store: Store):
        launch(store, 1, series=Series("p", "d", "report"))
        store.journal.append(Batch(history=[HistoryRow(1, n, b"%d" % n) for n in range(2, 5)]))
        store.journal.append(Batch([LaunchRow(2, "e2", 1, NOON, series=REPORT)]))

        bodies = [b"launched", b"2", b"3", b"4"]
        first = Recorded(1, 1, "p", "d", bodies)
        # That is damage, and not an execution which does not exist.
        second = Recorded(2, 1, "", "", [])
        assert store.journal.recorded(["e1"]) == [first]
        assert store.journal.recorded(["e3", "e2", "e1", "e2"]) == [None, second, first, second]
        assert store.journal.recorded(["e2", "e1"], 2) == [
            second,
            first._replace(bodies=bodies[:2]),
        ]
        assert store.journal.recorded([]) == []

    # -- attempts that have not begun --

    def test_what_is_held_is_kept_until_it_is_released_the_first_first(self, store: Store):
        later = HeldRow(1, "n2", 1, "missing", "module x is gone", NOON + 5)
        first = HeldRow(2, "n1", 3, "no_room", "3 bytes are free", NOON)
        store.journal.hold([later, first])
        assert store.journal.held() == [first, later]

        store.journal.release([(1, "n2"), (1, "n9")])
        assert store.journal.held() == [first]
        store.journal.release([])
        store.journal.hold([])
        assert store.journal.held() == [first]

    def test_of_a_node_one_attempt_is_held_the_last(self, store: Store):
        row = HeldRow(1, "n1", 1, "missing", "module x is gone", NOON)
        now = HeldRow(1, "n1", 2, "no_room", "3 bytes are free", NOON + 1)
        store.journal.hold([row])
        store.journal.hold([now])
        assert store.journal.held() == [now]

    def test_a_phase_changes_and_says_when(self, store: Store):
        launch(store, 1)

        store.journal.append(Batch(phases=[PhaseRow(1, Phase.RUNNING, NOON + 5)]))
        store.journal.append(Batch(phases=[PhaseRow(1, Phase.SUCCEEDED, NOON + 9)]))

        row = store.journal.get(1)
        assert row is not None
        assert (row.phase, row.changed, row.launched) == (Phase.SUCCEEDED, NOON + 9, NOON + 1)

    def test_an_empty_batch_changes_nothing(self, store: Store):
        assert store.journal.append(Batch()) == frozenset()

        assert everything(store) == ([], {}, [], Counts())

    @pytest.mark.parametrize(
        "text", ["", "ä ☃ \U0001f600", "a'b\"c", "%_\\", "x" * 10_000, "line\nbreak", "\x01"]
    )
    def test_any_text_is_kept_as_it_is(self, store: Store, text):
        number = store.catalog.put_workflow(workflow(name=f"w{text}", version=text)).id
        series = Series(text, text, f"w{text}")
        row = WaitRow(1, f"n{text}", "input", text, NOON, None, text, f"id{text}", series, text)

        store.journal.append(
            Batch([LaunchRow(1, f"id{text}", number, NOON, text, series)], waits=[row])
        )

        found = store.journal.find(f"id{text}")
        assert found is not None
        assert (found.workflow_name, found.version) == (f"w{text}", text)
        assert (found.who, found.project, found.domain) == (text, text, text)
        assert waits(store) == [row]

    # -- conflicts --

    def test_a_line_that_is_taken_is_a_conflict_and_nothing_of_the_batch_is_stored(
        self, store: Store
    ):
        launch(store, 1, 2, 3)
        store.journal.append(Batch(history=[HistoryRow(1, 2, b"somebody else's")]))
        open_waits(store, wait(1, "a"), wait(2, "b"))
        before = everything(store)

        conflicts = store.journal.append(
            Batch(
                launches=[LaunchRow(4, "e4", 1, NOON, series=Series("new", "", "report"))],
                history=[
                    HistoryRow(4, 1, b"x"),
                    HistoryRow(2, 2, b"x"),
                    HistoryRow(1, 2, b"too late"),
                    HistoryRow(1, 3, b"too late"),
                ],
                phases=[PhaseRow(2, Phase.RUNNING, NOON)],
                waits=[wait(3)],
                ends=[WaitEnd(2, "b")],
                counts=Counts({Phase.QUEUED: 1}, {"input": 1}),
            )
        )

        assert conflicts == {1}
        assert everything(store) == before
        assert store.journal.last_key() == 3
        assert store.problems() == []

    def test_all_executions_in_conflict_are_told_and_no_others(self, store: Store):
        launch(store, *range(1, 7))
        ours = [HistoryRow(k, 2, b"ours") for k in range(1, 7)]
        theirs = [HistoryRow(k, 2, b"theirs") for k in (2, 5)]
        store.journal.append(Batch(history=theirs))

        assert store.journal.append(Batch(history=ours)) == {2, 5}
        rest = [row for row in ours if row.key not in (2, 5)]
        assert store.journal.append(Batch(history=rest)) == frozenset()
        assert store.journal.history(1) == [b"launched", b"ours"]
        assert store.journal.history(2) == [b"launched", b"theirs"]

    @pytest.mark.parametrize(
        ("key", "id_", "taken"),
        [(1, "new", True), (9, "e1", True), (1, "e1", True), (9, "new", False)],
    )
    def test_a_key_or_an_id_that_is_taken_is_a_conflict_of_the_new_execution(
        self, store: Store, key, id_, taken
    ):
        launch(store, 1, 2)

        conflicts = store.journal.append(
            Batch(
                [LaunchRow(3, "e3", 1, NOON), LaunchRow(key, id_, 1, NOON)],
                [HistoryRow(3, 1, b"x"), HistoryRow(key, 1, b"x")],
            )
        )

        assert conflicts == ({key} if taken else frozenset())
        assert (store.journal.find("e3") is None) is taken
        assert store.journal.last_key() == (2 if taken else 9)

    def test_after_a_conflict_the_same_is_stored_where_the_history_stands(self, store: Store):
        launch(store, 1)
        assert store.journal.append(Batch(history=[HistoryRow(1, 1, b"again")])) == {1}
        seq = store.journal.last_seq(1) + 1

        assert store.journal.append(Batch(history=[HistoryRow(1, seq, b"next")])) == frozenset()

        assert store.journal.history(1) == [b"launched", b"next"]

    @pytest.mark.parametrize(
        "batch",
        [
            Batch(history=[HistoryRow(1, 2, b"x"), HistoryRow(1, 2, b"again")]),
            Batch([LaunchRow(2, "e2", 1, NOON), LaunchRow(2, "e3", 1, NOON)]),
            Batch([LaunchRow(2, "e2", 1, NOON), LaunchRow(3, "e2", 1, NOON)]),
            Batch([LaunchRow(2, "e2", 77, NOON)]),
        ],
        ids=["line-twice", "key-twice", "id-twice", "no-such-workflow"],
    )
    def test_a_batch_that_contradicts_itself_is_a_bug_and_no_conflict(self, store: Store, batch):
        launch(store, 1)
        before = everything(store)

        with pytest.raises(AssertionError, match="contradicts"):
            store.journal.append(batch)

        assert everything(store) == before
        assert store.journal.append(Batch(history=[HistoryRow(1, 2, b"next")])) == frozenset()

    def test_of_two_who_append_after_the_same_line_exactly_one_succeeds(self, store: Store):
        launch(store, 1)
        stored: list[str] = []
        begin = threading.Barrier(4)

        def append(name: str) -> None:
            begin.wait()
            for n in range(25):
                row = HistoryRow(1, n + 2, name.encode())
                while store.journal.last_seq(1) < n + 1:
                    pass
                if not store.journal.append(Batch(history=[row])):
                    stored.append(name)

        threads = [threading.Thread(target=append, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(stored) == 25
        history = [body.decode() for body in store.journal.history(1)[1:]]
        assert sorted(history) == sorted(stored)

    # -- counters --

    def test_counters_follow_each_commit(self, store: Store):
        launch(store, 1, 2, 3)
        open_waits(store, wait(1, "n1"), wait(1, "n2", "approve"), wait(1, "n3"))
        assert store.listings.counts() == Counts({Phase.QUEUED: 3}, {"input": 2, "approve": 1})

        store.journal.append(
            Batch(
                phases=[PhaseRow(1, Phase.WAITING, NOON), PhaseRow(2, Phase.FAILED, NOON)],
                ends=[WaitEnd(1, "n1"), WaitEnd(1, "n2")],
                counts=Counts(
                    {Phase.QUEUED: -2, Phase.WAITING: 1, Phase.FAILED: 1},
                    {"input": -1, "approve": -1},
                ),
            )
        )

        assert store.listings.counts() == Counts(
            {Phase.QUEUED: 1, Phase.WAITING: 1, Phase.FAILED: 1}, {"input": 1}
        )
        assert store.problems() == []

    def test_a_batch_in_conflict_counts_nothing(self, store: Store):
        launch(store, 1)

        store.journal.append(
            Batch(history=[HistoryRow(1, 1, b"x")], counts=Counts({Phase.FAILED: 1}))
        )

        assert store.listings.counts() == Counts({Phase.QUEUED: 1})

    # -- active executions --

    def test_queued_and_running_executions_are_active_and_no_others(self, store: Store):
        launch(store, *range(1, 7))
        launch(store, 7, phase=Phase.RUNNING, series=Series("p", "d", "other"))

        store.journal.append(Batch(phases=[PhaseRow(p + 1, p, NOON) for p in Phase]))

        assert store.journal.active() == [Phase.QUEUED + 1, Phase.RUNNING + 1, 7]

    def test_an_execution_that_runs_again_is_active_again(self, store: Store):
        launch(store, 1, phase=Phase.WAITING)
        assert store.journal.active() == []

        store.journal.append(Batch(phases=[PhaseRow(1, Phase.RUNNING, NOON)]))

        assert store.journal.active() == [1]

    # -- waits --

    def test_a_wait_is_listed_until_it_ends(self, store: Store):
        launch(store, 1)
        rows = [wait(1, "a", due=NOON + 9), wait(1, "b", "approve"), wait(1, "c", "sleep", due=7)]
        open_waits(store, *rows)
        assert nodes(waits(store, kinds=())) == [(1, "c"), (1, "a"), (1, "b")]

        store.journal.append(Batch(ends=[WaitEnd(1, "a"), WaitEnd(1, "c")]))

        assert waits(store, kinds=()) == [rows[1]]
        assert store.journal.next_due() is None

    def test_a_wait_that_opens_and_ends_in_one_batch_is_over(self, store: Store):
        launch(store, 1)

        store.journal.append(Batch(waits=[wait(1, due=NOON)], ends=[WaitEnd(1, "n1")]))

        assert listed(store) == []
        assert store.journal.next_due() is None

    def test_a_node_that_waits_again_is_one_wait(self, store: Store):
        launch(store, 1)
        open_waits(store, wait(1, kind="retry", due=NOON + 1))

        again = wait(1, kind="retry", opened=NOON + 1, due=NOON + 3)
        store.journal.append(Batch(waits=[again]))

        assert waits(store, kinds=()) == [again]
        assert store.journal.due(NOON + 2, 10) == []
        assert store.journal.next_due() == NOON + 3

    def test_ending_what_does_not_wait_changes_nothing(self, store: Store):
        launch(store, 1)
        open_waits(store, wait(1, "a"))

        store.journal.append(Batch(ends=[WaitEnd(1, "b"), WaitEnd(2, "a")]))

        assert nodes(waits(store)) == [(1, "a")]

    # -- timers --

    def test_what_is_due_is_found_the_earliest_first_whatever_its_kind(self, store: Store):
        launch(store, 1)
        dues = {"sleep": 40, "input": 20, "approve": 30, "retry": 10}
        open_waits(store, *(wait(1, k, k, due=NOON + d) for k, d in dues.items()))

        assert store.journal.next_due() == NOON + 10
        assert [row.node for row in store.journal.due(NOON + 30, 10)] == [
            "retry",
            "input",
            "approve",
        ]
        assert [row.node for row in store.journal.due(NOON + 99, 2)] == ["retry", "input"]
        assert store.journal.due(NOON + 9, 10) == []

    def test_a_wait_without_end_is_never_due(self, store: Store):
        launch(store, 1)
        open_waits(store, wait(1))

        assert store.journal.next_due() is None
        assert store.journal.due(2**63 - 1, 10) == []
        assert store.journal.due(2**80, 10) == []

    def test_a_due_beyond_all_calendars_is_kept_behind_all_others(self, store: Store):
        launch(store, 1)

        open_waits(store, wait(1, "never"), wait(1, "a", due=2**70), wait(1, "b", due=NOON))

        assert store.journal.next_due() == NOON
        assert [row.node for row in store.journal.due(NOON * 2, 10)] == ["b"]
        assert [row.node for row in waits(store)] == ["b", "a", "never"]

    # -- threads --

    def test_readers_in_other_threads_see_only_whole_batches(self, store: Store):
        launch(store, 1)
        done = threading.Event()
        faults: list[object] = []

        def read() -> None:
            while not done.is_set():
                count = len(store.journal.history(1)) - 1
                if count % 10:
                    faults.append(count)

        def count() -> None:
            while not done.is_set():
                counts = store.listings.counts().waits
                if len(waits(store, kinds=(), limit=1000)) < counts.get("input", 0):
                    faults.append(counts)

        def register() -> None:
            for i in range(50):
                store.catalog.put_workflow(workflow(version=f"t{i}"))

        threads = [threading.Thread(target=f) for f in (read, read, count, register)]
        for thread in threads:
            thread.start()
        for group in range(60):
            rows = [HistoryRow(1, 2 + group * 10 + i, b"x") for i in range(10)]
            opened = wait(1, f"n{group}", EVERY_KIND[1])
            store.journal.append(
                Batch(history=rows, waits=[opened], counts=Counts({}, {"input": 1}))
            )
        done.set()
        for thread in threads:
            thread.join()

        assert faults == []
        assert len(store.journal.history(1)) == 601
        assert store.catalog.find_workflow("report", "t49") is not None

    # -- problems --

    def test_problems_name_what_contradicts_the_rules(self, store: Store):
        launch(store, 1, 2, 3, 4, 6, phase=Phase.RUNNING)
        store.journal.append(
            Batch(
                launches=[LaunchRow(5, "e5", 1, NOON, series=REPORT)],
                history=[HistoryRow(1, 3, b"a gap"), HistoryRow(9, 1, b"of nobody")],
                phases=[PhaseRow(2, Phase.FAILED, NOON), PhaseRow(3, Phase.WAITING, NOON)],
                waits=[wait(2, "n7"), wait(6, "n8", series=Series("elsewhere", "", "report"))],
            )
        )

        found = "\n".join(store.problems())

        assert "e1: its history holds 2 events, numbered 1 to 3" in found
        assert "n7 of execution e2 waits" in found
        assert "e3 is WAITING, but nothing" in found
        assert "e4" not in found
        assert "e5 has no history" in found
        assert "numbered 9, which does not exist" in found
        assert "n8 of execution e6 is listed under another project" in found
        assert "the counter phase:1 says 5, there are 3" in found
        assert "the counter wait:input says 0, there are 2" in found

    def test_an_execution_says_which_version_of_its_workflow_it_has(self, store: Store):
        store.catalog.put_workflow(workflow())
        newer = store.catalog.put_workflow(workflow(version="v2"))
        assert isinstance(newer, WorkflowRow)

        store.journal.append(Batch([LaunchRow(1, "e1", newer.id, NOON, series=REPORT)]))

        row = store.journal.get(1)
        assert row is not None
        assert (row.workflow, row.version) == (newer.id, "v2")
