"""
How datetimes and times of day are written in stored values, and read back, with their zone or without one.

    2026-11-23T10:30:00                             naive: it stays naive
    2026-11-23T09:30:00+00:00                       in UTC
    2026-11-23T09:30:00Z[Europe/Berlin]             the same instant, in a zone (RFC 9557), by name
    2026-11-23T09:30:00Z[-05:00]                    the same instant, at a fixed offset
    2026-03-29T02:30:00+01:00[Europe/Berlin]        a time that clocks skip, which UTC cannot express
    2026-10-25T02:30:00[_fold=1]                    the second of two hours with the same name

An instant is written in UTC, so that the order of two written instants is the order of the instants.
Each writer raises `ValueError` for what would not read back identically; each reader for what it cannot parse.
"""

import re
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from importlib import import_module
from typing import Any, Final

# Patterns are compiled when they are first used, because importing the package must stay light.
_OFFSET: Final = r"[+-]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?"
_TAGS: Final = (
    rf"(?P<tags>(?:\[!?(?P<zone>[A-Za-z][A-Za-z0-9._+/-]*|{_OFFSET})\])?(?P<fold>\[_fold=1\])?)"
)
_CLOCK: Final = r"\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?"
_TIME: Final = rf"(?P<body>\d\d:\d\d(?::\d\d(?:\.\d{{1,6}})?)?)(?P<offset>Z|{_OFFSET})?{_TAGS}"
_DATETIME: Final = rf"(?P<body>\d{{4}}-\d\d-\d\d[Tt ]{_CLOCK})(?P<offset>[Zz]|{_OFFSET})?{_TAGS}"
_FOLD: Final = "[_fold=1]"


def write_datetime(value: datetime) -> str:
    """Write a datetime."""
    zone, plain = value.tzinfo, value.replace(tzinfo=None)
    if zone is None:
        return plain.isoformat() + (_FOLD if value.fold else "")
    tag = "+00:00" if zone is UTC else _tag(zone)
    if tag == "+00:00":
        return plain.isoformat() + tag + (_FOLD if value.fold else "")
    text = _in_utc(value, zone, tag) or f"{plain.isoformat()}{_written(value.utcoffset())}[{tag}]"
    return text if read_datetime(text).fold == value.fold else text + _FOLD


def read_datetime(text: str) -> datetime:
    """Read a date and time, with or without an offset. One with an offset and no zone comes back in UTC."""
    found = re.fullmatch(_DATETIME, text, re.ASCII)
    if found is None:
        raise ValueError("not a date and time, as in 2026-11-23T09:00:00+00:00")
    plain = datetime.fromisoformat(found["body"].upper())
    offset, zone = _read_offset(found["offset"]), _zone(found["zone"])
    value = plain if offset is None else plain.replace(tzinfo=offset)
    if zone is not None:
        value = _within(plain, value, zone, utc=(found["offset"] or "").upper() == "Z")
    elif offset is not None:
        value = value.astimezone(UTC)
    return value.replace(fold=1) if found["fold"] else value


def read_aware(text: str) -> datetime:
    """Read a date and time that has an offset or a zone."""
    value = read_datetime(text)
    if value.tzinfo is None:
        raise ValueError("the offset is missing, as in 2026-11-23T09:00:00+00:00")
    return value


def write_time(value: time) -> str:
    """Write a time of day."""
    zone, fold = value.tzinfo, _FOLD if value.fold else ""
    plain = value.replace(tzinfo=None).isoformat()
    if zone is None:
        return plain + fold
    tag = _tag(zone)
    return f"{plain}{tag}{fold}" if _read_offset(tag) else f"{plain}[{tag}]{fold}"


def read_time(text: str) -> time:
    """Read a time of day, with or without an offset or a zone."""
    found = re.fullmatch(_TIME, text, re.ASCII)
    if found is None or (found["offset"] and found["zone"]):
        raise ValueError("not a time of day, as in 14:30:00")
    zone = _read_offset(found["offset"]) or _zone(found["zone"])
    return time.fromisoformat(found["body"]).replace(tzinfo=zone, fold=int(bool(found["fold"])))


