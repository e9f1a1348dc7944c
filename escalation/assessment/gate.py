"""The gate before growth, changes and alarms: whether counts hold enough to carry them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.counts.periods import date_span, period_word
from escalation.counts.series import CountSeries

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


def unobserved(periods: pd.PeriodIndex, name: str) -> str:
    """Say that nothing of a window was observed."""
    number, span = len(periods), date_span(periods[0], periods[-1])
    word = period_word(periods.freqstr, number)
    if number == 1:
        return f"the {name} {word}, {span}, was not observed"
    return f"none of the {number} {name} {word}, {span}, was observed"
