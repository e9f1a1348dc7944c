"""Tables of counts per week: ACLED's aggregated export, and the SIGACTs of Iraq as ESOC publishes them."""

from __future__ import annotations

import pandas as pd

from escalation.incidents.formats.layout import Layout

ACLED_WEEKLY = Layout(
    name="ACLED's weekly export",
    columns={
        "date": ("week",),
        "event_type": ("event_type", "disorder_type", "sub_event_type"),
        "country": ("country",),
        "admin1": ("admin1",),
        "latitude": ("centroid_latitude",),
        "longitude": ("centroid_longitude",),
        "fatalities": ("fatalities",),
        "events": ("events",),
    },
    needs=("date", "events"),
    date_order="day-first",
    holds="counts",
    days=7,
)


def is_acled_weekly(names: set[str]) -> bool:
    """Recognise ACLED's aggregated export by the plain names of its columns."""
    return {"week", "events"} <= names and "event_date" not in names


def stata_weeks(cells: pd.DataFrame) -> pd.DataFrame:
    """Turn Stata's week numbers into their first and last days.

    Stata counts weeks from the first of 1960, 52 a year: week 52 has eight days, or nine in a leap
    year (StataCorp, *Stata User's Guide*, "Working with dates and times").
    """
    number = pd.to_numeric(cells["date"].where(cells["date"].str.fullmatch(r"[0-9]{1,5}"))).fillna(-1).astype("int64")
    year, week = 1960 + number // 52, number % 52
    known = (number >= 0) & (year < 2200)
    first = pd.to_datetime(year.where(known, 2000).astype(str) + "-01-01") + pd.to_timedelta(7 * week, unit="D")
    new_year = pd.to_datetime((year.where(known, 2000) + 1).astype(str) + "-01-01")
    last = (first + pd.Timedelta(days=6)).mask(week == 51, new_year - pd.Timedelta(days=1))
    cells = cells.copy()
    cells["date_end"] = last.dt.strftime("%Y-%m-%d").where(known, "")
    cells["date"] = first.dt.strftime("%Y-%m-%d").where(known, cells["date"])
    return cells


SIGACTS = Layout(
    name="SIGACTs of ESOC",
    columns={
        "date": ("week",),
        "country": ("country",),
        "admin1": ("governorate", "district"),
        "events": ("sigact",),
    },
    needs=("date", "events"),
    holds="counts",
    tidy=stata_weeks,
)


def is_sigacts(names: set[str]) -> bool:
    """Recognise ESOC's table of SIGACTs by the plain names of its columns."""
    return {"week", "sigact"} <= names
