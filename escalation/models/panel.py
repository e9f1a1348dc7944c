"""The contract of a count model of several units at once: options, fit, forecast, as in ``base.py`` for one series."""

from __future__ import annotations

import html
from abc import abstractmethod
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from escalation.arguments import check_level, check_whole
from escalation.counts import check_counts, is_histories, panel_array
from escalation.errors import FitError, InputError
from escalation.forecast import PanelForecast
from escalation.models.base import POOLED, IntArray
from escalation.models.design import Design, FloatArray, make_design, panel_shares
from escalation.models.diagnostics import Diagnosis, diagnose, diagnosis_table
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


class PanelModel(CountSpecification):
    """Options of a model of several units; ``fit`` makes a :class:`PanelFit`."""

    @abstractmethod
    def estimate(self, counts: FloatArray, design: Design) -> Estimate:
        """Fit to one fully known panel.

        Parameters
        ----------
        counts : (n, units) float array
            Whole numbers, NaN where not observed.
        design : Design
            The same n periods; its exposure is (n, units), its regressors (n, k) are the same for all units.
        """

    @abstractmethod
    def simulate(self, estimate: Estimate, design: Design, draws: int, rng: Generator) -> IntArray:
        """Draw joint paths of the periods in ``design``, the uncertainty of the parameters included.

        Returns
        -------
        (units, draws, steps) int64 array
        """

    @abstractmethod
    def laws(self, estimate: Estimate, counts: FloatArray, design: Design) -> tuple[Laws, ...]:
        """Laws of each unit's counts (n) given all counts before them, the parameters at their estimates."""

    def fit(
        self,
        counts: pd.DataFrame,
        *,
        exposure: pd.Series | pd.DataFrame | None = None,
        exog: pd.DataFrame | None = None,
        histories: int = POOLED,
        unit: str = "incidents",
    ) -> PanelFit:
        """Fit the model to a panel, or to histories of one.

        Parameters
        ----------
        counts : pandas.DataFrame
            Counts on a ``PeriodIndex``, one column a unit (missing periods allowed).  Histories have columns of two
            levels, unit and ``draw``; the model is fitted to ``histories`` of them, parameters are pooled by Rubin's
            rules (doi:10.1002/9780470316696) and forecast paths are joined.
        exposure : pandas.Series or pandas.DataFrame, optional
            Share of each period that was covered, > 0 where there is a count; one column for all units, or one for
            each.  Forecasts are of fully covered periods.
        exog : pandas.DataFrame, optional
            Regressors on the same periods, the same for all units; only for models that take them.
        histories : int
            How many histories to fit to, spread evenly over all.
        unit : str
            What is counted, for sentences and axes.

        Returns
        -------
        PanelFit

        Raises
        ------
        InputError
            If the counts, the exposure or the regressors do not fit together.
        FitError
            If too few periods were observed, or no fit could be had.
        """
        if not isinstance(counts, pd.DataFrame) or is_histories(counts):
            raise InputError(f"{self.name} fits a panel; give a DataFrame with one column a unit")
        table = pd.DataFrame(check_counts(counts))
        if exog is not None and not self.takes_exog:
            raise InputError(f"{self.name} takes no regressors; leave exog out")
        histories = check_whole(histories, "histories", 1_000_000)
        array, design = _arrays(table, exposure, exog)
        _check_enough(self, array)
        chosen = spread_over(len(array), histories)
        estimates = tuple(self.estimate(array[j], design) for j in chosen)
        warn_unsettled(self.name, estimates)
        return PanelFit(model=self, estimates=estimates, counts=table, design=design, array=array[chosen], unit=unit)


