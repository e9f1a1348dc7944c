"""Generalised Poisson counts (Consul & Jain 1973, doi:10.1080/00401706.1973.10489112): their probabilities, and draws.

A count is what comes of clusters that begin as a Poisson process, where each event sets off a Poisson number of others.
With mean ``m`` and ``excess`` e the rate of the first ones is ``m / (1 + e)``, each sets off ``e / (1 + e)`` others on
average, and the variance is ``m * (1 + e)**2``; e = 0 is Poisson.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from escalation.conventions.arrays import FloatArray
from escalation.models.diagnostics.distributions import Distributions


@dataclass(frozen=True, eq=False)
class GeneralizedPoissonDistributions(Distributions):
    """Distributions of generalised Poisson counts, with or without zeros of another kind among them.

    Attributes
    ----------
    means : (n,) float array
        Of the counts that are not such zeros.
    excess : (n,) float array
        >= 0.
    inflation : (n,) float array
        Probability of a zero of another kind.
    """

    means: FloatArray
    excess: FloatArray
    inflation: FloatArray

    def pmf(self, y: FloatArray) -> FloatArray:
        """See :meth:`Distributions.pmf`."""
        value: FloatArray = self.inflation * (y == 0) + (1 - self.inflation) * np.exp(
            logpmf(y, self.means, self.excess)
        )
        return value

    def cdf(self, y: FloatArray) -> FloatArray:
        """See :meth:`Distributions.cdf`."""
        below = np.full(len(y), np.nan)
        for t in np.flatnonzero(~np.isnan(y)):
            upto = np.arange(y[t] + 1)
            below[t] = np.exp(logpmf(upto, self.means[t : t + 1], self.excess[t : t + 1])).sum()
        return np.where(y < 0, 0.0, self.inflation + (1 - self.inflation) * below)

    @property
    def mean(self) -> FloatArray:
        """See :meth:`Distributions.mean`."""
        return (1 - self.inflation) * self.means

    @property
    def variance(self) -> FloatArray:
        """See :meth:`Distributions.variance`."""
        return self.mean * ((1 + self.excess) ** 2 + self.inflation * self.means)


def logpmf(y: FloatArray, mean: FloatArray, excess: FloatArray) -> FloatArray:
    """Log probability of generalised Poisson counts >= 0; arrays are broadcast, NaN stays NaN."""
    rate = mean + excess * y
    value: FloatArray = np.log(mean) + xlogy(y - 1, rate) - y * np.log1p(excess) - gammaln(y + 1) - rate / (1 + excess)
    return value


def draw(mean: FloatArray, excess: FloatArray, most: float, rng: Generator) -> NDArray[np.int64]:
    """Draw counts, generation by generation of their clusters, each generation cut at ``most``."""
    share = excess / (1 + excess)
    total = latest = rng.poisson(np.minimum(mean / (1 + excess), most))
    while latest.any():
        latest = rng.poisson(np.minimum(share * latest, most))
        total = total + latest
    return np.asarray(total, dtype=np.int64)
