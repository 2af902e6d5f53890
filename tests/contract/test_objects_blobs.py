"""Blobs in an object store keep the promises of the port: in an S3, and in a shared directory. What only these do is added here."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from tests.contract.blobs_contract import BlobsContract, Change
from tests.objects import ObjectServer, running

from tidegate.blobs.directory import CHUNK
from tidegate.errors import ObjectsAway, StoreDamaged, UnknownBlob
from tidegate.objects.blobs import ObjectBlobs
from tidegate.objects.bucket import PART, Bucket
from tidegate.objects.cache import Copies


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


@pytest.fixture(params=["s3", "file"])
def bucket(request, server: ObjectServer, tmp_path: Path, monkeypatch):
    for name, text in server.variables.items():
        monkeypatch.setenv(name, text)
    return Bucket(server.bucket() if request.param == "s3" else f"file://{tmp_path}/shared")


@pytest.fixture
def only_s3(server: ObjectServer, monkeypatch):
    for name, text in server.variables.items():
        monkeypatch.setenv(name, text)
    return Bucket(server.bucket())


def name_of(digest: str) -> str:
    return f"blobs/{digest[:2]}/{digest[2:]}"


class TestObjects(BlobsContract):
    @pytest.fixture
    def blobs(self, bucket: Bucket, tmp_path: Path) -> ObjectBlobs:
        self.bucket, self.copies = bucket, tmp_path / "cache"
        return ObjectBlobs(bucket, Copies(self.copies))

    def damage(self, digest: str, change: Change) -> None:
        """Damage what is stored. This machine has no copy, as others have none."""
        changed = change(b"".join(self.bucket.read(name_of(digest))))
        self.bucket.remove(name_of(digest))
        if changed is not None:
            self.bucket.put(name_of(digest), changed)
        shutil.rmtree(self.copies)


def place(bucket: Bucket, path: Path, most: int | None = None) -> ObjectBlobs:
    return ObjectBlobs(bucket, Copies(path, most))


def test_what_one_machine_stores_another_reads_and_a_damaged_copy_is_fetched_again(
    bucket: Bucket, tmp_path: Path
):
    content = os.urandom(PART + 5)
    digest = place(bucket, tmp_path / "one").put((content[:7], content[7:]))
    other = place(bucket, tmp_path / "two")

    assert other.size(digest) == len(content)
    assert b"".join(other.read(digest)) == content

    copy = Copies(tmp_path / "two").path(digest)
    copy.write_bytes(b"x")
    with pytest.raises(Exception, match="try again"):
        list(other.read(digest))
    assert b"".join(other.read(digest)) == content


def test_a_part_is_read_without_the_rest(bucket: Bucket, tmp_path: Path):
    content = os.urandom(3 * CHUNK)
    digest = place(bucket, tmp_path / "one").put((content,))
    other = place(bucket, tmp_path / "two")

    assert other.beginning(digest, 100) == content[:100]
    assert not Copies(tmp_path / "two").path(digest).exists()
    with pytest.raises(UnknownBlob):
        other.beginning("0" * 64, 100)


def test_a_part_of_what_is_too_large_for_a_copy_is_checked_where_it_is_stored(
    bucket: Bucket, tmp_path: Path
):
    content = os.urandom(60_000)
    digest = place(bucket, tmp_path / "one").put((content,))
    other = place(bucket, tmp_path / "two", most=100_000)

    assert b"".join(other.part(digest, 50_000, 99_999)) == content[50_000:]
    assert not Copies(tmp_path / "two").path(digest).exists()
    bucket.put(name_of(digest), content[:-1] + b"!")
    with pytest.raises(StoreDamaged):
        next(other.part(digest, 0, 1))


class Counted(Bucket):
    """Counts what is sent."""

    sent = 0

    def put(self, name, content, *, new=False):
        self.sent += 1
        return super().put(name, content, new=new)

    def put_file(self, name, path):
        self.sent += path.stat().st_size > PART
        return super().put_file(name, path)


def test_the_same_content_is_sent_once_by_one_machine_and_not_again_by_another(
    only_s3: Bucket, tmp_path: Path
):
    for content in (b"small", os.urandom(PART + 1)):
        one, other = Counted(only_s3.address), Counted(only_s3.address)
        blobs = place(one, tmp_path / "one")
        assert blobs.put((content,)) == blobs.put((content,))
        place(other, tmp_path / "two").put((content,))

        assert (one.sent, other.sent) == (1, 0)


def test_copies_stay_within_their_bound_and_what_is_too_large_is_read_without_one(
    bucket: Bucket, tmp_path: Path
):
    blobs = place(bucket, tmp_path / "one", most=100_000)
    digests = [blobs.put((os.urandom(10_000),)) for _ in range(30)]
    for path in (tmp_path / "one").rglob("*"):
        os.utime(path, (1, 1))  # long ago
    large = os.urandom(60_000)
    digests.append(blobs.put((large,)))
    for path in (tmp_path / "one").rglob("*"):
        os.utime(path, (1, 1))
    blobs.put((b"another",))

    kept = sum(path.stat().st_size for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert kept <= 100_000
    assert all(len(b"".join(blobs.read(digest))) for digest in digests)
    other = place(bucket, tmp_path / "two", most=100_000)
    assert b"".join(other.read(digests[-1])) == large
    assert not any(path.is_file() for path in (tmp_path / "two").rglob("*"))


def test_nothing_stands_for_what_could_not_be_sent_and_it_is_sent_once_the_store_is_back(
    tmp_path: Path, monkeypatch
):
    content = b"content"
    digest = hashlib.sha256(content).hexdigest()
    with running() as server:
        for name, text in server.variables.items():
            monkeypatch.setenv(name, text)
        bucket = Bucket(server.bucket("one"))
        blobs = place(bucket, tmp_path / "cache")
        server.stop()

        with pytest.raises(ObjectsAway, match="s3://one/a/place cannot be reached"):
            blobs.put((content,))
        with pytest.raises(ObjectsAway):
            next(blobs.read(digest))
        assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]

        server.start()
        server.bucket("one")
        bucket.check()
        assert blobs.put((content,)) == digest
        assert b"".join(place(bucket, tmp_path / "other").read(digest)) == content
