"""The contract of a count model of one series: options, fit, forecast, each an immutable thing.

A model is a frozen dataclass of options with three methods on plain arrays, :meth:`CountModel.estimate`,
:meth:`CountModel.simulate` and :meth:`CountModel.laws`; what is the same for all (the gate, missing periods,
histories and their pooling, the result records) is here.  Models of several series at once are in ``panel.py``.
"""

from __future__ import annotations

import html
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from escalation.arguments import check_whole
from escalation.counts import checked_counts, is_histories
from escalation.errors import FitError, InputError
from escalation.forecast import Forecast
from escalation.models.design import Design, FloatArray, make_design
from escalation.models.diagnostics import Diagnosis, diagnose
from escalation.models.estimate import (
    CountSpecification,
    Estimate,
    FitResult,
    as_many,
    check_size,
    simulate_paths,
    spread_over,
    warn_unsettled,
)
from escalation.models.laws import Laws
from escalation.randomness import Seed

IntArray = NDArray[np.int64]

POOLED = 25
"""Histories that a fit pools by default; Rubin's rules lose little beyond some twenty."""


class CountModel(CountSpecification):
    """Options of a count model; ``fit`` makes a :class:`CountFit`."""

    @abstractmethod
    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Fit to one series.

        Parameters
        ----------
        counts : (n,) float array
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods.
        """

    @abstractmethod
    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw joint paths of the periods in ``design``, the uncertainty of the parameters included.

        Returns
        -------
        (draws, steps) int64 array
        """

    @abstractmethod
    def laws(self, estimate: Estimate, counts: FloatArray, design: Design) -> Laws:
        """Law of each count of the fit given those before it, the parameters at their estimates.

        Parameters
        ----------
        estimate : Estimate
            What :meth:`estimate` made of these counts and this design.
        counts : (n,) float array
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods.

        Returns
        -------
        Laws
            Of n counts.
        """

    def statsmodels_results(self, estimate: Estimate, counts: FloatArray, design: Design) -> Any:  # noqa: ARG002
        """Results object of statsmodels at an estimate; see :attr:`CountFit.results`.

        Parameters
        ----------
        estimate : Estimate
            What :meth:`estimate` made of these counts and this design.
        counts : (n,) float array
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods.

        Raises
        ------
        InputError
            If statsmodels has no such model, or no results for these counts.
        """
        raise InputError(
            f"{self.name} is no model of statsmodels; results are those of poisson, negative_binomial, zero_inflated, "
            "hurdle and from_statsmodels"
        )

    def estimate_all(self, matrix: FloatArray, design: Design) -> tuple[Estimate, ...]:
        """Fit to each of several histories; a model overrides it that decides something for all of them together.

        Parameters
        ----------
        matrix : (n, histories) float array
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods.
        """
        return tuple(self.estimate(counts, design) for counts in matrix.T)

    def fit(
        self,
        counts: pd.Series | pd.DataFrame,
        *,
        exposure: pd.Series | None = None,
        exog: pd.DataFrame | None = None,
        pool: int = POOLED,
        unit: str = "incidents",
    ) -> CountFit:
        """Fit the model to one count series, or to histories of it.

        Parameters
        ----------
        counts : pandas.Series or pandas.DataFrame
            Counts on a ``PeriodIndex`` (missing periods allowed), or histories; for histories the
            model is fitted to ``pool`` of them, parameters are pooled by Rubin's rules
            (doi:10.1002/9780470316696) and forecast paths are joined.
        exposure : pandas.Series, optional
            Share of each period that was covered, > 0 where it was observed; all 1 when left out.
        exog : pandas.DataFrame, optional
            Regressors on the same periods; only for models that take them.
        pool : int
            How many histories to fit to, spread evenly over all.
        unit : str
            What is counted, for sentences and axes.

        Returns
        -------
        CountFit

        Raises
        ------
        InputError
            If the counts, the exposure or the regressors do not fit together.
        FitError
            If too few periods were observed, or no fit could be had.
        """
        table, matrix = checked_counts(counts)
        if isinstance(table, pd.DataFrame) and not is_histories(table):
            raise InputError(
                f"{self.name} fits one series and got a table of {table.shape[1]} units; fit each column by itself"
            )
        if exog is not None and not self.takes_exog:
            raise InputError(f"{self.name} takes no regressors; leave exog out or use negative_binomial")
        pool = check_whole(pool, "pool", 1_000_000)
        design = _design(table, matrix, exposure, exog)
        fit = fit_checked(self, table, matrix, design, pool, unit)
        warn_unsettled(self.name, fit.estimates)
        return fit


