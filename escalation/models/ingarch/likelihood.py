"""The likelihood of INGARCH: its recursion, exact score and Hessian, and its maximum within bounds; compiled.

A point is a vector ``(intercept, beta per past_obs, alpha per past_mean, eta per regressor, dispersion)``; dispersion
0 is Poisson.  The *state* of a period is its rate (identity link) or the log of it; the *carried* part of a state is
what enters later states through ``past_mean``: all of it but the effects of external regressors.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray
from escalation.conventions.compilation import compiled
from escalation.models.contract.newton import Height, Peak
from escalation.models.ingarch.observed import FIRSTOBS, IID, MARGINAL, Observed

SMALL = 0.02
"""Dispersion x mean below which differences of logarithms are taken by their series."""
MOST_STEPS = 200
BENT = 0.05
LARGEST_DISPERSION = 1e4


@compiled()
def recursion(point: FloatArray, data: Observed) -> tuple[FloatArray, FloatArray, FloatArray]:
    """States (n,), carried parts (lead + n,) and regressors on past counts (lead + n,); lead is the longest lag."""
    n, k = data.x.shape
    p, q = len(data.past_obs), len(data.past_mean)
    lead = 0
    for lag in data.past_obs:
        lead = max(lead, lag)
    for lag in data.past_mean:
        lead = max(lead, lag)
    start = 0.0
    if data.init == MARGINAL:
        start = point[0] / (1.0 - point[1 : 1 + p + q].sum())
    elif data.init == IID:
        start = point[0]
    elif data.init == FIRSTOBS:
        t = 0
        while np.isnan(data.past[t]):
            t += 1
        start = data.past[t]
    state = np.empty(n)
    carried = np.full(lead + n, start)
    past = np.full(lead + n, start)
    for t in range(n):
        value = point[0]
        for i in range(p):
            value += point[1 + i] * past[lead + t - data.past_obs[i]]
        for j in range(q):
            value += point[1 + p + j] * carried[lead + t - data.past_mean[j]]
        outside = 0.0
        for m in range(k):
            effect = point[1 + p + q + m] * data.x[t, m]
            value += data.carried[m] * effect
            outside += (1.0 - data.carried[m]) * effect
        carried[lead + t] = value
        state[t] = value + outside
        if not np.isnan(data.past[t]):
            past[lead + t] = data.past[t]
        elif data.log:
            past[lead + t] = max(state[t], 0.0) + math.log1p(math.exp(-abs(state[t])))
        else:
            past[lead + t] = state[t]
    return state, carried, past


@compiled()
def _rate_of(state: float, log: bool) -> float:
    """The rate of a state; NaN where there is none."""
    if log:
        return math.exp(state) if -300.0 < state < 34.0 else math.nan
    return state if state > 0.0 else math.nan


@compiled()
def log_likelihood(point: FloatArray, data: Observed) -> float:
    """Log-likelihood; minus infinity where a mean is not above 0 or beyond 1e14."""
    state, _, _ = recursion(point, data)
    a = point[-1]
    total = data.constant
    if a > 0.0:
        for i in range(len(data.nodes)):
            total += data.weights[i] * math.log1p(a * data.nodes[i])
    for t in range(data.skip, len(state)):
        y = data.y[t]
        mean = data.exposure[t] * _rate_of(state[t], data.log)
        if np.isnan(mean):
            return -math.inf
        if not np.isnan(y):
            total += y * math.log(mean) - (mean if a == 0.0 else (y + 1.0 / a) * math.log1p(a * mean))
    return total


@compiled()
def _excess(x: float) -> tuple[float, float]:
    """``h(x) = (log(1 + x) - x / (1 + x)) / x**2`` and its derivative, for x >= 0."""
    if x > SMALL:
        h = (math.log1p(x) - x / (1.0 + x)) / (x * x)
        return h, 1.0 / (x * (1.0 + x) ** 2) - 2.0 * h / x
    h, slope, power = 0.5, 0.0, 1.0
    for m in range(1, 10):
        sign = -1.0 if m % 2 else 1.0
        c = sign * (m + 1.0) / (m + 2.0)
        slope += m * c * power
        power *= x
        h += c * power
    return h, slope


@compiled()
def _first_slopes(point: FloatArray, data: Observed, slopes: FloatArray, bends: FloatArray) -> None:
    """Put first and second derivatives of the state before the series into (d - 1,) and (d - 1, d - 1)."""
    serial = len(data.past_obs) + len(data.past_mean)
    if data.init == IID:
        slopes[0] = 1.0
    if data.init != MARGINAL:
        return
    rest = 1.0 - point[1 : 1 + serial].sum()
    slopes[0] = 1.0 / rest
    slopes[1 : 1 + serial] = point[0] / rest**2
    bends[0, 1 : 1 + serial] = bends[1 : 1 + serial, 0] = 1.0 / rest**2
    bends[1 : 1 + serial, 1 : 1 + serial] = 2.0 * point[0] / rest**3


@compiled()
def state_slopes(
    point: FloatArray, data: Observed, state: FloatArray, carried: FloatArray, past: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """First (n, d - 1) and second (n, d - 1, d - 1) derivatives of the states by the coefficients."""
    n, k = data.x.shape
    p, q = len(data.past_obs), len(data.past_mean)
    d, lead = 1 + p + q + k, len(carried) - n
    slopes, bends = np.zeros((lead + n, d)), np.zeros((lead + n, d, d))
    _first_slopes(point, data, slopes[0], bends[0])
    for t in range(1, lead):
        slopes[t] = slopes[0]
        bends[t] = bends[0]
    # those of the regressors on past counts, which move only before the series and where a count is missing
    past_slopes, past_bends = slopes.copy(), bends.copy()
    for t in range(n):
        g, h = slopes[lead + t], bends[lead + t]
        g[0] = 1.0
        for i in range(p):
            at = lead + t - data.past_obs[i]
            g[1 + i] += past[at]
            if at < lead or np.isnan(data.y[at - lead]):
                _carry(g, h, past_slopes[at], past_bends[at], point[1 + i], 1 + i)
        for j in range(q):
            at = lead + t - data.past_mean[j]
            g[1 + p + j] += carried[at]
            _carry(g, h, slopes[at], bends[at], point[1 + p + j], 1 + p + j)
        for m in range(k):
            g[1 + p + q + m] += data.carried[m] * data.x[t, m]
        if np.isnan(data.y[t]):
            full = g.copy()
            for m in range(k):
                full[1 + p + q + m] += (1.0 - data.carried[m]) * data.x[t, m]
            share = 1.0 / (1.0 + math.exp(-state[t])) if data.log else 1.0
            for r in range(d):
                past_slopes[lead + t, r] = share * full[r]
                for c in range(d):
                    past_bends[lead + t, r, c] = share * (h[r, c] + (1.0 - share) * full[r] * full[c])
    for t in range(n):
        for m in range(k):
            slopes[lead + t, 1 + p + q + m] += (1.0 - data.carried[m]) * data.x[t, m]
    return slopes[lead:], bends[lead:]


@compiled()
def _carry(g: FloatArray, h: FloatArray, slope: FloatArray, bend: FloatArray, coefficient: float, at: int) -> None:
    """Add the derivatives of ``coefficient * term`` but for the term itself, which belongs to ``g[at]``."""
    for r in range(len(g)):
        g[r] += coefficient * slope[r]
        h[at, r] += slope[r]
        h[r, at] += slope[r]
        for c in range(len(g)):
            h[r, c] += coefficient * bend[r, c]


@compiled()
def derivatives(point: FloatArray, data: Observed) -> tuple[float, FloatArray, FloatArray, FloatArray]:
    """Log-likelihood, score (d,), Hessian (d, d) and expected information (d, d)."""
    d = len(point)
    score, hessian, expected = np.zeros(d), np.zeros((d, d)), np.zeros((d, d))
    value = log_likelihood(point, data)
    if value == -math.inf:
        return value, score, hessian, expected
    state, carried, past = recursion(point, data)
    slopes, bends = state_slopes(point, data, state, carried, past)
    a, last = point[-1], d - 1
    for t in range(data.skip, len(state)):
        y = data.y[t]
        if np.isnan(y):
            continue
        mean = data.exposure[t] * _rate_of(state[t], data.log)
        lift, curve = (mean, mean) if data.log else (data.exposure[t], 0.0)
        more = 1.0 + a * mean
        by_mean = (y - mean) / (mean * more)
        first = by_mean * lift
        second = (a * (1.0 + a * y) / more**2 - y / mean**2) * lift**2 + by_mean * curve
        cross = -(y - mean) / more**2 * lift
        information = lift**2 / (mean * more)
        h, h_slope = _excess(a * mean)
        score[last] += mean * mean * h - y * mean / more
        hessian[last, last] += mean**3 * h_slope + y * mean**2 / more**2
        expected[last, last] += 0.5 * mean**2 / more**2
        g, bend = slopes[t], bends[t]
        for r in range(last):
            score[r] += first * g[r]
            hessian[r, last] += cross * g[r]
            for c in range(r + 1):
                product = g[r] * g[c]
                expected[r, c] += information * product
                hessian[r, c] += second * product + first * bend[r, c]
    for i in range(len(data.nodes)):
        ratio = data.nodes[i] / (1.0 + a * data.nodes[i])
        score[last] += data.weights[i] * ratio
        hessian[last, last] -= data.weights[i] * ratio * ratio
    for r in range(d):
        for c in range(r):
            if r < last:
                hessian[c, r] = hessian[r, c]
                expected[c, r] = expected[r, c]
        hessian[last, r] = hessian[r, last]
    return value, score, hessian, expected


@compiled()
def _solve(matrix: FloatArray, vector: FloatArray) -> tuple[bool, FloatArray]:
    """Solve ``matrix @ x = vector`` (d,) by Cholesky's method; say whether the matrix is positive definite."""
    d = len(vector)
    root, x = np.zeros((d, d)), vector.copy()
    for i in range(d):
        for j in range(i + 1):
            rest = matrix[i, j]
            for k in range(j):
                rest -= root[i, k] * root[j, k]
            if i == j:
                if not rest > 1e-13 * matrix[i, i]:
                    return False, x
                root[i, i] = math.sqrt(rest)
            else:
                root[i, j] = rest / root[j, j]
    for i in range(d):
        for k in range(i):
            x[i] -= root[i, k] * x[k]
        x[i] /= root[i, i]
    for i in range(d - 1, -1, -1):
        for k in range(i + 1, d):
            x[i] -= root[k, i] * x[k]
        x[i] /= root[i, i]
    return True, x


