"""Climatology: the last periods as draws of the next ones (VIEWS calls it conflictology)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray, IntArray
from escalation.counts.periods import MAX_PERIODS
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.diagnostics.distributions import Distributions, DrawnDistributions

FEWEST_DRAWS = 10
"""Past periods that make a distribution of the next count."""


@dataclass(frozen=True)
class Climatology(CountModel):
    """Each path repeats periods drawn from the last ``window`` observed ones.

    The benchmark of the VIEWS Prediction Challenge (Hegre et al. 2025, doi:10.1177/00223433241300862):
    hard to beat, because it carries the full marginal distribution.  It has no trend, no memory
    of order and no likelihood.  A period that was covered in part stands for a full one at its rate, and
    is drawn as much less often.

    Parameters
    ----------
    window : int or None
        How many of the last observed periods to draw from; None for all of them.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.Series([0, 2, 1, 0, 3], index=pd.period_range("2024-01", periods=5, freq="M"))
    >>> fit = Climatology(window=3).fit(counts)
    >>> sorted(set(fit.forecast(2, draws=200, rng=1).paths.ravel().tolist()))
    [0, 1, 3]
    """

    window: int | None = 12
    name: ClassVar[str] = "climatology"
    follows_exposure: ClassVar[bool] = False
    min_periods: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.window is not None:
            check_whole(self.window, "window", MAX_PERIODS)

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Keep the last observed rates; see :meth:`CountModel.estimate`."""
        seen = ~np.isnan(counts)
        last = slice(None) if self.window is None else slice(-self.window, None)
        exposure = design.exposure[seen][last]
        pool, share = np.round(counts[seen][last] / exposure), exposure / exposure.sum()
        state = {"pool": pool.astype(np.int64), "share": share}
        empty = np.empty(0)
        return Estimate(empty, np.empty((0, 0)), (), float("nan"), (pool @ share) * design.exposure, True, state)

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw with replacement; see :meth:`CountModel.simulate`."""
        pool: IntArray = estimate.state["pool"]
        return rng.choice(pool, size=(draws, len(design.periods)), p=estimate.state["share"])

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:  # noqa: ARG002
        """The periods before each one as its draws, NaN before the tenth; see :meth:`CountModel.distributions`."""
        return past_distributions(counts, design.exposure, self.window)


def past_distributions(counts: FloatArray, exposure: FloatArray, window: int | None) -> DrawnDistributions:
    """Distributions of n counts whose draws are the rates of up to ``window`` observed periods before them.

    They are weighted by exposure.  NaN where fewer than ten (or than a shorter window) were observed before, as they
    would not make a distribution.
    """
    seen = np.flatnonzero(~np.isnan(counts))
    places = places_before(seen, len(counts), window)
    known = places >= 0
    at = seen[np.maximum(places, 0)]
    weight = np.where(known, exposure[at], 0.0)
    rates = np.where(known, np.round(counts[at] / exposure[at]), 0.0)
    rates[known.sum(axis=1) < min(FEWEST_DRAWS, places.shape[1])] = np.nan
    total = weight.sum(axis=1, keepdims=True)
    return DrawnDistributions(rates, weight / np.where(total > 0, total, 1.0))


def places_before(seen: NDArray[np.intp], periods: int, window: int | None) -> NDArray[np.intp]:
    """Which of the observed periods come before each period, latest first, shape (periods, window); -1 for none."""
    most = len(seen) if window is None else min(window, len(seen))
    before = np.searchsorted(seen, np.arange(periods))  # how many were seen before each period
    places: NDArray[np.intp] = np.maximum(before[:, None] - 1 - np.arange(most), -1)
    return places
