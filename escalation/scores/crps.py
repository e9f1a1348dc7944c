"""Continuous ranked probability score of draws, by sorting."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError
from escalation.scores.arrays import as_given, as_numbers, as_rows, is_fair

BLOCK = 2**18
"""Draws sorted at a time, so that memory does not grow with the number of forecasts."""


def crps(
    draws: ArrayLike,
    y: ArrayLike,
    *,
    estimator: str = "ensemble",
    weights: ArrayLike | None = None,
    scale: str = "linear",
) -> FloatArray:
    r"""Continuous ranked probability score of draws; for whole numbers the ranked probability score.

    .. math:: \text{CRPS} = \frac{1}{S} \sum_s |x_s - y| - \frac{1}{2 S^2} \sum_s \sum_t |x_s - x_t|
       = \int (\hat F(u) - 1\{u \ge y\})^2 \, du

    with :math:`\hat F` the step function of the draws.  That is the ``ensemble`` estimator, which the
    VIEWS challenge, properscoring and xskillscore use: it scores the S draws as the forecast that they
    are.  ``fair`` divides the second sum by :math:`S (S - 1)` instead, and so estimates the score that
    the distribution behind the draws would have with infinitely many of them; with few draws it is much smaller
    (12 draws of one benchmark of that challenge: 39.6 instead of 50.4), so name the estimator in every table.

    Parameters
    ----------
    draws : (..., S) array
        Draws of each forecast along the last axis, S >= 1 (``fair``: >= 2).
    y : (...) array
        What was observed; its shape is broadcast to that of ``draws`` without the last axis.
    estimator : {"ensemble", "fair"}
        See above.
    weights : (S,) or (..., S) array, optional
        Weights of the draws, >= 0; they are divided by their sum.  The double sum has then
        :math:`w_s w_t`, and ``fair`` divides it by :math:`1 - \sum_s w_s^2`.
    scale : {"linear", "log1p"}
        ``log1p`` scores ln(1 + draws) against ln(1 + y): relative errors count, and a few large units do
        not carry the mean (doi:10.1371/journal.pcbi.1011393).

    Returns
    -------
    (...) float array
        Scores >= 0 in the unit of y (``fair`` may be below 0); smaller is better.  NaN where y or any
        draw is NaN.

    Raises
    ------
    InputError
        If shapes do not belong together, a value is infinite, a weight is no weight, or an option is unknown.

    Notes
    -----
    Draws are sorted and the integral is summed over the gaps between them, all terms of one sign, so that nothing
    cancels; no S x S differences are held.  Formula: Gneiting & Raftery 2007 (doi:10.1198/016214506000001437);
    fair: Ferro 2014 (doi:10.1002/qj.2270).

    Examples
    --------
    Draws 0, 1, 5 and an observed 2: mean absolute error 2, half the mean difference 10/9.

    >>> round(float(crps([0, 1, 5], 2)), 6)  # 2 - 10/9
    0.888889
    >>> round(float(crps([0, 1, 5], 2, estimator="fair")), 6)  # 2 - 10/6
    0.333333
    >>> crps([[0, 0, 0, 4], [1, 2, 3, 4]], [4, 2]).tolist()
    [2.25, 0.375]
    """
    rows, observed, shape = as_rows(draws, y, scale)
    fair = is_fair(estimator, rows.shape[1], "CRPS")
    given = None if weights is None else _as_weights(weights, rows, shape)
    return as_given(_crps_of_rows(rows, observed, given, fair), shape)


def twcrps(draws: ArrayLike, y: ArrayLike, threshold: ArrayLike, *, estimator: str = "ensemble") -> FloatArray:
    r"""Threshold-weighted CRPS, which looks at what happens above a threshold alone.

    .. math:: \text{twCRPS} = \int_\tau^\infty (\hat F(u) - 1\{u \ge y\})^2 \, du
       = \text{CRPS}(\max(x, \tau), \max(y, \tau))

    Parameters
    ----------
    draws : (..., S) array
        Draws along the last axis.
    y : (...) array
        What was observed.
    threshold : float or (...) array
        The threshold tau.
    estimator : {"ensemble", "fair"}
        See :func:`crps`.

    Returns
    -------
    (...) float array
        Scores >= 0 in the unit of y, smaller is better; NaN where y, the threshold or any draw is NaN.

    Raises
    ------
    InputError
        As :func:`crps`.

    Notes
    -----
    Gneiting & Ranjan 2011 (doi:10.1198/jbes.2010.08110); as a CRPS of what is above the threshold, Allen,
    Ginsbourger & Ziegel 2023 (doi:10.1137/22M1532184).

    Examples
    --------
    A threshold of 25 asks only how well 25 and more were foreseen; below, all outcomes are the same.

    >>> twcrps([[0, 10, 30, 40], [0, 10, 30, 40]], [3, 40], threshold=25).tolist()
    [1.875, 6.875]
    """
    table, observed, tau = as_numbers(draws, "draws"), as_numbers(y, "y"), as_numbers(threshold, "threshold")
    try:
        above = np.maximum(table, tau[..., None]), np.maximum(observed, tau)
    except ValueError:
        raise InputError(
            f"threshold has the shape {tau.shape}; give one number, or one for each of the {table.shape[:-1]} forecasts"
        ) from None
    return crps(*above, estimator=estimator)


def _as_weights(weights: ArrayLike, rows: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Weights (n, S) that sum to 1."""
    given = as_numbers(weights, "weights")
    try:
        table = np.broadcast_to(given, (*shape, rows.shape[1])).reshape(rows.shape)
    except ValueError:
        raise InputError(
            f"weights has the shape {given.shape}; give one weight for each of the {rows.shape[1]} draws"
        ) from None
    total = table.sum(axis=1, keepdims=True)
    if not ((table >= 0).all() and (total > 0).all()):
        raise InputError("a weight is negative or missing, or all are 0; give weights >= 0 with a sum > 0")
    normed: FloatArray = table / total
    return normed


