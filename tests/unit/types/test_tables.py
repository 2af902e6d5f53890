"""A DataFrame or an Arrow table comes back with its labels, its types and each cell, or is refused by the column."""

import datetime as dt
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import InvalidValue, UnsupportedType
from tidegate.types import tables
from tidegate.types.registry import codec
from tidegate.types.structured import StructuredDataset


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFiles:
    return BlobFiles(BlobDirectory(tmp_path / "blobs", sync=False))


def one(values: Any, dtype: Any = None, **options: Any) -> pd.DataFrame:
    """Return a frame of one column."""
    return pd.DataFrame({"a": pd.Series(values, dtype=dtype)}, **options)


def labelled(index: Any = None, columns: Any = None, count: int = 2) -> pd.DataFrame:
    """Return a frame of numbers with these labels."""
    width = 1 if columns is None else len(columns)
    return pd.DataFrame(np.arange(count * width).reshape(count, width), index, columns)


KEPT = [
    pd.DataFrame(), pd.DataFrame(columns=["a", "b"]), pd.DataFrame(index=[1, 2]), one([], "int64"), one(["x"]).iloc[:0],
    labelled(pd.date_range("2026", periods=2, freq="D")), labelled(pd.date_range("2026", periods=2, freq="BME")),
    labelled(pd.date_range("2026", periods=2, freq="h", tz="Europe/Berlin")), labelled(pd.timedelta_range("1D", periods=2)),
    labelled(pd.period_range("2026", periods=2, freq="M")), labelled(pd.RangeIndex(5, 9, 2)), labelled(pd.Index([0.5, 1.5], name="n")),
    labelled(pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["n", None])), labelled(["x", "x"]), labelled(pd.Index(["x", "y"], dtype=object)),
    labelled(columns=[10, 20]), labelled(columns=[0.5, 1.5]), labelled(columns=pd.RangeIndex(2)), labelled(columns=pd.Index(["a", "b"], dtype=object)),
    labelled(columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])), labelled(columns=pd.date_range("2026", periods=2)), labelled(columns=pd.Index(["a", "b"], name="k")),
    one(["x", None]), one(["x", None], object), one(["x", np.nan], object), one([None, None], object), one([True, None], object), one([b"x", None], object),
    one([dt.date(2026, 1, 1), None], object), one([dt.time(1)], object), one([Decimal("1.5"), None], object), one([{"id": 1}, {"id": 2}], object),
    one([np.array([1, 2]), np.array([3])], object), one([-0.0, np.nan, np.inf, 5e-324]), one([1, 2], "uint8"), one([1, 2], "float16"), one([1, 2], "datetime64[s]"),
    one([1, 2], "datetime64[ns]"), one([1, None], "timedelta64[s]"), one([1, None], "Int64"), one([1.5, None], "Float64"), one([True, None], "boolean"),
    one(["a", None], "string[python]"), one(["a", None], "string[pyarrow]"), one([1, 2], "int64[pyarrow]"), one(pd.interval_range(0, 2)),
    one(pd.to_datetime(["2026-01-01", None]).tz_localize("Europe/Berlin")), one(pd.to_datetime(["2026-01-01"]).tz_localize(dt.timezone(dt.timedelta(hours=2)))),
    one(pd.Categorical(["x", "y"], categories=["y", "x", "z"], ordered=True)),
]  # fmt: skip


@pytest.mark.parametrize("frame", KEPT, ids=range(len(KEPT)))
def test_a_frame_comes_back_with_labels_types_and_cells(frame: pd.DataFrame, blobs: BlobFiles):
    frame.attrs = {"source": "meter", "n": 1}
    made = codec(pd.DataFrame)

    back = made.decode(made.encode(frame, blobs), blobs)

    assert_frame_equal(back, frame, check_exact=True, check_flags=True, check_index_type="exact", check_column_type="exact")  # fmt: skip
    assert back.attrs == frame.attrs
    for n in range(frame.shape[1]):
        mine, other = frame.iloc[:, n].tolist(), back.iloc[:, n].tolist()
        assert [repr(cell) for cell in mine] == [repr(cell) for cell in other]


def with_attrs(attrs: dict[Any, Any]) -> pd.DataFrame:
    frame = one([1])
    frame.attrs = attrs
    return frame


class Special(pd.DataFrame):
    pass


