"""The contract of a model of counts: options, fit, forecast, each an immutable thing.

A model is a frozen dataclass of options with three methods on plain arrays, :meth:`Model.estimate`,
:meth:`Model.simulate` and :meth:`Model.distributions`; what is the same for all (the gate, missing periods, histories
and their pooling, the result records) is here.  A :class:`CountModel` is of one series and gets counts (n,), a
:class:`PanelModel` is of several units at once and gets counts (n, units); else they are alike.
"""

from __future__ import annotations

import html
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Generic, Literal, Self, TypeVar, cast

import numpy as np
import pandas as pd

from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed
from escalation.counts.histories import POOLED, as_many, spread_over
from escalation.counts.series import CountsLike, unpack_counts
from escalation.errors import FitError, InputError
from escalation.forecasts.forecast import Forecast
from escalation.models.contract.calls import call_outside, check_estimates, simulate_paths
from escalation.models.contract.design import Checked, Design, Table, check_panel, check_series
from escalation.models.contract.estimate import (
    Estimate,
    FitResult,
    Specification,
    check_size,
    observed_behind,
    warn_not_converged,
)
from escalation.models.diagnostics.diagnostics import Diagnosis, diagnose, diagnosis_table
from escalation.models.diagnostics.distributions import Distributions

AnyFit = TypeVar("AnyFit", bound="Fit")


class Model(Specification, Generic[AnyFit]):
    """Options of a model of counts by period, of one series or of several units; ``fit`` makes a :class:`Fit`."""

    @abstractmethod
    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Fit to one fully known series or panel.

        Parameters
        ----------
        counts : (n,) float array, or (n, units) in a panel
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods; in a panel its exposure is (n, units), its regressors (n, k) are the same for all units.
        """

    @abstractmethod
    def distributions(
        self, estimate: Estimate, counts: FloatArray, design: Design
    ) -> Distributions | tuple[Distributions, ...]:
        """Distribution of each count of the fit given all counts before it, the parameters at their estimates.

        Parameters
        ----------
        estimate : Estimate
            What :meth:`estimate` made of these counts and this design.
        counts : (n,) float array, or (n, units) in a panel
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods.

        Returns
        -------
        Distributions, or in a panel a tuple of Distributions
            Of n counts, each unit's in a panel.
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

    def estimate_all(self, array: FloatArray, design: Design) -> tuple[Estimate, ...]:
        """Fit to each of several histories; a model overrides it that decides something for all of them together.

        Parameters
        ----------
        array : (histories, n) float array, or (histories, n, units) in a panel
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods.
        """
        return tuple(self.estimate(counts, design) for counts in array)

    def carry(self, estimate: Estimate, counts: FloatArray, design: Design) -> Estimate:
        """Keep an estimate's parameters, and how uncertain they are, and take its state from other counts.

        Parameters
        ----------
        estimate : Estimate
            Of counts that begin with the same period.
        counts : (n,) float array, or (n, units) in a panel
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods.

        Returns
        -------
        Estimate
            A model without parameters is estimated anew: all of it is state.

        Raises
        ------
        InputError
            If the model has parameters and does not say what their state is.
        """
        if estimate.names:
            raise InputError(f"{self.name} cannot carry its parameters on to other counts; fit it to them")
        return self.estimate(counts, design)

    def fit(
        self,
        counts: CountsLike,
        *,
        exposure: pd.Series | pd.DataFrame | None = None,
        exog: pd.DataFrame | None = None,
        histories: int = POOLED,
        unit: str | None = None,
    ) -> AnyFit:
        """Fit the model to counts, or to histories of them.

        Parameters
        ----------
        counts : Series, DataFrame of histories, CountSeries or Reconstruction
            Counts on a ``PeriodIndex`` (missing periods allowed): one series, or for a model of several units a table
            with one column each.  Histories of a series have one column each, those of a panel columns of two levels,
            unit and ``draw``; the model is fitted to ``histories`` of them, parameters are pooled by Rubin's rules
            (doi:10.1002/9780470316696) and forecast paths are joined.
        exposure : pandas.Series or pandas.DataFrame, optional
            Share of each period that was covered, > 0 where there is a count; what the series brings, or all 1, when
            left out.  In a panel one
            column for all units, or one for each.  Forecasts are of fully covered periods.
        exog : pandas.DataFrame, optional
            Regressors on the same periods, the same for all units; only for models that take them.
        histories : int
            How many histories to fit to, spread evenly over all.
        unit : str, optional
            What is counted, for sentences and axes; what the series brings, or ``incidents``, when left out.

        Returns
        -------
        CountFit or PanelFit

        Raises
        ------
        InputError
            If the counts, the exposure or the regressors do not fit together.
        FitError
            If too few periods were observed, or no fit could be had.
        """
        if exog is not None and not self.takes_exog:
            raise InputError(f"{self.name} takes no regressors; leave exog out, or use a model that takes them")
        table, shares, name = unpack_counts(counts, cast("pd.Series | None", exposure), unit)
        histories = check_whole(histories, "histories", 1_000_000)
        fit = fit_checked(self, self._arrays(table, shares, exog), histories, name)
        warn_not_converged(self.name, fit.estimates)
        return fit

    @abstractmethod
    def _arrays(self, counts: Table, exposure: Table | None, exog: pd.DataFrame | None) -> Checked:
        """Check counts, exposure and regressors, and put them into arrays; InputError if they do not fit together."""

    def _check_enough(self, array: FloatArray) -> None:
        """Refuse counts (histories, n, ...) that were observed in too few periods, with a FitError."""
        observed = int((~np.isnan(array[0])).reshape(array.shape[1], -1).any(axis=1).sum())
        if observed < self.min_periods:
            raise FitError(f"{observed} observed periods are too few for {self.name}; it needs {self.min_periods}")


