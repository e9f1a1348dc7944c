"""Probability integral transform of counts, without randomisation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError
from escalation.scores.arrays import as_given, as_one_shape, as_probabilities, as_rows

MOST_BINS = 10_000


def cdf_pair(draws: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Share of draws below, and at or below, each observation.

    Parameters
    ----------
    draws : (..., S) array
        Draws of each forecast along the last axis.
    y : (...) array
        What was observed; its shape is broadcast to that of ``draws`` without the last axis.

    Returns
    -------
    below, upto : (...) float arrays
        Estimates of P(Y < y) and P(Y <= y), which :func:`pit` takes; NaN where y or any draw is NaN.

    Raises
    ------
    InputError
        If shapes do not belong together or a value is infinite.

    Examples
    --------
    >>> below, upto = cdf_pair([0, 0, 1, 3], 1)
    >>> float(below), float(upto)
    (0.5, 0.75)
    """
    rows, seen, shape = as_rows(draws, y)
    unknown = np.isnan(seen) | np.isnan(rows).any(axis=1)
    below = np.where(unknown, np.nan, (rows < seen[:, None]).mean(axis=1))
    upto = np.where(unknown, np.nan, (rows <= seen[:, None]).mean(axis=1))
    return as_given(below, shape), as_given(upto, shape)


def pit(below: ArrayLike, upto: ArrayLike, *, bins: int = 10) -> FloatArray:
    r"""Heights of the non-randomised PIT histogram of count forecasts.

    .. math:: \bar F(u) = \frac{1}{n} \sum_i \min\Big(1, \max\Big(0, \frac{u - P_i(y_i - 1)}{P_i(y_i) - P_i(y_i - 1)}
       \Big)\Big), \quad h_j = J \Big(\bar F\big(\tfrac{j}{J}\big) - \bar F\big(\tfrac{j - 1}{J}\big)\Big)

    If the forecasts are right all heights are 1 apart from random error; a U shape says that they are too narrow, a
    hump that they are too wide, a slope that they are too low or too high.

    Parameters
    ----------
    below, upto : (...) arrays
        P(Y < y) and P(Y <= y) of each forecast at what was observed, such as F(y - 1) and F(y) of a fitted distribution
        or what :func:`cdf_pair` gives.  A cell where both are NaN was not observed and is left out.
    bins : int
        J, 1 to 10,000.

    Returns
    -------
    (bins,) float array
        Heights h, whose mean is 1.

    Raises
    ------
    InputError
        If a value is no probability, one of a pair is NaN, below exceeds upto, or nothing was observed.

    Notes
    -----
    Czado, Gneiting & Held 2009 (doi:10.1111/j.1541-0420.2009.01191.x).  Where no draw equals y both values are the same
    and the cell falls into the bin that holds it, half into each of two whose common edge it is.

    Examples
    --------
    >>> pit([0.0, 0.5], [0.5, 1.0], bins=4).tolist()
    [1.0, 1.0, 1.0, 1.0]
    >>> pit([0.0, 0.9], [0.1, 1.0], bins=5).tolist()  # forecasts too narrow
    [2.5, 0.0, 0.0, 0.0, 2.5]
    """
    number = check_whole(bins, "bins", MOST_BINS)
    lower, upper, _ = _pairs(below, upto)
    seen = ~np.isnan(lower)
    if not seen.any():
        raise InputError("no forecast was observed; give at least one pair of probabilities")
    lower, upper = lower[seen], upper[seen]
    reached = np.zeros(number + 1)
    for j in range(1, number):
        u = j / number
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = np.clip((u - lower) / (upper - lower), 0, 1)
        reached[j] = np.where(upper > lower, inside, np.heaviside(u - lower, 0.5)).mean()
    reached[number] = 1
    heights: FloatArray = np.diff(reached) * number
    return heights


