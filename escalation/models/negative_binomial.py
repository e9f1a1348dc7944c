"""Negative binomial regression: a rate with trend, season, interventions and regressors."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.errors import DataWarning, FitError, InputError
from escalation.models.base import CountModel, IntArray
from escalation.models.design import Design, FloatArray
from escalation.models.estimate import Estimate
from escalation.models.interventions import Pulse, Step
from escalation.models.laws import Laws, count_laws
from escalation.models.negative_binomial_likelihood import Data, bounded_exp, draw_parameters, maximise
from escalation.periods import parse_freq

LARGEST_MEAN = 1e15
"""Drawn rates are cut here, so that 5,000 summed periods still fit into 64 bits."""


@dataclass(frozen=True)
class NegativeBinomial(CountModel):
    r"""Negative binomial (NB2) regression on time, by maximum likelihood.

    The count of a period has mean ``exposure * exp(x'b)`` and variance ``mean + alpha * mean**2``; the
    dispersion ``alpha`` is always estimated, and is 0 (Poisson) where the counts are not overdispersed.
    The numbers are those of ``MASS::glm.nb`` (theta = 1/alpha) and of statsmodels' ``NegativeBinomial``
    (``loglike_method="nb2"``; Hilbe 2011, doi:10.1017/CBO9780511973420), which does the fitting.

    Its parameters are ``level`` (log rate per full period when all other terms are 0), ``trend``, ``season_sin1``,
    ``season_cos1``, …, ``step_<date>``, ``pulse_<date>``, the regressors' names, and ``dispersion``.
    Where ``dispersion`` is 0 its standard error is that of the Poisson limit, ``sqrt(2 / sum(mean**2))``.

    Where all counts under a term are 0 its estimate would be minus infinity; all coefficients are then estimated
    with Jeffreys' prior (Firth 1993, doi:10.1093/biomet/80.1.27) and a :class:`~escalation.DataWarning` says so.

    Forecasts draw the parameters from their posterior under Jeffreys' prior for the coefficients and an exponential
    prior of mean 1 for ``sqrt(alpha)``, the rate's coefficient of variation (it shrinks towards the Poisson model, as
    Simpson et al. 2017, doi:10.1214/16-STS576, advise), because the maximum likelihood dispersion of a short series
    is too low.  A trend goes on as it is; rates are cut at 1e15.

    Parameters
    ----------
    trend : {"none", "linear"}
        ``"linear"``: the log rate changes by ``b = params["trend"]`` a period, counted from the first period
        of the fit; ``exp(b) - 1`` is the growth rate and ``log(2) / b`` the doubling time in periods.
    season : int
        Pairs of sine and cosine (0: none), phase counted by the calendar, not from the start of the series.
    season_length : float, optional
        Periods in one season; when left out a year for weeks (365.25 / 7) and months (12), a week for days (7).
    interventions : tuple of Step or Pulse
        Dated changes of the rate.

    Raises
    ------
    InputError
        If an option is none of these; on ``fit``, if a term cannot be told apart from those before it.
    FitError
        On ``fit``, if there are no more observed periods than terms, or the likelihood has no clear maximum.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> weeks = pd.period_range("2023-10-16", periods=8, freq="W-SUN", name="period")
    >>> counts = pd.Series([9, 31, 12, 22, 3, 2, 6, 1], index=weeks)
    >>> fit = NegativeBinomial(interventions=(Step("2023-11-13"),)).fit(counts)
    >>> np.exp(fit.params[["level", "step_2023-11-13"]]).round(3).tolist()  # 74 / 4, and 12 / 74
    [18.5, 0.162]
    """

    trend: Literal["none", "linear"] = "none"
    season: int = 0
    season_length: float | None = None
    interventions: tuple[Step | Pulse, ...] = ()
    name: ClassVar[str] = "negative_binomial"
    takes_exog: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.trend not in ("none", "linear"):
            raise InputError(f"trend is {self.trend!r}; use 'none' or 'linear'")
        if isinstance(self.season, bool) or not isinstance(self.season, int | np.integer) or self.season < 0:
            raise InputError(f"season is {self.season!r}; give the number of Fourier pairs, a whole number >= 0")
        if self.season_length is not None and not (
            isinstance(self.season_length, int | float) and 2 < self.season_length < np.inf
        ):
            raise InputError(
                f"season_length is {self.season_length!r}; give the number of periods in a season, above 2"
            )
        if self.season_length is not None and self.season == 0:
            raise InputError(f"season_length is {self.season_length!r} but season is 0; give season >= 1")
        if not isinstance(self.interventions, tuple) or not all(
            isinstance(one, Step | Pulse) for one in self.interventions
        ):
            raise InputError(f"interventions is {self.interventions!r}; give a tuple such as (Step('2024-02-05'),)")

    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Maximise the likelihood of the observed periods; see :meth:`CountModel.estimate`.

        Raises
        ------
        InputError
            If a term is constant, 0 throughout, named twice, or a sum of those before it.
        FitError
            If the counts do not determine the terms.
        """
        names, matrix = self._terms(design)
        seen = ~np.isnan(counts)
        _check_terms(names, matrix[seen], design.periods[seen])
        basis, triangle = np.linalg.qr(matrix[seen])
        to_terms = np.linalg.inv(triangle) * np.sqrt(seen.sum())
        data = Data(counts[seen], basis * np.sqrt(seen.sum()), np.log(design.exposure[seen]))
        try:
            found = maximise(data)
        except np.linalg.LinAlgError:
            raise FitError(
                f"these counts do not tell {', '.join(names)} and a dispersion apart; use fewer terms"
            ) from None
        coefficients = to_terms @ found.coefficients
        if found.falls is not None:
            _warn_unbounded(names, (to_terms @ found.falls) * np.abs(matrix[seen]).max(axis=0))
        params = np.append(coefficients, found.dispersion)
        to_params = np.eye(len(params))
        to_params[:-1, :-1] = to_terms
        fitted = bounded_exp(matrix @ coefficients + np.log(design.exposure))
        return Estimate(
            params=params,
            cov=to_params @ found.cov @ to_params.T,
            names=(*names, "dispersion"),
            llf=found.llf,
            fitted=fitted,
            converged=found.converged,
            state={"data": data, "to_terms": to_terms},
        )

    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw parameters, then counts; see :meth:`CountModel.simulate`.

        Raises
        ------
        FitError
            If the terms are all but undetermined.
        """
        _, matrix = self._terms(design)
        try:
            coefficients, dispersion = draw_parameters(estimate.state["data"], draws, rng)
        except np.linalg.LinAlgError:
            raise FitError("the terms are too uncertain to draw paths from; fit fewer terms") from None
        mean = bounded_exp(coefficients @ (matrix @ estimate.state["to_terms"]).T + np.log(design.exposure))
        shape = 1 / dispersion[:, None]
        rate = mean * rng.gamma(shape, 1 / shape, size=mean.shape)
        return rng.poisson(np.minimum(rate, LARGEST_MEAN)).astype(np.int64)

    def laws(self, estimate: Estimate, counts: FloatArray, design: Design) -> Laws:  # noqa: ARG002
        """NB2 counts around the fitted means; see :meth:`CountModel.laws`."""
        return count_laws(estimate.fitted, estimate.params[-1])

    def _terms(self, design: Design) -> tuple[list[str], FloatArray]:
        """Names (p) and columns (n, p) of the terms."""
        columns = {"level": np.ones(len(design.time))}
        if self.trend == "linear":
            columns["trend"] = design.time
        columns |= _season(design.periods, self.season, self.season_length)
        rest = [(one.term, one.column(design.periods)) for one in self.interventions]
        rest += [(name, design.exog[:, j]) for j, name in enumerate(design.exog_names)]
        for name, column in rest:
            if name in columns or name == "dispersion":
                raise InputError(
                    f"there are two terms called {name!r}; give each intervention once and rename regressors"
                )
            columns[name] = column
        return list(columns), np.column_stack(list(columns.values()))


def _season(periods: pd.PeriodIndex, pairs: int, length: float | None) -> dict[str, FloatArray]:
    """Fourier columns (n,) by name."""
    if pairs == 0:
        return {}
    if length is None:
        length = {"D": 7.0, "M": 12.0}.get(parse_freq(periods.freqstr), 365.25 / 7)
    if 2 * pairs >= length:
        raise InputError(f"season is {pairs} pairs in {length:g} periods; at most {int(np.ceil(length / 2)) - 1} fit")
    angle = 2 * np.pi * periods.asi8 / length
    return {
        f"season_{name}{k}": wave(k * angle)
        for k in range(1, pairs + 1)
        for name, wave in (("sin", np.sin), ("cos", np.cos))
    }


def _check_terms(names: list[str], matrix: FloatArray, periods: pd.PeriodIndex) -> None:
    """Refuse terms (n, p) that the observed periods cannot tell apart."""
    span = f"{periods[0]} to {periods[-1]}"
    for name, column in zip(names[1:], matrix.T[1:], strict=True):
        if not column.any():
            raise InputError(f"{name} is 0 in every observed period of {span}; its effect cannot be known, so drop it")
        if (column == column[0]).all():
            raise InputError(f"{name} is the same in every observed period of {span}, as the level is; drop it")
    if len(matrix) <= len(names):
        raise FitError(f"{len(matrix)} observed periods are too few for {len(names)} terms and a dispersion; use fewer")
    scaled = matrix / np.linalg.norm(matrix, axis=0)
    alone = np.abs(np.diag(np.linalg.qr(scaled, mode="r")))
    if (alone < 1e-7).any():
        j = int(np.argmax(alone < 1e-7))
        raise InputError(f"{names[j]} is a sum of the terms before it ({', '.join(names[:j])}); drop one of them")


def _warn_unbounded(names: list[str], falls: FloatArray) -> None:
    """Name the terms (p,) that the likelihood would send to infinity."""
    endless = [name for name, fall in zip(names, falls, strict=True) if abs(fall) > 1e-6 * np.abs(falls).max()]
    warnings.warn(
        f"the zero counts leave {' and '.join(endless)} without a finite maximum likelihood estimate; "
        "all coefficients were estimated with Jeffreys' prior",
        DataWarning,
        stacklevel=5,
    )
