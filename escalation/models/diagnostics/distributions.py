"""The distribution of each count given what came before it, as a model has it at its estimates.

In-sample diagnostics need no more than the probability of every count and of what lies below it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaincc, gammaln, xlogy

from escalation.conventions.arrays import FloatArray

POISSON_BELOW = 1e-10
"""Dispersions below this are Poisson: 1 / dispersion would swallow the counts."""


class Distributions(ABC):
    """Distributions of n counts, one a period; NaN where a model says nothing (before its first lag, say)."""

    @abstractmethod
    def pmf(self, y: FloatArray) -> FloatArray:
        """Probability of each count (n,), NaN where the count is."""

    @abstractmethod
    def cdf(self, y: FloatArray) -> FloatArray:
        """Probability of each count (n,) or less; 0 below 0, NaN where the count is."""

    @property
    @abstractmethod
    def mean(self) -> FloatArray:
        """Means (n,)."""

    @property
    @abstractmethod
    def variance(self) -> FloatArray:
        """Variances (n,)."""


@dataclass(frozen=True, eq=False)
class MixtureDistributions(Distributions):
    """Mixtures of Poisson and NB2 counts, with or without a probability of 0 of its own.

    Attributes
    ----------
    weights : (n, k) float array
        Shares of the k parts, each row sums to 1.
    means : (n, k) float array
        Means of the parts, >= 0; a part of mean 0 is always 0 (zero inflation).
    dispersions : (n, k) float array
        NB2 dispersions, ``Var = mean + dispersion * mean**2``; 0 is Poisson.
    zero : (n,) float array, optional
        Probability of 0 where it has a distribution of its own (a hurdle): what is above 0 then follows the mixture cut
        at 0.
    """

    weights: FloatArray
    means: FloatArray
    dispersions: FloatArray
    zero: FloatArray | None = None

    def pmf(self, y: FloatArray) -> FloatArray:
        """See :meth:`Distributions.pmf`."""
        parts = np.exp(count_logpmf(y[:, None], self.means, self.dispersions))
        return self._over_zero((self.weights * parts).sum(axis=1), y, 0.0)

    def cdf(self, y: FloatArray) -> FloatArray:
        """See :meth:`Distributions.cdf`."""
        parts = count_cdf(y[:, None], self.means, self.dispersions)
        return self._over_zero((self.weights * parts).sum(axis=1), y, 1.0)

    @property
    def mean(self) -> FloatArray:
        """See :meth:`Distributions.mean`."""
        value: FloatArray = self._scale() * (self.weights * self.means).sum(axis=1)
        return value

    @property
    def variance(self) -> FloatArray:
        """See :meth:`Distributions.variance`."""
        square = (self.weights * (self.means + (1 + self.dispersions) * self.means**2)).sum(axis=1)
        value: FloatArray = self._scale() * square - self.mean**2
        return value

    def _at_zero(self) -> FloatArray:
        """Probability of 0 of the mixture itself, shape (n,)."""
        value: FloatArray = (self.weights * np.exp(count_logpmf(np.zeros((1, 1)), self.means, self.dispersions))).sum(
            axis=1
        )
        return value

    def _scale(self) -> FloatArray:
        """What the mixture above 0 is multiplied by, shape (n,)."""
        if self.zero is None:
            return np.ones(len(self.weights))
        value: FloatArray = (1 - self.zero) / (1 - self._at_zero())
        return value

    def _over_zero(self, plain: FloatArray, y: FloatArray, share: float) -> FloatArray:
        """Put the hurdle under probabilities (n,) of the mixture; ``share`` is 1 for those of a cdf."""
        if self.zero is None:
            return plain
        at_zero = self._at_zero()
        above = (1 - self.zero) / (1 - at_zero) * (plain - share * at_zero) + share * self.zero
        value: FloatArray = np.where(y > 0, above, np.where(y == 0, self.zero, 0.0 * plain))
        value[np.isnan(y)] = np.nan
        return value


@dataclass(frozen=True, eq=False)
class DrawnDistributions(Distributions):
    """Distributions given by equally or unequally likely counts.

    Attributes
    ----------
    draws : (n, s) float array
        Counts, NaN rows where nothing is said.
    weights : (n, s) float array, optional
        Their probabilities, each row sums to 1; all equal when left out.
    """

    draws: FloatArray
    weights: FloatArray | None = None

    def _share(self, hit: NDArray[np.bool_], y: FloatArray) -> FloatArray:
        share = hit.mean(axis=1) if self.weights is None else (self.weights * hit).sum(axis=1)
        return np.where(np.isnan(y) | np.isnan(self.draws).any(axis=1), np.nan, share)

    def pmf(self, y: FloatArray) -> FloatArray:
        """See :meth:`Distributions.pmf`."""
        return self._share(self.draws == y[:, None], y)

    def cdf(self, y: FloatArray) -> FloatArray:
        """See :meth:`Distributions.cdf`."""
        return self._share(self.draws <= y[:, None], y)

    @property
    def mean(self) -> FloatArray:
        """See :meth:`Distributions.mean`."""
        value: FloatArray = self.draws.mean(axis=1) if self.weights is None else (self.weights * self.draws).sum(axis=1)
        return value

    @property
    def variance(self) -> FloatArray:
        """See :meth:`Distributions.variance`."""
        away = (self.draws - self.mean[:, None]) ** 2
        value: FloatArray = away.mean(axis=1) if self.weights is None else (self.weights * away).sum(axis=1)
        return value


@dataclass(frozen=True, eq=False)
class PooledDistributions(Distributions):
    """The linear pool of several distributions of the same counts.

    Attributes
    ----------
    parts : sequence of Distributions
        m of them.
    shares : (m,) float array
        Their weights, which sum to 1.
    """

    parts: Sequence[Distributions]
    shares: FloatArray

    def pmf(self, y: FloatArray) -> FloatArray:
        """See :meth:`Distributions.pmf`."""
        return self._pooled([part.pmf(y) for part in self.parts])

    def cdf(self, y: FloatArray) -> FloatArray:
        """See :meth:`Distributions.cdf`."""
        return self._pooled([part.cdf(y) for part in self.parts])

    @property
    def mean(self) -> FloatArray:
        """See :meth:`Distributions.mean`."""
        return self._pooled([part.mean for part in self.parts])

    @property
    def variance(self) -> FloatArray:
        """See :meth:`Distributions.variance`."""
        return self._pooled([part.variance + part.mean**2 for part in self.parts]) - self.mean**2

    def _pooled(self, values: list[FloatArray]) -> FloatArray:
        pooled: FloatArray = self.shares @ np.array(values)
        return pooled


def count_distributions(mean: FloatArray, dispersion: FloatArray | float) -> MixtureDistributions:
    """Distributions of plain Poisson or NB2 counts.

    Parameters
    ----------
    mean : (n,) float array
        Their means, >= 0.
    dispersion : (n,) float array or float
        NB2 dispersion of each, ``Var = mean + dispersion * mean**2``, or one of all; 0 is Poisson.

    Returns
    -------
    MixtureDistributions
        Of one part each.

    Examples
    --------
    >>> count_distributions(np.array([1.0, 4.0]), 0.5).variance.tolist()
    [1.5, 12.0]
    """
    spread = np.broadcast_to(np.asarray(dispersion, dtype=np.float64), mean.shape)
    return MixtureDistributions(np.ones((len(mean), 1)), mean[:, None], np.array(spread)[:, None])


def count_logpmf(y: FloatArray, mean: FloatArray, dispersion: FloatArray) -> FloatArray:
    """Log probability of NB2 counts (Poisson where the dispersion is 0); arrays are broadcast, NaN stays NaN."""
    y, mean, dispersion = np.broadcast_arrays(y, mean, dispersion)
    poisson = xlogy(y, mean) - mean - gammaln(y + 1)
    size = 1 / np.maximum(dispersion, POISSON_BELOW)
    negbin = log_rising(y, size) + xlogy(y, mean) - (size + y) * np.log1p(mean / size) - gammaln(y + 1)
    value: FloatArray = np.where(dispersion < POISSON_BELOW, poisson, negbin)
    return value


def count_cdf(y: FloatArray, mean: FloatArray, dispersion: FloatArray) -> FloatArray:
    """Probability of ``y`` or less of NB2 counts (Poisson where the dispersion is 0); 0 below 0, NaN stays NaN."""
    y, mean, dispersion = np.broadcast_arrays(y, mean, dispersion)
    from_zero = np.maximum(np.floor(y), 0.0)
    size, plain = 1 / np.maximum(dispersion, POISSON_BELOW), dispersion < POISSON_BELOW
    value = betainc(size, from_zero + 1, 1 / (1 + dispersion * mean))
    if plain.any():  # no Poisson tail is worked out in vain
        value = np.where(plain, gammaincc(from_zero + 1, mean), value)
    value = np.where(y < 0, 0.0, value)
    return np.where(np.isnan(y) | np.isnan(mean), np.nan, value)


def log_rising(y: FloatArray, size: FloatArray) -> FloatArray:
    """``log(gamma(y + size) / gamma(size) / size**y)``; arrays are broadcast, NaN stays NaN.

    The difference of two gammaln loses its digits for large sizes; there Stirling's series is used, in error by less
    than 1e-11.
    """
    stirling = (y + size - 0.5) * np.log1p(y / size) - y - y / (12 * size * (y + size))
    value: FloatArray = np.where(size > 1e3, stirling, gammaln(y + size) - gammaln(size) - y * np.log(size))
    return value