@dataclass(frozen=True, eq=False)
class CountFit(FitResult):
    """A fitted count model.

    Attributes
    ----------
    model : CountModel
        Its options.
    estimates : tuple of Estimate
        One a pooled history; one in all for exact counts.
    counts : pandas.Series or pandas.DataFrame
        What it was fitted to.
    design : Design
        The periods, exposures and regressors of the fit.
    matrix : (n, len(estimates)) float array
        The series behind each estimate, NaN where not observed.
    unit : str
        What is counted.
    """

    model: CountModel
    counts: pd.Series | pd.DataFrame = field(repr=False)
    design: Design = field(repr=False)
    matrix: FloatArray = field(repr=False)
    unit: str

    @property
    def nobs(self) -> int:
        """Observed periods."""
        return int((~np.isnan(self.matrix[:, 0])).sum())

    @property
    def fitted(self) -> pd.Series:
        """Expected count of each period (mean over the histories)."""
        values = np.mean([estimate.fitted for estimate in self.estimates], axis=0)
        return pd.Series(values, index=self.design.periods, name="fitted")

    @cached_property
    def results(self) -> Any:
        """The fit as a results object of statsmodels, for its summary, tests, diagnostics and predictions.

        Its model is that of :mod:`statsmodels.discrete` with the terms, the counts and the log exposure of this fit; it
        is taken at the parameters found here, not optimised again, with the covariance from statsmodels' own Hessian.
        A negative binomial's ``alpha`` is ``dispersion``, or ``variance_to_mean - 1``; coefficients on the log odds of
        zero inflation begin with ``inflate_``.  Made, and statsmodels imported, when first asked for.

        Raises
        ------
        InputError
            If the fit is to several histories (see :meth:`results_of`), was updated, or statsmodels cannot hold it.
        """
        m = len(self.estimates)
        if m > 1:
            raise InputError(
                f"the fit is to {m} histories, statsmodels' results are of one; take fit.results_of(0) and so on"
            )
        return self.results_of(0)

    def results_of(self, history: int) -> Any:
        """The fit to one of the pooled histories, counted from 0, as a results object; see :attr:`results`.

        Raises
        ------
        InputError
            If there is no such history, or statsmodels cannot hold the fit.
        """
        if history not in range(len(self.estimates)):
            raise InputError(f"history is {history!r}; give a whole number from 0 to {len(self.estimates) - 1}")
        return self.model.statsmodels_results(self.estimates[history], self.matrix[:, history], self.design)

    def forecast(
        self,
        steps: int,
        *,
        draws: int = 1000,
        exog: pd.DataFrame | None = None,
        rng: Seed = None,
    ) -> Forecast:
        """Draw joint paths of the next periods.

        Parameters
        ----------
        steps : int
            Periods ahead, 1 to 5,000.
        draws : int
            Paths; with histories they are shared out evenly.
        exog : pandas.DataFrame, optional
            Regressors of the coming periods, one row a step; needed when the fit had some.
        rng : int, Generator or None
            Seed or generator.

        Returns
        -------
        Forecast
            The uncertainty of the parameters, of the histories and of the counts themselves is in the paths.

        Raises
        ------
        InputError
            If ``steps`` or ``draws`` is out of range or the regressors do not fit.
        """
        steps, draws = check_size(steps, draws)
        design = self.design.ahead(steps, exog)
        paths, component = simulate_paths(self, design, draws, rng)
        past = self.matrix.T
        return Forecast(
            paths=paths,
            periods=design.periods,
            observed=np.broadcast_to(past, (draws, past.shape[1])) if len(past) == 1 else past[component],
            model=self.model.name,
            unit=self.unit,
            component=component,
        )

    def update(
        self, counts: pd.Series | pd.DataFrame, *, exposure: pd.Series | None = None, exog: pd.DataFrame | None = None
    ) -> CountFit:
        """Keep the parameters and take the state from other counts, usually these and what came after them.

        Parameters, their covariance and what paths are drawn from for their uncertainty stay those of this fit; levels,
        regimes and recent counts are those that ``counts`` leave at their end.  Models without parameters are fitted
        anew.  The log-likelihood is NaN, because it is not at its maximum.

        Parameters
        ----------
        counts : pandas.Series or pandas.DataFrame
            All counts, or histories, from the first period of the fit on.
        exposure, exog
            As in :meth:`CountModel.fit`, on the periods of ``counts``.

        Returns
        -------
        CountFit

        Raises
        ------
        InputError
            If the counts begin with another period, have fewer histories than were pooled, or other regressors.
        FitError
            If too few periods were observed.

        Examples
        --------
        >>> from escalation.models.ingarch import INGARCH
        >>> counts = pd.Series([4, 6, 5, 3, 7, 6, 4, 5] * 6, index=pd.period_range("2020-01", periods=48, freq="M"))
        >>> fit = INGARCH().fit(counts[:40])
        >>> later = fit.update(counts)
        >>> later.params.equals(fit.params), later.nobs
        (True, 48)
        """
        table, matrix = checked_counts(counts)
        if isinstance(table, pd.DataFrame) and not is_histories(table):
            raise InputError(f"the fit is of one series, the counts are of {table.shape[1]} units; give one column")
        self.design.check_begin(pd.PeriodIndex(table.index))
        design = _design(table, matrix, exposure, exog)
        self.design.check_same(design)
        _check_enough(self.model, matrix)
        matrix = matrix[:, as_many(matrix.shape[1], len(self.estimates))]
        estimates = tuple(
            self.model.carry(estimate, y, design) for estimate, y in zip(self.estimates, matrix.T, strict=True)
        )
        return replace(self, estimates=estimates, counts=table, design=design, matrix=matrix)

    def diagnose(
        self,
        *,
        level: float = 0.95,
        lags: int = 10,
        bins: int = 10,
        residuals: Literal["mid", "randomised"] = "mid",
        rng: Seed = None,
    ) -> Diagnosis:
        """Look for what is wrong with the model, from the law of each count given those before it.

        Level, dispersion, zeros, dependence on the past and shape are tested; p-values are adjusted by Holm's method,
        so that of right models some 5% or less are spoken against.  The tests need no draws (see
        ``models/misfit.py``): they are sums over the laws, good for some 20 counts and more.

        Parameters
        ----------
        level : float
            Confidence with which the verdict speaks, over all tests together.
        lags : int
            Most lags of the autocorrelation; a fifth of the number of counts at most.
        bins : int
            Of the PIT histogram.
        residuals : {"mid", "randomised"}
            Quantile residuals of the middle of the PIT interval, or of a point drawn in it (Dunn & Smyth).  Tests use
            the middle.
        rng : int, Generator or None
            Seed or generator; only for ``"randomised"``.

        Returns
        -------
        Diagnosis

        Raises
        ------
        InputError
            If an option is out of range.
        FitError
            If the model gives no count a law.
        """
        laws = [
            self.model.laws(estimate, y, self.design) for estimate, y in zip(self.estimates, self.matrix.T, strict=True)
        ]
        return diagnose(
            laws,
            self.matrix,
            self.design.periods,
            model=self.model.name,
            unit=self.unit,
            level=level,
            lags=lags,
            bins=bins,
            residuals=residuals,
            rng=rng,
        )

    def _repr_html_(self) -> str:
        kind = f", pooled over {len(self.estimates)} histories" if len(self.estimates) > 1 else ""
        head = f"<b>{html.escape(repr(self.model))}</b> on {self.nobs} periods{kind}; log-likelihood {self.llf:.2f}"
        return head + self.summary().round(4).to_html()


