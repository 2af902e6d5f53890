"""Rows of large values, by the processes that read them: what is shown is what is there, and what is too much is ended."""

import io
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from tidegate.errors import (
    InvalidValue,
    NotATable,
    RateLimited,
    StoreError,
    TableTooLarge,
)
from tidegate.parts import Parts
from tidegate.ports.tables import TableAsk, TableSource
from tidegate.tables import readers as module
from tidegate.tables.readers import TableReaders

WAIT = 60
ROWS = [
    {
        "name": f"row {n}",
        "amount": n * 1.5,
        "n": n,
        "new": n % 7 == 0,
        "due": f"2026-01-{n % 28 + 1:02}",
    }
    for n in range(500)
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[TableReaders]:
    readers = TableReaders(tmp_path_factory.mktemp("tables") / "tables", Parts().part)
    yield readers
    readers.close()


@pytest.fixture
def readers(tmp_path: Path) -> Iterator[TableReaders]:
    readers = TableReaders(tmp_path / "tables", Parts().part)
    yield readers
    readers.close()


KEYS = iter(range(10**6))


def source(content: bytes, form: str) -> TableSource:
    return TableSource(f"{next(KEYS):064x}", form, len(content), lambda: iter([content]))


def records(value) -> TableSource:
    return source(json.dumps(value).encode(), "records")


def ask(readers: TableReaders, of: TableSource, what: str = "rows", who: str = "ann", **query):
    return json.loads(readers.ask(of, TableAsk(what, query), who).result(WAIT))


def names(told) -> list[str]:
    return [each["name"] for each in told["columns"]]


def types(told) -> dict[str, str]:
    return {each["name"]: each["type"] for each in told["columns"]}


def test_records_are_pages_of_all_their_rows_and_columns(shared):
    of = records(ROWS)

    first = ask(shared, of, limit=3)
    last = ask(shared, of, offset=498, limit=3)

    assert (first["total"], first["matching"], first["wide"]) == (500, 500, 5)
    assert first["rows"][2] == ["row 2", 3.0, 2, False, "2026-01-03"]
    assert [row[2] for row in last["rows"]] == [498, 499]
    assert types(first) == {
        "name": "text",
        "amount": "number",
        "n": "integer",
        "new": "boolean",
        "due": "date",
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"sort": ["-amount"]}, [499, 498, 497]),
        ({"sort": ["new", "-n"]}, [499, 498, 496]),
        ({"sort": ["-amount"], "offset": 2}, [497, 496, 495]),
        ({"filter": [{"column": "amount", "op": "ge", "value": 745.5}]}, [497, 498, 499]),
        ({"filter": [{"column": "new", "op": "eq", "value": True}]}, [0, 7, 14]),
        ({"filter": [{"column": "due", "op": "gt", "value": "2026-01-27"}]}, [27, 55, 83]),
        ({"filter": [{"column": "name", "op": "contains", "value": "ROW 49"}]}, [49, 490, 491]),
        ({"q": "ROW 49"}, [49, 490, 491]),
        ({"q": "w 49"}, [49, 490, 491]),
        ({"q": "747"}, [498]),
        ({"q": "2026-01-28"}, [27, 55, 83]),
        (
            {"q": "row 4", "sort": ["-n"], "filter": [{"column": "n", "op": "lt", "value": 400}]},
            [49, 48, 47],
        ),
    ],
)
def test_rows_are_sorted_filtered_and_searched_over_all_of_them(shared, query, expected):
    told = ask(shared, records(ROWS), limit=3, **query)

    assert [row[2] for row in told["rows"]] == expected
    assert told["numbers"] == expected


def test_the_next_page_of_a_search_goes_on_where_the_first_one_ended(shared):
    of = records(ROWS)
    pages = [ask(shared, of, q="row 4", offset=at, limit=50) for at in (0, 50, 100)]

    numbers = [number for page in pages for number in page["numbers"]]

    assert numbers == [n for n in range(500) if str(n).startswith("4")]
    assert {page["matching"] for page in pages} == {len(numbers)}


