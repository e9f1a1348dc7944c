"""Count incidents by period."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.counts import DRAW
from escalation.errors import DataWarning, InputError, PartialPeriodWarning
from escalation.incidents.schema import check_incidents
from escalation.periods import DateLike, days_in, exposure, parse_date, parse_freq, period_index, period_word

BLANK_UNIT = "(blank)"
MAX_CELLS = 50_000_000
"""A table of more periods x units than this is refused."""

MEASURES = ("incidents", "fatalities")
COUNT_ON = ("last", "middle", "first")


def aggregate(
    incidents: pd.DataFrame,
    freq: str,
    by: str | list[str] | None = None,
    start: DateLike | None = None,
    end: DateLike | None = None,
    measure: Literal["incidents", "fatalities"] = "incidents",
    *,
    count_on: Literal["last", "middle", "first"] = "last",
) -> pd.Series | pd.DataFrame:
    """Count incidents, or sum their fatalities, by period.

    Parameters
    ----------
    incidents : pandas.DataFrame
        From :func:`escalation.read_incidents`, or an own table with at least a column ``date``.
    freq : str
        ``"D"``, ``"W"`` (weeks that end on Sunday), ``"W-SUN"`` to ``"W-SAT"``, or ``"M"``.
    by : str or list of str, optional
        A column, or several, whose values are the units. Blank values are the unit ``(blank)``.
    start, end : date or str, optional
        First and last covered day, both inclusive; left out, the first ``date`` and the last
        ``date_end`` of the table. The whole table counts as covered alike: a unit is 0 where
        nothing is listed for it.
    measure : {"incidents", "fatalities"}
        What is summed. Fatalities of a period that holds an incident of unknown fatalities are
        ``<NA>``, not a sum that is too low.
    count_on : {"last", "middle", "first"}
        The day of its window on which an incident counts. ``"last"``, the ``date_end``, is what
        VIEWS does with UCDP's events; ``"middle"`` is ACLED's own date for week-precise events.

    Returns
    -------
    pandas.Series or pandas.DataFrame
        ``Int64`` on a gap-free ``PeriodIndex`` named ``period``, from the period of ``start`` to that
        of ``end``; 0 where nothing happened. A Series named by ``measure``; with ``by`` a
        DataFrame with one column a unit, sorted (a ``MultiIndex`` where ``by`` is a list).

    Raises
    ------
    InputError
        If the table is no table of incidents, an option or a date cannot be read, a column of
        ``by`` does not exist, or periods x units are more than 50 million.

    Warns
    -----
    PartialPeriodWarning
        If the first or the last period is covered only in part.
    DataWarning
        If incidents lie outside ``start`` to ``end``, have unknown fatalities that are asked for, or have
        a window that touches more than one period.

    Examples
    --------
    >>> import pandas as pd
    >>> incidents = pd.DataFrame({"date": pd.to_datetime(["2024-11-04", "2024-11-05", "2024-11-19"])})
    >>> aggregate(incidents, "W", start="2024-11-04", end="2024-11-24").tolist()
    [2, 0, 1]
    """
    freq = parse_freq(freq)
    _check_option(measure, MEASURES, "measure")
    _check_option(count_on, COUNT_ON, "count_on")
    table = check_incidents(incidents)
    first = parse_date(start, "start") if start is not None else table["date"].min()
    last = parse_date(end, "end", side="end") if end is not None else table["date_end"].max()
    index = period_index(first, last, freq)
    units, unit = _units(table, by)
    if len(index) * len(units) > MAX_CELLS:
        raise InputError(
            f"{len(index):,} periods x {len(units):,} units are more than {MAX_CELLS:,} counts; "
            "choose a coarser freq or by"
        )
    day = _counting_day(table, count_on)
    inside = day.between(first, last).to_numpy()
    _warn_outside(inside, first, last)
    _warn_windows(table[inside], freq, count_on)
    _warn_partial(index, first, last)
    place = (day.dt.to_period(freq).array.asi8 - index.asi8[0])[inside] * len(units) + unit[inside]
    shape = (len(index), len(units))
    if measure == "incidents":
        counts = pd.DataFrame(_sums(place, np.ones(len(place)), shape), index, units, dtype="Int64")
    else:
        counts = _fatalities(table.loc[inside, "fatalities"], place, shape, index, units)
    return counts if by is not None else counts.iloc[:, 0].rename(measure)


def _check_option(value: str, options: tuple[str, ...], name: str) -> None:
    if value not in options:
        raise InputError(f"{name} is {value!r}; use {' or '.join(options)}")


def _units(table: pd.DataFrame, by: str | list[str] | None) -> tuple[pd.Index, NDArray[np.int64]]:
    """The units, sorted, and each row's position among them."""
    if by is None:
        return pd.RangeIndex(1), np.zeros(len(table), dtype=np.int64)
    names = [by] if isinstance(by, str) else by
    if not isinstance(names, list) or not names or len(set(names)) < len(names):
        raise InputError(f"by is {by!r}; give one column or a list of different columns")
    for name in names:
        if name not in table:
            found = ", ".join(str(column) for column in table.columns)
            raise InputError(f"by names {name!r}, which the table does not have; its columns are {found}")
    if DRAW in names:
        raise InputError(f"by names {DRAW!r}, which marks histories; rename the column")
    keys = pd.DataFrame({name: _unit_names(table[name]) for name in names})
    grouped = keys.groupby(names, sort=True, observed=True)
    units: pd.Index = grouped.size().index
    if isinstance(by, str):
        units = pd.Index(units, name=by)
    elif not isinstance(units, pd.MultiIndex):
        units = pd.MultiIndex.from_arrays([units], names=names)
    return units, np.asarray(grouped.ngroup(), dtype=np.int64)


