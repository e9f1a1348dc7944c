"""Histories by day and by period from the counts of atoms."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.counts.schema import DRAW
from escalation.tallies.evidence import Evidence
from escalation.tallies.posterior import Posterior


def daily_histories(posterior: Posterior, evidence: Evidence, draws: int, rng: Generator) -> pd.DataFrame:
    """Spread each atom's count over its days: all days of the evidence x draws."""
    return spread_over_days(*posterior.thinned(draws), evidence, rng)


def spread_over_days(counts: IntArray, sizes: FloatArray, evidence: Evidence, rng: Generator) -> pd.DataFrame:
    """Spread counts of atoms, shape (draws, A), over their days, which cluster."""
    draws, by_day = len(counts), []
    for a, days in enumerate(np.rint(evidence.atom_days).astype(np.int64)):
        # shares of negative binomial days in their sum are Dirichlet multinomial
        weight = np.ones((draws, days)) if days == 1 else rng.gamma(sizes[:, None], 1.0, (draws, days)) + 1e-290
        by_day.append(rng.multinomial(counts[:, a], weight / weight.sum(axis=1, keepdims=True)).T)
    return _daily_frame(np.concatenate(by_day), pd.Timestamp(evidence.first_day))


def _daily_frame(by_day: IntArray, first: pd.Timestamp) -> pd.DataFrame:
    index = pd.period_range(first, periods=len(by_day), freq="D", name="period")
    return pd.DataFrame(by_day, index=index, columns=pd.RangeIndex(by_day.shape[1], name=DRAW))


def by_period(daily: pd.DataFrame, periods: pd.PeriodIndex) -> pd.DataFrame:
    """Sum daily histories over the periods that hold their days."""
    return daily.groupby(pd.PeriodIndex(daily.index).asfreq(periods.freqstr)).sum().set_axis(periods)
