"""Score statistics of regressors that an INGARCH fit does not have: dated changes at every time; compiled.

The effect of such a regressor is 0 under the fit, so its score needs the slope of each state by that effect only.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray
from escalation.conventions.compilation import compiled
from escalation.models.ingarch.likelihood import recursion, state_slopes
from escalation.models.ingarch.observed import Observed

LEAST_LEFT = 1e-9
"""Share of a regressor's information that must be left beside the other parameters, or it is one of them."""


class Sensitivity(NamedTuple):
    """What the scores of a fit are made of, over the n periods; 0 where a count has no part in the likelihood.

    A parameter by which the states have the slopes g has the score ``sum(score * g)``, two of them have the sensitivity
    ``sum(bread * g * h)`` and the covariance of scores ``sum(meat * g * h)``.
    """

    state: FloatArray  # (n,)
    slopes: FloatArray  # (n, k), by the coefficients that are free
    score: FloatArray  # (n,)
    bread: FloatArray  # (n,)
    meat: FloatArray  # (n,)


def sensitivity(point: FloatArray, data: Observed, free: NDArray[np.bool_], *, quasi: bool) -> Sensitivity:
    """Scores at a maximum; ``free`` (d - 1,) are the coefficients off their bounds.

    With ``quasi`` they are those of a Poisson likelihood while the counts have the dispersion of ``point``; else of the
    likelihood itself, and then ``bread`` is ``meat``.
    """
    state, carried, past = recursion(point, data)
    slopes, _ = state_slopes(point, data, state, carried, past)
    mean = data.exposure * (np.exp(state) if data.log else state)
    lift = mean if data.log else data.exposure
    scored = ~np.isnan(data.y)
    scored[: data.skip] = False
    variance = mean * (1 + point[-1] * mean)
    weight = scored / (mean if quasi else variance)
    score = weight * lift * np.where(scored, data.y - mean, 0.0)
    bread = weight * lift**2
    return Sensitivity(state, np.ascontiguousarray(slopes[:, free]), score, bread, bread * weight * variance)


def joint_statistic(
    columns: FloatArray, point: FloatArray, data: Observed, at: Sensitivity, *, internal: bool
) -> float:
    """Score statistic of all the regressors (m, n) at once, chi-square with m degrees of freedom; NaN if one is spare.

    That of Boos (1992, doi:10.1080/00031305.1992.10475921), which R's tscount uses with Poisson scores.
    """
    more = np.array([effect_slopes(column, point, data, at.state, internal) for column in columns]).T
    everything = np.hstack([at.slopes, more])
    k = at.slopes.shape[1]
    bread, meat = (everything.T * at.bread) @ everything, (everything.T * at.meat) @ everything
    project = np.hstack([-np.linalg.solve(bread[:k, :k], bread[:k, k:]).T, np.eye(more.shape[1])])
    covariance = project @ meat @ project.T
    score = at.score @ more
    scale = np.sqrt(np.diag(meat)[k:])
    if not (scale > 0).all() or np.linalg.eigvalsh(covariance / np.outer(scale, scale))[0] < LEAST_LEFT:
        return math.nan
    return float(score @ np.linalg.solve(covariance, score))


@compiled()
def effect_slopes(
    column: FloatArray, point: FloatArray, data: Observed, state: FloatArray, internal: bool
) -> FloatArray:
    """Slopes (n,) of the states by the effect of a regressor (n,), at effect 0; ``internal`` ones are carried on."""
    n, p, q = len(column), len(data.past_obs), len(data.past_mean)
    slopes, inside, past = np.zeros(n), np.zeros(n), np.zeros(n)
    first = 0
    while first < n and column[first] == 0.0:
        first += 1
    for t in range(first, n):
        value = 0.0
        for j in range(q):
            at = t - data.past_mean[j]
            if at >= first:
                value += point[1 + p + j] * inside[at]
        for i in range(p):
            at = t - data.past_obs[i]
            if at >= first:
                value += point[1 + i] * past[at]
        inside[t] = value + (column[t] if internal else 0.0)
        slopes[t] = value + column[t]
        if np.isnan(data.y[t]):  # its expected value stands in for it
            past[t] = slopes[t] / (1.0 + math.exp(-state[t])) if data.log else slopes[t]
    return slopes


@compiled()
def signed_roots(
    columns: FloatArray, point: FloatArray, data: Observed, at: Sensitivity, inverse: FloatArray, internal: bool
) -> FloatArray:
    """Signed roots (m,) of the score statistic of each regressor (m, n) by itself; 0 where it is spare.

    ``inverse`` is that of the bread of the coefficients (k, k).
    """
    n, k = at.slopes.shape
    roots = np.zeros(len(columns))
    middle = np.zeros((k, k))
    for t in range(n):
        for r in range(k):
            for c in range(k):
                middle[r, c] += at.meat[t] * at.slopes[t, r] * at.slopes[t, c]
    bread, meat, share = np.empty(k), np.empty(k), np.empty(k)
    for m in range(len(columns)):
        slopes = effect_slopes(columns[m], point, data, at.state, internal)
        score, own = 0.0, 0.0
        bread[:], meat[:] = 0.0, 0.0
        for t in range(n):
            slope = slopes[t]
            if slope == 0.0:
                continue
            score += at.score[t] * slope
            own += at.meat[t] * slope * slope
            for r in range(k):
                bread[r] += at.bread[t] * slope * at.slopes[t, r]
                meat[r] += at.meat[t] * slope * at.slopes[t, r]
        left = own
        for r in range(k):
            share[r] = 0.0
            for c in range(k):
                share[r] += inverse[r, c] * bread[c]
        for r in range(k):
            left -= 2.0 * share[r] * meat[r]
            for c in range(k):
                left += share[r] * middle[r, c] * share[c]
        if left > LEAST_LEFT * own:
            roots[m] = score / math.sqrt(left)
    return roots
