"""Compressed replies: what is compressed, for whom, and that it reads back."""

import asyncio
import gzip
import json

import pytest

from tidegate.api.packing import LARGE, SMALL, accepts_gzip, pack
from tidegate.api.route import Reply

TYPICAL = b"gzip, deflate, br, zstd"


def sent(reply: Reply, body: bytes, accepted: bytes = TYPICAL) -> tuple[bytes, dict[str, str]]:
    packed, headers = asyncio.run(pack(reply, body, accepted))
    return packed, dict(headers)


@pytest.mark.parametrize("size", [SMALL + 1, LARGE + 1])
def test_a_list_is_sent_smaller_and_reads_back_the_same(size: int) -> None:
    body = json.dumps(["a question"] * (size // 14 + 1)).encode()

    packed, headers = sent(Reply(headers={"x-own": "1"}), body)

    assert len(packed) < len(body) / 8
    assert gzip.decompress(packed) == body
    assert headers == {"x-own": "1", "content-encoding": "gzip", "vary": "accept-encoding"}


@pytest.mark.parametrize(
    ("reply", "size", "accepted"),
    [
        (Reply(), SMALL, TYPICAL),
        (Reply(), LARGE, b""),
        (Reply(), LARGE, b"identity, br"),
        (Reply(media="application/octet-stream"), LARGE, TYPICAL),
    ],
)
def test_what_is_small_not_json_or_not_accepted_is_sent_as_it_is(
    reply: Reply, size: int, accepted: bytes
) -> None:
    body = b"x" * size
    assert sent(reply, body, accepted) == (body, {})


@pytest.mark.parametrize(
    ("accepted", "does"),
    [
        (b"gzip", True),
        (b"br, GZIP;q=0.5", True),
        (b"gzip;q=0", False),
        (b"gzip; q=0.0", False),
        (b"xgzip", False),
        (b"", False),
    ],
)
def test_a_weight_of_zero_refuses_it(accepted: bytes, does: bool) -> None:
    assert accepts_gzip(accepted) is does
