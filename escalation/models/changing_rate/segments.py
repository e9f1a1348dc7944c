"""Stretches of a steady rate or a steady growth that reach up to the last count: exact in level and slope.

Before such a stretch began anything may have been: that part is explained by all other structures.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from escalation.models.changing_rate.grid_filter import FloatArray, IntArray

SHARE = 0.35
"""Prior weight of all stretches together."""
HAZARD = 0.01
"""Probability that a period is the first of a new stretch."""
LEVEL_SD = 1.3
"""Prior standard deviation of the log rate at the start of a stretch about the log mean."""
KINDS = ((0.0, False, 0.5), (0.025, False, 0.2), (0.12, False, 0.12), (0.025, True, 0.1), (0.12, True, 0.08))
"""Prior standard deviation of the growth a period (none, slow, fast), whether it is along a line, and the prior weight."""
MOST_SPREAD = 2.0
STEEP, ENDS = 0.09, 0.35
"""A growth above the first ends with a probability that rises by the second times what is above."""
RECENT = 24
"""So many last periods are all tried as starts; before them starts are further and further apart."""
NEWTON = 30
FLOOR = 0.7


class Stretches(NamedTuple):
    """Posteriors of the level at the last period and the slope, for each start, slope prior and dispersion."""

    start: IntArray  # (m,)
    dispersion: FloatArray  # (m,)
    linear: NDArray[np.bool_]  # (m,)
    mode: FloatArray  # (m, 2) log rate at the last period, and growth a period; of a line, log rate at its start
    root: FloatArray  # (m, 2, 2) root of their covariance
    log_weight: FloatArray  # (m,)
    length: int  # periods in all


def starts(n: int) -> tuple[IntArray, FloatArray]:
    """Places where a stretch may start, and for how many each stands."""
    back = [*range(2, min(n, RECENT))]
    while back[-1:] and back[-1] < n:
        back.append(min(n, max(back[-1] + 1, math.ceil(back[-1] * 1.08))))
    places = n - np.array(back or [n])
    return places, np.append(1.0, -np.diff(places))


def find_stretches(
    counts: FloatArray,
    log_scale: FloatArray,
    exposure: FloatArray,
    dispersions: tuple[float, ...],
    mean: float,
    before: FloatArray,
) -> Stretches:
    """Weight all stretches; ``before`` (n,) is the log probability of the counts before each period."""
    n = len(counts)
    places, stands_for = starts(n)
    rows = len(places) * len(KINDS) * len(dispersions)
    mode, root, weight = np.empty((rows, 2)), np.zeros((rows, 2, 2)), np.empty(rows)
    start, spread, lines = np.empty(rows, dtype=np.int64), np.empty(rows), np.zeros(rows, dtype=bool)
    k = 0
    for place, number in zip(places, stands_for, strict=True):
        log_prior = math.log(SHARE) + before[place] + (n - place) * math.log1p(-HAZARD)
        if place > 0:
            log_prior += math.log(HAZARD * number)
        length = max(n - place - 1, 1)
        for slope_sd, line, share in KINDS:
            for dispersion in dispersions:
                size = exposure[place:] / dispersion
                start[k], spread[k], lines[k] = place, dispersion, line
                sd = min(slope_sd * length, MOST_SPREAD) if line else slope_sd
                found = explain_line if line else explain
                value = found(
                    counts[place:], log_scale[place:], size, math.log(mean + 0.05), LEVEL_SD, sd, mode[k], root[k]
                )
                steep = 0.0 if line else max(abs(mode[k, 1]) - STEEP, 0.0)
                value += length * math.log1p(-min(ENDS * steep, 0.5))
                weight[k] = log_prior + math.log(share / len(dispersions)) + value
                k += 1
    return Stretches(start, spread, lines, mode, root, weight, n)


def draw_stretches(
    found: Stretches, rows: IntArray, landing: tuple[FloatArray, FloatArray], late: float, late_sd: float, top: float,
    offsets: FloatArray, exposure: FloatArray, rng: Generator,
) -> IntArray:  # fmt: skip
    """Paths (k, steps) that continue these stretches, with log season offsets (k, steps)."""
    k, steps = offsets.shape
    place = rows[0]
    drawn = found.mode[place] + rng.standard_normal((k, 2)) @ found.root[place].T
    level, slope = drawn.T
    rise = np.zeros(k)
    if found.linear[place]:
        length = max(found.length - found.start[place] - 1, 1)
        rise, slope = (np.exp(level) - np.exp(slope)) / length, np.zeros(k)
    levels, shares = landing
    paths = np.empty((k, steps), dtype=np.int64)
    sds, weights = np.array([kind[0] for kind in KINDS]), np.array([kind[2] for kind in KINDS])
    for h in range(steps):
        steep = np.maximum(np.abs(slope) - STEEP, 0.0)
        slope = np.where(rng.random(k) < np.minimum(ENDS * steep, 0.5), 0.0, slope)
        level = np.log(np.maximum(np.exp(level + slope) + rise, FLOOR * np.exp(level)))
        new = rng.random(k) < HAZARD
        level = np.where(new, levels[np.minimum(np.searchsorted(shares, rng.random(k)), len(levels) - 1)], level)
        slope = np.where(new, sds[rng.choice(len(sds), k, p=weights)] * rng.standard_normal(k), slope)
        rise = np.where(new, 0.0, rise)
        level = level + np.where(rng.random(k) < late, late_sd * rng.standard_normal(k), 0.0)
        level = np.clip(level, levels[0], top)
        spread = found.dispersion[place] / exposure[h]
        mean = exposure[h] * np.exp(level + offsets[:, h])
        paths[:, h] = rng.poisson(np.minimum(mean * rng.gamma(1 / spread, size=k) * spread, 1e15))
    return paths


@njit(cache=True, nogil=True, error_model="numpy")
def explain(
    counts: FloatArray,
    log_scale: FloatArray,
    size: FloatArray,
    level: float,
    level_sd: float,
    slope_sd: float,
    mode: FloatArray,
    root: FloatArray,
) -> float:
    """Log probability of the counts of one stretch by Laplace's approximation; fills the mode and root at its end."""
    n = len(counts)
    constant = 0.0
    total, scale = 0.0, 0.0
    for t in range(n):
        y, k = counts[t], size[t]
        if not math.isnan(y):
            constant += math.lgamma(y + k) - math.lgamma(k) - math.lgamma(y + 1.0) - y * math.log(k)
            total += y
            scale += math.exp(log_scale[t])
    a, b = (math.log((total + 0.5) / (scale + 0.5 * math.exp(-level))) if scale > 0 else level), 0.0
    flat = slope_sd == 0.0
    value = -math.inf
    step_a, step_b = 0.0, 0.0
    h_aa, h_ab, h_bb = 0.0, 0.0, 0.0
    for _ in range(NEWTON):
        shrink = 1.0
        for _ in range(20):
            at_a, at_b = a + shrink * step_a, b + shrink * step_b
            new = -0.5 * ((at_a - level) / level_sd) ** 2
            g_a, g_b = -(at_a - level) / level_sd**2, 0.0
            h_aa, h_ab, h_bb = 1 / level_sd**2, 0.0, 1.0
            if not flat:
                new -= 0.5 * (at_b / slope_sd) ** 2
                g_b, h_bb = -at_b / slope_sd**2, 1 / slope_sd**2
            for t in range(n):
                y, k = counts[t], size[t]
                if math.isnan(y):
                    continue
                eta = min(at_a + at_b * t + log_scale[t], 60.0)
                mu = math.exp(eta)
                grown = 1.0 + mu / k
                new += y * eta - (y + k) * math.log(grown)
                slope = (y - mu) / grown
                bend = mu * (1.0 + y / k) / (grown * grown)
                g_a += slope
                h_aa += bend
                if not flat:
                    g_b += slope * t
                    h_ab += bend * t
                    h_bb += bend * t * t
            if new >= value - 1e-10:
                break
            shrink *= 0.5
        gained = new - value
        a, b, value = at_a, at_b, new
        if gained < 1e-6:
            break
        if flat:
            step_a, step_b = g_a / h_aa, 0.0
        else:
            determinant = h_aa * h_bb - h_ab * h_ab
            step_a = (h_bb * g_a - h_ab * g_b) / determinant
            step_b = (h_aa * g_b - h_ab * g_a) / determinant
    last = n - 1.0
    mode[0], mode[1] = a + b * last, b
    if flat:
        root[0, 0] = 1 / math.sqrt(h_aa)
        return value + constant - math.log(level_sd) - 0.5 * math.log(h_aa)
    determinant = h_aa * h_bb - h_ab * h_ab
    v_aa, v_ab, v_bb = h_bb / determinant, -h_ab / determinant, h_aa / determinant
    v_ee, v_eb = v_aa + 2 * last * v_ab + last * last * v_bb, v_ab + last * v_bb
    root[0, 0] = math.sqrt(v_ee)
    root[1, 0] = v_eb / root[0, 0]
    root[1, 1] = math.sqrt(max(v_bb - root[1, 0] ** 2, 0.0))
    return value + constant - math.log(level_sd * slope_sd) - 0.5 * math.log(determinant)


