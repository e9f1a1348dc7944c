"""Paths that carry a level on, with or without a slope."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled
from escalation.conventions.compiled_draws import HIGHEST_LEVEL, draw_count

MOST_SKEWNESS = 0.95


@compiled()
def _skew_normal(mean: float, variance: float, third: float, rng: Generator) -> float:
    """Draw a skew normal with this mean, variance and third central moment (the skewness held within 0.95)."""
    skewness = max(-MOST_SKEWNESS, min(MOST_SKEWNESS, third / variance**1.5))
    root = (2.0 * abs(skewness) / (4.0 - math.pi)) ** (1.0 / 3.0)
    delta = math.copysign(root / math.sqrt(1.0 + root * root) * math.sqrt(math.pi / 2.0), skewness)
    z = delta * abs(rng.standard_normal()) + math.sqrt(1.0 - delta * delta) * rng.standard_normal()
    shift = delta * math.sqrt(2.0 / math.pi)
    return mean + math.sqrt(variance / (1.0 - shift * shift)) * (z - shift)


@compiled()
def level_paths(
    natural: FloatArray,
    moments: FloatArray,
    rows: IntArray,
    log_exposure: FloatArray,
    bend: float,
    top: float,
    rng: Generator,
) -> IntArray:
    """Carry a level that is drawn back to its mean on, one path for each of ``rows``.

    Parameters
    ----------
    natural : (m, 4) float
        Level, damping, level_sd and dispersion.
    moments : (m, 3) float
        Mean, variance and third central moment of the last level, which is drawn as skew normal.
    rows : (draws,) int
        Which point each path has.
    log_exposure : (steps,) float
        Of what follows.
    bend : float
        Log of the rate at which the softplus link bends; infinite for the log link.
    top : float
        Where levels are cut.
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
        x = _skew_normal(moments[row, 0], moments[row, 1], moments[row, 2], rng)
        for t in range(steps):
            x = min(level + damping * (x - level) + level_sd * rng.standard_normal(), top)
            log_rate = x
            if x > bend - 30.0:
                above = x - bend
                log_rate = bend + math.log(max(above, 0.0) + math.log1p(math.exp(-abs(above))))
            paths[path, t] = draw_count(math.exp(min(log_rate + log_exposure[t], HIGHEST_LEVEL)), dispersion, rng)
    return paths


@compiled()
def trend_paths(
    natural: FloatArray, moments: FloatArray, rows: IntArray, log_exposure: FloatArray, top: float, rng: Generator
) -> IntArray:
    """Carry a level with a drifting slope on, one path for each of ``rows``.

    Parameters
    ----------
    natural : (m, 4) float
        slope_sd, damping of the slope, level_sd and dispersion.
    moments : (m, 6) float
        Of the last period: mean level, mean slope, variance of the level, their covariance, variance of the slope, and
        third central moment of the level, which is drawn as skew normal; the slope is normal given the level.
    rows : (draws,) int
        Which point each path has.
    log_exposure : (steps,) float
        Of what follows.
    top : float
        Where levels are cut.
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
        x = _skew_normal(moments[row, 0], moments[row, 2], moments[row, 5], rng)
        share = moments[row, 3] / moments[row, 2]
        left = max(moments[row, 4] - share * moments[row, 3], 0.0)
        slope = moments[row, 1] + share * (x - moments[row, 0]) + math.sqrt(left) * rng.standard_normal()
        for t in range(steps):
            x = min(x + slope + level_sd * rng.standard_normal(), top)
            slope = damping * slope + slope_sd * rng.standard_normal()
            paths[path, t] = draw_count(math.exp(min(x + log_exposure[t], HIGHEST_LEVEL)), dispersion, rng)
    return paths
