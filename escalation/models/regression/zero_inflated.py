"""Zero inflation: counts of a Poisson or negative binomial distribution, and zeros of another kind among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.count_draws import draw_counts
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.diagnostics.distributions import Distributions, MixtureDistributions
from escalation.models.regression.statsmodels_results import observed, zero_inflated_results
from escalation.models.regression.zero_likelihood import Kind
from escalation.models.regression.zero_parts import ZeroModel


@dataclass(frozen=True)
class ZeroInflated(ZeroModel):
    """Zero-inflated regression on time, by maximum likelihood.

    With probability ``p_t`` the count is 0 (nobody could act, or nobody reported); else it is Poisson or NB2 with mean
    ``mu_t = exposure_t * exp(x_t'b)``, which may be 0 too (Lambert 1992, doi:10.2307/1269547).  ``logit(p_t)`` has
    terms of its own, the same at any exposure.  The numbers are those of ``pscl::zeroinfl`` (Zeileis et al. 2008,
    doi:10.18637/jss.v027.i08; theta = 1 / dispersion), found by some EM steps and Newton's method with the exact
    derivatives from several starts; standard errors come from the observed information.

    Its parameters are the terms of :class:`~escalation.models.Terms` for the mean, the same with ``zero_`` before them
    for the log odds of the other kind of zero, and ``dispersion``, which is 0 where NB2 gains nothing over Poisson (its
    standard error is then that of the Poisson limit).

    Where there are no more zeros than the count distribution has, ``zero_level`` would be minus infinity.  It then ends
    where nothing changes any more (near -20), with a standard error in the thousands, and a
    :class:`~escalation.errors.DataWarning` says that no zero inflation is needed.  Terms that the counts leave open
    otherwise are dealt with in the same way.

    Forecasts draw the parameters from their posterior under weak priors, on terms made orthogonal and of unit size:
    normal with sd 3 around the log of the mean rate for the level, normal with sd 2.5 for the other effects and for
    those on the log odds, exponential with mean 1 for ``sqrt(dispersion)``.  Rates are cut at 100 times the largest
    observed.

    Parameters
    ----------
    trend, breaks, season, season_length, interventions, regressors
        The terms of the mean; see :class:`~escalation.models.Terms`.
    family : {"negbin", "poisson"}
        Distribution of the counts that are not such zeros.
    zero : Terms
        The terms of the log odds; a level alone when left out.

    Raises
    ------
    InputError
        If an option is none of these; on ``fit``, if a term is not distinguishable from those before it.
    FitError
        On ``fit``, if there are no more counts than coefficients, or one is above 1e9.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-01", periods=12, freq="W-SUN", name="period")
    >>> fit = ZeroInflated(family="poisson").fit(pd.Series([0, 5, 4, 0, 6, 5, 0, 0, 4, 6, 5, 0], index=weeks))
    >>> fit.params.round(3).to_dict()  # mean 35 / 7 of the others, less a little; odds 5 to 7
    {'level': 1.602, 'zero_level': -0.353}
    """

    name: ClassVar[str] = "zero_inflated"
    kind: ClassVar[Kind] = "inflated"

    def _mean(self, mean: FloatArray, zero: FloatArray, dispersion: float) -> FloatArray:  # noqa: ARG002
        return (1 - zero) * mean

    def _draw(self, mean: FloatArray, dispersion: FloatArray, rng: Generator) -> IntArray:
        return draw_counts(mean, dispersion if self.family == "negbin" else None, rng)

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:  # noqa: ARG002
        """Mixtures of a zero and a count distribution; see :meth:`CountModel.distributions`."""
        mean, zero = estimate.state["mean"], estimate.state["zero"]
        dispersion = np.full_like(mean, estimate.state["found"].dispersion)
        return MixtureDistributions(
            np.column_stack([1 - zero, zero]),
            np.column_stack([mean, np.zeros_like(mean)]),
            np.column_stack([dispersion, np.zeros_like(mean)]),
        )

    def statsmodels_results(self, estimate: Estimate, counts: FloatArray, design: Design) -> Any:
        """Zero-inflated models of statsmodels; see :meth:`CountModel.statsmodels_results`."""
        return zero_inflated_results(
            self.name, observed(self.name, estimate, counts, design, self, self.zero), estimate.params
        )
