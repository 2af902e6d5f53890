"""What every store promises of its lists: their order, their pages, and how they are narrowed. Used as `JournalContract` is."""

import random
from typing import Any

import pytest
from tests.contract.store_rows import (
    EVERY_KIND,
    NOON,
    keys,
    launch,
    listed,
    nodes,
    open_waits,
    pages_of_executions,
    pages_of_waits,
    wait,
    waits,
)
from tests.contract.store_shop import Shop, meant

from tidegate.core.endings import Ending
from tidegate.core.state import ExecutionPhase as Phase
from tidegate.core.waits import Preview, Shown
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import SECOND
from tidegate.ports.journal import (
    Batch,
    ExecutionRow,
    PhaseRow,
    Series,
    WaitEnd,
    WaitRow,
)
from tidegate.ports.listings import ExecutionQuery, Narrowing
from tidegate.ports.store import Store

PLACES = {1: ("flow", "dev"), 2: ("flow", "live"), 3: ("flower", "dev"), 4: ("", ""), 5: ("x", "")}

SEEN = [
    (None, {1, 2, 3, 4, 5}),
    ((), set()),
    ((("*", "*"),), {1, 2, 3, 4, 5}),
    ((("flow", "*"),), {1, 2}),
    ((("flow*", "dev"),), {1, 3}),
    ((("*low*", "*e*"),), {1, 2, 3}),
    ((("", ""),), {4}),
    ((("*", ""),), {4, 5}),
    ((("flow", "dev"), ("x", "*"), ("FLOW", "live")), {1, 5}),
    ((("fl.w", "*"), ("[a-z]*", "*"), ("flo?", "*")), set()),
]


def launch_in_places(store: Store) -> None:
    for key, (project, domain) in PLACES.items():
        series = Series(project, domain, "report")
        launch(store, key, series=series, phase=Phase.WAITING)
        open_waits(
            store,
            *(
                wait(
                    key, node, kind, NOON + key * SECOND, NOON + (100 - key) * SECOND, series=series
                )
                for node, kind in (("n1", "input"), ("n2", "approve"), ("n3", "sleep"))
            ),
        )


