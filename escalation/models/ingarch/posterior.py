"""Parameters of INGARCH drawn from their posterior."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled
from escalation.conventions.randomness import draw_systematically
from escalation.models.contract.shrinkage import NormalPrior
from escalation.models.ingarch.likelihood import LARGEST_DISPERSION
from escalation.models.ingarch.observed import FIRSTOBS, IID, MARGINAL, Observed

LEVEL_SD, EFFECT_SD = 2.0, 5.0
"""Standard deviations of the normal priors of the log level and of effects (on the log rate, or per mean rate)."""
TAIL_DF = 8.0
"""Degrees of freedom of the t distribution that proposes parameters."""
FIRST_POINTS, LEAST_POINTS = 150, 300
GOOD = 0.4
"""Share of first points that must be effective, or they are drawn anew around what the first ones show."""
CELLS = 60_000
"""Periods x points whose likelihood is worked out at a time."""


def _shape(u: FloatArray, data: Observed) -> FloatArray:
    """Points (m, d) from (log level, serial coefficients, effects, log dispersion), each a row of ``u`` (m, d)."""
    points = u.copy()
    rest = 1 - u[:, 1 : 1 + len(data.past_obs) + len(data.past_mean)].sum(axis=1)
    points[:, 0] = rest * (u[:, 0] if data.log else np.exp(np.minimum(u[:, 0], 34.0)))
    points[:, -1] = np.exp(u[:, -1])
    return points


def shared_of(u: FloatArray, scale: FloatArray, *, free: bool) -> FloatArray:
    """Parameters (m, k) that mean the same for all series: all but the level, effects in units of their scale."""
    value: FloatArray = (u / scale)[:, 1 : None if free else -1]
    return value


def _log_posterior(
    u: FloatArray, points: FloatArray, data: Observed, scale: FloatArray, free: bool, panel: NormalPrior | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Likelihood times priors (m,) at rows of ``u`` (m, d) and their points (m, d), up to a constant.

    The prior of a panel is in the place of those of effects and dispersion, and of the even one of serial coefficients.

    Also the last carried parts and regressors on past counts (m, lead), as many as the longest lag.
    """
    serial = slice(1, 1 + len(data.past_obs) + len(data.past_mean))
    effects = slice(serial.stop, -1)
    anchor = math.log(_mean_rate(data))
    allowed = (np.abs(u[:, serial].sum(axis=1)) < 1) & (np.abs(u[:, serial]) < 1).all(axis=1)
    if not data.log:
        allowed &= (u[:, 1:-1] >= 0).all(axis=1)
    if free:
        allowed &= points[:, -1] < LARGEST_DISPERSION
    value, carries, pasts = log_likelihoods(points, data)
    value[~allowed] = -np.inf
    value -= ((u[:, 0] - anchor) / LEVEL_SD) ** 2 / 2
    if panel is not None:
        return value + panel.log_density(shared_of(u, scale, free=free)), carries, pasts
    value -= ((u[:, effects] / scale[effects] / EFFECT_SD) ** 2).sum(axis=1) / 2
    if free:
        value += u[:, -1] / 2 - np.exp(u[:, -1] / 2)
    return value, carries, pasts


def _mean_rate(data: Observed) -> float:
    """Counts by exposure, half a count added."""
    seen = ~np.isnan(data.y)
    return float((data.y[seen].sum() + 0.5) / data.exposure[seen].sum())


def log_likelihoods(points: FloatArray, data: Observed) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log-likelihood at each of m points (m, d), and where their recursions end, as in :class:`Drawn`."""
    rows = max(8, CELLS // len(data.y))
    parts = [_log_likelihoods(points[i : i + rows], data) for i in range(0, len(points), rows)]
    value, carries, pasts = (np.concatenate(part) for part in zip(*parts, strict=True))
    return value, carries, pasts


def _log_likelihoods(points: FloatArray, data: Observed) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The same by whole arrays: their logarithms take a quarter of the time that those of a loop take."""
    states, carries, pasts = recursions(np.ascontiguousarray(points.T), data)
    scored = ~np.isnan(data.y)
    scored[: data.skip] = False
    y, exposure = data.y[scored], data.exposure[scored, None]
    states = states if scored.all() else states[scored]
    a = points[:, -1]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if data.log:
            mean, log_mean = exposure * np.exp(states), states + np.log(exposure)
        else:
            mean = exposure * states
            log_mean = np.log(mean)
        value: FloatArray = data.constant + y @ log_mean
        if a.any():
            spread = np.log1p(a * mean)
            value += data.weights @ np.log1p(np.multiply.outer(data.nodes, a)) - y @ spread - spread.sum(axis=0) / a
        else:
            value -= mean.sum(axis=0)
    value[~np.isfinite(value)] = -np.inf
    return value, carries, pasts


