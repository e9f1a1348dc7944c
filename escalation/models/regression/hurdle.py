"""Hurdle: whether there are incidents at all, and how many there are then, are two questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.count_draws import draw_positive
from escalation.errors import InputError
from escalation.models.contract.base import CountFit
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.diagnostics.distributions import Distributions, MixtureDistributions, count_logpmf
from escalation.models.regression.statsmodels_results import hurdle_parts_results, hurdle_results, observed
from escalation.models.regression.zero_likelihood import Kind
from escalation.models.regression.zero_parts import ZeroModel


@dataclass(frozen=True)
class Hurdle(ZeroModel):
    """Hurdle regression on time, by maximum likelihood.

    With probability ``p_t`` the count is 0; else it follows a Poisson or NB2 distribution cut at 0, of mean
    ``mu_t = exposure_t * exp(x_t'b)`` before the cut (Mullahy 1986, doi:10.1016/0304-4076(86)90002-3).  ``logit(p_t)``
    has terms of its own, the same at any exposure.  Unlike zero inflation it can have fewer zeros than the count
    distribution, too.  The numbers are those of ``pscl::hurdle`` (Zeileis et al. 2008, doi:10.18637/jss.v027.i08; theta
    = 1 / dispersion) but for the sign of the zero part: here, as in :class:`~escalation.models.ZeroInflated`, its
    coefficients are of the log odds of a zero, there of a count above it.  They are found by Newton's method with the
    exact derivatives; standard errors come from the observed information.

    Parameters and their names, terms without a finite estimate (``zero_level`` where no count is 0, or all are) and
    the priors of forecasts are as in :class:`~escalation.models.ZeroInflated`.

    Parameters
    ----------
    trend, breaks, season, season_length, interventions, regressors
        The terms of the mean before the cut; see :class:`~escalation.models.Terms`.
    family : {"negbin", "poisson"}
        Distribution that is cut at 0.
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
    >>> weeks = pd.period_range("2024-01-01", periods=8, freq="W-SUN", name="period")
    >>> fit = Hurdle(family="poisson").fit(pd.Series([0, 5, 0, 4, 0, 2, 1, 3], index=weeks))
    >>> round(float(fit.params["zero_level"]), 3)  # log(3 / 5)
    -0.511
    >>> round(float(fit.fitted.iloc[0]), 3)  # the mean of all counts
    1.875
    """

    name: ClassVar[str] = "hurdle"
    kind: ClassVar[Kind] = "hurdle"

    def _mean(self, mean: FloatArray, zero: FloatArray, dispersion: float) -> FloatArray:
        return (1 - zero) * mean / -np.expm1(count_logpmf(np.zeros(1), mean, np.asarray(dispersion)))

    def _draw(self, mean: FloatArray, dispersion: FloatArray, rng: Generator) -> IntArray:
        return draw_positive(mean, dispersion, rng)

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:  # noqa: ARG002
        """Count distributions with a zero of their own; see :meth:`CountModel.distributions`."""
        mean = estimate.state["mean"][:, None]
        dispersion = np.full_like(mean, estimate.state["found"].dispersion)
        return MixtureDistributions(np.ones_like(mean), mean, dispersion, estimate.state["zero"])

    def statsmodels_results(self, estimate: Estimate, counts: FloatArray, design: Design) -> Any:
        """``HurdleCountModel`` of statsmodels; see :meth:`CountModel.statsmodels_results`."""
        return hurdle_results(
            self.name, observed(self.name, estimate, counts, design, self, self.zero), estimate.params
        )


def hurdle_parts(fit: CountFit, *, history: int = 0) -> tuple[Any, Any]:
    """The two parts of a hurdle fit as results objects of statsmodels, whose ``HurdleCountModel`` holds few such fits.

    Parameters
    ----------
    fit : CountFit
        Of :class:`Hurdle`.
    history : int
        Which of the pooled histories, counted from 0.

    Returns
    -------
    zero : BinaryResults
        ``Logit`` of a count of 0, with the terms of the zero part.
    positive : CountResults
        ``TruncatedLFPoisson`` or ``TruncatedLFNegativeBinomialP`` of the counts above 0, with the terms of the mean.

    Raises
    ------
    InputError
        If the fit is of another model, there is no such history, or a part has no finite estimate.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-01", periods=8, freq="W-SUN", name="period")
    >>> fit = Hurdle(family="poisson").fit(pd.Series([0, 5, 0, 4, 0, 2, 1, 3], index=weeks))
    >>> zero, positive = hurdle_parts(fit)
    >>> round(float(zero.params["level"]), 3), bool(abs(zero.llf + positive.llf - fit.llf) < 1e-9)
    (-0.511, True)
    """
    model = fit.model
    if not isinstance(model, Hurdle):
        raise InputError(f"the fit is of {model.name}, which has no parts; give a fit of hurdle")
    if history not in range(len(fit.estimates)):
        raise InputError(f"history {history!r} is not among the fit's; give 0 to {len(fit.estimates) - 1}")
    estimate = fit.estimates[history]
    seen = observed(model.name, estimate, fit.array[history], fit.design, model, model.zero)
    return hurdle_parts_results(model.name, seen, estimate.params)
