"""Arrays, tables and pickles travel as blobs, alone and within other values, and nothing is unpickled that is not meant to be."""

import os
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from pydantic import BaseModel

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import InvalidValue
from tidegate.types.registry import codec
from tidegate.types.schema import faults
from tidegate.types.structured import StructuredDataset
from tidegate.types.values import (
    Directory,
    File,
    Pickled,
    with_pickle,
)


class Model:
    def __init__(self, weight: float) -> None:
        self.weight = weight


@dataclass
class Bundle:
    report: File
    matrix: np.ndarray  # type: ignore[type-arg]
    table: pd.DataFrame | None = None


class Case(BaseModel):
    report: File
    table: StructuredDataset


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFiles:
    return BlobFiles(BlobDirectory(tmp_path / "blobs", sync=False))


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.csv"
    path.write_text("a,b\n1,2\n")
    return path


def passed_on(annotation: Any, value: Any, blobs: BlobFiles) -> Any:
    made = codec(annotation)
    stored = made.encode(value, blobs)
    assert faults(made.schema, stored) == []
    return made.decode(stored, blobs)


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        (File, "nowhere.csv", "there is no file at nowhere.csv"),
        (File, 5, "expected a file or its path"),
        (File, "s3://bucket/key", "cannot be fetched"),
        (Directory, "nowhere", "there is no directory at nowhere"),
        (np.ndarray, [1, 2], "expected an array"),
        (np.ndarray, np.array([object()]), "the array cannot be stored"),
        (
            np.ndarray,
            np.ma.masked_array([1], [True]),
            "a MaskedArray would be read back as a ndarray: use .filled",
        ),
        (
            np.ndarray,
            np.array([[1]]).view(np.matrix),
            r"a matrix would be read back as a ndarray: use numpy.asarray\(value\)",
        ),
        (np.ndarray, np.rec.array([(1,)], dtype=[("a", int)]), "a recarray would be read back"),
        (
            np.ndarray,
            np.zeros(2, np.dtype("f8", metadata={"unit": "m"})),
            "the metadata of its dtype would be lost",
        ),
        (Any, [np.array([[1]]).view(np.matrix)], r"\[0\]: a matrix would be read back"),
        (pd.DataFrame, {"a": [1]}, "expected a DataFrame"),
        (pd.DataFrame, pd.DataFrame({"a": [object()]}), "the table cannot be stored"),
        (Pickled[Model], 5, "expected a Model"),
    ],
    # No value in the name of a test: some have an address in them, which each process of a run sees otherwise.
    ids=lambda part: part if isinstance(part, str) else type(part).__name__,
)
def test_what_cannot_become_a_blob_is_refused(
    annotation: Any, value: Any, reason: str, blobs: BlobFiles
) -> None:
    with pytest.raises(InvalidValue, match=reason):
        codec(annotation).encode(value, blobs)


@pytest.mark.parametrize("annotation", [np.ndarray, npt.NDArray[np.float64]], ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3), (1, 2, 3)], ids=str)
def test_an_array_arrives_as_it_was(annotation: Any, shape: Any, blobs: BlobFiles) -> None:
    array = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)

    arrived = passed_on(annotation, array, blobs)

    assert arrived.dtype == array.dtype
    np.testing.assert_array_equal(arrived, array)


def test_notes_beside_a_type_that_mean_nothing_here_are_let_be(blobs: BlobFiles) -> None:
    columns = OrderedDict(a=int)
    frame = pd.DataFrame({"a": [1]})

    for annotation in (Annotated[pd.DataFrame, columns], Annotated[pd.DataFrame, "words"]):
        pd.testing.assert_frame_equal(passed_on(annotation, frame, blobs), frame)
    assert codec(list[Annotated[int, {"unit": "m"}]]).schema == codec(list[int]).schema


def test_blobs_stand_within_records_and_models_and_untyped_dicts(
    report: Path, blobs: BlobFiles
) -> None:
    frame, array = pd.DataFrame({"a": [1]}), np.arange(3)

    bundle = passed_on(list[Bundle], [Bundle(File(report), array, frame)], blobs)[0]
    dataset = StructuredDataset(dataframe=frame)
    case = passed_on(Optional[Case], Case(report=File(report), table=dataset), blobs)
    loose = passed_on(dict, {"report": File(report), "matrix": array, "table": frame}, blobs)

    for found in (bundle.report, case.report, loose["report"]):
        assert Path(found).read_text() == "a,b\n1,2\n"
    for found in (bundle.matrix, loose["matrix"]):
        np.testing.assert_array_equal(found, array)
    for found in (bundle.table, case.table.open(pd.DataFrame).all()):
        pd.testing.assert_frame_equal(found, frame)
    pd.testing.assert_frame_equal(loose["table"], frame)


def test_numbers_of_numpy_are_numbers(blobs: BlobFiles) -> None:
    value = {"mean": np.float64(2.5), "count": np.int64(3), "ok": np.bool_(True)}

    assert passed_on(dict, value, blobs) == {"mean": 2.5, "count": 3, "ok": True}
    assert codec(int).encode(np.int64(3), blobs) == 3
    assert codec(float).encode(np.float32(0.5), blobs) == 0.5
    assert codec(bool).encode(np.True_, blobs) is True


@pytest.mark.parametrize("annotation", [Pickled[Model], Annotated[Model, Pickled]], ids=str)
def test_a_pickle_is_opened_only_where_that_is_allowed(annotation: Any, blobs: BlobFiles) -> None:
    made = codec(annotation)
    stored = made.encode(Model(0.5), blobs)

    assert made.decode(stored, with_pickle(blobs)).weight == 0.5
    with pytest.raises(InvalidValue, match="can be opened only by a task"):
        made.decode(stored, blobs)


class Trap:
    def __reduce__(self) -> Any:
        return (os.abort, ())


@pytest.mark.parametrize("annotation", [Any, dict, File, np.ndarray, pd.DataFrame, bytes], ids=str)
def test_no_other_type_ever_unpickles(annotation: Any, blobs: BlobFiles) -> None:
    content = pickle.dumps({"trap": Trap()})
    for media in ("application/x-python-pickle", "application/vnd.numpy.npy"):
        stored = {"$blob": blobs.put(content), "media": media}
        try:
            codec(annotation).decode(stored, with_pickle(blobs))
        except InvalidValue as e:
            assert "is not" in str(e)
