"""The trend of one series: two windows compared, growth over a window and now, and what carries the change."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from escalation.analysis.trend.growth import FEWEST, WindowGrowth, growth_of
from escalation.analysis.trend.influence import Carrier, carried_by_day, carried_by_tally
from escalation.analysis.trend.rate_change import RateChange, WindowRate
from escalation.analysis.trend.trend import DRAWS, UNDERLYING, change_of
from escalation.assessment.answer import PROBABILITY, Answer, answer_from, not_given
from escalation.assessment.gate import too_thin, unobserved
from escalation.assessment.options import Options
from escalation.assessment.source import SourceSeries
from escalation.assessment.withheld import Withheld
from escalation.conventions.randomness import Seed, generator_for
from escalation.conventions.wording import percent, probability_text
from escalation.counts.periods import period_word
from escalation.counts.schema import count_matrix
from escalation.counts.series import CountSeries
from escalation.counts.windows import two_windows, window_slice
from escalation.models.contract.base import CountFit
from escalation.models.contract.design import Checked, check_series
from escalation.models.contract.underlying import UnderlyingRates, probability_rising, underlying_rates

TOO_FEW = "fewer than 5 observed periods, or counts too large, do not show how a series fluctuates"
NOTHING = 0.5
"""Incidents in both windows together, the mean over the histories, below which there is nothing to compare."""
TRIED = 3
"""Tallies or days that are left out in turn."""


@dataclass(frozen=True)
class GrowthNow:
    """The growth rate at the end of a series, which its forecast carries on.

    Attributes
    ----------
    growth, lower, upper : float
        Change of the underlying rate from the last period to the next, as a share of it: posterior median and interval.
    probability_rising : float
        Posterior probability that it rises; no change counts half.
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
            f"At the end of the series the underlying rate changes by {percent(self.growth)} a "
            f"{period_word(self.freq)} ({self.level:.0%} interval {percent(self.lower)} to {percent(self.upper)}); the "
            f"probability that it rises is {probability_text(self.probability_rising)}."
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


def find_underlying(fit: CountFit | Withheld, seed: int) -> UnderlyingRates | Withheld:
    """Draw the underlying rates from the fit that forecasts come from."""
    if isinstance(fit, Withheld):
        return Withheld("underlying", fit.reason)
    return underlying_rates(fit, draws=DRAWS, rng=generator_for(seed, UNDERLYING))


def find_rate(
    series: CountSeries, rates: UnderlyingRates | Withheld, options: Options, seed: int
) -> RateChange | Withheld:
    """Compare the recent window with its baseline, where both were observed at all."""
    spans = two_windows(series.periods, options.recent, options.baseline)
    for name, span in zip(("recent", "baseline"), spans, strict=True):
        if np.isnan(count_matrix(series.counts)[span]).all():
            return Withheld("rate", unobserved(series.periods[span], name))
    counted = isinstance(series, SourceSeries) and series.reconstruction is not None
    if counted and sum(np.nansum(count_matrix(series.counts)[span], axis=0).mean() for span in spans) < NOTHING:
        return Withheld("rate", f"there were no {series.unit} in either window, so that there is nothing to compare")
    if isinstance(rates, Withheld):
        return Withheld("rate", rates.reason)
    return change_of(rates, _checked(series), options.recent, options.baseline, options.level, seed)


def find_growth(
    series: CountSeries, rates: UnderlyingRates | Withheld, options: Options, seed: int
) -> WindowGrowth | Withheld:
    """Return the growth over the window, where it holds enough."""
    spec = window_slice(series.periods, options.window, "window", len(series.counts))
    thin = too_thin(series, count_matrix(series.counts)[spec], FEWEST)
    if thin is not None:
        return Withheld("growth", thin)
    if isinstance(rates, Withheld):
        return Withheld("growth", rates.reason)
    return growth_of(rates, _checked(series), options.window, options.level, seed)


def _checked(series: CountSeries) -> Checked:
    return check_series("assess", series.counts, series.exposure, None)


