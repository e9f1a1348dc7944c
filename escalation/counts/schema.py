"""Counts and histories: their invariants, and the one gate that checks them.

*Counts* are whole numbers >= 0 on a gap-free ``PeriodIndex``; 0 is a covered and quiet period,
``<NA>`` one that nobody observed.  *Histories* are a table of equally plausible count series, one
column a draw (the columns' name is ``draw``), where the true series is not known exactly.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import infer_dtype

from escalation.conventions.arguments import check_level
from escalation.counts.periods import parse_freq
from escalation.errors import InputError

DRAW = "draw"
"""Name of a histories table's columns; this distinguishes it from a panel of units."""

NUMBERS = ("integer", "floating", "mixed-integer-float", "boolean", "decimal", "empty")
"""What pandas calls columns that hold numbers only, missing ones aside."""

JOINT = " / "
"""What joins the parts of a unit's name where a panel's columns have several levels."""

LARGEST = 2**53
"""Counts above this are no longer exact as floats."""

Counts: TypeAlias = pd.Series
Histories: TypeAlias = pd.DataFrame


def is_histories(table: object) -> bool:
    """Say whether a table holds histories (columns named ``draw``) and not units."""
    return isinstance(table, pd.DataFrame) and table.columns.name == DRAW


def is_panel_histories(table: object) -> bool:
    """Say whether a table holds histories of several units: columns of more levels, the last named ``draw``."""
    return isinstance(table, pd.DataFrame) and table.columns.nlevels >= 2 and table.columns.names[-1] == DRAW


def check_counts(table: pd.Series | pd.DataFrame, name: str = "counts") -> pd.Series | pd.DataFrame:
    """Check one count series, a panel of them or histories, and return it in its canonical type.

    Parameters
    ----------
    table : pandas.Series or pandas.DataFrame
        On a ``PeriodIndex``; numbers that are whole and >= 0, or missing.
    name : str
        What messages call it.

    Returns
    -------
    pandas.Series or pandas.DataFrame
        The same values as ``Int64`` (histories without a missing period as ``int64``).

    Raises
    ------
    InputError
        If it is not on a gap-free, sorted ``PeriodIndex`` of days, weeks or months, is empty, or
        holds a negative, fractional, infinite or too large number; or if a period is missing in some
        histories of a unit and not in all.

    Examples
    --------
    >>> months = pd.period_range("2024-01", periods=3, freq="M")
    >>> check_counts(pd.Series([3.0, 0.0, None], index=months)).tolist()
    [3, 0, <NA>]
    """
    return checked_counts(table, name)[0]


def checked_counts(
    table: pd.Series | pd.DataFrame, name: str = "counts"
) -> tuple[pd.Series | pd.DataFrame, NDArray[np.float64]]:
    """What :func:`check_counts` gives, and its values as :func:`count_matrix` would give them, in one go."""
    if not isinstance(table, pd.Series | pd.DataFrame):
        raise InputError(f"{name} is a {type(table).__name__}; give a pandas Series or DataFrame on a PeriodIndex")
    index = table.index
    if not isinstance(index, pd.PeriodIndex):
        raise InputError(
            f"{name} has a {type(index).__name__}; give it a PeriodIndex, such as counts.to_period('W-SUN')"
        )
    parse_freq(index.freqstr)
    if table.size == 0:
        raise InputError(f"{name} is empty; at least one period is needed")
    if index.hasnans:
        raise InputError(f"{name} has a row without a period (NaT); drop it or give it its period")
    steps = np.diff(index.asi8)
    if (steps != 1).any():
        at = index[int(np.flatnonzero(steps != 1)[0])]
        raise InputError(f"{name} has a gap or is not sorted after {at}; reindex it and mark unobserved periods <NA>")
    values = _as_float(table, name)
    missing = np.isnan(values)
    good = missing | ((values >= 0) & (values <= LARGEST) & (values == np.floor(values)))
    if not good.all():
        row, column = (int(i) for i in np.argwhere(~good)[0])
        unit = f" of {table.columns[column]!r}" if isinstance(table, pd.DataFrame) else ""
        raise InputError(f"{name} holds {values[row, column]:g} at {index[row]}{unit}; counts are whole numbers >= 0")
    if is_histories(table) or is_panel_histories(table):
        if not missing.any():
            return table.astype("int64"), values
        _check_gaps(table, missing, name)
    if isinstance(table, pd.DataFrame):
        return table.astype(pd.Int64Dtype()), values
    whole = np.where(missing, 0, values).astype(np.int64)[:, 0]  # pandas' astype takes four times as long
    array = pd.arrays.IntegerArray(whole, missing[:, 0].copy())
    return pd.Series(array, index=index, name=table.name, copy=False), values


