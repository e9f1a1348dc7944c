"""Arrays of counts drawn at random: Poisson and negative binomial, whole or above 0."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray

LARGEST_MEAN = 1e15
"""Means are cut here, so that 5,000 summed counts still fit into 64 bits."""
LEAST_DISPERSION = 1e-12
"""Below it a mean varies by a millionth."""
SURE_SHARE = 1 - 1e-15
"""Largest parameter of a logarithmic distribution, which is below 1."""


def draw_counts(mean: FloatArray, dispersion: FloatArray | float | None, rng: Generator) -> IntArray:
    """Draw NB2 counts of these means, and Poisson ones where the dispersion is 0 or left out.

    A count is Poisson around its mean times a gamma factor of mean 1 (Greenwood & Yule 1920, doi:10.2307/2341080).
    ``dispersion`` is broadcast to the means; with an array of zeros the factors are drawn, too, and not used.
    """
    if dispersion is not None:
        spread = np.maximum(dispersion, LEAST_DISPERSION)
        lifted = mean * rng.gamma(1 / spread, spread, size=mean.shape)
        mean = np.where(np.asarray(dispersion) > 0, lifted, mean)
    return np.asarray(rng.poisson(np.minimum(mean, LARGEST_MEAN)), dtype=np.int64)


def draw_positive(mean: FloatArray, dispersion: FloatArray, rng: Generator) -> IntArray:
    """Draw NB2 counts (Poisson where the dispersion is 0) given that they are above 0; arrays are broadcast.

    The distribution is that of clusters with logarithmic sizes (of single events for Poisson) that come at a constant
    rate over a unit of time (Quenouille 1949, doi:10.2307/3001645): the first one comes before the end, the others
    after it.
    """
    rate = cluster_rate(mean, dispersion)
    first = -np.log1p(rng.random(mean.shape) * np.expm1(-rate)) / rate
    left = np.clip(1 - first, 0.0, 1.0)
    spread = np.broadcast_to(dispersion, mean.shape)
    share = spread * mean / (1 + spread * mean)
    cluster = rng.logseries(np.minimum(share, SURE_SHARE))
    shape = left / np.maximum(spread, LEAST_DISPERSION)
    rest = np.where(spread > 0, rng.gamma(shape) * spread * mean, left * mean)
    return np.asarray(cluster + rng.poisson(np.minimum(rest, LARGEST_MEAN)), dtype=np.int64)


def cluster_rate(mean: FloatArray, dispersion: FloatArray) -> FloatArray:
    """Expected clusters of NB2 counts, or of Poisson ones where the dispersion is 0: minus the log of P(0)."""
    size = 1 / np.maximum(dispersion, 1e-10)
    rate: FloatArray = np.where(dispersion < 1e-10, mean, size * np.log1p(mean / size))
    return rate
