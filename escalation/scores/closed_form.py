"""CRPS of Poisson and negative binomial forecasts, as sums of their distribution function."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from escalation.conventions.arrays import FloatArray
from escalation.conventions.compilation import compiled
from escalation.errors import InputError
from escalation.scores.arrays import as_counts, as_given, as_numbers, as_one_shape

NEGLIGIBLE = 1e-18
"""Share of the probability on one side of the mode that may be left out."""


def crps_poisson(mean: ArrayLike, y: ArrayLike, *, scale: str = "linear") -> FloatArray:
    r"""Continuous ranked probability score of Poisson forecasts, without draws.

    :func:`crps_nbinom` with a dispersion of 0.

    Parameters
    ----------
    mean : (...) array
        Expected counts, >= 0.
    y : (...) array
        Observed counts, broadcast against ``mean``.
    scale : {"linear", "log1p"}
        ``log1p`` scores the distribution of ln(1 + Y) at ln(1 + y).

    Returns
    -------
    (...) float array
        Scores >= 0, smaller is better; NaN where a value is NaN.

    Raises
    ------
    InputError
        As :func:`crps_nbinom`.

    Examples
    --------
    >>> [round(float(s), 6) for s in crps_poisson([3, 100, 20_000], [3, 100, 20_000])]
    [0.388124, 2.333833, 33.04924]
    """
    return crps_nbinom(mean, 0.0, y, scale=scale)


def crps_nbinom(mean: ArrayLike, dispersion: ArrayLike, y: ArrayLike, *, scale: str = "linear") -> FloatArray:
    r"""Continuous ranked probability score of negative binomial (NB2) forecasts, without draws.

    .. math:: \text{CRPS} = \sum_{k \ge 0} (F(k) - 1\{k \ge y\})^2 (g(k + 1) - g(k))

    with F the distribution function of the NB2 distribution, :math:`\text{Var} = \mu + \alpha \mu^2`, and
    :math:`g(k) = k` (``linear``) or :math:`\ln(1 + k)` (``log1p``).

    Parameters
    ----------
    mean : (...) array
        Expected counts mu, >= 0.
    dispersion : (...) array
        alpha >= 0, broadcast against the others; 0 is the Poisson distribution, 1/alpha is R's ``size``.
    y : (...) array
        Observed counts.
    scale : {"linear", "log1p"}
        ``log1p`` scores the distribution of ln(1 + Y) at ln(1 + y).

    Returns
    -------
    (...) float array
        Scores >= 0, smaller is better; NaN where a value is NaN.

    Raises
    ------
    InputError
        If a mean or a dispersion is negative, a count is not whole, or shapes do not belong together.

    Notes
    -----
    Closed forms with Bessel and hypergeometric functions (Wei & Held 2014,
    doi:10.1007/s11749-014-0380-8; R's scoringRules) lose all digits at large means or sizes.  Here probabilities are
    recursed away from the mode, relative to it, and divided by their sum, so that no factorial is
    evaluated; F is summed from below and 1 - F from above, so that nothing cancels.  Relative errors are
    below 1e-12.  The work grows with the width of the distribution: a mean of 20,000 takes some 15 microseconds
    with alpha = 0 and some 40 milliseconds with alpha = 10.

    Examples
    --------
    >>> [round(float(s), 6) for s in crps_nbinom(3, [0, 0.5, 2], 3)]
    [0.388124, 0.638053, 1.08224]
    >>> round(float(crps_nbinom(1000, 1e-5, 1000)), 9)  # size 100,000
    7.425961407
    """
    (mu, alpha, seen), shape = as_one_shape(
        as_mean(mean),
        as_dispersion(dispersion),
        as_counts(y, "y"),
    )
    if scale not in ("linear", "log1p"):
        raise InputError(f"scale is {scale!r}; counts are scored on 'linear' or on 'log1p'")
    return as_given(_crps_of_distributions(mu, alpha, seen, scale == "log1p"), shape)


def as_mean(mean: ArrayLike) -> FloatArray:
    """Expected counts as an array.

    Raises
    ------
    InputError
        If one is negative.
    """
    mu = as_numbers(mean, "mean")
    if (mu < 0).any():
        raise InputError(f"mean is {np.nanmin(mu):g}; an expected count is >= 0")
    return mu


def as_dispersion(dispersion: ArrayLike) -> FloatArray:
    """Dispersions as an array.

    Raises
    ------
    InputError
        If one is negative.
    """
    alpha = as_numbers(dispersion, "dispersion")
    if (alpha < 0).any():
        raise InputError(f"dispersion is {np.nanmin(alpha):g}; give alpha >= 0 of Var = mean + alpha mean^2")
    return alpha


@compiled()
def _next(p: float, k: float, mu: float, alpha: float) -> float:
    """Probability of k + 1 from that of k; near 1 their ratio is taken from its distance to 1."""
    whole = (k + 1.0) * (1.0 + alpha * mu)
    less = (k + 1.0 - mu + alpha * mu) / whole
    if less > 0.5:
        return p * (mu * (1.0 + alpha * k) / whole)
    return p - p * less


@compiled()
def _previous(p: float, k: float, mu: float, alpha: float) -> float:
    """Probability of k - 1 from that of k."""
    part = mu * (1.0 + alpha * (k - 1.0))
    less = (mu - alpha * mu - k) / part
    if less > 0.5:
        return p * (k * (1.0 + alpha * mu) / part)
    return p - p * less


@compiled()
def _crps_of_distribution(mu: float, alpha: float, y: float, log: bool) -> float:
    """CRPS of one distribution."""
    if mu == 0.0:
        return math.log1p(y) if log else y
    mode = float(math.floor(max(mu * (1.0 - alpha), 0.0)))
    last, p, above = mode, 1.0, 0.0
    while True:
        p = _next(p, last, mu, alpha)
        last += 1.0
        above += p
        ratio = _next(1.0, last, mu, alpha)
        # ratios fall from here on, or rise to a limit below 1
        if p == 0.0 or p * ratio <= NEGLIGIBLE * above * (1.0 - max(ratio, alpha * mu / (1.0 + alpha * mu))):
            break
    top = p
    first, p, below = mode, 1.0, 0.0
    while first > 0.0:
        p = _previous(p, first, mu, alpha)
        first -= 1.0
        below += p
        if p * first <= NEGLIGIBLE * below:
            break
    total = 1.0 + above + below
    p /= total
    score, share, k = 0.0, p, first
    while k < min(y, last):
        score += share * share * (math.log1p(1.0 / (k + 1.0)) if log else 1.0)
        p = _next(p, k, mu, alpha)
        share += p
        k += 1.0
    if y > last:
        score += math.log1p((y - last) / (last + 1.0)) if log else y - last
    p, share, k = top / total, 0.0, last
    while k > max(y, first):
        share += p
        p = _previous(p, k, mu, alpha)
        k -= 1.0
        score += share * share * (math.log1p(1.0 / (k + 1.0)) if log else 1.0)
    if y < first:
        score += math.log1p((first - y) / (y + 1.0)) if log else first - y
    return score


@compiled()
def _crps_of_distributions(mu: FloatArray, alpha: FloatArray, y: FloatArray, log: bool) -> FloatArray:
    """CRPS (n,) of n distributions."""
    scores = np.full(len(y), np.nan)
    for i in range(len(y)):
        if not (math.isnan(mu[i]) or math.isnan(alpha[i]) or math.isnan(y[i])):
            scores[i] = _crps_of_distribution(mu[i], alpha[i], y[i], log)
    return scores
