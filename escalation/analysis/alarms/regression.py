"""Log-linear regressions of several series on one design, all at once: quasi-Poisson and negative binomial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

from escalation.conventions.arrays import FloatArray

STEPS = 25
"""Most steps of the iteration; R's ``glm`` has as many."""
ROUNDS = 50
"""Most alternations between mean and dispersion, and steps for a dispersion."""
LOG_SIZES = (-12.0, 18.0)
"""Range of the log of 1 / dispersion; at its upper end the counts are Poisson."""
CONVERGED = 1e-8
"""Relative change of the deviance below which R's ``glm`` stops; the bounds depend on it where counts are all 0."""


@dataclass(frozen=True, eq=False)
class QuasiPoisson:
    """A log-linear fit to each of several series.

    Attributes
    ----------
    coefficients : (series, p) float array
        On the log scale.
    fitted : (n, series) float array
        Expected counts.
    spread : (series, p, p) float array
        Covariance of the coefficients, the dispersion left out.
    leverage : (n, series) float array
        Diagonal of the hat matrix.
    work : (n, series) float array
        Working weights of the last step: prior weights times the expected counts before it.
    freedom : int
        Residual degrees of freedom.
    converged : (series,) bool array
        Whether the iteration converged.
    """

    coefficients: FloatArray
    fitted: FloatArray
    spread: FloatArray
    leverage: FloatArray
    work: FloatArray
    freedom: int
    converged: NDArray[np.bool_]

    def dispersion(self, counts: FloatArray, weights: FloatArray) -> FloatArray:
        """Weighted squares of the working residuals ``(y - mu) / mu`` per degree of freedom, shape (series,)."""
        squares: FloatArray = np.sum(weights * (counts / self.fitted - 1.0) ** 2, axis=0)
        return squares / max(self.freedom, 1)


def fit_quasi_poisson(
    matrix: FloatArray, counts: FloatArray, weights: FloatArray, exposure: FloatArray | None = None
) -> QuasiPoisson:
    """Fit by iteratively reweighted least squares (McCullagh & Nelder 1989, doi:10.1007/978-1-4899-3242-6).

    Start and stopping rule are those of R's ``glm``.

    Parameters
    ----------
    matrix : (n, p) float array
        Design, of full rank.
    counts, weights : (n, series) float array
        Counts >= 0 and prior weights > 0.
    exposure : (n,) float array, optional
        What expected counts are proportional to, > 0 (its log is R's ``offset``).
    """
    offset = np.zeros(len(matrix)) if exposure is None else np.log(exposure)
    fitted = counts + 0.1
    deviance = _deviance(counts, fitted, weights)
    converged = np.zeros(counts.shape[1], dtype=bool)
    coefficients = np.zeros((counts.shape[1], matrix.shape[1]))
    spread = np.zeros((counts.shape[1], matrix.shape[1], matrix.shape[1]))
    work = np.zeros_like(counts)
    p = matrix.shape[1]
    products = (matrix[:, :, None] * matrix[:, None, :]).reshape(len(matrix), p * p)
    for _ in range(STEPS):
        live = np.flatnonzero(~converged)
        if not len(live):
            break
        mean, y, prior = fitted[:, live], counts[:, live], weights[:, live]
        work[:, live] = prior * mean
        response = np.log(mean) + (y - mean) / mean - offset[:, None]
        information = (work[:, live].T @ products).reshape(-1, p, p)
        scale = 1.0 / np.sqrt(np.einsum("spp->sp", information))  # groups of zeros have means near 1e-10
        inverse = np.linalg.inv(information * scale[:, :, None] * scale[:, None, :])
        inverse *= scale[:, :, None] * scale[:, None, :]
        step = np.einsum("spq,qs->sp", inverse, matrix.T @ (work[:, live] * response))
        mean = np.exp(np.clip(matrix @ step.T + offset[:, None], -700.0, 700.0))
        coefficients[live], spread[live], fitted[:, live] = step, inverse, mean
        now = _deviance(y, mean, prior)
        converged[live] = np.abs(now - deviance[live]) < CONVERGED * (np.abs(now) + 0.1)
        deviance[live] = now
    leverage = products @ spread.reshape(-1, p * p).T * work
    return QuasiPoisson(coefficients, fitted, spread, leverage, work, len(matrix) - matrix.shape[1], converged)