def same_zone(a: tzinfo | None, b: tzinfo | None) -> bool:
    """Say whether two zones are the same: by name, or by fixed offset. Pydantic has its own class for the latter."""
    if a is b:
        return True
    try:
        return a is not None and b is not None and _tag(a) == _tag(b)
    except ValueError:
        return type(a) is type(b) and a == b


def order_of(text: str) -> str:
    """Return a text by which instants are compared: a zone says how an instant is shown, not when it is."""
    if not text.endswith("]"):
        return text
    try:
        value = read_datetime(text)
        return text if value.tzinfo is None else value.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return text


def _in_utc(value: datetime, zone: tzinfo, tag: str) -> str:
    """Write a datetime in UTC with its zone; empty if it could not be restored from that."""
    try:
        instant = value.astimezone(UTC)
        again = instant.astimezone(zone)
    except OverflowError:  # at the ends of time, where UTC has another year
        return ""
    same = again.replace(tzinfo=None) == value.replace(tzinfo=None)
    return f"{instant.replace(tzinfo=None).isoformat()}Z[{tag}]" if same else ""


def _within(plain: datetime, value: datetime, zone: tzinfo, *, utc: bool) -> datetime:
    """Return a datetime in a zone: the written time if it exists in the zone, else the instant."""
    if utc:
        return value.replace(tzinfo=UTC).astimezone(zone)
    for fold in (0, 1):
        local = plain.replace(tzinfo=zone, fold=fold)
        if value.tzinfo is None or local.utcoffset() == value.utcoffset():
            return local
    return value.astimezone(zone)  # the rules of the zone have changed since


def _tag(zone: tzinfo) -> str:
    """Return the name of a zone, or its fixed offset."""
    kind: Any = type(zone)
    if kind is timezone or kind.__module__.startswith("pydantic"):
        offset = zone.utcoffset(None)
        if offset is not None and zone.tzname(None) in {
            timezone(offset).tzname(None),
            _written(offset),
        }:
            return _written(offset)
        raise ValueError(
            f"the name {zone.tzname(None)!r} of its offset would be lost: use a ZoneInfo"
        )
    # Loaded here, because importing the package must stay light.
    if kind is import_module("zoneinfo").ZoneInfo:
        key: str | None = zone.key  # type: ignore[attr-defined]
        if key is not None and _zone(key) is not None:
            return key
    raise ValueError(
        f"its zone, {kind.__module__}.{kind.__qualname__}, would be lost: use zoneinfo.ZoneInfo or datetime.timezone"
    )


def _zone(tag: str | None) -> tzinfo | None:
    """Return the zone of a name or of a fixed offset."""
    if not tag:
        return None
    fixed = _read_offset(tag)
    if fixed is not None:
        return fixed
    zoneinfo = import_module("zoneinfo")
    try:
        found: tzinfo = zoneinfo.ZoneInfo(tag)
    except (zoneinfo.ZoneInfoNotFoundError, OSError) as e:
        raise ValueError(f"there is no time zone {tag} here") from e
    return found


def _written(offset: timedelta | None) -> str:
    """Write an offset: `+01:00`, or with seconds, as zones had them until about 1900."""
    assert offset is not None
    return datetime(1, 1, 2, tzinfo=timezone(offset)).isoformat()[19:]


def _read_offset(text: str | None) -> timezone | None:
    """Read an offset; None if it is not one."""
    if not text:
        return None
    if text in "Zz":
        return UTC
    if text[0] not in "+-":
        return None
    # Not `fromisoformat`, which turns an offset below a second into UTC.
    hours, minutes, seconds = (*text[1:].split(":"), "0")[:3]
    size = timedelta(
        hours=int(hours), minutes=int(minutes), microseconds=round(float(seconds) * 1e6)
    )
    return timezone(size if text[0] == "+" else -size)
