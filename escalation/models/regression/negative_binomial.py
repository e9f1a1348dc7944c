"""Negative binomial regression: a rate with trend, season, interventions and regressors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from escalation.errors import InputError
from escalation.models.regression.derivatives import Variance
from escalation.models.regression.regression import Regression


@dataclass(frozen=True)
class NegativeBinomial(Regression):
    r"""Negative binomial regression on time, by maximum likelihood.

    The count of a period has mean ``mu = exposure * exp(x'b)`` and variance ``mu + dispersion * mu**2`` (NB2) or
    ``variance_to_mean * mu`` (NB1, always >= mu).  The dispersion is always estimated; ``dispersion`` is 0 and
    ``variance_to_mean`` is 1 (Poisson) where the counts are not overdispersed.  The numbers of NB2 are those of
    ``MASS::glm.nb`` (theta = 1 / dispersion) and of statsmodels' ``NegativeBinomial`` with ``"nb2"``; those of NB1 are
    statsmodels' with ``"nb1"``, whose alpha is ``variance_to_mean - 1`` (Hilbe 2011, doi:10.1017/CBO9780511973420).
    The maximum is found by Newton's method with the exact derivatives, and standard errors come from the observed
    information.

    Its parameters are the terms of :class:`~escalation.models.Terms` and ``dispersion`` or ``variance_to_mean``.
    Where there is no overdispersion the standard error of these is that of the Poisson limit, ``sqrt(2 / sum(mu**2))``
    and ``sqrt(2 / n)``.

    Where all counts under a term are 0 its estimate would be minus infinity; all coefficients are then estimated
    with Jeffreys' prior (Firth 1993, doi:10.1093/biomet/80.1.27) and a :class:`~escalation.errors.DataWarning` says so.

    Forecasts draw the parameters from their posterior under Jeffreys' prior for the coefficients (NB1: that of the
    Poisson model) and an exponential prior of mean 1 for ``sqrt(dispersion)``, the rate's coefficient of variation
    (NB1: for ``sqrt((variance_to_mean - 1) / m)``, which is the same at the mean count m of the series).  It shrinks
    towards the Poisson model, as Simpson et al. 2017, doi:10.1214/16-STS576, advise; the maximum likelihood
    dispersion of a short series is too low.  A trend goes on as it is; rates are cut at 100 times the
    largest observed (or one incident in a period, if there was none).

    Parameters
    ----------
    trend : {"none", "linear"}
        ``"linear"``: the log rate changes by ``b = params["trend"]`` a period, counted from the first period
        of the fit; ``exp(b) - 1`` is the growth rate and ``log(2) / b`` the doubling time in periods.
    breaks, season, season_length, interventions, regressors
        Further terms; see :class:`~escalation.models.Terms`.
    variance : {"nb2", "nb1"}
        Whether the variance over the mean grows with the mean or is the same throughout.

    Raises
    ------
    InputError
        If an option is none of these; on ``fit``, if a term is not distinguishable from those before it.
    FitError
        On ``fit``, if there are no more observed periods than terms, or the likelihood has no clear maximum.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from escalation.models import Step
    >>> weeks = pd.period_range("2023-10-16", periods=8, freq="W-SUN", name="period")
    >>> counts = pd.Series([9, 31, 12, 22, 3, 2, 6, 1], index=weeks)
    >>> fit = NegativeBinomial(interventions=(Step("2023-11-13"),)).fit(counts)
    >>> np.exp(fit.params[["level", "step_2023-11-13"]]).round(3).tolist()  # 74 / 4, and 12 / 74
    [18.5, 0.162]
    >>> NegativeBinomial(variance="nb1").fit(counts).params.round(2).tolist()
    [2.37, 9.73]
    """

    variance: Literal["nb2", "nb1"] = "nb2"
    name: ClassVar[str] = "negative_binomial"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.variance not in ("nb2", "nb1"):
            raise InputError(f"variance is {self.variance!r}; use 'nb2' or 'nb1'")

    @property
    def _variance(self) -> Variance:
        return self.variance

    def limits(self) -> dict[str, tuple[float, float]]:
        """See :meth:`Specification.limits`."""
        return super().limits() | {"variance_to_mean": (1.0, math.inf)}
