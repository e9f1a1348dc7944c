"""A count regression of statsmodels behind the contract of this package: fitted by statsmodels, continued here."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.errors import FitError, InputError
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.diagnostics.distributions import Distributions
from escalation.models.statsmodels_bridge.family import CountFamily

EXPOSURE = "exposure"
"""Column of ``exog`` with exposures that are no shares of a period."""
MOST_ITERATIONS = 2_000


class Continued(NamedTuple):
    """A column that goes on by itself: its value in the first period of the fit, and what it rises by a period."""

    name: str
    start: float
    step: float


class Columns(NamedTuple):
    """Columns of the mean (n, p) and of the zeros (n, q), and the log exposure (n,)."""

    x: FloatArray
    z: FloatArray
    log_exposure: FloatArray


@dataclass(frozen=True)
class StatsmodelsModel(CountModel):
    """A count regression of statsmodels; :func:`~escalation.models.from_statsmodels` makes it of fitted results.

    Parameters are those of statsmodels, under its names.  ``fit``, as a backtest calls it, has statsmodels fit the same
    distribution with the same columns anew; those that go on by themselves (``continued``) may be left out of ``exog``.
    Forecasts draw the parameters from a normal distribution with their covariance, an ``alpha`` below 0 taken as 0,
    and then the counts.  ``fitted`` is the mean of all counts, those that are zeros of another kind included.

    Parameters
    ----------
    family : CountFamily
        Distribution of the counts.
    terms : tuple of str
        Columns of the mean.
    zero_terms : tuple of str
        Columns of the zeros; empty where there are no other zeros.
    continued : tuple of Continued
        Columns that go on by themselves.
    takes_exposure : bool
        Whether ``exog`` has a column ``exposure``.
    cov_type : str
        Covariance that statsmodels is asked for.
    """

    family: CountFamily
    terms: tuple[str, ...]
    zero_terms: tuple[str, ...] = ()
    continued: tuple[Continued, ...] = ()
    takes_exposure: bool = False
    cov_type: str = "nonrobust"
    name: ClassVar[str] = "statsmodels"
    takes_exog: ClassVar[bool] = True

    @property
    def known(self) -> tuple[str, ...]:
        """Columns that ``exog`` may have, each once."""
        return tuple(dict.fromkeys((*self.terms, *self.zero_terms, *[EXPOSURE] * self.takes_exposure)))

    @property
    def asked(self) -> tuple[str, ...]:
        """Columns that ``exog`` must have."""
        alone = {one.name for one in self.continued}
        return tuple(name for name in self.known if name not in alone)

    def columns(self, design: Design) -> Columns:
        """Columns of the mean and of the zeros, and the log exposure, of the periods of a design.

        Raises
        ------
        InputError
            If a column is lacking, unknown, or an exposure not above 0.
        """
        strange = [name for name in design.exog_names if name not in self.known]
        if strange:
            raise InputError(f"exog has {strange[0]!r}, which the results of statsmodels have not; leave it out")
        given = {one.name: one.start + one.step * design.time for one in self.continued}
        given |= {name: design.exog[:, j] for j, name in enumerate(design.exog_names)}
        lacking = [name for name in self.asked if name not in given]
        if lacking:
            raise InputError(
                f"exog lacks {', '.join(lacking)}; give these columns for each of {len(design.time)} periods"
            )
        log_exposure = np.log(design.exposure)
        if self.takes_exposure:
            if (given[EXPOSURE] <= 0).any():
                raise InputError(f"column {EXPOSURE!r} of exog holds {np.nanmin(given[EXPOSURE]):g}; give numbers > 0")
            log_exposure = log_exposure + np.log(given[EXPOSURE])
        x, z = (
            np.column_stack([given[name] for name in names]) if names else np.empty((len(design.time), 0))
            for names in (self.terms, self.zero_terms)
        )
        return Columns(x, z, log_exposure)

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Have statsmodels fit the observed periods; see :meth:`CountModel.estimate`.

        Raises
        ------
        InputError
            If a column of ``exog`` is lacking or unknown, or the covariance is one that is not asked for again.
        FitError
            If statsmodels finds no maximum with a covariance.
        """
        columns, seen = self.columns(design), ~np.isnan(counts)
        x, z = (
            pd.DataFrame(values[seen], columns=list(names))
            for values, names in ((columns.x, self.terms), (columns.z, self.zero_terms))
        )
        results = refit(self.family, counts[seen], x, z, columns.log_exposure[seen], self.cov_type)
        return self.estimate_of(results, columns)

    def estimate_of(self, results: Any, columns: Columns) -> Estimate:
        """The estimate that results of statsmodels hold, with the means of the columns' periods.

        Raises
        ------
        FitError
            If the results have no covariance.
        """
        params, cov = np.asarray(results.params, dtype=np.float64), _covariance(results)
        converged = getattr(results, "converged", True)
        if hasattr(results, "mle_retvals"):
            converged = results.mle_retvals["converged"]
        return Estimate(
            params=params,
            cov=cov,
            names=tuple(str(name) for name in results.model.exog_names[: len(params)]),
            llf=float(results.llf),
            fitted=self._distributions(params, columns).mean,
            converged=bool(np.all(converged)),
            state={"results": results},
        )

    def _distributions(self, params: FloatArray, columns: Columns) -> Distributions:
        return self.family.distributions(self.family.moments(params[None], *columns))

    def carry(self, estimate: Estimate, counts: FloatArray, design: Design) -> Estimate:  # noqa: ARG002
        """Coefficients are all there is: counts after the fit change nothing; see :meth:`CountSpecification.carry`."""
        return estimate.carried(self._distributions(estimate.params, self.columns(design)).mean, {})

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw parameters, then counts; see :meth:`CountModel.simulate`."""
        # what rounding leaves below 0 of a variance is no error
        points = rng.multivariate_normal(estimate.params, estimate.cov, draws, check_valid="ignore", method="eigh")
        return self.family.draw(self.family.moments(points, *self.columns(design)), rng)

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:  # noqa: ARG002
        """Counts around the fitted means; see :meth:`CountModel.distributions`."""
        return self._distributions(estimate.params, self.columns(design))

    def statsmodels_results(self, estimate: Estimate, counts: FloatArray, design: Design) -> Any:  # noqa: ARG002
        """What statsmodels fitted; see :meth:`CountModel.statsmodels_results`."""
        if math.isnan(estimate.llf):
            raise InputError("statsmodels' results are of the counts before the update; take those of that fit")
        return estimate.state["results"]

    def limits(self) -> dict[str, tuple[float, float]]:
        """See :meth:`Specification.limits`."""
        return {"alpha": (0.0, math.inf), "zm_alpha": (0.0, math.inf)}


def _covariance(results: Any) -> FloatArray:
    """Covariance (d, d) of the parameters; of units that differ much none is lost in the rounding of another."""
    try:
        cov = np.asarray(results.cov_params(), dtype=np.float64)
    except ValueError:  # where the Hessian could not be inverted
        cov = np.full((1, 1), np.nan)
    if not np.isfinite(cov).all():
        raise FitError("statsmodels' fit has no covariance of its parameters; give it more periods or fewer terms")
    unit = np.sqrt(np.maximum(np.abs(np.diag(cov)), 1e-300))
    if np.linalg.eigvalsh(cov / np.outer(unit, unit))[0] < -1e-8:
        raise FitError("statsmodels' fit ended where its likelihood has no maximum; give it other starting values")
    return cov


def refit(
    family: CountFamily, y: FloatArray, x: pd.DataFrame, z: pd.DataFrame, log_exposure: FloatArray, cov_type: str
) -> Any:
    """Have statsmodels fit a family to counts (n,), columns of the mean (n, p) and of the zeros (n, q).

    Raises
    ------
    InputError
        If the covariance is one that needs more than its name, or there is an exposure before a hurdle.
    FitError
        If statsmodels fails.
    """
    if cov_type != "nonrobust" and not cov_type.startswith("HC"):
        raise InputError(f"results with a covariance of type {cov_type} cannot be fitted anew; fit them without it")
    if family.hurdle and log_exposure.any():
        raise InputError("statsmodels' hurdle model has no exposure; leave it out, or use Hurdle")
    kwds = {} if family.hurdle else {"cov_type": cov_type}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of its starting values; what matters is looked at afterwards
            return _fitted(family, y, x, z, log_exposure if log_exposure.any() else None, kwds)
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FitError(
            f"statsmodels could not fit these counts ({reason}); give it more periods or fewer terms"
        ) from None


def _fitted(
    family: CountFamily,
    y: FloatArray,
    x: pd.DataFrame,
    z: pd.DataFrame,
    offset: FloatArray | None,
    kwds: dict[str, str],
) -> Any:
    from statsmodels.discrete import count_model, discrete_model, truncated_model
    from statsmodels.genmod import families
    from statsmodels.genmod.generalized_linear_model import GLM

    power = {} if family.counts == "poisson" else {"p": family.power}
    if family.alpha is not None:
        distribution = families.NegativeBinomial(alpha=family.alpha)
        return GLM(y, x, family=distribution, offset=offset).fit(maxiter=MOST_ITERATIONS, **kwds)
    if family.hurdle:
        model = truncated_model.HurdleCountModel(y, x, dist=family.counts, zerodist=family.zero, **power)
    elif family.zero != "none":
        kinds = {
            "poisson": count_model.ZeroInflatedPoisson,
            "negbin": count_model.ZeroInflatedNegativeBinomialP,
            "generalized_poisson": count_model.ZeroInflatedGeneralizedPoisson,
        }
        model = kinds[family.counts](y, x, exog_infl=z, offset=offset, inflation=family.zero, **power)
    else:
        plain = {
            "poisson": discrete_model.Poisson,
            "negbin": discrete_model.NegativeBinomialP,
            "generalized_poisson": discrete_model.GeneralizedPoisson,
        }
        model = plain[family.counts](y, x, offset=offset, **power)
    return model.fit(disp=0, maxiter=MOST_ITERATIONS, **kwds)
