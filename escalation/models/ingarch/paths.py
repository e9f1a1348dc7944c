"""Paths that carry a series on whose expected counts follow its past."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled
from escalation.conventions.compiled_draws import draw_count
from escalation.models.ingarch.observed import Observed

LOGS = np.log1p(np.arange(1024.0))


@compiled()
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
            count = draw_count(exposure[t] * rate, point[-1], rng)
            paths[row, t] = count
            if not data.log:
                past[lead + t] = count / exposure[t]
            elif exposure[t] == 1.0 and count < len(LOGS):
                past[lead + t] = LOGS[count]
            else:
                past[lead + t] = math.log1p(count / exposure[t])
    return paths
