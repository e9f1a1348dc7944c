"""Dawid-Sebastiani score: a forecast judged by its mean and variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError
from escalation.scores.arrays import as_given, as_numbers, as_one_shape, as_rows


def dawid_sebastiani(draws: ArrayLike, y: ArrayLike) -> FloatArray:
    r"""Dawid-Sebastiani score of draws, from their mean and variance.

    .. math:: \text{DSS} = \frac{(y - m)^2}{s^2} + 2 \ln s

    Parameters
    ----------
    draws : (..., S) array
        Draws of each forecast along the last axis; :math:`s^2` is their mean squared distance from m.
    y : (...) array
        What was observed; its shape is broadcast to that of ``draws`` without the last axis.

    Returns
    -------
    (...) float array
        Scores, smaller is better.  Where all draws are one value, ``-inf`` if it was observed and ``inf`` if not;
        leave such forecasts out or take another score.  NaN where y or any draw is NaN.

    Raises
    ------
    InputError
        If shapes do not belong together or a value is infinite.

    Notes
    -----
    Dawid & Sebastiani 1999 (doi:10.1214/aos/1018031101), as in R's scoringRules.

    Examples
    --------
    >>> dawid_sebastiani([0, 2, 4], 6).round(6)  # 16 / (8 / 3) + ln(8 / 3)
    np.float64(6.980829)
    """
    rows, seen, shape = as_rows(draws, y)
    same = rows.min(axis=1) == rows.max(axis=1)
    mean = np.where(same, rows[:, 0], rows.mean(axis=1))
    return as_given(_scores(mean, np.where(same, 0.0, rows.var(axis=1)), seen), shape)


def dawid_sebastiani_moments(mean: ArrayLike, variance: ArrayLike, y: ArrayLike) -> FloatArray:
    """Dawid-Sebastiani score of forecasts whose mean and variance are known.

    Parameters
    ----------
    mean, variance : (...) array
        Of the forecasts; for NB2 the variance is mean + alpha mean^2.
    y : (...) array
        What was observed, broadcast against them.

    Returns
    -------
    (...) float array
        Scores as those of :func:`dawid_sebastiani`.

    Raises
    ------
    InputError
        If a variance is negative or shapes do not belong together.

    Notes
    -----
    Dawid & Sebastiani 1999 (doi:10.1214/aos/1018031101).

    Examples
    --------
    >>> dawid_sebastiani_moments(20, 20, 17).round(6)  # 9 / 20 + ln(20)
    np.float64(3.445732)
    """
    given = as_numbers(variance, "variance")
    if (given < 0).any():
        raise InputError(f"variance is {np.nanmin(given):g}; a variance is >= 0")
    (m, s, seen), shape = as_one_shape(as_numbers(mean, "mean"), given, as_numbers(y, "y"))
    return as_given(_scores(m, s, seen), shape)


def _scores(mean: FloatArray, variance: FloatArray, y: FloatArray) -> FloatArray:
    """Scores (n,); a variance of 0 is the limit of small ones."""
    away = (y - mean) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = away / variance + np.log(variance)
    certain = (variance == 0) & ~np.isnan(away)
    scores[certain] = np.where(away[certain] > 0, np.inf, -np.inf)
    return scores
