"""Files and directories become blobs and come back as private copies, whatever their names are."""

import os
from pathlib import Path

import pytest

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import InvalidValue, StoreDamaged, UnknownBlob
from tidegate.types.registry import codec
from tidegate.types.values import Directory


@pytest.fixture
def files(tmp_path: Path) -> BlobFiles:
    return BlobFiles(BlobDirectory(tmp_path / "blobs", sync=False))


def test_bytes_and_a_file_of_the_same_content_are_the_same_blob(tmp_path: Path, files: BlobFiles):
    (tmp_path / "report.csv").write_bytes(b"a,b")

    digest = files.put(b"a,b")

    assert files.put_path(tmp_path / "report.csv") == digest
    assert files.get(digest) == b"a,b"


def test_the_same_directory_has_the_same_digest(tmp_path: Path, files: BlobFiles):
    for name in ("one", "two"):
        for part in ("b", "a") if name == "one" else ("a", "b"):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / part).write_text(part)

    assert files.put_path(tmp_path / "one") == files.put_path(tmp_path / "two")


def test_each_copy_is_private(files: BlobFiles):
    digest = files.put(b"content")
    one, other = (files.checkout(digest, "name") for _ in range(2))

    one.write_bytes(b"changed")

    assert one.name == other.name == "name"
    assert other.read_bytes() == files.get(digest) == b"content"


def test_copies_go_when_nobody_can_ask_for_them_any_longer(tmp_path: Path):
    files = BlobFiles(BlobDirectory(tmp_path, sync=False))
    copy = files.checkout(files.put(b"x"), "copy")

    del files

    assert not copy.exists()


def test_a_damaged_or_unknown_blob_is_not_copied(tmp_path: Path, files: BlobFiles):
    digest = files.put(b"content")
    (tmp_path / "blobs" / digest[:2] / digest[2:]).write_bytes(b"Content")

    with pytest.raises(StoreDamaged):
        files.get(digest)
    with pytest.raises(StoreDamaged):
        files.checkout(digest, "copy")
    with pytest.raises(UnknownBlob):
        files.checkout("0" * 64, "copy")
    with pytest.raises(UnknownBlob):
        files.checkout_tree("0" * 64, "copy")


def test_a_directory_of_which_a_file_is_missing_is_refused_by_the_name_of_the_blob(
    tmp_path: Path, files: BlobFiles
):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.txt").write_text("a")
    lost = files.put(b"a")
    manifest = files.put_path(tmp_path / "source")
    (tmp_path / "blobs" / lost[:2] / lost[2:]).unlink()

    with pytest.raises(UnknownBlob, match=lost):
        files.checkout_tree(manifest, "copy")


def test_nothing_is_left_of_a_file_that_cannot_be_read(tmp_path: Path, files: BlobFiles):
    with pytest.raises(InvalidValue, match="there is no file or directory at"):
        files.put_path(tmp_path / "nowhere")

    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "a\\..\\out", ""])
def test_a_manifest_never_leads_out_of_its_directory(name: str, files: BlobFiles):
    content = files.put(b"x")
    manifest = files.put(f'{{"{name}": "{content}"}}'.replace("\\", "\\\\").encode())

    with pytest.raises(InvalidValue, match="names a path outside itself"):
        files.checkout_tree(manifest, "copy")


def test_a_file_is_not_taken_for_a_directory(files: BlobFiles):
    with pytest.raises(InvalidValue, match="a file, not a directory"):
        files.checkout_tree(files.put(b"a file"), "copy")


def test_a_name_never_leads_out_of_the_scratch_directory(tmp_path: Path):
    scratch = tmp_path / "scratch"
    files = BlobFiles(BlobDirectory(tmp_path / "blobs", sync=False), scratch)
    digest = files.put(b"x")

    for name in ("../../out", "/etc/out", "..", ".", "", "a\0b", "..\\out"):
        assert scratch in files.checkout(digest, name).resolve().parents


def test_a_link_to_a_directory_is_refused(tmp_path: Path, files: BlobFiles):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "link").symlink_to(tmp_path)

    with pytest.raises(InvalidValue, match="is a link to a directory"):
        codec(Directory).encode(tmp_path / "source", files)


def test_a_name_that_a_manifest_cannot_hold_is_refused_where_it_arises(
    tmp_path: Path, files: BlobFiles
):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a\\b").write_text("x")

    with pytest.raises(InvalidValue, match=r"the name 'a\\\\b' in .* has a backslash.*: rename it"):
        files.put_path(tmp_path / "source")


def test_a_copy_has_the_whole_name_up_to_the_longest_that_there_is(files: BlobFiles):
    digest = files.put(b"x")

    for name in ("ü" * 127, "x" * 255, "a\\b", "two\nlines"):
        assert files.checkout(digest, name).name == name
    assert files.checkout(digest, "ü" * 200).name == "ü" * 63


def test_a_name_that_is_not_unicode_is_refused(tmp_path: Path, files: BlobFiles):
    (tmp_path / "source").mkdir()
    try:
        (Path(os.fsdecode(os.fsencode(tmp_path / "source") + b"/\xff"))).write_text("x")
    except OSError:
        pytest.skip("this file system takes no such name")

    with pytest.raises(InvalidValue, match="not valid Unicode"):
        files.put_path(tmp_path / "source")
