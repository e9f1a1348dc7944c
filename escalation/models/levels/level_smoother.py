"""The levels of one series integrated out at given parameters: Newton's method, Laplace, and a correction; compiled."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from escalation.conventions.arrays import FloatArray
from escalation.conventions.compilation import compiled

FIRST_LEVEL_SD = 3.0
"""Standard deviation of the first level around the log of the mean count, where there is no damping."""

WIDE_VARIANCE = 15.0
"""Levels whose variance is above this (long quiet stretches) have their part in the correction damped."""

SAFE_STEP = 0.5
"""Newton steps of levels up to this go up by themselves; the joint density is checked after longer ones."""

LEAST_WEIGHT = 0.01
"""Least information of a count, as a share of that expected, where the softplus link makes its log density convex."""


@compiled()
def _softplus(z: float) -> float:
    """``log(1 + exp(z))``, never 0."""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z))) if z > -30.0 else math.exp(max(z, -700.0))


@compiled()
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


class Walk(NamedTuple):
    """Prior of the levels: ``x_t = drift + damping * x_(t-1) + error``, precisions of errors and of the first level."""

    drift: float
    damping: float
    precision: float
    first: float
    first_precision: float


class Work(NamedTuple):
    """Numbers of each period (n,) that the passes of :func:`smooth` hand on.

    Attributes
    ----------
    x, trial, step : (n,) float
        Levels, levels that are tried, and the step of Newton's method.
    spread, reduced : (n,) float
        Inverse of the curvature and the gradient of each level, those before it eliminated.
    rate, odds : (n,) float
        Expected counts where the link bends; dispersion times them where it does not.
    second, third, fourth : (n,) float
        Minus the second, the third and the fourth derivative of the log density of each count in its level.
    mean, variance : (n,) float
        Moments of the levels given all counts.
    """

    x: FloatArray
    trial: FloatArray
    step: FloatArray
    spread: FloatArray
    reduced: FloatArray
    rate: FloatArray
    odds: FloatArray
    second: FloatArray
    third: FloatArray
    fourth: FloatArray
    mean: FloatArray
    variance: FloatArray


@compiled()
def _make_work(n: int) -> Work:
    """Make room; where there is no count the derivatives stay 0."""
    return Work(
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.ones(n),
        np.zeros(n),
        np.zeros(n),
        np.zeros(n),
        np.zeros(n),
        np.empty(n),
        np.empty(n),
    )


@compiled()
def _walk_at(level: float, damping: float, level_sd: float, anchor: float) -> Walk:
    """Distribution of the levels: stationary around ``level``, or where nothing is damped, begun around the anchor."""
    precision = 1.0 / (level_sd * level_sd)
    if damping < 1.0:
        return Walk(level * (1.0 - damping), damping, precision, level, precision * (1.0 - damping * damping))
    return Walk(0.0, damping, precision, anchor, 1.0 / FIRST_LEVEL_SD**2)


@compiled()
def _log_joint(
    x: FloatArray, counts: FloatArray, log_exposure: FloatArray, dispersion: float, walk: Walk, bend: float
) -> float:
    """Log density of levels and counts, up to a constant."""
    drift, damping, precision, first, first_precision = walk
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


@compiled()
def _newton_step(
    counts: FloatArray, log_exposure: FloatArray, dispersion: float, walk: Walk, bend: float, work: Work
) -> float:
    """Step of Newton's method from ``work.x``, into ``work.step``; the longest move of a level is returned.

    The Hessian is tridiagonal: going forward, each level is eliminated from the next one's gradient and curvature
    (``reduced``, ``1 / spread``); going back, each step follows from the next one's.
    """
    drift, damping, precision, first, first_precision = walk
    x, step, spread, reduced, odds, second = work.x, work.step, work.spread, work.reduced, work.odds, work.second
    rate, third, fourth = work.rate, work.third, work.fourth
    n, link = x.size, -precision * damping
    residual, weight = x[0] - first, first_precision
    for t in range(n):
        gradient, curvature = -weight * residual, weight
        y = counts[t]
        if bend < math.inf and not math.isnan(y):
            rate[t], slope, second[t], third[t], fourth[t] = _bent(x[t], y, log_exposure[t], dispersion, bend)
            gradient += slope
            curvature += second[t]
        elif not math.isnan(y):
            # log density y log(mu) - (y + 1/a) log(1 + a mu): slope y - pull, curvature pull / (1 + a mu)
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
    return largest  # type: ignore[no-any-return]


@compiled()
def _shorten(
    counts: FloatArray, log_exposure: FloatArray, dispersion: float, walk: Walk, bend: float, work: Work
) -> None:
    """Halve ``work.step`` until the joint density does not fall, but for rounding."""
    x, trial, step = work.x, work.trial, work.step
    least = _log_joint(x, counts, log_exposure, dispersion, walk, bend)
    least -= 1e-9 * (1.0 + abs(least))
    for _ in range(60):
        for t in range(x.size):
            trial[t] = x[t] + step[t]
        if _log_joint(trial, counts, log_exposure, dispersion, walk, bend) >= least:
            return
        for t in range(x.size):
            step[t] *= 0.5


@compiled()
def _climb(
    counts: FloatArray,
    log_exposure: FloatArray,
    dispersion: float,
    walk: Walk,
    bend: float,
    tolerance: float,
    work: Work,
) -> None:
    """Take ``work.x`` to the mode of the joint density by Newton's method; the last, small step is not taken."""
    x, step = work.x, work.step
    for _ in range(200):
        largest = _newton_step(counts, log_exposure, dispersion, walk, bend, work)
        if largest < tolerance:
            break
        if largest > SAFE_STEP:
            _shorten(counts, log_exposure, dispersion, walk, bend, work)
        for t in range(x.size):
            x[t] += step[t]


