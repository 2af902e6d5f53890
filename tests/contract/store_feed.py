"""
What every store promises of everybody's history, of counts, and of what waits where.

Method: as in `store_contract`.
"""

from tests.contract.store_contract import NOON, launch, nodes, wait, workflow

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.ports.journal import Batch, HistoryRow, PhaseRow
from tidegate.ports.listings import ExecutionQuery, WaitQuery
from tidegate.ports.store import Store


class FeedContract:
    """The promises. `store` is a fixture of the subclass."""

    def test_the_feed_holds_everybodys_history_in_the_order_of_commits(self, store: Store):
        launch(store, 1, 2, project="p", domain="d")
        store.commit(Batch(history=[HistoryRow(2, 2, b"b"), HistoryRow(1, 2, b"a")]))

        rows = store.feed(0, 100)

        assert [(row.id, row.seq, row.body) for row in rows] == [
            ("e1", 1, b"launched"),
            ("e2", 1, b"launched"),
            ("e2", 2, b"b"),
            ("e1", 2, b"a"),
        ]
        assert [row.place for row in rows] == sorted({row.place for row in rows})
        assert {(row.workflow_name, row.project, row.domain) for row in rows} == {
            ("report", "p", "d")
        }
        assert store.last_place() == rows[-1].place

    def test_the_feed_goes_on_after_any_place_page_by_page(self, store: Store):
        launch(store, *range(1, 8))
        whole = store.feed(0, 100)

        found, place = [], 0
        while page := store.feed(place, 3):
            assert len(page) <= 3
            found += page
            place = page[-1].place

        assert found == whole
        assert store.feed(store.last_place(), 100) == []
        launch(store, 8)
        assert [row.id for row in store.feed(place, 100)] == ["e8"]

    def test_the_feed_of_one_execution_holds_no_other(self, store: Store):
        launch(store, 1, 2)
        store.commit(Batch(history=[HistoryRow(2, 2, b"b"), HistoryRow(1, 2, b"a")]))

        rows = store.feed(0, 100, key=1)

        assert [(row.id, row.seq) for row in rows] == [("e1", 1), ("e1", 2)]
        assert [row.seq for row in store.feed(rows[0].place, 100, key=1)] == [2]
        assert store.feed(0, 100, key=9) == []

    def test_the_feed_of_an_empty_store_is_empty(self, store: Store):
        assert (store.feed(0, 100), store.last_place()) == ([], 0)

    def test_executions_and_waits_are_counted(self, store: Store):
        launch(store, 1, 2, 3)
        store.commit(
            Batch(
                phases=[PhaseRow(1, Phase.WAITING, NOON), PhaseRow(2, Phase.FAILED, NOON)],
                waits=[wait(1, "n1"), wait(1, "n2", "approve"), wait(1, "n3")],
            )
        )

        counts = store.counts()

        assert counts.phases == {Phase.QUEUED: 1, Phase.WAITING: 1, Phase.FAILED: 1}
        assert counts.waits == {"input": 2, "approve": 1}

    def test_the_versions_of_a_workflow_are_listed_the_last_first(self, store: Store):
        for version in ("v1", "v2", "v3"):
            store.put_workflow(workflow(version=version))
        store.put_workflow(workflow("other"))

        assert [row.version for row in store.versions("report", 100)] == ["v3", "v2", "v1"]
        assert [row.version for row in store.versions("report", 2)] == ["v3", "v2"]
        assert store.versions("none", 100) == []

    def test_executions_are_found_by_when_they_were_launched(self, store: Store):
        launch(store, 1, 2, 3)

        def found(**times):
            return [row.key for row in store.executions(ExecutionQuery(**times))]

        assert found(since=NOON + 2) == [3, 2]
        assert found(until=NOON + 2) == [1]
        assert found(since=NOON + 2, until=NOON + 3) == [2]

    def test_waits_are_found_by_place_workflow_and_text(self, store: Store):
        launch(store, 1, project="p", domain="d")
        launch(store, 2, project="q")
        store.commit(Batch(waits=[wait(1, "n1"), wait(2, "n1"), wait(2, "n2", due=NOON + 1)]))

        def found(**wanted):
            return nodes(store.waits(WaitQuery(**wanted)))

        assert found(project="p") == [(1, "n1")]
        assert found(project="p", domain="x") == []
        assert found(project="q") == [(2, "n2"), (2, "n1")]
        assert found(workflow="report") == found()
        assert found(workflow="rep") == []
        assert found(text="of-n2") == [(2, "n2")]
        assert found(text="repor") == found()
        assert found(text="e1") == [(1, "n1")]
        assert found(text="%") == []
        assert found(project="q", kinds=("approve",)) == []
        assert found(project="q", limit=1) == [(2, "n2")]
        first = store.waits(WaitQuery(project="q", limit=1))[0]
        after = (first.due, first.opened, first.key, first.node)
        assert found(project="q", after=after) == [(2, "n1")]
