"""The likelihood of endemic-epidemic counts of several units with its exact score and Hessian; compiled.

A point is a vector ``(endemic terms, log own past, log others' past, log dispersions)``; ``Panel`` says which of them
each unit has.  The rate of a unit in a period (its mean count if it is fully covered) is

    exp(offset + x'b) + own * z + others * s

with ``z`` the unit's own past rate and ``s`` the weighted past rates of the others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, psi, zeta

from escalation.conventions.arrays import BoolArray, FloatArray, IntArray
from escalation.conventions.compilation import compiled
from escalation.models.contract.newton import Height
from escalation.models.diagnostics.distributions import log_rising

LARGEST_LOG_RATE = 300.0
LEAST_RATE = 1e-150
LARGEST_SIZE = 1e12
"""Sizes (1 / dispersion) from here on are Poisson."""


class Panel(NamedTuple):
    """Counts of u units in n periods and what is asked of them.

    Places of parameters are those in a point; -1 is none.
    """

    y: FloatArray  # (n, u), NaN where not observed
    exposure: FloatArray  # (n, u)
    past: FloatArray  # (n, u): y / exposure
    before: FloatArray  # (u,): rate that stands in for what precedes the first period
    z: FloatArray  # (n, u): own past rate, missing counts left out
    s: FloatArray  # (n, u): others' past rate, missing counts left out
    gaps: BoolArray  # (n,): whether a missing count enters z or s
    x: FloatArray  # (n, u, k)
    offset: FloatArray  # (u,)
    own: IntArray  # (u,): place of the coefficient
    others: IntArray  # (u,): place of the coefficient
    dispersion: IntArray  # (u,): place of the log dispersion
    links: FloatArray  # (u, u): weight from row to column
    lags: FloatArray  # (d,): weights of the rates 1, 2, ... periods ago
    slot: IntArray  # (n, u): number of a missing count, -1 where observed
    first: int  # first period that is scored
    size: int  # parameters of a point


class Copies(NamedTuple):
    """Different counts (k,), how often each log dispersion (g) scores each (g, k), and the places of these (g)."""

    values: FloatArray
    times: FloatArray
    places: IntArray
    poisson: float  # part of the log-likelihood of the units that are always Poisson


def weigh_past(
    past: FloatArray, before: FloatArray, links: FloatArray, lags: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Known own and others' past rates (n, u), and whether a missing count belongs to them (n,)."""
    padded = np.vstack([np.tile(before, (len(lags), 1)), past])
    weighed = np.array([np.convolve(np.nan_to_num(column), lags)[len(lags) - 1 : -len(lags)] for column in padded.T]).T
    lacking = np.isnan(padded).any(axis=1).astype(float)
    gaps = np.convolve(lacking, lags > 0)[len(lags) - 1 : -len(lags)] > 0
    return np.ascontiguousarray(weighed), np.ascontiguousarray(weighed @ links), gaps


@compiled()
def fill_past(
    t: int, i: int, panel: Panel, rates: FloatArray, steps: FloatArray, own: FloatArray, others: FloatArray
) -> tuple[float, float]:
    """Own and others' past rates of unit i in period t, with the expected rates (n, u) of what is missing.

    The slopes of these (p,) go into ``own`` and ``others``; ``steps`` (missing, p) are the slopes of missing rates.
    """
    z, s = panel.z[t, i], panel.s[t, i]
    own[:], others[:] = 0.0, 0.0
    for d in range(min(len(panel.lags), t)):
        for j in range(panel.y.shape[1]):
            slot = panel.slot[t - d - 1, j]
            if slot < 0:
                continue
            to_own = panel.lags[d] if j == i else 0.0
            to_others = panel.lags[d] * panel.links[j, i]
            z += to_own * rates[t - d - 1, j]
            s += to_others * rates[t - d - 1, j]
            if len(steps):
                own += to_own * steps[slot]
                others += to_others * steps[slot]
    return z, s


