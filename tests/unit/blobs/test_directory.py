"""What only a directory of blobs can get wrong: modes, leftovers, and files in the way. The rest is the port's contract."""

import os
import stat
from pathlib import Path

import pytest

from tidegate.blobs.directory import BlobDirectory
from tidegate.errors import InvalidValue, StoreError, StoreFull, UnknownBlob


@pytest.fixture
def blobs(tmp_path: Path) -> BlobDirectory:
    return BlobDirectory(tmp_path / "home" / "blobs")


def path_of(tmp_path: Path, digest: str) -> Path:
    return tmp_path / "home" / "blobs" / digest[:2] / digest[2:]


def test_nobody_else_may_read_a_blob_whatever_the_umask(tmp_path: Path, blobs: BlobDirectory):
    before = os.umask(0)
    try:
        path = path_of(tmp_path, blobs.put((b"secret",)))
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for directory in (path.parent, path.parent.parent, path.parent.parent.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_nothing_is_made_before_something_is_put(tmp_path: Path, blobs: BlobDirectory):
    with pytest.raises(UnknownBlob):
        blobs.size("0" * 64)

    assert list(tmp_path.iterdir()) == []


def breaking_off():
    yield b"first"
    yield b"second"
    raise InvalidValue("no more", [])


def test_nothing_is_left_of_what_could_not_be_put(tmp_path: Path, blobs: BlobDirectory):
    with pytest.raises(InvalidValue):
        blobs.put(breaking_off())

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_directory_where_a_blob_should_be_is_not_a_blob(tmp_path: Path, blobs: BlobDirectory):
    path = path_of(tmp_path, "a" * 64)
    path.mkdir(parents=True)

    with pytest.raises(UnknownBlob):
        blobs.size("a" * 64)
    with pytest.raises(UnknownBlob):
        next(blobs.read("a" * 64))


def test_a_file_in_the_way_is_one_clear_error(tmp_path: Path):
    (tmp_path / "blobs").write_text("a file in the way")

    with pytest.raises(StoreError, match="a blob cannot be stored: file exists"):
        BlobDirectory(tmp_path / "blobs").put((b"x",))


def test_a_full_disk_is_told_from_other_trouble_and_leaves_nothing(
    tmp_path: Path, blobs: BlobDirectory
):
    digest = blobs.put((b"kept",))
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError) as no_room:
        full.write(b"x")

    def pieces():
        yield b"first"
        yield b"second"
        raise no_room.value

    with pytest.raises(StoreFull, match="a blob cannot be stored: no space left"):
        blobs.put(pieces())

    assert b"".join(blobs.read(digest)) == b"kept"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [digest[2:]]
