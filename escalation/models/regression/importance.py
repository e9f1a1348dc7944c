"""Draws from a posterior of a few parameters by importance resampling from Student t distributions around its mode."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray
from escalation.conventions.randomness import draw_systematically

TAIL = 5
"""Degrees of freedom of the t distributions."""
FIRST = 1_000
"""Draws from which the second t distribution is made."""
MOST = 4_000
BLOCK = 20_000
"""Points x periods whose density is worked out at a time."""


def draw_around(
    mode: FloatArray,
    cov: FloatArray,
    log_density: Callable[[FloatArray], FloatArray],
    draws: int,
    rng: Generator,
) -> FloatArray:
    """Draw parameters (draws, d) from a density that is known up to a constant.

    Parameters
    ----------
    mode, cov : (d,) and (d, d) float array
        Where the density is highest, and the inverse of its curvature there.
    log_density : callable
        Of points (m, d), shape (m,); minus infinity or NaN where a point cannot be.
    draws : int
        How many; repeats are likely where they are more than some thousand.
    rng : Generator
        Source of randomness.

    Notes
    -----
    A first round of weighted draws (Rubin 1987, doi:10.1080/01621459.1987.10478461) gives mean and covariance of the
    distribution that the second is drawn from, so that a skewed posterior costs little.
    """
    centre, spread = mode, 1.2 * cov
    points, weight = _weigh(centre, spread, log_density, FIRST, rng)
    for _ in range(8):  # too few distinct points give no covariance: flatten their weights
        if 1 / (weight**2).sum() > 4 * len(mode) + 10:
            break
        weight = np.sqrt(weight)
        weight /= weight.sum()
    centre = weight @ points
    away = points - centre
    spread = 1.1 * (away.T * weight) @ away + 0.02 * cov
    points, weight = _weigh(centre, spread, log_density, int(np.clip(4 * draws, FIRST, MOST)), rng)
    drawn: FloatArray = points[rng.permutation(draw_systematically(weight, draws, rng))]
    return drawn


def in_blocks(log_density: Callable[[FloatArray], FloatArray], periods: int) -> Callable[[FloatArray], FloatArray]:
    """The same function of points (m, d), a few at a time, so that no array is large."""
    rows = max(1, BLOCK // periods)
    return lambda points: np.concatenate([log_density(points[i : i + rows]) for i in range(0, len(points), rows)])


def _weigh(
    centre: FloatArray, cov: FloatArray, log_density: Callable[[FloatArray], FloatArray], size: int, rng: Generator
) -> tuple[FloatArray, FloatArray]:
    """Points (size, d) from a t distribution and their shares (size,) of the density."""
    unit = np.sqrt(np.diag(cov))
    curvature, axes = np.linalg.eigh(cov / np.outer(unit, unit))
    root = axes * np.sqrt(np.maximum(curvature, 1e-12))
    d = len(centre)
    z = rng.standard_normal((size, d)) * np.sqrt(TAIL / rng.chisquare(TAIL, size=(size, 1)))
    points = centre + unit * (z @ root.T)
    value = log_density(points) + (TAIL + d) / 2 * np.log1p((z**2).sum(axis=1) / TAIL)
    value = np.where(np.isnan(value), -np.inf, value)
    weight = np.exp(value - value.max())
    return points, weight / weight.sum()