def pit_coverage(below: ArrayLike, upto: ArrayLike, *, level: float = 0.9) -> FloatArray:
    r"""Probability that a central interval holds what was observed, its ends randomised to have just that level.

    .. math:: \frac{|[P(y - 1), P(y)] \cap [\alpha / 2, 1 - \alpha / 2]|}{P(y) - P(y - 1)}, \quad
       \alpha = 1 - \text{level}

    A closed interval of whole numbers (:func:`coverage`) holds more than its level, above all where 0 is likely: where
    84% of cells are 0, 90% intervals hold 94% and more.  The mean of this measure is the level for right forecasts of
    counts as of anything else: it is the mass of the PIT histogram (:func:`pit`) between the ends.

    Parameters
    ----------
    below, upto : (...) arrays
        As for :func:`pit`.
    level : float
        Probability of the central interval.

    Returns
    -------
    (...) float array
        0 to 1; NaN where both are NaN.  Where both are the same, 1 inside the interval and 1/2 at its ends.

    Raises
    ------
    InputError
        If a value is no probability, one of a pair is NaN, below exceeds upto, or ``level`` is out of range.

    Notes
    -----
    It is the mean over the uniform variable of the randomised PIT (Smith 1985, doi:10.1002/for.3980040305; Czado,
    Gneiting & Held 2009, doi:10.1111/j.1541-0420.2009.01191.x).

    Examples
    --------
    >>> pit_coverage([0.0, 0.5, 0.9], [0.5, 0.9, 1.0], level=0.5).tolist()
    [0.5, 0.625, 0.0]
    """
    edge = (1 - check_level(level)) / 2
    lower, upper, shape = _pairs(below, upto)
    with np.errstate(invalid="ignore", divide="ignore"):
        held = np.maximum(np.minimum(upper, 1 - edge) - np.maximum(lower, edge), 0.0) / (upper - lower)
    point = np.heaviside(lower - edge, 0.5) * np.heaviside(1 - edge - lower, 0.5)
    return as_given(np.where(np.isnan(lower), np.nan, np.where(upper > lower, held, point)), shape)


def pit_draws(draws: ArrayLike, y: ArrayLike, *, bins: int = 10) -> FloatArray:
    """Heights of the non-randomised PIT histogram of forecasts given by draws; see :func:`pit`.

    Parameters
    ----------
    draws : (..., S) array
        Draws of each forecast along the last axis.
    y : (...) array
        What was observed; its shape is broadcast to that of ``draws`` without the last axis.  A cell whose y is
        NaN was not observed and is left out.
    bins : int
        1 to 10,000; no more than S + 1 can be distinguished.

    Returns
    -------
    (bins,) float array
        Heights, whose mean is 1.

    Raises
    ------
    InputError
        If shapes do not belong together, an observed cell has a NaN among its draws, or nothing was observed.

    Notes
    -----
    Czado, Gneiting & Held 2009 (doi:10.1111/j.1541-0420.2009.01191.x).

    Examples
    --------
    >>> pit_draws([[0, 1, 2, 3], [0, 1, 2, 3]], [0, 3], bins=4).tolist()
    [2.0, 0.0, 0.0, 2.0]
    """
    rows, seen, _ = as_rows(draws, y)
    below, upto = cdf_pair(rows, seen)
    if (np.isnan(below) & ~np.isnan(seen)).any():
        raise InputError("an observed cell has a NaN among its draws; draw it again, or make its y NaN as well")
    return pit(below, upto, bins=bins)


def _pairs(below: ArrayLike, upto: ArrayLike) -> tuple[FloatArray, FloatArray, tuple[int, ...]]:
    """P(Y < y) and P(Y <= y) as arrays (n,), and the shape that they had."""
    (lower, upper), shape = as_one_shape(as_probabilities(below, "below"), as_probabilities(upto, "upto"))
    if (np.isnan(lower) != np.isnan(upper)).any():
        raise InputError("one of below and upto is NaN where the other is not; both are known, or neither")
    if (lower > upper).any():
        raise InputError("below is larger than upto; give P(Y < y) first and P(Y <= y) second")
    return lower, upper, shape
