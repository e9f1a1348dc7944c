"""Parameters of INGARCH drawn from their posterior, and paths that carry a series on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.random import Generator

from escalation.models.base import IntArray
from escalation.models.design import FloatArray
from escalation.models.ingarch_likelihood import LARGEST_DISPERSION, log_likelihoods
from escalation.models.ingarch_observed import Observed

LARGEST_MEAN = 1e15
LEVEL_SD, EFFECT_SD = 2.0, 5.0
"""Of the normal priors of the log level and of effects (on the log rate, or in units of the mean rate)."""
TAIL_DF = 8.0
"""Degrees of freedom of the t law that proposes parameters."""
FIRST_POINTS, LEAST_POINTS = 150, 300
RECIPROCALS = 1.0 / np.arange(1.0, 257.0)
"""A division in the innermost loop would double its time."""


def _shape(u: FloatArray, data: Observed) -> FloatArray:
    """Points (m, d) from (log level, serial coefficients, effects, log dispersion), each a row of ``u`` (m, d)."""
    points = u.copy()
    rest = 1 - u[:, 1 : 1 + len(data.past_obs) + len(data.past_mean)].sum(axis=1)
    points[:, 0] = rest * (u[:, 0] if data.log else np.exp(np.minimum(u[:, 0], 34.0)))
    points[:, -1] = np.exp(u[:, -1])
    return points


def _log_posterior(u: FloatArray, points: FloatArray, data: Observed, scale: FloatArray, free: bool) -> FloatArray:
    """Likelihood times priors (m,) at rows of ``u`` (m, d) and their points (m, d), up to a constant."""
    serial = slice(1, 1 + len(data.past_obs) + len(data.past_mean))
    effects = slice(serial.stop, -1)
    seen = ~np.isnan(data.y)
    anchor = math.log((data.y[seen].sum() + 0.5) / data.exposure[seen].sum())
    allowed = (np.abs(u[:, serial].sum(axis=1)) < 1) & (np.abs(u[:, serial]) < 1).all(axis=1)
    if not data.log:
        allowed &= (u[:, 1:-1] >= 0).all(axis=1)
    if free:
        allowed &= points[:, -1] < LARGEST_DISPERSION
    value: FloatArray = np.full(len(u), -np.inf)
    inside = np.flatnonzero(allowed)
    value[inside] = log_likelihoods(points[inside], data)
    value -= ((u[:, 0] - anchor) / LEVEL_SD) ** 2 / 2 + ((u[:, effects] / scale[effects] / EFFECT_SD) ** 2).sum(
        axis=1
    ) / 2
    if free:
        value += u[:, -1] / 2 - np.exp(u[:, -1] / 2)
    return value


def _proposal(state: dict[str, Any], free: bool) -> tuple[FloatArray, FloatArray]:
    """Centre (d,) and covariance (d, d) of a first normal law of ``u`` around the maximum."""
    data: Observed = state["data"]
    point, scale = state["point"], state["scale"]
    serial = slice(1, 1 + len(data.past_obs) + len(data.past_mean))
    seen = ~np.isnan(data.y)
    rate = (data.y[seen].sum() + 0.5) / data.exposure[seen].sum()
    rest = max(1 - point[serial].sum(), 1e-3)
    level = point[0] / rest if data.log else max(point[0] / rest, rate / 20)
    centre, slopes = point.copy(), np.eye(len(point))
    centre[0] = level if data.log else math.log(level)
    # of u by the point
    slopes[0, 0] = 1 / rest if data.log else 1 / (rest * level)
    slopes[0, serial] = level / rest if data.log else 1 / rest
    prior = np.concatenate([[LEVEL_SD], np.full(serial.stop - 1, 0.5), EFFECT_SD * scale[serial.stop : -1], [1.5]])
    if free:
        a = max(point[-1], math.sqrt(state["cov"][-1, -1]) / 3)
        centre[-1], slopes[-1, -1] = math.log(a), 1 / a
    else:
        centre[-1] = math.log(point[-1]) if point[-1] > 0 else -math.inf
    cov = slopes @ state["cov"] @ slopes.T
    d = len(point) if free else len(point) - 1
    shrunk = np.linalg.inv(np.linalg.pinv(cov[:d, :d], hermitian=True) + np.diag(prior[:d] ** -2.0))
    return centre, (shrunk + shrunk.T) / 2


def resample(state: dict[str, Any], draws: int, rng: Generator, *, free: bool) -> tuple[FloatArray, IntArray]:
    """Draw m points (m, d) and which of them each path (draws,) has, by adaptive importance resampling."""
    data: Observed = state["data"]
    centre, cov = _proposal(state, free)
    d = len(cov)
    for size in (FIRST_POINTS, FIRST_POINTS, max(LEAST_POINTS, draws // 4)):
        z = rng.standard_normal((size, d)) / np.sqrt(rng.chisquare(TAIL_DF, (size, 1)) / TAIL_DF)
        z[0] = 0.0  # the centre is always where the series is stationary
        u = np.tile(centre, (size, 1))
        variances, axes = np.linalg.eigh(cov)
        u[:, :d] += z @ (axes * np.sqrt(np.maximum(variances, 1e-12 * variances[-1]))).T
        points = _shape(u, data)
        value = _log_posterior(u, points, data, state["scale"], free)
        value += (TAIL_DF + d) / 2 * np.log1p((z * z).sum(axis=1) / TAIL_DF)
        weight = np.exp(value - value.max())
        weight /= weight.sum()
        if size != FIRST_POINTS:
            break
        for _ in range(6):
            if 1 / (weight**2).sum() > 4 * d:
                break
            weight = np.sqrt(weight)
            weight /= weight.sum()
        centre[:d] = weight @ u[:, :d]
        away = u[:, :d] - centre[:d]
        cov = 1.2 * (away.T * weight) @ away + 0.02 * cov
    ladder = (rng.random() + np.arange(draws)) / draws
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), ladder), size - 1)
    distinct, rows = np.unique(rng.permutation(chosen), return_inverse=True)
    return points[distinct], rows


@njit(cache=True, nogil=True)
def _draw(mean: float, a: float, rng: Generator) -> int:
    """Draw an NB2 count, or a Poisson one where a is 0; small means by inversion."""
    mean = min(mean, LARGEST_MEAN)
    if mean >= 40.0:
        if a > 0.0:
            mean = min(rng.standard_gamma(1.0 / a) * a * mean, LARGEST_MEAN)
        return rng.poisson(mean)
    u = rng.random()
    chance = math.exp(-mean) if a == 0.0 else math.exp(-math.log1p(a * mean) / a)
    ratio = mean / (1.0 + a * mean)
    count = 0
    while u >= chance and chance > 0.0:
        u -= chance
        share = RECIPROCALS[count] if count < len(RECIPROCALS) else 1.0 / (count + 1.0)
        chance *= ratio * (1.0 + a * count) * share
        count += 1
    return count


@njit(cache=True, nogil=True)
def draw_paths(
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
    points : (m, d) float
        Parameters.
    carries, pasts : (m, lead) float
        What :func:`~escalation.models.ingarch_likelihood.last_values` gives for them.
    rows : (draws,) int
        Which point each path has.
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
            count = _draw(exposure[t] * rate, point[-1], rng)
            paths[row, t] = count
            past[lead + t] = math.log1p(count / exposure[t]) if data.log else count / exposure[t]
    return paths
