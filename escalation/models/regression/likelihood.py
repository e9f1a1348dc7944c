"""Maximum likelihood of Poisson, NB2 and NB1 regression on plain arrays, for ``regression``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from escalation.conventions.arrays import FloatArray
from escalation.models.contract.newton import Height, Peak, climb, inverse
from escalation.models.diagnostics.distributions import log_rising
from escalation.models.regression.derivatives import LARGEST_LOG_MEAN, Variance, bounded_exp, slopes

LARGEST_RISE, LARGEST_FALL = 1.5, 10.0
"""A Newton step moves no log mean by more than this: from below it overshoots, from above it falls short."""
LEAST_INFORMATION = 1e-9
"""A combination of terms with less information than this (in events) is not pursued further."""
SMALLEST_DISPERSION = 1e-8
"""Below this 1/alpha swallows the counts in double precision."""
LEAST_GAIN = 1e-6
"""A dispersion that makes the log-likelihood no better than by this is 0."""
POISSON_EXCESS = 1e-4
"""Where the variance exceeds the mean by no more than this share, the model is the Poisson one."""
LARGEST_DISPERSION = 1e3


class Data(NamedTuple):
    """Observed counts (n,), orthogonal terms (n, p) of a ``Basis`` and log exposure (n,)."""

    y: FloatArray
    x: FloatArray
    offset: FloatArray


class Maximum(NamedTuple):
    """Coefficients (p,) of the orthogonal terms, alpha, and their covariance (p + 1, p + 1).

    ``falls`` (p,) is the direction in which the likelihood has no maximum, or None.
    """

    coefficients: FloatArray
    dispersion: float
    cov: FloatArray
    llf: float
    converged: bool
    falls: FloatArray | None = None


class Modes(NamedTuple):
    """Best coefficients (k, p) at each of k dispersions and their observed information (k, p, p)."""

    coefficients: FloatArray
    information: FloatArray
    converged: bool


def modes(data: Data, dispersion: FloatArray, start: FloatArray, prior: float) -> Modes:
    """Maximise over the coefficients at each dispersion (k,) by Newton steps from ``start`` (p,).

    ``prior`` is the weight of the log determinant of the expected information: 0 for the likelihood alone,
    1/2 for Jeffreys' prior.
    """
    alpha = dispersion[:, None]
    beta = np.tile(start, (len(dispersion), 1))
    products = products_of(data)
    y = data.y
    converged = False
    for _ in range(100):
        mean = bounded_exp(beta @ data.x.T + data.offset)
        weight = 1 / (1 + alpha * mean)
        if prior:  # acts as so many more counts, to be split among the periods by their leverage
            covariance = np.linalg.inv(information_of(products, mean * weight))
            y = data.y + prior * mean * weight * (covariance.reshape(len(beta), -1) @ products.T)
        curvature = mean * (1 + alpha * y) * weight**2
        information = information_of(products, curvature)
        if not prior and _is_lost(information, len(data.y) * float(curvature.min())):
            break
        score = ((y - mean) * weight) @ data.x
        step = np.linalg.solve(information, score[:, :, None])[:, :, 0]
        moves = step @ data.x.T
        size = np.maximum(moves.max(axis=1) / LARGEST_RISE, -moves.min(axis=1) / LARGEST_FALL)
        beta = beta + step / np.maximum(size, 1)[:, None]
        converged = bool(size.max() < 1e-7)
        if converged:  # the information changed by no more than that share
            break
    return Modes(beta, information, converged)


def _is_lost(information: FloatArray, least: float) -> bool:
    """Whether one of k informations (k, p, p) knows too little; ``least`` is a lower bound of all their eigenvalues."""
    return least < LEAST_INFORMATION and bool(np.linalg.eigvalsh(information).min() < LEAST_INFORMATION)


def products_of(data: Data) -> FloatArray:
    """Products of every two terms in every period, shape (n, p * p)."""
    n, p = data.x.shape
    return (data.x[:, :, None] * data.x[:, None, :]).reshape(n, p * p)


def information_of(products: FloatArray, weight: FloatArray) -> FloatArray:
    """``x.T @ diag(weight) @ x`` for each of k weights (k, n), shape (k, p, p)."""
    p = int(np.sqrt(products.shape[1]))
    return (weight @ products).reshape(-1, p, p)


def maximise(data: Data, variance: Variance) -> Maximum:
    """Maximum likelihood, or its Poisson limit, or the maximum with Jeffreys' prior where there is none."""
    start = flat(data)
    poisson = modes(data, np.zeros(1), start, prior=0.0)
    if not poisson.converged and (falls := endless_fall(data)) is not None:
        return _maximise_with_prior(data, variance, start, falls)
    coefficients = poisson.coefficients[0]
    limit = _poisson_limit(data, variance, coefficients)._replace(converged=poisson.converged)
    if variance == "poisson":
        return limit
    mean = bounded_exp(data.x @ coefficients + data.offset)
    # near the Poisson limit the moment estimate is the best dispersion
    excess = (data.y - mean) ** 2 - data.y
    if variance == "nb2":
        # with few counts or an outlier there can be a second maximum far from the Poisson limit
        tried = np.geomspace(0.1 / max(mean.mean(), 1.0), 30.0, 7)
        dispersion = np.append(tried, max(float(excess.sum()), 1e-6) / (mean**2).sum())
        first = modes(data, dispersion, start, prior=0.0).coefficients
        heights = log_likelihood(data, first, dispersion)
    else:
        dispersion = np.array([max(float((excess / mean).mean()), 0.01), max(float(data.y.mean()), 1.0)])
        first = np.array([coefficients, start])
        points = np.column_stack([first, np.log(dispersion)])
        heights = np.array([height(point, data, "nb1").value for point in points])
    best = int(heights.argmax())
    if heights[best] > limit.llf + LEAST_GAIN or variance == "nb1":
        found = climb(lambda point: height(point, data, variance), np.append(first[best], np.log(dispersion[best])))
        least = POISSON_EXCESS if variance == "nb1" else max(POISSON_EXCESS / mean.max(), SMALLEST_DISPERSION)
        if found.height.value > limit.llf + LEAST_GAIN and found.point[-1] > np.log(least):
            return _interior(found)
    return limit