@dataclass(frozen=True, eq=False)
class PanelFit(FitResult):
    """A fitted model of several units.

    Attributes
    ----------
    model : PanelModel
        Its options.
    estimates : tuple of Estimate
        One a pooled history; one in all for exact counts.
    counts : pandas.DataFrame
        What it was fitted to.
    design : Design
        The periods, exposures, regressors and units of the fit.
    array : (len(estimates), n, units) float array
        The panel behind each estimate, NaN where not observed.
    unit : str
        What is counted.
    """

    model: PanelModel
    counts: pd.DataFrame = field(repr=False)
    design: Design = field(repr=False)
    array: NDArray[np.float64] = field(repr=False)
    unit: str

    @property
    def units(self) -> tuple[str, ...]:
        """Names of the units."""
        return self.design.units

    @property
    def nobs(self) -> int:
        """Observed counts, over all units."""
        return int((~np.isnan(self.array[0])).sum())

    @property
    def fitted(self) -> pd.DataFrame:
        """Expected count of each period and unit (mean over the histories)."""
        values = np.mean([estimate.fitted for estimate in self.estimates], axis=0)
        return pd.DataFrame(values, index=self.design.periods, columns=list(self.units))

    def forecast(
        self, horizon: int, *, draws: int = 1000, exog: pd.DataFrame | None = None, rng: Seed = None
    ) -> PanelForecast:
        """Draw joint paths of the next periods of all units.

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
        PanelForecast
            ``forecast["unit"]`` is the :class:`Forecast` of one unit, ``forecast.total()`` that of their sum.

        Raises
        ------
        InputError
            If ``horizon`` or ``draws`` is out of range or the regressors do not fit.
        """
        horizon, draws = check_size(horizon, draws, len(self.units))
        design = self.design.ahead(horizon, exog)
        paths, component = simulate_paths(self, design, draws, rng)
        past = self.array.transpose(2, 0, 1)  # (units, histories, periods)
        exact = len(self.estimates) == 1
        observed = np.broadcast_to(past, (past.shape[0], draws, past.shape[2])) if exact else past[:, component]
        return PanelForecast(
            paths=paths,
            units=self.units,
            periods=design.periods,
            observed=observed,
            model=self.model.name,
            unit=self.unit,
            component=component,
        )

    def update(
        self,
        counts: pd.DataFrame,
        *,
        exposure: pd.Series | pd.DataFrame | None = None,
        exog: pd.DataFrame | None = None,
    ) -> PanelFit:
        """Keep the parameters and take the state from other counts of the same units; see :meth:`CountFit.update`.

        Parameters
        ----------
        counts : pandas.DataFrame
            All counts, or histories, from the first period of the fit on.
        exposure, exog
            As in :meth:`PanelModel.fit`, on the periods of ``counts``.

        Returns
        -------
        PanelFit

        Raises
        ------
        InputError
            If the counts are of other units, begin with another period, have fewer histories than were pooled, or other
            regressors.
        FitError
            If too few periods were observed.
        """
        table = pd.DataFrame(check_counts(counts))
        self.design.check_begin(pd.PeriodIndex(table.index))
        array, design = _arrays(table, exposure, exog)
        self.design.check_same(design)
        if design.units != self.units:
            raise InputError(f"the fit is of the units {list(self.units)}, the counts are of {list(design.units)}")
        _check_enough(self.model, array)
        array = array[as_many(len(array), len(self.estimates))]
        estimates = tuple(
            self.model.carry(estimate, panel, design) for estimate, panel in zip(self.estimates, array, strict=True)
        )
        return replace(self, estimates=estimates, counts=table, design=design, array=array)

    def diagnose(self, *, confidence: float = 0.95) -> pd.DataFrame:
        """Look for what is wrong with the model in each unit, from the law of each count given all before it.

        Parameters
        ----------
        confidence : float
            Confidence with which the verdicts speak, over all units together.

        Returns
        -------
        pandas.DataFrame
            One row a unit: ``nobs``, ``dispersion`` (Pearson's statistic over the number of counts), ``zeros`` and
            ``zeros_expected``, p-values of the tests of :meth:`CountFit.diagnose` (``p_level``, ...), ``log_score``,
            ``rps``, ``impossible`` (counts that had no chance), ``p_holm`` (the least p-value, adjusted for the number
            of tests and of units), ``fine`` and ``verdict``.

        Raises
        ------
        InputError
            If ``confidence`` is not between 0 and 1.
        """
        check_level(confidence, "confidence", such=0.95)
        laws = [
            self.model.laws(estimate, panel, self.design)
            for estimate, panel in zip(self.estimates, self.array, strict=True)
        ]
        found: dict[str, Diagnosis | str] = {}
        for place, name in enumerate(self.units):
            own = [of_units[place] for of_units in laws]
            try:
                found[name] = diagnose(
                    own, self.array[:, :, place].T, self.design.periods, model=self.model.name, unit=self.unit
                )
            except FitError as error:
                found[name] = str(error)
        return diagnosis_table(found, confidence)

    def _repr_html_(self) -> str:
        kind = f", pooled over {len(self.estimates)} histories" if len(self.estimates) > 1 else ""
        head = (
            f"<b>{html.escape(repr(self.model))}</b> on {len(self.units):,} units and {self.nobs:,} counts{kind}; "
            f"log-likelihood {self.llf:.2f}"
        )
        return head + self.summary().round(4).to_html(max_rows=60)


def _arrays(
    table: pd.DataFrame, exposure: pd.Series | pd.DataFrame | None, exog: pd.DataFrame | None
) -> tuple[FloatArray, Design]:
    """Values (histories, n, units) of a checked panel and the design of its periods."""
    units, array = panel_array(table)
    periods = pd.PeriodIndex(table.index)
    shares = panel_shares(exposure, periods, units, np.isnan(array[0]))
    return array, replace(make_design(periods, 0, None, exog), exposure=shares, units=units)


def _check_enough(model: PanelModel, array: FloatArray) -> None:
    observed = int((~np.isnan(array[0])).any(axis=1).sum())
    if observed < model.min_periods:
        raise FitError(f"{observed} periods with a count are too few for {model.name}; it needs {model.min_periods}")
