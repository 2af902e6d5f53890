"""
What every store promises, whatever database it is.

Method: an adapter's test file makes a subclass of `StoreContract` and gives it a fixture `store`, open and empty.
"""

import threading

import pytest

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.errors import UnknownWorkflow
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.journal import Batch, HistoryRow, LaunchRow, PhaseRow, WaitEnd, WaitRow
from tidegate.ports.listings import ExecutionQuery, WaitQuery
from tidegate.ports.store import Store

NOON = 1_800_000_000_000_000
EVERY_KIND = ("sleep", "input", "approve", "retry")


def workflow(name="report", version="v1", graph=b"graph"):
    return WorkflowRow(0, name, version, graph, "bundle-digest", "report.py", NOON)


def launch(store, *keys, at=NOON, phase=Phase.QUEUED, **columns):
    """Launch executions e1, e2, ..., each with one event of history."""
    number = store.put_workflow(workflow()).id
    store.commit(
        Batch(
            launches=[LaunchRow(k, f"e{k}", number, at + k, phase=phase, **columns) for k in keys],
            history=[HistoryRow(k, 1, b"launched") for k in keys],
        )
    )


def wait(key, node="n1", kind="input", opened=NOON, due=None):
    return WaitRow(key, node, kind, f"name-of-{node}", opened, due)


def nodes(rows):
    return [(row.key, row.node) for row in rows]