def height(point: FloatArray, data: Data, variance: Variance) -> Height:
    """Log-likelihood of coefficients and log dispersion (p + 1,), its score and Hessian."""
    at = slopes(variance, data.y, data.x @ point[:-1] + data.offset, point[-1])
    score = np.append(at.e @ data.x, at.t.sum())
    hessian = np.empty((len(point), len(point)))
    hessian[:-1, :-1] = (data.x.T * at.ee) @ data.x
    hessian[:-1, -1] = hessian[-1, :-1] = at.et @ data.x
    hessian[-1, -1] = at.tt.sum()
    return Height(float(at.value.sum()), score, hessian)


def _interior(peak: Peak) -> Maximum:
    """A maximum with a dispersion above 0; its covariance is that of the dispersion and not of its log."""
    dispersion = float(np.exp(peak.point[-1]))
    scale = np.append(np.ones(len(peak.point) - 1), dispersion)
    cov = inverse(-peak.height.hessian) * np.outer(scale, scale)
    return Maximum(peak.point[:-1], dispersion, cov, peak.height.value, peak.converged)


def endless_fall(data: Data) -> FloatArray | None:
    """Coefficients (p,) along which zero counts become ever likelier and no other count changes, if there are any."""
    from scipy.optimize import linprog

    zero, more = data.x[data.y == 0], data.x[data.y > 0]
    found = linprog(
        zero.sum(axis=0), A_ub=zero, b_ub=np.zeros(len(zero)), A_eq=more, b_eq=np.zeros(len(more)), bounds=(-1, 1)
    )
    return None if found.fun is None or found.fun > -1e-6 else found.x


def flat(data: Data) -> FloatArray:
    """Coefficients (p,) of one rate for all periods."""
    rate = max(data.y.sum(), 0.5) / np.exp(data.offset).sum()
    start = np.zeros(data.x.shape[1])
    start[0] = np.log(rate)
    return start


