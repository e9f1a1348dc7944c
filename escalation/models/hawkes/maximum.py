"""Maximum of the likelihood of a Hawkes process: Newton's method between bounds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.models.contract.newton import Height, climb, highest, scaled_inverse
from escalation.models.hawkes.likelihood import row_derivatives, single_derivatives

LEAST_BACKGROUND = 1e-6
"""Least background rate of a kind, as a share of its rate."""
STARTS = (0.05, 0.3, 2.0, 12.0)
"""First decays, in mean rates of all events."""
PROMISING = 3
"""Number of these first decays that are followed to the end."""
LARGEST_MOVE = 1.0
"""Background and decay rise or fall no more than e-fold in one step."""


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
    """Point (p,), log-likelihood, covariance (p, p), whether the search converged, and what (p,) is on a bound."""

    point: FloatArray
    value: float
    cov: FloatArray
    converged: bool
    at_bound: NDArray[np.bool_]


def maximise(events: Events, *, shared: bool) -> Maximum:
    """Find the maximum by Newton steps of the logs of backgrounds and decays and of the ratios, which may be 0.

    The mean time until offspring come is at most the window: a longer one cannot be distinguished from a background
    that rises.  The maximum is sought from the most promising of several decays.  Given the decays the likelihood is
    concave, so that one step of the rest comes near to what a decay promises.
    """
    k = events.kinds
    decays = 1 if shared else k
    logs = np.repeat([True, False, True], [k, k * k, decays])
    rate = np.maximum(np.bincount(events.marks, minlength=k), 0.5) / events.days
    gaps = np.diff(events.times)
    shortest = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else events.days

    def function(u: FloatArray) -> Height:
        point = _exp(u, logs)
        value, score, hessian = events.derivatives(point, shared=shared)
        unit = np.where(logs, point, 1.0)  # slope of the parameters by u
        return Height(value, score * unit, hessian * np.outer(unit, unit) + np.diag(np.where(logs, score * unit, 0.0)))

    def point_of(background: FloatArray, ratios: FloatArray, decay: float) -> FloatArray:
        return np.concatenate([np.log(background), ratios.ravel(), np.full(decays, np.log(decay))])

    none = np.zeros((k, k))
    lower = point_of(LEAST_BACKGROUND * rate, none, 1.0 / events.days)
    upper = point_of(1e3 * rate, none + 1e3, 1e3 / shortest)
    search = partial(climb, function, lower=lower, upper=upper, largest_move=LARGEST_MOVE)
    starts = [point_of(0.5 * rate, none + 0.1 / k + 0.3 * np.eye(k), speed * rate.sum()) for speed in STARTS]
    free = np.arange(len(logs)) < k + k * k
    begun = sorted((search(start, free=free, most_steps=1) for start in starts), key=lambda peak: -peak.height.value)
    best = highest([search(peak.point) for peak in begun[:PROMISING]])
    point = _exp(best.point, logs)
    _, _, hessian = events.derivatives(point, shared=shared)
    cov = scaled_inverse(-hessian, np.maximum(point, 1e-3))
    at_bound = (best.point <= lower) | (best.point >= upper)
    return Maximum(point, best.height.value, cov, best.converged, at_bound)


def _exp(u: FloatArray, logs: NDArray[np.bool_]) -> FloatArray:
    point = u.copy()
    point[logs] = np.exp(u[logs])
    return point
