"""Likelihood of a drifting log level, its levels integrated out, and the posterior of its parameters."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled
from escalation.conventions.compiled_draws import HIGHEST_LEVEL
from escalation.conventions.count_draws import LARGEST_MEAN
from escalation.models.levels.level_smoother import smooth

FourArrays = tuple[FloatArray, FloatArray, FloatArray, FloatArray]

LEVEL, DAMPING, LEVEL_SD, DISPERSION = range(4)

PRIOR_CENTRE = np.array([0.0, 2.2, math.log(0.2), math.log(0.2)])
"""Centres of the normal priors of level (less the log mean count), logit damping, log level_sd, log dispersion."""

PRIOR_SD = np.array([2.0, 1.5, 1.0, 1.5])
"""Their standard deviations; 95% intervals: damping 0.32 to 0.994, level_sd 0.03 to 1.4, dispersion 0.01 to 3.8."""

LOWEST = np.array([-50.0, -7.0, math.log(1e-5), math.log(1e-9)])
HIGHEST = np.array([50.0, 7.0, math.log(2.0), math.log(20.0)])
"""The likelihood is taken as flat beyond these."""

STIRLING_ABOVE = 1e3
"""Sizes 1 / dispersion from here on have gamma ratios by Stirling's series, in error by less than 1e-11."""


class Series(NamedTuple):
    """One series and which of its four parameters are free."""

    counts: FloatArray  # (n,), NaN where not observed
    log_exposure: FloatArray  # (n,)
    distinct: FloatArray  # (k,): the counts above 0 ...
    times: FloatArray  # (k,): ... and how often each occurs
    log_factorials: float  # minus their sum over all counts
    observed: int  # periods
    anchor: float  # log of the mean count per exposure
    typical: float  # mean of the smoothed levels
    free: IntArray  # (d,): which of the four parameters are estimated
    damping: float  # its value where it is fixed, else NaN
    poisson: bool
    bend: float  # log of the rate above which levels no longer multiply but add; inf where they always multiply


def observe(
    counts: FloatArray, exposure: FloatArray, damping: float, held: tuple[int, ...], *, poisson: bool, bends: bool
) -> tuple[Series, FloatArray]:
    """Put a series into arrays; with it come smoothed levels (n,) to start from.

    A ``damping`` of NaN is estimated; ``held`` are places of other parameters that are not; ``bends`` is whether the
    link is softplus, bent at the mean rate.
    """
    fixed = {*held, *([] if math.isnan(damping) else [DAMPING]), *([DISPERSION] if poisson else [])}
    seen = ~np.isnan(counts)
    anchor = math.log((counts[seen].sum() + 0.5) / exposure[seen].sum())
    log_exposure = np.log(exposure)
    rough = np.where(seen, np.log(np.where(seen, counts, 0.0) + 0.5) - log_exposure, anchor)
    typically = np.array([[anchor, 0.9, 0.3, 0.0 if poisson else 0.2]])
    levels = smooth(counts, log_exposure, anchor, typically, rough, 1e-6, math.inf)[1]
    if bends:  # the same rates by the other link
        rise = np.exp(np.clip(levels - anchor, -600.0, 30.0))
        levels = anchor + np.where(rise > 30, rise, np.log(np.expm1(np.minimum(rise, 30.0))))
    distinct, times = np.unique(counts[seen & (counts > 0)], return_counts=True)
    series = Series(
        counts,
        log_exposure,
        distinct,
        times.astype(float),
        -float(times @ gammaln(distinct + 1)),
        int(seen.sum()),
        anchor,
        float(levels[seen].mean()),
        np.array([k for k in range(len(PRIOR_CENTRE)) if k not in fixed]),
        damping,
        poisson,
        anchor if bends else math.inf,
    )
    return series, levels


def rates(levels: FloatArray, bend: float) -> FloatArray:
    """Counts that are expected in a fully covered period at these levels."""
    if bend == math.inf:
        return np.exp(np.minimum(levels, HIGHEST_LEVEL))
    value: FloatArray = math.exp(bend) * np.logaddexp(0.0, np.minimum(levels, LARGEST_MEAN) - bend)
    return value


def level_of(log_rate: float, bend: float) -> float:
    """Level at which the log of the rate is this, the inverse of :func:`rates`."""
    if bend == math.inf:
        return log_rate
    above = math.exp(log_rate - bend)
    return bend + above + math.log(-math.expm1(-above))


