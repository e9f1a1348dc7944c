"""What zero-inflated and hurdle models share: a count part and a zero part with terms of their own."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from scipy.special import expit

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.count_draws import LARGEST_MEAN
from escalation.errors import DataWarning, FitError, InputError
from escalation.models.contract.base import CountModel
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import Estimate, check_family, check_largest
from escalation.models.contract.largest_rate import highest_log_rate
from escalation.models.regression.derivatives import bounded_exp
from escalation.models.regression.terms import Basis, Terms, orthogonal
from escalation.models.regression.zero_likelihood import Kind, ZeroData
from escalation.models.regression.zero_search import ZeroMaximum, draw_zero, maximise_zero

LARGEST_COUNT = 1e9
LEAST_INFLATION = 1e-5
"""A probability of a zero of its own kind below this everywhere counts as 0."""


@dataclass(frozen=True)
class ZeroModel(Terms, CountModel):
    """A count distribution with more or fewer zeros than its own."""

    family: Literal["negbin", "poisson"] = "negbin"
    zero: Terms = Terms(regressors=())  # noqa: RUF009 - frozen
    takes_exog: ClassVar[bool] = True
    kind: ClassVar[Kind]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_family(self.name, self.family)
        if type(self.zero) is not Terms:
            raise InputError(f"zero is {self.zero!r}; give Terms, such as Terms(trend='linear')")

    @abstractmethod
    def _mean(self, mean: FloatArray, zero: FloatArray, dispersion: float) -> FloatArray:
        """Expected counts (n,) of both parts together."""

    @abstractmethod
    def _draw(self, mean: FloatArray, dispersion: FloatArray, rng: Generator) -> IntArray:
        """Counts (draws, steps) that are no zeros of another kind, with means alike and dispersions (draws, 1)."""

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Maximise the likelihood of the observed periods; see :meth:`CountModel.estimate`.

        Raises
        ------
        InputError
            If a term is constant, 0 throughout, named twice, or a sum of those before it.
        FitError
            If there are no more counts than coefficients, or one is above 1e9.
        """
        names, matrix = self.columns(design)
        zero_names, zero_matrix = self.zero.columns(design)
        zero_names = [f"zero_{name}" for name in zero_names]
        twice = set(names) & set(zero_names)
        if twice:
            raise InputError(f"regressor {min(twice)!r} has the name of a term of the zero part; rename it")
        check_largest(self.name, counts, LARGEST_COUNT)
        seen = ~np.isnan(counts)
        if seen.sum() <= len(names) + len(zero_names):
            raise FitError(f"{seen.sum()} counts are too few for {len(names)} + {len(zero_names)} terms; use fewer")
        basis = orthogonal(names, matrix, design.periods, seen)
        zero_basis = orthogonal(zero_names, zero_matrix, design.periods, seen)
        log_exposure = np.log(design.exposure)
        data = ZeroData(counts[seen], basis.x, zero_basis.x, log_exposure[seen])
        found = maximise_zero(self.kind, self.family, data)
        p, q = len(names), len(zero_names)
        _warn_open(self.kind, found, (basis, matrix[seen]), (zero_basis, zero_matrix[seen]))
        to_params = np.eye(p + q + 1)
        to_params[:p, :p], to_params[p:-1, p:-1] = basis.to_terms, zero_basis.to_terms
        params = to_params @ np.append(found.point, found.dispersion)
        size = p + q + (self.family == "negbin")
        mean, zero = self._parts(params, design)
        return Estimate(
            params=params[:size],
            cov=(to_params @ found.cov @ to_params.T)[:size, :size],
            names=(*names, *zero_names, "dispersion")[:size],
            llf=found.llf,
            fitted=self._mean(mean, zero, found.dispersion),
            converged=found.converged,
            state={"data": data, "found": found, "to_terms": (basis.to_terms, zero_basis.to_terms)}
            | {"mean": mean, "zero": zero},
        )

    def carry(self, estimate: Estimate, counts: FloatArray, design: Design) -> Estimate:  # noqa: ARG002
        """Coefficients are all there is: counts after the fit change nothing; see :meth:`Model.carry`."""
        mean, zero = self._parts(estimate.params, design)
        fitted = self._mean(mean, zero, estimate.state["found"].dispersion)
        return estimate.carried(fitted, {"mean": mean, "zero": zero})

    def _parts(self, params: FloatArray, design: Design) -> tuple[FloatArray, FloatArray]:
        """Means of the count distribution and probabilities of the other zeros (n,)."""
        matrix, zero_matrix = self.columns(design)[1], self.zero.columns(design)[1]
        p, q = matrix.shape[1], zero_matrix.shape[1]
        return bounded_exp(matrix @ params[:p] + np.log(design.exposure)), expit(zero_matrix @ params[p : p + q])

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw parameters, then counts; see :meth:`CountModel.simulate`."""
        found: ZeroMaximum = estimate.state["found"]
        data: ZeroData = estimate.state["data"]
        points, dispersion = draw_zero(self.kind, self.family, data, found.point, found.dispersion, draws, rng)
        p = data.x.shape[1]
        to_terms, zero_to_terms = estimate.state["to_terms"]
        log_rate = points[:, :p] @ (self.columns(design)[1] @ to_terms).T
        log_mean = np.minimum(log_rate, highest_log_rate(data.y, data.offset)) + np.log(design.exposure)
        odds = points[:, p:] @ (self.zero.columns(design)[1] @ zero_to_terms).T
        mean = np.minimum(bounded_exp(log_mean), LARGEST_MEAN)
        counts = self._draw(mean, dispersion[:, None], rng)
        return np.where(rng.random(mean.shape) < expit(odds), 0, counts)


def _warn_open(kind: Kind, found: ZeroMaximum, *parts: tuple[Basis, FloatArray]) -> None:
    """Name the terms without a finite estimate, of the count part and of the zero part."""
    directions = (found.open_count, found.open_zero)
    names = [
        name
        for (basis, matrix), open_ones in zip(parts, directions, strict=True)
        for name in dict.fromkeys(n for direction in open_ones.T for n in basis.unbounded(direction, matrix))
    ]
    if not names:
        return
    basis = parts[1][0]
    inflation = expit(basis.x @ found.point[-len(basis.names) :])
    none = "no zero inflation is needed: " if kind == "inflated" and inflation.max() < LEAST_INFLATION else ""
    warnings.warn(
        f"{none}the counts leave {' and '.join(names)} without a finite maximum likelihood estimate; "
        "what is given is a value beyond which nothing changes, with a standard error that says nothing",
        DataWarning,
        stacklevel=5,
    )
