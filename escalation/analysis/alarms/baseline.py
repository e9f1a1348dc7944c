"""Charts: detectors that hold counts against one distribution, fitted to the periods before those that are judged."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from escalation.analysis.alarms.detector import Detector, Ranges, Signals, Watch
from escalation.analysis.alarms.regression import fit_negative_binomial, fit_quasi_poisson, nb_dispersion
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import InputError

LEAST_MEAN = 1e-6
"""Expected counts are taken as no smaller, so that they can be divided by."""
CHART_RANGES: Ranges = {"limit": (0.0, 1e9), "season": (0, 10), "mean": (0.0, 1e12), "dispersion": (-1e-300, 1e6)}
"""Ranges of the options that every chart has."""
LEAST_PAST = 7
"""Fewest periods from which a mean and a dispersion are estimated."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """Expected counts (periods, series) and dispersions alpha (series,), ``Var = mu + alpha mu**2``."""

    mean: FloatArray
    dispersion: FloatArray

    @property
    def sd(self) -> FloatArray:
        """Standard deviations of the counts (periods, series)."""
        return np.sqrt(self.mean + self.dispersion * self.mean**2)


class Chart(Detector):
    """Detector whose statistic is of counts and those expected while nothing changes; an alarm is one at the limit.

    Attributes
    ----------
    limit : float
        What the statistic must reach.
    family : str
        ``"negbin"`` or ``"poisson"``.
    mean, dispersion : float, optional
        Given instead of estimated; the mean is that of a whole period.
    season : int
        Pairs of sine and cosine.
    """

    limit: float
    family: str
    mean: float | None
    dispersion: float | None
    season: int
    ranges: ClassVar[Ranges] = CHART_RANGES

    @property
    def label(self) -> str:
        """What sentences call it."""
        return f"{type(self).__name__} ({self.family})"

    @abstractmethod
    def statistic(self, counts: FloatArray, base: Baseline) -> tuple[FloatArray, FloatArray]:
        """Statistic and upper bound of the counts, all (periods, series); a count may be NaN, as may a bound."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mean is not None and self.season:
            raise InputError(f"mean is {self.mean!r} and season is {self.season}; give one of them")
        if self.dispersion is not None and self.family == "poisson":
            raise InputError(f"dispersion is {self.dispersion!r} but family is 'poisson'; use family='negbin'")

    def warmup(self, year: int) -> int:
        """A week of periods, or a year where there is a season; see :meth:`Detector.warmup`."""
        if self.mean is not None and (self.family == "poisson" or self.dispersion is not None):
            return 0
        return year if self.season else LEAST_PAST

    def first(self, number: int, year: int) -> int:
        """After the first half, which gives mean and dispersion; see :meth:`Detector.first`."""
        return max(self.warmup(year), number // 2 if self.warmup(year) else 0)

    def judge(self, watch: Watch) -> Signals:
        """Work the statistic out; see :meth:`Detector.judge`."""
        base = self._baseline(watch)
        score, upper = self.statistic(watch.here, base)
        return Signals(base.mean, upper, score, score >= self.limit, np.full(score.shape, ""))

    def _baseline(self, watch: Watch) -> Baseline:
        """Fit the periods before the first judged one and expect those from it on."""
        counts, first, exposure = watch.counts, watch.first, watch.exposure
        seen = np.flatnonzero(~np.isnan(counts[:first, 0]))
        past, alpha = counts[seen], np.zeros(counts.shape[1])
        if self.mean is not None:
            expected = np.full(watch.here.shape, self.mean)
            if self.family == "negbin" and self.dispersion is None:
                alpha = nb_dispersion(past, np.full(past.shape, self.mean) * exposure[seen, None])
        else:
            matrix = fourier(np.arange(len(counts)), watch.year, self.season)
            if self.family == "poisson":
                coefficients = fit_quasi_poisson(matrix[seen], past, np.ones_like(past), exposure[seen]).coefficients
            else:
                coefficients, alpha = fit_negative_binomial(matrix[seen], past, exposure[seen])
            expected = np.exp(np.clip(matrix[first:] @ coefficients.T, -700.0, 700.0))
        if self.dispersion is not None:
            alpha = np.full(counts.shape[1], self.dispersion)
        return Baseline(np.maximum(expected * watch.shares, LEAST_MEAN), alpha)


def fourier(time: IntArray, year: int, season: int) -> FloatArray:
    """Level and ``season`` pairs of cosine and sine (n, 1 + 2 season)."""
    angle = 2.0 * np.pi * time[:, None] * np.arange(1, season + 1) / year
    return np.concatenate([np.ones((len(angle), 1)), np.cos(angle), np.sin(angle)], axis=1)
