"""The law of counts while nothing changes, fitted to the periods before those that are judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from escalation.surveillance.detector import FloatArray
from escalation.surveillance.regression import fit_negative_binomial, fit_quasi_poisson, nb_dispersion

IntArray = NDArray[np.int64]

LEAST_MEAN = 1e-6
"""Expected counts are taken as no smaller, so that they can be divided by."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """Expected counts (periods, series) and dispersions alpha (series,), ``Var = mu + alpha mu**2``."""

    mean: FloatArray
    dispersion: FloatArray

    @property
    def sd(self) -> FloatArray:
        """Standard deviations of the counts (periods, series)."""
        spread: FloatArray = np.sqrt(self.mean + self.dispersion * self.mean**2)
        return spread


def fit_baseline(
    counts: FloatArray,
    first: int,
    year: int,
    season: int,
    family: str,
    mean: float | None,
    dispersion: float | None,
    exposure: FloatArray,
) -> Baseline:
    """Fit the periods before ``first`` and expect those from it on.

    Parameters
    ----------
    counts : (n, series) float array
        NaN where not observed.
    first, year, season : int
        First period to be judged, periods in a year, pairs of sine and cosine.
    family : str
        ``"negbin"`` or ``"poisson"``.
    mean, dispersion : float, optional
        Given instead of estimated; the mean is that of a whole period.
    exposure : (n,) float array
        Share of each period that was covered; expected counts are proportional to it.
    """
    seen = np.flatnonzero(~np.isnan(counts[:first, 0]))
    past, shape = counts[seen], (len(counts) - first, counts.shape[1])
    if mean is not None:
        expected, known = np.full(shape, mean), np.full(past.shape, mean) * exposure[seen, None]
        alpha = np.zeros(shape[1]) if family == "poisson" or dispersion is not None else nb_dispersion(past, known)
    else:
        matrix = fourier(np.arange(len(counts)), year, season)
        if family == "poisson":
            coefficients = fit_quasi_poisson(matrix[seen], past, np.ones_like(past), exposure[seen]).coefficients
            alpha = np.zeros(shape[1])
        else:
            coefficients, alpha = fit_negative_binomial(matrix[seen], past, exposure[seen])
        expected = np.exp(np.clip(matrix[first:] @ coefficients.T, -700.0, 700.0))
    if dispersion is not None:
        alpha = np.full(shape[1], dispersion)
    return Baseline(np.maximum(expected * exposure[first:, None], LEAST_MEAN), alpha)


def fourier(time: IntArray, year: int, season: int) -> FloatArray:
    """Level and ``season`` pairs of cosine and sine (n, 1 + 2 season)."""
    angle = 2.0 * np.pi * time[:, None] * np.arange(1, season + 1) / year
    matrix: FloatArray = np.concatenate([np.ones((len(angle), 1)), np.cos(angle), np.sin(angle)], axis=1)
    return matrix
