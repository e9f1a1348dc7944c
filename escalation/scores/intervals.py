"""Scores of quantiles and of prediction intervals, read from draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from escalation.conventions.arguments import check_level
from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError
from escalation.scores.arrays import as_given, as_rows


def interval_score(draws: ArrayLike, y: ArrayLike, *, level: float = 0.9, scale: str = "linear") -> FloatArray:
    r"""Interval (Winkler) score of the central prediction interval of draws.

    .. math:: \text{IS} = (u - l) + \frac{2}{a} (l - y)^+ + \frac{2}{a} (y - u)^+, \quad a = 1 - \text{level}

    with l and u the a/2 and 1 - a/2 quantiles of the draws.  Its mean is the MIS of the VIEWS challenge,
    whose level is 0.9.

    Parameters
    ----------
    draws : (..., S) array
        Draws of each forecast along the last axis.
    y : (...) array
        What was observed; its shape is broadcast to that of ``draws`` without the last axis.
    level : float
        Probability of the interval, between 0 and 1.
    scale : {"linear", "log1p"}
        ``log1p`` scores ln(1 + draws) against ln(1 + y).

    Returns
    -------
    (...) float array
        Scores >= 0 in the unit of y, smaller is better; NaN where y or any draw is NaN.

    Raises
    ------
    InputError
        If the level is not between 0 and 1, shapes do not belong together, or the scale is unknown.

    Notes
    -----
    Quantiles are numpy's ``linear`` ones.  Gneiting & Raftery 2007, equation 43 (doi:10.1198/016214506000001437).

    Examples
    --------
    Draws 0 to 100 have the interval 5 to 95; an observed 100 is 5 beyond it, times 2 / 0.1.

    >>> interval_score(np.arange(101), 40).round(6), interval_score(np.arange(101), 100).round(6)
    (np.float64(90.0), np.float64(190.0))
    """
    rows, seen, shape = as_rows(draws, y, scale)
    lower, upper = interval(rows, level)
    beyond = np.maximum(lower - seen, 0) + np.maximum(seen - upper, 0)
    return as_given(upper - lower + 2 / (1 - level) * beyond, shape)


def coverage(draws: ArrayLike, y: ArrayLike, *, level: float = 0.9) -> FloatArray:
    """Whether each observation lies in the central prediction interval of its draws, ends included.

    The mean is the coverage.  Of counts that are mostly 0 nearly all lie in any interval, so take it over the
    cells that were active as well.

    Parameters
    ----------
    draws : (..., S) array
        Draws of each forecast along the last axis.
    y : (...) array
        What was observed; its shape is broadcast to that of ``draws`` without the last axis.
    level : float
        Probability of the interval, between 0 and 1.

    Returns
    -------
    (...) float array
        1 inside and 0 outside; NaN where y or any draw is NaN.

    Raises
    ------
    InputError
        If the level is not between 0 and 1 or shapes do not belong together.

    Notes
    -----
    Quantiles are numpy's ``linear`` ones.

    Examples
    --------
    >>> coverage(np.tile(np.arange(101), (3, 1)), [3, 5, 60]).tolist()
    [0.0, 1.0, 1.0]
    """
    rows, seen, shape = as_rows(draws, y)
    lower, upper = interval(rows, level)
    inside = ((lower <= seen) & (seen <= upper)).astype(np.float64)
    inside[np.isnan(lower) | np.isnan(seen)] = np.nan
    return as_given(inside, shape)


def quantile_score(draws: ArrayLike, y: ArrayLike, *, q: float = 0.99, scale: str = "linear") -> FloatArray:
    r"""Quantile (pinball) score of one quantile of draws.

    .. math:: \text{QS}_q = \max(q (y - x_q), (1 - q) (x_q - y))

    Parameters
    ----------
    draws : (..., S) array
        Draws of each forecast along the last axis.
    y : (...) array
        What was observed; its shape is broadcast to that of ``draws`` without the last axis.
    q : float
        Probability of the quantile, between 0 and 1; VIEWS reports 0.99.
    scale : {"linear", "log1p"}
        ``log1p`` scores ln(1 + draws) against ln(1 + y).

    Returns
    -------
    (...) float array
        Scores >= 0 in the unit of y, smaller is better; NaN where y or any draw is NaN.

    Raises
    ------
    InputError
        If q is not between 0 and 1, shapes do not belong together, or the scale is unknown.

    Notes
    -----
    The quantile is numpy's ``linear`` one.  Some authors have twice this score (then its integral over q is the
    CRPS).  Koenker & Bassett 1978 (doi:10.2307/1913643); Gneiting 2011 (doi:10.1016/j.ijforecast.2009.12.015).

    Examples
    --------
    >>> quantile_score(np.arange(101), 109).round(6), quantile_score(np.arange(101), 89).round(6)
    (np.float64(9.9), np.float64(0.1))
    """
    if not 0.0 < q < 1.0:
        raise InputError(f"q is {q!r}; give the probability of a quantile, between 0 and 1")
    rows, seen, shape = as_rows(draws, y, scale)
    away = seen - np.quantile(rows, q, axis=1)
    return as_given(np.maximum(q * away, (q - 1) * away), shape)


def interval(rows: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Lower and upper end (n,) of the central interval of draws (n, S)."""
    tail = (1 - check_level(level)) / 2
    lower, upper = np.quantile(rows, [tail, 1 - tail], axis=1)
    return lower, upper
