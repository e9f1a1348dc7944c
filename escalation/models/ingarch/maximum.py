"""The maximum of the INGARCH likelihood over all its starts, and the covariance of the estimates there."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from escalation.conventions.arrays import FloatArray
from escalation.models.contract.newton import highest, scaled_inverse
from escalation.models.ingarch.likelihood import (
    LARGEST_DISPERSION,
    climb_compiled,
    derivatives,
    log_likelihood,
    recursion,
    state_slopes,
)
from escalation.models.ingarch.observed import Observed

MOST_SERIAL = 1.0 - 1e-6
"""Largest sum of the serial coefficients."""
LEAST_RATE = 1e-9
"""Least intercept with the identity link, as a share of the mean rate."""


class Search(NamedTuple):
    """Where to look for the maximum: bounds, sizes of the parameters (all (d,)), and starts (m, d)."""

    lower: FloatArray
    upper: FloatArray
    scale: FloatArray
    starts: FloatArray


class Found(NamedTuple):
    """A maximum: where (d,), its log-likelihood, and whether it converged."""

    point: FloatArray
    value: float
    converged: bool


def search_space(data: Observed, *, free: bool) -> Search:
    """Bounds, sizes and starts for a series; ``free`` is whether the dispersion is estimated."""
    p, q, k = len(data.past_obs), len(data.past_mean), data.x.shape[1]
    d, serial = 2 + p + q + k, slice(1, 1 + p + q)
    seen = ~np.isnan(data.y)
    rate = float((data.y[seen].sum() + 0.5) / data.exposure[seen].sum())
    lower, upper, scale = np.zeros(d), np.full(d, math.inf), np.ones(d)
    upper[serial] = MOST_SERIAL
    upper[-1] = LARGEST_DISPERSION if free else 0.0
    effects = slice(1 + p + q, d - 1)
    reach = np.abs(data.x).max(axis=0, initial=1e-300)
    scale[effects] = 1 / reach if data.log else rate / reach
    if data.log:
        lower[0], upper[0] = -40.0, 40.0
        lower[serial] = -MOST_SERIAL
        lower[effects], upper[effects] = -40.0 / reach, 40.0 / reach
    else:
        lower[0], scale[0] = LEAST_RATE * rate, rate
    spread = np.nanvar(data.y / data.exposure) - rate
    starts = np.zeros((3, d))
    for start, (beta, alpha) in zip(starts, ((0.3, 0.2), (0.15, 0.7), (0.65, 0.1)), strict=True):
        start[1 : 1 + p] = beta / p
        start[1 + p : 1 + p + q] = alpha / max(q, 1)
        rest = 1 - start[serial].sum()
        start[0] = rest * (math.log(rate) if data.log else rate)
        start[-1] = np.clip(0.5 * spread / rate**2, 0.02, 5.0) if free else 0.0
    return Search(lower, upper, scale, starts)


def maximise(data: Observed, search: Search) -> Found:
    """The highest of the maxima that the starts lead to."""
    best = highest([climb_compiled(start, data, search.lower, search.upper, MOST_SERIAL) for start in search.starts])
    return Found(best.point, best.height.value, best.converged)


def _mean_slopes(point: FloatArray, data: Observed) -> tuple[FloatArray, FloatArray]:
    """Slopes of the means by the coefficients (scored, d - 1), and the means (scored,)."""
    state, carried, past = recursion(point, data)
    slopes, _ = state_slopes(point, data, state, carried, past)
    scored = ~np.isnan(data.y)
    scored[: data.skip] = False
    mean = data.exposure * (np.exp(state) if data.log else state)
    lift = mean if data.log else data.exposure
    return (slopes * lift[:, None])[scored], mean[scored]


def on_bounds(point: FloatArray, data: Observed, search: Search) -> NDArray[np.bool_]:
    """Which parameters (d,) are on a bound, that of the sum of the serial coefficients included."""
    serial = slice(1, 1 + len(data.past_obs) + len(data.past_mean))
    at_bound = (point <= search.lower) | (point >= search.upper)
    at_bound[serial] |= abs(point[serial].sum()) >= MOST_SERIAL * (1 - 1e-12)
    return at_bound


def covariance(point: FloatArray, data: Observed, search: Search) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Covariance (d, d) at the maximum, and which parameters (d,) are on a bound; a held dispersion has variance 0."""
    at_bound = on_bounds(point, data, search)
    _, _, hessian, expected = derivatives(point, data)
    information = -hessian
    if at_bound[-1]:
        information[-1, :] = information[:, -1] = 0.0
        information[-1, -1] = expected[-1, -1]
    if at_bound[:-1].any():
        information[:-1, :-1] = expected[:-1, :-1]
        information[:-1, -1] = information[-1, :-1] = 0.0
    cov = scaled_inverse(information, np.append(search.scale[:-1], max(point[-1], 1.0)))
    if search.upper[-1] == 0.0:
        cov[-1, :] = cov[:, -1] = 0.0
    return cov, at_bound


def two_steps(found: Found, data: Observed, search: Search) -> tuple[Found, FloatArray]:
    """The dispersion by Pearson's statistic at a Poisson maximum, and the sandwich covariance (d, d)."""
    slopes, mean = _mean_slopes(found.point, data)
    y = data.y[data.skip :]
    square = (y[~np.isnan(y)] - mean) ** 2
    df = len(mean) - slopes.shape[1]

    def surplus(a: float) -> float:
        return float((square / (mean * (1 + a * mean))).sum() - df)

    a = 0.0 if surplus(0.0) <= 0 else LARGEST_DISPERSION
    if a > 0 and surplus(a) < 0:
        a = float(brentq(surplus, 0.0, a, xtol=1e-14))
    point = np.append(found.point[:-1], a)
    cov = np.zeros((len(point), len(point)))
    bread = scaled_inverse((slopes.T / mean) @ slopes, search.scale[:-1])
    half = bread @ (slopes.T * np.sqrt(1 / mean + a))
    cov[:-1, :-1] = half @ half.T
    cov[-1, -1] = 2 / ((mean / (1 + a * mean)) ** 2).sum()
    return Found(point, log_likelihood(point, data), found.converged), cov
