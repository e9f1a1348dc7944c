"""Posterior draws of the parameters of Poisson, NB2 and NB1 regression, for ``regression``."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.random import Generator

from escalation.conventions.arrays import FloatArray
from escalation.models.contract.newton import Height, climb, inverse
from escalation.models.contract.shrinkage import NormalPrior
from escalation.models.regression.derivatives import Variance, bounded_exp, logpmf
from escalation.models.regression.importance import draw_around, in_blocks
from escalation.models.regression.likelihood import (
    LARGEST_DISPERSION,
    Data,
    Modes,
    flat,
    height,
    information_of,
    log_likelihood,
    modes,
    products_of,
    with_jeffreys,
)

Moments: TypeAlias = tuple[FloatArray, FloatArray]
"""Mean (d,) and covariance (d, d)."""
GRID = 25
"""Dispersions at which the NB2 posterior is worked out."""
TAIL = 5
"""Degrees of freedom of the t distribution that proposes coefficients."""
MOST_PROPOSALS = 4_000
LEAST_LOG_DISPERSION = np.log(1e-8)
"""Below it nothing changes."""


def draw_parameters(data: Data, variance: Variance, draws: int, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """Draw coefficients (draws, p) and dispersions (draws,), 0 for Poisson, from the posterior."""
    if variance == "nb2":
        return _draw_nb2(data, draws, rng)
    return _draw_poisson(data, draws, rng) if variance == "poisson" else _draw_nb1(data, draws, rng)


def draw_with_prior(
    data: Data,
    variance: Variance,
    to_terms: FloatArray,
    prior: NormalPrior,
    around: Moments,
    draws: int,
    rng: Generator,
) -> tuple[FloatArray, FloatArray]:
    """Draw as :func:`draw_parameters`, with the prior of a panel on the terms and the log dispersion.

    ``around`` is mean and covariance of terms and log dispersion near those of the posterior; ``to_terms`` (p, p) times
    coefficients are terms.
    """
    p = len(to_terms)
    inverted = np.asarray(np.linalg.inv(to_terms), dtype=np.float64)

    def log_density(points: FloatArray) -> FloatArray:
        inner = points[:, :p] @ inverted.T
        log_dispersion = np.clip(points[:, p:], LEAST_LOG_DISPERSION, np.log(LARGEST_DISPERSION))
        if variance == "nb1":
            value = logpmf("nb1", data.y, inner @ data.x.T + data.offset, log_dispersion).sum(axis=1)
        else:
            alpha = np.exp(log_dispersion[:, 0]) if variance == "nb2" else np.zeros(len(points))
            value = log_likelihood(data, inner, alpha)
        return np.asarray(value + prior.log_density(points), dtype=np.float64)

    mean, cov = around
    points = draw_around(mean, cov, in_blocks(log_density, len(data.y)), draws, rng)
    return points[:, :p] @ inverted.T, np.zeros(draws) if variance == "poisson" else np.exp(points[:, p])


def _draw_poisson(data: Data, draws: int, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """Jeffreys' prior of the coefficients."""
    none = np.zeros(1)
    mode = modes(data, none, flat(data), prior=0.5)
    products = products_of(data)

    def log_density(coefficients: FloatArray) -> FloatArray:
        mean = bounded_exp(coefficients @ data.x.T + data.offset)
        prior = np.linalg.slogdet(information_of(products, mean))[1] / 2
        return np.asarray(log_likelihood(data, coefficients, np.zeros(len(mean))) + prior, dtype=np.float64)

    cov = np.linalg.inv(mode.information[0])
    return draw_around(mode.coefficients[0], cov, in_blocks(log_density, len(data.y)), draws, rng), np.zeros(draws)


