"""Paths that carry a series on, and the counts drawn for them: compiled, so they stand in one file."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.random import Generator
from scipy.special import gammaln

from escalation.models.contract.base import IntArray
from escalation.models.contract.design import FloatArray
from escalation.models.ingarch.observed import Observed

LARGEST_MEAN = 1e15
HIGHEST_LEVEL = math.log(LARGEST_MEAN)
RECIPROCALS = 1.0 / np.arange(1.0, 257.0)
"""A division in the innermost loop would double its time."""
LOGS = np.log1p(np.arange(1024.0))
LOG_FACTORIALS = gammaln(np.arange(1.0, 1025.0))
ROOT = 1.0 / math.sqrt(2.0 * math.pi)
MOST_SKEWNESS = 0.95


@njit(cache=True, nogil=True)
def _count(mean: float, a: float, rng: Generator) -> int:
    """Draw an NB2 count, or a Poisson one where a is 0; small means by inversion."""
    mean = min(mean, LARGEST_MEAN)
    if a > 0.0 and mean >= 12.0:
        mean, a = min(rng.standard_gamma(1.0 / a) * a * mean, LARGEST_MEAN), 0.0
    if a == 0.0 and mean >= 10.0:
        return _poisson(mean, rng)
    u, count = rng.random(), 0
    chance = math.exp(-mean) if a == 0.0 else math.exp(-math.log1p(a * mean) / a)
    ratio = mean if a == 0.0 else mean / (1.0 + a * mean)
    while u >= chance and chance > 0.0:
        u -= chance
        share = RECIPROCALS[count] if count < len(RECIPROCALS) else 1.0 / (count + 1.0)
        chance *= ratio * (1.0 + a * count) * share
        count += 1
    return count


@njit(cache=True, nogil=True)
def _poisson(mean: float, rng: Generator) -> int:
    """Poisson count of mean 10 and more: algorithm PD of Ahrens and Dieter (1982, doi:10.1145/355993.355997).

    A rounded normal is corrected; nine draws in ten need no logarithm.
    """
    sd = math.sqrt(mean)
    g = mean + sd * rng.standard_normal()
    u = 0.0
    if g >= 0.0:
        count = math.floor(g)
        if count >= math.floor(mean - 1.1484):
            return int(count)
        u = rng.random()
        if 6.0 * mean * mean * u >= (mean - count) ** 3:
            return int(count)
    b1 = 1.0 / (24.0 * mean)
    b2 = 0.3 * b1 * b1
    c3 = b1 * b2 / 7.0
    c2 = b2 - 15.0 * c3
    c1 = b1 - 6.0 * b2 + 45.0 * c3
    c0 = 1.0 - b1 + 3.0 * b2 - 15.0 * c3
    log_mean, first = math.log(mean), g >= 0.0
    e = 0.0
    while True:
        if not first:
            e = rng.standard_exponential()
            u = 2.0 * rng.random() - 1.0
            t = 1.8 + math.copysign(e, u)
            if t <= -0.6744:
                continue
            count = math.floor(mean + sd * t)
        factorial = LOG_FACTORIALS[int(count)] if count < len(LOG_FACTORIALS) else math.lgamma(count + 1.0)
        log_chance = count * log_mean - mean - factorial
        x = ((0.5 - mean + count) / sd) ** 2
        fx = -0.5 * x
        fy = (((c3 * x + c2) * x + c1) * x + c0) * ROOT / sd
        if first:
            if fy * (1.0 - u) <= math.exp(log_chance - fx):
                return int(count)
            first = False
        elif 0.1069 / mean * abs(u) <= math.exp(log_chance + e) - fy * math.exp(fx + e):
            return int(count)


@njit(cache=True, nogil=True)
def _skew_normal(mean: float, variance: float, third: float, rng: Generator) -> float:
    """Draw a skew normal with this mean, variance and third central moment (the skewness held within 0.95)."""
    skewness = max(-MOST_SKEWNESS, min(MOST_SKEWNESS, third / variance**1.5))
    root = (2.0 * abs(skewness) / (4.0 - math.pi)) ** (1.0 / 3.0)
    delta = math.copysign(root / math.sqrt(1.0 + root * root) * math.sqrt(math.pi / 2.0), skewness)
    z = delta * abs(rng.standard_normal()) + math.sqrt(1.0 - delta * delta) * rng.standard_normal()
    shift = delta * math.sqrt(2.0 / math.pi)
    return mean + math.sqrt(variance / (1.0 - shift * shift)) * (z - shift)


@njit(cache=True, nogil=True)
def level_paths(
    natural: FloatArray, laws: FloatArray, rows: IntArray, log_exposure: FloatArray, bend: float, rng: Generator
) -> IntArray:
    """Carry a level that is drawn back to its mean on, one path for each of ``rows``.

    Parameters
    ----------
    natural : (m, 4) float
        Level, damping, level_sd and dispersion.
    laws : (m, 3) float
        Mean, variance and third central moment of the last level, which is drawn as skew normal.
    rows : (draws,) int
        Which point each path has.
    log_exposure : (steps,) float
        Of what follows.
    bend : float
        Log of the rate at which the softplus link bends; infinite for the log link.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (draws, steps) int64 array
    """
    steps = len(log_exposure)
    paths = np.empty((len(rows), steps), dtype=np.int64)
    for path in range(len(rows)):
        row = rows[path]
        level, damping, level_sd, dispersion = natural[row, 0], natural[row, 1], natural[row, 2], natural[row, 3]
        x = _skew_normal(laws[row, 0], laws[row, 1], laws[row, 2], rng)
        for t in range(steps):
            x = level + damping * (x - level) + level_sd * rng.standard_normal()
            log_rate = x
            if x > bend - 30.0:
                above = x - bend
                log_rate = bend + math.log(max(above, 0.0) + math.log1p(math.exp(-abs(above))))
            paths[path, t] = _count(math.exp(min(log_rate + log_exposure[t], HIGHEST_LEVEL)), dispersion, rng)
    return paths


@njit(cache=True, nogil=True)
def trend_paths(
    natural: FloatArray, laws: FloatArray, rows: IntArray, log_exposure: FloatArray, rng: Generator
) -> IntArray:
    """Carry a level with a drifting slope on, one path for each of ``rows``.

    Parameters
    ----------
    natural : (m, 4) float
        slope_sd, damping of the slope, level_sd and dispersion.
    laws : (m, 6) float
        Of the last period: mean level, mean slope, variance of the level, their covariance, variance of the slope, and
        third central moment of the level, which is drawn as skew normal; the slope is normal given the level.
    rows : (draws,) int
        Which point each path has.
    log_exposure : (steps,) float
        Of what follows.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (draws, steps) int64 array
    """
    steps = len(log_exposure)
    paths = np.empty((len(rows), steps), dtype=np.int64)
    for path in range(len(rows)):
        row = rows[path]
        slope_sd, damping, level_sd, dispersion = natural[row, 0], natural[row, 1], natural[row, 2], natural[row, 3]
        x = _skew_normal(laws[row, 0], laws[row, 2], laws[row, 5], rng)
        share = laws[row, 3] / laws[row, 2]
        left = max(laws[row, 4] - share * laws[row, 3], 0.0)
        slope = laws[row, 1] + share * (x - laws[row, 0]) + math.sqrt(left) * rng.standard_normal()
        for t in range(steps):
            x += slope + level_sd * rng.standard_normal()
            slope = damping * slope + slope_sd * rng.standard_normal()
            paths[path, t] = _count(math.exp(min(x + log_exposure[t], HIGHEST_LEVEL)), dispersion, rng)
    return paths


@njit(cache=True, nogil=True)
def ingarch_paths(
    points: FloatArray,
    carries: FloatArray,
    pasts: FloatArray,
    rows: IntArray,
    data: Observed,
    x: FloatArray,
    exposure: FloatArray,
    rng: Generator,
) -> IntArray:
    """Carry the series on, one path for each of ``rows``.

    Parameters
    ----------
    points, carries, pasts, rows
        As in :class:`~escalation.models.ingarch.posterior.Drawn`.
    data : Observed
        For its lags and link.
    x, exposure : (steps, k) and (steps,) float
        Regressors and exposures of what follows.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (draws, steps) int64 array
    """
    p, q, k = len(data.past_obs), len(data.past_mean), x.shape[1]
    steps, lead = len(x), carries.shape[1]
    paths = np.empty((len(rows), steps), dtype=np.int64)
    carried, past = np.empty(lead + steps), np.empty(lead + steps)
    for row in range(len(rows)):
        point = points[rows[row]]
        carried[:lead], past[:lead] = carries[rows[row]], pasts[rows[row]]
        for t in range(steps):
            value = point[0]
            for i in range(p):
                value += point[1 + i] * past[lead + t - data.past_obs[i]]
            for j in range(q):
                value += point[1 + p + j] * carried[lead + t - data.past_mean[j]]
            state = value
            for c in range(k):
                effect = point[1 + p + q + c] * x[t, c]
                value += data.carried[c] * effect
                state += effect
            carried[lead + t] = value
            rate = math.exp(min(state, 34.5)) if data.log else max(state, 0.0)
            count = _count(exposure[t] * rate, point[-1], rng)
            paths[row, t] = count
            if not data.log:
                past[lead + t] = count / exposure[t]
            elif exposure[t] == 1.0 and count < len(LOGS):
                past[lead + t] = LOGS[count]
            else:
                past[lead + t] = math.log1p(count / exposure[t])
    return paths
