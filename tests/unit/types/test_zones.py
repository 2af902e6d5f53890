"""Datetimes and times of day come back as they were: naive or aware, in their zone, in the right one of two hours called alike."""

import pickle
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.types.exact import NOWHERE, comes_back

from tidegate.core.evaluate import compare
from tidegate.errors import InvalidValue
from tidegate.types import formats, zones
from tidegate.types.registry import codec
from tidegate.types.text import parse, show

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.none() | st.timezones() | st.timedeltas(
    timedelta(hours=-23), timedelta(hours=23)
).map(timezone)  # fmt: skip
DATETIMES = st.datetimes(timezones=ZONES)


def parts(value: datetime | time) -> tuple[Any, ...]:
    """Return all that a datetime or a time has; two of these are equal only if nothing differs."""
    zone: tzinfo | None = value.tzinfo
    name = zone.key if isinstance(zone, ZoneInfo) else zone
    return type(value), value.replace(tzinfo=None).isoformat(), value.fold, type(zone), name


def arrived(annotation: Any, value: Any) -> Any:
    made = codec(annotation)
    return made.decode(made.encode(value, NOWHERE), NOWHERE)


@settings(deadline=None, max_examples=400)
@given(value=DATETIMES, fold=st.sampled_from([0, 1]))
def test_a_datetime_comes_back_with_its_zone_or_without_one(value: datetime, fold: int):
    value = value.replace(fold=fold)

    assert parts(arrived(datetime, value)) == parts(value)


@settings(deadline=None)
@given(value=st.times(timezones=ZONES), fold=st.sampled_from([0, 1]))
def test_a_time_of_day_comes_back_with_its_zone_or_without_one(value: time, fold: int):
    value = value.replace(fold=fold)

    assert parts(arrived(time, value)) == parts(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 11, 23, 9, 30), "2026-11-23T09:30:00"),
        (datetime(2026, 11, 23, 9, 30, tzinfo=UTC), "2026-11-23T09:30:00+00:00"),
        (datetime(2026, 11, 23, 10, 30, tzinfo=BERLIN), "2026-11-23T09:30:00Z[Europe/Berlin]"),
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1), "2026-10-25T01:30:00Z[Europe/Berlin]"),
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), "2026-10-25T00:30:00Z[Europe/Berlin]"),
        (datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN), "2026-03-29T02:30:00+01:00[Europe/Berlin]"),
        (datetime(2026, 10, 25, 2, 30, fold=1), "2026-10-25T02:30:00[_fold=1]"),
        (datetime(2026, 7, 1, tzinfo=BERLIN, fold=1), "2026-06-30T22:00:00Z[Europe/Berlin][_fold=1]"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), "9999-12-31T23:59:59.999999-05:00[-05:00]"),
        (datetime(1880, 1, 1, tzinfo=BERLIN), "1879-12-31T23:06:32Z[Europe/Berlin]"),
        (datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")), "2026-01-01T00:00:00Z[UTC]"),
    ],
    ids=str,
)  # fmt: skip
def test_a_datetime_is_written_with_what_tells_its_zone(value: datetime, text: str):
    assert codec(datetime).encode(value, NOWHERE) == text
    assert parts(arrived(datetime, value)) == parts(value)
    comes_back(datetime, value)


@pytest.mark.parametrize("name", sorted(available_timezones())[::20])
def test_each_zone_keeps_its_name(name: str):
    value = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo(name))

    assert parts(arrived(list[datetime], [value])[0]) == parts(value)


@settings(deadline=None)
@given(a=st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.timezones()), b=st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)))  # fmt: skip
def test_conditions_compare_instants_and_not_how_they_are_shown(a: datetime, b: datetime):
    one, other = zones.write_datetime(a), zones.write_datetime(b)

    assert compare("<", one, other) == (a.astimezone(UTC) < b)
    assert compare("==", one, zones.write_datetime(a.astimezone(UTC)))


@pytest.mark.parametrize(
    "text", ["2026-11-23T09:30:00Z", "2026-11-23t09:30:00z", "2026-11-23 09:30+00:00", "2026-11-23T10:30:00+01:00"]
)  # fmt: skip
def test_what_earlier_versions_and_other_programs_have_written_is_read_as_an_instant_in_utc(text):
    assert parts(codec(datetime).decode(text, NOWHERE)) == parts(
        datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("2026-07-01 12:00", datetime(2026, 7, 1, 12)),
        ("2026-07-01", datetime(2026, 7, 1)),
        ("2026-07-01T12:00+02:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01 12:00[Europe/Berlin]", datetime(2026, 7, 1, 12, tzinfo=BERLIN)),
        ("2026-07-01 12:00+02:00[Europe/Berlin]", datetime(2026, 7, 1, 12, tzinfo=BERLIN)),
        ("2026-07-01 12:00+01:00[Europe/Berlin]", datetime(2026, 7, 1, 13, tzinfo=BERLIN)),
    ],
)
def test_what_is_typed_is_taken_with_the_zone_that_it_says(typed: str, value: datetime):
    made = codec(datetime)
    stored = parse(made.schema, typed)

    assert parts(made.decode(stored, NOWHERE)) == parts(value)
    assert parse(made.schema, show(made.schema, stored)) == stored


def test_a_graph_of_an_earlier_version_takes_what_is_typed_without_an_offset_for_utc():
    schema = {"type": "string", "format": formats.INSTANT}

    assert parse(schema, "2026-07-01 12:00") == "2026-07-01T12:00:00+00:00"
    assert not formats.fits(formats.INSTANT, "2026-07-01T12:00:00")


@pytest.mark.parametrize(
    "text",
    ["2026-11-23T09:30:00[Nowhere/Land]", "2026-11-23T09:30:00[../passwd]", "2026-11-23T09:30[]", "2026-11-23T09:30+25:00",
     "2026-11-23T09:30:00[Europe/Berlin][u-ca=hebrew]", "2026-11-23", "2026-13-01T00:00"],
)  # fmt: skip
def test_what_is_not_a_datetime_here_is_refused(text: str):
    assert not formats.fits(formats.LOOSE_INSTANT, text)


class Strange(tzinfo):
    def utcoffset(self, _at: datetime | None) -> timedelta:
        return timedelta(hours=1)

    def dst(self, _at: datetime | None) -> None:
        return None

    def tzname(self, _at: datetime | None) -> None:
        return None


class Later(datetime):
    pass


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (datetime(2026, 1, 1, tzinfo=Strange()), "its zone, .*Strange, would be lost: use zoneinfo.ZoneInfo"),
        (time(12, tzinfo=Strange()), "its zone, .*Strange, would be lost"),
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1), "CET")), "the name 'CET' of its offset would be lost"),
        (Later(2026, 1, 1), "a Later would be read back as a datetime"),
    ],
    ids=["class", "time", "named", "subclass"],
)  # fmt: skip
def test_what_would_lose_its_zone_or_its_class_is_refused(value: Any, reason: str):
    with pytest.raises(InvalidValue, match=reason):
        codec(type(value) if type(value) is time else datetime).encode(value, NOWHERE)


def test_zones_are_one_if_their_names_or_their_offsets_are():
    copy = pickle.loads(pickle.dumps(ZoneInfo.no_cache("Europe/Berlin")))

    assert zones.same_zone(copy, BERLIN)
    assert zones.same_zone(None, None)
    assert not zones.same_zone(BERLIN, ZoneInfo("Europe/Vienna"))
    assert not zones.same_zone(UTC, ZoneInfo("UTC"))
    assert not zones.same_zone(None, UTC)
