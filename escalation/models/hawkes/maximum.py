"""Maximum of the likelihood of a Hawkes process: Newton's method between bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from escalation.models.hawkes.likelihood import FloatArray, IntArray, row_derivatives, single_derivatives

MOST_STEPS = 100
SETTLED = 1e-9
"""Gain in log-likelihood that a step promises below which it is the last."""
LEAST_BACKGROUND = 1e-6
"""Of a kind, as a share of its rate."""
LEAST_INFORMATION = 1e-2
"""On parameters in units of their size: no standard error is above 10 of them, however flat the likelihood."""
STARTS = (0.05, 0.3, 2.0, 12.0)
"""First decays, in mean rates of all events."""


class Objective(Protocol):
    """What is maximised: value, gradient and Hessian at a point."""

    def __call__(self, point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Value, gradient (p,) and Hessian (p, p)."""


@dataclass(frozen=True, eq=False)
class Events:
    """Sorted times (n,), their kinds, how many kinds, and the length of the window."""

    times: FloatArray
    marks: IntArray
    kinds: int
    days: float

    def derivatives(self, point: FloatArray, *, shared: bool) -> tuple[float, FloatArray, FloatArray]:
        """Log-likelihood, gradient and Hessian at a point.

        ``point`` is backgrounds (kinds,), branching ratios row by row (kinds * kinds,), and one decay (``shared``) or
        one for each target.
        """
        k = self.kinds
        if k == 1:
            return single_derivatives(self.times, self.days, point[0], point[1], point[2])
        value, score, hessian = 0.0, np.zeros(len(point)), np.zeros((len(point), len(point)))
        for target in range(k):
            row = np.arange(k + k * target, 2 * k + k * target)
            place = np.concatenate([[target], row, [len(point) - 1 if shared else k + k * k + target]])
            part = row_derivatives(
                self.times, self.marks, target, self.days, point[target], point[row], point[place[-1]]
            )
            value += part[0]
            score[place] += part[1]
            hessian[np.ix_(place, place)] += part[2]
        return value, score, hessian


@dataclass(frozen=True, eq=False)
class Maximum:
    """Point (p,), log-likelihood, covariance (p, p), whether it settled, which parameters (p,) are on a bound."""

    point: FloatArray
    value: float
    cov: FloatArray
    converged: bool
    at_bound: NDArray[np.bool_]


def maximise(events: Events, *, shared: bool) -> Maximum:
    """Find the maximum, from the more promising of several decays."""
    k = events.kinds
    rate = np.maximum(np.bincount(events.marks, minlength=k), 0.5) / events.days
    decays = 1 if shared else k
    gaps = np.diff(events.times)
    shortest = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else events.days
    lower = np.concatenate([LEAST_BACKGROUND * rate, np.zeros(k * k), np.full(decays, 0.1 / events.days)])
    upper = np.concatenate([1e3 * rate, np.full(k * k, 1e3), np.full(decays, 1e3 / shortest)])
    own = np.full((k, k), 0.1 / k) + 0.3 * np.eye(k)
    starts = []
    for speed in STARTS:
        decay = np.clip(speed * rate.sum(), lower[-1], upper[-1])
        start = np.concatenate([0.5 * rate, own.ravel(), np.full(decays, decay)])
        starts.append((events.derivatives(start, shared=shared)[0], start))
    starts.sort(key=lambda pair: -pair[0])
    found = [
        climb(lambda point: events.derivatives(point, shared=shared), start, lower, upper) for _, start in starts[:2]
    ]
    return max(found, key=lambda one: one.value)


def climb(objective: Objective, start: FloatArray, lower: FloatArray, upper: FloatArray) -> Maximum:
    """Damped Newton steps with the exact Hessian; parameters at a bound stay there while the gradient points out.

    Parameters are divided by their size, so that rates of any unit are alike.
    """
    point = np.clip(start, lower, upper)
    value, score, hessian = objective(point)
    damping, settled = 0.0, False
    for _ in range(MOST_STEPS):
        size = np.maximum(point, 1e-3)
        held = ((point <= lower) & (score <= 0)) | ((point >= upper) & (score >= 0))
        step, gain = _newton(score * size, hessian * np.outer(size, size), held, damping)
        settled = gain < SETTLED + 1e-14 * abs(value) and damping < 1e-2
        # no parameter falls or rises more than e-fold in one step, but a ratio may go to 0
        reached = np.clip(point + np.clip(step, -0.9, 1.7) * size, lower, upper)
        reached = np.where((lower == 0.0) & (point + step * size <= 0.0), 0.0, reached)
        new = objective(reached)
        if np.isfinite(new[0]) and new[0] > value - 1e-13 * abs(value):
            point, (value, score, hessian) = reached, new
            damping = damping / 8.0 if damping > 1e-4 else 0.0
        elif not settled:
            damping = max(1e-3, 6.0 * damping)
        if settled or damping > 1e12:
            break
    at_bound = (point <= lower) | (point >= upper)
    return Maximum(point, value, _covariance(point, hessian), settled, at_bound)


def _newton(
    score: FloatArray, hessian: FloatArray, held: NDArray[np.bool_], damping: float
) -> tuple[FloatArray, float]:
    """Newton's step of the parameters that are not held, and the gain that it promises."""
    free = np.flatnonzero(~held)
    step = np.zeros(len(score))
    if not len(free):
        return step, 0.0
    curvature = -hessian[np.ix_(free, free)]
    values, vectors = np.linalg.eigh(curvature)
    # where the likelihood is not concave the step goes uphill all the same
    values = np.maximum(np.abs(values), 1e-12 * max(np.abs(values).max(), 1e-300)) + damping * np.abs(values).max()
    step[free] = vectors @ ((vectors.T @ score[free]) / values)
    return step, float(step @ score) / 2.0


def _covariance(point: FloatArray, hessian: FloatArray) -> FloatArray:
    """Inverse of the observed information, cut where the likelihood is flat."""
    size = np.maximum(point, 1e-3)
    values, vectors = np.linalg.eigh(-hessian * np.outer(size, size))
    inverse = (vectors / np.maximum(values, LEAST_INFORMATION)) @ vectors.T
    cov: FloatArray = inverse * np.outer(size, size)
    return cov
