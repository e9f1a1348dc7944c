"""Other distributions of whole numbers from a threshold on, and which of two fits better: plain arrays in and out.

Each distribution is that of counts from 0 or of a rounded real number, given that it is at least the threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammainc, gammaln, log_ndtr, ndtr

from escalation.conventions.arrays import FloatArray
from escalation.models.diagnostics.distributions import log_rising

Rival: TypeAlias = Literal["exponential", "lognormal", "negative_binomial", "poisson"]
RIVALS: tuple[Rival, ...] = ("exponential", "lognormal", "negative_binomial")
"""Distributions that a power-law tail is compared with."""
PARAMETERS: dict[Rival, int] = {"exponential": 1, "poisson": 1, "lognormal": 2, "negative_binomial": 2}
BOUND = 60.0
"""Boundary of parameters, all of which are logs or of the size of logs."""
NEAR_BOUND = 1e-3
"""A parameter so near a bound is on it."""
AS_GOOD = 1e-3
"""A log likelihood at a bound is as good as the highest found inside if it is lower by no more than this."""
SPREAD = {"lognormal": (-6.0, 4.0), "negative_binomial": (-12.0, 12.0)}
"""Ends of the log standard deviation and of the log dispersion: nearly a single value, and nearly without a mean."""


class RivalFit(NamedTuple):
    """Parameters of the highest likelihood, the log probability of each value (n,), and whether that is at a bound.

    The lognormal distribution at its bound, of infinite standard deviation, is a rounded power law; ``point`` then
    holds the parameters nearest to it.
    """

    point: FloatArray
    log_pmf: FloatArray
    at_bound: bool


def rival_log_pmf(rival: Rival, x: FloatArray, first: FloatArray, second: FloatArray, xmin: float) -> FloatArray:
    """Log probabilities of values from ``xmin`` on; all arrays broadcast.

    ``first`` is the log of the rate of decay (exponential), the log mean before the cut (Poisson, negative binomial),
    or the mean of the logs (lognormal); ``second`` is the log dispersion (negative binomial) or the log standard
    deviation of the logs (lognormal).
    """
    if rival == "exponential":
        rate = np.exp(first)
        value: FloatArray = np.log(-np.expm1(-rate)) - rate * (x - xmin)
        return value
    if rival == "lognormal":
        sd = np.exp(second)
        low, high = (np.log(x - 0.5) - first) / sd, (np.log(x + 0.5) - first) / sd
        return np.asarray(_log_between(low, high) - log_ndtr((first - np.log(xmin - 0.5)) / sd))
    mean = np.exp(first)
    if rival == "poisson":
        return np.asarray(x * first - mean - gammaln(x + 1) - np.log(gammainc(xmin, mean)))
    size = np.exp(-second)
    log_p = x * first + log_rising(x, size) - (x + size) * np.log1p(mean / size) - gammaln(x + 1)
    return np.asarray(log_p - np.log(betainc(xmin, size, mean / (mean + size))))


def rival_survival(rival: Rival, x: float, first: FloatArray, second: FloatArray, xmin: float) -> FloatArray:
    """Probability of ``x`` or more, with parameters as in :func:`rival_log_pmf`; 1 up to the threshold."""
    if x <= xmin:
        return np.ones_like(first)
    mean = np.exp(first)
    if rival == "exponential":
        return np.asarray(np.exp(-mean * (x - xmin)))
    if rival == "lognormal":
        above, whole = ((first - np.log(at - 0.5)) / np.exp(second) for at in (x, xmin))
        return np.asarray(np.exp(log_ndtr(above) - log_ndtr(whole)))
    if rival == "poisson":
        return np.asarray(gammainc(x, mean) / gammainc(xmin, mean))
    size = np.exp(-second)
    share = mean / (mean + size)
    return np.asarray(betainc(x, size, share) / betainc(xmin, size, share))


def _log_between(low: FloatArray, high: FloatArray) -> FloatArray:
    """Log probability that a standard normal number lies between two ends, without loss of digits in either tail."""
    flip = low > 0
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    at_b = log_ndtr(b)
    with np.errstate(divide="ignore"):
        narrow = np.log(np.maximum(ndtr(b) - ndtr(a), 0.0))
        value: FloatArray = np.where(
            at_b > -30.0, narrow, at_b + np.log1p(-np.exp(np.minimum(log_ndtr(a) - at_b, 0.0)))
        )
    return value


def fit_rival(rival: Rival, values: FloatArray, times: NDArray[np.int64], xmin: float) -> RivalFit:
    """Maximise the likelihood of distinct values, each ``times`` seen, inside the bounds and on them.

    These rivals, cut at the threshold, are those of Clauset, Shalizi & Newman (2009, doi:10.1137/070710111, section 5);
    that the lognormal distribution at its bound is a power law is from Malevergne, Pisarenko & Sornette (2011,
    doi:10.1103/PhysRevE.83.036111).

    The search for the lognormal distribution is by ``mean / (1 + sd ** 2)`` and log sd: along a heavy tail the mean of
    the logs goes to minus infinity with the square of their standard deviation.
    """
    mean = float(values @ times / times.sum())
    if rival == "exponential":
        point = np.array([np.log(np.log1p(1 / max(mean - xmin, 1e-9)))])
        return RivalFit(point, rival_log_pmf(rival, values, point[0], np.zeros(1), xmin), at_bound=False)

    def log_pmf(point: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return rival_log_pmf(rival, values, point[0], point[-1], xmin)

    def value(point: FloatArray) -> float:
        return float(log_pmf(point) @ times)

    if rival == "poisson":
        point = _search(value, [np.log(mean)], (-BOUND, BOUND))
        return RivalFit(point, log_pmf(point), at_bound=bool(abs(point[0]) > BOUND - NEAR_BOUND))
    if rival == "lognormal":
        return _fit_lognormal(log_pmf, values, times, xmin)
    low, high = SPREAD[rival]
    point = _search(value, [np.log(mean), 0.5], (low, high))
    best = value(point)
    at_bound = False
    # towards the Poisson distribution the mean stays, towards the logarithmic one its product with the dispersion does
    for edge, start in ((low, np.log(mean)), (high, point[0] + point[1] - high)):
        there = _search(value, [start, edge], (edge, edge))
        if value(there) >= best - AS_GOOD:
            point, best, at_bound = there, value(there), True
    return RivalFit(point, log_pmf(point), at_bound or bool(abs(point[0]) > BOUND - NEAR_BOUND))


def _fit_lognormal(
    log_pmf: Callable[[FloatArray], FloatArray], values: FloatArray, times: NDArray[np.int64], xmin: float
) -> RivalFit:
    """Maximise the likelihood of lognormal distributions and of their limit, the rounded power laws."""

    def natural(at: FloatArray) -> FloatArray:
        return np.array([at[0] * (1.0 + np.exp(2.0 * at[1])), at[1]])

    def value(at: FloatArray) -> float:
        return float(log_pmf(natural(at)) @ times)

    centre = float(np.log(values) @ times / times.sum())
    starts = ([(centre - 1.0) / (1.0 + np.exp(0.6)), 0.3], [-1.0, 2.0])
    low, high = SPREAD["lognormal"]
    point = max((_search(value, start, (low, high)) for start in starts), key=value)

    def limit(slope: float) -> FloatArray:
        edge = xmin - 0.5
        inside, width = np.log((values - 0.5) / edge), np.log((values + 0.5) / (values - 0.5))
        found: FloatArray = -slope * inside + np.log(-np.expm1(-slope * width))
        return found

    log_slope = _search(lambda at: float(limit(float(np.exp(at[0]))) @ times), [0.0], (-BOUND, BOUND))
    slope = float(np.exp(log_slope[0]))
    if float(limit(slope) @ times) >= value(point) - AS_GOOD:
        return RivalFit(np.array([-slope * np.exp(2.0 * high), high]), limit(slope), at_bound=True)
    near = point[1] < low + NEAR_BOUND or abs(point[0]) > BOUND - NEAR_BOUND
    return RivalFit(natural(point), log_pmf(natural(point)), at_bound=bool(near))


def _search(value: Callable[[FloatArray], float], start: list[float], bounds: tuple[float, float]) -> FloatArray:
    """Where a log likelihood is highest by Nelder & Mead's method, its last parameter within bounds."""
    from scipy.optimize import minimize

    def loss(point: FloatArray) -> float:
        if abs(point[0]) > BOUND or not bounds[0] <= point[-1] <= bounds[1]:
            return 1e300
        found = -float(value(point))
        return found if np.isfinite(found) else 1e300

    def simplex(function: Callable[[FloatArray], float], begin: FloatArray) -> FloatArray:
        found = minimize(function, begin, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 2000})
        return np.asarray(found.x, dtype=np.float64)

    if bounds[0] == bounds[1]:  # on an edge only the first parameter is free
        return np.append(simplex(lambda at: loss(np.append(at, bounds[0])), np.array(start[:1])), bounds[0])
    return simplex(loss, np.array(start))


def vuong(first: FloatArray, second: FloatArray, times: NDArray[np.int64]) -> tuple[float, float, float]:
    """Compare two distributions that are not nested by the log probabilities that they give to the same values.

    Returns
    -------
    tuple
        Log likelihood ratio (above 0: the first fits better), the same over its standard deviation, and the two-sided
        p-value of no difference (Vuong 1989, doi:10.2307/1912557).
    """
    n = times.sum()
    each = first - second
    ratio = float(each @ times)
    spread = float(np.sqrt(times @ (each - ratio / n) ** 2))
    if spread == 0.0:
        return ratio, 0.0, 1.0
    return ratio, ratio / spread, float(2 * ndtr(-abs(ratio / spread)))
