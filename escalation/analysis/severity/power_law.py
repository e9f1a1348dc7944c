"""Discrete power laws above a threshold, after Clauset, Shalizi & Newman (2009, doi:10.1137/070710111).

``P(x) = x ** -alpha / zeta(alpha, xmin)`` for whole numbers from ``xmin``, with the Hurwitz zeta function.  Plain
arrays in and out; values are distinct and sorted, with how often each occurs.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.special import zeta

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled

LEAST_ALPHA, MOST_ALPHA = 1.0 + 1e-6, 20.0
"""Exponents are looked for between these; a tail of equal values has the largest."""
BERNOULLI = (1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600)
"""Bernoulli numbers over factorials, ``B(2j) / (2j)!``."""
NEAR = 8
"""Up to so many terms of the sum are taken off one by one."""


@compiled()
def hurwitz(s: float, q: float) -> tuple[float, float]:
    """Hurwitz zeta function at ``s`` > 1 and ``q`` > 0, and its derivative by ``s``, by the Euler-Maclaurin formula."""
    value, slope = 0.0, 0.0
    w = q
    while w < 10.0 + s:
        log_w = np.log(w)
        term = np.exp(-s * log_w)
        value += term
        slope -= log_w * term
        w += 1.0
    log_w = np.log(w)
    term = np.exp(-s * log_w)
    value += term * (w / (s - 1.0) + 0.5)
    slope -= term * (w * (log_w / (s - 1.0) + 1.0 / (s - 1.0) ** 2) + 0.5 * log_w)
    rising, log_slope = s, 1.0 / s  # s (s + 1) ... and the derivative of its log
    power = term / w
    for j in range(len(BERNOULLI)):
        part = BERNOULLI[j] * rising * power
        value += part
        slope += part * (log_slope - log_w)
        for k in (2 * j + 1, 2 * j + 2):
            rising *= s + k
            log_slope += 1.0 / (s + k)
        power /= w * w
    return value, slope


@compiled()
def exponent(number: float, log_sum: float, xmin: float) -> float:
    """Exponent of the highest likelihood of ``number`` values from ``xmin`` whose logs sum to ``log_sum``."""
    mean_log = log_sum / number
    low, high = LEAST_ALPHA, MOST_ALPHA
    value, slope = hurwitz(high, xmin)
    if -slope / value >= mean_log:
        return high
    spread = mean_log - np.log(xmin - 0.5)
    here = min(max(1.0 + 1.0 / spread, low + 1e-3), high - 1e-3)  # exact for large thresholds
    before, f_before = np.nan, np.nan
    for _ in range(100):
        value, slope = hurwitz(here, xmin)
        f = -slope / value - mean_log  # falls with the exponent
        if f > 0.0:
            low = here
        else:
            high = here
        there = here * 1.01 if np.isnan(before) else here
        if f != f_before and not np.isnan(before):
            there = here - f * (here - before) / (f - f_before)
        if not low < there < high:
            there = 0.5 * (low + high)
        before, f_before = here, f
        if abs(there - here) < 1e-12 * here:
            break
        here = there
    return float(here)


@compiled()
def distance(values: FloatArray, times: IntArray, first: int, alpha: float, best: float) -> float:
    """Largest distance of the distribution functions of the values from the first one on and of a power law.

    Over all whole numbers, also those that do not occur.  Where it passes ``best`` it need not be finished.
    """
    total = 0
    for j in range(first, len(values)):
        total += times[j]
    whole, _ = hurwitz(alpha, values[first])
    rest, seen, far = whole, 0, 0.0
    for j in range(first, len(values)):
        seen += times[j]
        share = seen / total
        rest -= np.exp(-alpha * np.log(values[j]))
        far = max(far, abs(share - (1.0 - rest / whole)))
        if j + 1 < len(values):
            gap = int(values[j + 1] - values[j])
            if gap <= NEAR:
                for step in range(1, gap):
                    rest -= np.exp(-alpha * np.log(values[j] + step))
            else:
                rest, _ = hurwitz(alpha, values[j + 1])
            far = max(far, abs(share - (1.0 - rest / whole)))
        if far >= best:
            break
    return far


@compiled()
def find_threshold(values: FloatArray, times: IntArray, fewest: int) -> tuple[int, float, float]:
    """Place of the threshold with the least distance, its exponent and the distance.

    Values that do not occur (``times`` 0) are passed over, and thresholds with fewer than ``fewest`` values above or
    less than two different ones; the place is -1 where there is no other.
    """
    kept = times > 0
    values, times = values[kept], times[kept]
    places = np.flatnonzero(kept)
    number, log_sum = 0.0, 0.0
    for j in range(len(values)):
        number += times[j]
        log_sum += times[j] * np.log(values[j])
    place, at, least = -1, 0.0, np.inf
    for j in range(len(values) - 1):
        if number < fewest:
            break
        alpha = exponent(number, log_sum, values[j])
        far = distance(values, times, j, alpha, least)
        if far < least:
            place, at, least = places[j], alpha, far
        number -= times[j]
        log_sum -= times[j] * np.log(values[j])
    return place, at, least


@compiled()
def find_thresholds(values: FloatArray, times: IntArray, fewest: int) -> FloatArray:
    """Threshold and exponent of each row of ``times`` (rows, values); NaN where there is none."""
    found = np.full((len(times), 2), np.nan)
    for row in range(len(times)):
        place, alpha, _ = find_threshold(values, times[row], fewest)
        if place >= 0:
            found[row, 0], found[row, 1] = values[place], alpha
    return found


def log_power(x: FloatArray, alpha: float, xmin: float) -> FloatArray:
    """Log probabilities of values from ``xmin`` on."""
    value: FloatArray = -alpha * np.log(x) - np.log(zeta(alpha, xmin))
    return value


def power_survival(x: float, alpha: FloatArray, xmin: FloatArray) -> FloatArray:
    """Probability of ``x`` or more; 1 below the threshold."""
    return zeta(alpha, np.maximum(x, xmin)) / zeta(alpha, xmin)


def power_mean(alpha: FloatArray, xmin: FloatArray) -> FloatArray:
    """Mean; infinite for exponents up to 2."""
    with np.errstate(invalid="ignore"):
        mean = zeta(alpha - 1.0, xmin) / zeta(alpha, xmin)
    return np.where(alpha > 2.0, mean, np.inf)


def draw_power(alpha: FloatArray, xmin: FloatArray, most: float, rng: Generator) -> FloatArray:
    """Draw one value for each exponent and threshold (n,); those above ``most`` are cut to it.

    Exact, by rejection from the whole part of a Pareto distribution: the ratio of the two is highest at the threshold
    (for ``xmin`` 1: Devroye 1986, Non-Uniform Random Variate Generation, section X.6.1).
    """
    drawn = np.empty(len(alpha))
    open_ = np.arange(len(alpha))
    while len(open_):
        a, low = alpha[open_] - 1.0, xmin[open_]
        with np.errstate(over="ignore"):
            x = np.floor(low * rng.random(len(open_)) ** (-1.0 / a))
        x = np.clip(x, low, 1e15)
        good = rng.random(len(open_)) * _ratio(low, a) <= _ratio(x, a)
        drawn[open_[good]] = x[good]
        open_ = open_[~good]
    return np.minimum(drawn, most)


def _ratio(x: FloatArray, a: FloatArray) -> FloatArray:
    """Power law over the whole part of a Pareto distribution, but for a constant; falls with ``x``."""
    return -1.0 / (x * np.expm1(-a * np.log1p(1.0 / x)))