@dataclass(frozen=True, eq=False)
class Fit(FitResult):
    """A fitted model of counts.

    Attributes
    ----------
    model : CountModel or PanelModel
        Its options.
    estimates : tuple of Estimate
        One a pooled history; one in all for exact counts.
    counts : pandas.Series or pandas.DataFrame
        What it was fitted to.
    design : Design
        The periods, exposures, regressors and, of a panel, units of the fit.
    array : (len(estimates), n) float array, or (len(estimates), n, units) of a panel
        The counts behind each estimate, NaN where not observed.
    unit : str
        What is counted.
    """

    model: Model[Any]
    counts: pd.Series | pd.DataFrame = field(repr=False)
    design: Design = field(repr=False)
    array: FloatArray = field(repr=False)
    unit: str

    @property
    def units(self) -> tuple[str, ...]:
        """Names of the units; one without a name for a single series."""
        return self.design.units or ("",)

    @property
    def nobs(self) -> int:
        """Observed counts, over all units."""
        return int((~np.isnan(self.array[0])).sum())

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
        return self.model.statsmodels_results(self.estimates[history], self.array[history], self.design)

    def forecast(
        self,
        horizon: int,
        *,
        draws: int = 1000,
        exog: pd.DataFrame | None = None,
        rng: Seed = None,
    ) -> Forecast:
        """Draw joint paths of the next periods, of all units.

        Parameters
        ----------
        horizon : int
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
            If ``horizon`` or ``draws`` is out of range or the regressors do not fit.
        """
        horizon, draws = check_size(horizon, draws, len(self.units))
        design = self.design.ahead(horizon, exog)
        paths, component = simulate_paths(self, design, draws, rng)
        return Forecast(
            paths=paths.reshape(len(self.units), draws, horizon),
            units=self.units,
            periods=design.periods,
            observed=observed_behind(self.array, component),
            model=self.model.name,
            unit=self.unit,
            component=component,
        )

    def update(
        self,
        counts: CountsLike,
        *,
        exposure: pd.Series | pd.DataFrame | None = None,
        exog: pd.DataFrame | None = None,
    ) -> Self:
        """Keep the parameters and take the state from other counts, usually these and what came after them.

        Parameters, their covariance and what paths are drawn from for their uncertainty stay those of this fit; levels,
        regimes and recent counts are those that ``counts`` leave at their end.  Models without parameters are fitted
        anew.  The log-likelihood is NaN, because it is not at its maximum.

        Parameters
        ----------
        counts : Series, DataFrame of histories, CountSeries or Reconstruction
            All counts, or histories, of the same units from the first period of the fit on.
        exposure, exog
            As in :meth:`Model.fit`, on the periods of ``counts``.

        Returns
        -------
        CountFit or PanelFit

        Raises
        ------
        InputError
            If the counts are of other units, begin with another period, have fewer histories than were pooled, or other
            regressors.
        FitError
            If too few periods were observed.

        Examples
        --------
        >>> from escalation.models.ingarch.model import INGARCH
        >>> counts = pd.Series([4, 6, 5, 3, 7, 6, 4, 5] * 6, index=pd.period_range("2020-01", periods=48, freq="M"))
        >>> fit = INGARCH().fit(counts[:40])
        >>> later = fit.update(counts)
        >>> later.params.equals(fit.params), later.nobs
        (True, 48)
        """
        given, shares, _ = unpack_counts(counts, cast("pd.Series | None", exposure))
        table, array, design = self.model._arrays(given, shares, exog)
        self.design.check_continued(design)
        self.model._check_enough(array)
        array = array[as_many(len(array), len(self.estimates))]
        estimates = tuple(
            call_outside(self.model, "carry", estimate, y, design)
            for estimate, y in zip(self.estimates, array, strict=True)
        )
        estimates = check_estimates(self.model, estimates, array)
        return replace(self, estimates=estimates, counts=table, design=design, array=array)

    def sentence(self) -> str:
        """Say in plain words what was fitted to what, and whether it converged."""
        first, last = self.design.periods[0].start_time.date(), self.design.periods[-1].end_time.date()
        text = f"{self.model.name} was fitted to {self.unit} from {first} to {last}: {self._basis()}"
        return f"{text}{'' if self.converged else '; the fit has not converged'}."

    def _basis(self) -> str:
        """Say how many units, periods and histories the fit rests on, and its log-likelihood."""
        several, m = len(self.design.units), len(self.estimates)
        on = f"{several:,} units and {self.nobs:,} counts" if several else f"{self.nobs} periods"
        pooled, known = f", pooled over {m} histories" if m > 1 else "", not np.isnan(self.llf)
        return f"{on}{pooled}{f'; log-likelihood {self.llf:.2f}' if known else ''}"

    def _mean_fitted(self) -> FloatArray:
        """Expected count of each period (and unit), mean over the histories."""
        return np.asarray(np.mean([estimate.fitted for estimate in self.estimates], axis=0))

    def _repr_html_(self) -> str:
        head = f"<b>{html.escape(repr(self.model))}</b> on {self._basis()}"
        return head + table_html(self.table().round(4), max_rows=60)


