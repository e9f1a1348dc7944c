"""Counts drawn inside compiled loops.

:func:`draw_count` is the one to take: Poisson and negative binomial, by inversion or rejection, quick to run.  Those by
gaps are quick to compile.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from scipy.special import gammaln

from escalation.conventions.compilation import compiled
from escalation.conventions.count_draws import LARGEST_MEAN

HIGHEST_LEVEL = math.log(LARGEST_MEAN)
RECIPROCALS = 1.0 / np.arange(1.0, 257.0)
"""A division in the innermost loop would double its time."""
LOG_FACTORIALS = gammaln(np.arange(1.0, 1025.0))
MANY = 20
"""Draws that need more than this number of random gaps are split."""
ROOT = 1.0 / math.sqrt(2.0 * math.pi)


@compiled()
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


@compiled()
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


# What follows is written out because the generator's own binomial, Poisson and normal draws take numba three times as
# long to compile as a whole Markov chain that uses them.


@compiled()
def draw_normal(rng: Generator) -> float:
    """Standard normal draw (Box and Muller 1958, doi:10.1214/aoms/1177706645)."""
    return math.sqrt(-2.0 * math.log(1.0 - rng.random())) * math.cos(2.0 * math.pi * rng.random())


@compiled()
def draw_gamma(shape: float, rng: Generator) -> float:
    """Gamma draw for shapes from 1 (Marsaglia and Tsang 2000, doi:10.1145/358407.358414)."""
    d = shape - 1.0 / 3.0
    while True:
        z = draw_normal(rng)
        v = (1.0 + z / math.sqrt(9.0 * d)) ** 3
        if v > 0.0 and math.log(1.0 - rng.random()) < 0.5 * z * z + d - d * v + d * math.log(v):
            return d * v


@compiled()
def draw_by_gaps(mean: float, rng: Generator) -> int:
    """Poisson draw: exponential gaps until the mean is used up, many at once while it is large."""
    count, left = 0, mean
    while left > MANY:
        gaps = int(0.875 * left)  # mostly fewer than fit (Ahrens and Dieter 1974, doi:10.1007/BF02293108)
        span = draw_gamma(float(gaps), rng)
        if span > left:
            return count + draw_kept(gaps - 1, left / span, rng)
        count += gaps
        left -= span
    count -= 1
    while left >= 0.0:
        left += math.log(1.0 - rng.random())
        count += 1
    return count


@compiled()
def draw_kept(n: int, share: float, rng: Generator) -> int:
    """Binomial draw: geometric gaps between the rarer of kept and lost (Devroye 1986, X.4).

    While that takes long, the place of the middle one of n uniform draws shows on which side of it to go on.
    """
    sure = 0
    while n * min(share, 1.0 - share) > MANY:
        half = n // 2 + 1
        below = draw_gamma(float(half), rng)
        middle = below / (below + draw_gamma(float(n + 1 - half), rng))
        if middle <= share:
            sure += half
            n -= half
            share = (share - middle) / (1.0 - middle)
        else:
            n = half - 1
            share /= middle
    return sure + _kept_of_few(n, min(share, 1.0), rng)


@compiled()
def _kept_of_few(n: int, share: float, rng: Generator) -> int:
    """Binomial draw by geometric gaps."""
    rare = min(share, 1.0 - share)
    if n == 0 or rare <= 0.0:
        return n if share > 0.5 else 0
    count, at = -1, 0.0
    log_common = math.log1p(-rare)
    while at <= n:
        # math.floor would make it an integer, which overflows
        at += np.floor(math.log(1.0 - rng.random()) / log_common) + 1.0
        count += 1
    return count if share <= 0.5 else n - count
