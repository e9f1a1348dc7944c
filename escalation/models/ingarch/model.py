"""INGARCH: the expected count follows past counts and its own past, as variances do in GARCH."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.counts.schema import check_counts
from escalation.counts.series import CountsLike, unpack_counts
from escalation.errors import FitError, InputError
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import Design, make_design
from escalation.models.contract.estimate import Estimate, check_largest
from escalation.models.contract.shrinkage import Evidence, NormalPrior, Shrinkable, learn_normal
from escalation.models.diagnostics.distributions import Distributions, count_distributions
from escalation.models.ingarch.likelihood import log_likelihood, recursion
from escalation.models.ingarch.maximum import covariance, maximise, search_space, two_steps
from escalation.models.ingarch.observed import Observed, observe, up_to_last_count
from escalation.models.ingarch.panel_prior import evidence_of, with_prior
from escalation.models.ingarch.paths import ingarch_paths
from escalation.models.ingarch.posterior import log_likelihoods, resample
from escalation.models.regression.interventions import Intervention, check_interventions

LARGEST_COUNT = 1e9


@dataclass(frozen=True)
class INGARCH(CountModel, Shrinkable):
    r"""Integer-valued GARCH: counts whose expected value follows past counts and past expected values.

    With the identity link the rate of period t is ``rate_t = intercept + sum_i beta_i * y_{t-i} + sum_j alpha_j *
    rate_{t-j} + eta'x_t`` (Ferland et al. 2006, doi:10.1111/j.1467-9892.2006.00496.x), all coefficients >= 0.  With
    the log link ``log rate_t`` follows ``log(y_{t-i} + 1)``, ``log rate_{t-j}`` and ``eta'x_t`` (Fokianos & Tjostheim
    2011, doi:10.1016/j.jmva.2010.11.002), serial coefficients between -1 and 1.  In both the serial coefficients
    (``beta_<lag>``, ``alpha_<lag>``) sum to less than 1 in absolute value.  The count is Poisson or NB2, ``Var = mean +
    dispersion * mean**2``.  Recursions and starts are those of R's tscount 1.4.3 (Liboschik et al. 2017,
    doi:10.18637/jss.v082.i05), its ``size`` is ``1 / dispersion``.

    The estimate is the exact maximum of the likelihood, found with its analytic score and Hessian from several starts;
    unlike tscount's, they know that a ``"marginal"`` start depends on the parameters.  Standard errors come from the
    observed information.  Where a coefficient ends on a bound (``fit.estimates[0].state["at_bound"]`` names it) they
    come from the expected information, as though the bound were not there, and are rough; a dispersion of 0 has that
    of the Poisson limit, ``sqrt(2 / sum(mean**2))``.  Where counts leave a combination of parameters open (a constant
    series) its standard error is cut at ten times the parameters' size.

    Where a count is missing its expected value stands in for it in the recursion (with the identity link that is the
    exact expectation, with the log link an approximation) and it adds nothing to the likelihood; missing counts at the
    end are drawn in a forecast.  With exposures the recursion runs on rates, ``y / exposure``, and the count has mean
    ``exposure * rate``.

    Forecasts draw parameters by importance resampling from the likelihood times weak priors: log level (of the
    stationary rate) normal around the log of the mean rate with sd 2, serial coefficients uniform where the series is
    stationary, effects normal with sd 5 (on the log rate, or in mean rates), ``sqrt(dispersion)`` exponential with
    mean 1.

    Parameters
    ----------
    past_obs, past_mean : tuple of int
        Lags of counts and of expected values, >= 1; ``past_mean`` may be empty.
    link : {"identity", "log"}
        Scale on which terms add up.
    family : {"negbin", "poisson"}
        Distribution of a count given its expected value.
    init : {"marginal", "iid", "firstobs", "zero"}
        What counts and states were before the series: the stationary mean (without regressors), the intercept, the
        first count, or 0.
    first : {"scored", "dropped"}
        Whether the first ``max(past_obs)`` counts have a part in the likelihood (tscount's ``init.drop``).
    dispersion : {"ml", "pearson"}
        Full maximum likelihood, or tscount's two steps: coefficients by Poisson quasi-likelihood with sandwich
        standard errors, then the dispersion that makes Pearson's statistic its degrees of freedom.
    interventions : tuple of Step, Pulse or Decay
        Dated changes, regressors of their own.
    external : tuple of str
        Names of regressors and intervention terms whose effect is not carried on through ``past_mean``.

    Raises
    ------
    InputError
        If an option is none of these; on ``fit``, if a regressor is constant, named twice or, with the identity link,
        below 0.
    FitError
        On ``fit``, if there are no more counts than coefficients or a count is above 1e9.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-07", periods=12, freq="W-SUN")
    >>> counts = pd.Series([2, 3, 9, 14, 11, 6, 2, 1, 0, 3, 8, 7], index=weeks)
    >>> model = INGARCH(family="poisson")
    >>> list(model.fit(counts).params.index)
    ['intercept', 'beta_1', 'alpha_1']
    >>> round(model.loglike({"intercept": 2.0, "beta_1": 0.5, "alpha_1": 0.1}, counts), 3)
    -33.543
    """

    past_obs: tuple[int, ...] = (1,)
    past_mean: tuple[int, ...] = (1,)
    link: Literal["identity", "log"] = "identity"
    family: Literal["negbin", "poisson"] = "negbin"
    init: Literal["marginal", "iid", "firstobs", "zero"] = "marginal"
    first: Literal["scored", "dropped"] = "scored"
    dispersion: Literal["ml", "pearson"] = "ml"
    interventions: tuple[Intervention, ...] = ()
    external: tuple[str, ...] = ()
    name: ClassVar[str] = "ingarch"
    takes_exog: ClassVar[bool] = True

    def __post_init__(self) -> None:
        choices = {
            "link": ("identity", "log"),
            "family": ("negbin", "poisson"),
            "init": ("marginal", "iid", "firstobs", "zero"),
            "first": ("scored", "dropped"),
            "dispersion": ("ml", "pearson"),
        }
        for option, allowed in choices.items():
            if getattr(self, option) not in allowed:
                raise InputError(
                    f"{option} is {getattr(self, option)!r}; ingarch takes {' or '.join(map(repr, allowed))}"
                )
        for option in ("past_obs", "past_mean"):
            lags = getattr(self, option)
            whole = isinstance(lags, tuple) and all(isinstance(k, int) and not isinstance(k, bool) for k in lags)
            if not whole or len(set(lags)) < len(lags) or min(lags, default=1) < 1:
                raise InputError(f"{option} is {lags!r}; give a tuple of different lags >= 1, such as (1,)")
        if not self.past_obs:
            raise InputError("past_obs is empty; give a lag, such as (1,), or use negative_binomial")
        check_interventions(self.interventions)
        if not isinstance(self.external, tuple) or not all(isinstance(name, str) for name in self.external):
            raise InputError(f"external is {self.external!r}; give a tuple of names of regressors")

    def loglike(
        self,
        params: pd.Series | dict[str, float],
        counts: CountsLike,
        *,
        exposure: pd.Series | None = None,
        exog: pd.DataFrame | None = None,
    ) -> float:
        """Log-likelihood of one count series at given parameters.

        Parameters
        ----------
        params : pandas.Series or dict
            Every parameter by its name, as ``fit.params`` has them.
        counts, exposure, exog
            As in :meth:`CountModel.fit`.

        Returns
        -------
        float
            Minus infinity where an expected count is not above 0.

        Raises
        ------
        InputError
            If a name is missing or unknown, the serial coefficients sum to 1, the dispersion is below 0, or the counts
            are not one series.
        """
        counts, exposure, _ = unpack_counts(counts, exposure)
        table = check_counts(counts)
        if isinstance(table, pd.DataFrame):
            raise InputError("loglike takes one count series and got a table; give one of its columns")
        y = table.to_numpy(dtype=float, na_value=np.nan)
        design = make_design(pd.PeriodIndex(table.index), 0, exposure, exog, np.isnan(y))
        names, matrix = self._terms(design)
        wanted = list(self._names(names))
        given = dict(params)
        if sorted(given) != sorted(wanted):
            raise InputError(f"params has {', '.join(map(str, given))}; this model has {', '.join(wanted)}")
        point = np.array([float(given[name]) for name in wanted] + [0.0] * (self.family == "poisson"))
        if not np.isfinite(point).all() or point[-1] < 0 or point[1 : 1 + self._serial].sum() == 1.0:
            raise InputError(
                f"params is {given}; give finite numbers, a dispersion >= 0 and serial ones off a sum of 1"
            )
        return log_likelihood(point, self._observe(y, design, names, matrix))

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Maximise the likelihood; see :meth:`CountModel.estimate`.

        Raises
        ------
        InputError
            If a regressor is constant or, with the identity link, below 0.
        FitError
            If there are no more counts than coefficients, or one is above 1e9.
        """
        names, matrix = self._terms(design)
        self._check(counts, names, matrix, design)
        data = self._observe(counts, design, names, matrix)
        search = search_space(data, free=self._free)
        found = maximise(data, search)
        cov, at_bound = covariance(found.point, data, search)
        if self.family == "negbin" and self.dispersion == "pearson":
            found, cov = two_steps(found, data, search)
        free = len(found.point) - (self.family == "poisson")
        labels = self._names(names)
        state, _, _ = recursion(found.point, data)
        return Estimate(
            params=found.point[:free],
            cov=cov[:free, :free],
            names=labels,
            llf=found.value,
            fitted=data.exposure * (np.exp(state) if data.log else state),
            converged=found.converged,
            state={
                "point": found.point,
                "cov": cov,
                "data": data,
                "scale": search.scale,
                "panel": None,
                "at_bound": tuple(label for label, is_held in zip(labels, at_bound, strict=False) if is_held),
            },
        )

    def evidence(self, estimate: Estimate) -> Evidence:
        """Moments of draws from the posterior; see :meth:`Shrinkable.evidence`."""
        return evidence_of(estimate.state, estimate.names[1:], free=self._free)

    def learn(self, evidence: Sequence[Sequence[Evidence]]) -> NormalPrior:
        """Normal distributions of serial coefficients, effects and log dispersion; see :meth:`Shrinkable.learn`."""
        return learn_normal(evidence)

    def shrunk(self, estimate: Estimate, counts: FloatArray, design: Design, prior: NormalPrior) -> Estimate:  # noqa: ARG002
        """Posterior means with the prior of the panel; see :meth:`Shrinkable.shrunk`."""
        state, drawn = with_prior(estimate.state, self.evidence(estimate), prior, free=self._free)
        data, point, size = state["data"], state["point"], len(estimate.params)
        rates, _, _ = recursion(point, data)
        return replace(
            estimate,
            params=point[:size],
            cov=np.cov(drawn.points[:, :size], rowvar=False),
            llf=log_likelihood(point, data),
            fitted=data.exposure * (np.exp(rates) if data.log else rates),
            state=state,
        )

    def carry(self, estimate: Estimate, counts: FloatArray, design: Design) -> Estimate:
        """Run the recursion on at the same parameters; see :meth:`Model.carry`."""
        names, matrix = self._terms(design)
        self._check_signs(names, matrix, design)
        data = self._observe(counts, design, names, matrix)
        rates, _, _ = recursion(estimate.state["point"], data)
        fitted = data.exposure * (np.exp(rates) if data.log else rates)
        return estimate.carried(fitted, {"data": data, "learnt": estimate.state.get("learnt", estimate.state["data"])})

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw parameters, then counts; see :meth:`CountModel.simulate`.

        Raises
        ------
        InputError
            If a coming regressor is below 0 with the identity link.
        """
        names, matrix = self._terms(design)
        self._check_signs(names, matrix, design)
        data: Observed = estimate.state["data"]
        until = up_to_last_count(data)
        last = len(until.y)
        learnt = up_to_last_count(estimate.state.get("learnt", data))
        drawn = resample(estimate.state, learnt, draws, rng, free=self._free)
        if "learnt" in estimate.state:
            _, carries, pasts = log_likelihoods(drawn.points, until)
            drawn = drawn._replace(carries=carries, pasts=pasts)
        x = np.concatenate([data.x[last:], matrix])
        exposure = np.concatenate([data.exposure[last:], design.exposure])
        paths = ingarch_paths(*drawn, data, x, exposure, rng)
        return paths[:, len(data.y) - last :]

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:  # noqa: ARG002
        """Counts around the rates of the recursion; see :meth:`CountModel.distributions`."""
        return count_distributions(estimate.fitted, estimate.state["point"][-1])

    def limits(self) -> dict[str, tuple[float, float]]:
        """See :meth:`Specification.limits`."""
        serial = [f"beta_{k}" for k in self.past_obs] + [f"alpha_{k}" for k in self.past_mean]
        least = 0.0 if self.link == "identity" else -1.0
        positive = ["intercept", *(one.term for one in self.interventions)] if self.link == "identity" else []
        return super().limits() | dict.fromkeys(positive, (0.0, math.inf)) | dict.fromkeys(serial, (least, 1.0))

    @property
    def _free(self) -> bool:
        """Whether the dispersion is estimated with all else."""
        return self.family == "negbin" and self.dispersion == "ml"

    @property
    def _serial(self) -> int:
        return len(self.past_obs) + len(self.past_mean)

    def _names(self, terms: list[str]) -> tuple[str, ...]:
        """Names of all parameters."""
        lags = [f"beta_{k}" for k in self.past_obs] + [f"alpha_{k}" for k in self.past_mean]
        return ("intercept", *lags, *terms, *(["dispersion"] if self.family == "negbin" else []))

    def _terms(self, design: Design) -> tuple[list[str], FloatArray]:
        """Names (k) and columns (n, k) of the regressors."""
        columns = [(one.term, one.column(design.periods)) for one in self.interventions]
        columns += [(name, design.exog[:, j]) for j, name in enumerate(design.exog_names)]
        names = [name for name, _ in columns]
        everything = [*self._names(names), "dispersion"][: len(names) + self._serial + 2]
        for name in names:
            if everything.count(name) > 1:
                raise InputError(f"ingarch has two terms called {name!r}; name each only once")
        unknown = set(self.external) - set(names)
        if unknown:
            raise InputError(f"external names {sorted(unknown)[0]!r}; the regressors are {names}")
        return names, np.column_stack([column for _, column in columns]) if columns else np.empty((len(design.time), 0))

    def _check(self, counts: FloatArray, names: list[str], matrix: FloatArray, design: Design) -> None:
        """Refuse what no fit can be had from."""
        check_largest(self.name, counts, LARGEST_COUNT)
        scored = int((~np.isnan(counts[self._dropped :])).sum())
        if scored <= 1 + self._serial + len(names):
            raise FitError(
                f"{scored} counts are too few for {1 + self._serial + len(names)} coefficients; use fewer lags"
            )
        for name, column in zip(names, matrix[~np.isnan(counts)].T, strict=True):
            if np.ptp(column) == 0:
                raise InputError(f"regressor {name!r} is {column[0]:g} in every observed period; leave it out")
        self._check_signs(names, matrix, design)

    def _check_signs(self, names: list[str], matrix: FloatArray, design: Design) -> None:
        """Refuse regressors below 0 where expected counts would be, too."""
        if self.link == "identity" and (matrix < 0).any():
            row, column = (int(i) for i in np.argwhere(matrix < 0)[0])
            raise InputError(
                f"regressor {names[column]!r} is {matrix[row, column]:g} at {design.periods[row]}; "
                "use link='log' or shift it to 0 and above"
            )

    @property
    def _dropped(self) -> int:
        """First periods that are not scored."""
        return max(self.past_obs) if self.first == "dropped" else 0

    def _observe(self, counts: FloatArray, design: Design, names: list[str], matrix: FloatArray) -> Observed:
        carried = np.array([float(name not in self.external) for name in names])
        lags = (self.past_obs, self.past_mean)
        return observe(counts, design.exposure, matrix, carried, lags, self.link, self.init, self._dropped)
