"""Weekday and yearly patterns, and regressors, as an offset of the log rate: estimated beside a smooth trend."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray
from escalation.models.contract.calendar_waves import CYCLES, Cycle, calendar_waves
from escalation.models.contract.design import Design
from escalation.models.contract.newton import Height, climb

PAIRS: dict[Cycle, int] = {"weekday": 3, "year": 2}
"""Pairs of waves."""
AMPLITUDE = 1.0
"""Prior standard deviation of the coefficients of the first pair; less for faster waves."""
EFFECT_SD = 2.0
"""Prior standard deviation of what a regressor changes in the log rate from its least value to its largest."""
KNOT_SD = 0.5
"""Prior standard deviation of the step of the trend from one knot to the next."""
FEWEST_BETWEEN = 6.0
"""Periods between two knots beside regressors, so that the trend does not take what is theirs."""


class Season(NamedTuple):
    """Patterns that repeat, and effects of regressors.

    Attributes
    ----------
    kinds : tuple of str
        ``weekday``, ``year``, both, or none where there are only regressors.
    coefficients : (k,) float array
        Of the waves, and after them of the regressors.
    cov : (k, k) float array
        Their covariance.
    centre : (k,) float array
        Means of the waves over the observed periods, so that the pattern averages out there; 0 for regressors.
    gain : float
        Twice what the patterns add to the log-likelihood of trend and regressors.
    """

    kinds: tuple[Cycle, ...]
    coefficients: FloatArray
    cov: FloatArray
    centre: FloatArray
    gain: float

    @property
    def chosen(self) -> int:
        """Number of coefficients of the patterns, which are there only if they are worth it."""
        return len(order(self.kinds))

    def columns(self, periods: pd.PeriodIndex, exog: FloatArray | None = None) -> FloatArray:
        """Waves and regressors (n, k) of these periods."""
        return np.column_stack(waves(periods, self.kinds, exog)) - self.centre

    def offset(self, periods: pd.PeriodIndex, exog: FloatArray | None = None) -> FloatArray:
        """What is added to the log rate (n,), with regressors (n, j) if there were some."""
        value: FloatArray = self.columns(periods, exog) @ self.coefficients
        return value


def possible(periods: pd.PeriodIndex) -> tuple[Cycle, ...]:
    """Kinds of season of which the periods hold two cycles or more, and that they are short enough to show."""
    length = days_of(periods)
    days = length * len(periods)
    return tuple(kind for kind, cycle in CYCLES.items() if days >= 2 * cycle - 0.5 and cycle / length >= 4 - 0.5)


def waves(periods: pd.PeriodIndex, kinds: tuple[Cycle, ...], exog: FloatArray | None) -> list[FloatArray]:
    """Sines and cosines of each of these kinds, and regressors, (n, .) each."""
    columns = [calendar_waves(periods, kind, PAIRS[kind]) for kind in kinds]
    return columns if exog is None else [*columns, exog]


def order(kinds: tuple[Cycle, ...]) -> FloatArray:
    """How many times each of the waves (k,) goes round in its cycle."""
    return np.concatenate([np.repeat(np.arange(1.0, PAIRS[kind] + 1), 2) for kind in kinds] or [np.empty(0)])


def find_season(
    counts: FloatArray,
    log_scale: FloatArray,
    periods: pd.PeriodIndex,
    kinds: tuple[Cycle, ...],
    exog: FloatArray | None = None,
) -> Season:
    """Fit waves and regressors (n, j) beside a smooth trend to counts (n,) by penalised quasi-likelihood, log link."""
    seen = ~np.isnan(counts)
    y, offset = counts[seen], log_scale[seen]
    columns = np.column_stack(waves(periods, kinds, exog))
    round_in_cycle = order(kinds)
    k, j = len(round_in_cycle), columns.shape[1] - len(round_in_cycle)
    centre = np.where(np.arange(k + j) < k, columns[seen].mean(axis=0), 0.0)
    columns = (columns - centre)[seen]
    every = max(len(counts) / 40, FEWEST_BETWEEN if j else 0.0)
    if kinds:
        every = max(every, 0.5 * CYCLES[kinds[-1]] / days_of(periods))
    plain = np.column_stack([hats(len(counts), every)[seen], columns[:, k:]])
    m = plain.shape[1]
    rough = np.diff(np.eye(m - j), axis=0) / KNOT_SD
    penalty = np.zeros((m + k, m + k))
    penalty[: m - j, : m - j] = rough.T @ rough + np.eye(m - j) * 1e-4
    penalty[range(m - j, m), range(m - j, m)] = (np.ptp(columns[:, k:], axis=0) / EFFECT_SD) ** 2
    penalty[range(m, m + k), range(m, m + k)] = (round_in_cycle / AMPLITUDE) ** 2
    without, dispersion = np.zeros(m), 0.0
    without[: m - j] = math.log(y.sum() / np.exp(offset).sum() + 1e-9)
    without, _, _ = penalised(plain, y, offset, penalty[:m, :m], without, dispersion)
    mean = np.exp(plain @ without + offset)
    dispersion = max(0.0, float(((y - mean) ** 2 - mean).sum() / (mean**2).sum()))
    without, low, curvature = penalised(plain, y, offset, penalty[:m, :m], without, dispersion)
    found, high = without, low
    if k:
        both = np.column_stack([plain, columns[:, :k]])
        found, high, curvature = penalised(both, y, offset, penalty, np.append(without, np.zeros(k)), dispersion)
    cov: FloatArray = np.asarray(np.linalg.inv(curvature), dtype=np.float64)
    places = np.array([*range(m, m + k), *range(m - j, m)])
    return Season(kinds, found[places], cov[np.ix_(places, places)], centre, 2 * (high - low))


def season_offset(
    season: Season | None, design: Design, draws: int | None = None, rng: Generator | None = None
) -> FloatArray:
    """What a season adds to the log rate (n,), or (draws, n) with coefficients drawn from their posterior."""
    exog = design.exog if design.exog_names else None
    if season is None:
        return np.zeros(len(design.periods) if draws is None else (draws, len(design.periods)))
    if draws is None or rng is None:
        return season.offset(design.periods, exog)
    root = np.linalg.cholesky(season.cov)
    drawn = season.coefficients + rng.standard_normal((draws, len(root))) @ root.T
    value: FloatArray = drawn @ season.columns(design.periods, exog).T
    return value


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
