"""Trend: is the rate of incidents rising, as a ratio of two windows with its range and its probability."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from escalation.analysis.trend.rate_posterior import (
    Cdf,
    RatePosterior,
    WindowCounts,
    exact_p_value,
    interval,
    invert,
    negbin,
    poisson,
)
from escalation.conventions.arguments import check_level
from escalation.conventions.arrays import FloatArray
from escalation.conventions.wording import measures, plain, probability_text
from escalation.counts.periods import period_word
from escalation.counts.schema import checked_counts, is_histories
from escalation.counts.series import CountsLike, unpack_counts
from escalation.counts.windows import WindowSpec, two_windows
from escalation.errors import InputError
from escalation.models.contract.design import make_design

SAID = 0.9
"""A direction with at least this probability is said to be one."""
CARRIED = 0.75
"""A direction that was said, and has less than this without one period, hangs on that period.

Of simulated doublings of the rate that are said to be rises (4 weeks against 12) one in eight hangs on a
period by this rule, of single outlying weeks seven in ten; at 0.9 it would be four and nine in ten.
"""
CARRIED_HISTORIES = 100
"""Histories that are enough to judge whether one period carries the direction."""

COVERED = 1e-9
"""Sums of exposures are taken as whole within this."""

FAMILIES: dict[str, Callable[[WindowCounts, WindowCounts], RatePosterior]] = {"negbin": negbin, "poisson": poisson}


@dataclass(frozen=True)
class WindowRate:
    """The rate of one window.

    Attributes
    ----------
    first, last : pandas.Period
        Its first and last period, both inclusive.
    observed : int
        How many of its periods were observed.
    total : float
        Incidents in them; the mean over the histories where there are several.
    exposure : float
        Full periods covered: the sum of the exposures of the observed periods.
    rate : float
        Incidents per full period, ``total / exposure``.
    lower, upper : float
        Interval of the mean rate (not of a count), of the level of its :class:`RateChange`.
    """

    first: pd.Period
    last: pd.Period
    observed: int
    total: float
    exposure: float
    rate: float
    lower: float
    upper: float

    def table(self) -> pd.DataFrame:
        """The window in one row, a column an attribute."""
        return pd.DataFrame([{one.name: getattr(self, one.name) for one in fields(self)}])

    def sentence(self) -> str:
        """Say it in plain words."""
        word = period_word(self.first.freqstr)
        return f"The rate was {plain(self.rate)} per {word} ({_range(self)}) in {self.span()}."

    def span(self) -> str:
        """Name the window: how many periods, from when to when, how many of them observed and covered."""
        number = self.last.ordinal - self.first.ordinal + 1
        word = period_word(self.last.freqstr, number)
        begin, end = self.first.start_time.date(), self.last.end_time.date()
        known = [] if self.observed == number else [f"{self.observed} observed"]
        # a sentence that names days which nobody has counted yet would be read as if they were quiet
        known += [f"{plain(self.exposure)} covered"] if self.exposure < self.observed - COVERED else []
        return (
            ("the " if number == 1 else f"the {number} ")
            + word
            + (f" {begin}" if begin == end else f" {begin} to {end}")
            + (f" ({', '.join(known)})" if known else "")
        )


@dataclass(frozen=True)
class RateChange:
    """How the rate of a recent window compares with that of a baseline window.

    Attributes
    ----------
    ratio : float
        Recent over baseline rate: the posterior median, finite even when a window is all zero.
    lower, upper : float
        Interval of the ratio; for ``poisson`` the lower limit may be 0 and the upper infinite.
    level : float
        Probability of all intervals.
    probability_rose : float
        Posterior probability that the ratio is above 1.
    recent, baseline : WindowRate
        The windows, their totals, exposures and rates.
    dispersion : float
        Posterior median of alpha in ``Var = mu + alpha mu^2``; 0 for ``poisson``, which assumes it.
    family : str
        ``negbin`` or ``poisson``.
    p_value : float
        Two-sided conditional test of equal rates, given the total of both windows: binomial for ``poisson``, negative
        hypergeometric for ``negbin``; the mean over the histories where there are several (Meng 1994,
        doi:10.1214/aos/1176325622).
    histories : int
        How many histories were averaged; 1 for exact counts.
    carried_by : pandas.Period or None
        A single period that the direction hangs on: with it the probability of the direction is at
        least 0.9, without it below 0.75.  None when there is no such period, or no direction to be carried.
    probability_without : float or None
        ``probability_rose`` when ``carried_by`` is left out.
    """

    ratio: float
    lower: float
    upper: float
    level: float
    probability_rose: float
    recent: WindowRate
    baseline: WindowRate
    dispersion: float
    family: str
    p_value: float
    histories: int
    carried_by: pd.Period | None = None
    probability_without: float | None = None

    @property
    def recent_rate(self) -> float:
        """Incidents per full period in the recent window."""
        return self.recent.rate

    @property
    def baseline_rate(self) -> float:
        """Incidents per full period in the baseline window."""
        return self.baseline.rate

    def table(self) -> pd.DataFrame:
        """The figures, indexed by ``measure``: ``value``, ``lower``, ``upper`` and ``unit``."""
        word, was, now = period_word(self.recent.first.freqstr), self.baseline, self.recent
        return measures(
            [
                ("rate now", (now.rate, now.lower, now.upper), f"per {word}"),
                ("rate before", (was.rate, was.lower, was.upper), f"per {word}"),
                ("ratio of rates", (self.ratio, self.lower, self.upper), "times"),
                ("probability that the rate rose", (self.probability_rose,), "probability"),
                ("p-value of equal rates", (self.p_value,), "probability"),
            ]
        )

    def sentence(self) -> str:
        """Say it in plain words, with the ranges."""
        word = period_word(self.recent.first.freqstr)
        verdict = "may have risen or fallen"
        if max(self.probability_rose, 1 - self.probability_rose) >= SAID:
            verdict = "probably rose" if self.probability_rose > 0.5 else "probably fell"
        was, now = self.baseline, self.recent
        text = (
            f"The rate {verdict}: {plain(now.rate)} per {word} ({100 * self.level:g}% interval {_range(now)}) in "
            f"{now.span()}, against {plain(was.rate)} ({_range(was)}) in {was.span()}; that is "
            f"{plain(self.ratio)} times the baseline rate ({_range(self)}), and the probability that it rose is "
            f"{probability_text(self.probability_rose)}."
        )
        if self.carried_by is not None and self.probability_without is not None:
            when = self.carried_by.start_time.date()
            start = f"that starts on {when}" if word != "day" else f"{when}"
            text += f" Without the {word} {start} that probability is {probability_text(self.probability_without)}."
        return text

    def _repr_html_(self) -> str:
        table = pd.concat([self.recent.table(), self.baseline.table()]).set_axis(["recent", "baseline"])
        test = f" Conditional test of equal rates: two-sided p-value {self.p_value:.2g}."
        return (
            f"<p>{html.escape(self.sentence() + test)}</p>"
            + table.astype({"first": str, "last": str}).round(3).to_html()
        )


def compare_rates(
    counts: CountsLike,
    recent: WindowSpec,
    baseline: WindowSpec,
    *,
    exposure: pd.Series | None = None,
    family: str = "negbin",
    level: float = 0.9,
) -> RateChange:
    r"""Compare the rate of a recent window with that of a baseline window.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        Counts of one series on a ``PeriodIndex`` (missing periods are left out), or histories of it,
        each of which has the same weight.
    recent, baseline : int, slice or tuple
        The windows.  A whole number is the last so many periods (``recent``) or the so many just
        before the recent window (``baseline``); a pair is the first and last date or period, both inclusive,
        and stands for the whole periods that hold them; a slice of whole numbers counts positions as
        Python does, a slice of dates or periods includes both ends.
    exposure : pandas.Series, optional
        Share of each period that was covered, > 0, on the periods of ``counts``; what the series brings, or all 1,
        when left out.
    family : str
        ``"negbin"`` estimates the dispersion of the counts about their rate and lets it widen the
        range; ``"poisson"`` assumes that there is none, and then is exact.
    level : float
        Probability of the intervals, between 0 and 1.

    Returns
    -------
    RateChange

    Raises
    ------
    InputError
        If the windows overlap, are empty, lie outside the series or hold no observed period, or an
        option cannot be used.

    Notes
    -----
    **negbin.** Counts are NB2 with mean :math:`e_i \mu` in a window (exposure :math:`e_i`) and one
    dispersion :math:`\alpha` in both, :math:`\mathrm{Var} = m + \alpha m^2`.  The prior of each mean is that of
    Jeffreys at given :math:`\alpha`, :math:`\mu^{-1/2} (1 + \alpha \mu)^{-1/2}` for full periods
    (:math:`\mu^{-1/2}` alone leaves an improper posterior when a window is short and
    :math:`\alpha` large), divided by its value at the rate of both windows together so that it does
    not favour small dispersion; :math:`\sqrt\alpha`, the coefficient of variation of the underlying
    rate, is half-normal with scale 1.  The posterior is summed on grids, with no sampling: nodes of
    :math:`\sqrt\alpha`, and for each a uniform grid of :math:`\log \mu` on which the distribution of
    the log ratio is a correlation.  Histories are averaged with equal weight.  Intervals are equal-tailed.

    **poisson.** Given the total of both windows the recent total is binomial: the interval is that of
    Clopper and Pearson (doi:10.1093/biomet/26.4.404) for its share, as in R's ``poisson.test``; rates have the exact
    interval of Garwood (doi:10.1093/biomet/28.3-4.437).  Over histories the beta (gamma) distribution
    functions behind the limits are averaged before they are inverted.  ``ratio`` and ``probability_rose`` come from
    the Jeffreys posterior.

    A window without incidents does not have the rate 0: the shorter it is, the less it says, so two
    empty windows of unequal length do not give a probability of one half.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-09-02", periods=12, freq="W-SUN")
    >>> counts = pd.Series([1, 0, 2, 1, 1, 3, 0, 1, 4, 6, 3, 5], index=weeks)
    >>> change = compare_rates(counts, recent=4, baseline=8)
    >>> change.recent.total, change.baseline.total, change.recent_rate
    (18.0, 9.0, 4.5)
    >>> round(change.ratio, 1), round(change.lower, 1), round(change.upper, 1), round(change.probability_rose, 3)
    (4.0, 1.9, 8.7, 0.998)
    >>> exact = compare_rates(counts, 4, 8, family="poisson")
    >>> round(exact.lower, 3), round(exact.upper, 3), round(exact.p_value, 5)
    (1.926, 8.74, 0.00066)
    """
    if family not in FAMILIES:
        raise InputError(f"family is {family!r}; use negbin (dispersion estimated) or poisson (none assumed)")
    check_level(level)
    now, was = _both_windows(counts, recent, baseline, exposure)
    posterior = FAMILIES[family](now.data, was.data)
    lower, upper = interval(posterior.ratio_limits, level)
    carried, without = _carried_by(now, was, posterior.probability_rose, FAMILIES[family])
    return RateChange(
        ratio=invert(posterior.ratio, 0.5),
        lower=lower,
        upper=upper,
        level=level,
        probability_rose=posterior.probability_rose,
        recent=_window_rate(now, posterior.recent_limits, level),
        baseline=_window_rate(was, posterior.baseline_limits, level),
        dispersion=posterior.dispersion,
        family=family,
        p_value=exact_p_value(now.data, was.data, posterior.dispersions),
        histories=now.data.counts.shape[1],
        carried_by=carried,
        probability_without=without,
    )


def ratio_of_rates(
    counts: CountsLike, recent: WindowSpec, baseline: WindowSpec, *, exposure: pd.Series | None = None
) -> tuple[float, float]:
    """The ratio and the probability of a rise that :func:`compare_rates` gives, without all else that it works out."""
    now, was = _both_windows(counts, recent, baseline, exposure)
    posterior = negbin(now.data, was.data)
    return invert(posterior.ratio, 0.5), posterior.probability_rose


# Windows


@dataclass(frozen=True, eq=False)
class _Window:
    """A window: its first and last period, the observed ones and their counts."""

    first: pd.Period
    last: pd.Period
    observed: pd.PeriodIndex
    data: WindowCounts


def _both_windows(
    counts: CountsLike, recent: WindowSpec, baseline: WindowSpec, exposure: pd.Series | None
) -> tuple[_Window, _Window]:
    """The recent and the baseline window of one series or its histories."""
    counts, exposure, _ = unpack_counts(counts, exposure)
    table, matrix = checked_counts(counts)
    if isinstance(table, pd.DataFrame) and not is_histories(table):
        raise InputError(f"compare_rates takes one series and got a table of {table.shape[1]} units; give one column")
    index = pd.PeriodIndex(table.index)
    shares = make_design(index, 0, exposure, None, np.isnan(matrix[:, 0])).exposure
    now, was = two_windows(index, recent, baseline)
    return _cut(matrix, shares, index, now, "recent"), _cut(matrix, shares, index, was, "baseline")


def _cut(matrix: FloatArray, shares: FloatArray, index: pd.PeriodIndex, span: slice, name: str) -> _Window:
    """Observed periods of one window."""
    seen = ~np.isnan(matrix[span, 0])
    first, last = index[span.start], index[span.stop - 1]
    if not seen.any():
        raise InputError(f"{name} ({first} to {last}) holds no observed period; choose a window with data")
    return _Window(first, last, index[span][seen], WindowCounts(matrix[span][seen], shares[span][seen]))


def _window_rate(window: _Window, limits: tuple[Cdf, Cdf], level: float) -> WindowRate:
    """Rate of a window with its interval."""
    total, exposure = float(window.data.totals().mean()), float(window.data.exposure.sum())
    lower, upper = interval(limits, level)
    number = len(window.observed)
    return WindowRate(window.first, window.last, number, total, exposure, total / exposure, lower, upper)


def _carried_by(
    now: _Window, was: _Window, rose: float, family: Callable[[WindowCounts, WindowCounts], RatePosterior]
) -> tuple[pd.Period | None, float | None]:
    """Find the single period that the direction hangs on, and the probability that it rose without it.

    Only the period that speaks most for the direction is tried in each window: the highest recent and
    the lowest baseline one for a rise, the other way round for a fall.  A window of one period is not.
    """
    if max(rose, 1 - rose) < SAID:
        return None, None
    sign = 1.0 if rose > 0.5 else -1.0
    tried: list[tuple[float, pd.Period]] = []
    for window, side in ((now, sign), (was, -sign)):
        if len(window.observed) > 1:
            at = int(np.argmax(side * window.data.counts.mean(axis=1) / window.data.exposure))
            rest = window.data.without(at).thinned(CARRIED_HISTORIES)
            other = (was if window is now else now).data.thinned(CARRIED_HISTORIES)
            posterior = family(rest, other) if window is now else family(other, rest)
            tried.append((posterior.probability_rose, window.observed[at]))
    if not tried:
        return None, None
    without, period = min(tried, key=lambda pair: sign * pair[0])
    direction = without if sign > 0 else 1 - without
    return (period, without) if direction < CARRIED else (None, None)


# Words


def _range(of: WindowRate | RateChange) -> str:
    return f"{plain(of.lower)} to {plain(of.upper)}"
