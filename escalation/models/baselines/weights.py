"""Weights of a linear pool, learnt from forecasts that were scored: by log score or by CRPS."""

from __future__ import annotations

import numpy as np

from escalation.conventions.arrays import FloatArray

MOST_ROUNDS = 5_000


def log_weights(log_density: FloatArray, prior: float = 1.0) -> FloatArray:
    """Weights with the best mean log score, drawn a little towards equal ones.

    Maximises ``sum_i log(sum_m w_m p_im) + prior * sum_m log(w_m)``, which has one maximum, by the EM algorithm
    (Hall & Mitchell 2007, doi:10.1016/j.ijforecast.2006.08.001, without the second term: a Dirichlet prior, so
    that few forecasts do not rule a model out).

    Parameters
    ----------
    log_density : (cells, m) float array
        Log probability that each of m models gave to what came.
    prior : float
        As many cells, for each model, that it alone foresaw.

    Returns
    -------
    (m,) float array
        They sum to 1.
    """
    m = log_density.shape[1]
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    weights = np.full(m, 1 / m)
    for _ in range(MOST_ROUNDS):
        parts = density * weights
        new = (parts / parts.sum(axis=1, keepdims=True)).sum(axis=0) + prior
        new /= new.sum()
        moved = float(np.abs(new - weights).max())
        weights = new
        if moved < 1e-10:
            break
    return weights


def crps_weights(distance: FloatArray, between: FloatArray, prior: float = 1.0) -> FloatArray:
    """Weights of the linear pool with the best mean CRPS, drawn a little towards equal ones.

    The CRPS of a pool is quadratic in its weights, ``sum_m w_m E|X_m - y| - sum_mk w_m w_k E|X_m - X_k| / 2``
    (Gneiting & Raftery 2007, doi:10.1198/016214506000001437), and convex, so it has one minimum on the simplex.

    Parameters
    ----------
    distance : (cells, m) float array
        Mean distance of each model's draws from what came.
    between : (cells, m, m) float array
        Mean distance between the draws of each two models.
    prior : float
        Weight, in cells of the average size, of the squared distance to equal weights.

    Returns
    -------
    (m,) float array
        They sum to 1.
    """
    from scipy.optimize import LinearConstraint, minimize

    cells, m = distance.shape
    linear, square = distance.mean(axis=0), between.mean(axis=0)
    size = max(float(linear.mean()), 1e-12)
    pull = prior / cells

    def loss(w: FloatArray) -> float:
        away = w - 1 / m
        return float((linear @ w - w @ square @ w / 2) / size + pull * (away @ away))

    def slope(w: FloatArray) -> FloatArray:
        value: FloatArray = (linear - square @ w) / size + 2 * pull * (w - 1 / m)
        return value

    whole = LinearConstraint(np.ones((1, m)), 1.0, 1.0)
    found = minimize(
        loss,
        np.full(m, 1 / m),
        method="SLSQP",
        jac=slope,
        bounds=[(0.0, 1.0)] * m,
        constraints=[whole],
        options={"ftol": 1e-12},
    )
    weights = np.clip(np.asarray(found.x, dtype=np.float64), 0.0, None)
    whole_weights: FloatArray = weights / weights.sum()
    return whole_weights


def mean_distances(paths: FloatArray) -> FloatArray:
    """Mean absolute difference between the draws of each two models, by sorting.

    Parameters
    ----------
    paths : (m, draws, cells) float array
        Draws of m models.

    Returns
    -------
    (cells, m, m) float array
        On the diagonal that between two draws of one model (each with itself included).
    """
    m = len(paths)
    own = _spread(paths)
    result = np.empty((paths.shape[2], m, m))
    for i in range(m):
        result[:, i, i] = own[i]
        for j in range(i):
            both = _spread(np.concatenate([paths[i], paths[j]])[None])[0]
            result[:, i, j] = result[:, j, i] = 2 * both - (own[i] + own[j]) / 2
    return result


def _spread(draws: FloatArray) -> FloatArray:
    """Mean absolute difference of all pairs of draws (..., draws, cells), each with itself included."""
    ranked = np.sort(draws, axis=-2)
    s = ranked.shape[-2]
    rank = 2 * np.arange(s) - s + 1
    value: FloatArray = 2 * np.einsum("...sc,s->...c", ranked, rank) / s**2
    return value
