"""Growth over a window: by how much the rate rises or falls a period, and in how many it doubles or halves."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from escalation.analysis.trend.growth_posterior import SlopePosterior, log_linear
from escalation.analysis.trend.rate_posterior import WindowCounts
from escalation.analysis.trend.trend import CARRIED, CARRIED_HISTORIES, FAMILIES, SAID
from escalation.conventions.arguments import check_level
from escalation.conventions.arrays import FloatArray
from escalation.conventions.wording import measures, percent, plain, probability_text
from escalation.counts.periods import period_word
from escalation.counts.schema import checked_counts, is_histories
from escalation.counts.series import CountsLike, unpack_counts
from escalation.counts.windows import WindowSpec, window_slice
from escalation.errors import InputError
from escalation.models.contract.design import make_design

FEWEST = 4
"""Observed periods that growth is estimated from."""
HISTORIES = 60
"""Histories that are averaged, spread evenly over all."""


@dataclass(frozen=True)
class WindowGrowth:
    """How fast the rate grew over a window.

    Attributes
    ----------
    growth : float
        Posterior median of the change of the rate a period, as a share of it: 0.05 is 5% more each period.
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
        Posterior median of alpha in ``Var = mu + alpha mu^2``; 0 for ``poisson``, which assumes it.
    family : str
        ``negbin`` or ``poisson``.
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
        if self.lower > 0 or self.upper < 0:
            verb = "doubling" if self.lower > 0 else "halving"
            near, far = sorted(abs(math.log(2) / math.log1p(end)) for end in (self.lower, self.upper))
            middle = abs(self.doubling_time)
            return f"{verb} in {plain(middle)} {period_word(freq, middle)} ({plain(near)} to {plain(far)})"
        ends = [
            f"{verb} in no less than {plain(least)} {period_word(freq, least)}"
            for verb, least in (("doubling", self.fastest_doubling), ("halving", self.fastest_halving))
            if not math.isinf(least)
        ]
        return " and ".join(ends)

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>"


def growth_rate(
    counts: CountsLike,
    window: WindowSpec,
    *,
    exposure: pd.Series | None = None,
    family: str = "negbin",
    level: float = 0.9,
) -> WindowGrowth:
    r"""Growth rate and doubling time over a window, if the log of the rate is a straight line in it.

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
    family : str
        ``"negbin"`` estimates the dispersion of the counts about their rate; ``"poisson"`` assumes that there is none.
    level : float
        Probability of the interval, between 0 and 1.

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
    Counts are NB2 with mean :math:`e_t \exp(a + b t)` and one dispersion :math:`\alpha`.  The prior of
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
    >>> risen = growth_rate(counts, 10)
    >>> round(risen.growth, 2), round(risen.doubling_time, 1), risen.probability_rising > 0.99
    (0.21, 3.7, True)
    """
    counts, exposure, _ = unpack_counts(counts, exposure)
    table, values = checked_counts(counts)
    if isinstance(table, pd.DataFrame) and not is_histories(table):
        raise InputError(f"growth_rate takes one series and got a table of {table.shape[1]} units; give one column")
    if family not in FAMILIES:
        raise InputError(f"family of growth_rate is {family!r}; use negbin or poisson")
    half = check_level(level) / 2
    index = pd.PeriodIndex(table.index)
    span = window_slice(index, window, "window", len(index))
    shares = make_design(index, 0, exposure, None, np.isnan(values[:, 0])).exposure
    matrix = values[span]
    seen = ~np.isnan(matrix[:, 0])
    periods = index[span]
    if seen.sum() < FEWEST:
        one = "" if seen.sum() == 1 else "s"
        raise InputError(
            f"window ({periods[0]} to {periods[-1]}) has {int(seen.sum())} observed period{one}; growth needs {FEWEST}"
        )
    data = WindowCounts(matrix[seen], shares[span][seen])
    if not data.counts.any():
        raise InputError(f"window ({periods[0]} to {periods[-1]}) holds no incident, so nothing grows in it")
    times = np.flatnonzero(seen).astype(float)
    posterior = log_linear(data.thinned(HISTORIES), times, family)
    rising = 1 - posterior.cdf(0.0)
    slope, lower, upper = (posterior.quantile(q) for q in (0.5, 0.5 - half, 0.5 + half))
    carried, without = _carried_by(data, times, posterior, rising, family)
    return WindowGrowth(
        growth=math.expm1(slope),
        lower=math.expm1(lower),
        upper=math.expm1(upper),
        level=level,
        probability_rising=rising,
        doubling_time=_periods(slope),
        fastest_doubling=_periods(max(upper, 0.0)),
        fastest_halving=_periods(max(-lower, 0.0)),
        first=periods[0],
        last=periods[-1],
        observed=int(seen.sum()),
        total=float(data.totals().mean()),
        dispersion=posterior.dispersion,
        family=family,
        histories=matrix.shape[1],
        carried_by=None if carried is None else periods[seen][carried],
        probability_without=without,
    )


def _periods(slope: float) -> float:
    """Periods in which the rate doubles."""
    return math.log(2) / slope if slope else math.inf


def _carried_by(
    data: WindowCounts, times: FloatArray, posterior: SlopePosterior, rising: float, family: str
) -> tuple[int | None, float | None]:
    """Find the single period that the direction hangs on, and the probability of a rise without it.

    Only the two that pull the slope most are tried: the highest in the half that the direction makes busy, and the
    emptiest in the other.
    """
    if max(rising, 1 - rising) < SAID or len(times) <= FEWEST:
        return None, None
    sign = 1.0 if rising > 0.5 else -1.0
    middle = times - times.mean()
    trend = np.exp(posterior.quantile(0.5) * middle) * data.exposure
    mean = data.counts.mean(axis=1)
    pull = sign * (mean - mean.sum() * trend / trend.sum()) * middle
    tried = []
    for half in (middle > 0, middle < 0):
        at = int(np.argmax(np.where(half, pull, -np.inf)))
        rest = data.without(at).thinned(min(CARRIED_HISTORIES, HISTORIES))
        known = log_linear(rest, np.delete(times, at), family).cdf(0.0) if rest.counts.any() else 0.5
        tried.append((1 - known, at))
    without, at = min(tried, key=lambda pair: sign * pair[0])
    direction = without if sign > 0 else 1 - without
    return (at, without) if direction < CARRIED else (None, None)
