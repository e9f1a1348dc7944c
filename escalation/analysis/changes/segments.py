"""Runs of periods with one rate: their evidence, and every way to cut a series into them; compiled.

A cut is named by the number of periods before it, so a series of n periods has places 0 to n; 0 and n are its ends and
no changes.  Plain arrays in and out; :func:`escalation.changepoints` is the way in for users.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from escalation.conventions.arrays import FloatArray
from escalation.conventions.compilation import compiled

SERIES = 16.0
"""From here on the logarithm of the gamma function is Stirling's series, good to 1e-12."""


MOST_KNOWN = 2_000_000
"""Values of it that are worked out beforehand."""
NEGLIGIBLE = 45.0
"""Ways to cut that are less likely than the likeliest by exp(-45) are left out: less than 1e-15 of all."""

LEFT_OUT = 1e-10
"""Probability of the largest numbers of changes, which are left out together."""


class Sums(NamedTuple):
    """A series of n periods as sums before each place, and the prior.

    ``counts`` and ``covered`` (n + 1,) are sums of the observed counts and exposures.  A rate is gamma with this shape
    and this ``divisor`` (mean shape / divisor) when counts are Poisson; with a dispersion it is the distribution
    conjugate to it, of the same mean (see :func:`escalation.changepoints`).  ``hazard`` is the probability that a
    period begins a rate.
    """

    counts: FloatArray
    covered: FloatArray
    shape: float
    divisor: float
    hazard: float


class Cuts(NamedTuple):
    """What all ways to cut a series say, at one dispersion.

    Attributes
    ----------
    change : (n + 1,) float array
        Probability that there is a cut at each place; 1 at n.
    number : (K + 1,) float array
        Probability of each number of changes; beyond K there is less than 1e-10.
    before, behind : (K + 1, n + 1) float arrays
        Given a cut at a place, the probability of k changes before it; and the probability that the place is the k-th
        cut from the end (n itself is the 0-th).
    since : (n,) float array
        Probability that the last rate began at each place.
    rate : (n,) float array
        Posterior mean of the rate of each period.
    """

    change: FloatArray
    number: FloatArray
    before: FloatArray
    behind: FloatArray
    since: FloatArray
    rate: FloatArray


@compiled()
def _log_gamma(x: float) -> float:
    """Logarithm of the gamma function."""
    if x < SERIES:
        return math.lgamma(x)
    square = 1.0 / (x * x)
    series = (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0))) / x
    return (x - 0.5) * math.log(x) - x + 0.9189385332046727 + series


@compiled()
def _log_rise(x: float, d: float) -> float:
    """``log(gamma(x + d) / gamma(x) / x**d)``, which keeps its digits for large x."""
    if x < SERIES:
        return _log_gamma(x + d) - math.lgamma(x) - d * math.log(x)
    up, square, higher = x + d, 1.0 / (x * x), 1.0 / ((x + d) * (x + d))
    series = (1.0 / 12.0 - higher * (1.0 / 360.0 - higher * (1.0 / 1260.0 - higher / 1680.0))) / up
    series -= (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0))) / x
    return (up - 0.5) * math.log1p(d / x) - d + series


@compiled()
def _prior_part(a: float, shape: float, divisor: float) -> float:
    """What the evidence of every run has of the prior."""
    found = -_log_gamma(shape)
    if a == 0.0:
        return found + shape * math.log(divisor)
    first = 1.0 + divisor / a
    return found + _log_rise(first, shape) + shape * math.log(a * first)


@compiled()
def _run_part(top: float, covered: float, a: float, divisor: float) -> float:
    """What it has of the counts, but for ``log(gamma(top))``."""
    if a == 0.0:
        return -top * math.log(divisor + covered)
    x = 1.0 + (divisor + covered) / a
    return -_log_rise(x, top) - top * math.log(a * x)


@compiled()
def log_evidence(count: float, covered: float, a: float, shape: float, divisor: float) -> float:
    """Log probability of a run's counts with the rate integrated out, but for what does not depend on the cuts.

    With dispersion a and ``x = 1 + (divisor + covered) / a`` it is that of a beta distribution: ``gamma(x) *
    gamma(shape + count) / gamma(x + shape + count)`` over its prior value, in units where ``a -> 0`` is the gamma
    distribution of the Poisson counts.
    """
    top = shape + count
    return _prior_part(a, shape, divisor) + _log_gamma(top) + _run_part(top, covered, a, divisor)


