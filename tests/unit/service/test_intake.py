"""A value from outside is taken if it fits its schema and every blob that it names is there."""

from pathlib import Path
from typing import Any

import pytest

from tidegate.blobs.directory import BlobDirectory
from tidegate.errors import StoreError
from tidegate.service.intake import Intake
from tidegate.types.registry import codec
from tidegate.types.values import File


@pytest.fixture
def blobs(tmp_path: Path) -> BlobDirectory:
    return BlobDirectory(tmp_path / "blobs", sync=False)


def named(digest: str) -> dict[str, Any]:
    return {"$blob": digest, "size": 1, "media": "text/plain"}


def test_a_value_that_does_not_fit_is_not_looked_into(blobs: BlobDirectory):
    faults = Intake(blobs).faults({"type": "integer"}, named("0" * 64))

    assert [fault.path for fault in faults] == [()]
    assert "whole number" in faults[0].reason


def test_each_blob_that_is_missing_is_a_fault_where_it_is_named(blobs: BlobDirectory):
    there, gone = named(blobs.put((b"x",))), named("1" * 64)
    value = {"a": [there, {"b": gone}], "c": gone, "d": there}

    faults = Intake(blobs).faults({}, value)

    assert [fault.path for fault in faults] == [("a", 1, "b"), ("c",)]
    assert all("1" * 64 in fault.reason for fault in faults)


@pytest.mark.parametrize("digest", ["", "../../token", "x" * 64])
def test_what_is_not_a_digest_is_a_fault_too(blobs: BlobDirectory, digest: str):
    assert Intake(blobs).faults({}, [named(digest)])[0].path == (0,)


def test_a_file_that_is_there_is_taken(blobs: BlobDirectory):
    assert Intake(blobs).faults(codec(File).schema, named(blobs.put((b"x",)))) == []


class Broken(BlobDirectory):
    """A disk that cannot be read."""

    def size(self, digest: str, /) -> int:
        raise StoreError(f"the blob {digest} cannot be read: input/output error")


def test_a_blob_that_cannot_be_looked_at_is_not_a_fault_of_the_value(tmp_path: Path):
    with pytest.raises(StoreError, match="input/output error"):
        Intake(Broken(tmp_path)).faults({}, named("2" * 64))
