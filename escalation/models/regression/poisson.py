"""Poisson regression: a rate with trend, season, interventions and regressors, and no overdispersion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from escalation.models.regression.derivatives import Variance
from escalation.models.regression.regression import Regression


@dataclass(frozen=True)
class Poisson(Regression):
    """Poisson regression on time, by maximum likelihood.

    The count of a period has mean and variance ``exposure * exp(x'b)``.  Counts of events are seldom so regular:
    where they are overdispersed its intervals are too narrow, and :class:`~escalation.NegativeBinomial` is the model
    to use.  The numbers are those of R's ``glm`` (McCullagh & Nelder 1989, doi:10.1007/978-1-4899-3242-6).

    Its parameters are the terms of :class:`~escalation.models.Terms`.  Where all counts under a term are 0 its
    estimate would be minus infinity; all coefficients are then estimated with Jeffreys' prior (Firth 1993,
    doi:10.1093/biomet/80.1.27) and a :class:`~escalation.errors.DataWarning` says so.  Forecasts draw the coefficients
    from their posterior under the same prior; rates are cut at 100 times the largest observed.

    Parameters
    ----------
    trend, breaks, season, season_length, interventions, regressors
        The terms of the log rate; see :class:`~escalation.models.Terms`.

    Raises
    ------
    InputError
        If an option is none of these; on ``fit``, if a term is not distinguishable from those before it.
    FitError
        On ``fit``, if there are no more observed periods than terms.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> weeks = pd.period_range("2024-01-01", periods=4, freq="W-SUN", name="period")
    >>> fit = Poisson().fit(pd.Series([3, 6, 2, 5], index=weeks))
    >>> np.exp(fit.params).round(6).to_dict(), fit.bse.round(6).to_dict()  # the mean, and 1 / sqrt(16 events)
    ({'level': 4.0}, {'level': 0.25})
    """

    name: ClassVar[str] = "poisson"

    @property
    def _variance(self) -> Variance:
        return "poisson"
