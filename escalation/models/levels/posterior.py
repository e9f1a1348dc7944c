"""The mode of a smooth posterior of a few parameters, and weighted points around it.

A model gives its log posterior as a function of several points at once, which starts from hidden states near by and
gives those of the first point back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.special import gammaincinv, gammaln, ndtri

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.models.contract.newton import Height, climb, raised

STEP = 4e-3
"""Step of the finite differences; all parameters are of order one and posteriors smooth to 1e-9."""
LEAST_CURVATURE = 0.2
LEAST_GAIN = 5e-7
LARGEST_MOVE, SHRINK = 1.5, 3.0
""":func:`~escalation.models.newton.climb` takes these."""
TAIL_DF, WIDENING = 8.0, 1.2
"""The Student t distribution around the mode that parameters are drawn from before they are weighted."""

Evaluate = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
"""Function of points (P, d) and starting states that gives log posteriors (P,) and the hidden states at the first."""


@dataclass(frozen=True, eq=False)
class Mode:
    """The mode of a posterior.

    Attributes
    ----------
    theta : (d,) float array
        Where it is.
    curvature : (d, d) float array
        Negative Hessian there, made positive definite.
    states : float array
        The hidden states there.
    converged : bool
        Whether Newton's method converged.
    """

    theta: FloatArray
    curvature: FloatArray
    states: FloatArray
    converged: bool


class Scatter(NamedTuple):
    """Points (P, d) around a mode and the log density (P,), up to a constant, that they were drawn from."""

    theta: FloatArray
    log_density: FloatArray
    log_constant: float


def find_mode(
    evaluate: Evaluate, starts: FloatArray, states: FloatArray, lowest: FloatArray, highest: FloatArray
) -> Mode:
    """Find the mode from the best of ``starts`` (m, d), between ``lowest`` and ``highest`` (d,)."""

    def function(theta: FloatArray) -> Height:
        nonlocal states
        height, states = by_differences(evaluate, theta, states)
        return height

    best = starts[np.argmax(evaluate(starts, states)[0])]
    peak = climb(
        function,
        best,
        lower=lowest + 2 * STEP,
        upper=highest - 2 * STEP,
        largest_move=LARGEST_MOVE,
        shrink=SHRINK,
        least_gain=LEAST_GAIN,
    )
    return Mode(peak.point, raised(-peak.height.hessian, LEAST_CURVATURE), states, peak.converged)


def by_differences(evaluate: Evaluate, theta: FloatArray, states: FloatArray) -> tuple[Height, FloatArray]:
    """Value, gradient and Hessian at a point (d,) by finite differences, and the hidden states there."""
    d = len(theta)
    unit = STEP * np.eye(d)
    rows, columns = np.nonzero(np.tri(d, k=-1))
    points = theta + np.concatenate([np.zeros((1, d)), unit, -unit, unit[rows] + unit[columns]])
    values, states = evaluate(points, states)
    value, up, down = values[0], values[1 : d + 1], values[d + 1 : 2 * d + 1]
    hessian = np.diag(up + down - 2 * value)
    hessian[rows, columns] = hessian[columns, rows] = values[2 * d + 1 :] + value - up[rows] - up[columns]
    return Height(float(value), (up - down) / (2 * STEP), hessian / STEP**2), states


def scatter(mode: Mode, points: int, shift: FloatArray) -> Scatter:
    """Points of a widened Student t distribution around a mode, from a Kronecker sequence shifted by (d + 1,).

    The sequence steps by powers of the reciprocal of the root of ``g**(d + 2) = g + 1`` (Roberts's generalised golden
    ratio), one dimension for each parameter and one for the scale of the t distribution.  With a uniform ``shift`` each
    point follows that distribution.
    """
    d = len(mode.theta)
    ratio = 2.0
    for _ in range(40):
        ratio = (1 + ratio) ** (1 / (d + 2))
    uniform = (shift + np.arange(1, points + 1)[:, None] * ratio ** -np.arange(1.0, d + 2)) % 1.0
    uniform = np.clip(uniform, 1e-9, 1 - 1e-9)
    scale = gammaincinv(TAIL_DF / 2, uniform[:, d:]) * 2 / TAIL_DF
    z = ndtri(uniform[:, :d]) / np.sqrt(scale)
    axes = np.linalg.cholesky(np.linalg.inv(mode.curvature))
    log_density = -(TAIL_DF + d) / 2 * np.log1p((z * z).sum(axis=1) / TAIL_DF)
    log_constant = gammaln((TAIL_DF + d) / 2) - gammaln(TAIL_DF / 2) - d / 2 * np.log(TAIL_DF * np.pi)
    log_constant -= np.log(WIDENING * np.diag(axes)).sum()
    return Scatter(mode.theta + WIDENING * z @ axes.T, log_density, float(log_constant))


def choose(log_weight: FloatArray, draws: int, rng: Generator) -> IntArray:
    """Which of the weighted points each of ``draws`` paths has: systematic resampling, shuffled."""
    weight = np.cumsum(np.exp(log_weight - log_weight.max()))
    ladder = (rng.random() + np.arange(draws)) / draws * weight[-1]
    return rng.permutation(np.minimum(np.searchsorted(weight, ladder), len(weight) - 1))
