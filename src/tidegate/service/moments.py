"""Points in time: instants inside, aware datetimes at the doors."""

from datetime import UTC, datetime, timedelta

from tidegate.ir.graph import Instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at: Instant) -> datetime:
    """Return an instant as an aware datetime."""
    return EPOCH + timedelta(microseconds=at)


def maybe(at: Instant | None) -> datetime | None:
    """Return an instant as an aware datetime, if there is one."""
    return None if at is None else moment(at)
