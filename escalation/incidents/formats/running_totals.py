"""Rows that are running totals, changes or periods, as counts with the windows of days that they speak of."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.arrays import IntArray
from escalation.errors import InputError, warn
from escalation.incidents.formats.column_words import says
from escalation.incidents.formats.row_meaning import RowMeaning, carried_forward
from escalation.incidents.formats.row_shapes import unit_codes
from escalation.incidents.formats.rows import Notes

DAY = pd.Timedelta(days=1)


def difference(
    values: pd.Series, window: pd.DataFrame, table: pd.DataFrame, meaning: RowMeaning, notes: Notes
) -> tuple[pd.DataFrame, pd.Series]:
    """Turn running totals into the counts between one bulletin and the next of each unit.

    A count has the window from the day after the bulletin before to the day of its own, so that a bulletin that is
    missing is a longer window and no quiet day.  This is for totals that never fall; those that restart or are
    corrected downwards need to be rebased first, and are refused.

    Parameters
    ----------
    values : pandas.Series
        The totals, ``Int64``, <NA> where a cell is blank.
    window : pandas.DataFrame
        ``date`` and ``date_end`` of the bulletins.
    table : pandas.DataFrame
        The cells of the file.
    meaning : RowMeaning
        Which columns make a unit.
    notes : Notes
        Takes a note of each row that is no bulletin, or the first of its unit.

    Returns
    -------
    tuple
        The windows, and the counts, of all rows but these.

    Raises
    ------
    InputError
        If a total falls, or two bulletins of a unit have one date.
    """
    cells = table.loc[window.index]
    carried = carried_forward(cells)
    blank = values.isna()
    notes.add(blank, "events", "dropped", "is blank; no bulletin")
    notes.add(carried & ~blank, "events", "dropped", "is carried forward and no bulletin")
    kept = ~(carried | blank)
    rows = pd.DataFrame({"day": window["date_end"], "total": values.astype("float64")})[kept]
    rows["unit"] = unit_codes(cells[kept], meaning.units)
    rows = rows.sort_values(["unit", "day"], kind="stable")
    before = rows.groupby("unit").shift()
    where, column = notes.entries.file, meaning.column
    _refuse_repeated(rows, before, where, column)
    _refuse_falls(rows, before, where, column)
    first = before["day"].isna()
    notes.add(
        first.reindex(window.index, fill_value=False),
        "events",
        "dropped",
        "is the first running total, from which the next is counted",
    )
    rows = rows[~first].sort_index()
    if rows.empty:
        raise InputError(
            f"{where}: holds one running total {column!r} a unit, so no count between two; add earlier ones"
        )
    before = before.loc[rows.index]
    spans = pd.DataFrame({"date": before["day"] + DAY, "date_end": rows["day"]})
    return spans, (rows["total"] - before["total"]).astype("Int64")


def _refuse_repeated(rows: pd.DataFrame, before: pd.DataFrame, where: str, column: str) -> None:
    twice = rows["day"] == before["day"]
    if twice.any():
        row = rows[twice].iloc[0]
        raise InputError(
            f"{where}: has two running totals {column!r} of {row['day']:%Y-%m-%d} (row {twice.idxmax():,}); keep one a "
            "day, or name in one column whose totals they are"
        )


def _refuse_falls(rows: pd.DataFrame, before: pd.DataFrame, where: str, column: str) -> None:
    """Refuse totals that fall: after a restart or a correction a difference is no count."""
    fell = rows["total"] < before["total"]
    if fell.any():
        last, first = rows[fell].iloc[0], before[fell].iloc[0]
        raise InputError(
            f"{where}: the running total {column!r} falls from {first['total']:,.0f} to {last['total']:,.0f} on "
            f"{last['day']:%Y-%m-%d} (row {fell.idxmax():,}; {int(fell.sum()):,} in all), so it was corrected or began "
            "anew; correct the rows before it, or read the parts before and after by themselves"
        )


def net(values: pd.Series, window: pd.DataFrame, table: pd.DataFrame, meaning: RowMeaning, notes: Notes) -> pd.Series:
    """Net changes below 0 against those above, so that the sums of units and of all stay as the file has them.

    A correction takes from rows of its own unit first, then from those of others: of the same day, of the days before
    it, the nearest first, and of the days after.

    Parameters
    ----------
    values : pandas.Series
        Whole numbers, ``Int64``, none missing.
    window : pandas.DataFrame
        ``date`` and ``date_end`` of the rows.
    table : pandas.DataFrame
        The cells of the file.
    meaning : RowMeaning
        Which columns make a unit.
    notes : Notes
        Takes a note of each row that is changed.

    Returns
    -------
    pandas.Series
        Whole numbers >= 0, ``Int64``, with the same sum.

    Raises
    ------
    InputError
        If all of them sum to less than 0.
    """
    if int(values.sum()) < 0:
        raise InputError(
            f"{notes.entries.file}: the changes {notes.names.get('events', 'events')!r} sum to {int(values.sum()):,}, "
            "which is no count; choose the rows of what was counted"
        )
    days = window.loc[values.index, "date_end"].to_numpy()
    order = np.argsort(days, kind="stable")
    left = values.to_numpy(dtype=np.int64)[order].copy()
    codes = unit_codes(table.loc[values.index], meaning.units)[order]
    for unit in np.unique(codes[left < 0]):
        own = np.flatnonzero(codes == unit)
        left[own] = _netted(left[own], days[order][own])
    netted = pd.Series(_netted(left, days[order]), index=values.index[order]).reindex(values.index).astype("Int64")
    notes.add(
        values < 0, "events", "changed", "is a correction, netted against other rows, those of its unit and day first"
    )
    changed = (values >= 0) & (netted != values)
    notes.add(changed, "events", "changed", "is netted against a correction; counts " + netted.astype(str))
    return netted


def _netted(values: IntArray, days: NDArray[np.datetime64]) -> IntArray:
    """Values in the order of their days with those below 0 taken from others as far as these reach."""
    left = values.copy()
    for at in np.flatnonzero(left < 0):
        same = np.flatnonzero(days == days[at])
        for other in (*same, *range(same[0] - 1, -1, -1), *range(same[-1] + 1, len(left))):
            taken = min(-left[at], max(left[other], 0))
            left[other] -= taken
            left[at] += taken
            if left[at] == 0:
                break
    return left


def period_windows(window: pd.DataFrame, meaning: RowMeaning, date_column: str, where: str) -> pd.DataFrame:
    """Windows of counts whose rows are weeks, months, quarters or years with one date for each.

    Warns
    -----
    DataWarning
        If it is not said whether the date of a week is its first or its last day.
    """
    single = window["date"] == window["date_end"]
    if meaning.step in ("", "day") or not single.all():
        return window
    if meaning.step == "week":
        return _weeks(window, date_column, where)
    code = {"month": "M", "quarter": "Q", "year": "Y"}[meaning.step]
    begins = (window["date"].dt.day == 1).mean() > 0.5 or (window["date"] + DAY).dt.day.eq(1).mean() > 0.5
    if not begins:
        return window
    periods = window["date"].dt.to_period(code)
    return pd.DataFrame(
        {"date": periods.dt.start_time, "date_end": periods.dt.end_time.dt.normalize()}, index=window.index
    )


def _weeks(window: pd.DataFrame, date_column: str, where: str) -> pd.DataFrame:
    if says(date_column, "end"):
        return window.assign(date=window["date"] - 6 * DAY)
    weekday = window["date"].dt.day_name().mode().iloc[0]
    if not says(date_column, "start"):
        warn(
            f"{where}: has one row a week; its date {date_column!r} (a {weekday}) is taken for the first day of the "
            "week; if it is the last, call the column week_ending"
        )
    return window.assign(date_end=window["date"] + 6 * DAY)