@njit(cache=True, nogil=True, error_model="numpy")
def explain_line(
    counts: FloatArray,
    log_scale: FloatArray,
    size: FloatArray,
    level: float,
    level_sd: float,
    change_sd: float,
    mode: FloatArray,
    root: FloatArray,
) -> float:
    """As explain, of a rate on a straight line between exp(a) at the first and exp(b) at the last period."""
    n = len(counts)
    constant, total, scale = 0.0, 0.0, 0.0
    for t in range(n):
        y, k = counts[t], size[t]
        if not math.isnan(y):
            constant += math.lgamma(y + k) - math.lgamma(k) - math.lgamma(y + 1.0) - y * math.log(k)
            total += y
            scale += math.exp(log_scale[t])
    a = math.log((total + 0.5) / (scale + 0.5 * math.exp(-level))) if scale > 0 else level
    b = a
    value = -math.inf
    step_a, step_b = 0.0, 0.0
    h_aa, h_ab, h_bb = 0.0, 0.0, 0.0
    precise_a, precise_b = 1 / level_sd**2, 1 / change_sd**2
    for _ in range(NEWTON):
        shrink = 1.0
        for _ in range(20):
            at_a, at_b = a + shrink * step_a, b + shrink * step_b
            new = -0.5 * precise_a * (at_a - level) ** 2 - 0.5 * precise_b * (at_b - at_a) ** 2
            g_a = -precise_a * (at_a - level) + precise_b * (at_b - at_a)
            g_b = -precise_b * (at_b - at_a)
            h_aa, h_ab, h_bb = precise_a + precise_b, -precise_b, precise_b
            low, high = math.exp(min(at_a, 40.0)), math.exp(min(at_b, 40.0))
            for t in range(n):
                y, k = counts[t], size[t]
                if math.isnan(y):
                    continue
                u = t / (n - 1.0) if n > 1 else 1.0
                factor = math.exp(log_scale[t])
                d_a, d_b = (1.0 - u) * low * factor, u * high * factor
                mu = d_a + d_b
                grown = 1.0 + mu / k
                new += y * math.log(mu) - (y + k) * math.log(grown)
                weight = 1.0 / (mu * grown)
                g_a += (y - mu) * weight * d_a
                g_b += (y - mu) * weight * d_b
                h_aa += weight * d_a * d_a
                h_ab += weight * d_a * d_b
                h_bb += weight * d_b * d_b
            if new >= value - 1e-10:
                break
            shrink *= 0.5
        gained = new - value
        a, b, value = at_a, at_b, new
        if gained < 1e-6:
            break
        determinant = h_aa * h_bb - h_ab * h_ab
        step_a = (h_bb * g_a - h_ab * g_b) / determinant
        step_b = (h_aa * g_b - h_ab * g_a) / determinant
    determinant = h_aa * h_bb - h_ab * h_ab
    mode[0], mode[1] = b, a
    root[0, 0] = math.sqrt(h_aa / determinant)
    root[1, 0] = -h_ab / determinant / root[0, 0]
    root[1, 1] = math.sqrt(max(h_bb / determinant - root[1, 0] ** 2, 0.0))
    return value + constant - math.log(level_sd * change_sd) - 0.5 * math.log(determinant)
