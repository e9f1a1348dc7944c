"""Residuals of counts from their distributions: Pearson, quantile, probability integral transform, autocorrelation."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaincc, ndtri

from escalation.conventions.arrays import FloatArray
from escalation.models.diagnostics.distributions import Distributions

MOST_RESIDUAL = 6.0
"""Quantile residuals are cut here: counts that a model held for impossible would be infinite."""


def pit_interval(distributions: Distributions, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Probabilities (n,) of less than each count, and of the count or less."""
    upto = np.minimum(distributions.cdf(y), 1.0)  # sums of weights may end a rounding error above 1
    return np.minimum(distributions.cdf(y - 1), upto), upto


def quantile_residuals(below: FloatArray, upto: FloatArray, where: FloatArray | float) -> FloatArray:
    """Normal scores (n,) of a point in each PIT interval (Dunn & Smyth 1996, doi:10.1080/10618600.1996.10474708).

    ``where`` in 0 to 1 is the point: uniform draws (n,) make the residuals standard normal where counts follow their
    distributions, 0.5 is the middle, the same in each run.
    """
    scores: FloatArray = np.clip(ndtri(below + where * (upto - below)), -MOST_RESIDUAL, MOST_RESIDUAL)
    return scores


def autocorrelation(series: FloatArray, lags: int) -> tuple[FloatArray, FloatArray]:
    """Autocorrelations (lags,) of a series with gaps (NaN), and how many pairs (lags,) each rests on.

    Sums of products over the pairs that are there, over the sum of squares of all; without gaps the usual one.
    """
    seen = ~np.isnan(series)
    away = np.where(seen, series - series[seen].mean(), 0.0)
    total = float(away @ away)
    pairs = np.array([float((seen[k:] & seen[:-k]).sum()) for k in range(1, lags + 1)])
    products = np.array([float(away[k:] @ away[:-k]) for k in range(1, lags + 1)])
    varies = total > 1e-20 * float(np.square(series[seen]).sum())
    return products / total if varies else np.zeros(lags), pairs


def ljung_box(series: FloatArray, lags: int) -> tuple[float, float]:
    """Ljung & Box's statistic over the first lags and its p-value (1978, doi:10.1093/biomet/65.2.297).

    The degrees of freedom are the number of lags.  Nothing is taken off for fitted coefficients, because how many of
    them follow the past is the model's own affair; for a model with lags the p-value is a little too large.
    """
    r, pairs = autocorrelation(series, lags)
    n = float((~np.isnan(series)).sum())
    statistic = n * (n + 2) * float((r**2 / np.maximum(pairs, 1.0)).sum())
    return statistic, float(gammaincc(lags / 2, statistic / 2))