REFUSED = [
    (labelled(columns=["region", 2024]), "the column label 2024 is not text, .* make all of them text, as with"),
    (labelled(columns=[True, False]), "the column labels: its values would be read back differently"),
    (labelled(pd.Index(["x", "y"], name=3)), "the name 3 of the index would be read back as '3': make it text"),
    (labelled(["x", 1]), "the table cannot be stored"),
    (labelled(columns=["a", "a"]), "Duplicate column names"),
    (one([{"id": 1}, {"name": "x", "n": 2}], object), r"a\[0\]: a dict of 1 would be read back as a dict of 3"),
    (one([[1, 2], [3]], object), r"a\[0\]: a list of 2 would be read back as a ndarray: use an array, or an Arrow table"),
    (one([{"id": [1]}], object), r"a\[0\].id: a list would be read back"),
    (one([1, 2], object), "a: object would be read back as int64: infer_objects"),
    (one([dt.datetime(2026, 1, 1)], object), "a: object would be read back as datetime64"),
    (one(["x", None, np.nan], object), "a: object would be read back as str"),
    (one([b"x", np.nan], object), r"a\[1\]: NaN would be read back as nothing"),
    (one(pd.Categorical([1, 2])), "a: category would be read back as int64"),
    (one([1j]), "the table cannot be stored"),
    (one([1, "x"], object), "the table cannot be stored"),
    (one(["\ud800"], object), "surrogates not allowed"),
    (one(pd.arrays.SparseArray([0, 1])), "Sparse pandas data"),
    (one([1]).set_flags(allows_duplicate_labels=False), "its flags would be lost"),
    (with_attrs({"x": (1, 2)}), "attrs.x: a tuple would be read back as a list"),
    (Special({"a": [1]}), r"a Special would be read back as a DataFrame: use pandas.DataFrame\(value\)"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_a_frame_that_would_come_back_as_another_one_is_refused(
    frame: pd.DataFrame, reason: str, blobs: BlobFiles
):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for annotation, value in (
            (pd.DataFrame, frame),
            (StructuredDataset, StructuredDataset(frame)),
        ):
            with pytest.raises(InvalidValue, match=reason):
                codec(annotation).encode(value, blobs)


TABLES = [
    pa.table({"a": [1.5, float("nan"), -0.0], "b": ["x", None, "y"]}),
    pa.table({"a": pa.array([[1, 2], None, []]), "b": pa.array([{"x": 1}, None, {"x": None}])}),
    pa.table({"a": pa.array(["x", "y"]).dictionary_encode()}),
    pa.table({"a": pa.array([1], pa.timestamp("us", "Europe/Berlin"))}).replace_schema_metadata(
        {"who": "me"}
    ),
    pa.table({}),
]


@pytest.mark.parametrize("table", TABLES, ids=range(len(TABLES)))
def test_an_arrow_table_comes_back_with_its_schema(table: pa.Table, blobs: BlobFiles):
    made = codec(pa.Table)

    back = made.decode(made.encode(table, blobs), blobs)

    assert back.schema.equals(table.schema)
    assert (back.schema.metadata or {}) == (table.schema.metadata or {})
    assert repr(back.to_pylist()) == repr(table.to_pylist())


def test_an_arrow_table_whose_types_parquet_does_not_have_is_refused(blobs: BlobFiles):
    table = pa.table({"a": [1], "at": pa.array([1], pa.timestamp("s"))})

    with pytest.raises(
        InvalidValue, match=r"at: timestamp\[s\] would be read back as timestamp\[ms\]: cast it"
    ):
        codec(pa.Table).encode(table, blobs)


def test_what_is_noted_of_a_frame_is_not_part_of_an_arrow_table(blobs: BlobFiles):
    stored = codec(pd.DataFrame).encode(labelled(columns=pd.RangeIndex(2)), blobs)

    assert b"tidegate" not in codec(pa.Table).decode(stored, blobs).schema.metadata


def test_a_frame_of_an_earlier_version_is_read_as_it_is(blobs: BlobFiles):
    target = pa.BufferOutputStream()
    pa.parquet.write_table(pa.table({"a": [1]}), target)

    assert_frame_equal(tables.read_table(target.getvalue().to_pybytes(), pd.DataFrame), one([1]))


def test_a_subclass_of_a_frame_is_not_a_type_of_a_value():
    with pytest.raises(UnsupportedType, match=r"use pandas.DataFrame"):
        codec(Special)


def test_a_change_on_the_way_is_seen(blobs: BlobFiles, monkeypatch: pytest.MonkeyPatch):
    read = tables._read

    def changed(content: bytes) -> Any:
        table, note = read(content)
        at = table.schema.get_field_index("a")
        return table.set_column(at, "a", [table.column("a").to_pylist()[::-1]]), note

    monkeypatch.setattr(tables, "_read", changed)
    for values in (
        [1, 2],
        [0.5, -0.0],
        ["x", "y"],
        [b"x", b"y"],
        pd.Series(["x", "y"], dtype=object),
    ):
        with pytest.raises(InvalidValue, match="a"):
            codec(pd.DataFrame).encode(one(values), blobs)
        with pytest.raises(InvalidValue, match="a"):
            codec(pa.Table).encode(pa.table({"a": list(values)}), blobs)
