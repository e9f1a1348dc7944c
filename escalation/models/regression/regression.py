"""What Poisson and negative binomial regression share: terms, estimate, forecast."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.count_draws import draw_counts
from escalation.errors import DataWarning, FitError
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate
from escalation.models.contract.largest_rate import highest_log_rate
from escalation.models.contract.shrinkage import Evidence, NormalPrior, Shrinkable, learn_normal
from escalation.models.diagnostics.distributions import Distributions, count_distributions
from escalation.models.regression.derivatives import Variance, bounded_exp
from escalation.models.regression.likelihood import Data, maximise
from escalation.models.regression.panel_prior import evidence_of, with_prior
from escalation.models.regression.posterior import draw_parameters, draw_with_prior
from escalation.models.regression.statsmodels_results import observed, regression_results
from escalation.models.regression.terms import Terms, orthogonal


@dataclass(frozen=True)
class Regression(Terms, CountModel, Shrinkable):
    """Counts around ``exposure * exp(x'b)``."""

    takes_exog: ClassVar[bool] = True

    @property
    @abstractmethod
    def _variance(self) -> Variance:
        """How the variance follows from the mean."""

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Maximise the likelihood of the observed periods; see :meth:`CountModel.estimate`.

        Raises
        ------
        InputError
            If a term is constant, 0 throughout, named twice, or a sum of those before it.
        FitError
            If the counts do not determine the terms.
        """
        names, matrix = self.columns(design)
        seen = ~np.isnan(counts)
        basis = orthogonal(names, matrix, design.periods, seen)
        log_exposure = np.log(design.exposure)
        data = Data(counts[seen], basis.x, log_exposure[seen])
        try:
            found = maximise(data, self._variance)
        except np.linalg.LinAlgError:
            raise FitError(
                f"these counts do not distinguish {', '.join(names)} and a dispersion; use fewer terms"
            ) from None
        if found.falls is not None:
            endless = " and ".join(basis.unbounded(found.falls, matrix[seen]))
            warnings.warn(
                f"the zero counts leave {endless} without a finite maximum likelihood estimate; "
                "all coefficients were estimated with Jeffreys' prior",
                DataWarning,
                stacklevel=6,
            )
        coefficients = basis.to_terms @ found.coefficients
        spread = {"nb2": ("dispersion",), "nb1": ("variance_to_mean",), "poisson": ()}[self._variance]
        shift = 1.0 if self._variance == "nb1" else 0.0
        to_params = np.eye(len(names) + len(spread))
        to_params[: len(names), : len(names)] = basis.to_terms
        size = len(to_params)
        return Estimate(
            params=np.append(coefficients, found.dispersion + shift)[:size],
            cov=to_params @ found.cov[:size, :size] @ to_params.T,
            names=(*names, *spread),
            llf=found.llf,
            fitted=bounded_exp(matrix @ coefficients + log_exposure),
            converged=found.converged,
            state={"data": data, "to_terms": basis.to_terms, "dispersion": found.dispersion, "panel": None},
        )

    def evidence(self, estimate: Estimate) -> Evidence:
        """Moments of draws from the posterior; see :meth:`Shrinkable.evidence`."""
        return evidence_of(estimate, self._variance)

    def learn(self, evidence: Sequence[Sequence[Evidence]]) -> NormalPrior:
        """Normal distributions of the terms and of the log dispersion; see :meth:`Shrinkable.learn`."""
        return learn_normal(evidence)

    def shrunk(self, estimate: Estimate, counts: FloatArray, design: Design, prior: NormalPrior) -> Estimate:
        """Posterior means with the prior of the panel; see :meth:`Shrinkable.shrunk`."""
        found = with_prior(estimate, self._variance, prior)
        names, matrix = self.columns(design)
        fitted = bounded_exp(matrix @ found.params[: len(names)] + np.log(design.exposure))
        found = replace(found, fitted=fitted)
        seen = ~np.isnan(counts)
        with np.errstate(divide="ignore"):
            logs = np.log(self.distributions(found, counts, design).pmf(np.where(seen, counts, 0.0)))
        return replace(found, llf=float(logs[seen].sum()))

    def _draw(self, estimate: Estimate, draws: int, rng: Generator) -> tuple[FloatArray, FloatArray]:
        """Coefficients (draws, p) of the orthogonal terms and dispersions (draws,)."""
        data, leaning = estimate.state["data"], estimate.state["panel"]
        if leaning is None:
            return draw_parameters(data, self._variance, draws, rng)
        return draw_with_prior(
            data, self._variance, estimate.state["to_terms"], leaning.prior, leaning.around, draws, rng
        )

    def carry(self, estimate: Estimate, counts: FloatArray, design: Design) -> Estimate:  # noqa: ARG002
        """Coefficients are all there is: counts after the fit change nothing; see :meth:`Model.carry`."""
        names, matrix = self.columns(design)
        return estimate.carried(bounded_exp(matrix @ estimate.params[: len(names)] + np.log(design.exposure)), {})

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw parameters, then counts; see :meth:`CountModel.simulate`.

        Raises
        ------
        FitError
            If the terms are all but undetermined.
        """
        _, matrix = self.columns(design)
        try:
            coefficients, dispersion = self._draw(estimate, draws, rng)
        except np.linalg.LinAlgError:
            raise FitError("the terms are too uncertain to draw paths from; fit fewer terms") from None
        data: Data = estimate.state["data"]
        log_rate = coefficients @ (matrix @ estimate.state["to_terms"]).T
        top = highest_log_rate(data.y, data.offset)
        mean = bounded_exp(np.minimum(log_rate, top) + np.log(design.exposure))
        if self._variance == "poisson":
            return draw_counts(mean, None, rng)
        spread = dispersion[:, None]
        return draw_counts(mean, spread if self._variance == "nb2" else spread / mean, rng)

    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:  # noqa: ARG002
        """Counts around the fitted means; see :meth:`CountModel.distributions`."""
        dispersion = estimate.state["dispersion"]
        spread = dispersion / estimate.fitted if self._variance == "nb1" else dispersion
        return count_distributions(estimate.fitted, spread)

    def statsmodels_results(self, estimate: Estimate, counts: FloatArray, design: Design) -> Any:
        """``Poisson`` or ``NegativeBinomialP`` of statsmodels; see :meth:`CountModel.statsmodels_results`."""
        return regression_results(
            self.name, self._variance, observed(self.name, estimate, counts, design, self), estimate.params
        )
