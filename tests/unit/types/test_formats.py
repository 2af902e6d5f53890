"""Dates, durations and their like are written in one way and read back exactly; what is ambiguous is refused."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.types import formats


@settings(deadline=None)
@given(value=st.timedeltas())
def test_a_duration_comes_back_to_the_microsecond(value: timedelta):
    assert formats.read_duration(formats.write_duration(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(0), "PT0S"),
        (timedelta(minutes=90), "PT1H30M"),
        (timedelta(milliseconds=250), "PT0.25S"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4.5), "P1DT2H3M4.5S"),
        (timedelta(days=-1), "-P1D"),
        (timedelta(seconds=-1), "-PT1S"),
        (timedelta.max, "P999999999DT23H59M59.999999S"),
        (timedelta.min, "-P999999999D"),
    ],
    ids=str,
)
def test_a_duration_is_written_in_the_shortest_way(value: timedelta, text: str):
    assert formats.write_duration(value) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("P2W", timedelta(weeks=2)),
        ("PT1,5S", timedelta(seconds=1.5)),
        ("+PT1M", timedelta(minutes=1)),
        ("PT36H", timedelta(hours=36)),
    ],
)
def test_what_else_iso_8601_allows_is_read_too(text: str, value: timedelta):
    assert formats.read_duration(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1Y", "P1M", "1h", "PT1.5H", "PT1S ", "P1DT", "PT\u0661S", "P9999999999D"],
)
def test_a_duration_without_a_fixed_length_or_of_another_form_is_refused(text: str):
    with pytest.raises(ValueError):
        formats.read_duration(text)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (formats.DATE, ["2026-02-28"], ["2026-02-30", "20260228", "2026-02-28T00:00:00Z", "\u0662026-02-28"]),
        (formats.TIME, ["14:30", "14:30:00.000001+02:00"], ["24:00", "14", "14:30:00.0000001"]),
        (formats.DECIMAL, ["12.50", "-.5", "1e3"], ["NaN", "inf", "1,5", "1_000", ""]),
        (formats.BASE64, ["", "YQ=="], ["YQ", "Y Q=", "***"]),
        (formats.LOOSE_DURATION, ["P1Y2M", "PT1S"], ["P", "1 year"]),
    ],
)  # fmt: skip
def test_a_text_is_of_a_format_or_not(name: str, good: list[str], bad: list[str]):
    assert [text for text in good if not formats.fits(name, text)] == []
    assert [text for text in bad if formats.fits(name, text)] == []


def test_days_come_back():
    assert formats.read_date(formats.write_date(date(1, 1, 1))) == date(1, 1, 1)