def _unit_names(column: pd.Series) -> pd.Series:
    """The values of a column, with a name for the blank one."""
    blank = column.isna() | (column.astype(object) == "")
    return column.astype(object).where(~blank, BLANK_UNIT) if blank.any() else column


def _counting_day(table: pd.DataFrame, count_on: str) -> pd.Series:
    """The day of its window on which each incident counts."""
    first, last = table["date"], table["date_end"]
    middle: pd.Series = first + ((last - first) / 2).dt.floor("D")
    return {"first": first, "middle": middle, "last": last}[count_on]


def _sums(place: NDArray[np.int64], values: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Sum values by their place in a table of this shape; exact below 2**53."""
    return np.bincount(place, weights=values, minlength=shape[0] * shape[1]).astype(np.int64).reshape(shape)


def _fatalities(
    fatalities: pd.Series, place: NDArray[np.int64], shape: tuple[int, int], index: pd.PeriodIndex, units: pd.Index
) -> pd.DataFrame:
    """Sums of fatalities, ``<NA>`` where a summand is unknown."""
    unknown = fatalities.isna().to_numpy()
    known = fatalities.fillna(0).to_numpy(dtype=float)
    sums = pd.DataFrame(_sums(place, known, shape), index, units, dtype="Int64")
    if not unknown.any():
        return sums
    gaps = _sums(place, unknown.astype(float), shape) > 0
    warnings.warn(
        f"{unknown.sum():,} of {len(unknown):,} incidents have unknown fatalities, so {gaps.sum():,} counts are <NA>; "
        "drop these incidents or fill the column fatalities (with 0 for a lower bound) to count without them",
        DataWarning,
        stacklevel=3,
    )
    return sums.mask(gaps)


def _warn_outside(inside: NDArray[np.bool_], first: pd.Timestamp, last: pd.Timestamp) -> None:
    """Tell how many incidents are not counted."""
    if not inside.all():
        warnings.warn(
            f"{(~inside).sum():,} of {len(inside):,} incidents lie outside {first:%Y-%m-%d} to {last:%Y-%m-%d} "
            "and are not counted; move start or end, or drop them first",
            DataWarning,
            stacklevel=3,
        )


def _warn_windows(table: pd.DataFrame, freq: str, count_on: str) -> None:
    """Tell how many incidents could as well lie in another period."""
    wide = int((table["date"].dt.to_period(freq) != table["date_end"].dt.to_period(freq)).sum())
    if wide:
        warnings.warn(
            f"{wide:,} of {len(table):,} incidents have a window that touches more than one {period_word(freq)}; "
            f"each counts on its {count_on} day (count_on={count_on!r}): try another day or a coarser freq",
            DataWarning,
            stacklevel=3,
        )


def _warn_partial(index: pd.PeriodIndex, first: pd.Timestamp, last: pd.Timestamp) -> None:
    """Tell which of the outer periods are covered only in part."""
    outer = index[[0, -1]]
    whole = days_in(outer)
    covered = (exposure(outer, first, last).to_numpy() * whole).round().astype(int)
    partly = dict.fromkeys(
        f"{period} on {got} of its {of} days" for period, got, of in zip(outer, covered, whole, strict=True) if got < of
    )
    if partly:
        span = f"'{first:%Y-%m-%d}', '{last:%Y-%m-%d}'"
        warnings.warn(
            f"{first:%Y-%m-%d} to {last:%Y-%m-%d} covers {' and '.join(partly)}; pass "
            f"exposure=escalation.exposure(counts.index, {span}) to fit, or move start or end to whole periods",
            PartialPeriodWarning,
            stacklevel=3,
        )
