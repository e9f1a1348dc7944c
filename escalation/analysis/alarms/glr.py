"""GLR: the likelihood of the best change point against that of no change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from escalation.analysis.alarms.baseline import CHART_RANGES, Baseline, Chart
from escalation.analysis.alarms.detector import Ranges
from escalation.conventions.arrays import FloatArray
from escalation.conventions.compilation import compiled


@dataclass(frozen=True)
class GLR(Chart):
    r"""Generalised likelihood ratio chart for a rise of the rate by an unknown factor.

    The statistic is ``max over k of sup over kappa >= 0 of sum_{t=k..n} log(f(y_t; m_t e^kappa) / f(y_t; m_t))``, with
    ``f`` the Poisson or NB2 distribution; there is an alarm when it reaches ``limit``, and the chart then begins anew.
    As R's ``surveillance::algo.glrnb`` with ``change="intercept"`` and ``dir="inc"`` (Hoehle & Paul 2008,
    doi:10.1016/j.csda.2008.02.015).  The periods before the first judged one give the expected counts and the
    dispersion.  Of a period that was covered in part ``m`` is the part; a missing count adds nothing.  There is no
    bound for the count: the statistic alone decides.

    Parameters
    ----------
    limit : float
        Of the log likelihood ratio, > 0 (R's ``c.ARL``).
    family : {"negbin", "poisson"}
        Distribution of the counts.
    mean, dispersion : float, optional
        Expected count and ``alpha`` in ``Var = m + alpha m^2``, where they are known.
    season : int
        Pairs of sine and cosine of the year in the expected count.
    window : int, optional
        Changes further back than this are not looked for; all back to the last alarm when left out (``M``).

    Raises
    ------
    InputError
        If an option is out of its range or does not go with another.

    Examples
    --------
    >>> GLR(season=1).warmup(52)
    52
    """

    limit: float = 5.0
    family: Literal["negbin", "poisson"] = "negbin"
    mean: float | None = None
    dispersion: float | None = None
    season: int = 0
    window: int | None = None
    name: ClassVar[str] = "glr"
    ranges: ClassVar[Ranges] = {**CHART_RANGES, "window": (1, 1_000_000)}

    def statistic(self, counts: FloatArray, base: Baseline) -> tuple[FloatArray, FloatArray]:
        """Look for the best change before each period; see :meth:`Chart.statistic`."""
        window = len(counts) if self.window is None else self.window
        score = np.empty_like(counts)
        for j, (seen, mean) in enumerate(zip(counts.T.copy(), base.mean.T.copy(), strict=True)):
            score[:, j] = glr_statistic(seen, mean, float(base.dispersion[j]), self.limit, window)
        return score, np.full_like(counts, np.nan)


@compiled()
def glr_statistic(counts: FloatArray, mean: FloatArray, dispersion: float, limit: float, window: int) -> FloatArray:
    """Statistic of each period (n,), beginning anew after each that reaches the limit.

    Parameters
    ----------
    counts, mean : (n,) float
        Counts, NaN where missing, and their expected values without a change.
    dispersion, limit : float
        alpha in ``Var = m + alpha m**2``, 0 for Poisson, and what gives an alarm.
    window : int
        Farthest change that is looked for, in periods.
    """
    n = len(counts)
    statistic = np.zeros(n)
    closed = dispersion == 0.0 or np.ptp(mean) == 0.0  # the best factor is then the ratio of the sums
    start = 0
    for t in range(n):
        best, seen, expected, slope, number = 0.0, 0.0, 0.0, 0.0, 0
        for k in range(t, max(start, t - window + 1) - 1, -1):
            if np.isnan(counts[k]):
                continue
            seen += counts[k]
            expected += mean[k]
            slope += (counts[k] - mean[k]) / (1.0 + dispersion * mean[k])
            number += 1
            if not slope > 0.0:
                continue
            kappa = math.log(seen / expected)
            if dispersion == 0.0:
                value = seen * kappa - expected * math.expm1(kappa)
            elif closed:
                gain = dispersion * mean[k] * math.expm1(kappa) / (1.0 + dispersion * mean[k])
                value = seen * kappa - (seen + number / dispersion) * math.log1p(gain)
            else:
                value = _best_rise(counts, mean, dispersion, k, t, max(kappa, 0.0))
            best = max(best, value)
        statistic[t] = best
        if best >= limit:
            start = t + 1
    return statistic


@compiled()
def _best_rise(counts: FloatArray, mean: FloatArray, dispersion: float, first: int, last: int, kappa: float) -> float:
    """Log likelihood ratio of NB2 counts from ``first`` to ``last`` at their best factor, searched from ``kappa``."""
    for _ in range(50):
        factor, slope, bend = math.exp(kappa), 0.0, 0.0
        for t in range(first, last + 1):
            if not np.isnan(counts[t]):
                raised = mean[t] * factor
                more = 1.0 + dispersion * raised
                slope += (counts[t] - raised) / more
                bend -= (1.0 + dispersion * counts[t]) * raised / (more * more)
        step = min(max(-slope / bend, -1.0), 1.0)
        kappa = max(kappa + step, 0.0)
        if abs(step) < 1e-7:  # the ratio is flat there, and so right to the square of it
            break
    factor, ratio = math.exp(kappa), 0.0
    for t in range(first, last + 1):
        if not np.isnan(counts[t]):
            gain = dispersion * mean[t] * (factor - 1.0) / (1.0 + dispersion * mean[t])
            ratio += counts[t] * kappa - (counts[t] + 1.0 / dispersion) * math.log1p(gain)
    return ratio