@compiled()
def _laplace(
    counts: FloatArray, log_exposure: FloatArray, dispersion: float, walk: Walk, bend: float, work: Work
) -> float:
    """Laplace's approximation of the log-likelihood at the mode, going back; the last step is taken on the way.

    With ``ratio = -link * spread_t`` the inverse of the tridiagonal Hessian has V_tt = spread_t + ratio^2 V_t+1,t+1 and
    V_ts = ratio V_t+1,s for later s, and its determinant is the product of the spreads.  ``backward`` is the sum over
    later s of V_ts f3_s V_ss, of which half moves the mean of level t.
    """
    drift, damping, precision, first, first_precision = walk
    x, step, spread, reduced, mean, variance = work.x, work.step, work.spread, work.reduced, work.mean, work.variance
    rate, odds, second, third, fourth = work.rate, work.odds, work.second, work.third, work.fourth
    n, link = x.size, -precision * damping
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
    return loglik  # type: ignore[no-any-return]


@compiled()
def _correct(loglik: float, walk: Walk, work: Work) -> tuple[float, float]:
    """Log-likelihood with its next-order correction, going forward; and the third central moment of the last level.

    The double sum of :func:`smooth` is taken over s up to t: with the terms of earlier s summed up in ``forward``
    (f3_s V_ss V_ts / V_tt) and ``cubes`` (f3_s V_ts^3 / V_tt^3), each of which a neighbouring ratio carries on.
    """
    third, fourth, spread, mean, variance = work.third, work.fourth, work.spread, work.mean, work.variance
    n, link = third.size, -walk.precision * walk.damping
    forward = cubes = 0.0  # sums over earlier levels, over v and over its third power
    for t in range(n):
        v, steep = variance[t], third[t] * variance[t]
        loglik += v * v * (fourth[t] / 8.0 + third[t] * (steep * 5.0 / 24.0 + forward / 4.0 + cubes * v / 6.0))
        mean[t] += 0.5 * v * (forward + steep)
        if t < n - 1:
            ratio = -link * spread[t]
            forward = ratio * (forward + steep)
            cubes = ratio * ratio * ratio * (cubes + third[t])
    return loglik, variance[n - 1] ** 3 * (cubes + third[n - 1])


@compiled()
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
    moments : (P, 4) float
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
    moments = np.empty((natural.shape[0], 4))
    work = _make_work(n)
    x, mean, variance = work.x, work.mean, work.variance
    first_mode, first_mean, first_variance = start, start, start
    for p in range(natural.shape[0]):
        walk, dispersion = _walk_at(natural[p, 0], natural[p, 1], natural[p, 2], anchor), natural[p, 3]
        for t in range(n):
            x[t] = first_mode[t]
        _climb(counts, log_exposure, dispersion, walk, bend, tolerance, work)
        laplace = _laplace(counts, log_exposure, dispersion, walk, bend, work)
        moments[p, 0], moments[p, 3] = _correct(laplace, walk, work)
        moments[p, 1], moments[p, 2] = mean[n - 1], variance[n - 1]
        if p == 0:
            first_mode, first_mean, first_variance = x.copy(), mean.copy(), variance.copy()
    return moments, first_mode, first_mean, first_variance
