"""Files and directories as task code sees them: they arrive whole, under their names, as copies of its own."""

import os
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import InvalidValue, UnknownBlob
from tidegate.types.registry import codec
from tidegate.types.schema import faults
from tidegate.types.values import (
    Directory,
    File,
    FlyteDirectory,
    FlyteFile,
    NoFiles,
)


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


KINDS = [
    File,
    FlyteFile,
    FlyteFile["csv"],  # type: ignore[name-defined]
    FlyteFile[TypeVar("csv")],
]


@pytest.mark.parametrize("annotation", KINDS, ids=str)
@pytest.mark.parametrize("give", [str, Path, File], ids=["text", "path", "file"])
def test_a_file_arrives_with_its_content_and_name(
    annotation: Any, give: Any, report: Path, blobs: BlobFiles
) -> None:
    arrived = passed_on(annotation, give(report), blobs)

    with open(arrived) as file:  # noqa: PTH123
        assert file.read() == "a,b\n1,2\n"
    assert Path(arrived.path).name == arrived.name == "report.csv"
    assert os.fspath(arrived) == str(arrived) == arrived.download()


def test_a_task_may_write_over_the_file_it_got_and_the_blob_stays(
    report: Path, blobs: BlobFiles
) -> None:
    first = passed_on(File, report, blobs)
    Path(first).write_text("changed")

    second = passed_on(File, first, blobs)

    assert Path(passed_on(File, report, blobs)).read_text() == "a,b\n1,2\n"
    assert Path(second).read_text() == "changed"


def test_a_file_that_is_passed_on_unopened_is_not_copied(report: Path, blobs: BlobFiles) -> None:
    made = codec(File)
    stored = made.encode(report, blobs)

    assert made.encode(made.decode(stored, blobs), BlobFiles(BlobDirectory("unused"))) == stored


def test_a_new_file_can_be_written_and_returned(blobs: BlobFiles) -> None:
    made = FlyteFile.new_remote_file("out.txt")
    with made.open("w") as file:
        file.write("hello")

    assert Path(passed_on(FlyteFile, made, blobs)).read_text() == "hello"


def test_a_directory_arrives_with_all_that_is_in_it(tmp_path: Path, blobs: BlobFiles) -> None:
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


def test_a_file_on_the_web_is_fetched_when_it_is_asked_for(blobs: BlobFiles) -> None:
    stored = codec(File).encode("https://example.com/a.csv", blobs)

    assert stored == {"$uri": "https://example.com/a.csv"}
    assert codec(File).decode(stored, blobs).remote_source == "https://example.com/a.csv"


@pytest.mark.parametrize("given", [5, None, b"a.csv"])
def test_what_is_not_a_path_makes_no_file(given: Any) -> None:
    with pytest.raises(InvalidValue, match="expected a path"):
        File(given)


def test_a_file_that_is_gone_says_which_it_was_and_what_to_do(
    report: Path, tmp_path: Path, blobs: BlobFiles
) -> None:
    made = codec(File)
    stored = made.encode(report, blobs)
    arrived = made.decode(stored, BlobFiles(BlobDirectory(tmp_path / "another")))

    with pytest.raises(UnknownBlob, match=r"^file 'report.csv': no blob .* upload the same file"):
        Path(arrived).read_text()


def test_files_are_equal_if_their_contents_and_names_are(tmp_path: Path, blobs: BlobFiles) -> None:
    made = codec(File)
    (tmp_path / "a.txt").write_text("a")
    one, other = (made.decode(made.encode(tmp_path / "a.txt", blobs), blobs) for _ in range(2))
    (tmp_path / "a.txt").write_text("b")
    changed = made.decode(made.encode(tmp_path / "a.txt", blobs), blobs)

    assert one == other
    assert hash(one) == hash(other)
    assert one != changed
    assert File("a") != Directory("a")


@pytest.mark.parametrize("kind", [File, Directory])
def test_a_constant_cannot_hold_a_file(kind: Any, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a.txt").touch()

    with pytest.raises(InvalidValue, match="cannot be a constant"):
        codec(kind).encode(tmp_path / ("a.txt" if kind is File else "a"), NoFiles())
