"""Windows of days that hold an incident whose date is known to the week, month or year only."""

from __future__ import annotations

import pandas as pd

HALF_WEEK = pd.Timedelta(days=3)


def widen(window: pd.DataFrame, precision: pd.Series) -> pd.DataFrame:
    """Turn dates and their precision into windows that hold the incident.

    Where only the week is known ACLED dates an event in its middle, so the window is three days either
    way; where only the month or the year is known it is the calendar's.

    Parameters
    ----------
    window : pandas.DataFrame
        ``date`` and ``date_end`` as read; rows whose two differ are left as they are.
    precision : pandas.Series
        ``day``, ``week``, ``month`` or ``year``.

    Returns
    -------
    pandas.DataFrame
        ``date`` and ``date_end``.

    Notes
    -----
    Source: ACLED, *Codebook*, section "Time precision". UCDP's ``date_prec`` needs no widening: its
    ``date_start`` and ``date_end`` already are the window.
    """
    vague = (precision != "day") & (window["date"] == window["date_end"])
    if not vague.any():
        return window
    day, how = window.loc[vague, "date"], precision[vague]
    length = {"month": day.dt.days_in_month, "year": 365 + day.dt.is_leap_year}
    first = {"month": day.dt.day, "year": day.dt.day_of_year}
    date, date_end = day - HALF_WEEK, day + HALF_WEEK
    for name in ("month", "year"):
        begin = day - pd.to_timedelta(first[name] - 1, unit="D")
        date = date.mask(how == name, begin)
        date_end = date_end.mask(how == name, begin + pd.to_timedelta(length[name] - 1, unit="D"))
    window = window.copy()
    window.loc[vague, "date"], window.loc[vague, "date_end"] = date, date_end
    return window
