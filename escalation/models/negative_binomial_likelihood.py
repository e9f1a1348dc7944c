"""Likelihood and posterior of negative binomial regression on plain arrays, for ``negative_binomial``."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.special import gammaln

from escalation.models.design import FloatArray
from escalation.models.laws import log_rising

LARGEST_LOG_MEAN = 300.0
"""Beyond this, exponentials and their squares would overflow."""
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
GRID = 25
"""Dispersions at which the posterior is worked out."""
TAIL = 5
"""Degrees of freedom of the t distribution that proposes coefficients."""
MOST_PROPOSALS = 4_000
BLOCK = 20_000
"""Proposals x periods weighed at a time."""


class Data(NamedTuple):
    """Observed counts (n,), orthogonal terms (n, p) with ``x.T @ x = n * I``, log exposure (n,)."""

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
    settled: bool


def bounded_exp(log_mean: FloatArray) -> FloatArray:
    """Exponential, cut where it would overflow."""
    return np.exp(np.minimum(log_mean, LARGEST_LOG_MEAN))


def _modes(data: Data, dispersion: FloatArray, start: FloatArray, prior: float) -> Modes:
    """Maximise over the coefficients at each dispersion (k,) by Newton steps from ``start`` (p,).

    ``prior`` is the weight of the log determinant of the expected information: 0 for the likelihood alone,
    1/2 for Jeffreys' prior.
    """
    alpha = dispersion[:, None]
    beta = np.tile(start, (len(dispersion), 1))
    products = _products(data)
    y = data.y
    settled = False
    for _ in range(100):
        mean = bounded_exp(beta @ data.x.T + data.offset)
        weight = 1 / (1 + alpha * mean)
        if prior:  # acts as so many more counts, to be split among the periods by their leverage
            inverse = np.linalg.inv(_information(products, mean * weight))
            y = data.y + prior * mean * weight * (inverse.reshape(len(beta), -1) @ products.T)
        information = _information(products, mean * (1 + alpha * y) * weight**2)
        if settled or (not prior and np.linalg.eigvalsh(information).min() < LEAST_INFORMATION):
            break
        score = ((y - mean) * weight) @ data.x
        step = np.linalg.solve(information, score[:, :, None])[:, :, 0]
        moves = step @ data.x.T
        size = np.maximum(moves.max(axis=1) / LARGEST_RISE, -moves.min(axis=1) / LARGEST_FALL)
        beta = beta + step / np.maximum(size, 1)[:, None]
        settled = bool(size.max() < 1e-7)
    return Modes(beta, information, settled)


def _products(data: Data) -> FloatArray:
    """Products of every two terms in every period, shape (n, p * p)."""
    n, p = data.x.shape
    return (data.x[:, :, None] * data.x[:, None, :]).reshape(n, p * p)


def _information(products: FloatArray, weight: FloatArray) -> FloatArray:
    """``x.T @ diag(weight) @ x`` for each of k weights (k, n), shape (k, p, p)."""
    p = int(np.sqrt(products.shape[1]))
    return (weight @ products).reshape(-1, p, p)


def maximise(data: Data) -> Maximum:
    """Maximum likelihood, or its Poisson limit, or the maximum with Jeffreys' prior where there is none."""
    start = _flat(data)
    poisson = _modes(data, np.zeros(1), start, prior=0.0)
    if not poisson.settled and (falls := _endless_fall(data)) is not None:
        return _maximise_with_prior(data, start, falls)
    coefficients = poisson.coefficients[0]
    limit = _poisson_limit(data, coefficients)._replace(converged=poisson.settled)
    mean = bounded_exp(data.x @ coefficients + data.offset)
    # near the Poisson limit the moment estimate is the best dispersion
    excess = float(((data.y - mean) ** 2 - data.y).sum())
    # with few counts or an outlier there can be a second maximum far from the Poisson limit
    tried = np.geomspace(0.1 / max(mean.mean(), 1.0), 30.0, 7)
    dispersion = np.append(tried, max(excess, 1e-6) / (mean**2).sum())
    first = _modes(data, dispersion, start, prior=0.0).coefficients
    heights = _log_likelihood(data, first, dispersion)
    best = int(heights.argmax())
    if heights[best] > limit.llf + LEAST_GAIN:
        found = _maximise_by_statsmodels(data, np.append(first[best], dispersion[best]))
        if found.dispersion > max(POISSON_EXCESS / mean.max(), SMALLEST_DISPERSION):
            return found
    return limit