def _check_gaps(table: pd.Series | pd.DataFrame, missing: NDArray[np.bool_], name: str) -> None:
    """Refuse histories of which only some have a count in a period: it was observed or it was not."""
    units = unit_columns(pd.DataFrame(table)) if is_panel_histories(table) else [name] * missing.shape[1]
    unit = np.unique(units, return_inverse=True)[1]
    first = np.unique(unit, return_index=True)[1]
    uneven = (missing != missing[:, first[unit]]).any(axis=1)
    if uneven.any():
        at = table.index[int(np.argmax(uneven))]
        raise InputError(f"{name} is missing at {at} in some histories only; a period is missing in all or in none")


def _as_float(table: pd.Series | pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Values as floats with NaN for missing, shape (periods, columns)."""
    if isinstance(table, pd.DataFrame) and all(
        isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in table.dtypes
    ):
        return table.to_numpy(dtype=float)
    if isinstance(table, pd.Series) and isinstance(table.dtype, np.dtype) and table.dtype.kind in "biuf":
        return table.to_numpy(dtype=float).reshape(-1, 1)
    columns = [table] if isinstance(table, pd.Series) else [table.iloc[:, j] for j in range(table.shape[1])]
    if not all(column.dtype.kind in "biuf" or infer_dtype(column, skipna=True) in NUMBERS for column in columns):
        raise InputError(f"{name} holds values that are not numbers; counts are whole numbers >= 0")
    return np.column_stack([column.to_numpy(dtype=float, na_value=np.nan) for column in columns])


def count_matrix(table: pd.Series | pd.DataFrame) -> NDArray[np.float64]:
    """Checked counts as floats, NaN where not observed, shape (periods, columns)."""
    return _as_float(table, "counts")


def table_of_counts(
    array: NDArray[np.float64], index: pd.PeriodIndex, name: str | None = None
) -> pd.Series | pd.DataFrame:
    """Counts (draws, periods), NaN where not observed, as a Series, or as histories if there are several draws."""
    if len(array) == 1:
        return pd.Series(array[0], index=index, name=name).astype("Int64")
    table = pd.DataFrame(array.T, index=index, columns=pd.RangeIndex(len(array), name=DRAW))
    return table.astype("Int64" if np.isnan(array).any() else "int64")


def unit_columns(table: pd.DataFrame) -> list[str]:
    """Name of the unit of each column of a panel: its label, those of several levels joined as ``Syria / Aleppo``."""
    levels = table.columns.nlevels - is_panel_histories(table)
    if table.columns.nlevels == 1:
        return [str(label) for label in table.columns]
    return [JOINT.join(str(part) for part in label[:levels]) for label in table.columns]


def panel_array(table: pd.DataFrame) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Names of the units of a checked panel, and its counts, shape (draws, periods, units); one draw if exact.

    Raises
    ------
    InputError
        If two units have one name, or units have different draws.
    """
    names = unit_columns(table)
    if not is_panel_histories(table):
        return _only_once(names), count_matrix(table)[None]
    units, draws = np.array(names, dtype=object), table.columns.get_level_values(-1)
    different = list(dict.fromkeys(names))
    first = draws[units == units[0]]
    if not all(draws[units == unit].equals(first) for unit in different) or not first.is_unique:
        raise InputError("the panel's units have different draws; give each the same histories, numbered alike")
    blocks = [count_matrix(table.loc[:, (units == unit).tolist()]) for unit in different]
    return tuple(different), np.stack(blocks, axis=-1).transpose(1, 0, 2)


def _only_once(names: list[str]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"the panel has two units called {twice!r}; name each only once")
    return tuple(names)


def quantile_frame(draws: pd.DataFrame, level: float) -> pd.DataFrame:
    """Median and central interval over the columns, as whole counts; ``<NA>`` where a period was not observed.

    Raises
    ------
    InputError
        If ``level`` is not between 0 and 1.
    """
    check_level(level)
    probs = [0.5, (1 - level) / 2, (1 + level) / 2]
    matrix = count_matrix(draws)
    values = np.quantile(np.nan_to_num(matrix), probs, axis=1, method="inverted_cdf")
    table = pd.DataFrame(values.T.astype(np.int64), index=draws.index, columns=["median", "lower", "upper"])
    missing = np.isnan(matrix[:, [0]])
    return table.astype("Int64").mask(np.repeat(missing, 3, axis=1)) if missing.any() else table
