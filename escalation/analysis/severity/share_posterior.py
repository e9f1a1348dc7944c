"""Posterior of shares of several groups: Beta-binomial, the distribution between groups integrated over, plain arrays.

Shares of groups come from one Beta distribution, with a mean and with a standard deviation of the log odds.  Both are
integrated over on a grid; a posterior is then a mixture of Beta distributions, whose means and quantiles are exact.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.special import betainc, betaln, expit, log_expit, polygamma

from escalation.analysis.severity.grids import integrate
from escalation.analysis.trend.rate_posterior import invert
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.models.diagnostics.distributions import log_rising

WIDEST = ((-40.0, 40.0), (-5.0, 36.0))
"""Ends of the first grid: logit of the mean, and log of ``a b / (a + b)`` for a distribution Beta(a, b)."""
JEFFREYS = 0.5


class SharePosterior(NamedTuple):
    """Mixture of J nodes: each a Beta distribution of the shares of groups, and the trials that it goes with.

    ``weight``, ``a``, ``b`` and ``history`` (J,); ``lethal`` (groups,) and ``trials`` (histories, groups); ``alike`` is
    the probability that all groups have one share, at even odds before.
    """

    weight: FloatArray
    a: FloatArray
    b: FloatArray
    history: IntArray
    lethal: IntArray
    trials: IntArray
    alike: float

    def of_group(self, group: int | None) -> tuple[FloatArray, FloatArray]:
        """Parameters (J,) of the Beta distributions of a group's share, or of that of a group not seen yet."""
        if group is None:
            return self.a, self.b
        return self.a + self.lethal[group], self.b + self.trials[self.history, group] - self.lethal[group]

    def mean(self, group: int | None) -> float:
        """Posterior mean of a share."""
        a, b = self.of_group(group)
        return float(self.weight @ (a / (a + b)))

    def quantile(self, group: int | None, q: float) -> float:
        """Posterior quantile of a share."""
        a, b = self.of_group(group)
        return invert(lambda x: float(self.weight @ betainc(a, b, min(np.exp(x), 1.0))), q)

    def draw(self, number: int, rng: Generator) -> FloatArray:
        """Draw the shares of all groups together, and in the last column that of a new one: (number, groups + 1)."""
        node = rng.choice(len(self.weight), size=number, p=self.weight)
        trials = self.trials[self.history[node]]
        new = np.zeros((number, 1))
        a = self.a[node, None] + np.hstack([np.broadcast_to(self.lethal, trials.shape), new])
        b = self.b[node, None] + np.hstack([trials - self.lethal, new])
        return np.asarray(rng.beta(np.maximum(a, 1e-300), np.maximum(b, 1e-300)))

    def mix(self) -> FloatArray:
        """Share of all trials that each group has (groups,), averaged over the histories."""
        each = self.trials / self.trials.sum(axis=1, keepdims=True)
        return np.asarray(each.mean(axis=0))


def pool_shares(lethal: IntArray, trials: IntArray, between: float) -> SharePosterior:
    """Posterior of the shares of groups; one group by itself has Jeffreys' prior.

    Parameters
    ----------
    lethal : (groups,) int array
    trials : (histories, groups) int array
        Equally plausible numbers, one row where they are known exactly.
    between : float
        Scale of the half-normal prior of the standard deviation of the groups' log odds (Gelman 2006,
        doi:10.1214/06-BA117A); the mean has Jeffreys' prior.  Each history has the same weight.
    """
    histories, groups = trials.shape
    if groups == 1:
        half, number = np.full(histories, JEFFREYS), np.arange(histories)
        return SharePosterior(np.full(histories, 1 / histories), half, half, number, lethal, trials, 1.0)
    parts, alike = [], 0.0
    for place, row in enumerate(trials):
        pairs, times = np.unique(np.stack([lethal, row]), axis=1, return_counts=True)
        density = partial(log_joint, lethal=pairs[0], trials=pairs[1], times=times, scale=between)
        grid = integrate(density, WIDEST)
        a, b = beta_parameters(grid.x, grid.y)
        parts.append((grid.weight / histories, a, b, np.full(len(a), place)))
        alike += float(expit(log_common(lethal, row) - grid.evidence)) / histories
    weight, a, b, history = (np.concatenate(part) for part in zip(*parts, strict=True))
    return SharePosterior(weight, a, b, history, lethal, trials, alike)


def beta_parameters(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Parameters of a Beta distribution with the logit ``x`` of its mean and ``y = log(a b / (a + b))``."""
    return np.exp(y - log_expit(-x)), np.exp(y - log_expit(x))


def log_joint(
    x: FloatArray, y: FloatArray, lethal: IntArray, trials: IntArray, times: IntArray, scale: float
) -> FloatArray:
    """Log density of the counts of groups (each ``times``) and of ``x`` and ``y`` as in :func:`beta_parameters`.

    The variance of the log odds under Beta(a, b) is ``trigamma(a) + trigamma(b)``.
    """
    a, b = beta_parameters(x, y)
    spread = np.sqrt(polygamma(1, a) + polygamma(1, b))
    slope = -(a * polygamma(2, a) + b * polygamma(2, b)) / (2 * spread)  # of the standard deviation, by -y
    height: FloatArray = 0.5 * (log_expit(x) + log_expit(-x) + np.log(2 / np.pi)) - np.log(np.pi * scale)
    height = height - (spread / scale) ** 2 / 2 + np.log(slope)
    for k, n, number in zip(lethal, trials, times, strict=True):
        rising = log_rising(k, a) + log_rising(n - k, b) - log_rising(n, a + b)
        height = height + number * (k * log_expit(x) + (n - k) * log_expit(-x) + rising)
    return height


def log_common(lethal: IntArray, trials: IntArray) -> float:
    """Log evidence of one share for all groups, with Jeffreys' prior."""
    k, n = int(lethal.sum()), int(trials.sum())
    return float(betaln(JEFFREYS + k, JEFFREYS + n - k) - betaln(JEFFREYS, JEFFREYS))
