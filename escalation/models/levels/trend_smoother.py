"""The levels and slopes of one series integrated out at given parameters: a Kalman smoother at the mode; compiled."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from escalation.conventions.arrays import FloatArray
from escalation.conventions.compilation import compiled
from escalation.models.levels.level_smoother import FIRST_LEVEL_SD, SAFE_STEP, WIDE_VARIANCE

FIRST_SLOPE_SD = 0.3
"""Standard deviation of the first slope around 0, where there is no damping."""


class Drift(NamedTuple):
    """Levels and slopes: ``level_t+1 = level_t + slope_t + error``, ``slope_t+1 = damping * slope_t + error``.

    The first level is around ``anchor``, the first slope around 0.
    """

    anchor: float
    damping: float
    level_variance: float
    slope_variance: float
    first_slope_variance: float


class Work(NamedTuple):
    """Numbers of each period that the passes of :func:`smooth` hand on.

    Attributes
    ----------
    x, step, trial : (n,) float
        Levels, the step of Newton's method, and levels that are tried.
    force, before : (n,) float
        Pull of the counts on the levels that a whole step leads to, and on those before it.
    gain, weight, odds : (n,) float
        First and minus second derivative of the log density of each count in its level; dispersion times its mean.
    a1, a2, p11, p12, p22 : (n,) float
        Means and covariance of level and slope, given the counts before.
    pull, scale : (n,) float
        What each count adds to them, and the share of the level's variance that it leaves.
    third, fourth : (n,) float
        Derivatives of the log density of each count in its level.
    mean, cov, turn : (n, 2), (n, 3) and (n, 4) float
        Moments given all counts, and how earlier states go with level and slope of the period.
    """

    x: FloatArray
    step: FloatArray
    trial: FloatArray
    force: FloatArray
    before: FloatArray
    gain: FloatArray
    weight: FloatArray
    odds: FloatArray
    a1: FloatArray
    a2: FloatArray
    p11: FloatArray
    p12: FloatArray
    p22: FloatArray
    pull: FloatArray
    scale: FloatArray
    third: FloatArray
    fourth: FloatArray
    mean: FloatArray
    cov: FloatArray
    turn: FloatArray


@compiled()
def _make_work(n: int) -> Work:
    """Make room; where there is no count its derivatives stay 0."""
    one = np.zeros((17, n))
    return Work(
        one[0],
        one[1],
        one[2],
        one[3],
        one[4],
        one[5],
        one[6],
        one[7],
        one[8],
        one[9],
        one[10],
        one[11],
        one[12],
        one[13],
        one[14],
        one[15],
        one[16],
        np.empty((n, 2)),
        np.empty((n, 3)),
        np.empty((n, 4)),
    )


@compiled()
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


@compiled()
def _carry_cubes(q: FloatArray, a: float, b: float, c: float, d: float) -> None:
    """Sums of (r^3, r^2 s, r s^2, s^3), each with r and s turned into a r + b s and c r + d s; in place."""
    q0, q1, q2, q3 = q[0], q[1], q[2], q[3]
    q[0] = a * a * a * q0 + 3 * a * a * b * q1 + 3 * a * b * b * q2 + b * b * b * q3
    q[1] = a * a * c * q0 + (a * a * d + 2 * a * b * c) * q1 + (2 * a * b * d + b * b * c) * q2 + b * b * d * q3
    q[2] = a * c * c * q0 + (2 * a * c * d + b * c * c) * q1 + (a * d * d + 2 * b * c * d) * q2 + b * d * d * q3
    q[3] = c * c * c * q0 + 3 * c * c * d * q1 + 3 * c * d * d * q2 + d * d * d * q3


@compiled()
def _filter(
    counts: FloatArray, log_exposure: FloatArray, dispersion: float, drift: Drift, calm: bool, work: Work
) -> float:
    """Filter the counts' quadratic expansion at ``work.x``; Laplace's log-likelihood, all but what is in the counts.

    A count is as good as a normal observation of its level with precision ``weight``: it leaves the share ``scale`` of
    the level's variance and moves the level by p11 times ``pull``.  If ``calm``, no count pulls and the levels
    themselves are what is observed.
    """
    x, odds, weight, gain, pull, scale = work.x, work.odds, work.weight, work.gain, work.pull, work.scale
    a1, a2, p11, p12, p22 = work.a1, work.a2, work.p11, work.p12, work.p22
    anchor, damping, level_variance, slope_variance, first_slope = drift
    n = x.size
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
    return laplace


@compiled()
def _newton_step(damping: float, work: Work) -> float:
    """Smooth back to the step of each level, into ``work.step``; the longest of them is returned.

    (r1, r2) sums up what the counts from t on say of level and slope: ``r_t = (pull, 0) + L_t' r_t+1``, with
    L_t = ((kept, 1), (-lost, damping)) carrying an error of the state on to the next period.
    """
    x, step, force, gain, weight = work.x, work.step, work.force, work.gain, work.weight
    a1, p11, p12, pull, scale = work.a1, work.p11, work.p12, work.pull, work.scale
    n = x.size
    r1 = r2 = largest = 0.0
    for t in range(n - 1, -1, -1):
        shed = weight[t] * scale[t]
        kept, lost = scale[t] - p12[t] * shed, damping * p12[t] * shed
        r1, r2 = pull[t] + kept * r1 - lost * r2, r1 + damping * r2
        step[t] = a1[t] + p11[t] * r1 + p12[t] * r2 - x[t]
        force[t] = gain[t] - weight[t] * step[t]
        largest = max(largest, abs(step[t]))
    return largest


@compiled()
def _safe_part(counts: FloatArray, log_exposure: FloatArray, dispersion: float, anchor: float, work: Work) -> float:
    """Share of the step, halved until the joint density does not fall, but for rounding.

    The prior density is ``-sum((level - anchor) * force) / 2``, and the force is linear along the step.
    """
    x, step, force, before, trial = work.x, work.step, work.force, work.before, work.trial
    n, part = x.size, 1.0
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
    return part


@compiled()
def _climb(
    counts: FloatArray, log_exposure: FloatArray, dispersion: float, drift: Drift, tolerance: float, work: Work
) -> float:
    """Take ``work.x`` to the mode of the joint density; Laplace's log-likelihood there.  The last step is not taken."""
    x, step, force, before = work.x, work.step, work.force, work.before
    laplace = 0.0
    steady = calm = False  # whether ``before`` is known; whether this turn only smooths the start
    for _ in range(200):
        laplace = _filter(counts, log_exposure, dispersion, drift, calm, work)
        largest = _newton_step(drift.damping, work)
        if largest < tolerance and not calm:
            break
        if largest > SAFE_STEP and not (steady or calm):
            calm = True
            continue
        part = 1.0
        if steady and largest > SAFE_STEP:
            part = _safe_part(counts, log_exposure, dispersion, drift.anchor, work)
        for t in range(x.size):
            x[t] += part * step[t]
            before[t] = before[t] + part * (force[t] - before[t]) if steady else force[t]
        steady, calm = True, False
    return laplace


