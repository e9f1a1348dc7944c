"""Dates as people write them: text to days, with one order of day and month for the whole file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.counts.periods import EARLIEST
from escalation.errors import InputError
from escalation.incidents.formats.date_expressions import MONTH_NUMBERS, read_expressions, unknown_months

DateOrder: TypeAlias = Literal["day-first", "month-first"]
ORDERS = ("auto", "day-first", "month-first")

BLANKS = ("", "na", "n/a", "nan", "nat", "null", "none")
"""Cells that say nothing, in lower case."""

MISPRINTS = 0.05
"""Where both orders are proved by some rows, the rarer must be at most this share to be a misprint."""

SPREADSHEET_DAY_ZERO = np.datetime64("1899-12-30")

_TIME = r"(?:(?:t|,? +)\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:am|pm)?\s*(?:z|utc|gmt|[+-]\d{2}:?\d{2})?)?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,? +)?"
_YEAR_FIRST = rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_TIME}"
_DIGITS = rf"(?P<year>\d{{4}})(?P<month>\d{{2}})(?P<day>\d{{2}}){_TIME}"
_YEAR_LAST = rf"(?P<day>\d{{1,2}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d{{2}}){_TIME}"
_ORDINAL = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_NAME = r"(?P<month>[a-z]{3,9})"
_DAY_NAME = rf"{_WEEKDAY}{_ORDINAL}[ ./-]*{_NAME}[ .,/-]*(?P<year>\d{{4}}|\d{{2}}){_TIME}"
_NAME_DAY = rf"{_WEEKDAY}{_NAME}\.? *{_ORDINAL},? +(?P<year>\d{{4}}){_TIME}"
_SERIAL = r"(?P<serial>\d{5})(?:\.\d+)?"


@dataclass(frozen=True)
class Days:
    """One column of dates as read, aligned with the column.

    Attributes
    ----------
    days, last : pandas.Series
        First and last day, ``datetime64[ns]`` at midnight, the same where the day is known; ``NaT`` where there is a
        problem.
    problem : pandas.Series
        Why there is no day, ``""`` where there is one.
    serial : pandas.Series
        True where the cell held a spreadsheet's day number.
    """

    days: pd.Series
    last: pd.Series
    problem: pd.Series
    serial: pd.Series


def read_days(
    columns: Sequence[pd.Series], *, order: str, usual: DateOrder | None, today: pd.Timestamp, where: str
) -> list[Days]:
    """Read columns of dates, as text, that one file holds.

    Understood are ``2024-11-12``, ``20241112``, ``12/11/2024`` (with ``/`` or ``-``),
    ``12.11.2024`` (always day first), ``12 November 2024``, ``12-Nov-24``, ``Nov 12, 2024``, a time of
    day after any of them (left out here), a spreadsheet's day number such as ``45608``, and what
    :mod:`escalation.incidents.formats.date_expressions` understands.

    Parameters
    ----------
    columns : sequence of pandas.Series
        Text, indexed by the row of the file.
    order : {"auto", "day-first", "month-first"}
        What ``03/04/2024`` means. ``"auto"`` lets the file decide: one date such as ``25/04/2024``
        proves the order of all.
    usual : {"day-first", "month-first"}, optional
        The order where no date proves one, if the kind of file has a usual one.
    today : pandas.Timestamp
        Later days are in the future.
    where : str
        The file, for messages; "" where dates are only looked for.

    Raises
    ------
    InputError
        If the order is not one of the three, or cannot be known: no date proves it, or dates prove
        both (and neither is as rare as a misprint).
    """
    if order not in ORDERS:
        raise InputError(f"date_order is {order!r}; use auto, day-first or month-first")
    cells = [_Cells(column, where) for column in columns]
    known = order if order != "auto" else _order_of([*cells, *(cell.ends() for cell in cells)], usual, where)
    return [cell.spread(_to_windows(cell, known, today)) for cell in cells]


def dated_share(column: pd.Series) -> float:
    """Which share of the cells of a column are dates, each in one order of day and month or the other.

    A column in both is dates that are refused by name (see :func:`_order_of`).

    Examples
    --------
    >>> dated_share(pd.Series(["25/04/2024", "03/04/2024", "soon", "March 2024"]))
    0.75
    """
    cells = _Cells(column, "")
    late = pd.Timestamp("2200-01-01")
    read = [cells.spread(_to_windows(cells, order, late)).problem == "" for order in ORDERS[1:]]
    return float(np.logical_or.reduce([one.to_numpy() for one in read]).mean())


class _Cells:
    """A column as its distinct texts, and which of them each row holds; work is done once for each.

    ``parts`` are those of the first day of each text, ``last`` those of the last day of the texts that are windows.
    """

    def __init__(self, column: pd.Series, where: str) -> None:
        self.codes, distinct = pd.factorize(column)
        self.texts = pd.Series(distinct, dtype=object)
        self.rows = column.index
        self.times = np.bincount(self.codes, minlength=len(self.texts))
        lower = self.texts.str.strip().str.lower()
        self.parts = _split(lower)
        unread = lower[~self.parts["blank"] & ~_is_day(self.parts)]
        expressions = read_expressions(unread)
        if where and (doubt := unknown_months(unread)):
            raise InputError(f"{where}: {doubt}; write the dates as YYYY-MM-DD")
        windows = unread[unread.isin(expressions)]
        first, last = (windows.map(lambda text, side=side: expressions[text][side]).astype(str) for side in (0, 1))
        self.last = _split(last)
        if len(windows):
            self.parts.loc[windows.index] = _split(first)

    def ends(self) -> _Cells:
        """The same rows with the last days of windows in the place of the first ones."""
        other = copy(self)
        other.parts = self.parts.copy()
        other.parts.loc[self.last.index] = self.last
        return other

    def spread(self, found: Days) -> Days:
        """What was found for the distinct texts, for each row."""
        held = (found.days, found.last, found.problem, found.serial)
        return Days(*(values.take(self.codes).set_axis(self.rows) for values in held))


def _is_day(parts: pd.DataFrame) -> pd.Series:
    """Say which texts name a day, whether or not the calendar has it; day or month 0 is a way of writing unknown."""
    named = parts[["year", "month", "day"]].notna().all(axis=1) & (parts[["month", "day"]] != 0).all(axis=1)
    return named | parts["serial"].notna()


def _split(texts: pd.Series) -> pd.DataFrame:
    """Split texts into year, month and day (NaN: unreadable), or ``serial``.

    ``open`` says that the order of day and month is not said, ``short`` that the year has two digits.
    """
    found = {name: np.full(len(texts), np.nan) for name in ("year", "month", "day", "serial")}
    flags = {name: np.zeros(len(texts), dtype=bool) for name in ("open", "short")}
    left = (
        np.flatnonzero(texts.str.contains(r"[0-9]").to_numpy(dtype=bool)) if len(texts) else np.array([], dtype=np.intp)
    )
    for pattern in (_YEAR_FIRST, _DIGITS, _YEAR_LAST, _DAY_NAME, _NAME_DAY, _SERIAL):
        if not left.size:
            break
        read = texts.iloc[left].str.extract(rf"\A{pattern}\Z", flags=re.ASCII)
        hit = read.iloc[:, 0].notna().to_numpy(dtype=bool)
        if not hit.any():
            continue
        read, at, left = read[hit], left[hit], left[~hit]
        if pattern is _SERIAL:
            found["serial"][at] = read["serial"].astype(float)
            continue
        month = read["month"].map(MONTH_NUMBERS) if pattern in (_DAY_NAME, _NAME_DAY) else read["month"]
        for part, values in (("year", read["year"]), ("month", month), ("day", read["day"])):
            found[part][at] = values.astype(float)
        flags["short"][at] = read["year"].str.len() == 2
        flags["open"][at] = (read["mark"] != ".") if pattern is _YEAR_LAST else False
    return pd.DataFrame({**found, **flags, "blank": texts.isin(BLANKS).to_numpy(dtype=bool)}, index=texts.index)


def _order_of(columns: Sequence[_Cells], usual: DateOrder | None, where: str) -> DateOrder:
    """Find from all dates of a file whether days or months come first."""
    day_first, month_first, either = [], [], []
    for cells in columns:
        first, second, untold = cells.parts["day"], cells.parts["month"], cells.parts["open"]
        day_first.append((untold & first.between(13, 31) & second.between(1, 12)).to_numpy())
        month_first.append((untold & second.between(13, 31) & first.between(1, 12)).to_numpy())
        either.append((untold & first.between(1, 12) & second.between(1, 12) & (first != second)).to_numpy())
    n_day, n_month = (
        sum(int(cells.times[flags].sum()) for cells, flags in zip(columns, all_flags, strict=True))
        for all_flags in (day_first, month_first)
    )
    if min(n_day, n_month) > MISPRINTS * (n_day + n_month):
        raise InputError(
            f"{where}: {_shown(columns, day_first)} has the day first and {_shown(columns, month_first)} the month; "
            "write all dates as YYYY-MM-DD"
        )
    if n_day or n_month:
        return "day-first" if n_day > n_month else "month-first"
    if usual is None and any(flags.any() for flags in either):
        raise InputError(
            f"{where}: {_shown(columns, either)} may have the day or the month first and no other date shows which; "
            "write YYYY-MM-DD, or pass date_order='day-first' or 'month-first'"
        )
    return usual or "day-first"


def _shown(columns: Sequence[_Cells], flags: Sequence[NDArray[np.bool_]]) -> str:
    """The first flagged date and its row."""
    cells, flagged = next((cells, flag) for cells, flag in zip(columns, flags, strict=True) if flag.any())
    at = int(np.argmax(flagged[cells.codes]))
    return f"{cells.texts.iloc[cells.codes[at]]!r} (row {cells.rows[at]:,})"


def _to_windows(cells: _Cells, order: str, today: pd.Timestamp) -> Days:
    """First and last days; a window that has begun ends today at the latest."""
    first = _to_days(cells.parts, order, today)
    if cells.last.empty:
        return first
    last = _to_days(cells.last, order, max(today, pd.Timestamp(f"{today.year + 1}-12-31")))
    begun, ended = first.days[last.days.index], last.days.mask(last.days > today, today)
    why = last.problem.mask((last.problem == "") & (ended < begun), "ends before it begins")
    problem = first.problem.copy()
    problem[why.index] = problem[why.index].where(problem[why.index] != "", why)
    until = first.days.copy()
    until[ended.index] = ended
    bad = problem != ""
    return Days(first.days.mask(bad), until.mask(bad), problem, first.serial)


def _to_days(parts: pd.DataFrame, order: str, today: pd.Timestamp) -> Days:
    """Turn parts into days, and say why where that is impossible."""
    swap = parts["open"] & (order == "month-first")
    month = parts["month"].where(~swap, parts["day"]).to_numpy()
    day = parts["day"].where(~swap, parts["month"]).to_numpy()
    year = parts["year"].to_numpy()
    short = parts["short"].to_numpy(dtype=bool)
    year = np.where(short, year + 1900 + 100 * (year + 2000 <= today.year), year)
    days, real = _calendar(year, month, day)
    serial = parts["serial"].notna().to_numpy()
    numbers = parts["serial"].fillna(0).to_numpy().astype("timedelta64[D]")
    days = np.where(serial, SPREADSHEET_DAY_ZERO + numbers, days)
    readable = serial | parts[["year", "month", "day"]].notna().all(axis=1).to_numpy()
    problem = np.select(
        [
            parts["blank"].to_numpy(),
            ~readable,
            ~serial & ~real & parts["open"].to_numpy(),
            ~serial & ~real,
            days < np.datetime64(EARLIEST, "D"),  # finer units would overflow in the year 2999
            days > np.datetime64(today, "D"),
        ],
        [
            "is blank",
            "is no date that can be read",
            f"is no day of the calendar (dates here are read {order})",
            "is no day of the calendar",
            "lies before 1900",
            f"lies in the future (after {today:%Y-%m-%d})",
        ],
        default="",
    ).astype(object)
    kept = np.where(problem == "", days, np.datetime64("NaT")).astype("datetime64[ns]")
    found = (pd.Series(one, index=parts.index) for one in (kept, kept, problem, serial & (problem == "")))
    return Days(*found)


def _calendar(
    year: NDArray[np.float64], month: NDArray[np.float64], day: NDArray[np.float64]
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Days of the Gregorian calendar, and whether each exists (year, month, day may be NaN)."""
    possible = (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(possible, (year - 1970) * 12 + month - 1, 0).astype("int64").astype("datetime64[M]")
    length = (months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")
    real = possible & (day <= length.astype("int64"))
    return months.astype("datetime64[D]") + np.where(real, day - 1, 0).astype("timedelta64[D]"), real