def test_columns_are_chosen_by_position_and_those_left_out_are_counted(shared):
    wide = records([{f"c{n}": n for n in range(60)}])

    told = ask(shared, wide, columns="0-2,57")

    assert (names(told), told["rows"], told["wide"]) == (
        ["c0", "c1", "c2", "c57"],
        [[0, 1, 2, 57]],
        60,
    )


def test_a_long_cell_is_cut_and_said_to_be(shared):
    of = records([{"a": "x", "b": "y" * 5_000}, {"a": "é" * 1_000, "b": ""}])

    told = ask(shared, of)
    whole = ask(shared, of, columns="1", limit=1, cell=5_000)

    assert told["cut"] == [[0, 1]]
    assert [len(cell) for row in told["rows"] for cell in row] == [1, 1_000, 1_000, 0]
    assert (whole["rows"], whole["cut"]) == ([["y" * 5_000]], [])


def test_a_page_of_long_cells_is_cut_to_a_bounded_reply_and_says_so(shared):
    of = records([{f"c{n}": "x" * 20_000 for n in range(10)} for _ in range(40)])

    told = ask(shared, of, cell=20_000)

    assert len(told["cut"]) == 400
    assert sum(len(cell) for row in told["rows"] for cell in row) <= 5 * 1024 * 1024


@pytest.mark.parametrize(
    "rows",
    [
        [{"a": "007"}, {"a": "7"}],
        [{"a": ""}, {"a": None}, {"a": "null"}, {"a": "NULL"}],
        [{"a": 'quo"te,\n\r\n'}, {"a": "\u202e\x00"[:1]}, {"a": "'; DROP TABLE hits; --"}],
        [{"a": True}, {"a": None}],
        [{"a": 2**53 + 1}, {"a": -(2**63)}],
        [{"a": 0.1}, {"a": 1e300}, {"a": -0.5}],
        [{"a": "2026-02-30"}, {"a": "2026-01-01"}],
    ],
)
def test_what_is_shown_is_what_is_there(shared, rows):
    assert ask(shared, records(rows))["rows"] == [[row["a"]] for row in rows]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"a": 2**64}, {"a": 1}], ["18446744073709551616", "1"]),
        ([{"a": [1, 2]}, {"a": {"b": 1}}], ["[1,2]", '{"b":1}']),
        ([{"a": 1}, {"a": "x"}], ["1", "x"]),
    ],
)
def test_what_has_no_one_type_is_shown_as_it_is_written(shared, rows, expected):
    assert [row[0] for row in ask(shared, records(rows))["rows"]] == expected


def test_names_that_differ_in_case_only_or_would_be_sql_are_columns_like_others(shared):
    told = ask(
        shared, records([{"Name": 1, "name": 2, 'a"b; --': 3, "": 4, "r": 5}]), sort=["-name"]
    )

    assert (names(told), told["rows"]) == (["Name", "name", 'a"b; --', "", "r"], [[1, 2, 3, 4, 5]])


def test_a_code_with_leading_zeros_stays_a_text_and_a_number_is_a_number(shared):
    text = "code,n,amount,day,at,yes\n0042,1,1.50,2026-01-02,2026-01-02 03:04:05,true\n7,20,-3,2026-02-03,,false\n"

    told = ask(shared, source(text.encode(), "csv"), sort=["-n"])

    assert told["rows"] == [
        ["7", 20, -3.0, "2026-02-03", None, False],
        ["0042", 1, 1.5, "2026-01-02", "2026-01-02T03:04:05", True],
    ]
    assert list(types(told).values()) == ["text", "integer", "number", "date", "instant", "boolean"]


def test_a_later_row_that_is_not_a_number_loses_nothing_of_the_earlier_ones(shared):
    text = "n\n" + "".join(f"{n}\n" for n in range(200_000)) + "0042\nn/a\n"

    told = ask(shared, source(text.encode(), "csv"), offset=199_999)

    assert told["rows"] == [["199999"], ["0042"], ["n/a"]]
    assert told["total"] == 200_002


