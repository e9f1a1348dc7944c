"""Weekday and yearly patterns as an offset of the log rate: harmonics beside a smooth trend."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from escalation.conventions.arrays import FloatArray
from escalation.models.contract.calendar_waves import CYCLES, Cycle, calendar_waves
from escalation.models.contract.newton import Height, climb

PAIRS: dict[Cycle, int] = {"weekday": 3, "year": 2}
"""Pairs of waves."""
AMPLITUDE = 1.0
"""Prior standard deviation of the coefficients of the first pair; less for faster waves."""
KNOT_SD = 0.5
"""Prior standard deviation of the step of the trend from one knot to the next."""


class Season(NamedTuple):
    """A pattern that repeats.

    Attributes
    ----------
    kinds : tuple of str
        ``weekday``, ``year`` or both.
    coefficients : (k,) float array
        Of the waves.
    cov : (k, k) float array
        Their covariance.
    centre : (k,) float array
        Means of the waves over the observed periods, so that the pattern averages out there.
    gain : float
        Twice what it adds to the log-likelihood of the trend alone.
    """

    kinds: tuple[Cycle, ...]
    coefficients: FloatArray
    cov: FloatArray
    centre: FloatArray
    gain: float

    def waves(self, periods: pd.PeriodIndex) -> FloatArray:
        """Waves (n, k) of these periods."""
        return waves(periods, self.kinds) - self.centre

    def offset(self, periods: pd.PeriodIndex) -> FloatArray:
        """What is added to the log rate (n,)."""
        value: FloatArray = self.waves(periods) @ self.coefficients
        return value


def possible(periods: pd.PeriodIndex) -> tuple[Cycle, ...]:
    """Kinds of season of which the periods hold two cycles or more, and that they are short enough to show."""
    length = days_of(periods)
    days = length * len(periods)
    return tuple(kind for kind, cycle in CYCLES.items() if days >= 2 * cycle - 0.5 and cycle / length >= 4 - 0.5)


def waves(periods: pd.PeriodIndex, kinds: tuple[Cycle, ...]) -> FloatArray:
    """Sines and cosines (n, k) of these kinds."""
    return np.column_stack([calendar_waves(periods, kind, PAIRS[kind]) for kind in kinds])


def order(kinds: tuple[Cycle, ...]) -> FloatArray:
    """How many times each of the waves (k,) goes round in its cycle."""
    return np.concatenate([np.repeat(np.arange(1.0, PAIRS[kind] + 1), 2) for kind in kinds])


def find_season(counts: FloatArray, log_scale: FloatArray, periods: pd.PeriodIndex, kinds: tuple[Cycle, ...]) -> Season:
    """Fit waves beside a smooth trend to counts (n,) by penalised quasi-likelihood, log link."""
    seen = ~np.isnan(counts)
    y, offset = counts[seen], log_scale[seen]
    waved = waves(periods, kinds)
    centre = waved[seen].mean(axis=0)
    design = waved[seen] - centre
    every = max(len(counts) / 40, 0.5 * CYCLES[kinds[-1]] / days_of(periods))
    trend = hats(len(counts), every)[seen]
    m = trend.shape[1]
    rough = np.diff(np.eye(m), axis=0) / KNOT_SD
    penalty = np.zeros((m + design.shape[1],) * 2)
    penalty[:m, :m] = rough.T @ rough + np.eye(m) * 1e-4
    without, dispersion = np.full(m, math.log(y.sum() / np.exp(offset).sum() + 1e-9)), 0.0
    without, _, _ = penalised(trend, y, offset, penalty[:m, :m], without, dispersion)
    mean = np.exp(trend @ without + offset)
    dispersion = max(0.0, float(((y - mean) ** 2 - mean).sum() / (mean**2).sum()))
    without, low, _ = penalised(trend, y, offset, penalty[:m, :m], without, dispersion)
    both = np.column_stack([trend, design])
    np.fill_diagonal(penalty[m:, m:], (order(kinds) / AMPLITUDE) ** 2)
    start = np.concatenate([without, np.zeros(design.shape[1])])
    found, high, curvature = penalised(both, y, offset, penalty, start, dispersion)
    cov: FloatArray = np.asarray(np.linalg.inv(curvature), dtype=np.float64)
    return Season(kinds, found[m:], cov[m:, m:], centre, 2 * (high - low))


def days_of(periods: pd.PeriodIndex) -> float:
    """Mean length of the periods in days."""
    return float((periods[-1].end_time - periods[0].start_time).total_seconds() / 86400 / len(periods))


def hats(n: int, every: float) -> FloatArray:
    """Linear B-splines (n, m) with knots so far apart."""
    m = max(2, round(n / every) + 1)
    place = np.linspace(0, m - 1, n)
    value: FloatArray = np.maximum(0.0, 1 - np.abs(place[:, None] - np.arange(m)))
    return value


def penalised(
    design: FloatArray, y: FloatArray, offset: FloatArray, penalty: FloatArray, start: FloatArray, dispersion: float
) -> tuple[FloatArray, float, FloatArray]:
    """Mode, log-likelihood (without constants) and curvature of a negative binomial regression with a normal prior."""
    size = 1 / max(dispersion, 1e-6)

    def log_likelihood(point: FloatArray) -> tuple[float, FloatArray]:
        eta = np.clip(design @ point + offset, -30, 25)
        return float((y * eta - (y + size) * np.log1p(np.exp(eta) / size)).sum()), np.exp(eta)

    def log_posterior(point: FloatArray) -> Height:
        value, mean = log_likelihood(point)
        pull = penalty @ point
        weight = mean * (1 + y / size) / (1 + mean / size) ** 2
        score = design.T @ ((y - mean) / (1 + mean / size)) - pull
        return Height(value - 0.5 * float(point @ pull), score, -design.T @ (weight[:, None] * design) - penalty)

    peak = climb(log_posterior, start)
    return peak.point, log_likelihood(peak.point)[0], -peak.height.hessian
