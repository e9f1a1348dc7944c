"""ACLED event files, with the columns of any year."""

from __future__ import annotations

import pandas as pd

from escalation.incidents.layout import Layout

LAYOUT = Layout(
    name="ACLED",
    columns={
        "date": ("event_date",),
        "actor": ("actor1",),
        "target": ("actor2",),
        "event_type": ("event_type",),
        "country": ("country",),
        "admin1": ("admin1",),
        "place": ("location",),
        "latitude": ("latitude",),
        "longitude": ("longitude",),
        "fatalities": ("fatalities",),
        "source": ("source",),
        "incident_id": ("event_id_cnty", "data_id"),  # data_id was renumbered at each update
        "time_precision": ("time_precision",),
    },
    date_order="day-first",
)

MARKS = {
    "event_id_cnty",
    "event_id_no_cnty",
    "data_id",
    "time_precision",
    "geo_precision",
    "sub_event_type",
    "inter1",
    "assoc_actor_1",
    "ally_actor_1",
}
"""Columns that hardly any other table has; two of them beside ``event_date`` tell an ACLED file."""

PRECISIONS = {"1": "day", "1.0": "day", "2": "week", "2.0": "week", "3": "month", "3.0": "month"}
HALF_WEEK = pd.Timedelta(days=3)


def is_acled(names: set[str]) -> bool:
    """Tell an ACLED file by the plain names of its columns."""
    return "event_date" in names and len(names & MARKS) >= 2


def widen(day: pd.Series, precision: pd.Series) -> pd.DataFrame:
    """Turn dates and their precision into windows that hold the incident.

    Where only the week is known ACLED dates an event in its middle, so the window is three days either
    way; where only the month is known it is the calendar month. Windows stay within the first and
    the last date of the file: the file covers no other day.

    Parameters
    ----------
    day : pandas.Series
        ``event_date`` as days.
    precision : pandas.Series
        ``day``, ``week`` or ``month``.

    Returns
    -------
    pandas.DataFrame
        ``date`` and ``date_end``.

    Notes
    -----
    Source: ACLED, *Codebook*, section "Time precision".
    """
    week, month = precision == "week", precision == "month"
    first_of_month = day - pd.to_timedelta(day.dt.day - 1, unit="D")
    last_of_month = first_of_month + pd.to_timedelta(day.dt.days_in_month - 1, unit="D")
    date = day.mask(week, day - HALF_WEEK).mask(month, first_of_month)
    date_end = day.mask(week, day + HALF_WEEK).mask(month, last_of_month)
    return pd.DataFrame({"date": date, "date_end": date_end}).clip(day.min(), day.max())