def _endless_fall(data: Data) -> FloatArray | None:
    """Coefficients (p,) along which zero counts become ever likelier and no other count changes, if there are any."""
    from scipy.optimize import linprog

    zero, more = data.x[data.y == 0], data.x[data.y > 0]
    found = linprog(
        zero.sum(axis=0), A_ub=zero, b_ub=np.zeros(len(zero)), A_eq=more, b_eq=np.zeros(len(more)), bounds=(-1, 1)
    )
    return None if found.fun is None or found.fun > -1e-6 else found.x


def _flat(data: Data) -> FloatArray:
    """Coefficients (p,) of one rate for all periods."""
    rate = max(data.y.sum(), 0.5) / np.exp(data.offset).sum()
    return np.full(len(data.y), np.log(rate)) @ data.x / len(data.y)


def _poisson_limit(data: Data, coefficients: FloatArray, falls: FloatArray | None = None) -> Maximum:
    """The estimate with alpha = 0, where the information on alpha is ``sum(mean**2) / 2``."""
    mean = bounded_exp(data.x @ coefficients + data.offset)
    p = len(coefficients)
    cov = np.zeros((p + 1, p + 1))
    cov[:p, :p] = np.linalg.inv((data.x.T * mean) @ data.x)
    cov[p, p] = 2 / (mean**2).sum()
    llf = float(_log_likelihood(data, coefficients[None], np.zeros(1))[0])
    return Maximum(coefficients, 0.0, cov, llf, True, falls)


def _maximise_by_statsmodels(data: Data, start: FloatArray) -> Maximum:
    """Fit by statsmodels from good starts (p + 1,), then polish by Newton steps in (coefficients, log alpha)."""
    from statsmodels.discrete.discrete_model import NegativeBinomial as Likelihood

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        model = Likelihood(data.y, data.x, loglike_method="nb2", offset=data.offset, check_rank=False)
        params = model.fit(start, method="bfgs", maxiter=200, gtol=1e-3, disp=0, skip_hessian=True).params
        params, converged = _polish(model, np.asarray(params, dtype=np.float64))
        root = np.linalg.inv(np.linalg.cholesky(-model.hessian(params)))  # fails unless this is a maximum
        return Maximum(params[:-1], float(params[-1]), root.T @ root, float(model.loglike(params)), converged)


def _polish(model: Any, params: FloatArray) -> tuple[FloatArray, bool]:
    """Take Newton steps until the next one would gain nothing; tell whether that was reached."""
    for _ in range(20):
        scale = np.append(np.ones(len(params) - 1), params[-1])
        score = model.score(params) * scale
        curvature = -model.hessian(params) * np.outer(scale, scale)
        # in log alpha the likelihood bends upwards near the Poisson limit, where it is straight in alpha
        curvature[-1, -1] -= min(score[-1], 0.0)
        step = np.linalg.solve(curvature, score)
        gain = float(score @ step) / 2
        if abs(gain) < 1e-10:
            return params, True
        size = min(1.0, LARGEST_RISE / np.abs(step).max())
        params = np.append(params[:-1] + size * step[:-1], params[-1] * np.exp(size * step[-1]))
    return params, False


def _maximise_with_prior(data: Data, start: FloatArray, falls: FloatArray) -> Maximum:
    """Jeffreys' prior on the coefficients; the dispersion by the likelihood at them."""
    from scipy.optimize import minimize_scalar

    def profile(log_alpha: float) -> float:
        alpha = np.exp([log_alpha])
        return float(_log_likelihood(data, _modes(data, alpha, start, prior=0.5).coefficients, alpha)[0])

    limit = _poisson_limit(data, _modes(data, np.zeros(1), start, prior=0.5).coefficients[0], falls)
    bounds = np.log(SMALLEST_DISPERSION), np.log(LARGEST_DISPERSION)
    best = minimize_scalar(lambda u: -profile(u), bounds=bounds, method="bounded", options={"xatol": 1e-6})
    if not data.y.any() or -best.fun <= limit.llf:
        return limit
    alpha = np.exp([best.x])
    modes = _modes(data, alpha, start, prior=0.5)
    curvature = (2 * profile(best.x) - profile(best.x - 0.1) - profile(best.x + 0.1)) / 0.01
    cov = np.zeros_like(limit.cov)
    cov[:-1, :-1] = np.linalg.inv(modes.information[0])
    cov[-1, -1] = alpha[0] ** 2 / max(curvature, 1e-2)
    converged = modes.settled and curvature > 0
    return Maximum(modes.coefficients[0], float(alpha[0]), cov, -float(best.fun), converged, falls)


