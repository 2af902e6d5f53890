"""A `Range` is served, ignored, or refused, as RFC 9110 says; nothing that is sent breaks the reading of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.api.ranges import span_of
from tidegate.errors import RangeMissed

TAG = '"abc"'


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("bytes=0-9", range(10)),
        ("bytes=5-", range(5, 100)),
        ("bytes=-7", range(93, 100)),
        ("bytes=-700", range(100)),
        ("bytes=99-1000000", range(99, 100)),
        ("Bytes = 1 - 2", range(1, 3)),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=9-5", None),
        ("bytes=500-400", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=0x1-2", None),
        (f"bytes={'9' * 19}-", None),
    ],
)
def test_one_range_is_served_and_what_cannot_be_read_gets_the_whole(asked: str, span: range | None):
    assert span_of(asked, "", 100, TAG) == span


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_with_no_byte_of_the_content_is_refused_with_its_size(asked: str):
    with pytest.raises(RangeMissed) as refused:
        span_of(asked, "", 100, TAG)
    assert refused.value.details["size"] == 100


def test_a_range_of_another_content_gets_the_whole():
    assert span_of("bytes=0-9", TAG, 100, TAG) == range(10)
    assert span_of("bytes=0-9", '"other"', 100, TAG) is None
    assert span_of("bytes=0-9", f"W/{TAG}", 100, TAG) is None


@given(st.text(), st.text(), st.integers(0, 2**40))
def test_whatever_is_sent_a_span_lies_within_the_content(asked: str, unless: str, size: int):
    for text in (asked, f"bytes={asked}"):
        try:
            span = span_of(text, unless, size, TAG)
        except RangeMissed:
            continue
        assert span is None or 0 <= span.start < span.stop <= size
