"""Two sides that may answer each other: their counts on the periods that both were watched in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from escalation.counts.schema import DRAW
from escalation.counts.series import UNIT, CountsLike, as_count_series
from escalation.errors import InputError

LAGS = 3
"""Bins back that are looked at, unless asked otherwise."""


class Sides(NamedTuple):
    """Counts of two sides.

    Attributes
    ----------
    counts : pandas.DataFrame
        One column a side, or one a side and history; on the periods that both were wholly covered in.
    unit : str
        What is counted; ``incidents`` where the sides' units differ.
    """

    counts: pd.DataFrame
    unit: str


def check_sides(sides: Sequence[str] | None) -> tuple[str, str]:
    """Return the names of two sides.

    Raises
    ------
    InputError
        If they are not two.
    """
    if sides is None or len(sides) != 2 or sides[0] == sides[1]:
        given = " and ".join(sides or ()) or "nothing"
        raise InputError(f"the sides are {given}; name two different ones, as in --side A --side B")
    return sides[0], sides[1]


def join_sides(series: Mapping[str, CountsLike]) -> Sides:
    """Put the counts of two sides into one table, on the periods that both were wholly covered in.

    Parameters
    ----------
    series : mapping of str to Series, DataFrame, CountSeries or Reconstruction
        The counts of each side by its name.

    Returns
    -------
    Sides

    Raises
    ------
    InputError
        If they are not two, or have no period in common.

    Examples
    --------
    >>> weeks = pd.period_range("2024-01-01", periods=4, freq="W-SUN")
    >>> sides = join_sides({"A": pd.Series([1, 0, 2, 1], weeks), "B": pd.Series([0, 3, 0], weeks[1:])})
    >>> sides.counts.shape, sides.unit
    ((3, 2), 'incidents')
    """
    first, second = check_sides(list(series))
    counted = {name: as_count_series(counts) for name, counts in series.items()}
    columns = {name: one.counts[(one.exposure == 1).to_numpy()] for name, one in counted.items()}
    if columns[first].index.intersection(columns[second].index).empty:
        raise InputError(f"{first} and {second} have no whole period in common; set start and end")
    units = {one.unit for one in counted.values()}
    table = pd.concat(_alike(columns), axis=1, join="inner", names=["side"]).sort_index()
    return Sides(table, units.pop() if len(units) == 1 else UNIT)


def _alike(columns: dict[str, pd.Series | pd.DataFrame]) -> dict[str, pd.Series | pd.DataFrame]:
    """Give both sides as many histories, exact counts the same ones in each; exact counts of both stay as they are."""
    histories = [table.shape[1] for table in columns.values() if isinstance(table, pd.DataFrame)]
    if not histories:
        return columns
    draws = pd.RangeIndex(min(histories), name=DRAW)
    tables = {
        name: pd.concat([table] * len(draws), axis=1) if isinstance(table, pd.Series) else table.iloc[:, : len(draws)]
        for name, table in columns.items()
    }
    return {name: table.set_axis(draws, axis=1) for name, table in tables.items()}