def fit_checked(
    model: CountModel, table: pd.Series | pd.DataFrame, matrix: FloatArray, design: Design, pool: int, unit: str
) -> CountFit:
    """Fit to checked counts, or histories, whose values are ``matrix`` (n, draws); says nothing of unsettled fits.

    Raises
    ------
    FitError
        If too few periods were observed, or no fit could be had.
    """
    _check_enough(model, matrix)
    chosen = spread_over(matrix.shape[1], pool)
    estimates = model.estimate_all(matrix[:, chosen], design)
    return CountFit(model=model, estimates=estimates, counts=table, design=design, matrix=matrix[:, chosen], unit=unit)


def _design(
    table: pd.Series | pd.DataFrame, matrix: FloatArray, exposure: pd.Series | None, exog: pd.DataFrame | None
) -> Design:
    """The design of the periods of checked counts, whose values are ``matrix`` (n, histories)."""
    return make_design(pd.PeriodIndex(table.index), 0, exposure, exog, np.isnan(matrix[:, 0]))


def _check_enough(model: CountModel, matrix: FloatArray) -> None:
    observed = int((~np.isnan(matrix[:, 0])).sum())
    if observed < model.min_periods:
        raise FitError(f"{observed} observed periods are too few for {model.name}; it needs {model.min_periods}")
