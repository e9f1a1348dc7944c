"""Posterior of the rates of two windows and of their ratio: exact for Poisson, by quadrature for negative binomial.

Plain arrays in, distribution functions out; :func:`escalation.compare_rates` is the way in for users.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.interpolate import CubicHermiteSpline
from scipy.optimize import brentq
from scipy.special import betainc, expit, gammainc, gammaln, zeta
from scipy.stats import binomtest

from escalation.conventions.arrays import FloatArray, IntArray

Cdf: TypeAlias = Callable[[float], float]
"""A distribution function on the log scale."""
Distribution: TypeAlias = tuple[FloatArray, FloatArray]
"""Points of a uniform grid and their probabilities."""

LARGEST_CV = 4.0
"""The grid of dispersions ends at its square; the prior leaves 6e-5 beyond."""
COARSE, FINE = 48, 40
"""Nodes of dispersion that find where the posterior is, and that then carry it."""
LONGEST_GRID = 8192
TESTED = 40
"""Histories that a test of negative binomial counts is averaged over."""
LITTLE = 1e-3
"""Dispersions less probable than this are left out of it."""
EXTREME = 60.0
"""Ratios and rates are sought between exp(-60) and exp(60); past them a limit is 0 or infinite."""


@dataclass(frozen=True, eq=False)
class WindowCounts:
    """Counts of the observed periods of one window.

    Attributes
    ----------
    counts : (n, histories) float array
        Whole numbers, none missing; one column for exact counts.
    exposure : (n,) float array
        Share of each period that was covered, > 0.
    """

    counts: FloatArray
    exposure: FloatArray

    def totals(self) -> FloatArray:
        """Incidents of each history, shape (histories,)."""
        total: FloatArray = self.counts.sum(axis=0)
        return total

    def thinned(self, most: int) -> WindowCounts:
        """At most so many of the histories, spread evenly."""
        every = max(1, -(-self.counts.shape[1] // most))
        return WindowCounts(self.counts[:, ::every], self.exposure)

    def without(self, at: int) -> WindowCounts:
        """Leave one period out."""
        return WindowCounts(np.delete(self.counts, at, axis=0), np.delete(self.exposure, at))


@dataclass(frozen=True, eq=False)
class RatePosterior:
    """What is known of the two rates, as distribution functions of their logarithms.

    Attributes
    ----------
    ratio : callable
        Posterior of the log of recent over baseline rate.
    ratio_limits, recent_limits, baseline_limits : pair of callables
        The functions whose lower and upper tails give the limits of an interval.
    dispersion : float
        Posterior median of alpha in ``Var = mu + alpha mu^2``.
    dispersions : pair of (nodes,) float arrays
        Values of alpha and their posterior probabilities.
    """

    ratio: Cdf
    ratio_limits: tuple[Cdf, Cdf]
    recent_limits: tuple[Cdf, Cdf]
    baseline_limits: tuple[Cdf, Cdf]
    dispersion: float
    dispersions: Distribution

    @property
    def probability_higher(self) -> float:
        """Probability that the recent rate is above the baseline rate."""
        return 1.0 - self.ratio(0.0)


# Distribution functions and their inverse


def invert(cdf: Cdf, q: float) -> float:
    """Exponential of the ``q`` quantile of a distribution of logs; 0 or infinite where it never crosses ``q``."""
    if cdf(-EXTREME) >= q:
        return 0.0
    if cdf(EXTREME) <= q:
        return float("inf")
    return float(np.exp(brentq(lambda x: cdf(x) - q, -EXTREME, EXTREME, xtol=1e-12, rtol=1e-12)))


def interval(cdfs: tuple[Cdf, Cdf], level: float) -> tuple[float, float]:
    """Equal-tailed interval from the functions of its lower and upper limit."""
    return invert(cdfs[0], (1 - level) / 2), invert(cdfs[1], (1 + level) / 2)


# Poisson, exactly


def poisson(now: WindowCounts, was: WindowCounts) -> RatePosterior:
    """Beta and gamma distribution functions of exact Poisson limits, averaged over the histories."""
    pairs, weights = _pairs(now, was)
    recent, baseline = pairs.T
    odds = float(np.log(now.exposure.sum() / was.exposure.sum()))

    def ratio(a: float, b: float) -> Cdf:
        """Distribution function of the log ratio; the share of the recent total is Beta(recent + a, baseline + b)."""
        return lambda x: float(weights @ _beta_cdf(recent + a, baseline + b, float(expit(x + odds))))

    return RatePosterior(
        ratio=ratio(0.5, 0.5),
        ratio_limits=(ratio(0.0, 1.0), ratio(1.0, 0.0)),
        recent_limits=_garwood(recent, weights, float(now.exposure.sum())),
        baseline_limits=_garwood(baseline, weights, float(was.exposure.sum())),
        dispersion=0.0,
        dispersions=(np.zeros(1), np.ones(1)),
    )


def _pairs(now: WindowCounts, was: WindowCounts) -> tuple[FloatArray, FloatArray]:
    """Different pairs of totals (pairs, 2), and the share of the histories that have each (pairs,)."""
    pairs, times = np.unique(np.stack([now.totals(), was.totals()], axis=1), axis=0, return_counts=True)
    return pairs, times / times.sum()


def _beta_cdf(a: FloatArray, b: FloatArray, share: float) -> FloatArray:
    """Beta distribution function; all mass at 0 for a = 0, at 1 for b = 0."""
    inside = betainc(np.maximum(a, 0.5), np.maximum(b, 0.5), share)
    return np.where(a == 0, 1.0, np.where(b == 0, 0.0, inside))


def _garwood(totals: FloatArray, weights: FloatArray, exposure: float) -> tuple[Cdf, Cdf]:
    """Gamma distribution functions behind the exact limits of a Poisson rate, on the log scale."""

    def rate(extra: float) -> Cdf:
        shape = totals + extra
        return lambda x: float(
            weights @ np.where(shape == 0, 1.0, gammainc(np.maximum(shape, 0.5), np.exp(x) * exposure))
        )

    return rate(0.0), rate(1.0)


# The exact test


def exact_p_value(now: WindowCounts, was: WindowCounts, dispersions: Distribution) -> float:
    """Two-sided conditional test of equal rates, mean over the histories and over the dispersions."""
    alphas, shares = dispersions
    if alphas.max() > 0:
        now, was = now.thinned(TESTED), was.thinned(TESTED)
    pairs, weights = _pairs(now, was)
    if alphas.max() > 0:
        alphas, shares = alphas[shares > LITTLE], shares[shares > LITTLE] / shares[shares > LITTLE].sum()
        tails = [[_conditional_p(k, rest, now, was, alpha) for alpha in alphas] for k, rest in pairs]
        values = (np.array(tails) @ shares).tolist()
    else:
        share = now.exposure.sum() / (now.exposure.sum() + was.exposure.sum())
        values = [binomtest(int(k), int(k + rest), share).pvalue if k + rest else 1.0 for k, rest in pairs]
    return min(float(weights @ np.array(values)), 1.0)


def _conditional_p(k: float, rest: float, now: WindowCounts, was: WindowCounts, alpha: float) -> float:
    """Probability, given the total of both windows, of a recent total that is no likelier than ``k``.

    The totals of both windows are negative binomial with sizes exposure / alpha, and given their sum the mean drops out
    (negative hypergeometric).
    """
    total = k + rest
    if total == 0:
        return 1.0
    sums = [float(window.exposure.sum()) for window in (now, was)]
    a, b = (one / alpha for one in sums)
    middle = total * sums[0] / sum(sums)
    spread = float(np.sqrt(middle * sums[1] / sum(sums) * (a + b + total) / (a + b + 1)))
    reach = 20 * spread + abs(k - middle) + 20
    low, high = max(0.0, np.floor(middle - reach)), min(total, np.ceil(middle + reach))
    # of huge totals only so many points: the distribution is smooth at that scale
    at = np.append(np.linspace(low, high, min(int(high - low) + 1, LONGEST_GRID)), k)
    log_pmf = gammaln(at + a) - gammaln(at + 1) + gammaln(total - at + b) - gammaln(total - at + 1)
    pmf = np.exp(log_pmf - log_pmf.max())
    return float(pmf[:-1][pmf[:-1] <= pmf[-1] * (1 + 1e-7)].sum() / pmf[:-1].sum())


# Negative binomial: by quadrature


@dataclass(frozen=True, eq=False)
class _Sums:
    """What the likelihood of one window needs: parts of periods add up, so the total is negative binomial as well.

    exposure: of the whole window; totals (rows,): the different totals that the histories have; row (histories,):
    which of them is each history's.
    """

    exposure: float
    totals: FloatArray
    row: IntArray

    @staticmethod
    def of(window: WindowCounts) -> _Sums:
        totals, row = np.unique(window.totals(), return_inverse=True)
        return _Sums(float(window.exposure.sum()), totals, row.reshape(-1))


@dataclass(frozen=True, eq=False)
class _Mixture:
    """Weighted distribution functions, each between two ends of its own."""

    weights: FloatArray
    parts: tuple[CubicHermiteSpline, ...]
    ends: FloatArray

    def cdf(self, x: float) -> float:
        inside = np.clip(x, self.ends[:, 0], self.ends[:, 1])
        return float(sum(w * part(at) for w, part, at in zip(self.weights, self.parts, inside, strict=True)))


def negbin(now: WindowCounts, was: WindowCounts) -> RatePosterior:
    """Posterior of the log ratio and of both log rates under one dispersion, averaged over the histories."""
    recent, baseline = _Sums.of(now), _Sums.of(was)
    exposure = now.exposure.sum() + was.exposure.sum()
    pooled = float(np.log((now.totals().mean() + was.totals().mean() + 0.5) / exposure))
    values, tally = _tally(np.concatenate([now.counts, was.counts]), np.concatenate([now.exposure, was.exposure]))
    cv, weights = _dispersion_posterior(recent, baseline, pooled, values, tally)
    share = weights.mean(axis=0)
    keep = share > 1e-9
    distributions = [
        _window_posteriors(recent, baseline, s**2, w) for s, w in zip(cv[keep], weights.T[keep], strict=True)
    ]
    ratio, rate_now, rate_was = (
        _mix(share[keep] / share[keep].sum(), [one[j] for one in distributions]) for j in range(3)
    )
    return RatePosterior(
        ratio=ratio.cdf,
        ratio_limits=(ratio.cdf, ratio.cdf),
        recent_limits=_unless_empty(rate_now.cdf, now),
        baseline_limits=_unless_empty(rate_was.cdf, was),
        dispersion=float(np.interp(0.5, np.cumsum(share) - share / 2, cv)) ** 2,
        dispersions=(cv[keep] ** 2, share[keep] / share[keep].sum()),
    )


def _unless_empty(cdf: Cdf, window: WindowCounts) -> tuple[Cdf, Cdf]:
    """Let the lower limit of a rate be 0 as far as histories have no incident in the window.

    The usual repair of equal-tailed Jeffreys intervals (Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286).
    """
    empty = float(np.mean(window.totals() == 0))
    return (lambda x: max(cdf(x), empty)), cdf


def _tally(counts: FloatArray, exposure: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Different counts with their exposure (v, 2), and how often each history has each of them (histories, v)."""
    pairs = np.stack(np.broadcast_arrays(counts, exposure[:, None]), axis=-1)
    values, at = np.unique(pairs.reshape(-1, 2), axis=0, return_inverse=True)
    cell = at.reshape(counts.shape) + len(values) * np.arange(counts.shape[1])
    tally = np.bincount(cell.ravel(), minlength=len(values) * counts.shape[1])
    return values, tally.reshape(counts.shape[1], len(values)).astype(float)


