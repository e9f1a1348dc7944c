"""Poisson processes whose rate varies smoothly over the window: what else than excitation may explain events."""

from __future__ import annotations

import numpy as np

from escalation.conventions.arrays import FloatArray

DEGREES = (0, 1, 2)
"""Degrees of the log rate in time: a constant rate, one that grows or falls exponentially, one with a bend."""
NODES = 200
"""Nodes of the quadrature over the window."""
STEPS = 100
"""Most steps of Newton's method; the likelihood is concave, and few are needed."""
TOLERANCE = 1e-9
"""The search ends where a step would gain less log-likelihood."""


def smooth_rates(times: FloatArray, days: float) -> FloatArray:
    r"""Log-likelihoods of Poisson processes with a polynomial log rate.

    .. math:: \sum_i \log \lambda(t_i) - \int_0^T \lambda(t) \, dt, \quad \log \lambda(t) = \sum_j b_j P_j(2 t / T - 1)

    with Legendre polynomials :math:`P_j`, at the highest point over :math:`b` (Lewis & Shedler 1979,
    doi:10.1287/opre.27.5.1026, who call it an exponential polynomial rate).

    Parameters
    ----------
    times : (n,) float array
        From 0 to ``days``, n > 0.
    days : float
        Length of the window.

    Returns
    -------
    (3,) float array
        Of log rates of degree 0, 1 and 2.
    """
    nodes, shares = np.polynomial.legendre.leggauss(NODES)
    rows: FloatArray = np.asarray(np.polynomial.legendre.legvander(nodes, DEGREES[-1]), dtype=np.float64)
    sums = np.polynomial.legendre.legvander(2.0 * times / days - 1.0, DEGREES[-1]).sum(axis=0)
    weights: FloatArray = np.asarray(shares * days / 2.0, dtype=np.float64)
    return np.array([_highest(rows[:, : one + 1], weights, sums[: one + 1], days) for one in DEGREES])


def _highest(rows: FloatArray, weights: FloatArray, sums: FloatArray, days: float) -> float:
    """Highest log-likelihood by Newton's method, with steps halved until they rise."""
    point = np.zeros(len(sums))
    point[0] = np.log(sums[0] / days)

    def value(at: FloatArray) -> float:
        with np.errstate(over="ignore"):
            return float(sums @ at - weights @ np.exp(rows @ at))

    height = value(point)
    for _ in range(STEPS):
        rates = weights * np.exp(rows @ point)
        score = sums - rows.T @ rates
        step = np.linalg.lstsq(rows.T @ (rates[:, None] * rows), score, rcond=None)[0]
        if score @ step < TOLERANCE:
            break
        while not value(point + step) > height and score @ step > TOLERANCE:
            step = step / 2.0
        if not value(point + step) > height:
            break
        point = point + step
        height = value(point)
    return height
