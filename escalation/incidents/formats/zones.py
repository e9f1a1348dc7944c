"""Times with an offset from UTC: which day of a time zone each belongs to."""

from __future__ import annotations

import difflib
import zoneinfo
from dataclasses import fields, replace

import numpy as np
import pandas as pd

from escalation.errors import InputError, warn
from escalation.incidents.formats.dates import Days
from escalation.incidents.formats.rows import Notes

_CLOCK = r"[t ,](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>am|pm)?\s*"
_OFFSET = r"(?:(?P<utc>z|utc|gmt)|(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2}))\Z"


def check_zone(timezone: str | None) -> zoneinfo.ZoneInfo | None:
    """The time zone of a name such as ``Europe/Kyiv``.

    Raises
    ------
    InputError
        If no time zone is called so.
    """
    if timezone is None:
        return None
    names = zoneinfo.available_timezones()
    if timezone not in names:
        folded = {name.casefold(): name for name in names}
        close = difflib.get_close_matches(str(timezone).casefold(), folded, n=1, cutoff=0.5)
        near = f" (did you mean {folded[close[0]]!r}?)" if close else ""
        raise InputError(f"timezone is {timezone!r}, which is no name of the tz database{near}; write Area/City")
    return zoneinfo.ZoneInfo(timezone)


def in_zone(
    columns: tuple[Days, Days], cells: pd.DataFrame, zone: zoneinfo.ZoneInfo | None, notes: Notes
) -> tuple[tuple[Days, Days], str]:
    """Give times with an offset the day on which they are in a time zone.

    Parameters
    ----------
    columns : tuple of Days
        ``date`` and ``date_end`` as read, each on the day that its cell names.
    cells : pandas.DataFrame
        The texts.
    zone : zoneinfo.ZoneInfo or None
        None leaves the days as they are.
    notes : Notes
        Takes a note of each day that is another.

    Returns
    -------
    tuple
        Both columns, and what the reader of the counts should know of their days: "" where no cell has an offset, or a
        zone was chosen.

    Warns
    -----
    DataWarning
        If cells have offsets and no zone was chosen, or a zone was chosen and no cell has one.
    """
    file = notes.entries.file
    named = [column for column in ("date", "date_end") if column in notes.names]
    offsets = {column: _since_utc_midnight(cells[column]) for column in named}
    number = sum(int(since.notna().sum()) for since in offsets.values())
    if not number:
        if zone is not None:
            warn(f"{file}: no time in it has an offset from UTC, so its days are as written and not of {zone.key}")
        return columns, ""
    if zone is None:
        column = next(name for name, since in offsets.items() if since.notna().any())
        at = int(np.argmax(offsets[column].notna().to_numpy()))
        where = f"{cells[column].iloc[at]!r}, row {cells.index[at]:,}"
        said = (
            f"{file}: {number:,} times have an offset from UTC ({where}), and each "
            "counts on the day that its cell names; --timezone Area/City (timezone=) counts them on the days there"
        )
        warn(said)
        return columns, said
    moved = (
        _moved(days, offsets[column], zone, notes, column) if column in offsets else days
        for column, days in zip(("date", "date_end"), columns, strict=True)
    )
    date, date_end = moved
    return (date, date_end), ""


def _moved(days: Days, since: pd.Series, zone: zoneinfo.ZoneInfo, notes: Notes, column: str) -> Days:
    """Days of one column in a zone."""
    known = (since.notna() & days.days.notna()).to_numpy(dtype=bool)
    times = (days.days[known] + since[known]).dt.tz_localize("UTC").dt.tz_convert(zone)
    steps = pd.Series(pd.Timedelta(0), index=days.days.index)
    steps[known] = (times.dt.tz_localize(None).dt.normalize() - days.days[known]).to_numpy()
    other = steps != pd.Timedelta(0)
    if other.any():
        there = (days.days + steps).dt.strftime("%Y-%m-%d")
        notes.add(other, column, "changed", "is " + there + f" in {zone.key}")
    of_days = [one.name for one in fields(days) if getattr(days, one.name).dtype.kind == "M"]
    return replace(days, **{name: getattr(days, name) + steps for name in of_days})


def _since_utc_midnight(column: pd.Series) -> pd.Series:
    """Time in UTC since the midnight that begins the day which a cell names; NaT where it has no offset."""
    codes, distinct = pd.factorize(column)
    texts = pd.Series(distinct, dtype=object)
    found = pd.Series(pd.NaT, index=texts.index, dtype="timedelta64[ns]")
    timed = texts[texts.str.contains(":", regex=False).astype(bool)].str.strip().str.lower()
    if len(timed):
        found.loc[timed.index] = _since(timed.str.extract(_CLOCK + _OFFSET))
    return found.take(codes).set_axis(column.index)


def _since(parts: pd.DataFrame) -> pd.Series:
    """Clock time less its offset, of the parts of texts."""
    there = parts["utc"].notna() | parts["sign"].notna()
    numbers = parts[["hour", "minute", "second", "hours", "minutes"]].astype(float).fillna(0.0)
    hour = numbers["hour"] % 12 + 12 * (parts["half"] == "pm")
    hour = hour.where(parts["half"].notna(), numbers["hour"])
    sign = np.where(parts["sign"] == "-", -1, 1)
    minutes = 60 * hour + numbers["minute"] - sign * (60 * numbers["hours"] + numbers["minutes"])
    since: pd.Series = pd.to_timedelta(60 * minutes + numbers["second"], unit="s").where(there)
    return since