def test_parquet_arrow_and_arrays_are_tables(shared):
    table = pa.table(
        {
            "when": pa.array([0, 10**15], pa.timestamp("us", "UTC")),
            "price": pa.array(["1.10", None]).cast(pa.decimal128(10, 2)),
            "tags": [["a"], []],
        }
    )
    file = io.BytesIO()
    parquet.write_table(table, file)
    sink = io.BytesIO()
    with ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    expected = [["1970-01-01T00:00:00Z", 1.1, '["a"]'], ["2001-09-09T01:46:40Z", None, "[]"]]

    assert ask(shared, source(file.getvalue(), "parquet"))["rows"] == expected
    assert ask(shared, source(sink.getvalue(), "arrow"))["rows"] == expected

    array = io.BytesIO()
    np.save(array, np.arange(6, dtype=">i4").reshape(3, 2, order="F"))
    told = ask(shared, source(array.getvalue(), "npy"))
    assert (names(told), told["rows"]) == (["1", "2"], [[0, 3], [1, 4], [2, 5]])
    floats = io.BytesIO()
    np.save(floats, np.array([1.5, np.nan, np.inf], "f2"))
    assert ask(shared, source(floats.getvalue(), "npy"))["rows"] == [[1.5], ["NaN"], ["Infinity"]]


def test_an_array_that_would_run_a_program_is_refused(shared):
    array = io.BytesIO()
    np.save(array, np.array([{"a": 1}], object), allow_pickle=True)

    with pytest.raises(NotATable):
        ask(shared, source(array.getvalue(), "npy"))


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"PAR1 nothing", "parquet"),
        (b"ARROW1 nothing", "arrow"),
        (b"\x93NUMPY nothing", "npy"),
        (b'"text"', "records"),
        (b"[1,2]", "records"),
        (b"[[[1]]", "records"),
        (b"{}", "records"),
    ],
)
def test_what_is_not_a_table_is_refused_and_the_next_one_is_read(shared, content, form):
    with pytest.raises(NotATable):
        ask(shared, source(content, form))

    assert ask(shared, records([{"a": 1}]))["rows"] == [[1]]


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ({"sort": ["nothing"]}, "sort"),
        ({"filter": [{"column": "nothing", "op": "eq", "value": 1}]}, "filter"),
        ({"filter": [{"column": "n", "op": "like", "value": 1}]}, "filter"),
        ({"filter": [{"column": "n", "op": "eq", "value": "1 OR 1=1"}]}, "filter"),
        ({"filter": [{"column": "new", "op": "eq", "value": 1}]}, "filter"),
        ({"columns": "x"}, "columns"),
    ],
)
def test_a_query_that_does_not_fit_the_table_names_its_part(shared, query, part):
    with pytest.raises(InvalidValue) as refused:
        ask(shared, records(ROWS), **query)

    assert refused.value.faults[0].path == (part,)


def test_a_profile_counts_every_row(shared):
    rows = [{"amount": n - 10, "kind": "ab"[n % 2] if n % 10 else None} for n in range(100)]

    amount, kind = ask(shared, records(rows), "profile")["columns"]

    assert (amount["min"], amount["max"], amount["sum"], amount["mean"], amount["median"]) == (
        -10,
        89,
        3950,
        39.5,
        39.5,
    )
    assert (amount["negative"], amount["missing"], amount["distinct"], amount["exact"]) == (
        10,
        0,
        100,
        True,
    )
    assert (sum(amount["histogram"]["counts"]), amount["histogram"]["low"]) == (100, -10)
    assert (kind["missing"], kind["distinct"], kind["top"]) == (10, 2, [["b", 50], ["a", 40]])


def test_a_profile_of_many_rows_is_estimated_and_says_so(shared):
    text = "n\n" + "".join(f"{n}\n" for n in range(300_000))

    (column,) = ask(shared, source(text.encode(), "csv"), "profile")["columns"]

    assert (column["exact"], column["min"], column["max"], column["missing"]) == (
        False,
        0,
        299_999,
        0,
    )
    assert column["sum"] == sum(range(300_000))
    assert abs(column["distinct"] - 300_000) < 30_000
    assert sum(column["histogram"]["counts"]) == 300_000


