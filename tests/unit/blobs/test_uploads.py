"""Unfinished uploads in a directory: whose they are, that one adds at a time, and that they end."""

import os
import stat
from pathlib import Path

import pytest

from tidegate.blobs import uploads as module
from tidegate.blobs.uploads import MOST_OF_ONE, Upload, UploadDirectory
from tidegate.errors import Overloaded, StoreFull, TooLarge, UnknownUpload, UploadBusy, WrongOffset


@pytest.fixture
def uploads(tmp_path: Path) -> UploadDirectory:
    return UploadDirectory(tmp_path / "uploads")


def begin(uploads: UploadDirectory, size: int, *pieces: bytes, who: str = "ann") -> Upload:
    upload = uploads.begin(who, size)
    with uploads.adding(who, upload.id, 0) as incoming:
        for piece in pieces:
            incoming.add(piece)
        return incoming.upload


def test_what_has_arrived_is_there_for_the_next_process(tmp_path: Path, uploads: UploadDirectory):
    upload = begin(uploads, 10, b"abc", b"de")

    again = UploadDirectory(tmp_path / "uploads")

    assert again.find("ann", upload.id) == Upload(upload.id, 10, 5)
    with again.adding("ann", upload.id, 5) as incoming:
        incoming.add(b"fghij")
        assert b"".join(incoming.pieces()) == b"abcdefghij"


def test_an_upload_does_not_exist_for_anybody_else(uploads: UploadDirectory):
    upload = begin(uploads, 10, b"abc")

    for call in (
        lambda: uploads.find("bob", upload.id),
        lambda: uploads.drop("bob", upload.id),
        lambda: uploads.adding("bob", upload.id, 3).__enter__(),
    ):
        with pytest.raises(UnknownUpload):
            call()
    assert uploads.find("ann", upload.id).offset == 3


@pytest.mark.parametrize("id_", ["", "..", "../../etc/passwd", "A" * 32, "a" * 31, "a" * 32])
def test_what_is_not_the_id_of_an_upload_leads_nowhere(uploads: UploadDirectory, id_: str):
    with pytest.raises(UnknownUpload):
        uploads.find("ann", id_)


def test_one_request_adds_at_a_time(uploads: UploadDirectory):
    upload = begin(uploads, 10, b"abc")

    with uploads.adding("ann", upload.id, 3):
        with pytest.raises(UploadBusy), uploads.adding("ann", upload.id, 3):
            pass
        with pytest.raises(UploadBusy):
            uploads.drop("ann", upload.id)
    with uploads.adding("ann", upload.id, 3) as incoming:
        incoming.add(b"d")


@pytest.mark.parametrize("offset", [0, 2, 4, 10])
def test_bytes_go_where_the_last_ones_ended_or_nowhere(uploads: UploadDirectory, offset: int):
    upload = begin(uploads, 10, b"abc")

    with pytest.raises(WrongOffset) as refused, uploads.adding("ann", upload.id, offset):
        pass

    assert refused.value.details["offset"] == 3


def test_more_bytes_than_announced_are_refused(uploads: UploadDirectory):
    upload = begin(uploads, 4, b"abc")

    with uploads.adding("ann", upload.id, 3) as incoming, pytest.raises(TooLarge):
        incoming.add(b"de")

    assert uploads.find("ann", upload.id).offset == 3


def test_a_complete_upload_keeps_its_digest_and_not_its_bytes(
    tmp_path: Path, uploads: UploadDirectory
):
    upload = uploads.begin("ann", 3)
    with uploads.adding("ann", upload.id, 0) as incoming:
        incoming.add(b"abc")
        incoming.becomes("d" * 64)

    assert uploads.find("ann", upload.id) == Upload(upload.id, 3, 3, "d" * 64)
    assert [each.suffix for each in (tmp_path / "uploads").iterdir()] == [".json"]
    assert uploads.unfinished("ann") == 0


def test_a_dropped_upload_leaves_nothing(tmp_path: Path, uploads: UploadDirectory):
    upload = begin(uploads, 10, b"abc")

    uploads.drop("ann", upload.id)

    assert list((tmp_path / "uploads").iterdir()) == []
    with pytest.raises(UnknownUpload):
        uploads.find("ann", upload.id)


def test_an_upload_that_nothing_is_added_to_for_a_day_is_dropped(
    tmp_path: Path, uploads: UploadDirectory
):
    old, new = begin(uploads, 10, b"abc"), begin(uploads, 10, b"abc")
    for path in (tmp_path / "uploads").glob(f"{old.id}*"):
        then = path.stat().st_mtime - module.LASTS - 60
        os.utime(path, (then, then))

    uploads.sweep()

    assert uploads.find("ann", new.id).offset == 3
    with pytest.raises(UnknownUpload):
        uploads.find("ann", old.id)


def test_one_principal_has_a_bounded_number_of_unfinished_uploads(uploads: UploadDirectory):
    for _ in range(MOST_OF_ONE):
        uploads.begin("ann", 7)

    with pytest.raises(Overloaded):
        uploads.begin("ann", 7)
    uploads.begin("bob", 1)
    assert uploads.unfinished("ann") == 7 * MOST_OF_ONE


def test_nobody_else_may_read_what_arrives(tmp_path: Path, uploads: UploadDirectory):
    before = os.umask(0)
    try:
        begin(uploads, 10, b"abc")
    finally:
        os.umask(before)

    for path in (tmp_path / "uploads").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_must_stay_free_is_not_filled(uploads: UploadDirectory, monkeypatch):
    upload = uploads.begin("ann", 10)
    monkeypatch.setattr(module.disk, "lacks_room", lambda _: "0 bytes are free")

    with uploads.adding("ann", upload.id, 0) as incoming, pytest.raises(StoreFull):
        incoming.add(b"abc")
