"""What every store promises of a search for a text. Used as `JournalContract` is."""

import pytest
from tests.contract.store_rows import (
    NOON,
    keys,
    launch,
    listed,
    nodes,
    open_waits,
    pages_of_executions,
    pages_of_waits,
    titled,
    wait,
    waits,
    workflow,
)

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.ir.graph import SECOND
from tidegate.ports.journal import Batch, Counts, LaunchRow, Series, WaitEnd, WaitRow
from tidegate.ports.listings import Narrowing, Page
from tidegate.ports.store import Store

FOLDED = [
    ("Straße", "STRASSE"),
    ("STRASSE", "straße"),
    ("Straße", "aß"),
    ("GROẞ", "gross"),
    ("ÜBERSICHT", "übersicht"),
    ("\u0130stanbul", "i\u0307stanbul"),
    ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("σίσυφος", "ΦΟΣ"),
    ("ﬁnance", "FIN"),
    ("Ǆungla", "ǆun"),
    ("ЁЛКА", "ёлк"),
    ("Kelvin 5K", "5\u212a"),
    ("日本語の題", "本語の"),
    ("\U00010400BC", "\U00010428bc"),
    ("a\u0308bc", "a\u0308b"),
]

LITERAL = [
    "100%", "%%%", "a_b", "___", "it's", "''", '"so"', '"', "c\\d", "\\\\", "a*b", "***", "^a$", "[a-z]", "a?c",
    "(x OR y)", "NOT x", "x AND y", "NEAR(a b)", "{a b}", "-x", "a:b", "line\nbreak", "tab\there", "a\x01b", "a\x00bc", "\x00", "bc\x00",
    "..", "  ", "a b", "--", "/*", ";", "☃", "\U0001f600!!", "\ufffe..", "🇩🇪🇫🇷",
]  # fmt: skip