@compiled(error_model="numpy")
def evaluate(
    point: FloatArray, panel: Panel, missing: int, full: bool
) -> tuple[FloatArray, float, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Rates (n, u), the part of the log-likelihood that depends on them, and its derivatives.

    Returns
    -------
    rates : (n, u) array
    value : float
        Sum of ``y log(mean / y) - (y + size) log((mean + size) / (y + size))``.
    score, information : (p,), (p, p) arrays
        By the point; second slopes of what stands in for missing counts are left out.  Zeros unless ``full``.
    by_size, bend : (p,) arrays
        At the places of log dispersions, sums of ``log(1 + d) - d`` and ``d**2 / (y + size)`` with
        ``d = (y - mean) / (size + mean)``.
    """
    n, u = panel.y.shape
    k, p = panel.x.shape[2], panel.size
    rates = np.empty((n, u))
    score, information = np.zeros(p), np.zeros((p, p))
    by_size, bend = np.zeros(p), np.zeros(p)
    steps = np.zeros((missing if full else 0, p))
    own, others, slope = np.zeros(p), np.zeros(p), np.zeros(p)
    where = np.empty(p, dtype=np.int64)
    value = 0.0
    for t in range(n):
        for i in range(u):
            a, b, c = panel.own[i], panel.others[i], panel.dispersion[i]
            z, s = panel.z[t, i], panel.s[t, i]
            if panel.gaps[t]:
                z, s = fill_past(t, i, panel, rates, steps, own, others)
            log_rate = panel.offset[i]
            for m in range(k):
                log_rate += panel.x[t, i, m] * point[m]
            endemic = np.exp(min(log_rate, LARGEST_LOG_RATE))
            by_own = np.exp(min(point[a], LARGEST_LOG_RATE)) if a >= 0 else 0.0
            by_others = np.exp(min(point[b], LARGEST_LOG_RATE)) if b >= 0 else 0.0
            rate = max(endemic + by_own * z + by_others * s, LEAST_RATE)
            rates[t, i] = rate
            scored = t >= panel.first and panel.slot[t, i] < 0
            if full and (scored or panel.slot[t, i] >= 0):
                slope[:] = 0.0
                for m in range(k):
                    slope[m] = panel.x[t, i, m] * endemic
                if a >= 0:
                    slope[a] += by_own * z
                if b >= 0:
                    slope[b] += by_others * s
                if panel.gaps[t]:
                    slope += by_own * own + by_others * others
                if panel.slot[t, i] >= 0:
                    steps[panel.slot[t, i]] = slope
            if not scored:
                continue
            y, share = panel.y[t, i], panel.exposure[t, i]
            mean = share * rate
            size = np.exp(-point[c]) if c >= 0 else LARGEST_SIZE
            poisson = not size < LARGEST_SIZE
            if y > 0.0:
                value += y * np.log1p((mean - y) / y) if mean > 0.5 * y else y * np.log(mean / y)
            if poisson:
                value -= mean - y
                first, second = (y - mean) / mean, -y / mean**2
            else:
                away = (y - mean) / (size + mean)
                value -= (size + y) * np.log1p((mean - y) / (size + y))
                by_size[c] += np.log1p(away) - away
                bend[c] += away * away / (size + y)
                first = (y - mean) / mean * size / (size + mean)
                second = (size + y) / (size + mean) ** 2 - y / mean**2
            if not full:
                continue
            count = 0
            for m in range(p):
                if slope[m] != 0.0:
                    where[count] = m
                    count += 1
            for m in range(count):
                g = share * slope[where[m]]
                score[where[m]] += first * g
                for q in range(m + 1):
                    information[where[m], where[q]] -= second * g * share * slope[where[q]]
                if not poisson:
                    information[c, where[m]] += size * away / (size + mean) * g
            for m in range(k):
                if panel.x[t, i, m] != 0.0:
                    for q in range(m + 1):
                        bent_x = panel.x[t, i, m] * panel.x[t, i, q]
                        information[m, q] -= first * share * endemic * bent_x
            if a >= 0:
                information[a, a] -= first * share * by_own * z
            if b >= 0:
                information[b, b] -= first * share * by_others * s
    for m in range(p):
        for q in range(m):
            information[q, m] = information[m, q]
    return rates, value, score, information, by_size, bend


def count_copies(panel: Panel) -> Copies:
    """Gather the scored counts by value, so that functions of counts and dispersions alone are worked out once."""
    y = panel.y[panel.first :]
    places = np.unique(panel.dispersion[panel.dispersion >= 0])
    values = np.unique(y[~np.isnan(y)])
    at = np.searchsorted(values, y.T)
    times = np.zeros((len(places), len(values)))
    for g, place in enumerate(places):
        chosen = y.T[panel.dispersion == place]
        times[g] = np.bincount(at[panel.dispersion == place][~np.isnan(chosen)], minlength=len(values))
    always = y[:, panel.dispersion < 0]
    return Copies(values, times, places, float(_saturated(always[~np.isnan(always)], np.inf).sum()))


def log_likelihood(point: FloatArray, panel: Panel, copies: Copies) -> float:
    """Log-likelihood of the scored counts at a point (p,)."""
    _, value, *_ = evaluate(point, panel, 0, False)
    return value + _constant(point, copies)


def height(point: FloatArray, panel: Panel, copies: Copies, missing: int) -> Height:
    """Log-likelihood, score and (but for second slopes of stand-ins) Hessian at a point (p,)."""
    _, value, score, information, by_size, bend = evaluate(point, panel, missing, True)
    for g, place in enumerate(copies.places):
        size = np.exp(-point[place])
        if size < LARGEST_SIZE:
            first, second = _size_slopes(copies.values, size)
            by = copies.times[g] @ first + by_size[place]
            score[place] = -size * by
            information[place, place] = -size * (size * (copies.times[g] @ second + bend[place]) + by)
    return Height(value + _constant(point, copies), score, -information)


def _constant(point: FloatArray, copies: Copies) -> float:
    sizes = np.exp(-point[copies.places])
    tables = (_saturated(copies.values, size) for size in sizes)
    return copies.poisson + sum(float(times @ table) for times, table in zip(copies.times, tables, strict=True))


def _saturated(y: FloatArray, size: float) -> FloatArray:
    """Log probability of each count (k,) under the NB2 distribution whose mean it is."""
    y_safe = np.maximum(y, 1.0)
    large = -np.log(2 * np.pi * y_safe) / 2 - 1 / (12 * y_safe)
    poisson = np.where(y > 1e5, large, y * np.log(y_safe) - y - gammaln(y + 1))
    if not size < LARGEST_SIZE:
        return np.asarray(poisson)
    # y + log_rising - (size + y) log(1 + y / size); for large sizes by Stirling, as there
    stirling = -np.log1p(y / size) / 2 - y / (12 * size * (y + size))
    rest = stirling if size > 1e3 else y + log_rising(y, np.asarray(size)) - (size + y) * np.log1p(y / size)
    return np.asarray(poisson + rest)


def _size_slopes(y: FloatArray, size: float) -> tuple[FloatArray, FloatArray]:
    """First and second slope by size of :func:`_saturated` at means that stay where they are, each (k,).

    ``psi(y + size) - psi(size) - log(1 + y / size)`` and its slope; for large sizes by their series, because the
    differences lose all digits.
    """
    if size > 1e3:
        total = size + y
        first = y / (2 * size * total) + (1 / size**2 - 1 / total**2) / 12
        second = -y * (2 * size + y) / (2 * size**2 * total**2) + (1 / total**3 - 1 / size**3) / 6
        return first, second
    first = psi(y + size) - psi(size) - np.log1p(y / size)
    second = zeta(2.0, y + size) - zeta(2.0, size) - 1 / (y + size) + 1 / size
    return first, second
