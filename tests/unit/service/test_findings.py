"""What is shown of a blob is what the server finds, and not what a value says of it."""

from pathlib import Path

import pytest

from tidegate.blobs.directory import BlobDirectory
from tidegate.errors import UnknownBlob
from tidegate.service.findings import MOST, Findings
from tidegate.types.values import named_blobs
from tidegate.wire import BlobView, DescribeBlob

HTML = b"<html><script>alert(1)</script>"


@pytest.fixture
def blobs(tmp_path: Path) -> BlobDirectory:
    return BlobDirectory(tmp_path, sync=False)


def test_the_size_and_the_media_type_are_those_of_the_content(blobs: BlobDirectory):
    digest = blobs.put((HTML,))
    value = {"pic": {"$blob": digest, "size": 1, "media": "image/png", "name": "a.png"}}

    found = Findings(blobs).among([value])

    assert found == {digest: BlobView(digest=digest, size=len(HTML), media="text/html")}


def test_a_blob_is_found_wherever_it_stands_also_in_a_dict_that_only_looks_like_one(
    blobs: BlobDirectory,
):
    inner, outer = blobs.put((b"a",)), blobs.put((b"b",))
    value = [[{"x": {"$blob": outer, "amount": 1, "more": {"$blob": inner}}}]]

    assert set(Findings(blobs).among([value])) == {inner, outer}


def test_of_what_is_not_there_nothing_is_found(blobs: BlobDirectory):
    assert Findings(blobs).among([{"$blob": "0" * 64}, {"$blob": "no digest"}, "$blob"]) == {}
    with pytest.raises(UnknownBlob):
        Findings(blobs).of(DescribeBlob(digest="0" * 64))


def test_a_question_of_many_blobs_costs_no_more_than_some(blobs: BlobDirectory):
    many = [{"$blob": blobs.put((str(n).encode(),))} for n in range(MOST + 10)]

    assert len(Findings(blobs).among([many])) == MOST
    assert len(list(named_blobs(many))) == MOST + 10