class CountModel(Model["CountFit"]):
    """Options of a model of one series; ``fit`` makes a :class:`CountFit`."""

    @abstractmethod
    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> Distributions:
        """Distribution of each count (n,) given those before it, the parameters at their estimates.

        Parameters
        ----------
        estimate : Estimate
            What :meth:`estimate` made of these counts and this design.
        counts : (n,) float array
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods.
        """

    def _arrays(self, counts: Table, exposure: Table | None, exog: pd.DataFrame | None) -> Checked:
        return check_series(self.name, counts, exposure, exog)


@dataclass(frozen=True, eq=False)
class CountFit(Fit):
    """A fitted model of one series.

    Attributes
    ----------
    model, estimates, counts, design, array, unit
        As in :class:`Fit`; ``array`` has the shape (len(estimates), n).
    """

    model: CountModel

    @property
    def fitted(self) -> pd.Series:
        """Expected count of each period (mean over the histories)."""
        return pd.Series(self._mean_fitted(), index=self.design.periods, name="fitted")

    def diagnose(
        self,
        *,
        confidence: float = 0.95,
        lags: int = 10,
        bins: int = 10,
        residuals: Literal["mid", "randomised"] = "mid",
        rng: Seed = None,
    ) -> Diagnosis:
        """Look for what is wrong with the model, from the distribution of each count given those before it.

        Level, dispersion, zeros, dependence on the past and shape are tested; p-values are adjusted by Holm's method,
        so that of right models some 5% or less are spoken against.  The tests need no draws (see
        ``models/diagnostics/misfit.py``): they are sums over the distributions, good for some 20 counts and more.

        Parameters
        ----------
        confidence : float
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
            If the model gives no count a distribution.
        """
        given = [
            call_outside(self.model, "distributions", estimate, y, self.design)
            for estimate, y in zip(self.estimates, self.array, strict=True)
        ]
        return diagnose(
            given,
            self.array.T,
            self.design.periods,
            model=self.model.name,
            unit=self.unit,
            confidence=confidence,
            lags=lags,
            bins=bins,
            residuals=residuals,
            rng=rng,
        )