def find_growth_now(series: CountSeries, rates: UnderlyingRates | Withheld, level: float) -> GrowthNow | Withheld:
    """Return the growth rate at the end of the series, where it holds enough."""
    thin = too_thin(series, count_matrix(series.counts), FEWEST)
    if thin is not None:
        return Withheld("growth_now", thin)
    if isinstance(rates, Withheld):
        return Withheld("growth_now", rates.reason)
    middle, lower, upper = np.expm1(np.quantile(rates.growth, [0.5, (1 - level) / 2, (1 + level) / 2])).tolist()
    rising = probability_rising(rates.growth)
    return GrowthNow(middle, lower, upper, rising, level, series.freq)


def find_carrier(series: CountSeries, rate: RateChange | Withheld, rng: Seed) -> Carrier | Withheld:
    """Leave out the tallies, or the days, that a change of the rate leans on most."""
    if isinstance(rate, Withheld):
        return Withheld("carrier", rate.reason)
    windows = [(window.first, window.last) for window in (rate.recent, rate.baseline)]
    if isinstance(series, SourceSeries) and series.reconstruction is not None:
        if series.reconstruction.together is not None:
            return Withheld("carrier", "several counters or places were read together; ask it of one of them")
        return carried_by_tally(series.reconstruction, *windows, change=rate, tried=TRIED, rng=rng)
    if isinstance(series, SourceSeries) and series.daily is not None:
        return carried_by_day(series.daily, *windows, change=rate, freq=series.freq, tried=TRIED, rng=rng)
    return Withheld("carrier", "it needs tallies, or incidents by day")


def rate_answers(series: CountSeries, rate: RateChange | Withheld) -> Iterator[Answer]:
    """Answer what the rates are now and before, and whether they rose: beyond the usual, and at all."""
    per = f"{series.unit} per {period_word(series.freq)}"
    unusual, higher = "probability of an unusual rise", "probability of a higher rate"
    yield answer_from(rate, "rate_now", "rate now", per, lambda found: _ends(found.recent))
    yield answer_from(rate, "rate_before", "rate before", per, lambda found: _ends(found.baseline))
    yield answer_from(rate, "rate_ratio", "ratio of rates", "times", lambda it: (it.ratio, it.lower, it.upper))
    if isinstance(rate, RateChange) and np.isnan(rate.probability_unusual):
        yield from not_given(Withheld("rate", TOO_FEW), ("probability_unusual", unusual, PROBABILITY))
    else:
        yield answer_from(rate, "probability_unusual", unusual, PROBABILITY, lambda it: [it.probability_unusual])
    yield answer_from(rate, "probability_higher", higher, PROBABILITY, lambda found: [found.probability_higher])


def _ends(window: WindowRate) -> tuple[float, float, float]:
    return window.rate, window.lower, window.upper


def counted_answer(
    series: CountSeries, periods: pd.PeriodIndex, counted: tuple[float, float, float] | Withheld
) -> Answer:
    """Answer how many were counted in the recent periods; the interval is that of the histories."""
    span = f"{len(periods)} {period_word(series.freq, len(periods))}"
    until_now = periods[-1] == series.periods[-1]
    last = periods[-1].end_time.normalize()
    question = f"counted in the last {span}" if until_now else f"counted in the {span} to {last.date()}"
    until = series.observed_until
    if until is not None and periods[0].start_time <= until < last:  # fewer days than so many periods have
        question = f"counted from {periods[0].start_time.date()} to {until.date()}"
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
    grows, unit = "growth now", f"share per {period_word(series.freq)}"
    rising = ("probability_rising_now", "probability of rising now")
    yield answer_from(now, "growth_now", grows, unit, lambda found: (found.growth, found.lower, found.upper))
    yield answer_from(now, *rising, PROBABILITY, lambda found: [found.probability_rising])


def carrier_answers(carrier: Carrier | Withheld) -> Iterator[Answer]:
    """Answer what is left of a change without single tallies or days."""
    key, question = "probability_higher_without", "probability of a higher rate without"
    if isinstance(carrier, Withheld):
        yield from not_given(carrier, (f"{key}_1", f"{question} one tally or day", PROBABILITY))
        return
    for place, (named, rose) in enumerate(carrier.without().items(), start=1):
        yield Answer(f"{key}_{place}", f"{question} {named}", float(rose))
