"""Is it escalating: two windows compared, growth over a window and now, and what would be left without one tally."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd

from escalation.assessment import BASELINE, RECENT
from escalation.carriers import Carrier, carried_by_day, carried_by_tally
from escalation.counts import check_counts, count_matrix
from escalation.errors import FitError, InputError
from escalation.models.local_trend import LocalTrend, growth
from escalation.periods import period_word
from escalation.randomness import Seed
from escalation.sources import CountedSeries
from escalation.trend import RateChange, compare_rates
from escalation.window_growth import FEWEST, WindowGrowth, percent, window_growth
from escalation.windows import WindowSpec, window_slice
from escalation.wording import chance, measures

GROWTH = {"D": 28, "W": 13, "M": 12}
"""Periods that growth is read from, unless asked otherwise."""


@dataclass(frozen=True, eq=False)
class TrendReading:
    """All that is said of the trend of one series.

    Attributes
    ----------
    change : RateChange
        A recent window against a baseline.
    growth : WindowGrowth or None
        Over the last periods; None where they hold too little.
    slope : pandas.Series or None
        The last row of :func:`escalation.growth`: the growth rate now, from a fit of LocalTrend; None where that was
        not asked for or could not be fitted.
    carrier : Carrier or None
        Whether one tally or day carries the change; None for series that are neither of tallies nor of dated incidents.
    level : float
        Probability of the intervals.
    """

    change: RateChange
    growth: WindowGrowth | None
    slope: pd.Series | None
    carrier: Carrier | None
    level: float

    def table(self) -> pd.DataFrame:
        """The figures.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``measure``; columns ``value``, ``lower``, ``upper`` (missing where there is no interval) and
            ``unit``.
        """
        tables = [self.change.table()] + ([] if self.growth is None else [self.growth.table()])
        if self.slope is not None:
            now, word = self.slope, period_word(self.change.recent.first.freqstr)
            ends = (now["growth"], now["growth_ci_lower"], now["growth_ci_upper"])
            rising = ("probability of rising now", (now["probability_rising"],), "probability")
            tables.append(measures([("growth now (local trend)", ends, f"share per {word}"), rising]))
        if self.carrier is not None and not self.carrier.left_out.empty:
            without = self.carrier.without().items()
            tables.append(
                measures((f"probability that it rose without {named}", (p,), "probability") for named, p in without)
            )
        return pd.concat(tables)

    def sentences(self) -> list[str]:
        """Say it in plain words: the windows, the growth over a window, the growth now, and what carries the change."""
        said = [self.change.sentence()]
        if self.growth is not None:
            said.append(self.growth.sentence())
        if self.slope is not None:
            now, word = self.slope, period_word(self.change.recent.first.freqstr)
            said.append(
                f"At the end of the series, by a model whose growth rate drifts, the expected count changes by "
                f"{percent(now['growth'])} a {word} ({self.level:.0%} interval {percent(now['growth_ci_lower'])} to "
                f"{percent(now['growth_ci_upper'])}); the probability that it rises is "
                f"{chance(now['probability_rising'])}."
            )
        if self.carrier is not None:
            said.append(self.carrier.sentence())
        return said

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.sentences())
        return f"{lines}{self.table().round(3).to_html()}"


def read_trend(
    series: CountedSeries,
    *,
    recent: WindowSpec | None = None,
    baseline: WindowSpec | None = None,
    window: WindowSpec | None = None,
    slope: str = "local_trend",
    tried: int = 3,
    level: float = 0.9,
    rng: Seed = None,
) -> TrendReading:
    """Read the trend of one series: windows compared, growth, and whether one tally or day carries the change.

    Parameters
    ----------
    series : CountedSeries
        From :func:`escalation.count_series`.
    recent, baseline : int, slice or tuple, optional
        The windows that are compared, as in :func:`escalation.compare_rates`; left out, the last 28 days, 4 weeks or 3
        months against up to 182, 26 or 12 before them.
    window : int, slice or tuple, optional
        What :func:`escalation.window_growth` is read from; the last 28 days, 13 weeks or 12 months when left out.
    slope : {"local_trend", "none"}
        Whether to fit :class:`escalation.LocalTrend` for the growth rate now, which takes seconds with histories.
    tried : int
        How many tallies or days are left out in turn.
    level : float
        Probability of the intervals.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    TrendReading

    Raises
    ------
    InputError
        If a window or an option cannot be used.

    Examples
    --------
    >>> weeks = pd.period_range("2024-01-01", periods=40, freq="W-SUN")
    >>> counts = pd.Series([2, 1, 3, 2, 1] * 6 + [3, 4, 5, 4, 6, 7, 6, 8, 9, 8], index=weeks)
    >>> series = CountedSeries(counts, pd.Series(1.0, index=weeks), "raids", "raids", "", "", None, ())
    >>> reading = read_trend(series, slope="none")
    >>> round(reading.growth.growth, 2), reading.carrier is None
    (0.13, True)
    """
    if slope not in ("local_trend", "none"):
        raise InputError(f"slope is {slope!r}; use local_trend or none")
    counts = check_counts(series.counts)
    index = pd.PeriodIndex(counts.index)
    kind, n = index.freqstr[0], len(index)
    if n < FEWEST:
        raise InputError(f"the series has {n} {period_word(index.freqstr, n)}; a trend needs at least {FEWEST}")
    recent = min(RECENT[kind], n // 2) if recent is None else recent
    start = window_slice(index, recent, "recent", n).start
    baseline = max(1, min(BASELINE[kind], start)) if baseline is None else baseline
    change = compare_rates(counts, recent, baseline, exposure=series.exposure, level=level)
    asked = window is not None
    window = min(GROWTH[kind], n) if window is None else window
    seen = count_matrix(counts)[window_slice(index, window, "window", n)]
    enough = (~np.isnan(seen[:, 0])).sum() >= FEWEST and np.nansum(seen) > 0
    growing = window_growth(counts, window, exposure=series.exposure, level=level) if enough or asked else None
    carrier = carrier_of(series, change, tried=tried, rng=rng)
    return TrendReading(change, growing, _slope(series, level) if slope != "none" else None, carrier, level)


def carrier_of(series: CountedSeries, change: RateChange, *, tried: int = 3, rng: Seed = None) -> Carrier | None:
    """Leave out the tallies, or the days, that a change of the rate leans on most.

    Parameters
    ----------
    series : CountedSeries
        The series that was compared.
    change : RateChange
        What :func:`escalation.compare_rates` says of it.
    tried : int
        How many tallies or days are left out in turn.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Carrier or None
        None for a series that is neither of tallies nor of dated incidents.
    """
    windows = [(window.first, window.last) for window in (change.recent, change.baseline)]
    if series.reconstruction is not None:
        return carried_by_tally(series.reconstruction, *windows, change=change, tried=tried, rng=rng)
    if series.daily is not None:
        return carried_by_day(series.daily, *windows, freq=change.recent.first.freqstr, tried=tried)
    return None


def _slope(series: CountedSeries, level: float) -> pd.Series | None:
    """Growth at the end of the series, where the model can be fitted."""
    try:
        fit = LocalTrend().fit(series.counts, exposure=series.exposure, unit=series.unit)
    except FitError:
        return None
    return growth(fit, level).iloc[-1]