def test_dates_have_a_range_and_bars(shared):
    rows = [{"day": f"2026-01-{n % 28 + 1:02}"} for n in range(280)]

    (day,) = ask(shared, records(rows), "profile")["columns"]

    assert (day["min"], day["max"], day["distinct"]) == ("2026-01-01", "2026-01-28", 28)
    assert sum(day["histogram"]["counts"]) == 280


def test_a_table_is_converted_once(readers, tmp_path):
    opened = iter([[b"a\n1\n2\n"]])
    of = TableSource("a" * 64, "csv", 10, lambda: next(opened))

    for _ in range(3):
        assert ask(readers, of)["total"] == 2

    assert list(opened) == []
    assert list((tmp_path / "tables" / "new").iterdir()) == []


def test_what_was_converted_longest_ago_goes_when_it_is_too_much(readers, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_KEPT", 2_000)
    rows = [{"a": os.urandom(8).hex()} for _ in range(20)]

    for _ in range(8):
        ask(readers, records(rows))

    kept = list((tmp_path / "tables").glob("*.parquet"))
    assert 0 < sum(path.stat().st_size for path in kept) <= 2_000
    assert len(list((tmp_path / "tables").glob("*.json"))) == len(kept)


def test_a_request_that_takes_too_long_ends_and_the_next_is_answered(readers, monkeypatch):
    others = children()
    of = source(b"a\n" + b"1\n" * 200_000, "csv")
    ask(readers, of)
    before = children() - others
    monkeypatch.setattr(module, "TIME", 0.0)

    with pytest.raises(TableTooLarge, match="longer than 0 seconds"):
        ask(readers, of, "profile")

    assert before
    assert not before & children()
    monkeypatch.setattr(module, "TIME", 10.0)
    assert ask(readers, of)["total"] == 200_000


def children() -> set[int]:
    return {each.pid for each in psutil.Process().children()}


def test_a_table_that_needs_too_much_memory_ends_its_reader_and_nothing_else(readers):
    cell = b"x" * 1000
    bomb = io.BytesIO()
    # 2 GB in one row group, 100 KB in the file.
    texts = pa.array([cell * 1000] * 2_000)
    parquet.write_table(pa.table({"a": texts}), bomb, compression="zstd", row_group_size=2_000)
    del texts

    with pytest.raises(TableTooLarge):
        ask(readers, source(bomb.getvalue(), "parquet"), limit=1000, sort=["a"], cell=1_000_000)

    assert ask(readers, records([{"a": 1}]))["rows"] == [[1]]


def test_a_value_beyond_the_limit_is_not_opened(readers):
    of = TableSource("b" * 64, "csv", module.LARGEST + 1, lambda: pytest.fail("it was opened"))

    with pytest.raises(TableTooLarge):
        ask(readers, of)


def test_a_reader_ends_when_it_has_nothing_to_do(readers, monkeypatch):
    before = children()
    monkeypatch.setattr(module, "IDLE", 0.01)
    ask(readers, records([{"a": 1}]))

    give_up = time.monotonic() + WAIT
    while children() - before:
        assert time.monotonic() < give_up, "it still runs"


def test_one_principal_has_a_bounded_queue_and_others_are_served_meanwhile(readers, monkeypatch):
    monkeypatch.setattr(module, "QUEUED", 3)
    of = records(ROWS)
    sent: list[Future[bytes]] = []
    with pytest.raises(RateLimited):
        sent.extend(readers.ask(of, TableAsk("rows", {}), "ann") for _ in range(50))

    assert ask(readers, of, who="bob")["total"] == 500
    assert all(json.loads(each.result(WAIT))["total"] == 500 for each in sent)


def test_closing_ends_the_readers_and_refuses_what_waits(tmp_path):
    before = children()
    readers = TableReaders(tmp_path / "tables", Parts().part)
    ask(readers, records(ROWS))

    readers.close()

    assert children() <= before
    with pytest.raises(StoreError):
        readers.ask(records(ROWS), TableAsk("rows", {}), "ann")
