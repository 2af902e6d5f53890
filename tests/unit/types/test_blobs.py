"""Files, directories, arrays, tables and pickles travel as blobs, and a blob never changes."""

import os
import pickle
import stat
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Optional, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import BaseModel

from tidegate.blobs import BlobDirectory
from tidegate.errors import InvalidValue, StoreDamaged, UnknownBlob
from tidegate.types.registry import codec
from tidegate.types.schema import can_flow, faults
from tidegate.types.structured import StructuredDataset
from tidegate.types.values import (
    Directory,
    File,
    FlyteDirectory,
    FlyteFile,
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
def blobs(tmp_path: Path) -> BlobDirectory:
    return BlobDirectory(tmp_path / "blobs", sync=False)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.csv"
    path.write_text("a,b\n1,2\n")
    return path


def passed_on(annotation: Any, value: Any, blobs: BlobDirectory) -> Any:
    made = codec(annotation)
    stored = made.encode(value, blobs)
    assert faults(made.schema, stored) == []
    return made.decode(stored, blobs)


KINDS = [
    File,
    FlyteFile,
    FlyteFile["csv"],  # type: ignore[name-defined]
    FlyteFile[TypeVar("csv")],
]


@pytest.mark.parametrize("annotation", KINDS, ids=str)
@pytest.mark.parametrize("give", [str, Path, File], ids=["text", "path", "file"])
def test_a_file_arrives_with_its_content_and_name(
    annotation: Any, give: Any, report: Path, blobs: BlobDirectory
) -> None:
    arrived = passed_on(annotation, give(report), blobs)

    with open(arrived) as file:  # noqa: PTH123
        assert file.read() == "a,b\n1,2\n"
    assert Path(arrived.path).name == arrived.name == "report.csv"
    assert os.fspath(arrived) == str(arrived) == arrived.download()


def test_a_task_may_write_over_the_file_it_got_and_the_blob_stays(
    report: Path, blobs: BlobDirectory
) -> None:
    first = passed_on(File, report, blobs)
    Path(first).write_text("changed")

    second = passed_on(File, first, blobs)

    assert Path(passed_on(File, report, blobs)).read_text() == "a,b\n1,2\n"
    assert Path(second).read_text() == "changed"


def test_a_file_that_is_passed_on_unopened_is_not_copied(
    report: Path, blobs: BlobDirectory
) -> None:
    made = codec(File)
    stored = made.encode(report, blobs)

    assert made.encode(made.decode(stored, blobs), BlobDirectory("unused")) == stored


def test_a_new_file_can_be_written_and_returned(blobs: BlobDirectory) -> None:
    made = FlyteFile.new_remote_file("out.txt")
    with made.open("w") as file:
        file.write("hello")

    assert Path(passed_on(FlyteFile, made, blobs)).read_text() == "hello"


def test_a_directory_arrives_with_all_that_is_in_it(tmp_path: Path, blobs: BlobDirectory) -> None:
    source = tmp_path / "source"
    (source / "deep" / "deeper").mkdir(parents=True)
    (source / "empty").mkdir()
    (source / "a.txt").write_text("a")
    (source / "deep" / "deeper" / "b.bin").write_bytes(b"\x00")

    arrived = passed_on(FlyteDirectory, FlyteDirectory(path=str(source)), blobs)

    assert sorted(os.listdir(arrived)) == ["a.txt", "deep", "empty"]  # noqa: PTH208
    assert [within for _, within in arrived.crawl()] == ["a.txt", "deep/deeper/b.bin"]
    assert [p.name for p in Directory.listdir(arrived)] == ["a.txt", "deep", "empty"]
    assert arrived.name == "source"


def test_the_same_directory_has_the_same_digest(tmp_path: Path, blobs: BlobDirectory) -> None:
    for name in ("one", "two"):
        for part in ("b", "a") if name == "one" else ("a", "b"):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / part).write_text(part)

    assert blobs.put_path(tmp_path / "one") == blobs.put_path(tmp_path / "two")


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        (File, "nowhere.csv", "there is no file at nowhere.csv"),
        (File, 5, "expected a file or its path"),
        (File, "s3://bucket/key", "cannot be fetched"),
        (Directory, "nowhere", "there is no directory at nowhere"),
        (np.ndarray, [1, 2], "expected an array"),
        (np.ndarray, np.array([object()]), "the array cannot be stored"),
        (np.ndarray, np.ma.masked_array([1], [True]), "expected an array"),
        (pd.DataFrame, {"a": [1]}, "expected a DataFrame"),
        (pd.DataFrame, pd.DataFrame({"a": [object()]}), "the table cannot be stored"),
        (Pickled[Model], 5, "expected a Model"),
    ],
    # No value in the name of a test: some have an address in them, which each process of a run sees otherwise.
    ids=lambda part: part if isinstance(part, str) else type(part).__name__,
)
def test_what_cannot_become_a_blob_is_refused(
    annotation: Any, value: Any, reason: str, blobs: BlobDirectory
) -> None:
    with pytest.raises(InvalidValue, match=reason):
        codec(annotation).encode(value, blobs)


def test_a_file_on_the_web_is_fetched_when_it_is_asked_for(blobs: BlobDirectory) -> None:
    stored = codec(File).encode("https://example.com/a.csv", blobs)

    assert stored == {"$uri": "https://example.com/a.csv"}
    assert codec(File).decode(stored, blobs).remote_source == "https://example.com/a.csv"


