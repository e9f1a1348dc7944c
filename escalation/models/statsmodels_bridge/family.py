"""Which distribution of counts a results object of statsmodels has, where its parameters stand, and draws from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.special import expit, ndtr

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.count_draws import LARGEST_MEAN, draw_counts, draw_positive
from escalation.models.diagnostics.distributions import Distributions, MixtureDistributions
from escalation.models.regression.derivatives import bounded_exp
from escalation.models.statsmodels_bridge import generalized_poisson


class Moments(NamedTuple):
    """Moments of the counts of n periods at k points each: all (k, n) float arrays.

    ``dispersion`` is that of NB2 (0: Poisson), or the ``excess`` of generalised Poisson counts; ``zero`` is the
    probability of a zero of another kind, or with a hurdle of any zero.
    """

    mean: FloatArray
    dispersion: FloatArray
    zero: FloatArray


@dataclass(frozen=True)
class CountFamily:
    """Distribution of counts with mean ``mu = exp(x'b + log exposure)``, in the parametrisation of statsmodels.

    Parameters
    ----------
    counts : {"poisson", "negbin", "generalized_poisson"}
        Variance ``mu``, ``mu + alpha * mu**power`` or ``mu * (1 + alpha * mu**(power - 1))**2``.
    power : float
        See there.
    alpha : float, optional
        Held at this value; when left out it is the last of the parameters.
    zero : {"none", "logit", "probit", "poisson", "negbin"}
        Zeros among the counts: none beside their own; zeros of another kind, by a logit or probit regression; or a
        hurdle, which is passed as a Poisson or negative binomial count would be above 0.
    """

    counts: Literal["poisson", "negbin", "generalized_poisson"] = "poisson"
    power: float = 2.0
    alpha: float | None = None
    zero: Literal["none", "logit", "probit", "poisson", "negbin"] = "none"

    @property
    def hurdle(self) -> bool:
        """Whether zeros have a probability of their own."""
        return self.zero in ("poisson", "negbin")

    def moments(self, points: FloatArray, x: FloatArray, z: FloatArray, log_exposure: FloatArray) -> Moments:
        """Means, dispersions and zeros of n periods.

        Parameters
        ----------
        points : (k, d) float array
            Parameters in the order of statsmodels.  An alpha below 0 is taken as 0, its Poisson limit.
        x, z : (n, p) and (n, q) float array
            Columns of the mean and of the zeros.
        log_exposure : (n,) float array
            Of the counts; zeros do not depend on it.
        """
        p, q = x.shape[1], z.shape[1]
        main = points[:, q + (self.zero == "negbin") :]
        mean = np.minimum(bounded_exp(main[:, :p] @ x.T + log_exposure), LARGEST_MEAN)
        if self.counts == "poisson":
            alpha = np.zeros((len(points), 1))
        else:
            alpha = np.maximum(main[:, p:], 0.0) if self.alpha is None else np.full((len(points), 1), self.alpha)
        power = self.power - (2 if self.counts == "negbin" else 1)
        return Moments(mean, alpha * mean**power, self._zero(points[:, : q + 1], z))

    def _zero(self, points: FloatArray, z: FloatArray) -> FloatArray:
        """Probabilities (k, n) of the other zeros; the coefficients come first in ``points``."""
        q = z.shape[1]
        score = points[:, :q] @ z.T
        if self.zero == "logit":
            return np.asarray(expit(score))
        if self.zero == "probit":
            return np.asarray(ndtr(score))
        if self.zero == "poisson":
            return np.exp(-bounded_exp(score))
        if self.zero == "negbin":
            alpha = np.maximum(points[:, q:], 1e-12)
            return np.exp(-np.log1p(alpha * bounded_exp(score)) / alpha)
        return np.zeros_like(score)

    def distributions(self, at: Moments) -> Distributions:
        """Distributions of n counts, with the moments of one point."""
        mean, dispersion, zero = (one[0] for one in at)
        if self.counts == "generalized_poisson":
            return generalized_poisson.GeneralizedPoissonDistributions(mean, dispersion, zero)
        if self.hurdle:
            return MixtureDistributions(np.ones((len(mean), 1)), mean[:, None], dispersion[:, None], zero)
        none = np.zeros_like(mean)
        return MixtureDistributions(
            np.column_stack([1 - zero, zero]), np.column_stack([mean, none]), np.column_stack([dispersion, none])
        )

    def draw(self, at: Moments, rng: Generator) -> IntArray:
        """Draw a count for each point and period, (k, n)."""
        if self.counts == "generalized_poisson":
            counts = generalized_poisson.draw(at.mean, at.dispersion, LARGEST_MEAN, rng)
        elif self.hurdle:
            counts = draw_positive(at.mean, at.dispersion, rng)
        else:
            counts = draw_counts(at.mean, at.dispersion, rng)
        return np.where(rng.random(at.mean.shape) < at.zero, 0, counts).astype(np.int64)