class ListingsContract:
    """The promises. `store` is a fixture of the subclass."""

    # -- waits --

    def test_what_a_list_shows_comes_back_whole(self, store: Store):
        launch(store, 1)
        shown = Shown(
            title="Invoice 7",
            figures=(("amount", 12.5), ("items", [1, None, {"a": "ä"}])),
            value={"nested": [True, "x" * 500]},
            show={"chart": None},
            preview={"suggested": Preview("beginn", 90_000)},
        )
        row = wait(1, "n1/n4", "approve", name="review", shown=shown)
        full = WaitRow(
            *(getattr(row, name) for name in row.__struct_fields__[:9]),
            "h" * 20,
            3,
            b"\x00\xff",
            shown,
        )
        open_waits(store, full)

        (found,) = listed(store)

        assert found.wait == full
        assert found.damaged == ""
        assert store.catalog.workflow(found.workflow).name == "report"

    def test_waits_come_by_due_then_age_of_the_execution_and_those_without_end_last(
        self, store: Store
    ):
        launch(store, 1, 2, 3)
        open_waits(
            store,
            wait(2, "never-young", opened=3),
            wait(1, "never-old", "approve", opened=9),
            wait(2, "late", due=NOON + 2 * SECOND),
            wait(3, "soon-b", "approve", opened=4, due=NOON + SECOND),
            wait(3, "soon-a", opened=5, due=NOON + SECOND + 7),
            wait(2, "soon-old", opened=6, due=NOON + SECOND + 9),
            wait(2, "before-all-calendars", opened=4, due=-5 * SECOND),
        )

        assert [row.node for row in waits(store)] == [
            "before-all-calendars",
            "soon-old",
            "soon-a",
            "soon-b",
            "late",
            "never-old",
            "never-young",
        ]

    def test_what_opens_at_once_comes_in_the_order_of_the_source(self, store: Store):
        launch(store, 1, 2)
        source = [
            "n0",
            "n1",
            "n1/n0",
            "n1/n2",
            "n1/n10",
            "n2",
            "n9",
            "n10",
            "n10/n0",
            "n11",
            "n100",
        ]
        rows = [wait(1, node, ("input", "approve")[i % 2]) for i, node in enumerate(source)]
        random.Random(5).shuffle(rows)

        open_waits(store, *rows[:4])
        open_waits(store, *rows[4:])

        assert [row.node for row in waits(store)] == source

    @pytest.mark.parametrize(("apart", "timeout"), [(3600, None), (0.9, 60), (20, 86_400)])
    def test_what_opens_after_tasks_comes_in_the_order_of_the_source(
        self, store: Store, apart, timeout
    ):
        launch(store, 1)
        source = [f"n0/n{i}" for i in range(12)]
        minute = NOON - NOON % (60 * SECOND)
        opened = random.Random(7).sample(range(minute, minute + int(apart * SECOND)), len(source))
        open_waits(
            store,
            *(
                wait(1, node, opened=at, due=timeout and at + timeout * SECOND)
                for node, at in zip(source, opened, strict=True)
            ),
        )

        assert [row.node for row in waits(store)] == source

    def test_a_deep_path_does_not_change_the_order_of_the_source(self, store: Store):
        launch(store, 1)
        deep = "n0/" * 40
        source = [f"{deep}n{i}" for i in range(12)]
        rows = [wait(1, node, name=f"gate {20 - i}") for i, node in enumerate(source)]

        open_waits(store, *reversed(rows))

        assert [row.node for row in waits(store)] == source

    def test_of_equal_waits_that_of_the_older_execution_comes_first_and_none_is_lost(
        self, store: Store
    ):
        launch(store, *range(1, 301))
        open_waits(
            store, *(wait(k, node) for k in range(300, 0, -1) for node in ("N1", "n1", "n01"))
        )

        found, after = [], None
        while page := listed(store, after=after, limit=7):
            found += [row.wait.key for row in page]
            after = page[-1].mark

        assert found == [k for k in range(1, 301) for _ in range(3)]

    @pytest.mark.parametrize("kinds", [(), ("input",), ("sleep", "retry"), EVERY_KIND])
    @pytest.mark.parametrize("key", [None, 2])
    def test_waits_are_listed_by_kind_and_by_execution(self, store: Store, kinds, key):
        launch(store, 1, 2)
        open_waits(store, *(wait(k, kind, kind) for k in (1, 2) for kind in EVERY_KIND))

        found = nodes(waits(store, kinds=kinds, key=key))

        expected = {(k, i) for k in (1, 2) for i in kinds or EVERY_KIND if key in (None, k)}
        assert set(found) == expected
        assert len(found) == len(expected)

    @pytest.mark.parametrize("key", [None, 1])
    def test_pages_of_waits_miss_nothing_and_repeat_nothing(self, store: Store, key):
        launch(store, 1, 2, 3)
        rows = [
            wait(
                k,
                f"n{i}",
                EVERY_KIND[i % 4],
                opened=i // 4 * SECOND,
                due=(None, NOON, NOON + SECOND)[i % 3],
            )
            for i in range(25)
            for k in (1, 2, 3)
        ]
        open_waits(store, *rows)
        whole = waits(store, kinds=(), key=key, limit=1000)

        paged, after = [], None
        while page := listed(store, kinds=(), key=key, after=after, limit=7):
            paged += [row.wait for row in page]
            after = page[-1].mark

        assert len(whole) == (75 if key is None else 25)
        assert paged == whole

    def test_pages_hold_each_row_once_while_others_come_and_go(self, store: Store):
        launch(store, *range(1, 101))
        stay = [wait(k, due=k * SECOND) for k in range(1, 101)]
        open_waits(store, *stay)
        ended: set[int] = set()
        chance, new = random.Random(9), 1000

        found, after = [], None
        while page := listed(store, after=after, limit=7):
            found += [row.wait.key for row in page]
            after = page[-1].mark
            # One that was shown, one that was not, and the last of the page: the mark is of a row that is gone.
            for key in {*chance.sample(range(1, 101), 2), page[-1].wait.key}:
                ended.add(key)
                store.journal.append(Batch(ends=[WaitEnd(key, "n1")]))
            new += 1
            launch(store, new)
            open_waits(store, wait(new, due=chance.randrange(100) * SECOND))

        assert len(found) == len(set(found))
        assert {k for k in range(1, 101) if k not in ended} <= set(found)
        old = [key for key in found if key <= 100]
        assert old == sorted(old)

    def test_the_names_of_open_gates_are_told_for_each_execution(self, store: Store):
        launch(store, 1, 2, 3)
        open_waits(
            store,
            *(wait(1, f"n{i}", "approve", name=f"gate {i}") for i in (10, 9, 2)),
            wait(1, "n3", name="due first, asked in its turn", due=NOON + SECOND),
            wait(2, "n1", "sleep"),
            wait(2, "n2", "retry"),
            wait(2, "n3", "input", name="title"),
        )

        assert store.listings.waiting([1, 2, 3], 2) == {
            1: ["gate 2", "due first, asked in its turn"],
            2: ["title"],
            3: [],
        }
        assert store.listings.waiting([], 2) == {}

    # -- executions --

    def test_executions_are_listed_newest_first_in_pages(self, store: Store):
        launch(store, *range(1, 11))

        paged: list[int] = []
        before = None
        while page := keys(store, before=before, limit=3):
            paged += page
            before = page[-1]

        assert paged == list(range(10, 0, -1))

    def test_pages_of_executions_hold_each_once_while_phases_change_and_others_come(
        self, store: Store
    ):
        launch(store, *range(1, 101), phase=Phase.WAITING)
        found: list[int] = []
        before, new = None, 100
        while page := keys(store, phases=(Phase.WAITING, Phase.RUNNING), before=before, limit=7):
            found += page
            before = page[-1]
            moved = [
                PhaseRow(before, Phase.SUCCEEDED, NOON),
                PhaseRow(page[0], Phase.RUNNING, NOON),
            ]
            store.journal.append(Batch(phases=moved))
            new += 1
            launch(store, new, phase=Phase.WAITING)

        assert found == list(range(100, 0, -1))

    def test_executions_are_filtered_by_phase_workflow_project_and_domain(self, store: Store):
        launch(store, 1, 2, series=Series("p1", "dev", "report"))
        launch(store, 3, series=Series("p2", "dev", "train"), phase=Phase.FAILED)

        assert keys(store, phases=(Phase.FAILED,)) == [3]
        assert keys(store, phases=(Phase.FAILED, Phase.QUEUED)) == [3, 2, 1]
        assert keys(store, phases=(Phase.ABORTED,)) == []
        assert keys(store, workflow="train") == [3]
        assert keys(store, workflow="tra") == []
        assert keys(store, project="p1") == [2, 1]
        assert keys(store, domain="dev") == [3, 2, 1]
        assert keys(store, project="p1", workflow="train") == []
        assert keys(store, project="p1", before=2) == [1]

    def test_executions_are_listed_by_how_they_ended(self, store: Store):
        endings = {
            1: Ending("rejected", "too dear", "ben", NodeId("n1"), "go"),
            2: Ending("timed_out", "nobody answered", "", NodeId("n1"), "go"),
            3: Ending("failed", "ValueError: a"),
            4: Ending("aborted", "wrong dates", "ann"),
            5: None,
            6: None,
        }
        phases = {4: Phase.ABORTED, 5: Phase.SUCCEEDED, 6: Phase.RUNNING}
        launch(store, *endings)
        rows = [
            PhaseRow(key, phases.get(key, Phase.FAILED), NOON, ending)
            for key, ending in endings.items()
        ]
        assert not store.journal.append(Batch(phases=rows))

        def found(**query: Any) -> list[int]:
            return [row.key for row in store.listings.executions(ExecutionQuery(**query)).rows]

        for text in ("", "e"):
            where = Narrowing(text=text)
            assert found(where=where, endings=("rejected",)) == [1]
            assert found(where=where, endings=("timed_out", "aborted")) == [4, 2]
            assert found(where=where, endings=("failed",)) == [3]
            assert found(where=where, phases=(Phase.FAILED,)) == [3, 2, 1]
            assert found(where=where, phases=(Phase.RUNNING,), endings=("rejected",)) == [6, 1]
            assert found(where=where) == [6, 5, 4, 3, 2, 1]
        listed = store.listings.executions(ExecutionQuery()).rows
        assert {row.key: row.ending for row in listed} == endings
        one = store.journal.find("e1")
        assert one is not None
        assert one.ending == endings[1]
        assert store.journal.active() == [6]

    @pytest.mark.parametrize("many", [False, True])
    def test_executions_are_found_by_when_they_were_launched(self, store: Store, many, spans):
        spans(1 if many else 1000)
        launch(store, 1, 2, 3)
        # The clock went back, and on again.
        launch(store, 4, at=NOON - 3)
        launch(store, 5, 6)

        assert keys(store, since=NOON + 2) == [6, 5, 3, 2]
        assert keys(store, until=NOON + 2) == [4, 1]
        assert keys(store, since=NOON + 1, until=NOON + 3) == [4, 2, 1]
        assert keys(store, since=NOON + 1, until=NOON + 3, limit=2) == [4, 2]
        assert keys(store, since=NOON + 1, until=NOON + 3, limit=2, before=2) == [1]
        assert keys(store, since=NOON + 9) == []
        assert keys(store, since=NOON + 3, until=NOON + 1) == []
        assert keys(store, "report", since=NOON + 3) == [6, 5, 3]
        assert keys(store, "e3", since=NOON + 3) == [3]
        assert keys(store, "e3", since=NOON + 4) == []

    # -- who may see what --

    @pytest.mark.parametrize(("within", "seen"), SEEN)
    def test_executions_of_other_places_are_not_listed(self, store: Store, within, seen):
        launch_in_places(store)

        found = keys(store, within=within)

        assert found == sorted(seen, reverse=True)
        assert keys(store, within=within, limit=1) == found[:1]

    @pytest.mark.parametrize(("within", "seen"), SEEN)
    def test_what_waits_in_other_places_is_not_listed(self, store: Store, within, seen):
        launch_in_places(store)

        rows = listed(store, within=within)
        assert {row.wait.key for row in rows} == seen
        assert len(rows) == 2 * len(seen)
        dues = [row.wait.due or 0 for row in rows]
        assert dues == sorted(dues)
        after, found = None, []
        while page := listed(store, within=within, after=after, limit=2):
            found += page
            after = page[-1].mark
        assert found == rows

    def test_a_new_project_is_seen_by_who_may_see_it_at_once(self, store: Store):
        assert keys(store, within=(("p*", "*"),)) == []
        for number in range(1, 4):
            series = Series(f"p{number}", "", "report")
            launch(store, number, series=series)
            open_waits(store, wait(number, series=series))
            assert keys(store, within=(("p*", "*"),)) == list(range(number, 0, -1))
            assert len(listed(store, project=f"p{number}")) == 1

    # -- everything at once --

    @pytest.mark.parametrize("projects", [2, 60])
    def test_any_list_holds_what_is_meant_in_order_in_pages_of_any_size(
        self, store: Store, projects, small_search
    ):
        small_search(examined=50)
        shop = Shop(store, projects, 15, projects)
        every_wait = waits(store, kinds=(), limit=10**6)
        assert sorted(every_wait, key=repr) == sorted(shop.waits.values(), key=repr)
        for _ in range(150):
            where, chance = shop.question(), shop.chance
            kinds = chance.choice(((), ("input", "approve"), ("sleep",)))
            size = chance.choice((1, 3, 100))
            expected = [
                row
                for row in every_wait
                if (not kinds or row.kind in kinds)
                and meant(where, row.series, row.name, row.shown.title, row.execution)
            ]
            found = []
            for page in pages_of_waits(store, where=where, kinds=kinds, limit=size):
                assert len(page.rows) <= size
                found += [row.wait for row in page.rows]
            assert found == expected, where

    @pytest.mark.parametrize("projects", [2, 60])
    def test_any_list_of_executions_holds_what_is_meant_newest_first(
        self, store: Store, projects, small_search, spans
    ):
        small_search(examined=50)
        spans(30)
        shop = Shop(store, projects, 15, projects)
        for _ in range(150):
            where, chance = shop.question(), shop.chance
            phases = chance.choice(((), (), (Phase.FAILED,), (Phase.RUNNING, Phase.WAITING)))
            since = chance.choice((None, None, NOON + chance.randrange(300)))
            until = chance.choice((None, None, NOON + chance.randrange(300)))
            size = chance.choice((1, 3, 100))
            expected = [
                row
                for row in reversed(shop.executions.values())
                if (not phases or row.phase in phases)
                and (since is None or row.launched >= since)
                and (until is None or row.launched < until)
                and meant(where, row.series, row.id)
            ]
            found: list[ExecutionRow] = []
            span = {"since": since, "until": until}
            for page in pages_of_executions(store, where=where, phases=phases, limit=size, **span):
                assert len(page.rows) <= size
                found += page.rows
            assert found == expected, (where, phases, since, until)
