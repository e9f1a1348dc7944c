"""Other distributions of whole numbers from a threshold on, and which of two fits better: plain arrays in and out.

Each distribution is that of counts from 0 or of a rounded real number, given that it is at least the threshold.
"""

from __future__ import annotations

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
SPREAD = {"lognormal": (-6.0, 4.0), "negative_binomial": (-12.0, 12.0)}
"""Ends of the log standard deviation and of the log dispersion: nearly a single value, and nearly without a mean."""


class RivalFit(NamedTuple):
    """Parameters of the highest likelihood, and the log probability of each value (n,)."""

    point: FloatArray
    log_pmf: FloatArray


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
    """Maximise the likelihood of distinct values, each ``times`` seen."""
    from scipy.optimize import minimize

    mean = float(values @ times / times.sum())
    if rival == "exponential":
        point = np.array([np.log(np.log1p(1 / max(mean - xmin, 1e-9)))])
        return RivalFit(point, rival_log_pmf(rival, values, point[0], np.zeros(1), xmin))
    logs = np.log(values)
    centre = float(logs @ times / times.sum())
    start = {"lognormal": [centre - 1.0, 0.3], "negative_binomial": [np.log(mean), 0.5], "poisson": [np.log(mean)]}[
        rival
    ]

    def loss(point: FloatArray) -> float:
        first, second = point[0], point[-1]
        low, high = SPREAD.get(rival, (-BOUND, BOUND))
        if abs(first) > BOUND or not low <= second <= high:
            return 1e300
        with np.errstate(divide="ignore", invalid="ignore"):
            value = -float(rival_log_pmf(rival, values, np.asarray(first), np.asarray(second), xmin) @ times)
        return value if np.isfinite(value) else 1e300

    found = minimize(
        loss, np.array(start), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 2000}
    )
    point = np.asarray(found.x, dtype=np.float64)
    return RivalFit(point, rival_log_pmf(rival, values, point[0], point[-1], xmin))


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
