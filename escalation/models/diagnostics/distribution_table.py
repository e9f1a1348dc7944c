"""Distributions of counts as tables of values and probabilities, from which moments, scores and tests are sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray
from escalation.models.diagnostics.distributions import Distributions

TAIL = 1e-9
"""Probability that a table may leave out at either end."""

CELLS = 400
"""Most cells of a table; wider distributions have cells of several counts."""

REACH = 8.0
"""Standard deviations from the mean at which the search for the ends starts."""


@dataclass(frozen=True, eq=False)
class DistributionTable:
    """Distributions of n counts, each cut into K cells.

    Attributes
    ----------
    counts : (n, K) float array
        The count of each cell, ascending; the middle of a cell that holds several.
    mass : (n, K) float array
        Probability of each cell; rows sum to 1.
    width : (n, K) float array
        How many counts a cell holds; 0 where a row needs fewer cells than K.
    """

    counts: FloatArray
    mass: FloatArray
    width: FloatArray

    @property
    def below(self) -> FloatArray:
        """Probability (n, K) of everything before each cell."""
        upto: FloatArray = np.cumsum(self.mass, axis=1)
        return upto - self.mass

    def mean(self, of: FloatArray) -> FloatArray:
        """Expected value (n,) of a function (n, K) of the counts."""
        value: FloatArray = (self.mass * of).sum(axis=1)
        return value


@dataclass(frozen=True, eq=False)
class ChosenDistributions(Distributions):
    """Some of the distributions of n counts.

    Attributes
    ----------
    distributions : Distributions
        All of them.
    rows : (m,) int array
        Which.
    size : int
        n.
    """

    distributions: Distributions
    rows: NDArray[np.intp]
    size: int

    def _all(self, y: FloatArray) -> FloatArray:
        counts = np.full(self.size, np.nan)
        counts[self.rows] = y
        return counts

    def pmf(self, y: FloatArray) -> FloatArray:
        """See :meth:`Distributions.pmf`."""
        return self.distributions.pmf(self._all(y))[self.rows]

    def cdf(self, y: FloatArray) -> FloatArray:
        """See :meth:`Distributions.cdf`."""
        return self.distributions.cdf(self._all(y))[self.rows]

    @property
    def mean(self) -> FloatArray:
        """See :meth:`Distributions.mean`."""
        return self.distributions.mean[self.rows]

    @property
    def variance(self) -> FloatArray:
        """See :meth:`Distributions.variance`."""
        return self.distributions.variance[self.rows]


def tabulate(distributions: Distributions) -> DistributionTable:
    """Cut distributions into tables.

    Parameters
    ----------
    distributions : Distributions
        Of n counts, none NaN.

    Returns
    -------
    DistributionTable
        Every count has a cell of its own up to 400 counts; beyond, cells hold several, and mean and variance of a row
        are good to 0.1%.  The least count of a row always has a cell of its own.
    """
    mean, sd = distributions.mean, np.sqrt(np.maximum(distributions.variance, 0.0))
    low = _end(distributions, np.maximum(np.floor(mean - REACH * sd), 0.0), -1)
    high = _end(distributions, np.ceil(mean + REACH * sd), 1)
    span = high - low
    cells = int(min(span.max(initial=0.0), CELLS - 1)) + 1
    share = np.linspace(0.0, 1.0, cells) if cells > 1 else np.zeros(1)
    crowded = 2 * sd > mean  # near 0, where cells must be finer
    bend = np.where(crowded, np.log1p(span), 0.0)[:, None] + 1e-6
    ends = low[:, None] + np.ceil(span[:, None] * np.expm1(bend * share) / np.expm1(bend) - 1e-9)
    ends = np.minimum(np.maximum(ends, low[:, None] + np.minimum(np.arange(cells), span[:, None])), high[:, None])
    upto = np.column_stack([distributions.cdf(end) for end in ends.T])
    upto[:, -1] = 1.0
    mass = np.diff(upto, axis=1, prepend=0.0)
    width = np.diff(ends, axis=1, prepend=low[:, None] - 1)
    return DistributionTable(ends - (np.maximum(width, 1.0) - 1) / 2, np.maximum(mass, 0.0), width)


def _end(distributions: Distributions, start: FloatArray, side: int) -> FloatArray:
    """Counts (n,) beyond which hardly any probability lies on one side, looked for in growing strides."""
    end, stride = start, np.ceil(np.sqrt(np.maximum(distributions.variance, 1.0)))
    for _ in range(60):
        left = distributions.cdf(end - 1) if side < 0 else 1 - distributions.cdf(end)
        open_ended = (left > TAIL) & (end > 0 if side < 0 else True)
        if not open_ended.any():
            break
        end = np.maximum(np.where(open_ended, end + side * stride, end), 0.0)
        stride = 2 * stride
    return end


def expected_distance(table: DistributionTable) -> FloatArray:
    """Mean absolute distance (n, K) of a count from the value of each cell."""
    weighted = table.mass * table.counts
    mass_below, sum_below = table.below, np.cumsum(weighted, axis=1) - weighted
    total = weighted.sum(axis=1, keepdims=True)
    distance: FloatArray = table.counts * (2 * mass_below + table.mass - 1) + total - 2 * sum_below - weighted
    return distance