def _log_likelihood(data: Data, coefficients: FloatArray, dispersion: FloatArray) -> FloatArray:
    """NB2 log-likelihood at each of k coefficients (k, p) and dispersions (k,); Poisson where the latter is 0."""
    log_mean = np.minimum(coefficients @ data.x.T + data.offset, LARGEST_LOG_MEAN)
    size = 1 / np.maximum(dispersion, 1e-20)[:, None]
    y, place = np.unique(data.y, return_inverse=True)
    constant = (log_rising(y, size) - gammaln(y + 1)) @ np.bincount(place)
    each = data.y * log_mean - (size + data.y) * np.log1p(np.exp(log_mean) / size)
    return np.asarray(constant + each.sum(axis=1), dtype=np.float64)


def _log_posterior(data: Data, coefficients: FloatArray, log_alpha: FloatArray) -> FloatArray:
    """Likelihood times prior at each of k coefficients (k, p) and log dispersions (k,), up to a constant.

    Jeffreys' prior has no scale, so at each dispersion it is set to 1 where all periods have one rate;
    sqrt(alpha) is exponential with rate 1.
    """
    alpha = np.exp(log_alpha)
    products = _products(data)
    log_det = [
        np.linalg.slogdet(_information(products, mean / (1 + alpha[:, None] * mean)))[1]
        for mean in (bounded_exp(b @ data.x.T + data.offset) for b in (coefficients, _flat(data)))
    ]
    likelihood = _log_likelihood(data, coefficients, alpha)
    return np.asarray(likelihood + (log_det[0] - log_det[1]) / 2 + log_alpha / 2 - np.sqrt(alpha), dtype=np.float64)


def _dispersion_grid(data: Data) -> tuple[FloatArray, FloatArray, Modes]:
    """Log dispersions (GRID,) that hold the posterior, their shares of it (Laplace) and the modes there."""
    start = _flat(data)
    low, high = np.log(1e-3 / max(data.y.mean(), 1.0)), np.log(LARGEST_DISPERSION)
    for _ in range(3):
        grid = np.linspace(low, high, GRID)
        modes = _modes(data, np.exp(grid), start, prior=0.5)
        density = _log_posterior(data, modes.coefficients, grid) - np.linalg.slogdet(modes.information)[1] / 2
        kept = np.flatnonzero(density > density.max() - 12)
        low, high = grid[max(kept[0] - 1, 0)], grid[min(kept[-1] + 1, GRID - 1)]
        start = modes.coefficients[int(density.argmax())]
    share = np.exp(density - density.max())
    return grid, share / share.sum(), modes


def draw_parameters(data: Data, draws: int, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """Draw coefficients (draws, p) and dispersions (draws,) from the posterior by importance resampling."""
    grid, share, modes = _dispersion_grid(data)
    m, p = int(np.clip(4 * draws, 1_000, MOST_PROPOSALS)), data.x.shape[1]
    at = rng.choice(GRID, size=m, p=share)
    log_alpha = grid[at] + (rng.random(m) - 0.5) * (grid[1] - grid[0])
    z = rng.standard_normal((m, p)) * np.sqrt(TAIL / rng.chisquare(TAIL, size=(m, 1)))
    root = np.linalg.inv(np.linalg.cholesky(modes.information))
    coefficients = modes.coefficients[at] + (z[:, None, :] @ root[at])[:, 0]
    log_proposed = np.log(share[at]) + np.linalg.slogdet(modes.information)[1][at] / 2
    log_proposed -= (TAIL + p) / 2 * np.log1p((z**2).sum(axis=1) / TAIL)
    rows = max(1, BLOCK // len(data.y))
    log_wanted = np.concatenate(
        [_log_posterior(data, coefficients[i : i + rows], log_alpha[i : i + rows]) for i in range(0, m, rows)]
    )
    weight = np.exp(log_wanted - log_proposed - (log_wanted - log_proposed).max())
    chosen = rng.choice(m, size=draws, p=weight / weight.sum())
    return coefficients[chosen], np.exp(log_alpha[chosen])
