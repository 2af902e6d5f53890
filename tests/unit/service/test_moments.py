"""Instants become aware datetimes at the doors, to the microsecond."""

from datetime import UTC, datetime

from tidegate.service.moments import maybe, moment


def test_an_instant_is_microseconds_since_1970_in_utc():
    assert moment(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert moment(1_800_000_000_000_001) == datetime(2027, 1, 15, 8, 0, 0, 1, tzinfo=UTC)
    assert moment(-1) < moment(0)


def test_no_instant_is_none():
    assert maybe(None) is None
    assert maybe(0) == moment(0)
