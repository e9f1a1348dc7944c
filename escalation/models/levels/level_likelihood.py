"""Likelihood of a drifting log level, its levels integrated out, and the posterior of its parameters."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import gammaln

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compiled_draws import HIGHEST_LEVEL
from escalation.conventions.count_draws import LARGEST_MEAN

FourArrays = tuple[FloatArray, FloatArray, FloatArray, FloatArray]

LEVEL, DAMPING, LEVEL_SD, DISPERSION = range(4)

PRIOR_CENTRE = np.array([0.0, 2.2, math.log(0.2), math.log(0.2)])
"""Of the normal priors of level (from the log of the mean count), logit damping, log level_sd, log dispersion."""

PRIOR_SD = np.array([2.0, 1.5, 1.0, 1.5])
"""Their standard deviations; 95% of the prior: damping 0.32 to 0.994, level_sd 0.03 to 1.4, dispersion 0.01 to 3.8."""

FIRST_LEVEL_SD = 3.0
"""Of the first level around the log of the mean count, where there is no damping."""

LOWEST = np.array([-50.0, -7.0, math.log(1e-5), math.log(1e-9)])
HIGHEST = np.array([50.0, 7.0, math.log(2.0), math.log(20.0)])
"""The likelihood is taken as flat beyond these."""

WIDE_VARIANCE = 15.0
"""Levels whose variance is above this (long quiet stretches) have their part in the correction damped."""

SAFE_STEP = 0.5
"""Newton steps of levels up to this go up by themselves; the joint density is checked after longer ones."""

LEAST_WEIGHT = 0.01
"""Of a count, as a share of its expected information, where the softplus link makes its log density convex."""

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
    levels = smooth(counts, log_exposure, anchor, typically, rough, 1e-6)[1]
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


def smoothed(series: Series, natural: FloatArray, levels: FloatArray, tolerance: float) -> FourArrays:
    """Run :func:`smooth` on a series, means and variances as columns (n, 1)."""
    laws, mode, mean, variance = smooth(
        series.counts, series.log_exposure, series.anchor, natural, levels, tolerance, series.bend
    )
    return laws, mode, mean[:, None], variance[:, None]


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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
    laws : (P, 3) float
        Mean, variance and third central moment of the last level.
    levels : (n,) float
        Where the joint density of the levels is highest, at the first point.
    """
    natural, prior, log_unit = unpack(theta, series)
    laws, levels, _, _ = smooth(
        series.counts, series.log_exposure, series.anchor, natural, start, tolerance, series.bend
    )
    value = laws[:, 0] + prior + constants(natural[:, DISPERSION].copy(), series)
    return value, natural, log_unit, laws[:, 1:], levels


@njit(cache=True, nogil=True)
def _softplus(z: float) -> float:
    """``log(1 + exp(z))``, never 0."""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z))) if z > -30.0 else math.exp(max(z, -700.0))


@njit(cache=True, nogil=True)
def _bent(
    x: float, y: float, log_exposure: float, dispersion: float, bend: float
) -> tuple[float, float, float, float, float]:
    """Mean of a count with the softplus link, and derivatives of its log density in the level.

    They are the first, minus the second (kept above 0: an NB2 density is not log-concave in a level far above a low
    count), the third and the fourth.
    """
    z = max(x - bend, -700.0)
    soft = _softplus(z)
    q = 1.0 / (1.0 + math.exp(-z))
    mean = math.exp(bend + log_exposure) * soft
    # derivatives of the mean over the mean
    r1 = q / soft
    r2 = r1 * (1.0 - q)
    r3 = r2 * (1.0 - 2.0 * q)
    r4 = r2 * (1.0 - 6.0 * q + 6.0 * q * q)
    odds = dispersion * mean
    shrink = 1.0 / (1.0 + odds)
    # derivatives of the log density in the log of the mean, were it linear in the mean
    tail = (1.0 + dispersion * y) * mean * shrink * shrink
    d1 = (y - mean) * shrink
    d2 = tail * odds - y
    d3 = 2.0 * (y - tail * odds * odds * shrink)
    d4 = 6.0 * (tail * odds**3 * shrink * shrink - y)
    second = -(d2 * r1 * r1 + d1 * r2)
    least = LEAST_WEIGHT * r1 * r1 * mean * shrink
    second = 0.5 * (second + math.sqrt(second * second + 4.0 * least * least))
    third = d3 * r1**3 + 3.0 * d2 * r1 * r2 + d1 * r3
    fourth = d4 * r1**4 + 6.0 * d3 * r1 * r1 * r2 + d2 * (3.0 * r2 * r2 + 4.0 * r1 * r3) + d1 * r4
    return mean, d1 * r1, second, third, fourth