@compiled()
def recursions(points: FloatArray, data: Observed) -> tuple[FloatArray, FloatArray, FloatArray]:
    """States (n, m) at points (d, m) side by side, and the last carried parts and regressors on past counts (m, lead).

    What :func:`~escalation.models.ingarch.likelihood.recursion` gives for one point.
    """
    n, k = data.x.shape
    p, q, m = len(data.past_obs), len(data.past_mean), points.shape[1]
    lead = 0
    for lag in data.past_obs:
        lead = max(lead, lag)
    for lag in data.past_mean:
        lead = max(lead, lag)
    states, carried = np.empty((n, m)), np.empty((lead + n, m))
    past = np.empty((lead + n, m))  # filled where it is not the same at all points
    for i in range(m):
        start = 0.0
        if data.init == MARGINAL:
            start = points[0, i] / (1.0 - points[1 : 1 + p + q, i].sum())
        elif data.init == IID:
            start = points[0, i]
        elif data.init == FIRSTOBS:
            t = 0
            while np.isnan(data.past[t]):
                t += 1
            start = data.past[t]
        carried[:lead, i] = start
        past[:lead, i] = start
    for t in range(n):
        inside, state = carried[lead + t], states[t]
        inside[:] = points[0]
        for j in range(p):
            at, beta = lead + t - data.past_obs[j], points[1 + j]
            if at < lead or np.isnan(data.past[at - lead]):
                before = past[at]
                for i in range(m):
                    inside[i] += beta[i] * before[i]
            else:
                one = data.past[at - lead]
                for i in range(m):
                    inside[i] += beta[i] * one
        for j in range(q):
            alpha, before = points[1 + p + j], carried[lead + t - data.past_mean[j]]
            for i in range(m):
                inside[i] += alpha[i] * before[i]
        state[:] = inside
        for c in range(k):
            effect = points[1 + p + q + c]
            within, outside = data.carried[c] * data.x[t, c], (1.0 - data.carried[c]) * data.x[t, c]
            if within != 0.0:
                for i in range(m):
                    inside[i] += within * effect[i]
                    state[i] += within * effect[i]
            if outside != 0.0:
                for i in range(m):
                    state[i] += outside * effect[i]
        if np.isnan(data.past[t]):
            for i in range(m):
                past[lead + t, i] = state[i]
                if data.log:
                    past[lead + t, i] = max(state[i], 0.0) + math.log1p(math.exp(-abs(state[i])))
    carries, pasts = np.empty((m, lead)), np.empty((m, lead))
    for t in range(n, n + lead):
        known = t >= lead and not np.isnan(data.past[t - lead])
        for i in range(m):
            carries[i, t - n] = carried[t, i]
            pasts[i, t - n] = data.past[t - lead] if known else past[t, i]
    return states, carries, pasts


def _proposal(state: dict[str, Any], free: bool) -> tuple[FloatArray, FloatArray]:
    """Centre (d,) and covariance (d, d) of a first normal distribution of ``u`` around the maximum."""
    data: Observed = state["data"]
    point, scale = state["point"], state["scale"]
    serial = slice(1, 1 + len(data.past_obs) + len(data.past_mean))
    rate = _mean_rate(data)
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


class Drawn(NamedTuple):
    """Parameters drawn from their posterior: m points, and which of them each path has."""

    points: FloatArray  # (m, d)
    carries: FloatArray  # (m, lead), the last carried parts
    pasts: FloatArray  # (m, lead), the last regressors on past counts
    rows: IntArray  # (draws,)


def resample(state: dict[str, Any], data: Observed, draws: int, rng: Generator, *, free: bool) -> Drawn:
    """Draw parameters by adaptive importance resampling; ``data`` is the series up to its last count."""
    centre, cov = state["around"] if "around" in state else _proposal(state, free)
    d, first_rounds = len(cov), 2
    while True:
        size = FIRST_POINTS if first_rounds else max(LEAST_POINTS, draws // 4)
        z = rng.standard_normal((size, d)) / np.sqrt(rng.chisquare(TAIL_DF, (size, 1)) / TAIL_DF)
        z[0] = 0.0  # the centre is always where the series is stationary
        u = np.tile(centre, (size, 1))
        variances, axes = np.linalg.eigh(cov)
        u[:, :d] += z @ (axes * np.sqrt(np.maximum(variances, 1e-12 * variances[-1]))).T
        points = _shape(u, data)
        value, carries, pasts = _log_posterior(u, points, data, state["scale"], free, state["panel"])
        value += (TAIL_DF + d) / 2 * np.log1p((z * z).sum(axis=1) / TAIL_DF)
        weight = np.exp(value - value.max())
        weight /= weight.sum()
        if not first_rounds:
            break
        first_rounds = 0 if 1 / (weight**2).sum() > GOOD * size else first_rounds - 1
        for _ in range(6):
            if 1 / (weight**2).sum() > 4 * d:
                break
            weight = np.sqrt(weight)
            weight /= weight.sum()
        centre[:d] = weight @ u[:, :d]
        away = u[:, :d] - centre[:d]
        cov = 1.2 * (away.T * weight) @ away + 0.02 * cov
    distinct, rows = np.unique(rng.permutation(draw_systematically(weight, draws, rng)), return_inverse=True)
    return Drawn(points[distinct], carries[distinct], pasts[distinct], rows)