class SearchContract:
    """The promises. `store` is a fixture of the subclass."""

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("run-10", ["run-100.x", "run-10"]),
            ("100", ["run-100.x"]),
            (".", ["run-100.x"]),
            ("_", ["a_b"]),
            ("RUN-10", ["run-100.x", "run-10"]),
            ("C-D", ["C-d"]),
            ("c-d", ["C-d"]),
            ("repor", ["C-d", "a_b", "run-100.x", "run-10"]),
            ("A REPORT", ["C-d", "a_b", "run-100.x", "run-10"]),
            ("run-100.x", ["run-100.x"]),
            ("run-100.x.", []),
            ("nothing", []),
        ],
    )
    def test_a_text_finds_parts_of_ids_and_of_names_of_workflows(self, store: Store, text, found):
        series = Series("", "", "a Report")
        number = store.catalog.put_workflow(workflow("a Report")).id
        ids = ["run-10", "run-100.x", "a_b", "C-d"]
        rows = [LaunchRow(i + 1, id_, number, NOON, series=series) for i, id_ in enumerate(ids)]
        store.journal.append(Batch(rows))
        open_waits(store, *(wait(i + 1, series=series, execution=id_) for i, id_ in enumerate(ids)))

        assert [ids[key - 1] for key in keys(store, text)] == found
        assert [row.execution for row in waits(store, text)] == found[::-1]

    def test_a_wait_is_found_by_its_name_its_title_its_execution_and_its_workflow(
        self, store: Store
    ):
        launch(store, 1)
        launch(store, 2, series=Series("", "", "train"))
        open_waits(
            store,
            wait(1, "n1", name="budget", shown=titled("Invoice 4711")),
            wait(1, "n2", name="other"),
            wait(2, "n1", name="budget 2", series=Series("", "", "train")),
        )

        assert nodes(waits(store, "budget")) == [(1, "n1"), (2, "n1")]
        assert nodes(waits(store, "voice 47")) == [(1, "n1")]
        assert nodes(waits(store, "e1")) == [(1, "n1"), (1, "n2")]
        assert nodes(waits(store, "trai")) == [(2, "n1")]
        assert nodes(waits(store, "budgetinvoice")) == []
        assert keys(store, "budget") == []

    @pytest.mark.parametrize(("name", "text"), FOLDED)
    @pytest.mark.parametrize("entered", [False, True])
    def test_case_is_folded_as_unicode_does(self, store: Store, name, text, entered, small_search):
        small_search(pending=2 if entered else 1000)
        launch(store, 1, 2, 3)
        series = Series("", "", name)
        launch(store, 4, series=series)
        open_waits(
            store,
            wait(1, name=f"in {name} it is"),
            wait(2, name="x", shown=titled(f"a {name}")),
            wait(3, name="something else"),
            wait(4, name="x", series=series),
        )
        launch(store, 5, 6, 7)

        assert [row.key for row in waits(store, text)] == [1, 2, 4]
        assert keys(store, text) == [4]

    @pytest.mark.parametrize("text", LITERAL)
    @pytest.mark.parametrize("entered", [False, True])
    def test_no_character_means_anything_else_than_itself(
        self, store: Store, text, entered, small_search
    ):
        small_search(pending=2 if entered else 1000)
        launch(store, *range(1, 6))
        near = "aXb abc it?s cd 100! line break y x b"

        def named(key: int, name: str) -> WaitRow:
            # A name is printable; a title is made of values, and may hold anything.
            return wait(key, name="x", shown=titled(name)) if "\0" in name else wait(key, name=name)

        open_waits(
            store,
            named(1, f"before{text}after"),
            named(2, text),
            wait(3, name=near),
            wait(4, name="x", shown=titled(f"{text}...")),
            wait(5, name="\ufffd\ufffd\ufffd"),
        )
        launch(store, 6, 7, 8)

        expected = [1, 2, 4] if text not in near else [1, 2, 3, 4]
        assert sorted(row.key for row in waits(store, text)) == expected
        assert sorted(row.key for row in waits(store, text.upper())) == expected

    @pytest.mark.parametrize("length", [1, 2, 3, 4, 33, 40, 300])
    def test_a_text_of_any_length_is_found(self, store: Store, length, small_search):
        small_search()
        whole = "".join(chr(ord("a") + i % 23) + chr(ord("A") + i % 19) for i in range(200))
        launch(store, *range(1, 20))
        open_waits(store, wait(5, name=whole), wait(6, name="0" * 400))
        launch(store, *range(20, 40))

        assert [row.key for row in waits(store, whole[20 : 20 + length])] == [5]
        assert waits(store, whole[20 : 19 + length] + "!") == []

    def test_rows_are_found_before_and_after_they_are_in_the_index(
        self, store: Store, small_search
    ):
        small_search(pending=10)
        for key in range(1, 50):
            launch(store, key)
            open_waits(store, wait(key, name=f"needle {key}"))
            assert [row.key for row in waits(store, "NEEDLE")] == list(range(1, key + 1))
            assert [row.key for row in waits(store, f"needle {key}")] == [key]
            assert keys(store, f"e{key}", limit=1) == [key]

    def test_what_waits_long_after_its_launch_is_found(self, store: Store, small_search):
        small_search(pending=10)
        launch(store, *range(1, 100))
        for key in range(1, 100):
            open_waits(store, wait(key, name=f"needle {key}"), wait(key, "n2", name="hay"))
            assert [row.key for row in waits(store, "needle")] == list(range(1, key + 1))

    def test_what_waits_for_something_else_by_now_is_found_by_that_alone(
        self, store: Store, small_search
    ):
        small_search(pending=10)
        launch(store, *range(1, 60))
        for key in range(1, 60):
            open_waits(store, wait(key, name="first question"))
        for key in range(1, 60, 2):
            store.journal.append(Batch(ends=[WaitEnd(key, "n1")]))
            open_waits(store, wait(key, "n2", name="second question"))
            # The same node may wait for something new, too.
            open_waits(store, wait(key + 1, name="third question"))

        assert [row.key for row in waits(store, "first q")] == [
            k for k in range(2, 60, 2) if k > 60
        ]
        assert [row.key for row in waits(store, "second q")] == list(range(1, 60, 2))
        assert [row.key for row in waits(store, "third q", limit=1000)][:29] == list(
            range(2, 60, 2)
        )

    def test_what_waits_no_more_is_not_found_and_leaves_the_index(self, store: Store, small_search):
        small_search(pending=5, sweep=7)
        for key in range(1, 301):
            launch(store, key)
            open_waits(store, wait(key, name="needle"))
            if key % 10:
                end = Batch(ends=[WaitEnd(key, "n1")], counts=Counts(waits={"input": -1}))
                store.journal.append(end)

        assert [row.key for row in waits(store, "needle")] == list(range(10, 301, 10))
        assert store.problems() == []

    def test_a_text_that_few_have_is_found_wherever_it_stands(self, store: Store, small_search):
        small_search(glance=5, candidates=20)
        launch(store, *range(1, 201))
        open_waits(
            store, *(wait(k, opened=k * SECOND, name="common") for k in range(1, 201) if k != 150)
        )
        open_waits(store, wait(150, opened=150 * SECOND, name="rare"))

        assert [row.key for row in waits(store, "rare")] == [150]
        assert keys(store, "e150") == [150]

    def test_a_text_that_many_have_is_found_from_any_place_on(self, store: Store, small_search):
        small_search(glance=5, candidates=20)
        launch(store, *range(1, 201))
        names = {k: "often" if k > 100 else "other" for k in range(1, 201)}
        open_waits(store, *(wait(k, opened=k * SECOND, name=name) for k, name in names.items()))

        assert [row.key for row in waits(store, "often", limit=3)] == [101, 102, 103]
        assert [row.key for row in waits(store, "often", limit=1000)] == list(range(101, 201))
        assert [row.key for row in waits(store, "name-of", limit=3)] == []
        assert keys(store, "e", limit=3) == [200, 199, 198]

    def test_a_text_and_a_project_narrow_together(self, store: Store, small_search):
        small_search(glance=5, candidates=20)
        for number in range(1, 101):
            series = Series(f"p{number % 10}", "", "report")
            launch(store, number, series=series, phase=Phase.WAITING)
            name = "needle" if number % 7 == 0 else "hay"
            open_waits(store, wait(number, name=name, opened=number * SECOND, series=series))

        expected = [k for k in range(1, 101) if k % 10 == 4 and k % 7 == 0]
        assert [row.key for row in waits(store, "needle", project="p4")] == expected
        assert [row.key for row in waits(store, "needle", within=(("p4", "*"),))] == expected
        assert waits(store, "needle", project="p99") == []
        assert keys(store, "e1", project="p4") == [14]
        assert keys(store, "REPORT", project="p4", limit=2) == [94, 84]

    @pytest.mark.parametrize("within", [None, (("p1", "*"),), (("p*", "*"),)])
    def test_a_search_that_is_given_up_says_where_to_go_on_and_so_finds_all(
        self, store: Store, small_search, within
    ):
        """A text of two characters is in no index, and this one stands where a page does not come to."""
        small_search(glance=5, examined=30)
        for key in range(1, 301):
            series = Series(f"p{key % 3}", "", "report")
            launch(store, key, series=series)
            name = "zz" if key in (151, 277) else "hay"
            open_waits(store, wait(key, name=name, opened=key * SECOND, series=series))
        admitted = [row.mark for row in listed(store, within=within, limit=1_000)]
        where = Narrowing(within=within, text="zz")

        pages = list(pages_of_waits(store, where=where, limit=10))

        assert [row.wait.key for page in pages for row in page.rows] == [151, 277]
        assert len(pages) >= len(admitted) // 30
        # Nobody learns from a cursor of what they may not see.
        assert {page.rest for page in pages} <= {None, *admitted}
        assert pages[0] == Page([], admitted[29])

    @pytest.mark.parametrize("within", [None, (("p1", "*"),), (("p*", "*"),)])
    def test_a_search_of_executions_that_is_given_up_goes_on_alike(
        self, store: Store, small_search, within
    ):
        small_search(glance=5, examined=30)
        for key in range(1, 301):
            ids = "zz" if key in (31, 151) else "e"
            launch(store, key, series=Series(f"p{key % 3}", "", "report"), ids=ids)
        admitted = keys(store, within=within, limit=1_000)
        where = Narrowing(within=within, text="zz")

        pages = list(pages_of_executions(store, where=where, limit=10))

        assert [row.key for page in pages for row in page.rows] == [151, 31]
        assert len(pages) >= len(admitted) // 30
        assert {page.rest for page in pages} <= {None, *admitted}
        assert pages[0] == Page([], admitted[29])

    def test_a_page_that_is_full_is_not_given_up(self, store: Store, small_search):
        small_search(glance=5, examined=30)
        launch(store, *range(1, 101))
        open_waits(store, *(wait(key, name="zz", opened=key * SECOND) for key in range(1, 101)))
        where = Narrowing(text="zz")

        assert [len(page.rows) for page in pages_of_waits(store, where=where, limit=20)] == [20] * 5
        assert all(page.rest is None for page in pages_of_waits(store, where=where, limit=20))
