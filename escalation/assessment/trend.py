"""The trend of one series: two windows compared, growth over a window and now, and what carries the change."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.assessment.options import Options
from escalation.assessment.source import SourceSeries
from escalation.assessment.withheld import Withheld
from escalation.carriers import Carrier, carried_by_day, carried_by_tally
from escalation.counts import count_matrix
from escalation.errors import FitError
from escalation.models.local_trend import LocalTrend, growth
from escalation.periods import period_word
from escalation.randomness import Seed
from escalation.series import CountSeries
from escalation.trend import RateChange, compare_rates
from escalation.window_growth import FEWEST, WindowGrowth, window_growth
from escalation.windows import window_slice
from escalation.wording import chance, percent

INCIDENTS_NEED = 10
"""Incidents (their mean over the histories) that growth, changes and alarms are read from."""
TRIED = 3
"""Tallies or days that are left out in turn."""


@dataclass(frozen=True)
class GrowthNow:
    """The growth rate at the end of a series, by a model whose growth rate drifts.

    Attributes
    ----------
    growth, lower, upper : float
        Change of the expected count a period, as a share of it: posterior median and interval.
    probability_rising : float
        Posterior probability that it rises.
    level : float
        Probability of the interval.
    freq : str
        Of the periods.
    """

    growth: float
    lower: float
    upper: float
    probability_rising: float
    level: float
    freq: str

    def sentence(self) -> str:
        """Say it in plain words."""
        return (
            f"At the end of the series, by a model whose growth rate drifts, the expected count changes by "
            f"{percent(self.growth)} a {period_word(self.freq)} ({self.level:.0%} interval {percent(self.lower)} to "
            f"{percent(self.upper)}); the probability that it rises is {chance(self.probability_rising)}."
        )

    def table(self) -> pd.DataFrame:
        """Return the growth rate and the probability of a rise, with the interval."""
        rows = {
            "growth_now": (self.growth, self.lower, self.upper),
            "probability_rising_now": (self.probability_rising, np.nan, np.nan),
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "lower", "upper"])

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>"


def find_rate(series: CountSeries, options: Options) -> RateChange:
    """Compare the recent window with its baseline.

    Raises
    ------
    InputError
        If a window cannot be used.
    """
    return compare_rates(series.counts, options.recent, options.baseline, exposure=series.exposure, level=options.level)


def find_growth(series: CountSeries, options: Options) -> WindowGrowth | Withheld:
    """Return the growth over the window, where it holds enough."""
    spec = window_slice(series.periods, options.window, "window", len(series.counts))
    thin = too_thin(series, count_matrix(series.counts)[spec], FEWEST)
    if thin is not None:
        return Withheld("growth", thin)
    return window_growth(series.counts, options.window, exposure=series.exposure, level=options.level)


def find_growth_now(series: CountSeries, options: Options) -> GrowthNow | Withheld:
    """Return the growth rate at the end of the series, where its model can be fitted to enough."""
    thin = too_thin(series, count_matrix(series.counts), FEWEST)
    if thin is not None:
        return Withheld("growth_now", thin)
    try:
        fit = LocalTrend().fit(series.counts, exposure=series.exposure, unit=series.unit)
    except FitError as error:
        return Withheld("growth_now", str(error))
    row = growth(fit, options.level).iloc[-1]
    ends = (float(row["growth_ci_lower"]), float(row["growth_ci_upper"]))
    return GrowthNow(float(row["growth"]), *ends, float(row["probability_rising"]), options.level, series.freq)


def find_carrier(series: CountSeries, rate: RateChange | Withheld, rng: Seed) -> Carrier | Withheld:
    """Leave out the tallies, or the days, that a change of the rate leans on most."""
    if isinstance(rate, Withheld):
        return Withheld("carrier", rate.reason)
    windows = [(window.first, window.last) for window in (rate.recent, rate.baseline)]
    if isinstance(series, SourceSeries) and series.reconstruction is not None:
        return carried_by_tally(series.reconstruction, *windows, change=rate, tried=TRIED, rng=rng)
    if isinstance(series, SourceSeries) and series.daily is not None:
        return carried_by_day(series.daily, *windows, freq=series.freq, tried=TRIED)
    return Withheld("carrier", "it needs tallies, or incidents by day")


def too_thin(series: CountSeries, part: NDArray[np.float64], periods: int) -> str | None:
    """Say why a part of a series, shape (periods, histories), holds too little; None where it holds enough."""
    words = period_word(series.freq, 2)
    seen, total = int((~np.isnan(part[:, 0])).sum()), float(np.nansum(part) / part.shape[1])
    if seen < periods:
        return f"{seen} observed {words}, and it needs {periods}"
    if total < INCIDENTS_NEED:
        return f"{total:.3g} {series.unit} in {len(part)} {words}, and it needs {INCIDENTS_NEED}"
    return None
