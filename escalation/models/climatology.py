"""Climatology: the last periods as draws of the next ones (VIEWS calls it conflictology)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from escalation.errors import InputError
from escalation.models.base import CountModel, Design, Estimate, FloatArray, IntArray


@dataclass(frozen=True)
class Climatology(CountModel):
    """Each path repeats periods drawn from the last ``window`` observed ones.

    The benchmark of the VIEWS Prediction Challenge (Hegre et al. 2025, doi:10.1177/00223433241300862):
    hard to beat, because it carries the full marginal distribution.  It has no trend, no memory
    of order and no likelihood.

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
    min_periods: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.window is not None and self.window < 1:
            raise InputError(f"window is {self.window!r}; give a whole number >= 1, or None for all periods")

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Keep the last observed rates; see :meth:`CountModel.estimate`."""
        seen = ~np.isnan(counts)
        whole = np.round(counts[seen] / design.exposure[seen])
        pool = whole if self.window is None else whole[-self.window :]
        fitted = np.full(len(counts), pool.mean()) * design.exposure
        empty = np.empty(0)
        return Estimate(empty, np.empty((0, 0)), (), float("nan"), fitted, True, {"pool": pool.astype(np.int64)})

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw with replacement; see :meth:`CountModel.simulate`."""
        pool: IntArray = estimate.state["pool"]
        return rng.choice(pool, size=(draws, len(design.periods)))