def _deviance(counts: FloatArray, fitted: FloatArray, weights: FloatArray) -> FloatArray:
    """Poisson deviance of each series, shape (series,)."""
    part = counts * np.log(np.where(counts > 0, counts, fitted) / fitted) - (counts - fitted)
    total: FloatArray = 2.0 * np.sum(weights * part, axis=0)
    return total


def fit_negative_binomial(
    matrix: FloatArray, counts: FloatArray, exposure: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Fit NB2 regressions by maximum likelihood, mean and dispersion in turn (as R's ``MASS::glm.nb`` does).

    Parameters
    ----------
    matrix : (n, p) float array
        Design, of full rank.
    counts : (n, series) float array
        Counts >= 0.
    exposure : (n,) float array, optional
        What expected counts are proportional to, > 0.

    Returns
    -------
    tuple
        Coefficients on the log scale (series, p), and dispersions alpha in ``Var = mu + alpha mu**2`` (series,), 0
        where the counts are not overdispersed.
    """
    offset = np.zeros(len(matrix)) if exposure is None else np.log(exposure)
    start = fit_quasi_poisson(matrix, counts, np.ones_like(counts), exposure)
    coefficients, mean = start.coefficients, start.fitted
    dispersion = np.zeros(counts.shape[1])
    for _ in range(ROUNDS):
        before = dispersion
        dispersion = nb_dispersion(counts, mean)
        work = mean / (1.0 + dispersion * mean)
        response = np.log(mean) + (counts - mean) / mean - offset[:, None]
        information = np.einsum("np,ns,nq->spq", matrix, work, matrix, optimize=True)
        right = (matrix.T @ (work * response)).T
        coefficients = np.linalg.solve(information, right[..., None])[..., 0]
        mean = np.exp(np.clip(matrix @ coefficients.T + offset[:, None], -30.0, 30.0))
        if np.all(np.abs(dispersion - before) < 1e-9 * (1e-3 + dispersion)):
            break
    return coefficients, dispersion


def nb_dispersion(counts: FloatArray, mean: FloatArray) -> FloatArray:
    """Maximum likelihood dispersion of NB2 counts at given means, both (n, series); shape (series,)."""
    # the slope of the log-likelihood at alpha = 0 shows whether the counts are overdispersed at all
    over = np.flatnonzero(np.sum((counts - mean) ** 2 - counts, axis=0) > 1e-9)
    dispersion = np.zeros(counts.shape[1])
    if not len(over):
        return dispersion
    y, m = counts[:, over], mean[:, over]
    moment = np.sum((y - m) ** 2 - m, axis=0) / np.sum(m**2, axis=0)
    log_size = -np.log(np.clip(moment, 1e-4, 1e4))
    live = np.arange(len(over))
    for _ in range(ROUNDS):
        r, u, v = np.exp(log_size[live]), y[:, live], m[:, live]
        score = np.sum(digamma(u + r) - digamma(r) + np.log(r / (r + v)) + (v - u) / (r + v), axis=0)
        bend = np.sum(polygamma(1, u + r) - polygamma(1, r) + 1.0 / r - 1.0 / (r + v) - (v - u) / (r + v) ** 2, axis=0)
        slope, curve = r * score, r * r * bend + r * score
        step = np.where(curve < 0, -slope / np.where(curve < 0, curve, -1.0), np.sign(slope))
        moved = np.clip(log_size[live] + np.clip(step, -1.0, 1.0), *LOG_SIZES)
        change = np.abs(moved - log_size[live])
        log_size[live] = moved
        live = live[change > 1e-10]
        if not len(live):
            break
    dispersion[over] = np.where(log_size < LOG_SIZES[1], np.exp(-log_size), 0.0)
    return dispersion