def _crps_of_rows(rows: FloatArray, y: FloatArray, weights: FloatArray | None, fair: bool) -> FloatArray:
    """CRPS (n,) of draws (n, S) with weights (n, S), or with equal ones."""
    n, size = rows.shape
    scores = np.empty(n)
    equal = np.full((1, size), 1.0 / size), np.arange(1, size)[None] / size
    step = max(BLOCK // size, 1)
    for block in (slice(start, start + step) for start in range(0, n, step)):
        if weights is None:
            x, (weight, below) = np.sort(rows[block], axis=1), equal
        else:
            order = np.argsort(rows[block], axis=1)
            x, weight = (np.take_along_axis(table[block], order, axis=1) for table in (rows, weights))
            below = np.cumsum(weight, axis=1)[:, :-1]
        scores[block] = _integral(x, y[block], below)
        if fair:
            scores[block] -= _own_spread(x, weight, below)
    return scores


def _integral(x: FloatArray, y: FloatArray, below: FloatArray) -> FloatArray:
    """Area (n,) between the step functions of sorted draws (n, S) and of y; ``below`` is the height of each gap."""
    lower, upper = x[:, :-1], x[:, 1:]
    cut = np.clip(y[:, None], lower, upper)
    outside = np.maximum(x[:, 0] - y, 0) + np.maximum(y - x[:, -1], 0)
    area: FloatArray = np.vecdot(below**2, cut - lower) + np.vecdot((1 - below) ** 2, upper - cut) + outside
    return area


def _own_spread(x: FloatArray, weight: FloatArray, below: FloatArray) -> FloatArray:
    """What the ensemble score (n,) has beyond the fair one: each draw's comparison with itself."""
    own = np.vecdot(weight, weight)
    if (own == 1).any():
        raise InputError("all weight is on one draw, which has no fair CRPS; take estimator='ensemble'")
    spread: FloatArray = np.vecdot(below * (1 - below), np.diff(x, axis=1)) * own / (1 - own)
    return spread
