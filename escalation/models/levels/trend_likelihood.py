"""Likelihood of a log level with a drifting slope, both integrated out, and the posterior of its parameters."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from escalation.conventions.arrays import FloatArray
from escalation.models.levels.level_likelihood import (
    DAMPING,
    DISPERSION,
    FIRST_LEVEL_SD,
    LEVEL_SD,
    SAFE_STEP,
    WIDE_VARIANCE,
    FourArrays,
    Series,
    constants,
)

SLOPE_SD = 0
"""The place of what is not in the local level; the other three are where they are there."""

PRIOR_CENTRE = np.array([math.log(0.03), 2.2, math.log(0.1), math.log(0.2)])
"""Of the normal priors of log slope_sd, logit damping, log level_sd, log dispersion."""

PRIOR_SD = np.array([1.0, 2.5, 1.0, 1.5])
"""Their standard deviations; 95% of the prior: slope_sd 0.004 to 0.21, level_sd 0.014 to 0.7, damping 0.06 to 1.

With 1.5 for the damping, as in the local level, slope_sd would be estimated 7% too low over 1,000 periods.
"""

FIRST_SLOPE_SD = 0.3
"""Of the first slope around 0, where there is no damping."""

LOWEST = np.array([math.log(1e-6), -7.0, math.log(1e-5), math.log(1e-9)])
HIGHEST = np.array([math.log(1.0), 7.0, math.log(2.0), math.log(20.0)])
"""The likelihood is taken as flat beyond these."""


def unpack(theta: FloatArray, series: Series) -> tuple[FloatArray, FloatArray]:
    """Natural parameters (P, 4) and log priors (P,), up to a constant, of points (P, d).

    A point holds log slope_sd, logit damping, log level_sd and log dispersion, those of them that are free.
    """
    full = np.empty((len(theta), 4))
    full[:] = PRIOR_CENTRE
    full[:, series.free] = theta
    prior = -0.5 * (((full - PRIOR_CENTRE) / PRIOR_SD) ** 2).sum(axis=1)
    full = np.minimum(np.maximum(full, LOWEST), HIGHEST)
    natural = np.exp(full)
    natural[:, DAMPING] = 1 / (1 + np.exp(-full[:, DAMPING])) if math.isnan(series.damping) else series.damping
    if series.poisson:
        natural[:, DISPERSION] = 0.0
    return natural, prior


def log_posterior(
    theta: FloatArray, series: Series, start: FloatArray, tolerance: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Log posterior of points (P, d), and what it is made of.

    Returns
    -------
    value : (P,) float array
        Likelihood times priors, up to a constant.
    natural : (P, 4) float array
        slope_sd, damping, level_sd and dispersion.
    log_unit : (P,) float array
        Logs of the volume of ``theta``'s unit: 0.
    laws : (P, 6) float array
        Of the last level and slope, see :func:`smooth`.
    levels : (n,) float array
        Where the joint density of the levels is highest, at the first point.
    """
    natural, prior = unpack(theta, series)
    laws, levels, _, _ = smooth(series.counts, series.log_exposure, series.anchor, natural, start, tolerance)
    value = laws[:, 0] + prior + constants(natural[:, DISPERSION], series)
    return value, natural, np.zeros(len(theta)), laws[:, 1:], levels


def smoothed(series: Series, natural: FloatArray, levels: FloatArray, tolerance: float) -> FourArrays:
    """Run :func:`smooth` on a series."""
    four: FourArrays = smooth(series.counts, series.log_exposure, series.anchor, natural, levels, tolerance)
    return four


@njit(cache=True, nogil=True)
def _log_counts(x: FloatArray, counts: FloatArray, log_exposure: FloatArray, dispersion: float) -> float:
    """Log probability of the counts given the levels, without the terms that depend on both not at all."""
    value = 0.0
    size = 1.0 / dispersion if dispersion > 0.0 else 0.0
    for t in range(len(x)):
        y, log_mean = counts[t], x[t] + log_exposure[t]
        if not math.isnan(y):
            mean = math.exp(log_mean)
            value += y * log_mean - ((y + size) * math.log1p(dispersion * mean) if dispersion > 0.0 else mean)
    return value


