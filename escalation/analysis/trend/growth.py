"""Growth over a window: by how much the rate rises or falls a period, and in how many it doubles or halves."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from escalation.analysis.trend.carried import CARRIED_HISTORIES, carried_by
from escalation.analysis.trend.growth_posterior import log_linear
from escalation.analysis.trend.rate_change import SAID
from escalation.analysis.trend.rate_posterior import WindowCounts
from escalation.analysis.trend.trend import (
    CHANGING,
    DRAWS,
    FAMILIES,
    FEWER_DRAWS,
    FEWER_HISTORIES,
    follow,
)
from escalation.conventions.arguments import check_level
from escalation.conventions.arrays import FloatArray
from escalation.conventions.randomness import Seed, seed_of
from escalation.conventions.wording import measures, percent, plain, probability_text
from escalation.counts.periods import period_word
from escalation.counts.series import CountsLike, unpack_counts
from escalation.counts.windows import WindowSpec, window_slice
from escalation.errors import InputError
from escalation.models.contract.design import Checked, check_series
from escalation.models.contract.underlying import UnderlyingRates, probability_rising

FEWEST = 4
"""Observed periods that growth is estimated from."""
HISTORIES = 60
"""Histories that are averaged, spread evenly over all."""
NEVER = 10_000.0
"""A rate that takes more periods to double is as good as steady."""


@dataclass(frozen=True)
class WindowGrowth:
    """How fast the rate grew over a window.

    Attributes
    ----------
    growth : float
        Posterior median of the change of the rate a period over the window, as a share of it: 0.05 is 5% more each
        period.
    lower, upper : float
        Its interval.
    level : float
        Probability of the interval.
    probability_rising : float
        Posterior probability that the rate rises.
    doubling_time : float
        Periods in which the rate doubles at the median growth; where that is negative, minus the periods in which it
        halves.
    fastest_doubling, fastest_halving : float
        Periods that doubling and halving take at least, at the ends of the interval; infinite where that end does not
        rise, or fall.
    first, last : pandas.Period
        The window, both inclusive.
    observed : int
        How many of its periods were observed.
    total : float
        Incidents in them; the mean over the histories where there are several.
    dispersion : float
        Posterior mean (median for ``negbin``) of alpha in ``Var = mu + alpha mu^2``; 0 for ``poisson``.
    family : str
        ``changing_rate``, ``negbin`` or ``poisson``.
    histories : int
        How many histories there were; 1 for exact counts.
    carried_by : pandas.Period or None
        A single period that the direction hangs on: with it the probability of the direction is at least 0.9, without
        it below 0.75.
    probability_without : float or None
        ``probability_rising`` when ``carried_by`` is left out.
    """

    growth: float
    lower: float
    upper: float
    level: float
    probability_rising: float
    doubling_time: float
    fastest_doubling: float
    fastest_halving: float
    first: pd.Period
    last: pd.Period
    observed: int
    total: float
    dispersion: float
    family: str
    histories: int
    carried_by: pd.Period | None = None
    probability_without: float | None = None

    def table(self) -> pd.DataFrame:
        """The figures, indexed by ``measure``: ``value``, ``lower``, ``upper`` and ``unit``."""
        freq = self.first.freqstr
        word, number = period_word(freq), self.last.ordinal - self.first.ordinal + 1
        name = f"over the last {number} {period_word(freq, number)}"
        return measures(
            [
                (f"growth {name}", (self.growth, self.lower, self.upper), f"share per {word}"),
                (f"doubling time {name}", (self.doubling_time,), f"{word}s"),
                (f"probability of rising {name}", (self.probability_rising,), "probability"),
            ]
        )

    def sentence(self) -> str:
        """Say it in plain words, with the ranges."""
        freq = self.first.freqstr
        word, number = period_word(freq), self.last.ordinal - self.first.ordinal + 1
        span = f"the {number} {period_word(freq, number)} {self.first.start_time.date()} to {self.last.end_time.date()}"
        verdict = "may have risen or fallen"
        if max(self.probability_rising, 1 - self.probability_rising) >= SAID:
            verdict = "probably rose" if self.probability_rising > 0.5 else "probably fell"
        text = (
            f"Over {span} the rate {verdict}, {percent(self.growth)} a {word} ({100 * self.level:g}% interval "
            f"{percent(self.lower)} to {percent(self.upper)}), {self.doubling()}; the probability that it rises is "
            f"{probability_text(self.probability_rising)}."
        )
        if self.carried_by is not None and self.probability_without is not None:
            text += (
                f" Without the {word} of {self.carried_by.start_time.date()} that probability is "
                f"{probability_text(self.probability_without)}."
            )
        return text

    def doubling(self) -> str:
        """Say in how many periods the rate doubles or halves."""
        freq = self.first.freqstr
        middle = abs(self.doubling_time)
        if (self.lower > 0 or self.upper < 0) and middle <= NEVER:
            verb = "doubling" if self.lower > 0 else "halving"
            near, far = sorted(abs(_periods(math.log1p(end))) for end in (self.lower, self.upper))
            longest = "or longer" if math.isinf(far) else f"to {plain(far)}"
            return f"{verb} in {plain(middle)} {period_word(freq, middle)} ({plain(near)} {longest})"
        ends = [
            f"{verb} in no less than {plain(least)} {period_word(freq, least)}"
            for verb, least in (("doubling", self.fastest_doubling), ("halving", self.fastest_halving))
            if not math.isinf(least)
        ]
        return " and ".join(ends) or "as good as steady"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>"


def growth_rate(
    counts: CountsLike,
    window: WindowSpec,
    *,
    exposure: pd.Series | None = None,
    family: str = CHANGING,
    level: float = 0.9,
    draws: int = DRAWS,
    rng: Seed = None,
) -> WindowGrowth:
    r"""Growth rate and doubling time over a window.

    :func:`escalation.models.growth` gives the growth of each period, without a window to be chosen, from a fit of
    :class:`~escalation.models.LocalTrend`.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        Counts of one series on a ``PeriodIndex`` (missing periods are left out), or histories of it, of which at most
        60, spread evenly, are averaged.
    window : int, slice or tuple
        The last so many periods, or a window as in :func:`escalation.compare_rates`.
    exposure : pandas.Series, optional
        Share of each period that was covered, > 0 where there is a count, on the periods of ``counts``; what the
        series brings, or all 1, when left out.
    family : {"changing_rate", "negbin", "poisson"}
        ``"changing_rate"`` takes the line of least squares through the logs of the underlying rates that
        :func:`escalation.default_model` draws given the whole series, as forecasts do; ``"negbin"`` looks at the window
        alone, takes the log of the rate as a straight line in it, and estimates the dispersion of counts that are
        independent given it; ``"poisson"`` assumes that there is none.
    level : float
        Probability of the interval, between 0 and 1.
    draws : int
        Draws of the underlying rates, for ``"changing_rate"``.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    WindowGrowth

    Raises
    ------
    InputError
        If the window is no window of the series, fewer than four of its periods were observed or there was no incident
        in them, or an option cannot be used.

    Notes
    -----
    **negbin.** Counts are negative binomial with mean :math:`e_t \exp(a + b t)`, size :math:`e_t / \alpha` and one
    dispersion :math:`\alpha`.  The prior of
    :math:`(a, b)` at given :math:`\alpha` is that of Jeffreys, the square root of the determinant of their Fisher
    information (Firth 1993, doi:10.1093/biomet/80.1.27), so that the growth is finite also where all incidents fall
    into one period; it is divided by its value at no growth and the rate of the whole window, so that it does not
    favour small dispersion.  :math:`\sqrt\alpha` is half-normal with scale 1, as in :func:`escalation.compare_rates`.
    The posterior is summed on grids, without sampling.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-09-02", periods=10, freq="W-SUN")
    >>> counts = pd.Series([3, 4, 4, 6, 7, 8, 9, 12, 14, 17], index=weeks)
    >>> risen = growth_rate(counts, 10, rng=1)
    >>> 0.1 < risen.growth < 0.25, 3 < risen.doubling_time < 8, risen.probability_rising > 0.95
    (True, True, True)
    """
    counts, exposure, unit = unpack_counts(counts, exposure)
    if family != CHANGING and family not in FAMILIES:
        raise InputError(f"family of growth_rate is {family!r}; use changing_rate, negbin or poisson")
    check_level(level)
    checked = check_series("growth_rate", counts, exposure, None)
    cut = _cut(checked, window)
    if family == CHANGING:
        return growth_of(follow(checked, seed := seed_of(rng), draws=draws, unit=unit), checked, window, level, seed)
    data, times = cut.data, cut.times
    posterior = log_linear(data.thinned(HISTORIES), times, family)
    rising, half = 1 - posterior.cdf(0.0), level / 2
    slope = posterior.quantile(0.5)
    carried, without = carried_by(rising, lambda sign: _alone_without(data, times, slope, sign, family))
    return cut.growth(
        *(posterior.quantile(q) for q in (0.5, 0.5 - half, 0.5 + half)),
        level=level,
        rising=rising,
        dispersion=posterior.dispersion,
        family=family,
        carried=carried,
        probability_without=without,
    )


def growth_of(rates: UnderlyingRates, checked: Checked, window: WindowSpec, level: float, seed: int) -> WindowGrowth:
    """Growth of the underlying rates over a window; see :func:`growth_rate`."""
    cut = _cut(checked, window)
    slopes = rates.slope_over(cut.place)
    rising, middle = probability_rising(slopes), float(np.median(slopes))
    carried, without = carried_by(rising, lambda sign: _anew_without(checked, cut, middle, sign, seed))
    return cut.growth(
        *np.quantile(slopes, [0.5, (1 - level) / 2, (1 + level) / 2]).tolist(),
        level=level,
        rising=rising,
        dispersion=rates.dispersion,
        family=CHANGING,
        carried=carried,
        probability_without=without,
    )


@dataclass(frozen=True, eq=False)
class _Cut:
    """The window that growth is read from: its place, its periods, the observed ones, when they were, and counts."""

    place: slice
    periods: pd.PeriodIndex
    observed: pd.PeriodIndex
    times: FloatArray
    data: WindowCounts

    def growth(
        self,
        slope: float,
        lower: float,
        upper: float,
        *,
        level: float,
        rising: float,
        dispersion: float,
        family: str,
        carried: int | None,
        probability_without: float | None,
    ) -> WindowGrowth:
        """Say how fast it grew, from the slope of the log rate and its interval."""
        return WindowGrowth(
            growth=math.expm1(slope),
            lower=math.expm1(lower),
            upper=math.expm1(upper),
            level=level,
            probability_rising=rising,
            doubling_time=_periods(slope),
            fastest_doubling=_periods(max(upper, 0.0)),
            fastest_halving=_periods(max(-lower, 0.0)),
            first=self.periods[0],
            last=self.periods[-1],
            observed=len(self.observed),
            total=float(self.data.totals().mean()),
            dispersion=dispersion,
            family=family,
            histories=self.data.counts.shape[1],
            carried_by=None if carried is None else self.observed[carried],
            probability_without=probability_without,
        )


def _cut(checked: Checked, window: WindowSpec) -> _Cut:
    """Cut the window out of checked counts.

    Raises
    ------
    InputError
        If it is no window, or too little was observed in it.
    """
    index = checked.design.periods
    span = window_slice(index, window, "window", len(index))
    matrix, periods = checked.array.T[span], index[span]
    seen = ~np.isnan(matrix[:, 0])
    if seen.sum() < FEWEST:
        one = "" if seen.sum() == 1 else "s"
        raise InputError(
            f"window ({periods[0]} to {periods[-1]}) has {int(seen.sum())} observed period{one}; growth needs {FEWEST}"
        )
    data = WindowCounts(matrix[seen], checked.design.exposure[span][seen])
    if not data.counts.any():
        raise InputError(f"window ({periods[0]} to {periods[-1]}) holds no incident, so nothing grows in it")
    return _Cut(span, periods, periods[seen], np.flatnonzero(seen).astype(float), data)


def _periods(slope: float) -> float:
    """Periods in which the rate doubles; infinite where it is as good as steady."""
    periods = math.log(2) / slope if slope else math.inf
    return periods if abs(periods) <= NEVER else math.inf


def _alone_without(
    data: WindowCounts, times: FloatArray, slope: float, sign: float, family: str
) -> Iterator[tuple[float, int]]:
    """Probability of a rise from the window alone, without one pulling period, and its place."""
    for at in _pulling(data, times, slope, sign):
        rest = data.without(at).thinned(min(CARRIED_HISTORIES, HISTORIES))
        known = log_linear(rest, np.delete(times, at), family).cdf(0.0) if rest.counts.any() else 0.5
        yield 1 - known, at


def _anew_without(checked: Checked, cut: _Cut, slope: float, sign: float, seed: int) -> Iterator[tuple[float, int]]:
    """Probability of a rise as if one pulling period had not been observed, and its place."""
    for at in _pulling(cut.data, cut.times, slope, sign):
        rest = checked.array.copy()
        rest[:, cut.place.start + int(cut.times[at])] = np.nan
        rates = follow(checked._replace(array=rest), seed, draws=FEWER_DRAWS, histories=FEWER_HISTORIES)
        yield probability_rising(rates.slope_over(cut.place)), at


def _pulling(data: WindowCounts, times: FloatArray, slope: float, sign: float) -> list[int]:
    """The two periods that pull the slope most: the highest in the half that it makes busy, the emptiest elsewhere.

    None where no more than the fewest that growth needs were observed.
    """
    if len(times) <= FEWEST:
        return []
    middle = times - times.mean()
    trend = np.exp(slope * middle) * data.exposure
    mean = data.counts.mean(axis=1)
    pull = sign * (mean - mean.sum() * trend / trend.sum()) * middle
    return [int(np.argmax(np.where(half, pull, -np.inf))) for half in (middle > 0, middle < 0)]
