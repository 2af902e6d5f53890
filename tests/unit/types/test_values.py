"""Files and directories as task code sees them: they arrive whole, under their names, as copies of its own."""

import os
import subprocess
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


def test_an_executable_stays_one_and_its_content_is_the_same_blob(
    tmp_path: Path, blobs: BlobFiles
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "run.sh").write_text("#!/bin/sh\necho ran\n")
    (tmp_path / "read.sh").write_text("#!/bin/sh\necho ran\n")
    (tmp_path / "bin" / "run.sh").chmod(0o755)
    made = codec(list[File])

    stored = made.encode([File(tmp_path / "bin" / "run.sh"), File(tmp_path / "read.sh")], blobs)
    run, read = passed_on(list[File], made.decode(stored, blobs), blobs)
    tree = passed_on(Directory, Directory(tmp_path), blobs)
    again = passed_on(Directory, tree.path, blobs)

    assert stored[0]["$blob"] == stored[1]["$blob"]
    assert subprocess.run([run], capture_output=True, check=True).stdout == b"ran\n"
    assert (
        subprocess.run([Path(again) / "bin/run.sh"], capture_output=True, check=True).stdout
        == b"ran\n"
    )
    assert not os.access(read, os.X_OK)
    assert not os.access(Path(again) / "read.sh", os.X_OK)
    assert (Path(again) / "bin/run.sh").stat().st_mode & 0o002 == 0


def test_what_a_value_says_is_executable_leads_nowhere_else(
    tmp_path: Path, blobs: BlobFiles
) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "out").write_text("x")
    stored = codec(Directory).encode(tmp_path / "source", blobs)
    stored["executable"] = ["../out", str(tmp_path / "out"), "gone"]

    assert codec(Directory).decode(stored, blobs).path
    assert not os.access(tmp_path / "out", os.X_OK)


NAMES = ["-rf", "two\nlines", " ", "a\\b", "ü" * 120, "x" * 250, "a\x1b[31m", "'\"$(id)", "%2e", "data:text,a", "x.npy", "pandas.parquet"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_an_odd_name_stays_whole(name: str, tmp_path: Path, blobs: BlobFiles) -> None:
    (tmp_path / name).write_text("a")

    for annotation in (File, Any):
        arrived = passed_on(annotation, File(tmp_path / name), blobs)
        assert Path(arrived).name == arrived.name == name
        assert Path(arrived).read_text() == "a"


def test_a_name_that_is_not_unicode_is_refused_by_the_name(
    tmp_path: Path, blobs: BlobFiles
) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    try:
        odd.mkdir()
    except OSError:
        pytest.skip("this file system takes no such name")
    (odd / "a").write_text("a")

    with pytest.raises(
        InvalidValue, match=r"the name 'caf\\udce9' is not valid Unicode: rename it"
    ):
        codec(Directory).encode(Directory(odd), blobs)
    with pytest.raises(InvalidValue, match=r"the name 'caf\\udce9' in .* is not valid Unicode"):
        codec(Directory).encode(Directory(tmp_path), blobs)


class Report(File):
    pass


def test_a_file_of_a_subclass_is_refused(report: Path, blobs: BlobFiles) -> None:
    with pytest.raises(
        InvalidValue, match=r"a Report would be read back as a File: use File\(value.path\)"
    ):
        codec(File).encode(Report(report), blobs)


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