def _draw_nb1(data: Data, draws: int, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """Jeffreys' prior of the Poisson coefficients; ``sqrt(d / mean count)`` exponential with rate 1."""
    products, usual = products_of(data), max(float(data.y.mean()), 0.5 / len(data.y))

    def posterior(point: FloatArray) -> Height:
        plain = with_jeffreys(height(point, data, "nb1"), point, data)
        root = float(np.exp(point[-1] / 2) / np.sqrt(usual))
        plain.score[-1] += 0.5 - root / 2
        plain.hessian[-1, -1] -= root / 4
        return plain._replace(value=plain.value + point[-1] / 2 - root)

    def log_density(points: FloatArray) -> FloatArray:
        log_mean, log_d = points[:, :-1] @ data.x.T + data.offset, points[:, -1:]
        value = logpmf("nb1", data.y, log_mean, log_d).sum(axis=1)
        value += np.linalg.slogdet(information_of(products, bounded_exp(log_mean)))[1] / 2
        return np.asarray(value + log_d[:, 0] / 2 - np.exp(log_d[:, 0] / 2) / np.sqrt(usual), dtype=np.float64)

    peak = climb(posterior, np.append(flat(data), np.log(usual * 0.1)))
    cov = inverse(-peak.height.hessian)
    points = draw_around(peak.point, cov, in_blocks(log_density, len(data.y)), draws, rng)
    return points[:, :-1], np.exp(points[:, -1])


def _log_posterior(data: Data, coefficients: FloatArray, log_alpha: FloatArray) -> FloatArray:
    """Likelihood times prior at each of k coefficients (k, p) and log dispersions (k,), up to a constant.

    Jeffreys' prior has no scale, so at each dispersion it is set to 1 where all periods have one rate;
    sqrt(alpha) is exponential with rate 1.
    """
    alpha = np.exp(log_alpha)
    products = products_of(data)
    log_det = [
        np.linalg.slogdet(information_of(products, mean / (1 + alpha[:, None] * mean)))[1]
        for mean in (bounded_exp(b @ data.x.T + data.offset) for b in (coefficients, flat(data)))
    ]
    likelihood = log_likelihood(data, coefficients, alpha)
    return np.asarray(likelihood + (log_det[0] - log_det[1]) / 2 + log_alpha / 2 - np.sqrt(alpha), dtype=np.float64)


def _dispersion_grid(data: Data) -> tuple[FloatArray, FloatArray, Modes]:
    """Log dispersions (GRID,) that hold the posterior, their shares of it (Laplace) and the modes there."""
    start = flat(data)
    low, high = np.log(1e-3 / max(data.y.mean(), 1.0)), np.log(LARGEST_DISPERSION)
    for _ in range(3):
        grid = np.linspace(low, high, GRID)
        found = modes(data, np.exp(grid), start, prior=0.5)
        density = _log_posterior(data, found.coefficients, grid) - np.linalg.slogdet(found.information)[1] / 2
        kept = np.flatnonzero(density > density.max() - 12)
        low, high = grid[max(kept[0] - 1, 0)], grid[min(kept[-1] + 1, GRID - 1)]
        start = found.coefficients[int(density.argmax())]
    share = np.exp(density - density.max())
    return grid, share / share.sum(), found


def _draw_nb2(data: Data, draws: int, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """Draw coefficients (draws, p) and dispersions (draws,) from the posterior by importance resampling."""
    grid, share, at_grid = _dispersion_grid(data)
    m, p = int(np.clip(4 * draws, 1_000, MOST_PROPOSALS)), data.x.shape[1]
    at = rng.choice(GRID, size=m, p=share)
    log_alpha = grid[at] + (rng.random(m) - 0.5) * (grid[1] - grid[0])
    z = rng.standard_normal((m, p)) * np.sqrt(TAIL / rng.chisquare(TAIL, size=(m, 1)))
    root = np.linalg.inv(np.linalg.cholesky(at_grid.information))
    coefficients = at_grid.coefficients[at] + (z[:, None, :] @ root[at])[:, 0]
    log_proposed = np.log(share[at]) + np.linalg.slogdet(at_grid.information)[1][at] / 2
    log_proposed -= (TAIL + p) / 2 * np.log1p((z**2).sum(axis=1) / TAIL)
    wanted = in_blocks(lambda points: _log_posterior(data, points[:, :-1], points[:, -1]), len(data.y))
    log_wanted = wanted(np.column_stack([coefficients, log_alpha]))
    weight = np.exp(log_wanted - log_proposed - (log_wanted - log_proposed).max())
    chosen = rng.choice(m, size=draws, p=weight / weight.sum())
    return coefficients[chosen], np.exp(log_alpha[chosen])
