"""A change of the rate between two windows, and how it is said."""

from __future__ import annotations

import html
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from escalation.conventions.notebook import table_html
from escalation.conventions.wording import measures, plain, probability_text
from escalation.counts.periods import period_word

SAID = 0.9
"""A direction with at least this probability is said to be one."""
BEYOND = 0.95
"""A rise with at least this probability of being unusual is said to go beyond the usual fluctuation."""
COVERED = 1e-9
"""Sums of exposures are taken as whole within this."""


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
        Mean rate of the window per full period: the posterior median for ``changing_rate``, else ``total / exposure``.
    lower, upper : float
        Interval of the mean rate (not of a count), of the level of its :class:`RateChange`; the rate lies inside.
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
    probability_higher : float
        Posterior probability that the mean rate of the recent window is above that of the baseline; equal rates count
        half.
    probability_unusual : float
        Probability that the rise goes beyond the fluctuation that the series usually shows, near 0 for such a fall:
        see :func:`escalation.analysis.trend.fluctuation.probability_unusual`.  NaN where too little was observed.
    recent, baseline : WindowRate
        The windows, their totals, exposures and rates.
    dispersion : float
        Posterior mean (median for ``negbin``) of alpha in ``Var = mu + alpha mu^2``; 0 for ``poisson``.
    family : str
        ``changing_rate``, ``negbin`` or ``poisson``.
    p_value : float or None
        Two-sided conditional test of equal rates, given the total of both windows: binomial for ``poisson``, negative
        hypergeometric for ``negbin``; the mean over the histories where there are several (Meng 1994,
        doi:10.1214/aos/1176325622).  None for ``changing_rate``.
    histories : int
        How many histories were averaged; 1 for exact counts.
    carried_by : pandas.Period or None
        A single period that the direction hangs on: with it the probability of the direction is at
        least 0.9, without it below 0.75.  None when there is no such period, or no direction to be carried.
    probability_without : float or None
        ``probability_higher`` when ``carried_by`` is left out.
    """

    ratio: float
    lower: float
    upper: float
    level: float
    probability_higher: float
    probability_unusual: float
    recent: WindowRate
    baseline: WindowRate
    dispersion: float
    family: str
    p_value: float | None
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
        rows: list[tuple[str, tuple[float, ...], str]] = [
            ("rate now", (now.rate, now.lower, now.upper), f"per {word}"),
            ("rate before", (was.rate, was.lower, was.upper), f"per {word}"),
            ("ratio of rates", (self.ratio, self.lower, self.upper), "times"),
            ("probability of an unusual rise", (self.probability_unusual,), "probability"),
            ("probability of a higher rate", (self.probability_higher,), "probability"),
            ("p-value of equal rates", (np.nan if self.p_value is None else self.p_value,), "probability"),
        ]
        return measures([row for row in rows if not np.isnan(row[1][0])])

    def direction(self) -> int:
        """1 where the rate is said to have risen, -1 where to have fallen, 0 where neither can be said.

        It is said where the rate is higher with a probability of 0.9, or unusual with one of 0.95.
        """
        for sign, higher, unusual in (
            (1, self.probability_higher, self.probability_unusual),
            (-1, 1 - self.probability_higher, 1 - self.probability_unusual),
        ):
            if higher >= SAID or unusual >= BEYOND:  # a comparison with NaN is false
                return sign
        return 0

    def verdict(self) -> str:
        """Say whether the rate rose or fell, and whether beyond the usual fluctuation."""
        sign = self.direction()
        if sign == 0:
            return "may have risen or fallen"
        higher, unusual = (one if sign > 0 else 1 - one for one in (self.probability_higher, self.probability_unusual))
        way = "rose" if sign > 0 else "fell"
        if higher < SAID:
            return f"{way} beyond its usual fluctuation, though that it lasts is not certain"
        return f"{way} beyond its usual fluctuation" if unusual >= BEYOND else f"probably {way}"

    def sentence(self) -> str:
        """Say it in plain words, with the ranges."""
        word = period_word(self.recent.first.freqstr)
        was, now = self.baseline, self.recent
        text = (
            f"The rate {self.verdict()}: {plain(now.rate)} per {word} ({100 * self.level:g}% interval {_range(now)}) "
            f"in {now.span()}, against {plain(was.rate)} ({_range(was)}) in {was.span()}; that is "
            f"{plain(self.ratio)} times the baseline rate ({_range(self)}). {self.how_sure()}"
        )
        if self.carried_by is not None and self.probability_without is not None:
            when = self.carried_by.start_time.date()
            start = f"that starts on {when}" if word != "day" else f"{when}"
            text += f" Without the {word} {start} that probability is {probability_text(self.probability_without)}."
        return text

    def how_sure(self) -> str:
        """Say both probabilities: of a rise beyond the usual fluctuation, and of a higher rate."""
        higher = f"that the rate is higher at all is {probability_text(self.probability_higher)}."
        if np.isnan(self.probability_unusual):
            return f"The probability {higher}"
        return (
            "The probability of a rise beyond the fluctuation that the series usually shows is "
            f"{probability_text(self.probability_unusual)}; {higher}"
        )

    def _repr_html_(self) -> str:
        table = pd.concat([self.recent.table(), self.baseline.table()]).set_axis(["recent", "baseline"])
        test = "" if self.p_value is None else f" Conditional test of equal rates: p-value {self.p_value:.2g}."
        return f"<p>{html.escape(self.sentence() + test)}</p>" + table_html(
            table.astype({"first": str, "last": str}).round(3)
        )


def _range(of: WindowRate | RateChange) -> str:
    return f"{plain(of.lower)} to {plain(of.upper)}"
