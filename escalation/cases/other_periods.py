"""The same question asked of the same days in other periods: weeks and months need not answer alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from escalation.analysis.trend.rate_change import RateChange
from escalation.assessment.answer import Answer
from escalation.assessment.assess import assess
from escalation.assessment.result import Assessment
from escalation.assessment.source import SourceSeries
from escalation.assessment.withheld import Withheld, try_part
from escalation.conventions.wording import plain, probability_text, spaced
from escalation.counts.periods import exposure, period_word
from escalation.counts.schema import count_matrix
from escalation.counts.series import CountSeries
from escalation.tallies.daily import by_period

OTHER = {"D": "W-SUN", "W": "M", "M": "W-SUN"}
"""The periods that an answer is compared with, by those that it is of."""
FEWEST = 6
"""So few periods are compared with nothing."""


@dataclass(frozen=True, eq=False)
class OtherPeriods:
    """Whether the rate rises, asked of other periods than the brief's.

    Attributes
    ----------
    rate : RateChange
        The recent window against the one before, in the other periods.
    unit : str
        What one of the count is.
    differs : bool
        Whether another direction is said: risen, fallen or neither.
    """

    rate: RateChange
    unit: str
    differs: bool

    def sentence(self) -> str:
        """Say what the other periods show, and whether that is the same."""
        now, was, word = self.rate.recent, self.rate.baseline, period_word(self.rate.recent.first.freqstr)
        lead = f"By {word}s the answer differs" if self.differs else f"By {word}s the answer is the same"
        return (
            f"{lead}: {spaced(self.unit)} {self.rate.verdict()}, with {plain(now.rate)} a {word} in {now.span()} "
            f"against {plain(was.rate)} in {was.span()}; a higher rate has probability "
            f"{probability_text(self.rate.probability_higher)}."
        )

    def answers(self) -> list[Answer]:
        """Its numbers, under the keys of the brief's own with the period at the end."""
        word = period_word(self.rate.recent.first.freqstr)
        per, now, was = f"{self.unit} per {word}", self.rate.recent, self.rate.baseline
        return [
            Answer(f"rate_now_by_{word}", f"rate now, by {word}s", now.rate, now.lower, now.upper, per),
            Answer(f"rate_before_by_{word}", f"rate before, by {word}s", was.rate, was.lower, was.upper, per),
            Answer(
                f"probability_higher_by_{word}",
                f"probability of a higher rate, by {word}s",
                self.rate.probability_higher,
            ),
        ]


def find_other_periods(found: Assessment) -> OtherPeriods | Withheld:
    """Ask in months what was asked in weeks, in weeks what was asked in days or months, of the same daily counts."""
    own = found.rate
    if isinstance(own, Withheld):
        return Withheld("other_periods", own.reason)
    series = in_periods(found.series, OTHER[found.freq[0]])
    if isinstance(series, Withheld):
        return series
    other = try_part("other_periods", lambda: assess(series, models=(), level=found.level, rng=found.seed).rate)
    if isinstance(other, Withheld):
        return Withheld("other_periods", other.reason)
    return OtherPeriods(other, series.unit, other.direction() != own.direction())


def in_periods(series: CountSeries, freq: str) -> CountSeries | Withheld:
    """The same counts in other periods, where they are known by day."""
    days = _daily(series)
    if isinstance(days, Withheld):
        return days
    index = pd.PeriodIndex(days.index)
    periods = pd.period_range(index[0].asfreq(freq), index[-1].asfreq(freq), freq=freq, name="period")
    if len(periods) < FEWEST:
        return Withheld("other_periods", f"there are {len(periods)} {period_word(freq, len(periods))}")
    until = min(series.observed_until, index[-1].start_time)
    counts = by_period(days, periods)
    return CountSeries(
        counts if counts.shape[1] > 1 else counts.iloc[:, 0],
        exposure=exposure(periods, index[0], index[-1]),
        observed_until=until,
        silence=series.silence,
        unit=series.unit,
        title=series.title,
    )


def _daily(series: CountSeries) -> pd.DataFrame | Withheld:
    """Histories by day, or counts by day as the only one, where none is missing."""
    if not isinstance(series, SourceSeries):
        return Withheld("other_periods", "the counts are not known by day")
    if np.isnan(count_matrix(series.counts)).any():
        return Withheld("other_periods", "some periods were not observed")
    if series.reconstruction is not None:
        if series.silence != series.reconstruction.silence:
            return Withheld("other_periods", "another meaning of silence was asked for")
        return series.reconstruction.daily
    if series.daily is None:
        return Withheld("other_periods", "the counts are not known by day")
    if series.daily.isna().any():
        return Withheld("other_periods", "some days were not observed")
    return series.daily.to_frame()