@njit(cache=True, nogil=True)
def _log_joint(
    x: FloatArray,
    counts: FloatArray,
    log_exposure: FloatArray,
    dispersion: float,
    prior: tuple[float, float, float, float, float],
    bend: float,
) -> float:
    """Log density of levels and counts, up to a constant; ``prior`` is that of :func:`smooth`, spelled out."""
    drift, damping, precision, first, first_precision = prior
    value = -0.5 * first_precision * (x[0] - first) ** 2
    size = 1.0 / dispersion if dispersion > 0.0 else 0.0
    for t in range(len(x)):
        if t > 0:
            value -= 0.5 * precision * (x[t] - drift - damping * x[t - 1]) ** 2
        y, log_mean = counts[t], x[t] + log_exposure[t]
        if not math.isnan(y):
            if bend < math.inf:
                log_mean = bend + log_exposure[t] + math.log(_softplus(x[t] - bend))
            mean = math.exp(log_mean)
            value += y * log_mean - ((y + size) * math.log1p(dispersion * mean) if dispersion > 0.0 else mean)
    return float(value)


@njit(cache=True, nogil=True)
def smooth(
    counts: FloatArray,
    log_exposure: FloatArray,
    anchor: float,
    natural: FloatArray,
    start: FloatArray,
    tolerance: float,
    bend: float = math.inf,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Integrate the levels out by Laplace's approximation and its next-order correction, at each of P points.

    Parameters
    ----------
    counts, log_exposure : (n,) float
        Counts, NaN where not observed, and logs of the exposures.
    anchor : float
        Centre of the first level where damping is 1.
    natural : (P, 4) float
        Level, damping in (0, 1], level_sd > 0 and dispersion >= 0, one point a row.
    start : (n,) float
        Levels to start Newton's method from; the second and later points start from the mode of the first.
    tolerance : float
        Newton's method stops when no level moves by more than this.
    bend : float
        Log of the rate at which the softplus link bends; infinite for the log link.

    Returns
    -------
    laws : (P, 4) float
        Log-likelihood without the terms that depend on counts and dispersion only; mean, variance and third central
        moment of the last level.
    mode, mean, variance : (n,) float
        At the first point: where the joint density of the levels is highest, and their moments given all counts.

    Notes
    -----
    With V the inverse of the negative Hessian at the mode and f3, f4 the third and fourth derivatives of the log
    density of one count in its level, the correction is
    ``sum_t f4_t V_tt^2 / 8 + sum_ts f3_t f3_s (V_tt V_ts V_ss / 8 + V_ts^3 / 12)``;
    V_ts is a product of neighbouring ratios, so that the double sum is a recursion.  For wide levels the expansion
    fails, so f3_t and f4_t are damped by ``1 / (1 + (V_tt / 15)^4)``.
    """
    n = counts.size
    laws = np.empty((natural.shape[0], 4))
    x, trial, step = np.empty(n), np.empty(n), np.empty(n)
    second, odds, spread, reduced = np.zeros(n), np.zeros(n), np.empty(n), np.empty(n)
    rate, third, fourth, mean, variance = np.ones(n), np.zeros(n), np.zeros(n), np.empty(n), np.empty(n)
    first_mode, first_mean, first_variance = start, start, start
    for p in range(natural.shape[0]):
        level, damping, level_sd, dispersion = natural[p, 0], natural[p, 1], natural[p, 2], natural[p, 3]
        precision = 1.0 / (level_sd * level_sd)
        link = -precision * damping
        drift, first, first_precision = 0.0, anchor, 1.0 / FIRST_LEVEL_SD**2
        if damping < 1.0:
            drift, first, first_precision = level * (1.0 - damping), level, precision * (1.0 - damping * damping)
        prior = (drift, damping, precision, first, first_precision)
        for t in range(n):
            x[t] = first_mode[t]
        for _ in range(200):
            residual, weight = x[0] - first, first_precision
            for t in range(n):  # the gradient, and the first half of the tridiagonal solution
                gradient, curvature = -weight * residual, weight
                y = counts[t]
                if bend < math.inf and not math.isnan(y):
                    rate[t], slope, second[t], third[t], fourth[t] = _bent(x[t], y, log_exposure[t], dispersion, bend)
                    gradient += slope
                    curvature += second[t]
                elif not math.isnan(y):
                    mu = math.exp(x[t] + log_exposure[t])
                    odds[t] = dispersion * mu
                    shrink = 1.0 / (1.0 + odds[t])
                    pull = (1.0 + dispersion * y) * mu * shrink
                    second[t] = pull * shrink
                    gradient += y - pull
                    curvature += second[t]
                if t < n - 1:
                    residual, weight = x[t + 1] - drift - damping * x[t], precision
                    gradient += precision * damping * residual
                    curvature += precision * damping * damping
                if t > 0:
                    ratio = link * spread[t - 1]
                    curvature -= ratio * link
                    gradient -= ratio * reduced[t - 1]
                spread[t] = 1.0 / curvature
                reduced[t] = gradient
            step[n - 1] = reduced[n - 1] * spread[n - 1]
            largest = abs(step[n - 1])
            for t in range(n - 2, -1, -1):
                step[t] = (reduced[t] - link * step[t + 1]) * spread[t]
                largest = max(largest, abs(step[t]))
            if largest < tolerance:
                break
            if largest > SAFE_STEP:
                least = _log_joint(x, counts, log_exposure, dispersion, prior, bend)
                least -= 1e-9 * (1.0 + abs(least))
                for _ in range(60):
                    for t in range(n):
                        trial[t] = x[t] + step[t]
                    if _log_joint(trial, counts, log_exposure, dispersion, prior, bend) >= least:
                        break
                    for t in range(n):
                        step[t] *= 0.5
            for t in range(n):
                x[t] += step[t]

        size = 1.0 / dispersion if dispersion > 0.0 else 0.0
        loglik = 0.5 * ((n - 1) * math.log(precision) + math.log(first_precision))
        loglik -= 0.5 * first_precision * (x[0] - first) ** 2
        backward, product = 0.0, 1.0
        for t in range(n - 1, -1, -1):
            ratio = -link * spread[t]
            v = spread[t] + (ratio * ratio * variance[t + 1] if t < n - 1 else 0.0)
            if t > 0:
                loglik -= 0.5 * precision * (x[t] - drift - damping * x[t - 1]) ** 2
            y = counts[t]
            if bend < math.inf:
                if not math.isnan(y):
                    loglik += y * math.log(rate[t])
                    loglik -= (y + size) * math.log1p(dispersion * rate[t]) if size > 0.0 else rate[t]
            else:
                whole = 1.0 + odds[t]
                shrink = 1.0 / whole
                share = odds[t] * shrink
                third[t] = -second[t] * (1.0 - 2.0 * share)
                fourth[t] = -second[t] * (1.0 - 6.0 * share + 6.0 * share * share)
                if not math.isnan(y):
                    log_whole = math.log(whole) - ((whole - 1.0) - odds[t]) * shrink  # log1p in a third of its time
                    loglik += y * (x[t] + log_exposure[t]) - ((y + size) * log_whole if size > 0.0 else second[t])
            # the last Newton step is not evaluated: its gain and its effect on the determinant to the first order
            loglik += 0.5 * (reduced[t] * reduced[t] * spread[t] + v * third[t] * step[t])
            product *= spread[t]
            if product < 1e-200 or product > 1e200 or t == 0:
                loglik += 0.5 * math.log(product)
                product = 1.0
            damp = 1.0 / (1.0 + (v / WIDE_VARIANCE) ** 4)
            third[t] *= damp
            fourth[t] *= damp
            backward *= ratio
            x[t] += step[t]
            mean[t] = x[t] + 0.5 * backward
            backward += third[t] * v * v
            variance[t] = v
        forward = cubes = 0.0  # sums over earlier levels, over v and over its third power
        for t in range(n):
            v, steep = variance[t], third[t] * variance[t]
            loglik += v * v * (fourth[t] / 8.0 + third[t] * (steep * 5.0 / 24.0 + forward / 4.0 + cubes * v / 6.0))
            mean[t] += 0.5 * v * (forward + steep)
            if t < n - 1:
                ratio = -link * spread[t]
                forward = ratio * (forward + steep)
                cubes = ratio * ratio * ratio * (cubes + third[t])
        cubes = variance[n - 1] ** 3 * (cubes + third[n - 1])
        laws[p, 0], laws[p, 1], laws[p, 2], laws[p, 3] = loglik, mean[n - 1], variance[n - 1], cubes
        if p == 0:
            first_mode, first_mean, first_variance = x.copy(), mean.copy(), variance.copy()
    return laws, first_mode, first_mean, first_variance
