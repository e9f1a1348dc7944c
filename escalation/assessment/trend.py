"""The trend of one series: two windows compared, growth over a window and now, and what carries the change."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from escalation.analysis.trend.growth import FEWEST, WindowGrowth, growth_rate
from escalation.analysis.trend.influence import Carrier, carried_by_day, carried_by_tally
from escalation.analysis.trend.trend import RateChange, WindowRate, compare_rates
from escalation.assessment.answer import PROBABILITY, Answer, answer_from, not_given
from escalation.assessment.gate import too_thin, unobserved
from escalation.assessment.options import Options
from escalation.assessment.source import SourceSeries
from escalation.assessment.withheld import Withheld, try_part
from escalation.conventions.randomness import Seed
from escalation.conventions.wording import percent, probability_text
from escalation.counts.periods import period_word
from escalation.counts.schema import count_matrix
from escalation.counts.series import CountSeries
from escalation.counts.windows import two_windows, window_slice
from escalation.models.levels.local_trend import LocalTrend, growth

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
            f"{percent(self.upper)}); the probability that it rises is {probability_text(self.probability_rising)}."
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


def find_rate(series: CountSeries, options: Options) -> RateChange | Withheld:
    """Compare the recent window with its baseline, where both were observed at all."""
    spans = two_windows(series.periods, options.recent, options.baseline)
    for name, span in zip(("recent", "baseline"), spans, strict=True):
        if np.isnan(count_matrix(series.counts)[span]).all():
            return Withheld("rate", unobserved(series.periods[span], name))
    return compare_rates(series.counts, options.recent, options.baseline, exposure=series.exposure, level=options.level)


def find_growth(series: CountSeries, options: Options) -> WindowGrowth | Withheld:
    """Return the growth over the window, where it holds enough."""
    spec = window_slice(series.periods, options.window, "window", len(series.counts))
    thin = too_thin(series, count_matrix(series.counts)[spec], FEWEST)
    if thin is not None:
        return Withheld("growth", thin)
    return growth_rate(series.counts, options.window, exposure=series.exposure, level=options.level)


def find_growth_now(series: CountSeries, options: Options) -> GrowthNow | Withheld:
    """Return the growth rate at the end of the series, where its model can be fitted to enough."""
    thin = too_thin(series, count_matrix(series.counts), FEWEST)
    return Withheld("growth_now", thin) if thin else try_part("growth_now", lambda: _growth_now(series, options.level))


def _growth_now(series: CountSeries, level: float) -> GrowthNow:
    fit = LocalTrend().fit(series.counts, exposure=series.exposure, unit=series.unit)
    row = growth(fit, level).iloc[-1]
    ends = (float(row["growth_ci_lower"]), float(row["growth_ci_upper"]))
    return GrowthNow(float(row["growth"]), *ends, float(row["probability_rising"]), level, series.freq)


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


def rate_answers(series: CountSeries, rate: RateChange | Withheld) -> Iterator[Answer]:
    """Answer what the rates are now and before, and whether they rose."""
    per = f"{series.unit} per {period_word(series.freq)}"
    rose = "probability that the rate rose"
    yield answer_from(rate, "rate_now", "rate now", per, lambda found: _ends(found.recent))
    yield answer_from(rate, "rate_before", "rate before", per, lambda found: _ends(found.baseline))
    yield answer_from(rate, "rate_ratio", "ratio of rates", "times", lambda it: (it.ratio, it.lower, it.upper))
    yield answer_from(rate, "probability_higher", rose, PROBABILITY, lambda found: [found.probability_rose])


def _ends(window: WindowRate) -> tuple[float, float, float]:
    return window.rate, window.lower, window.upper


def counted_answer(
    series: CountSeries, periods: pd.PeriodIndex, counted: tuple[float, float, float] | Withheld
) -> Answer:
    """Answer how many were counted in the recent periods; the interval is that of the histories."""
    span = f"{len(periods)} {period_word(series.freq, len(periods))}"
    until_now = periods[-1] == series.periods[-1]
    question = f"counted in the last {span}" if until_now else f"counted in the {span} to {periods[-1].end_time.date()}"
    return answer_from(counted, "count_recent", question, series.unit, lambda values: values)


def growth_answer(series: CountSeries, window: pd.PeriodIndex, risen: WindowGrowth | Withheld) -> Answer:
    """Answer how fast the rate grew over the window."""
    question = f"growth over {len(window)} {period_word(series.freq, len(window))}"
    unit = f"share per {period_word(series.freq)}"
    return answer_from(risen, "growth", question, unit, lambda found: (found.growth, found.lower, found.upper))


def doubling_answers(series: CountSeries, risen: WindowGrowth | Withheld) -> Iterator[Answer]:
    """Answer in which time the rate doubled, and whether it was rising."""
    time = ("doubling_time", "doubling time (negative: halving)")
    rising, words = ("probability_rising", "probability that it was rising"), period_word(series.freq, 2)
    if isinstance(risen, Withheld):
        yield from not_given(risen, (*time, words), (*rising, PROBABILITY))
        return
    level = "the rate neither rises nor falls" if np.isinf(risen.doubling_time) else ""
    yield Answer(*time, np.nan if level else risen.doubling_time, unit=words, why=level)
    yield Answer(*rising, risen.probability_rising)


def growth_now_answers(series: CountSeries, now: GrowthNow | Withheld) -> Iterator[Answer]:
    """Answer how fast the rate grows at the end of the series."""
    grows, unit = "growth now (local trend)", f"share per {period_word(series.freq)}"
    rising = ("probability_rising_now", "probability of rising now")
    yield answer_from(now, "growth_now", grows, unit, lambda found: (found.growth, found.lower, found.upper))
    yield answer_from(now, *rising, PROBABILITY, lambda found: [found.probability_rising])


def p_value_answer(rate: RateChange | Withheld) -> Answer:
    """Answer how well equal rates fit."""
    return answer_from(rate, "p_value", "p-value of equal rates", PROBABILITY, lambda found: [found.p_value])


def carrier_answers(carrier: Carrier | Withheld) -> Iterator[Answer]:
    """Answer what is left of a change without single tallies or days."""
    key, question = "probability_higher_without", "probability that it rose without"
    if isinstance(carrier, Withheld):
        yield from not_given(carrier, (f"{key}_1", f"{question} one tally or day", PROBABILITY))
        return
    for place, (named, rose) in enumerate(carrier.without().items(), start=1):
        yield Answer(f"{key}_{place}", f"{question} {named}", float(rose))
