"""Log probabilities of Poisson and negative binomial counts and their exact derivatives, for regressions."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from scipy.special import gammaln, psi, zeta

from escalation.conventions.arrays import FloatArray
from escalation.models.diagnostics.distributions import log_rising

Variance: TypeAlias = Literal["poisson", "nb2", "nb1"]
"""``mean``, ``mean + d * mean**2``, or ``(1 + d) * mean``."""

LARGEST_LOG_MEAN = 300.0
"""Beyond this, exponentials and their squares would overflow."""


class Slopes(NamedTuple):
    """Log probabilities of n counts and derivatives by log mean (e) and log d (t); those by t are 0 for Poisson."""

    value: FloatArray
    e: FloatArray
    ee: FloatArray
    t: FloatArray
    et: FloatArray
    tt: FloatArray


def bounded_exp(log_mean: FloatArray) -> FloatArray:
    """Exponential, cut where it would overflow."""
    return np.exp(np.minimum(log_mean, LARGEST_LOG_MEAN))


def logpmf(variance: Variance, y: FloatArray, log_mean: FloatArray, log_d: FloatArray) -> FloatArray:
    """Log probabilities of counts (n,) with k log means each (k, n) and k log dispersions (k, 1); shape (k, n)."""
    log_mean = np.minimum(log_mean, LARGEST_LOG_MEAN)
    mean = np.exp(log_mean)
    if variance == "poisson":
        return y * log_mean - mean - gammaln(y + 1)
    if variance == "nb1":
        d = np.exp(log_d)
        value: FloatArray = log_rising(y, mean / d) + y * log_mean - (y + mean / d) * np.log1p(d) - gammaln(y + 1)
        return value
    size = np.exp(-log_d)
    counts, place = np.unique(y, return_inverse=True)  # the gamma functions take most of the time
    rising = (log_rising(counts, size) - gammaln(counts + 1))[:, place]
    return rising + y * log_mean - (y + size) * np.log1p(mean / size)


def slopes(variance: Variance, y: FloatArray, log_mean: FloatArray, log_d: float) -> Slopes:
    """Log probabilities of counts (n,) and their derivatives.

    NB1 is written with ``size = mean / d`` and NB2 with ``size = 1 / d`` (Hilbe 2011, doi:10.1017/CBO9780511973420).
    """
    log_mean = np.minimum(log_mean, LARGEST_LOG_MEAN)
    mean = np.exp(log_mean)
    if variance == "poisson":
        none = np.zeros_like(mean)
        return Slopes(y * log_mean - mean - gammaln(y + 1), y - mean, -mean, none, none, none)
    d = np.exp(log_d)
    if variance == "nb2":
        size = 1 / d
        total = size + mean
        value = log_rising(y, size) + y * log_mean - (y + size) * np.log1p(d * mean) - gammaln(y + 1)
        excess = y - mean
        by_size = psi(y + size) - psi(size) - np.log1p(d * mean) - excess / total
        bend = zeta(2, y + size) - zeta(2, size) + mean * d / total + excess / total**2
        share = size / total
        return Slopes(
            value,
            excess * share,
            -mean * (1 + d * y) * share**2,
            -size * by_size,
            -excess * mean * share / total,
            size * (size * bend + by_size),
        )
    size, v, log_rest = mean / d, d / (1 + d), np.log1p(d)
    value = log_rising(y, size) + y * log_mean - (y + size) * log_rest - gammaln(y + 1)
    e = size * (psi(y + size) - psi(size) - log_rest)
    ee = e + size**2 * (zeta(2, y + size) - zeta(2, size))
    et = -ee - size * v
    return Slopes(value, e, ee, y * (1 - v) - size * v - e, et, ee + 2 * size * v - (y + size) * v * (1 - v))