@njit(cache=True, nogil=True)
def _carry_cubes(q: FloatArray, a: float, b: float, c: float, d: float) -> None:
    """Sums of (r^3, r^2 s, r s^2, s^3), each with r and s turned into a r + b s and c r + d s; in place."""
    q0, q1, q2, q3 = q[0], q[1], q[2], q[3]
    q[0] = a * a * a * q0 + 3 * a * a * b * q1 + 3 * a * b * b * q2 + b * b * b * q3
    q[1] = a * a * c * q0 + (a * a * d + 2 * a * b * c) * q1 + (2 * a * b * d + b * b * c) * q2 + b * b * d * q3
    q[2] = a * c * c * q0 + (2 * a * c * d + b * c * c) * q1 + (a * d * d + 2 * b * c * d) * q2 + b * d * d * q3
    q[3] = c * c * c * q0 + 3 * c * c * d * q1 + 3 * c * d * d * q2 + d * d * d * q3


@njit(cache=True, nogil=True)
def smooth(
    counts: FloatArray,
    log_exposure: FloatArray,
    anchor: float,
    natural: FloatArray,
    start: FloatArray,
    tolerance: float,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Integrate levels and slopes out by Laplace's approximation and its next-order correction, at each of P points.

    Parameters
    ----------
    counts, log_exposure : (n,) float
        Counts, NaN where not observed, and logs of the exposures.
    anchor : float
        Centre of the first level.
    natural : (P, 4) float
        slope_sd > 0, damping in (0, 1], level_sd > 0 and dispersion >= 0, one point a row.
    start : (n,) float
        Levels to start Newton's method from; the second and later points start from the mode of the first.
    tolerance : float
        Newton's method stops when no level moves by more than this.

    Returns
    -------
    laws : (P, 7) float
        Log-likelihood without the terms that depend on counts and dispersion only; of the last period, mean level,
        mean slope, variance of the level, their covariance, variance of the slope, third central moment of the level.
    levels : (n,) float
        At the first point: where the joint density of levels and slopes is highest.
    mean : (n, 2) float
        At the first point: of levels and slopes, given all counts.
    cov : (n, 3) float
        At the first point: variance of the levels, covariance, variance of the slopes.

    Notes
    -----
    Newton's method is a Kalman filter and smoother on the counts' quadratic expansion, in the form that inverts no
    covariance of states (Durbin & Koopman 2012, doi:10.1093/acprof:oso/9780199641178.001.0001, section 4.4), and the
    filter's likelihood is Laplace's.  The correction is that of
    :func:`escalation.models.levels.level_likelihood.smooth`; covariances of two periods are products of 2 x 2 matrices
    L_t (their section 4.7), so that the double sums are recursions of a vector and of the four cubic monomials of it.
    A long first step from ``start`` is replaced by a smoothing of ``start``, whose prior density is known: with the
    pull of the counts on the levels (``force``) it is ``-sum((level - anchor) * force) / 2``.
    """
    n = counts.size
    laws = np.empty((natural.shape[0], 7))
    x, step, force, before, trial = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    gain, weight, odds = np.zeros(n), np.zeros(n), np.zeros(n)
    a1, a2, p11, p12, p22 = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    pull, scale, third, fourth = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    mean, cov, turn, cubes = np.empty((n, 2)), np.empty((n, 3)), np.empty((n, 4)), np.empty(4)
    first_levels, first_mean, first_cov = start, mean, cov
    for p in range(natural.shape[0]):
        damping, dispersion = natural[p, DAMPING], natural[p, DISPERSION]
        slope_variance, level_variance = natural[p, SLOPE_SD] ** 2, natural[p, LEVEL_SD] ** 2
        first_slope = slope_variance / (1.0 - damping * damping) if damping < 1.0 else FIRST_SLOPE_SD**2
        for t in range(n):
            x[t] = first_levels[t]
        steady = calm = False  # whether ``before`` is known; whether this turn only smooths the start
        for _ in range(200):
            laplace, product = 0.0, 1.0
            a1[0], a2[0], p11[0], p12[0], p22[0] = anchor, 0.0, FIRST_LEVEL_SD**2, 0.0, first_slope
            for t in range(n):
                y = counts[t]
                if not math.isnan(y):
                    mu = math.exp(x[t] + log_exposure[t])
                    odds[t] = dispersion * mu
                    shrink = 1.0 / (1.0 + odds[t])
                    slope = (1.0 + dispersion * y) * mu * shrink
                    weight[t] = slope * shrink
                    gain[t] = 0.0 if calm else y - slope
                away = x[t] - a1[t]
                scale[t] = 1.0 / (1.0 + weight[t] * p11[t])
                pull[t] = (gain[t] + weight[t] * away) * scale[t]
                laplace += 0.5 * scale[t] * (p11[t] * gain[t] ** 2 - 2.0 * away * gain[t] - weight[t] * away * away)
                product *= scale[t]
                if product < 1e-200 or t == n - 1:
                    laplace += 0.5 * math.log(product)
                    product = 1.0
                if t < n - 1:
                    shed = weight[t] * scale[t]
                    f2 = a2[t] + p12[t] * pull[t]
                    a1[t + 1] = a1[t] + p11[t] * pull[t] + f2
                    a2[t + 1] = damping * f2
                    f11, f12 = p11[t] * scale[t], p12[t] * scale[t]
                    f22 = p22[t] - p12[t] * p12[t] * shed
                    p11[t + 1] = f11 + 2.0 * f12 + f22 + level_variance
                    p12[t + 1] = damping * (f12 + f22)
                    p22[t + 1] = damping * damping * f22 + slope_variance
            r1 = r2 = largest = 0.0
            for t in range(n - 1, -1, -1):
                shed = weight[t] * scale[t]
                kept, lost = scale[t] - p12[t] * shed, damping * p12[t] * shed
                r1, r2 = pull[t] + kept * r1 - lost * r2, r1 + damping * r2
                step[t] = a1[t] + p11[t] * r1 + p12[t] * r2 - x[t]
                force[t] = gain[t] - weight[t] * step[t]
                largest = max(largest, abs(step[t]))
            if largest < tolerance and not calm:
                break
            if largest > SAFE_STEP and not (steady or calm):
                calm = True
                continue
            part = 1.0
            if steady and largest > SAFE_STEP:
                least = _log_counts(x, counts, log_exposure, dispersion)
                for t in range(n):
                    least -= 0.5 * (x[t] - anchor) * before[t]
                least -= 1e-9 * (1.0 + abs(least))
                for _ in range(60):
                    value = 0.0
                    for t in range(n):
                        trial[t] = x[t] + part * step[t]
                        value -= 0.5 * (trial[t] - anchor) * (before[t] + part * (force[t] - before[t]))
                    if value + _log_counts(trial, counts, log_exposure, dispersion) >= least:
                        break
                    part *= 0.5
            for t in range(n):
                x[t] += part * step[t]
                before[t] = before[t] + part * (force[t] - before[t]) if steady else force[t]
            steady, calm = True, False

        loglik, size = laplace, 1.0 / dispersion if dispersion > 0.0 else 0.0
        r1 = r2 = n11 = n12 = n22 = z1 = z2 = 0.0
        for t in range(n - 1, -1, -1):
            shed = weight[t] * scale[t]
            kept, lost = scale[t] - p12[t] * shed, damping * p12[t] * shed
            r1, r2 = pull[t] + kept * r1 - lost * r2, r1 + damping * r2
            n11, n12, n22 = (
                shed + kept * kept * n11 - 2.0 * kept * lost * n12 + lost * lost * n22,
                kept * n11 + (kept * damping - lost) * n12 - lost * damping * n22,
                n11 + 2.0 * damping * n12 + damping * damping * n22,
            )
            # covariances of an earlier state with this level and slope: products of L times these two columns
            turn[t, 0] = 1.0 - n11 * p11[t] - n12 * p12[t]
            turn[t, 1] = -n12 * p11[t] - n22 * p12[t]
            turn[t, 2] = -n11 * p12[t] - n12 * p22[t]
            turn[t, 3] = 1.0 - n12 * p12[t] - n22 * p22[t]
            v = p11[t] * turn[t, 0] + p12[t] * turn[t, 1]
            cov[t, 0], cov[t, 1] = v, p12[t] * turn[t, 0] + p22[t] * turn[t, 1]
            cov[t, 2] = p12[t] * turn[t, 2] + p22[t] * turn[t, 3]
            whole = 1.0 + odds[t]
            shrink = 1.0 / whole
            share = odds[t] * shrink
            third[t] = -weight[t] * (1.0 - 2.0 * share)
            fourth[t] = -weight[t] * (1.0 - 6.0 * share + 6.0 * share * share)
            y = counts[t]
            if not math.isnan(y):
                log_whole = math.log(whole) - ((whole - 1.0) - odds[t]) * shrink  # log1p in a third of its time
                loglik += y * (x[t] + log_exposure[t]) - ((y + size) * log_whole if size > 0.0 else weight[t])
            loglik += 0.5 * v * third[t] * step[t]
            damp = 1.0 / (1.0 + (v / WIDE_VARIANCE) ** 4)
            third[t] *= damp
            fourth[t] *= damp
            z1, z2 = kept * z1 - lost * z2, z1 + damping * z2
            x[t] += step[t]
            mean[t, 0] = x[t] + 0.5 * (p11[t] * z1 + p12[t] * z2)
            mean[t, 1] = a2[t] + p12[t] * (r1 + 0.5 * z1) + p22[t] * (r2 + 0.5 * z2)
            z1 += third[t] * v * turn[t, 0]
            z2 += third[t] * v * turn[t, 1]
        s1 = s2 = cube = 0.0
        cubes[:] = 0.0
        for t in range(n):
            c1, c2, v = turn[t, 0], turn[t, 1], cov[t, 0]
            reach = s1 * c1 + s2 * c2
            cube = cubes[0] * c1**3 + 3.0 * c1 * c2 * (cubes[1] * c1 + cubes[2] * c2) + cubes[3] * c2**3
            loglik += fourth[t] * v * v / 8.0 + third[t] ** 2 * v**3 * 5.0 / 24.0
            loglik += third[t] * (reach * v / 4.0 + cube / 6.0)
            mean[t, 0] += 0.5 * (reach + third[t] * v * v)
            mean[t, 1] += 0.5 * (s1 * turn[t, 2] + s2 * turn[t, 3] + third[t] * v * cov[t, 1])
            shed = weight[t] * scale[t]
            kept, lost = scale[t] - p12[t] * shed, damping * p12[t] * shed
            s1, s2 = s1 + third[t] * v * p11[t], s2 + third[t] * v * p12[t]
            s1, s2 = kept * s1 + s2, damping * s2 - lost * s1
            cubes[0] += third[t] * p11[t] ** 3
            cubes[1] += third[t] * p11[t] ** 2 * p12[t]
            cubes[2] += third[t] * p11[t] * p12[t] ** 2
            cubes[3] += third[t] * p12[t] ** 3
            _carry_cubes(cubes, kept, 1.0, -lost, damping)
        laws[p, 0], laws[p, 1], laws[p, 2] = loglik, mean[n - 1, 0], mean[n - 1, 1]
        laws[p, 3], laws[p, 4], laws[p, 5] = cov[n - 1, 0], cov[n - 1, 1], cov[n - 1, 2]
        laws[p, 6] = cube + third[n - 1] * cov[n - 1, 0] ** 3
        if p == 0:
            first_levels, first_mean, first_cov = x.copy(), mean.copy(), cov.copy()
    return laws, first_levels, first_mean, first_cov
