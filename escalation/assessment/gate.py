"""The gate before growth, changes and alarms: whether counts hold enough to carry them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.counts.periods import date_span, period_word
from escalation.counts.schema import count_matrix
from escalation.counts.series import CountSeries

MOST_SINGLE = 4
"""So few observed periods among missing ones show no rate."""
HALF = 0.5
"""With less than this share of the recent window spoken of, answers depend on what silence means."""
INCIDENTS_NEED = 10
"""Incidents (their mean over the histories) that growth, changes and alarms are read from."""


def too_thin(series: CountSeries, part: NDArray[np.float64], periods: int) -> str | None:
    """Say why a part of a series, shape (periods, histories), holds too little; None where it holds enough."""
    words = period_word(series.freq, 2)
    seen, total = int((~np.isnan(part[:, 0])).sum()), float(np.nansum(part) / part.shape[1])
    if seen < periods:
        return f"{seen} observed {words}, and it needs {periods}"
    if total < INCIDENTS_NEED:
        return f"{total:.3g} {series.unit} in {len(part)} {words}, and it needs {INCIDENTS_NEED}"
    return None


def barely_spoken_of(series: CountSeries) -> str | None:
    """Say why no rate follows from a series of which only single days were spoken of; None where one does."""
    unseen = np.isnan(count_matrix(series.counts)[:, 0])
    seen = int((~unseen).sum())
    if series.silence != "unknown" or not unseen.any() or seen > MOST_SINGLE:
        return None
    return (
        f"only {seen} of {len(unseen)} {period_word(series.freq, len(unseen))} are spoken of, and what happened in the "
        "others is not known; if nothing did, say so with silence quiet"
    )


def unobserved(periods: pd.PeriodIndex, name: str) -> str:
    """Say that nothing of a window was observed."""
    number, span = len(periods), date_span(periods[0], periods[-1])
    word = period_word(periods.freqstr, number)
    if number == 1:
        return f"the {name} {word}, {span}, was not observed"
    return f"none of the {number} {name} {word}, {span}, was observed"


def recent_share(series: CountSeries, recent: pd.PeriodIndex) -> float:
    """Share of the covered days of the recent periods that some source speaks of."""
    covered = float(series.exposure.loc[recent[0] : recent[-1]].sum())
    return float(series.observed_share.loc[recent[0] : recent[-1]].sum()) / covered if covered > 0 else 0.0
