"""Draws of a distribution of the fatalities of one lethal event: survival function, mean, and events from it.

The fatalities of terrorist attacks have a tail like a power law (Clauset, Young & Gleditsch 2007,
doi:10.1177/0022002706296157), or like a lognormal distribution, which is as hard to rule out (Clauset & Woodard 2013,
doi:10.1214/12-AOAS614); both are here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.special import log_ndtr, ndtr, ndtri

from escalation.analysis.severity.power_law import draw_power, power_mean, power_survival
from escalation.analysis.severity.rivals import rival_survival
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.count_draws import draw_positive

MOST = 100_000_000
"""Fatalities of one event are cut to this; a mean that depends on it is not given."""
SUMMED = 50
"""Terms of the mean of a rounded lognormal distribution that are summed; the rest is an integral."""


class SizeDistributions(ABC):
    """R equally plausible distributions of a number of fatalities from 1 on."""

    @abstractmethod
    def survival(self, killed: float) -> FloatArray:
        """Probability of so many or more under each distribution, (R,)."""

    @abstractmethod
    def mean(self) -> FloatArray:
        """Mean of each distribution, (R,); infinite where there is none."""

    @abstractmethod
    def draw(self, index: IntArray, rng: Generator) -> FloatArray:
        """Draw one event from each of the distributions at the places ``index`` (n,)."""


@dataclass(frozen=True, eq=False)
class NegativeBinomialSizes(SizeDistributions):
    """Negative binomial counts given that they are above 0; ``mean_before`` the cut, and ``dispersion``, (R,)."""

    mean_before: FloatArray = field(repr=False)
    dispersion: FloatArray = field(repr=False)

    def survival(self, killed: float) -> FloatArray:
        """Probability of so many or more."""
        logs = np.log(self.mean_before), np.log(self.dispersion)
        return rival_survival("negative_binomial", killed, *logs, 1.0)

    def mean(self) -> FloatArray:
        """Mean given that it is above 0."""
        at_zero = -np.log1p(self.dispersion * self.mean_before) / self.dispersion
        return np.asarray(self.mean_before / -np.expm1(at_zero))

    def draw(self, index: IntArray, rng: Generator) -> FloatArray:
        """Draw events."""
        drawn = draw_positive(self.mean_before[index], self.dispersion[index], rng)
        return np.asarray(np.minimum(drawn.astype(float), MOST))


@dataclass(frozen=True, eq=False)
class LognormalSizes(SizeDistributions):
    """Lognormal numbers given that they are above 0.5, rounded; ``centre`` and ``sd`` of the logs, (R,)."""

    centre: FloatArray = field(repr=False)
    sd: FloatArray = field(repr=False)

    def survival(self, killed: float) -> FloatArray:
        """Probability of so many or more."""
        return rival_survival("lognormal", killed, self.centre, np.log(self.sd), 1.0)

    def mean(self) -> FloatArray:
        """Sum of the survival function, its rest as the integral over what lies beyond ``SUMMED``."""
        first = sum(self.survival(k) for k in range(1, SUMMED + 1))
        whole = log_ndtr((self.centre - np.log(0.5)) / self.sd)
        above = (self.centre - np.log(SUMMED)) / self.sd
        up = np.exp(self.centre + self.sd**2 / 2 + log_ndtr(above + self.sd) - whole)
        return np.asarray(first + up - SUMMED * np.exp(log_ndtr(above) - whole))

    def draw(self, index: IntArray, rng: Generator) -> FloatArray:
        """Draw events, by inversion."""
        centre, sd = self.centre[index], self.sd[index]
        share = np.maximum(rng.random(len(index)) * ndtr((centre - np.log(0.5)) / sd), 1e-300)
        drawn = np.exp(np.minimum(centre - sd * ndtri(share), 40.0))
        return np.asarray(np.clip(np.floor(drawn + 0.5), 1.0, MOST))


@dataclass(frozen=True, eq=False)
class SplicedSizes(SizeDistributions):
    """Frequencies as they were seen below a threshold, and a power law from it on.

    ``xmin`` and ``alpha`` (R,); ``values`` (k,) and ``shares`` (R, k), those of values from the threshold on together
    being the share of the tail.
    """

    xmin: FloatArray = field(repr=False)
    alpha: FloatArray = field(repr=False)
    values: FloatArray = field(repr=False)
    shares: FloatArray = field(repr=False)

    def _tail(self) -> FloatArray:
        """Share of the tail, (R,)."""
        return np.asarray(np.where(self.values >= self.xmin[:, None], self.shares, 0.0).sum(axis=1))

    def survival(self, killed: float) -> FloatArray:
        """Probability of so many or more."""
        body = (self.values >= killed) & (self.values < self.xmin[:, None])
        tail = self._tail() * power_survival(killed, self.alpha, self.xmin)
        return np.asarray(np.where(body, self.shares, 0.0).sum(axis=1) + tail)

    def mean(self) -> FloatArray:
        """Mean; infinite where the exponent is 2 or less."""
        body = np.where(self.values < self.xmin[:, None], self.shares * self.values, 0.0).sum(axis=1)
        return np.asarray(body + self._tail() * power_mean(self.alpha, self.xmin))

    def draw(self, index: IntArray, rng: Generator) -> FloatArray:
        """Draw events."""
        reached = np.cumsum(self.shares, axis=1)
        drawn = np.empty(len(index))
        share = rng.random(len(index))
        for one in np.unique(index):
            own = index == one
            place = np.searchsorted(reached[one] / reached[one, -1], share[own], side="right")
            drawn[own] = self.values[np.minimum(place, len(self.values) - 1)]
        tail = drawn >= self.xmin[index]
        drawn[tail] = draw_power(self.alpha[index[tail]], self.xmin[index[tail]], MOST, rng)
        return drawn


def join_distributions(parts: Sequence[SizeDistributions]) -> SizeDistributions:
    """Draws of one family from several sources as one; those of ``SplicedSizes`` share their values."""
    first = parts[0]
    assert isinstance(first, NegativeBinomialSizes | LognormalSizes | SplicedSizes)
    names = [one.name for one in fields(first) if one.name != "values"]
    joined: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return replace(first, **joined)
