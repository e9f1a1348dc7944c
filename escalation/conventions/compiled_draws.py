"""Counts drawn inside compiled loops: Poisson and negative binomial, by inversion or rejection."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.random import Generator
from scipy.special import gammaln

from escalation.conventions.count_draws import LARGEST_MEAN

HIGHEST_LEVEL = math.log(LARGEST_MEAN)
RECIPROCALS = 1.0 / np.arange(1.0, 257.0)
"""A division in the innermost loop would double its time."""
LOG_FACTORIALS = gammaln(np.arange(1.0, 1025.0))
ROOT = 1.0 / math.sqrt(2.0 * math.pi)


@njit(cache=True, nogil=True)
def draw_count(mean: float, a: float, rng: Generator) -> int:
    """Draw an NB2 count, or a Poisson one where a is 0; small means by inversion."""
    mean = min(mean, LARGEST_MEAN)
    if a > 0.0 and mean >= 12.0:
        mean, a = min(rng.standard_gamma(1.0 / a) * a * mean, LARGEST_MEAN), 0.0
    if a == 0.0 and mean >= 10.0:
        return draw_poisson(mean, rng)
    u, count = rng.random(), 0
    probability = math.exp(-mean) if a == 0.0 else math.exp(-math.log1p(a * mean) / a)
    ratio = mean if a == 0.0 else mean / (1.0 + a * mean)
    while u >= probability and probability > 0.0:
        u -= probability
        share = RECIPROCALS[count] if count < len(RECIPROCALS) else 1.0 / (count + 1.0)
        probability *= ratio * (1.0 + a * count) * share
        count += 1
    return count


@njit(cache=True, nogil=True)
def draw_poisson(mean: float, rng: Generator) -> int:
    """Poisson count of mean 10 and more: algorithm PD of Ahrens and Dieter (1982, doi:10.1145/355993.355997).

    A rounded normal is corrected; nine draws in ten need no logarithm.
    """
    sd = math.sqrt(mean)
    g = mean + sd * rng.standard_normal()
    u = 0.0
    if g >= 0.0:
        count = math.floor(g)
        if count >= math.floor(mean - 1.1484):
            return int(count)
        u = rng.random()
        if 6.0 * mean * mean * u >= (mean - count) ** 3:
            return int(count)
    b1 = 1.0 / (24.0 * mean)
    b2 = 0.3 * b1 * b1
    c3 = b1 * b2 / 7.0
    c2 = b2 - 15.0 * c3
    c1 = b1 - 6.0 * b2 + 45.0 * c3
    c0 = 1.0 - b1 + 3.0 * b2 - 15.0 * c3
    log_mean, first = math.log(mean), g >= 0.0
    e = 0.0
    while True:
        if not first:
            e = rng.standard_exponential()
            u = 2.0 * rng.random() - 1.0
            t = 1.8 + math.copysign(e, u)
            if t <= -0.6744:
                continue
            count = math.floor(mean + sd * t)
        factorial = LOG_FACTORIALS[int(count)] if count < len(LOG_FACTORIALS) else math.lgamma(count + 1.0)
        log_probability = count * log_mean - mean - factorial
        x = ((0.5 - mean + count) / sd) ** 2
        fx = -0.5 * x
        fy = (((c3 * x + c2) * x + c1) * x + c0) * ROOT / sd
        if first:
            if fy * (1.0 - u) <= math.exp(log_probability - fx):
                return int(count)
            first = False
        elif 0.1069 / mean * abs(u) <= math.exp(log_probability + e) - fy * math.exp(fx + e):
            return int(count)
