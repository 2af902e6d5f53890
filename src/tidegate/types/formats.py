"""
How dates, durations and similar values are written in stored values, and read back.

All of it is ISO 8601: `2026-11-23`, `2026-11-23T09:00:00+00:00`, `14:30:00`, `PT1H30M`, `PT0.25S`.
Everything with a zone is in `zones`. A year or a month is not a duration, because its length is not fixed.

Each reader returns the Python value, or raises `ValueError`.
"""

import base64
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from tidegate.types import zones

DATE: Final = "date"
INSTANT: Final = "date-time"
"""A datetime with its offset: JSON Schema's meaning, which earlier versions declared for `datetime`."""
LOOSE_INSTANT: Final = "iso-date-time"
"""A datetime with or without an offset."""
TIME: Final = "iso-time"
DURATION: Final = "iso-duration"
LOOSE_DURATION: Final = "duration"
DECIMAL: Final = "decimal"
UUID_TEXT: Final = "uuid"
BASE64: Final = "base64"

# Patterns are compiled when they are first used, because importing the package must stay light.
_DATE = r"\d{4}-\d\d-\d\d"
_DURATION = (
    r"(?P<sign>[+-])?P(?=.)((?P<weeks>\d+)W)?((?P<days>\d+)D)?"
    r"(T(?=.)((?P<hours>\d+)H)?((?P<minutes>\d+)M)?((?P<seconds>\d+)([.,](?P<part>\d{1,6}))?S)?)?"
)
_YEARS = (
    r"[+-]?P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?"
    r"(T(?=.)(\d+H)?(\d+M)?(\d+([.,]\d{1,6})?S)?)?"
)
_DECIMAL = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


def write_date(value: date) -> str:
    """Write a day."""
    return value.isoformat()


def read_date(text: str) -> date:
    """Read a day."""
    if re.fullmatch(_DATE, text, re.ASCII) is None:
        raise ValueError("not a date, as in 2026-11-23")
    return date.fromisoformat(text)


def write_duration(value: timedelta) -> str:
    """Write a duration, to the microsecond: `P1DT2H3M4.5S`."""
    if not value:
        return "PT0S"
    sign = "-" if value < timedelta(0) else ""
    # Days are taken off before the sign is inverted: the lowest timedelta has no opposite.
    days = abs(value.days + 1) if value.days < 0 and (value.seconds or value.microseconds) else None
    rest = timedelta(days=1) - timedelta(0, value.seconds, value.microseconds)
    if days is None:
        days, rest = abs(value.days), timedelta(0, value.seconds, value.microseconds)
    hours, rest = divmod(rest, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    seconds = f"{rest.seconds}.{rest.microseconds:06}".rstrip("0").rstrip(".")
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    clock = "".join(f"{n}{unit}" for n, unit in parts if n not in (0, "0"))
    return f"{sign}P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}"


def read_duration(text: str) -> timedelta:
    """Read a duration written in weeks, days, hours, minutes and seconds."""
    found = re.fullmatch(_DURATION, text, re.ASCII)
    if found is None:
        raise ValueError("not a duration, as in PT1H30M")
    names = ("weeks", "days", "hours", "minutes", "seconds")
    amounts = {name: int(found[name] or 0) for name in names}
    micros = int((found["part"] or "").ljust(6, "0"))
    try:
        if found["sign"] == "-":
            return timedelta(**{k: -v for k, v in amounts.items()}, microseconds=-micros)
        return timedelta(**amounts, microseconds=micros)
    except OverflowError as e:
        raise ValueError("longer than the longest timedelta") from e


def read_decimal(text: str) -> Decimal:
    """Read an exact number."""
    try:
        return Decimal(text)
    except InvalidOperation as e:
        raise ValueError("not a number, as in 12.50") from e


def read_uuid(text: str) -> UUID:
    """Read a UUID."""
    return UUID(text)


def read_base64(text: str) -> bytes:
    """Read bytes written as base64."""
    return base64.b64decode(text, validate=True)


def write_base64(value: bytes) -> str:
    """Write bytes as base64."""
    return base64.b64encode(value).decode("ascii")


def _finite_decimal(text: str) -> Decimal:
    if re.fullmatch(_DECIMAL, text, re.ASCII) is None:
        raise ValueError("not a number, as in 12.50")
    return Decimal(text)


def _loose_duration(text: str) -> str:
    """Check a duration that pydantic reads: it writes 365 days as a year."""
    if re.fullmatch(_YEARS, text, re.ASCII) is None:
        raise ValueError("not a duration, as in PT1H30M")
    return text


READERS: Final[dict[str, Callable[[str], object]]] = {
    DATE: read_date,
    INSTANT: zones.read_aware,
    LOOSE_INSTANT: zones.read_datetime,
    TIME: zones.read_time,
    DURATION: read_duration,
    LOOSE_DURATION: _loose_duration,
    DECIMAL: _finite_decimal,
    BASE64: read_base64,
}
"""The reader that checks a format; a format that is not listed is left to the validator."""


def fits(name: str, text: str) -> bool:
    """Say whether a text has a format."""
    try:
        READERS[name](text)
    except (ValueError, OverflowError):
        return False
    return True
