"""Run length: for how long a rate has been what it is, as it could be known at each period."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from escalation.analysis.changes.segments import filter_cuts, log_constants
from escalation.analysis.changes.series import cut_series, log_shares
from escalation.conventions.arguments import check_whole
from escalation.conventions.notebook import table_html
from escalation.conventions.wording import probability_text
from escalation.counts.histories import POOLED
from escalation.counts.periods import period_word
from escalation.counts.series import CountsLike, unpack_counts
from escalation.errors import InputError

ONLINE = np.geomspace(1e-3, 10.0, 25)
"""Dispersions of a run length, which may not know of later counts."""


@dataclass(frozen=True, eq=False)
class CurrentRun:
    """Run length of the rate, for how long it has been what it is, as it could be known at each period.

    Attributes
    ----------
    by_period : pandas.DataFrame
        Of each period, given the counts up to it: ``changed`` (probability that the rate changed with one of the last
        ``within`` periods), ``expected`` (periods at the present rate, this one included) and ``log_predictive`` (log
        probability of the count given those before; NaN where not observed).
    now : pandas.Series
        Probability of each number of periods at the present rate (1: it began with the last period).
    within : int
        Periods of ``changed``.
    family : str
        ``negbin`` or ``poisson``.
    expected_run_length : float
        Periods between changes, as expected beforehand.
    histories : int
        How many histories were averaged; 1 for exact counts.
    unit : str
        What is counted.
    """

    by_period: pd.DataFrame
    now: pd.Series
    within: int
    family: str
    expected_run_length: float
    histories: int
    unit: str

    @property
    def changed(self) -> float:
        """Probability that the rate changed with one of the last ``within`` periods."""
        return float(self.by_period["changed"].iloc[-1])

    def table(self) -> pd.DataFrame:
        """What could be known at each period, as in ``by_period``."""
        return self.by_period

    def sentence(self) -> str:
        """Say it in plain words."""
        period = pd.PeriodIndex(self.by_period.index)[-1]
        word = period_word(period.freqstr)
        span = f"with the {word}" if self.within == 1 else f"within the {self.within} {word}s"
        most = int(self.now.argmax()) + 1
        return (
            f"The probability that the rate of {self.unit} changed {span} to {period.end_time.date()} is "
            f"{probability_text(self.changed)} (one change in {self.expected_run_length:.4g} {word}s was expected); "
            f"the present rate has most likely lasted {most:,} {period_word(period.freqstr, most)}."
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>" + table_html(self.by_period.tail(12).round(3))


def run_length(
    counts: CountsLike,
    *,
    within: int = 1,
    exposure: pd.Series | None = None,
    family: Literal["negbin", "poisson"] = "negbin",
    expected_run_length: float | None = None,
    prior: tuple[float, float] | None = None,
    histories: int = POOLED,
    unit: str | None = None,
) -> CurrentRun:
    """Estimate at each period, from the counts so far, whether the rate has just changed.

    Parameters
    ----------
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        Counts of one series on a ``PeriodIndex`` (missing periods allowed), or histories of it.
    within : int
        How many last periods "just" means; 1 asks whether the rate changed with this one.
    exposure, family, expected_run_length, prior, histories, unit
        As in :func:`escalation.changepoints`.  The default prior has the mean of the whole series, which is later
        knowledge for its early periods; give a prior where that matters.

    Returns
    -------
    CurrentRun

    Raises
    ------
    InputError
        As :func:`escalation.changepoints`, or if ``within`` is not 1 to the number of periods.

    Notes
    -----
    Online detection of Adams & MacKay (2007, arXiv:0710.3742), exact; their run length r >= 1 at a period is ours, and
    their 0, which has the prior probability of a change after that period, is left out.  With ``"negbin"`` the
    dispersion is one of 25 from 0.001 to 10, each filtered by itself and weighted by the counts so far.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.period_range("2024-01-01", periods=16, freq="W-SUN")
    >>> run = run_length(pd.Series([1, 0, 2, 1, 0, 1, 3, 1, 0, 2, 1, 0, 1, 9, 12, 8], index=weeks), within=4)
    >>> run.by_period["changed"].round(2).tolist()[-4:], int(run.now.idxmax())
    ([0.14, 0.78, 0.98, 0.99], 3)
    """
    counts, exposure, unit = unpack_counts(counts, exposure, unit)
    if family not in ("negbin", "poisson"):
        raise InputError(f"family is {family!r}; run lengths are found with 'negbin' or 'poisson'")
    series = cut_series(counts, exposure, family, expected_run_length, prior, histories)
    n, m = series.matrix.shape
    within = check_whole(within, "within", n)
    nodes = np.zeros(1) if family == "poisson" else ONLINE
    log_prior = log_shares(nodes)
    rows, shares = np.arange(1, n + 1), np.empty((len(nodes), n + 1))
    changed, expected, predictive, now = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for y in series.matrix.T:
        recent, lasted, final = (np.empty((len(nodes), n)) for _ in range(3))
        for k, a in enumerate(nodes):
            evidence, last = filter_cuts(series.sums(y), a)
            constants = np.concatenate([[0.0], np.cumsum(log_constants(y, series.exposure, a))])
            shares[k] = log_prior[k] + evidence + constants
            final[k] = last[n * (n - 1) // 2 :][::-1]
            for t in rows:
                row = last[t * (t - 1) // 2 : t * (t + 1) // 2]
                recent[k, t - 1] = row[max(t - within, 1) :].sum()
                lasted[k, t - 1] = row @ np.arange(t, 0, -1)
        total = np.logaddexp.reduce(shares, axis=0)
        weight = np.exp(shares - total)[:, 1:]
        changed += (weight * recent).sum(axis=0) / m
        expected += (weight * lasted).sum(axis=0) / m
        now += weight[:, -1] @ final / m
        predictive += np.where(np.isnan(y), np.nan, np.diff(total)) / m
    table = {"changed": changed, "expected": expected, "log_predictive": predictive}
    return CurrentRun(
        by_period=pd.DataFrame(table, index=series.periods),
        now=pd.Series(now, index=pd.RangeIndex(1, n + 1, name="periods"), name="probability"),
        within=within,
        family=family,
        expected_run_length=series.expected_run_length,
        histories=m,
        unit=unit,
    )
