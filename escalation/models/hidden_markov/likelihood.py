"""Likelihood, posterior and regimes of a hidden Markov model of counts; compiled.

A point ``theta`` holds, for K regimes, the logs of their rates (K), for each row of the transition matrix the log odds
of every other regime against staying (K - 1 each, in order), the logs of the dispersions (none, one, or K), and the
coefficients of the regressors (none, or r), which shift the log mean in all regimes alike.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.special import gammaln

from escalation.conventions.arrays import FloatArray, IntArray
from escalation.conventions.compilation import compiled

EXACT = 64
"""Terms of a sum over a count that are added one by one; beyond them Euler and Maclaurin's formula is good to 1e-12."""
SMALL = 0.02
"""Dispersion x mean below which differences of logarithms are taken by their series."""

RATE_SHAPE = 0.5
"""Shape of the gamma prior of a rate, whose mean is that of the series."""
LEAVING = 0.5
"""Weight of each other regime in the Dirichlet prior of a row of transitions; staying has the number of regimes."""

FURTHEST_RATE, FURTHEST_ODDS = 40.0, 30.0
"""Log rates from that of the mean, and log odds: the posterior is 0 beyond."""
LOWEST_DISPERSION, HIGHEST_DISPERSION = math.log(1e-13), math.log(1e4)


class Observed(NamedTuple):
    """One series of n periods and what is asked of it."""

    y: FloatArray  # (n,), NaN where not observed
    exposure: FloatArray  # (n,)
    log_exposure: FloatArray  # (n,)
    distinct: FloatArray  # (m,): the counts there are, ascending
    place: IntArray  # (n,): where each count stands among them
    constant: float  # -sum(log(y!))
    mean: float  # rate of the whole series, never 0
    states: int
    uniform: bool  # first regime uniform and not stationary
    x: FloatArray  # (n, r): regressors less their means, in units of ``scale``
    scale: FloatArray  # (r,): standard deviations of the regressors


def observe(
    y: FloatArray,
    exposure: FloatArray,
    states: int,
    start: str,
    x: FloatArray | None = None,
    scale: FloatArray | None = None,
) -> Observed:
    """Put a series (n,), the number of regimes, the distribution of the first one and regressors (n, r) into arrays."""
    x = np.empty((len(y), 0)) if x is None else x
    scale = np.ones(x.shape[1]) if scale is None else scale
    seen = ~np.isnan(y)
    distinct, place = np.unique(np.where(seen, y, 0.0), return_inverse=True)
    mean = float((y[seen].sum() + 0.5) / exposure[seen].sum())
    constant = -float(gammaln(y[seen] + 1).sum())
    log_exposure = np.log(exposure)
    place, uniform = place.astype(np.int64), start == "uniform"
    return Observed(y, exposure, log_exposure, distinct, place, constant, mean, states, uniform, x, scale)


def without_effects(theta: FloatArray, data: Observed) -> FloatArray:
    """A point (d,), or points (m, d), without the coefficients of the regressors."""
    return theta[..., : theta.shape[-1] - data.x.shape[1]]


@compiled()
def with_shift(theta: FloatArray, data: Observed) -> tuple[FloatArray, Observed]:
    """A point without its coefficients, and the series with the exposures that these leave of it."""
    n, r = data.x.shape
    d = len(theta) - r
    if r == 0:
        return theta[:d], data
    exposure, log_exposure = data.exposure.copy(), data.log_exposure.copy()
    for t in range(n):
        shift = 0.0
        for i in range(r):
            shift += data.x[t, i] * theta[d + i]
        exposure[t] *= math.exp(shift)
        log_exposure[t] += shift
    shifted = Observed(
        data.y, exposure, log_exposure, data.distinct, data.place, data.constant, data.mean, data.states, data.uniform,
        data.x, data.scale,
    )  # fmt: skip
    return theta[:d], shifted