class PanelModel(Model["PanelFit"]):
    """Options of a model of several units at once; ``fit`` makes a :class:`PanelFit`."""

    @abstractmethod
    def distributions(self, estimate: Estimate, counts: FloatArray, design: Design) -> tuple[Distributions, ...]:
        """Distributions of each unit's counts (n,) given all counts before them; see :meth:`Model.distributions`."""

    def _arrays(self, counts: Table, exposure: Table | None, exog: pd.DataFrame | None) -> Checked:
        return check_panel(self.name, counts, exposure, exog)


@dataclass(frozen=True, eq=False)
class PanelFit(Fit):
    """A fitted model of several units.

    Attributes
    ----------
    model, estimates, counts, design, array, unit
        As in :class:`Fit`; ``array`` has the shape (len(estimates), n, units).
    """

    model: PanelModel

    @property
    def fitted(self) -> pd.DataFrame:
        """Expected count of each period and unit (mean over the histories)."""
        return pd.DataFrame(self._mean_fitted(), index=self.design.periods, columns=list(self.units))

    def diagnose(self, *, confidence: float = 0.95) -> pd.DataFrame:
        """Look for what is wrong with the model in each unit, from the distribution of each count given all before it.

        Parameters
        ----------
        confidence : float
            Confidence with which the verdicts speak, over all units together.

        Returns
        -------
        pandas.DataFrame
            One row a unit: ``nobs``, ``dispersion`` (Pearson's statistic over the number of counts), ``zeros`` and
            ``zeros_expected``, p-values of the tests of :meth:`CountFit.diagnose` (``p_level``, ...), ``log_score``,
            ``rps``, ``impossible`` (counts of probability 0), ``p_holm`` (the least p-value, adjusted for the number
            of tests and of units), ``fine`` and ``verdict``.

        Raises
        ------
        InputError
            If ``confidence`` is not between 0 and 1.
        """
        check_level(confidence, "confidence")
        given = [
            call_outside(self.model, "distributions", estimate, y, self.design)
            for estimate, y in zip(self.estimates, self.array, strict=True)
        ]
        found: dict[str, Diagnosis | str] = {}
        for name, own, counts in zip(self.units, zip(*given, strict=True), self.array.T, strict=True):
            try:
                found[name] = diagnose(own, counts, self.design.periods, model=self.model.name, unit=self.unit)
            except FitError as error:
                found[name] = str(error)
        return diagnosis_table(found, confidence)


def fit_checked(model: Model[AnyFit], checked: Checked, histories: int, unit: str) -> AnyFit:
    """Fit to checked counts, or histories; says nothing of fits that did not converge.

    Raises
    ------
    FitError
        If too few periods were observed, or no fit could be had.
    """
    table, array, design = checked
    model._check_enough(array)
    array = array[spread_over(len(array), histories)]
    estimates = check_estimates(model, call_outside(model, "estimate_all", array, design), array)
    record: type[Fit] = PanelFit if design.units else CountFit
    return cast(AnyFit, record(model=model, estimates=estimates, counts=table, design=design, array=array, unit=unit))
