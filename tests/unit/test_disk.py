"""Writing that survives a power cut, as far as one process shows it; the power itself is cut in `tests/crash/test_power_loss_files.py`."""

import errno
import fcntl
import os
import stat
from pathlib import Path

import pytest

from tidegate import disk
from tidegate.errors import StoreError, StoreFull


def synced_by(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what is synced, by its name, and whether it had its name by then."""
    seen: list[str] = []
    fsync = os.fsync

    def noting(file: int) -> None:
        seen.append(Path(f"/proc/self/fd/{file}").readlink().name)
        fsync(file)

    monkeypatch.setattr(os, "fsync", noting)
    return seen


def test_each_directory_that_gets_a_new_name_is_synced(tmp_path: Path, monkeypatch):
    seen = synced_by(monkeypatch)
    (tmp_path / "there").mkdir()

    disk.make_directory(tmp_path / "there" / "a" / "b")
    assert seen == ["there", "a"]

    disk.make_directory(tmp_path / "there" / "a" / "b")
    assert seen == ["there", "a"]
    disk.make_directory(tmp_path / "elsewhere", durable=False)
    assert seen == ["there", "a"]


def test_a_file_is_synced_before_it_has_its_name_and_its_directory_after(
    tmp_path: Path, monkeypatch
):
    seen = synced_by(monkeypatch)

    disk.write(tmp_path / "token", b"secret")

    assert seen == ["token.new", tmp_path.name]
    assert (tmp_path / "token").read_bytes() == b"secret"
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_is_left_as_it_was_and_nothing_beside_it(
    tmp_path: Path, monkeypatch
):
    disk.write(tmp_path / "token", b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        disk.write(tmp_path / "token", b"new")

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("token", b"old")]


def test_what_an_earlier_process_left_half_written_is_in_nobodys_way(tmp_path: Path):
    (tmp_path / "token.new").write_bytes(b"ha")

    disk.write(tmp_path / "token", b"whole")

    assert [path.name for path in tmp_path.iterdir()] == ["token"]


@pytest.mark.parametrize("when", ["before it was opened", "before it was locked"])
def test_a_draft_that_was_taken_for_left_over_is_made_again(tmp_path: Path, monkeypatch, when: str):
    made: list[Path] = []
    flock = fcntl.flock

    def make() -> str:
        made.append(Path(disk.new_file(tmp_path)))
        if when == "before it was opened":
            made[0].unlink(missing_ok=True)
        return str(made[-1])

    def late(handle: int, how: int) -> None:
        if when == "before it was locked":
            made[0].unlink(missing_ok=True)
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with disk.draft(make) as draft:
        draft.write_bytes(b"whole")
        disk.remove_drafts(made)
        draft.replace(tmp_path / "kept")

    assert len(made) == 2
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("kept", b"whole")]


def test_a_draft_that_cannot_be_removed_keeps_no_other_from_it(tmp_path: Path):
    (tmp_path / "a-link").symlink_to("nowhere")
    (tmp_path / "b-draft").write_bytes(b"ha")

    disk.remove_drafts([tmp_path / "gone", *sorted(tmp_path.iterdir())])

    assert [path.name for path in tmp_path.iterdir()] == ["a-link"]


def test_directories_are_their_owners_whatever_the_umask(tmp_path: Path):
    before = os.umask(0)
    try:
        disk.make_directory(tmp_path / "a" / "b")
    finally:
        os.umask(before)

    for path in (tmp_path / "a", tmp_path / "a" / "b"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_from_other_trouble(number: int):
    error = disk.failed("a blob cannot be stored", OSError(number, os.strerror(number)))

    assert isinstance(error, StoreFull)
    assert error.message == f"a blob cannot be stored: {os.strerror(number).lower()}"
    other = disk.failed("it cannot be read", OSError(errno.EIO, os.strerror(errno.EIO)))
    assert type(other) is StoreError
