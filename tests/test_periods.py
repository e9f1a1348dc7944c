"""Frequencies, dates and period indexes, against the calendar as the standard library knows it."""

import datetime as dt
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.counts.periods import (
    EARLIEST,
    WEEKDAYS,
    days_in,
    exposure,
    parse_date,
    parse_freq,
    period_index,
    period_word,
)
from escalation.errors import InputError

FREQS = ("D", "M", *(f"W-{day}" for day in WEEKDAYS))
DATES = st.dates(dt.date(1990, 1, 1), dt.date(2035, 12, 31))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("d", "D"), ("D", "D"), ("m", "M"), ("w", "W-SUN"), ("W-sun", "W-SUN"), ("W-WED", "W-WED"), ("w-sat", "W-SAT")],
)
def test_frequencies_in_any_case(given, wanted):
    assert parse_freq(given) == wanted


@pytest.mark.parametrize("freq", ["", "Q", "MS", "ME", "2W", "W-", "W-XYZ", "week", None, 7, "D "])
def test_other_frequencies_are_refused(freq):
    with pytest.raises(InputError, match=f"freq is {freq!r}; use D, M, or W-SUN to W-SAT"):
        parse_freq(freq)


@pytest.mark.parametrize(
    "value",
    [
        "2024-02-29",
        "2024-02-29 23:59",
        "2024-02-29T11:00:00Z",
        dt.date(2024, 2, 29),
        dt.datetime(2024, 2, 29, 23, 59, tzinfo=dt.timezone(dt.timedelta(hours=-7))),
        pd.Timestamp("2024-02-29 08:00", tz="Asia/Baghdad"),
        np.datetime64("2024-02-29"),
        pd.Period("2024-02-29", "D"),
    ],
)
def test_dates_keep_their_own_calendar_day(value):
    stamp = parse_date(value, "start")
    assert stamp == pd.Timestamp("2024-02-29")
    assert stamp.tz is None


def test_a_period_gives_its_first_or_its_last_day():
    month = pd.Period("2024-02", "M")
    assert parse_date(month, "start") == pd.Timestamp("2024-02-01")
    assert parse_date(month, "end", side="end") == pd.Timestamp("2024-02-29")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("2024-2-1", "start is '2024-2-1'; write the date as YYYY-MM-DD"),
        ("01/02/2024", "start is '01/02/2024'; write the date as YYYY-MM-DD"),
        ("", "start is ''; write the date as YYYY-MM-DD"),
        ("2024-02-01x", "start is '2024-02-01x'; write"),
        ("2024-02-30", "start is '2024-02-30', which is no date"),
        ("2024-13-01", "start is '2024-13-01', which is no date"),
        ("2024-02-01 25:00", "start is '2024-02-01 25:00', which is no date"),
        (["2024-02-01"], r"start is \['2024-02-01'\], which is no date"),
        (b"2024-02-01", "start is b'2024-02-01', which is no date"),
        (dt.time(1), r"start is datetime.time\(1, 0\), which is no date"),
        ("1899-12-31", "start is '1899-12-31'; dates must lie between 1900 and 2200"),
        (pd.Timestamp("2200-01-01"), "dates must lie between 1900 and 2200"),
        (None, "start is None; dates must lie between 1900 and 2200"),
        (pd.NaT, "start is NaT; dates must lie between 1900 and 2200"),
        (float("nan"), "start is nan; dates must lie"),
        # pandas would read these as nanoseconds since 1970
        (20240205, "start is the number 20240205; write the date as text, YYYY-MM-DD"),
        (45327.0, "start is the number 45327.0; write the date as text"),
        (np.int64(5), r"start is the number np.int64\(5\); write the date as text"),
        (True, "start is the number True; write the date as text"),
    ],
)
def test_what_is_no_date_is_refused(value, message):
    with pytest.raises(InputError, match=message):
        parse_date(value, "start")


def test_the_year_0025_is_refused():
    # pandas 2 cannot hold it and pandas 3 can, so the message differs
    with pytest.raises(InputError, match="start is '0025-03-01'"):
        parse_date("0025-03-01", "start")
    assert parse_date("1900-01-01", "start") == EARLIEST


@settings(deadline=None, max_examples=40)
@given(first=DATES, days=st.integers(0, 400), freq=st.sampled_from(FREQS))
def test_period_index_holds_every_day_once(first, days, freq):
    last = first + dt.timedelta(days)
    index = period_index(pd.Timestamp(first), pd.Timestamp(last), freq)
    assert index.name == "period"
    assert index[0].start_time.date() <= first <= index[0].end_time.date()
    assert index[-1].start_time.date() <= last <= index[-1].end_time.date()
    for before, after in pairwise(index):
        assert after.start_time.date() - before.end_time.date() == dt.timedelta(1)


@settings(deadline=None, max_examples=40)
@given(first=DATES, days=st.integers(0, 50), freq=st.sampled_from(FREQS), shift=st.integers(-40, 40))
def test_exposure_counts_days(first, days, freq, shift):
    index = period_index(pd.Timestamp(first), pd.Timestamp(first) + pd.Timedelta(days=20), freq)
    start = first + dt.timedelta(shift)
    end = start + dt.timedelta(days)
    share = exposure(index, start, end)
    assert share.index.equals(index)
    for period, length, value in zip(index, days_in(index), share, strict=True):
        whole = [day.date() for day in pd.date_range(period.start_time, period.end_time)]
        assert length == len(whole)
        assert value == pytest.approx(sum(start <= day <= end for day in whole) / len(whole))


def test_exposure_to_the_end_of_a_period():
    months = pd.period_range("2024-01", periods=3, freq="M")
    assert exposure(months, "2024-01-17", pd.Period("2024-02", "M")).round(3).tolist() == [0.484, 1.0, 0.0]


def test_weeks_end_on_the_day_that_names_them():
    for name, weekday in zip(WEEKDAYS, (6, 0, 1, 2, 3, 4, 5), strict=True):
        index = period_index(pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-31"), f"W-{name}")
        assert {period.end_time.weekday() for period in index} == {weekday}


def test_periods_that_cannot_be():
    with pytest.raises(InputError, match="end 2024-01-01 is before start 2024-01-02; swap them"):
        period_index(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-01"), "D")
    with pytest.raises(InputError, match="1700-01-01 to 2249-12-31 is 200,883 periods; 200,000 is the limit"):
        period_index(pd.Timestamp("1700-01-01"), pd.Timestamp("2249-12-31"), "D")


def test_exposure_needs_periods_and_dates_in_order():
    weeks = pd.period_range("2024-01-01", periods=2, freq="W-SUN")
    with pytest.raises(
        InputError, match="the covered days end on 2024-01-01, before they start on 2024-01-02; swap them"
    ):
        exposure(weeks, "2024-01-02", "2024-01-01")
    with pytest.raises(InputError, match="index is a DatetimeIndex; give a PeriodIndex, such as"):
        exposure(weeks.to_timestamp(), "2024-01-01", "2024-01-02")
    with pytest.raises(InputError, match="end is 'x'"):
        exposure(weeks, "2024-01-01", "x")


def test_words_for_units():
    assert [period_word(freq, 2) for freq in ("D", "W", "W-WED", "M")] == ["days", "weeks", "weeks", "months"]
    assert [period_word(freq) for freq in ("d", "w", "m")] == ["day", "week", "month"]
    assert period_word("M", 0) == "months"