@compiled()
def _damped(
    score: FloatArray, hessian: FloatArray, expected: FloatArray, damping: float, moves: FloatArray
) -> tuple[bool, FloatArray]:
    """Damped Newton step (d,) within the span of the columns of ``moves`` (d, m)."""
    matrix = -(moves.T @ hessian @ moves)
    information = moves.T @ expected @ moves
    for i in range(len(matrix)):
        matrix[i, i] += damping * (information[i, i] + 1e-12)
    good, x = _solve(matrix, moves.T @ score)
    return good, moves @ x


@compiled()
def _moves(held: NDArray[np.bool_], serial: int, along: bool) -> FloatArray:
    """Directions (d, m) of the parameters that are not held; ``along`` keeps the sum of the serial coefficients."""
    d, pivot = len(held), 0
    for i in range(1, 1 + serial):
        if along and not held[i]:
            pivot = i
    moves, m = np.zeros((d, d)), 0
    for i in range(d):
        if held[i] or (pivot > 0 and i == pivot):
            continue
        moves[i, m] = 1.0
        if pivot > 0 and 1 <= i <= serial:
            moves[pivot, m] = -1.0
        m += 1
    return np.ascontiguousarray(moves[:, :m])


@compiled()
def _direction(
    point: FloatArray,
    score: FloatArray,
    hessian: FloatArray,
    expected: FloatArray,
    damping: float,
    lower: FloatArray,
    upper: FloatArray,
    serial: int,
    most: float,
) -> tuple[bool, FloatArray]:
    """Newton's step along the bounds that are touched, that of ``|sum of serial coefficients|`` included."""
    held = ((point <= lower) & (score <= 0.0)) | ((point >= upper) & (score >= 0.0))
    total = point[1 : 1 + serial].sum()
    side = 0.0
    if abs(total) >= most * (1.0 - 1e-12):
        side = 1.0 if total > 0.0 else -1.0
    # where the sum is on its bound a start of the series that depends on it leaves the full matrix all but singular
    along = side != 0.0
    step = np.zeros(len(point))
    for _ in range(2 * len(point) + 2):
        good, step = _damped(score, hessian, expected, damping, _moves(held, serial, along))
        if not good:
            return False, step
        outward = ((point <= lower) & (step < 0.0)) | ((point >= upper) & (step > 0.0))
        if outward.any():
            held |= outward
            continue
        if not along:
            if side * step[1 : 1 + serial].sum() <= 0.0:
                break
            along, side = True, 0.0
            continue
        pull, free = score + hessian @ step, 0
        for i in range(1, 1 + serial):
            if not held[i]:
                free = i
        if side == 0.0 or free == 0 or side * pull[free] >= 0.0:
            break
        along = False
    return True, step


