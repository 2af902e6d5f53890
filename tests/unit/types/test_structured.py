"""Tables arrive as they were, whatever library reads them, and flow into each other."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import InvalidValue
from tidegate.types.registry import codec
from tidegate.types.schema import can_flow, faults
from tidegate.types.structured import StructuredDataset


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


def test_tables_arrive_as_they_were_and_flow_into_each_other(blobs: BlobFiles) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=["p", "q"])

    pd.testing.assert_frame_equal(passed_on(pd.DataFrame, frame, blobs), frame)
    assert passed_on(pa.Table, pa.table({"a": [1]}), blobs) == pa.table({"a": [1]})
    dataset = passed_on(StructuredDataset, StructuredDataset(dataframe=frame), blobs)
    pd.testing.assert_frame_equal(dataset.open(pd.DataFrame).all(), frame)
    pd.testing.assert_frame_equal(
        codec(pd.DataFrame).decode(codec(StructuredDataset).encode(frame, blobs), blobs), frame
    )
    assert can_flow(codec(pd.DataFrame).schema, codec(StructuredDataset).schema) is None
    assert can_flow(codec(pd.DataFrame).schema, codec(np.ndarray).schema)


def test_a_dataset_can_be_made_of_a_file(report: Path, blobs: BlobFiles) -> None:
    dataset = passed_on(StructuredDataset, StructuredDataset(uri=str(report)), blobs)

    assert dataset.open(pd.DataFrame).all().to_dict("list") == {"a": [1], "b": [2]}


def test_a_dataset_needs_a_table_or_a_file() -> None:
    with pytest.raises(InvalidValue, match="needs a dataframe or a uri"):
        StructuredDataset()
    with pytest.raises(InvalidValue, match="there is no file at nowhere"):
        StructuredDataset(uri="nowhere.csv").open(pd.DataFrame).all()


def test_a_dataset_says_as_what_it_must_be_opened(report: Path) -> None:
    dataset = StructuredDataset(uri=str(report))

    with pytest.raises(InvalidValue, match="open the dataset first"):
        dataset.all()
    with pytest.raises(InvalidValue, match="cannot be opened as list: use pandas"):
        dataset.open(list).all()
