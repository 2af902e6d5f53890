"""What every store promises of lists of questions in another order, of one group of due times, and of their counts. Used as `JournalContract` is."""

from typing import Any

import pytest
from tests.contract.listings_contract import PLACES, launch_in_places
from tests.contract.store_rows import NOON, launch, listed, open_waits, wait

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.core.waits import Shown
from tidegate.errors import InvalidValue
from tidegate.ir.graph import SECOND, Instant
from tidegate.ports.journal import Series
from tidegate.ports.listings import NEVER_DUE, Sort, Span
from tidegate.ports.store import Store


class SortingContract:
    """Tests of the order, the due times and the counts of a store's lists."""

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("by", ["opened", "title", "figure", "due"])
    def test_waits_are_sorted_by_what_lists_show_in_pages_of_any_size(
        self, store: Store, by, descending
    ):
        values = {1: 7, 2: None, 3: -1.5, 4: "b", 5: 7, 6: "a", 7: None, 8: 30, 9: True}
        launch(store, *values)
        open_waits(
            store,
            *(
                wait(
                    key,
                    opened=NOON - key % 4,
                    due=None if value is None else NOON + key % 3 * 90 * SECOND,
                    shown=Shown(title=f"Item {key}", figures=(("n", value), ("m", 1))),
                )
                for key, value in values.items()
            ),
        )
        sort = Sort(by, "n" if by == "figure" else "", descending)
        expected = {
            # Of equals, the soonest due comes first, then the oldest execution; what has no value is last.
            ("opened", False): [3, 7, 6, 2, 9, 1, 5, 4, 8],
            ("opened", True): [4, 8, 9, 1, 5, 6, 2, 3, 7],
            ("title", False): [1, 2, 3, 4, 5, 6, 7, 8, 9],
            ("title", True): [9, 8, 7, 6, 5, 4, 3, 2, 1],
            ("figure", False): [3, 9, 1, 5, 8, 6, 4, 2, 7],
            ("figure", True): [4, 6, 8, 1, 5, 9, 3, 2, 7],
            ("due", False): [3, 6, 9, 1, 4, 5, 8, 2, 7],
            ("due", True): [5, 8, 1, 4, 3, 6, 9, 2, 7],
        }[by, descending]

        for limit in (1, 2, 5, 100):
            found, after = [], None
            while page := listed(store, sort=sort, after=after, limit=limit):
                found += [row.wait.key for row in page]
                after = page[-1].mark
            assert found == expected, limit

    def test_a_page_of_another_order_is_refused(self, store: Store):
        launch(store, 1, 2)
        open_waits(store, wait(1), wait(2))
        plain = listed(store, limit=1)[0].mark
        opened = listed(store, sort=Sort("opened"), limit=1)[0].mark

        for after, sort in ((plain, Sort("opened")), (opened, Sort("title")), (opened, Sort("opened", "", True))):  # fmt: skip
            with pytest.raises(InvalidValue, match="of a list in another order"):
                listed(store, sort=sort, after=after)

    def test_what_is_sorted_is_narrowed_as_well(self, store: Store):
        launch_in_places(store)

        found = listed(store, "E3", sort=Sort("title", "", True), within=(("flow*", "*"),))

        assert [(row.wait.key, row.wait.node) for row in found] == [(3, "n2"), (3, "n1")]

    @pytest.mark.parametrize("text", ["", "name"])
    def test_waits_are_narrowed_by_when_they_are_due_to_the_minute(self, store: Store, text):
        minute, hour = 60 * SECOND, 3_600 * SECOND
        base = NOON - NOON % hour
        dues = {1: base, 2: base + 59 * minute, 3: base + hour, 4: base + 30 * hour, 5: None}
        launch(store, *dues)
        open_waits(store, *(wait(key, opened=base - hour, due=due) for key, due in dues.items()))

        def found(due: Span | None, **more: Any) -> list[int]:
            return [row.wait.key for row in listed(store, text, due=due, **more)]

        assert found(None) == [1, 2, 3, 4, 5]
        assert found(Span(None, Instant(base + hour))) == [1, 2]
        assert found(Span(Instant(base + hour), None)) == [3, 4]
        assert found(Span(Instant(base + minute), Instant(base + 2 * hour))) == [2, 3]
        assert found(NEVER_DUE) == [5]
        assert found(Span()) == [1, 2, 3, 4]
        assert found(Span(Instant(base + hour), None), sort=Sort("opened")) == [3, 4]

    @pytest.mark.parametrize("text", ["q3", "churn", "0.91", "may it", "e2"])
    def test_a_wait_is_found_by_its_title_figures_prompt_and_execution(self, store: Store, text):
        launch(store, 1, 2)
        shown = Shown(title="Report of Q3", figures=(("auc", 0.91), ("model", "Churn")))
        open_waits(store, wait(1), wait(2, shown=shown, words="May it go out?"))

        assert [row.wait.key for row in listed(store, text)] == [2]

    def test_waits_are_counted_by_series_up_to_a_limit(self, store: Store):
        launch_in_places(store)
        launch(store, 9, series=Series("flow", "dev", "other"), phase=Phase.WAITING)
        nap = wait(9, "n1", "sleep", due=NOON, series=Series("flow", "dev", "other"))
        open_waits(store, nap)

        def counted(within: Any = None, most: int = 10) -> dict[tuple[str, ...], Any]:
            found = store.listings.waits_by_series(("input", "approve"), within, most)
            return {tuple(each.series): (each.count, each.soonest) for each in found}

        places = {
            (*place, "report"): (2, NOON + (100 - key) * SECOND) for key, place in PLACES.items()
        }
        assert counted() == places
        assert counted((("flow", "*"),)).keys() == {
            ("flow", "dev", "report"),
            ("flow", "live", "report"),
        }
        assert {count for count, _ in counted(most=1).values()} == {1}
        assert counted(()) == {}
