"""The rate that moved behind the counts, as joint draws of its whole past."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from escalation.conventions.arguments import check_level, check_whole
from escalation.conventions.arrays import FloatArray
from escalation.conventions.notebook import table_html
from escalation.conventions.randomness import Seed, as_generator
from escalation.conventions.wording import percent, plain
from escalation.counts.periods import period_word
from escalation.errors import InputError
from escalation.models.contract.base import CountFit
from escalation.models.contract.design import Design
from escalation.models.contract.estimate import MAX_CELLS, Estimate


@runtime_checkable
class DrawsRates(Protocol):
    """A model whose posterior holds the past of its rate."""

    def draw_rates(
        self, estimate: Estimate, counts: FloatArray, design: Design, draws: int, *, rng: Seed = None
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Draw rates and levels (draws, n) and their growth (draws,); see :meth:`ChangingRate.draw_rates`."""

    def readings(self, estimate: Estimate) -> pd.Series:
        """Probability of each way in which the rate moves; see :meth:`ChangingRate.readings`."""


NO_CHANGE = 1e-9
"""Logs of rates that are as near as this are one: neither is higher, which counts as half."""


@dataclass(frozen=True, eq=False)
class UnderlyingRates:
    """Joint draws of the underlying rate of each period, given all counts.

    The rate is that of a fully covered period, with its season: what the counts scatter about.

    Attributes
    ----------
    rates : (draws, n) float array
        One row a draw, one column a period.
    levels : (draws, n) float array
        The same without season.
    growth : (draws,) float array
        Change of the log level from the last period to the next.
    periods : pandas.PeriodIndex
        The n periods.
    exposure : (n,) float array
        Share of each period that was observed; 0 where it was not.
    readings : pandas.Series
        Probability of each way in which the rate moves, see :meth:`ChangingRate.readings`.
    dispersion : float
        Posterior mean of the dispersion of the counts about the rate.
    unit : str
        What is counted.
    """

    rates: FloatArray = field(repr=False)
    levels: FloatArray = field(repr=False)
    growth: FloatArray = field(repr=False)
    periods: pd.PeriodIndex = field(repr=False)
    exposure: FloatArray = field(repr=False)
    readings: pd.Series = field(repr=False)
    dispersion: float
    unit: str

    def mean_over(self, window: slice) -> FloatArray:
        """Mean rate (draws,) of the periods at these places, each weighted by the share of it that was observed."""
        weight = self.exposure[window]
        value: FloatArray = self.rates[:, window] @ weight / weight.sum()
        return value

    def slope_over(self, window: slice) -> FloatArray:
        """Change (draws,) of the log level a period over the periods at these places: the slope by least squares."""
        logs = np.log(self.levels[:, window])
        times = np.arange(logs.shape[1]) - (logs.shape[1] - 1) / 2
        value: FloatArray = logs @ times / (times @ times)
        return value

    def table(self, level: float = 0.9) -> pd.DataFrame:
        """The rate of each period: ``median``, ``lower`` and ``upper`` (interval of this probability).

        Raises
        ------
        InputError
            If the level is not between 0 and 1.
        """
        check_level(level)
        ends = np.quantile(self.rates, [0.5, (1 - level) / 2, (1 + level) / 2], axis=0)
        return pd.DataFrame(ends.T, index=self.periods, columns=["median", "lower", "upper"])

    def sentence(self) -> str:
        """Say what the rate is now, and how it moves."""
        word = period_word(self.periods.freqstr)
        now = np.quantile(self.rates[:, -1], [0.5, 0.05, 0.95])
        grows = np.expm1(np.quantile(self.growth, [0.5, 0.05, 0.95]))
        return (
            f"The underlying rate of {self.unit} is {plain(now[0])} per {word} (90% interval {plain(now[1])} to "
            f"{plain(now[2])}) at the end of the series, and changes by {percent(grows[0])} a {word} "
            f"({percent(grows[1])} to {percent(grows[2])})."
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>{table_html(self.table().astype(float).round(3))}"


def underlying_rates(fit: CountFit, *, draws: int = 2000, rng: Seed = None) -> UnderlyingRates:
    """Draw the past of the underlying rate from the posterior that the forecasts of a fit come from.

    Parameters
    ----------
    fit : CountFit
        Of :class:`escalation.models.ChangingRate`, or another model that draws its rates; not updated.
    draws : int
        Joint draws; with histories they are shared out evenly.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    UnderlyingRates

    Raises
    ------
    InputError
        If the fit is of another model, or there are too many draws to hold.

    Examples
    --------
    >>> from escalation.models import ChangingRate
    >>> weeks = pd.period_range("2024-01-07", periods=30, freq="W-SUN")
    >>> fit = ChangingRate().fit(pd.Series([4, 6, 5, 4, 5] * 3 + [12, 15, 13] * 5, index=weeks))
    >>> rates = underlying_rates(fit, draws=500, rng=1)
    >>> before, after = rates.mean_over(slice(0, 15)), rates.mean_over(slice(15, 30))
    >>> bool(4 < np.median(before) < 6), bool(11 < np.median(after) < 16), probability_above(after, before) > 0.99
    (True, True, True)
    """
    model = fit.model
    if not isinstance(model, DrawsRates):
        raise InputError(
            f"the fit is of {fit.model.name}, which does not draw the past of its rate; take changing_rate"
        )
    draws = check_whole(draws, "draws", MAX_CELLS // len(fit.design.periods))
    component = np.arange(draws) * len(fit.estimates) // draws
    generators = as_generator(rng).spawn(len(fit.estimates))
    parts = [
        model.draw_rates(fit.estimates[j], fit.array[j], fit.design, int((component == j).sum()), rng=generators[j])
        for j in np.unique(component)
    ]
    readings = [model.readings(estimate) for estimate in fit.estimates]
    return UnderlyingRates(
        rates=np.concatenate([rates for rates, _, _ in parts]),
        levels=np.concatenate([levels for _, levels, _ in parts]),
        growth=np.concatenate([growth for _, _, growth in parts]),
        periods=fit.design.periods,
        exposure=np.where(np.isnan(fit.array[0]), 0.0, fit.design.exposure),
        readings=sum(readings[1:], start=readings[0]) / len(readings),
        dispersion=float(fit.params["dispersion"]),
        unit=fit.unit,
    )


def probability_above(now: FloatArray, was: FloatArray) -> float:
    """Share of draws (draws,) in which the first rate is above the second; ties count half."""
    return probability_rising(np.log(now) - np.log(was))


def probability_rising(slopes: FloatArray) -> float:
    """Share of changes of log rates (draws,) that are rises; no change counts half."""
    return float((slopes > NO_CHANGE).mean() + (np.abs(slopes) <= NO_CHANGE).mean() / 2)