@pytest.mark.parametrize("annotation", [np.ndarray, npt.NDArray[np.float64]], ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3), (1, 2, 3)], ids=str)
def test_an_array_arrives_as_it_was(annotation: Any, shape: Any, blobs: BlobDirectory) -> None:
    array = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)

    arrived = passed_on(annotation, array, blobs)

    assert arrived.dtype == array.dtype
    np.testing.assert_array_equal(arrived, array)


def test_tables_arrive_as_they_were_and_flow_into_each_other(blobs: BlobDirectory) -> None:
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


def test_notes_beside_a_type_that_mean_nothing_here_are_let_be(blobs: BlobDirectory) -> None:
    columns = OrderedDict(a=int)
    frame = pd.DataFrame({"a": [1]})

    for annotation in (Annotated[pd.DataFrame, columns], Annotated[pd.DataFrame, "words"]):
        pd.testing.assert_frame_equal(passed_on(annotation, frame, blobs), frame)
    assert codec(list[Annotated[int, {"unit": "m"}]]).schema == codec(list[int]).schema


def test_a_dataset_can_be_made_of_a_file(report: Path, blobs: BlobDirectory) -> None:
    dataset = passed_on(StructuredDataset, StructuredDataset(uri=str(report)), blobs)

    assert dataset.open(pd.DataFrame).all().to_dict("list") == {"a": [1], "b": [2]}


def test_blobs_stand_within_records_and_models_and_untyped_dicts(
    report: Path, blobs: BlobDirectory
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


def test_numbers_of_numpy_are_numbers(blobs: BlobDirectory) -> None:
    value = {"mean": np.float64(2.5), "count": np.int64(3), "ok": np.bool_(True)}

    assert passed_on(dict, value, blobs) == {"mean": 2.5, "count": 3, "ok": True}
    assert codec(int).encode(np.int64(3), blobs) == 3
    assert codec(float).encode(np.float32(0.5), blobs) == 0.5
    assert codec(bool).encode(np.True_, blobs) is True


@pytest.mark.parametrize("annotation", [Pickled[Model], Annotated[Model, Pickled]], ids=str)
def test_a_pickle_is_opened_only_where_that_is_allowed(
    annotation: Any, blobs: BlobDirectory
) -> None:
    made = codec(annotation)
    stored = made.encode(Model(0.5), blobs)

    assert made.decode(stored, with_pickle(blobs)).weight == 0.5
    with pytest.raises(InvalidValue, match="can be opened only by a task"):
        made.decode(stored, blobs)


class Trap:
    def __reduce__(self) -> Any:
        return (os.abort, ())


@pytest.mark.parametrize("annotation", [Any, dict, File, np.ndarray, pd.DataFrame, bytes], ids=str)
def test_no_other_type_ever_unpickles(annotation: Any, blobs: BlobDirectory) -> None:
    content = pickle.dumps({"trap": Trap()})
    for media in ("application/x-python-pickle", "application/vnd.numpy.npy"):
        stored = {"$blob": blobs.put(content), "media": media}
        try:
            codec(annotation).decode(stored, with_pickle(blobs))
        except InvalidValue as e:
            assert "holds no" in str(e)


def test_a_blob_is_named_by_its_content(blobs: BlobDirectory, report: Path) -> None:
    digest = blobs.put(report.read_bytes())

    assert blobs.put_path(report) == digest
    assert blobs.get(digest) == report.read_bytes()
    assert blobs.path(digest).read_bytes() == report.read_bytes()


def test_nobody_else_may_read_a_blob(blobs: BlobDirectory) -> None:
    path = blobs.path(blobs.put(b"secret"))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("digest", ["0" * 64, "", "../../etc/passwd", "A" * 64, "0" * 63 + "/"])
def test_an_unknown_digest_is_refused(digest: str, blobs: BlobDirectory) -> None:
    with pytest.raises(UnknownBlob):
        blobs.get(digest)


def test_a_damaged_blob_is_not_handed_out(blobs: BlobDirectory) -> None:
    digest = blobs.put(b"content")
    blobs.path(digest).write_bytes(b"Content")

    with pytest.raises(StoreDamaged, match="is damaged"):
        blobs.get(digest)
    with pytest.raises(StoreDamaged):
        blobs.checkout(digest, "copy")


def test_nothing_is_left_of_a_file_that_cannot_be_read(
    tmp_path: Path, blobs: BlobDirectory
) -> None:
    with pytest.raises(InvalidValue, match="there is no file or directory at"):
        blobs.put_path(tmp_path / "nowhere")

    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "a\\..\\out", ""])
def test_a_manifest_never_leads_out_of_its_directory(name: str, blobs: BlobDirectory) -> None:
    content = blobs.put(b"x")
    manifest = blobs.put(f'{{"{name}": "{content}"}}'.replace("\\", "\\\\").encode())

    with pytest.raises(InvalidValue, match="names a place outside itself"):
        blobs.checkout_tree(manifest, "copy")


def test_a_name_never_leads_out_of_the_scratch_directory(
    tmp_path: Path, blobs: BlobDirectory
) -> None:
    kept = BlobDirectory(tmp_path / "blobs", scratch=tmp_path / "scratch", sync=False)
    digest = blobs.put(b"x")

    for name in ("../../out", "/etc/out", "..", ""):
        assert (tmp_path / "scratch") in kept.checkout(digest, name).resolve().parents


def test_a_link_to_a_directory_is_refused(tmp_path: Path, blobs: BlobDirectory) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "link").symlink_to(tmp_path)

    with pytest.raises(InvalidValue, match="is a link to a directory"):
        codec(Directory).encode(tmp_path / "source", blobs)