def _dispersion_posterior(
    recent: _Sums, baseline: _Sums, pooled: float, values: FloatArray, tally: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Nodes of sqrt(alpha) (nodes,), and each history's posterior weights of them (histories, nodes).

    The nodes are even in asinh(sqrt(alpha) / smallest), fine where dispersion hardly shows and
    geometric above, first over all dispersions and then over those that any history supports.
    """
    smallest = 0.1 / np.sqrt(np.exp(pooled) + values[:, 0].max() + 1.0)

    def weigh(low: float, high: float, number: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        t = low + (high - low) * (np.arange(number) + 0.5) / number
        cv = smallest * np.sinh(t)
        log_weights = np.stack([_log_evidence(recent, baseline, pooled, values, tally, s) for s in cv], axis=1)
        log_weights += np.log(np.cosh(t)) - cv**2 / 2
        weights = np.exp(log_weights - _log_sum(log_weights, axis=1)[:, None])
        return t, cv, weights

    top = float(np.arcsinh(LARGEST_CV / smallest))
    t, _, weights = weigh(0.0, top, COARSE)
    used = np.flatnonzero(weights.max(axis=0) > 1e-6 * weights.max())
    width = top / COARSE
    _, cv, weights = weigh(max(t[used[0]] - 1.5 * width, 0.0), min(t[used[-1]] + 1.5 * width, top), FINE)
    return cv, weights


def _log_evidence(
    recent: _Sums, baseline: _Sums, pooled: float, values: FloatArray, tally: FloatArray, cv: float
) -> FloatArray:
    """Log marginal likelihood of one dispersion for each history, up to a constant of the history."""
    counts, size = values[:, 0], values[:, 1] / cv**2
    evidence: FloatArray = tally @ (gammaln(counts + size) - gammaln(size) + counts * np.log(cv**2))
    for sums in (recent, baseline):
        low, high, step = _reach(sums, cv**2)
        log_rate = np.linspace(low, high, min(int((high - low) / step) + 2, LONGEST_GRID))
        density = _log_density(sums, cv**2, log_rate) - 0.5 * _log_information(sums, cv**2, np.array([pooled]))
        evidence = evidence + (_log_sum(density, axis=1) + np.log(log_rate[1] - log_rate[0]))[sums.row]
    return evidence


def _window_posteriors(
    recent: _Sums, baseline: _Sums, alpha: float, weights: FloatArray
) -> tuple[Distribution, Distribution, Distribution]:
    """Log ratio, log recent rate and log baseline rate at one dispersion, averaged over the histories."""
    reaches = [_reach(sums, alpha) for sums in (recent, baseline)]
    widest = max(high - low for low, high, _ in reaches)
    step = max(min(finest for _, _, finest in reaches), widest / LONGEST_GRID)
    grids: list[FloatArray] = [low + step * np.arange(int((high - low) / step) + 2.0) for low, high, _ in reaches]
    now, was = (_pmf(sums, alpha, grid) for sums, grid in zip((recent, baseline), grids, strict=True))
    share = weights / weights.sum()
    apart = grids[0][0] - grids[1][-1] + step * np.arange(now.shape[1] + was.shape[1] - 1)
    return (
        (apart, _correlate(now, was, recent.row, baseline.row, share)),
        (grids[0], np.bincount(recent.row, share, len(now)) @ now),
        (grids[1], np.bincount(baseline.row, share, len(was)) @ was),
    )


def _pmf(sums: _Sums, alpha: float, log_rate: FloatArray) -> FloatArray:
    """Posterior of the log rate on a grid, rows sum to 1, shape (rows, grid)."""
    density = _log_density(sums, alpha, log_rate)
    return np.exp(density - _log_sum(density, axis=1)[:, None])


def _correlate(now: FloatArray, was: FloatArray, row_now: IntArray, row_was: IntArray, share: FloatArray) -> FloatArray:
    """Mean over the histories of the distribution of ``now - was``, both on grids of one step."""
    size = now.shape[1] + was.shape[1] - 1
    length = next_fast_len(size, real=True)
    waves_now, waves_was = rfft(now, length), rfft(was[:, ::-1], length)
    product = np.einsum("h,hf,hf->f", share, waves_now[row_now], waves_was[row_was])
    mean = np.maximum(irfft(product, length)[:size], 0.0)
    pmf: FloatArray = mean / mean.sum()
    return pmf


def _mix(weights: FloatArray, distributions: list[Distribution]) -> _Mixture:
    """Mix distributions of different grids; between grid points the distribution functions are cubics."""
    parts, ends = [], []
    for points, pmf in distributions:
        step = points[1] - points[0]
        edges = np.append(points, points[-1] + step) - step / 2
        parts.append(CubicHermiteSpline(edges, *_cumulate(pmf, step)))
        ends.append((edges[0], edges[-1]))
    return _Mixture(weights, tuple(parts), np.array(ends))


def _cumulate(pmf: FloatArray, step: float) -> tuple[FloatArray, FloatArray]:
    """Distribution function and density between the points of a grid, and at both ends (points + 1,).

    Sums up to an edge are midpoint rules and get their first Euler-Maclaurin term; densities are
    those of the cubic through four points.
    """
    far_left, left, right, far_right = (np.pad(pmf, pad) for pad in ((2, 0), (1, 1), (1, 1), (0, 2)))
    left, right = left[:-1], right[1:]
    total = np.cumsum(left) + (right - left) / 24
    density = (9 * (left + right) - far_left[:-1] - far_right[1:]) / (16 * step)
    return total, density


def _log_density(sums: _Sums, alpha: float, log_rate: FloatArray) -> FloatArray:
    """Log posterior density of a log rate at given dispersion, up to a constant, shape (rows, grid)."""
    spread = np.logaddexp(0.0, np.log(alpha) + log_rate)
    likelihood = sums.totals[:, None] * log_rate - (sums.totals[:, None] + sums.exposure / alpha) * spread
    density: FloatArray = likelihood + 0.5 * log_rate + 0.5 * _log_information(sums, alpha, log_rate)
    return density


def _log_information(sums: _Sums, alpha: float, log_rate: FloatArray) -> FloatArray:
    """Log of the rate times its Fisher information: exposure / (1 + alpha rate), shape (grid,)."""
    information: FloatArray = np.log(sums.exposure) - np.logaddexp(0.0, np.log(alpha) + log_rate)
    return information


def _reach(sums: _Sums, alpha: float) -> tuple[float, float, float]:
    """Lowest and highest log rate that any row's posterior reaches, and a step fine enough for all of them.

    ``alpha rate / (1 + alpha rate)`` is Beta(a, b), a = total + 1/2 and b = exposure / alpha; taken are seven standard
    deviations of its log odds and then its exponential tails, some 1e-9 of the mass left out.  The steps make sums over
    the grid exact to about 1e-9.
    """
    b = sums.exposure / alpha
    few, many = float(sums.totals.min()) + 0.5, float(sums.totals.max()) + 0.5
    low = np.log(few / b / alpha) - 7 * _spread(few, b) - 21 / few
    high = np.log(many / b / alpha) + 7 * _spread(many, b) + 21 / b
    return float(low), float(high), min(0.5, 0.25 * _spread(many, b))


def _log_sum(values: FloatArray, axis: int) -> FloatArray:
    """Log of a sum of exponentials; scipy's takes longer than all the rest here."""
    top = values.max(axis=axis, keepdims=True)
    total: FloatArray = np.log(np.exp(values - top).sum(axis=axis)) + np.squeeze(top, axis=axis)
    return total


def _spread(a: float, b: float) -> float:
    """Standard deviation of the log odds of a Beta(a, b); the trigamma function is zeta(2, .)."""
    return float(np.sqrt(zeta(2, a) + zeta(2, b)))
