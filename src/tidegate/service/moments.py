"""Points in time: instants inside, aware datetimes at the doors."""

from datetime import UTC, datetime, timedelta

from tidegate.errors import Fault, InvalidValue
from tidegate.ir.graph import Instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at: Instant) -> datetime:
    """Return an instant as an aware datetime."""
    return EPOCH + timedelta(microseconds=at)


def maybe(at: Instant | None) -> datetime | None:
    """Return an instant as an aware datetime, if there is one."""
    return None if at is None else moment(at)


def instant(name: str, given: str) -> Instant | None:
    """Return the instant in the field `name`, if it is set. Errors: `InvalidValue`."""
    if not given:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        why = "this date or time does not exist"
        raise InvalidValue(f"{name} {given!r}: {why}", [Fault((name,), why)]) from None
    return Instant((at - EPOCH) // timedelta(microseconds=1))


def number(cursor: str) -> int | None:
    """Return the number that is the cursor of a numbered list, if given. Errors: `InvalidValue`."""
    if not cursor:
        return None
    # 18 digits fit into 64 bits.
    if not cursor.isdecimal() or len(cursor) > 18:
        raise InvalidValue(f"{cursor[:40]!r} is not a cursor; use the `next` of the previous page")
    return int(cursor)