def _poisson_limit(
    data: Data, variance: Variance, coefficients: FloatArray, falls: FloatArray | None = None
) -> Maximum:
    """The estimate with dispersion 0, where the information on it is ``sum(mean**2) / 2`` (NB2) or ``n / 2`` (NB1)."""
    log_mean = data.x @ coefficients + data.offset
    mean = bounded_exp(log_mean)
    p = len(coefficients)
    cov = np.zeros((p + 1, p + 1))
    cov[:p, :p] = np.linalg.inv((data.x.T * mean) @ data.x)
    if variance != "poisson":
        cov[p, p] = 2 / ((mean**2).sum() if variance == "nb2" else len(mean))
    if variance == "poisson":
        llf = float(slopes("poisson", data.y, log_mean, 0.0).value.sum())
    else:  # as it is worked out where the dispersion is not 0, to be compared with that
        llf = float(log_likelihood(data, coefficients[None], np.zeros(1))[0])
    return Maximum(coefficients, 0.0, cov, llf, True, falls)


def _maximise_with_prior(data: Data, variance: Variance, start: FloatArray, falls: FloatArray) -> Maximum:
    """Jeffreys' prior on the coefficients; the dispersion by the likelihood at them."""
    limit = _poisson_limit(data, variance, modes(data, np.zeros(1), start, prior=0.5).coefficients[0], falls)
    if variance == "poisson" or not data.y.any():
        return limit
    search = _best_nb2_with_prior if variance == "nb2" else _best_nb1_with_prior
    found = search(data, start)
    return found._replace(falls=falls) if found.llf > limit.llf + LEAST_GAIN else limit


def _best_nb2_with_prior(data: Data, start: FloatArray) -> Maximum:
    """NB2, by a search over the dispersion."""
    from scipy.optimize import minimize_scalar

    def profile(log_alpha: float) -> float:
        alpha = np.exp([log_alpha])
        return float(log_likelihood(data, modes(data, alpha, start, prior=0.5).coefficients, alpha)[0])

    bounds = np.log(SMALLEST_DISPERSION), np.log(LARGEST_DISPERSION)
    best = minimize_scalar(lambda u: -profile(u), bounds=bounds, method="bounded", options={"xatol": 1e-6})
    alpha = np.exp([best.x])
    at = modes(data, alpha, start, prior=0.5)
    curvature = (2 * profile(best.x) - profile(best.x - 0.1) - profile(best.x + 0.1)) / 0.01
    p = len(start)
    cov = np.zeros((p + 1, p + 1))
    cov[:p, :p] = np.linalg.inv(at.information[0])
    cov[p, p] = alpha[0] ** 2 / max(curvature, 1e-2)
    return Maximum(at.coefficients[0], float(alpha[0]), cov, -float(best.fun), at.converged and curvature > 0)


def _best_nb1_with_prior(data: Data, start: FloatArray) -> Maximum:
    """NB1 with Jeffreys' prior of the Poisson model, which is also that of a constant ratio of variance to mean."""
    peak = climb(lambda point: with_jeffreys(height(point, data, "nb1"), point, data), np.append(start, 0.0))
    found = _interior(peak)
    return found._replace(llf=height(peak.point, data, "nb1").value)


def with_jeffreys(plain: Height, point: FloatArray, data: Data) -> Height:
    """Add half the log determinant of the Poisson information; its own curvature, which is small, is left out."""
    mean = bounded_exp(data.x @ point[:-1] + data.offset)
    information = (data.x.T * mean) @ data.x
    leverage = ((data.x @ np.linalg.inv(information)) * data.x).sum(axis=1)
    score = plain.score + np.append((mean * leverage) @ data.x, 0.0) / 2
    return Height(plain.value + float(np.linalg.slogdet(information)[1]) / 2, score, plain.hessian)


def log_likelihood(data: Data, coefficients: FloatArray, dispersion: FloatArray) -> FloatArray:
    """NB2 log-likelihood at each of k coefficients (k, p) and dispersions (k,); Poisson where the latter is 0."""
    log_mean = np.minimum(coefficients @ data.x.T + data.offset, LARGEST_LOG_MEAN)
    size = 1 / np.maximum(dispersion, 1e-20)[:, None]
    y, place = np.unique(data.y, return_inverse=True)
    constant = (log_rising(y, size) - gammaln(y + 1)) @ np.bincount(place)
    each = data.y * log_mean - (size + data.y) * np.log1p(np.exp(log_mean) / size)
    return np.asarray(constant + each.sum(axis=1), dtype=np.float64)