@compiled()
def _reach(
    point: FloatArray, step: FloatArray, lower: FloatArray, upper: FloatArray, serial: int, most: float
) -> FloatArray:
    """The point after the step, or after as much of it as the bounds allow."""
    share = 1.0
    for i in range(len(point)):
        if step[i] < 0.0:
            share = min(share, (lower[i] - point[i]) / step[i])
        elif step[i] > 0.0:
            share = min(share, (upper[i] - point[i]) / step[i])
    total, move = point[1 : 1 + serial].sum(), step[1 : 1 + serial].sum()
    if abs(total + share * move) > most * (1.0 + 1e-14) and abs(move) > 1e-14:
        share = min(share, max(0.0, ((most if move > 0.0 else -most) - total) / move))
    return np.minimum(np.maximum(point + share * step, lower), upper)


@compiled()
def _by_level(
    point: FloatArray, score: FloatArray, hessian: FloatArray, expected: FloatArray, serial: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """The same with the level ``intercept / (1 - sum of serial coefficients)`` for the intercept."""
    rest = 1.0 - point[1 : 1 + serial].sum()
    at, slopes = point.copy(), np.eye(len(point))
    at[0] = point[0] / rest
    slopes[0, 0] = rest
    slopes[0, 1 : 1 + serial] = -at[0]
    turned = slopes.T @ hessian @ slopes
    turned[0, 1 : 1 + serial] -= score[0]
    turned[1 : 1 + serial, 0] -= score[0]
    return at, slopes.T @ score, turned, slopes.T @ expected @ slopes


@compiled()
def climb_compiled(start: FloatArray, data: Observed, lower: FloatArray, upper: FloatArray, most: float) -> Peak:
    """Maximise the likelihood by damped Newton steps with the exact Hessian.

    The twin of :func:`escalation.models.newton.climb`, which takes three times as long for a hundred counts and knows
    no bound of a sum.  Where the likelihood is not concave or a step does not climb, the expected information is added
    to the Hessian (Levenberg 1944, doi:10.1090/qam/10666), the more the oftener.

    Parameters
    ----------
    start, lower, upper : (d,) float
        First point and bounds; equal bounds hold a parameter.
    data : Observed
        The series.
    most : float
        Largest absolute sum of the serial coefficients.
    """
    serial = len(data.past_obs) + len(data.past_mean)
    point = np.minimum(np.maximum(start, lower), upper)
    value, score, hessian, expected = derivatives(point, data)
    damping = 0.0
    lowest, highest = lower.copy(), upper.copy()
    lowest[0], highest[0] = -math.inf, math.inf
    for _ in range(MOST_STEPS):
        # near a sum of 1 the likelihood is a ridge of intercepts of one level, too bent for straight steps
        rest = 1.0 - point[1 : 1 + serial].sum()
        bent = data.init == MARGINAL and abs(rest) < BENT and lower[0] < point[0] < upper[0]
        if bent:
            at, slope, bend, information = _by_level(point, score, hessian, expected, serial)
            good, step = _direction(at, slope, bend, information, damping, lowest, highest, serial, most)
            gain = (slope * step).sum() / 2.0
        else:
            good, step = _direction(point, score, hessian, expected, damping, lower, upper, serial, most)
            gain = (score * step).sum() / 2.0
        tiny = 1e-11 + 1e-15 * abs(data.constant)  # the digits that a sum of such terms keeps
        if good and gain < tiny * (1.0 if damping < 1e-2 else 1e-2):
            return Peak(point, Height(value, score, hessian), True)
        if good:
            if bent:
                reached = _reach(at, step, lowest, highest, serial, most)
                level = reached[0] * (1.0 - reached[1 : 1 + serial].sum())
                reached[0] = min(max(level, lower[0]), upper[0])
            else:
                reached = _reach(point, step, lower, upper, serial, most)
            new_value, new_score, new_hessian, new_expected = derivatives(reached, data)
            if new_value > value or (new_value >= value - tiny and gain < 1e3 * tiny):
                point, value, score, hessian, expected = reached, new_value, new_score, new_hessian, new_expected
                damping = damping / 8.0 if damping > 1e-5 else 0.0
                continue
        damping = max(1e-3, 6.0 * damping)
        if damping > 1e12:
            break
    return Peak(point, Height(value, score, hessian), False)