@compiled()
def _moments(
    loglik: float, counts: FloatArray, log_exposure: FloatArray, dispersion: float, damping: float, work: Work
) -> float:
    """Moments of levels and slopes, going back, and the log-likelihood with what is in the counts.

    N_t = ((shed, 0), (0, 0)) + L_t' N_t+1 L_t is how much is known from t on; the covariance given all counts is
    P - P N P.  (z1, z2) sums up f3 V over later levels, as (r1, r2) does the counts; half of it moves the means.
    """
    x, step, weight, odds, pull, scale = work.x, work.step, work.weight, work.odds, work.pull, work.scale
    a2, p11, p12, p22, third, fourth = work.a2, work.p11, work.p12, work.p22, work.third, work.fourth
    mean, cov, turn = work.mean, work.cov, work.turn
    n, size = x.size, 1.0 / dispersion if dispersion > 0.0 else 0.0
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
    return loglik


@compiled()
def _correct(loglik: float, damping: float, work: Work) -> tuple[float, float]:
    """Log-likelihood with its next-order correction, going forward, and the third central moment of the last level.

    (s1, s2) sums f3_s V_ss times the covariance of level s and the state at t, ``cubes`` f3_s times the four monomials
    of the third degree in that covariance; both are carried on by L_t.
    """
    weight, scale, p11, p12, third, fourth = work.weight, work.scale, work.p11, work.p12, work.third, work.fourth
    mean, cov, turn, cubes = work.mean, work.cov, work.turn, np.empty(4)
    n = third.size
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
    return loglik, cube + third[n - 1] * cov[n - 1, 0] ** 3


@compiled()
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
    moments : (P, 7) float
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
    :func:`escalation.models.levels.level_smoother.smooth`; covariances of two periods are products of 2 x 2 matrices
    L_t (their section 4.7), so that the double sums are recursions of a vector and of the four cubic monomials of it.
    A long first step from ``start`` is replaced by a smoothing of ``start``, whose prior density is known: with the
    pull of the counts on the levels (``force``) it is ``-sum((level - anchor) * force) / 2``.
    """
    n = counts.size
    moments = np.empty((natural.shape[0], 7))
    work = _make_work(n)
    x, mean, cov = work.x, work.mean, work.cov
    first_levels, first_mean, first_cov = start, mean, cov
    for p in range(natural.shape[0]):
        slope_sd, damping, level_sd, dispersion = natural[p, 0], natural[p, 1], natural[p, 2], natural[p, 3]
        slope_variance = slope_sd**2
        first_slope = slope_variance / (1.0 - damping * damping) if damping < 1.0 else FIRST_SLOPE_SD**2
        drift = Drift(anchor, damping, level_sd**2, slope_variance, first_slope)
        for t in range(n):
            x[t] = first_levels[t]
        laplace = _climb(counts, log_exposure, dispersion, drift, tolerance, work)
        loglik = _moments(laplace, counts, log_exposure, dispersion, damping, work)
        moments[p, 0], moments[p, 6] = _correct(loglik, damping, work)
        moments[p, 1], moments[p, 2] = mean[n - 1, 0], mean[n - 1, 1]
        moments[p, 3], moments[p, 4], moments[p, 5] = cov[n - 1, 0], cov[n - 1, 1], cov[n - 1, 2]
        if p == 0:
            first_levels, first_mean, first_cov = x.copy(), mean.copy(), cov.copy()
    return moments, first_levels, first_mean, first_cov