class StoreContract:
    """The promises. `store` is a fixture of the subclass."""

    # -- batches --

    def test_a_new_store_is_empty(self, store: Store):
        assert store.last_key() == 0
        assert store.executions(ExecutionQuery()) == []
        assert store.waits(WaitQuery(kinds=())) == []
        assert store.active() == []
        assert store.next_due() is None
        assert store.workflows() == []
        assert store.problems() == []

    def test_what_is_launched_can_be_found_by_id_and_by_key(self, store: Store):
        launch(store, 1, 2, who="ada", project="flow", domain="production")

        row = store.find("e2")
        assert row is not None
        assert row == store.get(2)
        assert (row.key, row.id, row.workflow_name, row.version) == (2, "e2", "report", "v1")
        assert (row.who, row.project, row.domain) == ("ada", "flow", "production")
        assert (row.launched, row.changed, row.phase) == (NOON + 2, NOON + 2, Phase.QUEUED)
        assert store.find("e3") is None
        assert store.get(3) is None
        assert store.last_key() == 2

    def test_an_execution_can_be_launched_straight_into_a_phase(self, store: Store):
        launch(store, 1, phase=Phase.WAITING)

        row = store.get(1)
        assert row is not None
        assert row.phase is Phase.WAITING

    def test_history_comes_back_whole_and_in_order(self, store: Store):
        launch(store, 1, 2)
        big = bytes(range(256)) * 400

        store.commit(
            Batch(
                history=[HistoryRow(2, 2, b"other"), HistoryRow(1, 2, b""), HistoryRow(1, 3, big)]
            )
        )

        assert store.history(1) == [b"launched", b"", big]
        assert store.history(2) == [b"launched", b"other"]
        assert store.history(3) == []

    def test_a_phase_changes_and_says_when(self, store: Store):
        launch(store, 1)

        store.commit(Batch(phases=[PhaseRow(1, Phase.RUNNING, NOON + 5)]))
        store.commit(Batch(phases=[PhaseRow(1, Phase.SUCCEEDED, NOON + 9)]))

        row = store.get(1)
        assert row is not None
        assert (row.phase, row.changed, row.launched) == (Phase.SUCCEEDED, NOON + 9, NOON + 1)

    def test_a_batch_is_stored_whole_or_not_at_all(self, store: Store):
        launch(store, 1)
        before = store.executions(ExecutionQuery()), store.history(1), store.waits(WaitQuery())
        twice = Batch(
            launches=[LaunchRow(2, "e2", 1, NOON)],
            history=[HistoryRow(2, 1, b"x"), HistoryRow(1, 2, b"x"), HistoryRow(1, 1, b"again")],
            phases=[PhaseRow(1, Phase.RUNNING, NOON)],
            waits=[wait(1)],
        )

        with pytest.raises(AssertionError, match="contradicts"):
            store.commit(twice)

        after = store.executions(ExecutionQuery()), store.history(1), store.waits(WaitQuery())
        assert after == before
        assert store.problems() == []

    def test_after_a_refused_batch_the_next_is_stored(self, store: Store):
        launch(store, 1)
        with pytest.raises(AssertionError):
            store.commit(Batch(history=[HistoryRow(1, 1, b"again")]))

        store.commit(Batch(history=[HistoryRow(1, 2, b"next")]))

        assert store.history(1) == [b"launched", b"next"]

    def test_two_executions_of_one_id_are_refused(self, store: Store):
        launch(store, 1)

        with pytest.raises(AssertionError):
            store.commit(Batch(launches=[LaunchRow(2, "e1", 1, NOON)]))

        assert store.last_key() == 1

    def test_an_empty_batch_changes_nothing(self, store: Store):
        store.commit(Batch())

        assert store.last_key() == 0

    @pytest.mark.parametrize(
        "text", ["", "ä ☃ \U0001f600", "a'b\"c", "%_\\", "x" * 10_000, "line\nbreak"]
    )
    def test_any_text_is_kept_as_it_is(self, store: Store, text):
        number = store.put_workflow(workflow(name=f"w{text}", version=text)).id
        store.commit(
            Batch(
                launches=[LaunchRow(1, f"id{text}", number, NOON, text, text, text)],
                waits=[WaitRow(1, f"n{text}", "input", text, NOON, None)],
            )
        )

        row = store.find(f"id{text}")
        assert row is not None
        assert (row.workflow_name, row.version) == (f"w{text}", text)
        assert (row.who, row.project, row.domain) == (text, text, text)
        assert [w.name for w in store.waits(WaitQuery())] == [text]

    # -- active executions --

    def test_queued_and_running_executions_are_active_and_no_others(self, store: Store):
        launch(store, *range(1, 7))

        store.commit(Batch(phases=[PhaseRow(p + 1, p, NOON) for p in Phase]))

        assert store.active() == [Phase.QUEUED + 1, Phase.RUNNING + 1]

    def test_an_execution_that_runs_again_is_active_again(self, store: Store):
        launch(store, 1, phase=Phase.WAITING)
        assert store.active() == []

        store.commit(Batch(phases=[PhaseRow(1, Phase.RUNNING, NOON)]))

        assert store.active() == [1]

    # -- waits --

    def test_a_wait_is_listed_until_it_ends(self, store: Store):
        launch(store, 1)
        rows = [wait(1, "a", due=NOON + 9), wait(1, "b", "approve"), wait(1, "c", "sleep", due=7)]
        store.commit(Batch(waits=rows))
        assert sorted(nodes(store.waits(WaitQuery(kinds=())))) == [(1, "a"), (1, "b"), (1, "c")]

        store.commit(Batch(ends=[WaitEnd(1, "a"), WaitEnd(1, "c")]))

        assert store.waits(WaitQuery(kinds=())) == [rows[1]]
        assert store.next_due() is None

    def test_a_wait_that_opens_and_ends_in_one_batch_is_over(self, store: Store):
        launch(store, 1)

        store.commit(Batch(waits=[wait(1, due=NOON)], ends=[WaitEnd(1, "n1")]))

        assert store.waits(WaitQuery(kinds=())) == []
        assert store.next_due() is None

    def test_a_node_that_waits_anew_is_one_wait(self, store: Store):
        launch(store, 1)
        store.commit(Batch(waits=[wait(1, kind="retry", due=NOON + 1)]))

        again = wait(1, kind="retry", opened=NOON + 1, due=NOON + 3)
        store.commit(Batch(waits=[again]))

        assert store.waits(WaitQuery(kinds=())) == [again]
        assert store.due(NOON + 2, 10) == []
        assert store.next_due() == NOON + 3

    def test_ending_what_does_not_wait_changes_nothing(self, store: Store):
        launch(store, 1)
        store.commit(Batch(waits=[wait(1, "a")]))

        store.commit(Batch(ends=[WaitEnd(1, "b"), WaitEnd(2, "a")]))

        assert nodes(store.waits(WaitQuery())) == [(1, "a")]

    def test_waits_come_by_due_then_age_and_those_without_end_last(self, store: Store):
        launch(store, 1, 2, 3)
        store.commit(
            Batch(
                waits=[
                    wait(1, "never-young", opened=9),
                    wait(1, "never-old", "approve", opened=3),
                    wait(2, "late", due=NOON + 2),
                    wait(3, "soon-b", "approve", opened=5, due=NOON + 1),
                    wait(3, "soon-a", opened=5, due=NOON + 1),
                    wait(2, "soon-old", opened=4, due=NOON + 1),
                ]
            )
        )

        found = [row.node for row in store.waits(WaitQuery())]

        assert found == ["soon-old", "soon-a", "soon-b", "late", "never-old", "never-young"]

    @pytest.mark.parametrize("kinds", [(), ("input",), ("sleep", "retry"), EVERY_KIND])
    @pytest.mark.parametrize("key", [None, 2])
    def test_waits_are_listed_by_kind_and_by_execution(self, store: Store, kinds, key):
        launch(store, 1, 2)
        store.commit(Batch(waits=[wait(k, kind, kind) for k in (1, 2) for kind in EVERY_KIND]))

        found = nodes(store.waits(WaitQuery(kinds=kinds, key=key)))

        expected = {(k, i) for k in (1, 2) for i in kinds or EVERY_KIND if key in (None, k)}
        assert set(found) == expected
        assert len(found) == len(expected)

    @pytest.mark.parametrize("key", [None, 1])
    def test_pages_of_waits_miss_nothing_and_repeat_nothing(self, store: Store, key):
        launch(store, 1, 2, 3)
        rows = [
            wait(k, f"n{i}", EVERY_KIND[i % 4], opened=i // 4, due=(None, NOON, NOON + 1)[i % 3])
            for i in range(25)
            for k in (1, 2, 3)
        ]
        store.commit(Batch(waits=rows))
        whole = store.waits(WaitQuery(kinds=(), key=key, limit=1000))

        paged, after = [], None
        while page := store.waits(WaitQuery(kinds=(), key=key, after=after, limit=7)):
            paged += page
            last = page[-1]
            after = (2**62 if last.due is None else last.due, last.opened, last.key, last.node)

        assert len(whole) == (75 if key is None else 25)
        assert paged == whole

    # -- timers --

    def test_what_is_due_is_found_the_earliest_first_whatever_its_kind(self, store: Store):
        launch(store, 1)
        dues = {"sleep": 40, "input": 20, "approve": 30, "retry": 10}
        store.commit(Batch(waits=[wait(1, k, k, due=NOON + d) for k, d in dues.items()]))

        assert store.next_due() == NOON + 10
        assert [row.node for row in store.due(NOON + 30, 10)] == ["retry", "input", "approve"]
        assert [row.node for row in store.due(NOON + 99, 2)] == ["retry", "input"]
        assert store.due(NOON + 9, 10) == []

    def test_a_wait_without_end_is_never_due(self, store: Store):
        launch(store, 1)
        store.commit(Batch(waits=[wait(1)]))

        assert store.next_due() is None
        assert store.due(2**63 - 1, 10) == []

    def test_a_due_beyond_all_calendars_is_kept_behind_all_others(self, store: Store):
        launch(store, 1)

        store.commit(Batch(waits=[wait(1, "a", due=2**70), wait(1, "b", due=NOON)]))

        assert store.next_due() == NOON
        assert [row.node for row in store.due(NOON * 2, 10)] == ["b"]

    # -- lists of executions --

    def test_executions_are_listed_newest_first_in_pages(self, store: Store):
        launch(store, *range(1, 11))

        paged, before = [], None
        while page := store.executions(ExecutionQuery(before=before, limit=3)):
            paged += page
            before = page[-1].key

        assert [row.key for row in paged] == list(range(10, 0, -1))

    def test_executions_are_filtered_by_phase_workflow_project_and_domain(self, store: Store):
        other = store.put_workflow(workflow("train")).id
        launch(store, 1, 2, project="p1", domain="dev")
        store.commit(
            Batch(launches=[LaunchRow(3, "e3", other, NOON, "ada", "p2", "dev", Phase.FAILED)])
        )

        def listed(**query):
            return [row.key for row in store.executions(ExecutionQuery(**query))]

        assert listed(phases=(Phase.FAILED,)) == [3]
        assert listed(phases=(Phase.FAILED, Phase.QUEUED)) == [3, 2, 1]
        assert listed(phases=(Phase.ABORTED,)) == []
        assert listed(workflow="train") == [3]
        assert listed(workflow="tra") == []
        assert listed(project="p1") == [2, 1]
        assert listed(domain="dev") == [3, 2, 1]
        assert listed(project="p1", workflow="train") == []
        assert listed(project="p1", before=2) == [1]

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("run-10", ["run-100%", "run-10"]),
            ("100", ["run-100%"]),
            ("%", ["run-100%"]),
            ("_", ["a_b"]),
            ("\\", ["c\\d"]),
            ("RUN-10", ["run-100%", "run-10"]),
            ("repor", ["c\\d", "a_b", "run-100%", "run-10"]),
            ("nothing", []),
        ],
    )
    def test_text_finds_parts_of_ids_and_workflow_names_literally(self, store: Store, text, found):
        number = store.put_workflow(workflow("a report")).id
        ids = ["run-10", "run-100%", "a_b", "c\\d"]
        store.commit(
            Batch(launches=[LaunchRow(i + 1, name, number, NOON) for i, name in enumerate(ids)])
        )

        assert [row.id for row in store.executions(ExecutionQuery(text=text))] == found

    # -- workflows --

    def test_a_workflow_comes_back_as_it_was_put(self, store: Store):
        row = store.put_workflow(workflow())

        assert row.id > 0
        assert row == store.workflow(row.id) == store.find_workflow("report", "v1")
        assert (row.graph, row.bundle, row.module) == (b"graph", "bundle-digest", "report.py")
        assert row.registered == NOON

    def test_the_same_name_and_version_again_returns_the_first(self, store: Store):
        first = store.put_workflow(workflow(graph=b"one"))

        second = store.put_workflow(workflow(graph=b"two"))

        assert second == first
        assert store.workflow(first.id).graph == b"one"

    def test_the_version_registered_last_is_the_latest(self, store: Store):
        store.put_workflow(workflow(version="v9"))
        store.put_workflow(workflow(version="v10"))
        last = store.put_workflow(workflow(version="v1", graph=b"other"))
        train = store.put_workflow(workflow("a-train"))
        store.put_workflow(workflow(version="v9"))

        assert store.find_workflow("report") == last
        assert store.workflows() == [train, last]

    def test_an_unknown_workflow_is_said_to_be_unknown(self, store: Store):
        store.put_workflow(workflow())

        assert store.find_workflow("repor") is None
        assert store.find_workflow("report", "v2") is None
        with pytest.raises(UnknownWorkflow, match="77"):
            store.workflow(77)

    # -- threads --

    def test_readers_in_other_threads_see_only_whole_batches(self, store: Store):
        launch(store, 1)
        done = threading.Event()
        faults: list[object] = []

        def read() -> None:
            while not done.is_set():
                count = len(store.history(1)) - 1
                if count % 10:
                    faults.append(count)

        def register() -> None:
            for i in range(50):
                store.put_workflow(workflow(version=f"t{i}"))

        threads = [threading.Thread(target=f) for f in (read, read, register)]
        for thread in threads:
            thread.start()
        for group in range(60):
            rows = [HistoryRow(1, 2 + group * 10 + i, b"x") for i in range(10)]
            store.commit(Batch(history=rows))
        done.set()
        for thread in threads:
            thread.join()

        assert faults == []
        assert len(store.history(1)) == 601
        assert store.find_workflow("report", "t49") is not None

    # -- problems --

    def test_problems_name_what_contradicts_the_rules(self, store: Store):
        launch(store, 1, 2, 3, 4, phase=Phase.RUNNING)
        store.commit(
            Batch(
                launches=[LaunchRow(5, "e5", 1, NOON)],
                history=[HistoryRow(1, 3, b"a gap"), HistoryRow(9, 1, b"of nobody")],
                phases=[PhaseRow(2, Phase.FAILED, NOON), PhaseRow(3, Phase.WAITING, NOON)],
                waits=[wait(2, "n7")],
            )
        )

        found = "\n".join(store.problems())

        assert "e1: its history holds 2 events, numbered 1 to 3" in found
        assert "n7 of execution e2 waits" in found
        assert "e3 is WAITING, but nothing" in found
        assert "e4" not in found
        assert "e5 has no history" in found
        assert "numbered 9, which does not exist" in found
