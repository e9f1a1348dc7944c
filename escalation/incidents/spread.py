"""Spread incidents over the days that may have held them: equally plausible histories of their counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from escalation.errors import InputError
from escalation.incidents.spans import Spans, span_of


@dataclass(frozen=True)
class Spread:
    """Incidents as arrays, one a row.

    Attributes
    ----------
    first, last : numpy.ndarray
        First and last day of the window, in days since 1970, shape (rows,).
    unit : numpy.ndarray
        Place among the units, shape (rows,).
    events : numpy.ndarray
        How many incidents each row stands for, shape (rows,).
    figures : numpy.ndarray or None
        Low, best and high fatalities, shape (rows, 3); None where incidents are counted.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    unit: NDArray[np.int64]
    events: NDArray[np.int64]
    figures: NDArray[np.float64] | None


def fatality_figures(table: pd.DataFrame, how: str) -> NDArray[np.float64]:
    """Low, best and high fatalities of each row; a bound that is not known is the best figure.

    Parameters
    ----------
    table : pandas.DataFrame
        Checked incidents.
    how : {"triangular", "best"}
        ``"best"`` takes the best figure for all three.

    Returns
    -------
    numpy.ndarray
        Shape (rows, 3). Where only the bounds are known the best is NaN.

    Raises
    ------
    InputError
        If a row has no figure that a draw can be made from.
    """
    low, best, high = (
        table[column].to_numpy(dtype=float, na_value=np.nan)
        for column in ("fatalities_low", "fatalities", "fatalities_high")
    )
    if how == "best":
        low = high = best
    else:
        low, high = np.where(np.isnan(low), best, low), np.where(np.isnan(high), best, high)
    unknown = np.isnan(best) & (np.isnan(low) | np.isnan(high))
    if unknown.any():
        raise InputError(
            f"{unknown.sum():,} of {len(table):,} incidents have unknown fatalities, and histories have no <NA>; "
            "drop these incidents or fill the column fatalities (with 0 for a lower bound)"
        )
    return np.column_stack([low, best, high])


def draw_fatalities(figures: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """One whole number of fatalities a row, from a discrete triangular distribution with its mode at the best figure.

    Parameters
    ----------
    figures : numpy.ndarray
        From :func:`fatality_figures`, shape (rows, 3).
    rng : Generator

    Returns
    -------
    numpy.ndarray
        From low to high, shape (rows,). The probability of k falls linearly on both sides of the best figure:
        it is proportional to ``(k - low + 1) / (best - low + 1)`` below and ``(high - k + 1) / (high -
        best + 1)`` above it. Without a best figure all whole numbers from low to high are alike.

    Notes
    -----
    Source: Kokonendji & Zocchi (2010), doi:10.1016/j.spl.2010.07.008, with h = 1.
    """
    low, best, high = figures.T
    drawn: NDArray[np.float64] = np.where(np.isnan(best), low, best)
    wide = high > low
    if not wide.any():
        return drawn
    low, best, high = figures[wide].T
    side, share = rng.random((2, len(low)))
    below, above = best - low + 1, high - best  # so many numbers up to the best one, and beyond it
    rising = side * (below + 1 + above) < below + 1
    numbers = np.where(rising, below, above)
    step = np.floor((np.sqrt(4 * share * numbers * (numbers + 1) + 1) - 1) / 2) + 1
    step = np.minimum(step, numbers)
    flat = low + np.floor(share * (high - low + 1))
    drawn[wide] = np.where(np.isnan(best), flat, np.where(rising, low + step - 1, high + 1 - step))
    return drawn


def draw_histories(
    spread: Spread,
    starts: NDArray[np.int64],
    units: int,
    draws: int,
    rng: Generator,
    covered: Spans | None = None,
) -> NDArray[np.int64]:
    """Let every incident fall on one day of its window, each day alike, many times over.

    Parameters
    ----------
    spread : Spread
        The incidents.
    starts : numpy.ndarray
        First day of each period, and the day after the last, in days since 1970, shape (periods + 1,).
        Incidents on days outside are not counted.
    units : int
        Number of units.
    draws : int
        Number of histories.
    rng : Generator
    covered : Spans, optional
        Incidents on days on which their unit was not covered are not counted.

    Returns
    -------
    numpy.ndarray
        Counts, or sums of fatalities, shape (draws, periods, units).
    """
    periods = len(starts) - 1
    days = int(starts[-1] - starts[0])
    period = np.repeat(np.arange(periods), np.diff(starts))  # of each covered day

    def at(day: NDArray[np.int64], unit: NDArray[np.int64]) -> NDArray[np.int64]:
        """The period of a day; ``periods`` for days outside, which are cut off."""
        since = day - starts[0]
        inside = (since >= 0) & (since < days)
        if covered is not None:
            inside &= span_of(covered, unit, day) >= 0
        return np.where(inside, period[np.where(inside, since, 0)], periods)

    if spread.figures is None:
        rows = np.repeat(np.arange(len(spread.first)), spread.events)
    else:
        rows = np.arange(len(spread.first))
    first, last, unit = spread.first[rows], spread.last[rows], spread.unit[rows]
    begin, end = at(first, unit), at(last, unit)
    open_ = (begin != end) | (last - first >= days)
    if covered is not None:
        spans = span_of(covered, unit, first), span_of(covered, unit, last)
        open_ |= (spans[0] != spans[1]) | ((spans[0] < 0) & (last > first))
    fixed_figures = spread.figures is None or bool((spread.figures[:, 0] == spread.figures[:, 2]).all())
    result = np.empty((draws, periods, units), dtype=np.int64)
    size = (periods + 1) * units
    at_once = begin * units + unit
    weights = None if spread.figures is None else draw_fatalities(spread.figures, rng)
    known = np.bincount(at_once[~open_], None if weights is None else weights[~open_], minlength=size)
    where, reach, base = unit[open_], (last - first + 1)[open_], first[open_]
    for draw in range(draws):
        if not fixed_figures:
            assert spread.figures is not None
            weights = draw_fatalities(spread.figures, rng)
            known = np.bincount(at_once[~open_], weights[~open_], minlength=size)
        fallen = at(base + np.floor(rng.random(len(base)) * reach).astype(np.int64), where) * units + where
        drawn = np.bincount(fallen, None if weights is None else weights[open_], minlength=size)
        result[draw] = np.asarray(known + drawn)[: periods * units].reshape(periods, units)
    return result
