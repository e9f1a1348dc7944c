"""Where a table of incidents ends that nobody says how long was watched: never on an incident."""

from __future__ import annotations

import pandas as pd

from escalation.incidents.counted_rows import lasting

BUSY = 0.8
"""Where so many of the last days hold an incident, the last one says nothing of when watching ended."""
DAYS = 60
"""The last days that are looked at."""
FEWEST = 8
"""Whole periods that must be left, or the last one stays, with a note."""


def last_watched(table: pd.DataFrame, freq: str) -> pd.Timestamp:
    """Last day that the counts of a table are taken to reach to, where none was given.

    A list ends with an incident, always, so that a period that is cut off at it looks busier than it was.  Counts end
    with the last whole period up to the last incident, those by day with the day before it; with the last incident
    where nearly every day holds one, and where too few periods would be left.  Rows of counts are ended alike.

    Parameters
    ----------
    table : DataFrame
        Incidents with ``date`` and ``date_end``, not empty.
    freq : str
        Of the counts.

    Returns
    -------
    pandas.Timestamp
    """
    last = pd.Timestamp(table["date_end"].max())
    since = max(last - pd.Timedelta(days=DAYS), table["date"].min())
    days = table.loc[table["date_end"].between(since, last - pd.Timedelta(days=1)), "date_end"].nunique()
    if days >= BUSY * max((last - since).days, 1):
        return last
    period = pd.Period(last, freq=freq)
    cut = freq == "D" or period.end_time.normalize() > last
    over = pd.Timestamp((period - int(cut)).end_time.normalize())
    whole = (pd.Period(over, freq=freq) - pd.Period(table["date"].min(), freq=freq)).n + 1
    return over if whole >= FEWEST else last


def ending_note(table: pd.DataFrame, last: pd.Timestamp, word: str, share: float) -> str:
    """What to think of counts that end where :func:`last_watched` says; nothing where a whole period ends them."""
    ends = table["date_end"].max()
    if lasting(table):
        end = f"the rows of counts end on {ends.date()}, and counts with the last whole {word} before, {last.date()}"
        return end if last < ends else ""
    if last < ends:
        late = int((table["date_end"] > last).sum())
        rows = "incident after it is" if late == 1 else f"{late:,} incidents after it are"
        return (
            f"the list ends with an incident on {ends.date()}, as every list does, and counts end with the {word} "
            f"before, {last.date()}: the {rows} left out, because what ends on an incident looks busier than it was; "
            "give the last day that was watched as the end, if it is known"
        )
    if not 0 < share < 1:
        return ""
    return (
        f"the counts end with the last incident, because no last day was given: a list always ends with one, so its "
        f"last {word} looks busier than it was; set end to the last day that was watched"
    )
