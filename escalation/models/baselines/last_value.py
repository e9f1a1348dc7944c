"""Last value: what was observed last goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import InputError
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.diagnostics.distributions import Distributions, DrawnDistributions, count_distributions

LARGEST_RATE = 1e15
"""Rates are cut here, so that 5,000 summed periods still fit into 64 bits."""


@dataclass(frozen=True)
class LastValue(CountModel):
    """The last observed rate persists, at every horizon alike.

    With ``spread="poisson"`` each coming count is a Poisson draw around it, independent of the others: ``last`` of the
    VIEWS Prediction Challenge (Hegre et al. 2025, doi:10.1177/00223433241300862).  With ``"none"`` it is repeated as it
    is, ``last`` without Poisson there.  Either way the distribution is the same far ahead as near, and after a quiet
    period all is quiet for sure: a benchmark, and no statement about uncertainty.  A last period that was covered in
    part stands for a full one at its rate.  There is no likelihood and there are no parameters; ``fitted`` is the rate
    observed last before each period (for those before the first, the first).

    Parameters
    ----------
    spread : {"poisson", "none"}
        Whether counts scatter around the last one.

    Raises
    ------
    InputError
        If ``spread`` is neither.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.Series([0, 2, 9], index=pd.period_range("2024-01", periods=3, freq="M"))
    >>> LastValue().fit(counts).forecast(2, draws=4000, rng=1).mean().round().tolist()
    [9.0, 9.0]
    >>> LastValue(spread="none").fit(counts).forecast(2, draws=2).series_paths.tolist()
    [[9, 9], [9, 9]]
    """

    spread: Literal["poisson", "none"] = "poisson"
    name: ClassVar[str] = "last_value"
    min_periods: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.spread not in ("poisson", "none"):
            raise InputError(f"spread is {self.spread!r}; last_value takes 'poisson' or 'none'")

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Keep the last observed rate; see :meth:`CountModel.estimate`."""
        rates = counts / design.exposure
        before = rates_before(rates)
        first = rates[~np.isnan(rates)][0]
        fitted = np.where(np.isnan(before), first, before) * design.exposure
        state = {"rate": min(float(rates[~np.isnan(rates)][-1]), LARGEST_RATE)}
        return Estimate(np.empty(0), np.empty((0, 0)), (), float("nan"), fitted, True, state)

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw around the last rate, or repeat it; see :meth:`CountModel.simulate`."""
        mean = np.broadcast_to(estimate.state["rate"] * design.exposure, (draws, len(design.periods)))
        if self.spread == "poisson":
            return rng.poisson(mean).astype(np.int64)
        return np.round(mean).astype(np.int64)

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:  # noqa: ARG002
        """Counts around the rate observed last before them, NaN for the first; see :meth:`CountModel.distributions`."""
        mean = rates_before(counts / design.exposure) * design.exposure
        if self.spread == "poisson":
            return count_distributions(mean, 0.0)
        return DrawnDistributions(np.round(mean)[:, None])


def rates_before(rates: FloatArray) -> FloatArray:
    """The value (n,) seen last before each place, NaN before the first."""
    seen = ~np.isnan(rates)
    last = np.maximum.accumulate(np.where(seen, np.arange(len(rates)), -1))
    before = np.concatenate([[-1], last[:-1]])
    value: FloatArray = np.where(before >= 0, rates[np.maximum(before, 0)], np.nan)
    return value