@compiled()
def filter_cuts(sums: Sums, a: float) -> tuple[FloatArray, FloatArray]:
    """Sum over all ways to cut the series, from its beginning to every place (Fearnhead 2006).

    Returns
    -------
    evidence : (n + 1,) float array
        Log probability of the counts before each place, but for what does not depend on the cuts.
    last : (n * (n + 1) / 2,) float array
        Row t (1 to n) begins at ``t * (t - 1) / 2`` and holds, for s from 0 to t - 1, the probability that the rate of
        period t - 1 began at s, given the counts before t.
    """
    n = len(sums.counts) - 1
    evidence, last = np.zeros(n + 1), np.empty(n * (n + 1) // 2)
    begin, go_on = math.log(sums.hazard), math.log1p(-sums.hazard)
    prior = _prior_part(a, sums.shape, sums.divisor)
    known = np.empty(int(min(sums.counts[n] + 1.0, MOST_KNOWN)))
    for k in range(len(known)):
        known[k] = _log_gamma(sums.shape + k)
    for t in range(1, n + 1):
        row = t * (t - 1) // 2
        most = -math.inf
        for s in range(t):
            value = evidence[s] + (begin if s > 0 else 0.0) + (t - s - 1) * go_on
            count, covered = sums.counts[t] - sums.counts[s], sums.covered[t] - sums.covered[s]
            if covered > 0.0:
                top = sums.shape + count
                value += prior + _run_part(top, covered, a, sums.divisor)
                value += known[int(count)] if count < len(known) else _log_gamma(top)
            last[row + s] = value
            most = max(most, value)
        total = 0.0
        for s in range(t):
            share = math.exp(last[row + s] - most) if last[row + s] > most - NEGLIGIBLE else 0.0
            last[row + s] = share
            total += share
        for s in range(t):
            last[row + s] /= total
        evidence[t] = most + math.log(total)
    return evidence, last


@compiled()
def _step_on(last: FloatArray, before: FloatArray) -> FloatArray:
    """Probability of one more change before each place (n + 1,)."""
    n = len(before) - 1
    found = np.zeros(n + 1)
    for t in range(2, n + 1):
        row = t * (t - 1) // 2
        total = 0.0
        for s in range(1, t):
            total += last[row + s] * before[s]
        found[t] = total
    return found


@compiled()
def _step_back(last: FloatArray, behind: FloatArray) -> FloatArray:
    """Probability that each place (n + 1,) is the cut before one of ``behind``."""
    n = len(behind) - 1
    found = np.zeros(n + 1)
    for t in range(n, 1, -1):
        if behind[t] > 0.0:
            row = t * (t - 1) // 2
            for s in range(1, t):
                found[s] += last[row + s] * behind[t]
    return found


@compiled()
def _mean_rates(sums: Sums, change: FloatArray, last: FloatArray) -> FloatArray:
    """Posterior mean of the rate of each period (n,)."""
    n = len(change) - 1
    steps = np.zeros(n + 1)
    for t in range(1, n + 1):
        row = t * (t - 1) // 2
        for s in range(t):
            share = change[t] * last[row + s]
            if share > 0.0:
                count, covered = sums.counts[t] - sums.counts[s], sums.covered[t] - sums.covered[s]
                share *= (sums.shape + count) / (sums.divisor + covered)
                steps[s] += share
                steps[t] -= share
    return np.cumsum(steps[:-1])


def count_cuts(sums: Sums, last: FloatArray) -> Cuts:
    """Number and places of the changes, from the ``last`` of :func:`filter_cuts`; exact, O(n^2) for each number."""
    n = len(sums.counts) - 1
    rows = np.arange(1, n + 1)
    before = [np.zeros(n + 1)]
    before[0][1:] = last[rows * (rows - 1) // 2]
    total = before[0][n]
    while total < 1 - LEFT_OUT and len(before) < n:
        before.append(_step_on(last, before[-1]))
        total += before[-1][n]
    behind = [np.zeros(n + 1)]
    behind[0][n] = 1.0
    while len(behind) < len(before):
        behind.append(_step_back(last, behind[-1]))
    reached = np.array(behind)
    change = reached.sum(axis=0)
    table = np.array(before)
    since = last[n * (n - 1) // 2 :]
    return Cuts(change, table[:, n] / table[:, n].sum(), table, reached, since, _mean_rates(sums, change, last))


@compiled()
def log_constants(y: FloatArray, exposure: FloatArray, a: float) -> FloatArray:
    """What the log probability of each count (n,) has that does not depend on the rate; 0 where not observed.

    With a dispersion the size of a count is ``exposure / a``.
    """
    found = np.zeros(len(y))
    for t in range(len(y)):
        if not np.isnan(y[t]):
            found[t] = y[t] * math.log(exposure[t]) - math.lgamma(y[t] + 1.0)
            if a > 0.0:
                found[t] += _log_rise(exposure[t] / a, y[t])
    return found
