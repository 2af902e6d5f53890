"""Blobs in a directory keep the promises of the port."""

from hashlib import sha256
from itertools import islice
from pathlib import Path

import pytest
from tests.contract.blobs_contract import BlobsContract, Change

from tidegate.blobs.directory import CHUNK, BlobDirectory
from tidegate.errors import InvalidValue, StoreDamaged


class TestDirectory(BlobsContract):
    @pytest.fixture(autouse=True)
    def _root(self, tmp_path: Path) -> None:
        self.root = tmp_path / "blobs"

    @pytest.fixture
    def blobs(self) -> BlobDirectory:
        return BlobDirectory(self.root)

    def damage(self, digest: str, change: Change) -> None:
        path = self.root / digest[:2] / digest[2:]
        content = change(path.read_bytes())
        path.unlink()
        if content is not None:
            path.write_bytes(content)


class TestUnsynced(TestDirectory):
    @pytest.fixture
    def blobs(self) -> BlobDirectory:
        return BlobDirectory(self.root, sync=False)


# ---- bugs that the contract must see: another function in the place of one ----

put, read = BlobDirectory.put, BlobDirectory.read


def read_unchecked(blobs: BlobDirectory, digest: str):
    with blobs.path(digest).open("rb") as file:
        yield from iter(lambda: file.read(CHUNK), b"")


def read_and_check_too_late(blobs: BlobDirectory, digest: str):
    yield from read_unchecked(blobs, digest)
    list(read(blobs, digest))


def put_unless_the_length_is_right(blobs: BlobDirectory, chunks) -> str:
    content = b"".join(chunks)
    path = blobs.path(sha256(content).hexdigest())
    if path.is_file() and path.stat().st_size == len(content):
        return sha256(content).hexdigest()
    return put(blobs, (content,))


def put_two_pieces(blobs: BlobDirectory, chunks) -> str:
    return put(blobs, islice(chunks, 2))


def put_what_has_come(blobs: BlobDirectory, chunks) -> str:
    came: list[bytes] = []
    try:
        came.extend(chunks)
    except InvalidValue:
        put(blobs, came)
        raise
    return put(blobs, came)


@pytest.mark.parametrize(
    ("method", "other", "promise", "words"),
    [
        ("read", read_unchecked, "test_a_damaged_blob_is_never_handed_out_whole", ("zeros", 9)),
        (
            "read",
            read_and_check_too_late,
            "test_a_damaged_blob_is_never_handed_out_whole",
            ("a flipped bit", CHUNK + 9),
        ),
        (
            "put",
            put_unless_the_length_is_right,
            "test_a_damaged_or_lost_blob_is_whole_again_once_it_is_put_again",
            ("zeros", 2),
        ),
        (
            "put",
            put_two_pieces,
            "test_a_blob_is_named_by_its_content_however_it_came",
            (3 * CHUNK, 7),
        ),
        ("put", put_what_has_come, "test_what_breaks_off_is_not_kept", ()),
    ],
)
def test_the_contract_sees_a_planted_bug(
    tmp_path: Path, monkeypatch, method, other, promise, words
):
    contract = TestDirectory()
    contract.root = tmp_path / "blobs"
    check = getattr(contract, promise)
    check(BlobDirectory(contract.root), *words)

    contract.root = tmp_path / "again"
    monkeypatch.setattr(BlobDirectory, method, other)

    with pytest.raises((AssertionError, StoreDamaged, pytest.fail.Exception)):
        check(BlobDirectory(contract.root), *words)