@compiled()
def unpack(theta: FloatArray, states: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rates (K,), transition probabilities (K, K) and dispersions (K,; 0 is Poisson) of a point."""
    rates, moves, dispersions = np.empty(states), np.ones((states, states)), np.zeros(states)
    at = states
    for i in range(states):
        rates[i] = math.exp(theta[i])
        total = 1.0
        for j in range(states):
            if j != i:
                moves[i, j] = math.exp(theta[at])
                total += moves[i, j]
                at += 1
        for j in range(states):
            moves[i, j] /= total
    own = len(theta) - at
    for i in range(states):
        if own > 0:
            dispersions[i] = math.exp(theta[at + (i if own > 1 else 0)])
    return rates, moves, dispersions


@compiled()
def first_distribution(moves: FloatArray, uniform: bool) -> tuple[FloatArray, FloatArray]:
    """Distribution p (K,) of the first regime, and the matrix (K, K) with ``dp = p @ d moves @ matrix``."""
    k = len(moves)
    distribution, inverse = np.full(k, 1.0 / k), np.zeros((k, k))
    if uniform:
        return distribution, inverse
    rest = np.empty((k, k))
    for i in range(k):
        for j in range(k):
            rest[i, j] = 1.0 - moves[i, j] if i != j else 2.0 - moves[i, j]
        inverse[i, i] = 1.0
    for i in range(k):  # Gauss and Jordan's method; LAPACK's would take seconds to compile
        for other in range(k):
            if other != i:
                factor = rest[other, i] / rest[i, i]
                for j in range(k):
                    rest[other, j] -= factor * rest[i, j]
                    inverse[other, j] -= factor * inverse[i, j]
    total = 0.0
    for j in range(k):
        distribution[j] = 0.0
        for i in range(k):
            inverse[i, j] /= rest[i, i]
            distribution[j] += inverse[i, j]
        distribution[j] = max(distribution[j], 1e-15)
        total += distribution[j]
    for j in range(k):
        distribution[j] /= total
    return distribution, inverse


@compiled()
def rising(distinct: FloatArray, a: float) -> tuple[FloatArray, FloatArray]:
    """``sum(log(1 + a * i) for i < y)`` for ascending y (m,), and its derivative by log a."""
    values, slopes = np.zeros(len(distinct)), np.zeros(len(distinct))
    value = slope = 0.0
    i = 0
    for m in range(len(distinct)):
        y = distinct[m]
        while i < y and i < EXACT:
            value += math.log1p(a * i)
            slope += a * i / (1.0 + a * i)
            i += 1
        values[m], slopes[m] = value, slope
        if y > EXACT:
            for sign, k in ((1.0, y), (-1.0, float(EXACT))):
                log, rest = math.log1p(a * k), 1.0 / (1.0 + a * k)
                pull = a * rest
                values[m] += sign * ((k + 1.0 / a) * log - k - log / 2.0 + pull / 12.0 - pull**3 / 360.0)
                slopes[m] += sign * (k - log / a - a * k * rest / 2.0 + pull * rest / 12.0 - pull**3 * rest / 120.0)
    return values, slopes


@compiled()
def _excess(x: float) -> float:
    """``(log(1 + x) - x / (1 + x)) / x**2`` for x >= 0."""
    if x > SMALL:
        return (math.log1p(x) - x / (1.0 + x)) / (x * x)
    total, power = 0.5, 1.0
    for m in range(1, 10):
        power *= -x
        total += (m + 1.0) / (m + 2.0) * power
    return total


@compiled()
def log_emissions(rates: FloatArray, dispersions: FloatArray, data: Observed) -> FloatArray:
    """Log probability (n, K) of each count in each regime but for ``log(y!)``; 0 where not observed."""
    n, k = len(data.y), len(rates)
    found = np.zeros((n, k))
    values = np.zeros(len(data.distinct))
    for j in range(k):
        a, log_rate = dispersions[j], math.log(rates[j])
        if a > 0.0 and (j == 0 or a != dispersions[j - 1]):
            values, _ = rising(data.distinct, a)
        for t in range(n):
            y = data.y[t]
            if not np.isnan(y):
                mean = rates[j] * data.exposure[t]
                found[t, j] = y * (log_rate + data.log_exposure[t])
                found[t, j] += values[data.place[t]] - (y + 1.0 / a) * math.log1p(a * mean) if a > 0.0 else -mean
    return found


@compiled()
def forward(
    emissions: FloatArray, distribution: FloatArray, moves: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Filter the regimes.

    Parameters
    ----------
    emissions : (n, K) float
        Log probability of each count in each regime; turned, in place, into probabilities over the largest of them.
    distribution : (K,) float
        Distribution of the first regime.
    moves : (K, K) float
        Transition probabilities, rows from, columns to.

    Returns
    -------
    tuple
        Probabilities of the regimes given the counts so far (n, K) and given those before (n, K), the scales (n,),
        and the log-likelihood.

    Notes
    -----
    Scaled so that every row sums to 1 (Rabiner 1989, doi:10.1109/5.18626).
    """
    n, k = emissions.shape
    filtered, predicted, scales = np.empty((n, k)), np.empty((n, k)), np.empty(n)
    total = 0.0
    for t in range(n):
        most = emissions[t].max()
        scale = 0.0
        for j in range(k):
            before = distribution[j]
            if t > 0:
                before = 0.0
                for i in range(k):
                    before += filtered[t - 1, i] * moves[i, j]
            predicted[t, j] = before
            emissions[t, j] = math.exp(emissions[t, j] - most)
            filtered[t, j] = before * emissions[t, j]
            scale += filtered[t, j]
        for j in range(k):
            filtered[t, j] /= scale
        scales[t] = scale
        total += math.log(scale) + most
    return filtered, predicted, scales, total


@compiled()
def backward(
    relative: FloatArray, filtered: FloatArray, scales: FloatArray, moves: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Probabilities of the regimes given all counts (n, K), and expected transitions (K, K), after :func:`forward`."""
    n, k = filtered.shape
    smoothed, expected = np.empty((n, k)), np.zeros((k, k))
    later, pull = np.ones(k), np.empty(k)
    smoothed[n - 1] = filtered[n - 1]
    for t in range(n - 1, 0, -1):
        for j in range(k):
            pull[j] = relative[t, j] * later[j] / scales[t]
        for i in range(k):
            later[i] = 0.0
            for j in range(k):
                share = moves[i, j] * pull[j]
                later[i] += share
                expected[i, j] += filtered[t - 1, i] * share
            smoothed[t - 1, i] = filtered[t - 1, i] * later[i]
    return smoothed, expected


@compiled()
def smooth(theta: FloatArray, data: Observed) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Filtered, predicted and smoothed probabilities (n, K) of the regimes, and the log-likelihood."""
    core, data = with_shift(theta, data)
    rates, moves, dispersions = unpack(core, data.states)
    distribution, _ = first_distribution(moves, data.uniform)
    emissions = log_emissions(rates, dispersions, data)
    filtered, predicted, scales, total = forward(emissions, distribution, moves)
    smoothed, _ = backward(emissions, filtered, scales, moves)
    return filtered, predicted, smoothed, total + data.constant


@compiled()
def log_prior(theta: FloatArray, data: Observed) -> float:
    """Log prior density of ``theta`` up to a constant; minus infinity where the posterior is taken as 0."""
    k = data.states
    total = 0.0
    anchor = math.log(data.mean)
    for i in range(k):
        if abs(theta[i] - anchor) > FURTHEST_RATE:
            return -math.inf
        total += RATE_SHAPE * (theta[i] - math.exp(theta[i] - anchor))
    at = k
    for _ in range(k):
        odds = 1.0
        for j in range(at, at + k - 1):
            if abs(theta[j]) > FURTHEST_ODDS:
                return -math.inf
            total += LEAVING * theta[j]
            odds += math.exp(theta[j])
        total -= (k + LEAVING * (k - 1)) * math.log(odds)
        at += k - 1
    r = len(data.scale)
    for i in range(r):
        total -= theta[len(theta) - r + i] ** 2 / 2.0
    for j in range(at, len(theta) - r):
        if not LOWEST_DISPERSION < theta[j] < HIGHEST_DISPERSION:
            return -math.inf
        total += theta[j] / 2.0 - math.exp(theta[j] / 2.0)
    return total


@compiled()
def log_posterior(theta: FloatArray, data: Observed) -> float:
    """Log-likelihood plus log prior density of ``theta``, up to a constant."""
    prior = log_prior(theta, data)
    if prior == -math.inf:
        return prior
    core, data = with_shift(theta, data)
    rates, moves, dispersions = unpack(core, data.states)
    distribution, _ = first_distribution(moves, data.uniform)
    _, _, _, total = forward(log_emissions(rates, dispersions, data), distribution, moves)
    return total + data.constant + prior


@compiled()
def _count_slopes(
    smoothed: FloatArray, rates: FloatArray, dispersions: FloatArray, data: Observed
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """What the counts say of each regime (K,), weighted by its probabilities.

    The derivatives of the log-likelihood by log rate and log dispersion, the divisor of the rate that makes the first
    0, and the information on the log dispersion.
    """
    k = len(rates)
    by_rate, covered, by_spread, information = np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(k)
    slopes = np.zeros(len(data.distinct))
    for j in range(k):
        a = dispersions[j]
        if a > 0.0 and (j == 0 or a != dispersions[j - 1]):
            _, slopes = rising(data.distinct, a)
        for t in range(len(data.y)):
            y = data.y[t]
            if np.isnan(y):
                continue
            mean, weight = rates[j] * data.exposure[t], smoothed[t, j]
            shrink = 1.0 / (1.0 + a * mean)
            by_rate[j] += weight * (y - mean) * shrink
            covered[j] += weight * data.exposure[t] * shrink
            if a > 0.0:
                share = a * mean * shrink
                by_spread[j] += weight * (slopes[data.place[t]] + a * mean * mean * _excess(a * mean) - y * share)
                information[j] += weight * 0.5 * share * share
    return by_rate, covered, by_spread, information


@compiled()
def _effect_slopes(
    smoothed: FloatArray, rates: FloatArray, dispersions: FloatArray, data: Observed
) -> tuple[FloatArray, FloatArray]:
    """Derivatives (r,) of the log-likelihood by the coefficients of the regressors, and the information on each."""
    r = data.x.shape[1]
    slopes, information = np.zeros(r), np.zeros(r)
    for t in range(len(data.y)):
        y = data.y[t]
        if np.isnan(y):
            continue
        pull = weight = 0.0
        for j in range(len(rates)):
            mean = rates[j] * data.exposure[t]
            shrink = smoothed[t, j] / (1.0 + dispersions[j] * mean)
            pull += (y - mean) * shrink
            weight += mean * shrink
        for i in range(r):
            slopes[i] += pull * data.x[t, i]
            information[i] += weight * data.x[t, i] ** 2
    return slopes, information


@compiled()
def derivatives(theta: FloatArray, data: Observed) -> tuple[float, FloatArray]:
    """Log posterior and its gradient (d,), by Fisher's identity; the value is minus infinity where it is 0."""
    gradient = np.zeros(len(theta))
    prior = log_prior(theta, data)
    if prior == -math.inf:
        return prior, gradient
    k, r = data.states, len(data.scale)
    core, data = with_shift(theta, data)
    rates, moves, dispersions = unpack(core, k)
    distribution, inverse = first_distribution(moves, data.uniform)
    emissions = log_emissions(rates, dispersions, data)
    filtered, _, scales, total = forward(emissions, distribution, moves)
    smoothed, expected = backward(emissions, filtered, scales, moves)
    by_rate, _, by_spread, _ = _count_slopes(smoothed, rates, dispersions, data)
    of_first = np.zeros(k)
    for i in range(k):
        for j in range(k):
            of_first[i] += inverse[i, j] * smoothed[0, j] / distribution[j]
    at = k
    for i in range(k):
        gradient[i] = by_rate[i] + RATE_SHAPE * (1.0 - rates[i] / data.mean)
        left = expected[i].sum() + k + LEAVING * (k - 1)
        typical = 0.0
        for j in range(k):
            typical += moves[i, j] * of_first[j]
        for j in range(k):
            if j != i:
                gradient[at] = expected[i, j] + LEAVING - moves[i, j] * left
                gradient[at] += distribution[i] * moves[i, j] * (of_first[j] - typical)
                at += 1
    own = len(core) - at
    for j in range(own):
        gradient[at + j] = 0.5 - math.exp(theta[at + j] / 2.0) / 2.0
    for i in range(k):
        if own > 0:
            gradient[at + (i if own > 1 else 0)] += by_spread[i]
    if r > 0:
        by_effect, _ = _effect_slopes(smoothed, rates, dispersions, data)
        for i in range(r):
            gradient[len(core) + i] = by_effect[i] - theta[len(core) + i]
    return total + data.constant + prior, gradient


@compiled()
def all_derivatives(points: FloatArray, data: Observed) -> tuple[FloatArray, FloatArray]:
    """:func:`derivatives` at m points (m, d): values (m,) and gradients (m, d)."""
    values, gradients = np.empty(len(points)), np.empty(points.shape)
    for m in range(len(points)):
        values[m], gradients[m] = derivatives(points[m], data)
    return values, gradients


@compiled()
def expect_and_maximise(start: FloatArray, data: Observed, rounds: int) -> FloatArray:
    """Climb by the EM algorithm (Baum et al. 1970, doi:10.1214/aoms/1177697196) with the priors; one step for counts.

    The first regime's part in the transitions, and the rest of a maximisation over the dispersion, are left to the
    Newton steps that follow.
    """
    theta, k, r, given = start.copy(), data.states, len(data.scale), data
    for _ in range(rounds):
        core, data = with_shift(theta, given)
        rates, moves, dispersions = unpack(core, k)
        distribution, _ = first_distribution(moves, data.uniform)
        emissions = log_emissions(rates, dispersions, data)
        filtered, _, scales, _ = forward(emissions, distribution, moves)
        smoothed, expected = backward(emissions, filtered, scales, moves)
        by_rate, covered, by_spread, information = _count_slopes(smoothed, rates, dispersions, data)
        at = k
        for i in range(k):
            up, down = by_rate[i] + rates[i] * covered[i] + RATE_SHAPE, covered[i] + RATE_SHAPE / data.mean
            theta[i] = math.log(up / down)
            for j in range(k):
                if j != i:
                    theta[at] = math.log((expected[i, j] + LEAVING) / (expected[i, i] + k))
                    at += 1
        own = len(core) - at
        for j in range(own):
            slope, weight = 0.5 - math.exp(theta[at + j] / 2.0) / 2.0, 0.5
            for i in range(k):
                if own == 1 or i == j:
                    slope += by_spread[i]
                    weight += information[i]
            moved = theta[at + j] + min(max(slope / weight, -1.0), 1.0)
            theta[at + j] = min(max(moved, LOWEST_DISPERSION + 1.0), HIGHEST_DISPERSION - 1.0)
        if r > 0:
            slopes, weights = _effect_slopes(smoothed, rates, dispersions, data)
            for i in range(r):
                step = (slopes[i] - theta[len(core) + i]) / (weights[i] + 1.0)
                theta[len(core) + i] += min(max(step, -1.0), 1.0)
    return theta


@compiled()
def log_posteriors(points: FloatArray, data: Observed) -> FloatArray:
    """:func:`log_posterior` at m points (m, d)."""
    values = np.empty(len(points))
    for m in range(len(points)):
        values[m] = log_posterior(points[m], data)
    return values


@compiled()
def walk(points: FloatArray, root: FloatArray, steps: int, data: Observed, rng: Generator) -> FloatArray:
    """Move each of m points (m, d) by Metropolis steps with increments ``root @ N(0, 1)``; the posterior is kept."""
    moved = points.copy()
    d = points.shape[1]
    proposed = np.empty(d)
    for m in range(len(points)):
        value = log_posterior(moved[m], data)
        for _ in range(steps):
            for i in range(d):
                proposed[i] = moved[m, i]
            for j in range(d):
                z = rng.standard_normal()
                for i in range(j, d):
                    proposed[i] += root[i, j] * z
            new = log_posterior(proposed, data)
            if math.log(1.0 - rng.random()) < new - value:
                value = new
                for i in range(d):
                    moved[m, i] = proposed[i]
    return moved


@compiled()
def last_regimes(points: FloatArray, data: Observed) -> FloatArray:
    """Probabilities (m, K) of the regimes of the last period given all counts, at m points (m, d)."""
    found = np.empty((len(points), data.states))
    for m in range(len(points)):
        core, shifted = with_shift(points[m], data)
        rates, moves, dispersions = unpack(core, data.states)
        distribution, _ = first_distribution(moves, data.uniform)
        filtered, _, _, _ = forward(log_emissions(rates, dispersions, shifted), distribution, moves)
        found[m] = filtered[-1]
    return found


@compiled()
def draw_regimes(now: FloatArray, moves: FloatArray, rows: IntArray, steps: int, rng: Generator) -> IntArray:
    """Draw paths of regimes (draws, steps) that follow on the last period.

    Parameters
    ----------
    now : (m, K) float
        Probabilities of the regimes of the last period, one row a point.
    moves : (m, K, K) float
        Transition probabilities.
    rows : (draws,) int
        Which point each path has.
    steps : int
        Periods ahead.
    rng : Generator
        Source of randomness.
    """
    k = now.shape[1]
    paths = np.empty((len(rows), steps), dtype=np.int64)
    for row in range(len(rows)):
        probabilities = now[rows[row]]
        for t in range(-1, steps):
            u = rng.random()
            regime = 0
            while regime < k - 1 and u >= probabilities[regime]:
                u -= probabilities[regime]
                regime += 1
            probabilities = moves[rows[row], regime]
            if t >= 0:
                paths[row, t] = regime
    return paths
