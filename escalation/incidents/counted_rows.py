"""Rows that are counts of a week or a month: their own periods, and how they are spread over others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from escalation.conventions.arrays import BoolArray, FloatArray, IntArray
from escalation.counts.periods import day_numbers
from escalation.incidents.spans import Spans, covered_between, span_of

AT_ONCE = 100_000
"""Rows that are spread in one go, for the sake of memory."""


def native_freq(table: pd.DataFrame) -> str | None:
    """Periods that the rows of a table of counts are of: weeks that end on one weekday, or months.

    Parameters
    ----------
    table : pandas.DataFrame
        Checked incidents.

    Returns
    -------
    str or None
        Such as ``"W-FRI"`` or ``"M"``; None where rows are no counts (no column ``events``), or not of such periods.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.date_range("2024-01-06", periods=3, freq="7D")
    >>> native_freq(pd.DataFrame({"date": weeks, "date_end": weeks + pd.Timedelta(days=6), "events": 1}))
    'W-FRI'
    """
    if "events" not in table:
        return None
    windows = table[["date", "date_end"]].drop_duplicates()
    first, last = windows["date"], windows["date_end"]
    weekdays = last.dt.day_of_week.unique()
    if len(weekdays) == 1 and bool(((last - first).dt.days == 6).all()):
        return f"W-{last.iloc[0]:%a}".upper()
    whole = (first.dt.day == 1) & last.dt.is_month_end & (first.dt.to_period("M") == last.dt.to_period("M"))
    return "M" if bool(whole.all()) else None


def lasting(table: pd.DataFrame) -> bool:
    """Say whether rows of checked incidents are counts of more than a day."""
    return "events" in table and bool((table["date"] < table["date_end"]).any())


def divided(
    table: pd.DataFrame, unit: IntArray, freq: str, span: tuple[pd.Timestamp, pd.Timestamp], covered: Spans | None
) -> BoolArray:
    """Say which rows of counts lie in several periods, reach out of the span, or have days that were not covered.

    Parameters
    ----------
    table : pandas.DataFrame
        Checked incidents.
    unit : numpy.ndarray
        Place of each row's unit among the units.
    freq : str
        Of the periods.
    span : tuple of pandas.Timestamp
        First and last day that is counted.
    covered : Spans or None
        Days on which each unit was covered.
    """
    if not lasting(table):
        return np.zeros(len(table), dtype=bool)
    first, last = table["date"], table["date_end"]
    open_ = first.dt.to_period(freq) != last.dt.to_period(freq)
    open_ |= (first < span[0]) & (last >= span[0]) | (first <= span[1]) & (last > span[1])
    found = open_.to_numpy(dtype=bool, copy=True)
    if covered is not None:
        begins, ends = (span_of(covered, unit, day_numbers(days)) for days in (first, last))
        found |= (begins != ends) | ((begins < 0) & (first < last).to_numpy())
    return np.asarray(found)


def spread_evenly(
    values: FloatArray,
    windows: tuple[IntArray, IntArray],
    unit: IntArray,
    starts: IntArray,
    units: int,
    covered: Spans | None = None,
) -> IntArray:
    """Spread counts over the days of their windows in equal parts, and sum them by period in whole numbers.

    Parameters
    ----------
    values : numpy.ndarray
        Count of each row, shape (rows,).
    windows : tuple of numpy.ndarray
        First and last day of each row, in days since 1970.
    unit : numpy.ndarray
        Place of each row's unit, shape (rows,).
    starts : numpy.ndarray
        First day of each period and the day after the last, shape (periods + 1,); other days do not count.
    units : int
        Number of units.
    covered : Spans, optional
        Days on which a unit was not covered do not count.

    Returns
    -------
    numpy.ndarray
        Shape (periods, units). The running total of each unit is the exact one, rounded: no count is lost, and each
        differs from its exact share by less than one.
    """
    first, last = windows
    cells = np.zeros((len(starts) - 1) * units)
    for at in range(0, len(values), AT_ONCE):
        block = slice(at, at + AT_ONCE)
        row, period, days = _parts(first[block], last[block], unit[block], starts, covered)
        share = days / (last[block] - first[block] + 1)[row]
        cells += np.bincount(period * units + unit[block][row], values[block][row] * share, len(cells))
    running = np.round(np.cumsum(cells.reshape(-1, units), axis=0), 6)  # without the noise of the last digits
    whole = np.floor(running + 0.5).astype(np.int64)
    return np.asarray(np.diff(whole, axis=0, prepend=0))


def touched(windows: tuple[IntArray, IntArray], unit: IntArray, starts: IntArray, units: int) -> BoolArray:
    """Say which periods and units a row has days in, shape (periods, units)."""
    found = np.zeros((len(starts) - 1, units), dtype=bool)
    row, period, _ = _parts(*windows, unit, starts, None)
    found[period, unit[row]] = True
    return found


def _parts(
    first: IntArray, last: IntArray, unit: IntArray, starts: IntArray, covered: Spans | None
) -> tuple[IntArray, IntArray, IntArray]:
    """Row, period and number of days of each part of a window that lies in one period."""
    begin, end = np.maximum(first, starts[0]), np.minimum(last, starts[-1] - 1)
    inside = np.flatnonzero(begin <= end)
    opens, closes = (np.searchsorted(starts, days[inside], side="right") - 1 for days in (begin, end))
    number = closes - opens + 1
    row = np.repeat(inside, number)
    period = np.repeat(opens - np.cumsum(number) + number, number) + np.arange(len(row))
    since, until = np.maximum(begin[row], starts[period]), np.minimum(end[row], starts[period + 1] - 1)
    days = until - since + 1 if covered is None else covered_between(covered, unit[row], since, until)
    return row, period, days