def smoothed(series: Series, natural: FloatArray, levels: FloatArray, tolerance: float) -> FourArrays:
    """Run :func:`smooth` on a series, means and variances as columns (n, 1)."""
    moments, mode, mean, variance = smooth(
        series.counts, series.log_exposure, series.anchor, natural, levels, tolerance, series.bend
    )
    return moments, mode, mean[:, None], variance[:, None]


@compiled()
def unpack(theta: FloatArray, series: Series) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Natural parameters (P, 4), log priors (P,) up to a constant, and logs of the level's unit (P,), of points (P, d).

    A point holds the level, in units of its rough spread around a rough centre, logit damping, log level_sd and log
    dispersion, those of them that are free.  The unit is the standard deviation that the level has roughly, given the
    other parameters.
    """
    natural = np.empty((len(theta), 4))
    prior, log_unit = np.zeros(len(theta)), np.zeros(len(theta))
    total = series.distinct @ series.times
    for p in range(len(theta)):
        full = PRIOR_CENTRE.copy()
        for k in range(len(series.free)):
            full[series.free[k]] = theta[p, k]
            if series.free[k] != LEVEL:
                prior[p] -= 0.5 * ((theta[p, k] - PRIOR_CENTRE[series.free[k]]) / PRIOR_SD[series.free[k]]) ** 2
        full = np.minimum(np.maximum(full, LOWEST), HIGHEST)
        damping = 1.0 / (1.0 + math.exp(-full[DAMPING])) if math.isnan(series.damping) else series.damping
        level_sd, dispersion = math.exp(full[LEVEL_SD]), 0.0 if series.poisson else math.exp(full[DISPERSION])
        shift = 0.0
        if damping < 1.0:
            weight = (series.observed - 1) * (1.0 - damping) ** 2 + 1.0 - damping**2
            noise = 1.0 / (total + 0.5) + dispersion / series.observed
            information = 1.0 / (level_sd**2 / weight + noise)
            variance = 1.0 / (information + PRIOR_SD[LEVEL] ** -2.0)
            unit = math.sqrt(variance)
            shift = information * variance * (series.typical - series.anchor) + unit * full[LEVEL]
            prior[p] -= 0.5 * (shift / PRIOR_SD[LEVEL]) ** 2
            log_unit[p] = math.log(unit)
        natural[p, LEVEL], natural[p, DAMPING] = series.anchor + shift, damping
        natural[p, LEVEL_SD], natural[p, DISPERSION] = level_sd, dispersion
    return natural, prior, log_unit


@compiled()
def constants(dispersion: FloatArray, series: Series) -> FloatArray:
    """Part of the log-likelihood (P,) that does not depend on the levels, at dispersions (P,)."""
    values = np.full(len(dispersion), series.log_factorials)
    for p in range(len(dispersion)):
        if dispersion[p] == 0.0:
            continue
        size = 1.0 / dispersion[p]
        log_size, log_gamma = math.log(size), math.lgamma(size)
        for k in range(len(series.distinct)):
            y = series.distinct[k]
            if size > STIRLING_ABOVE:
                term = (y + size - 0.5) * math.log1p(y / size) - y - y / (12.0 * size * (y + size))
            else:
                term = math.lgamma(y + size) - log_gamma - y * log_size
            values[p] += series.times[k] * term
    return values


@compiled()
def log_posterior(
    theta: FloatArray, series: Series, start: FloatArray, tolerance: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Log posterior of points (P, d), and what it is made of.

    Returns
    -------
    value : (P,) float
        Likelihood times priors, up to a constant.
    natural : (P, 4) float
        Level, damping, level_sd and dispersion.
    log_unit : (P,) float
        Logs of the level's unit in ``theta``.
    moments : (P, 3) float
        Mean, variance and third central moment of the last level.
    levels : (n,) float
        Where the joint density of the levels is highest, at the first point.
    """
    natural, prior, log_unit = unpack(theta, series)
    moments, levels, _, _ = smooth(
        series.counts, series.log_exposure, series.anchor, natural, start, tolerance, series.bend
    )
    value = moments[:, 0] + prior + constants(natural[:, DISPERSION].copy(), series)
    return value, natural, log_unit, moments[:, 1:], levels
