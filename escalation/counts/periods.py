"""Periods: frequencies, gap-free period indexes, and how much of each period is covered."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from escalation.errors import InputError

DateLike: TypeAlias = str | dt.date | pd.Timestamp | pd.Period

WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
EARLIEST = pd.Timestamp("1900-01-01")
"""No date before this is taken for real (ACLED has served the year 0025)."""

MAX_PERIODS = 200_000


def parse_freq(freq: str) -> str:
    """Return the frequency in pandas' spelling: ``D``, ``W-SUN`` … ``W-SAT``, or ``M``.

    Parameters
    ----------
    freq : str
        ``"D"`` (days), ``"W"`` or ``"W-SUN"`` (weeks that end on Sunday; any weekday may be named)
        or ``"M"`` (calendar months), in any case.

    Raises
    ------
    InputError
        If it is none of these.
    """
    name = str(freq).upper()
    if name == "W":
        return "W-SUN"
    if name in ("D", "M") or (name.startswith("W-") and name[2:] in WEEKDAYS):
        return name
    raise InputError(f"freq is {freq!r}; use D, M, or W-SUN to W-SAT (the day that ends the week)")


def parse_date(value: DateLike, name: str, side: Literal["start", "end"] = "start") -> pd.Timestamp:
    """Turn a date, or a text such as ``2024-11-12``, into a timestamp at midnight.

    Parameters
    ----------
    value : date, str, Timestamp or Period
        What was given.
    name : str
        What messages call it.
    side : {"start", "end"}
        Which day of a Period is meant, its first or its last.

    Raises
    ------
    InputError
        If it is not a date, or lies outside 1900 to 2200.
    """
    if isinstance(value, pd.Period):
        value = value.start_time if side == "start" else value.end_time
    if isinstance(value, int | float | np.number) and not pd.isna(value):
        raise InputError(f"{name} is the number {value!r}; write the date as text, YYYY-MM-DD")
    if isinstance(value, str) and not pd.Series([value]).str.fullmatch(r"\d{4}-\d{2}-\d{2}([ T].*)?").item():
        raise InputError(f"{name} is {value!r}; write the date as YYYY-MM-DD")
    try:
        stamp = pd.Timestamp(value)
    except (ValueError, TypeError, OverflowError):
        raise InputError(f"{name} is {value!r}, which is no date; write it as YYYY-MM-DD") from None
    if pd.isna(stamp) or not EARLIEST <= stamp.tz_localize(None) < pd.Timestamp("2200-01-01"):
        raise InputError(f"{name} is {value!r}; dates must lie between 1900 and 2200")
    return stamp.tz_localize(None).normalize()


def period_index(start: pd.Timestamp, end: pd.Timestamp, freq: str) -> pd.PeriodIndex:
    """Return the gap-free index of the periods that hold any day from ``start`` to ``end`` (inclusive).

    Raises
    ------
    InputError
        If ``end`` is before ``start`` or there are more than 200,000 periods.
    """
    if end < start:
        raise InputError(f"end {end.date()} is before start {start.date()}; swap them")
    index = pd.period_range(pd.Period(start, freq), pd.Period(end, freq), freq=freq, name="period")
    if len(index) > MAX_PERIODS:
        raise InputError(f"{start.date()} to {end.date()} is {len(index):,} periods; {MAX_PERIODS:,} is the limit")
    return index


def day_numbers(dates: pd.Series | pd.DatetimeIndex) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Days since 1970 of dates that are all known."""
    return np.asarray(dates.to_numpy().astype("datetime64[D]").astype(np.int64))


def days_in(index: pd.PeriodIndex) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Whole days in each period, shape (periods,)."""
    last = index.to_timestamp(how="end").normalize()
    return np.asarray((last - index.to_timestamp(how="start")).days + 1, dtype=np.int64)


def exposure(index: pd.PeriodIndex, start: DateLike, end: DateLike) -> pd.Series:
    """Share of each period's days that lie between two dates, both inclusive.

    Parameters
    ----------
    index : pandas.PeriodIndex
        The periods, such as ``counts.index``.
    start, end : date or str
        First and last covered day (of a Period, its first or its last one).

    Returns
    -------
    pandas.Series
        Float in 0 to 1, one a period; hand it to ``fit(..., exposure=...)`` when the first or last
        period is covered in part.

    Raises
    ------
    InputError
        If ``index`` is no ``PeriodIndex``, a date cannot be read or ``end`` is before ``start``.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-11-04", periods=2, freq="W-SUN")
    >>> exposure(weeks, "2024-11-04", "2024-11-13").round(3).tolist()
    [1.0, 0.429]
    """
    if not isinstance(index, pd.PeriodIndex):
        raise InputError(f"index is a {type(index).__name__}; give a PeriodIndex, such as counts.index")
    first, last = parse_date(start, "start"), parse_date(end, "end", side="end")
    if last < first:
        raise InputError(f"the covered days end on {last.date()}, before they start on {first.date()}; swap them")
    begin = index.to_timestamp(how="start")
    finish = index.to_timestamp(how="end").normalize()
    covered = (finish.where(finish < last, last) - begin.where(begin > first, first)).days + 1
    share = np.clip(np.asarray(covered, dtype=float), 0, None) / days_in(index)
    return pd.Series(share, index=index, name="exposure")


def period_word(freq: str, number: float = 1) -> str:
    """Name the unit in words, for sentences and axes: ``day``, ``weeks``, ..."""
    word = {"D": "day", "M": "month"}.get(parse_freq(freq), "week")
    return word if number == 1 else word + "s"


def date_span(first: pd.Period, last: pd.Period | None = None) -> str:
    """Name the days of a period, or from the first of one to the last of another.

    Examples
    --------
    >>> date_span(pd.Period("2024-01", "M"), pd.Period("2024-02", "M"))
    '2024-01-01 to 2024-02-29'
    """
    begin, end = first.start_time.date(), (first if last is None else last).end_time.date()
    return f"{begin}" if begin == end else f"{begin} to {end}"
