"""Brier score of event probabilities, where it comes from, and how reliable they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError
from escalation.scores.arrays import as_events, as_given, as_observed, as_one_shape, as_probabilities

MOST_BINS = 10_000


@dataclass(frozen=True)
class BrierDecomposition:
    """What a mean Brier score is made of: reliability - resolution + uncertainty + within_bin.

    Attributes
    ----------
    brier : float
        Mean Brier score.
    reliability : float
        How far forecasts are from the frequencies that followed, >= 0; 0 is best.
    resolution : float
        How far those frequencies are from the overall one, >= 0; larger is better.
    uncertainty : float
        Variance of the events, which no forecast changes.
    within_bin : float
        What forecasts that differ within a bin add or take; 0 where a bin holds one value.
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_bin: float


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """Frequencies that followed forecast probabilities, one point a bin that holds any.

    Attributes
    ----------
    forecast : (K,) float array
        Mean forecast probability of each bin, rising.
    observed : (K,) float array
        Share of its events that happened.
    cells : (K,) int array
        How many forecasts it holds.
    """

    forecast: FloatArray
    observed: FloatArray
    cells: np.ndarray[tuple[int], np.dtype[np.int64]]


def brier(probability: ArrayLike, event: ArrayLike) -> FloatArray:
    r"""Brier score of event probabilities.

    .. math:: \text{BS} = (p - o)^2

    Parameters
    ----------
    probability : (...) array
        Forecast probabilities, such as the share of draws at or above a threshold.
    event : (...) array
        1 (or True) where the event happened, 0 where not, NaN where it was not observed.

    Returns
    -------
    (...) float array
        Scores from 0 to 1, smaller is better; NaN where a value is NaN.

    Raises
    ------
    InputError
        If a probability is outside 0 to 1, an event is neither 0 nor 1, or shapes do not belong together.

    Notes
    -----
    Brier 1950 (doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2), the half of his sum over both outcomes.

    Examples
    --------
    >>> brier([0.5, 0.25, 1], [True, False, True]).tolist()
    [0.25, 0.0625, 0.0]
    """
    (p, happened), shape = as_one_shape(as_probabilities(probability, "probability"), as_events(event, "event"))
    return as_given((p - happened) ** 2, shape)


def brier_decomposition(probability: ArrayLike, event: ArrayLike, *, bins: int | str = 10) -> BrierDecomposition:
    r"""Split a mean Brier score into reliability, resolution and uncertainty.

    .. math:: \overline{\text{BS}} = \underbrace{\tfrac1N \sum_k n_k (\bar p_k - \bar o_k)^2}_\text{reliability}
       - \underbrace{\tfrac1N \sum_k n_k (\bar o_k - \bar o)^2}_\text{resolution}
       + \underbrace{\bar o (1 - \bar o)}_\text{uncertainty} + \text{within bin}

    Parameters
    ----------
    probability, event : (...) arrays
        As for :func:`brier`.  A cell whose event is NaN was not observed and is left out.
    bins : int or "isotonic"
        A number of bins of equal width; or bins that the data choose, by isotonic regression of the events on
        the probabilities, with which no number of bins can be picked to please and nothing is left within bins.

    Returns
    -------
    BrierDecomposition

    Raises
    ------
    InputError
        As :func:`brier`; also if nothing was observed or an observed event has no forecast.

    Notes
    -----
    Murphy 1973 (doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2); the part within bins, variance of the
    forecasts less twice their covariance with the events, is that of Stephenson, Coelho & Jolliffe 2008
    (doi:10.1175/2007WAF2006116.1).  Isotonic bins: Dimitriadis, Gneiting & Jordan 2021
    (doi:10.1073/pnas.2016191118), who call the parts miscalibration and discrimination.  With few cells a
    bin, reliability and resolution both come out too large.

    Examples
    --------
    >>> parts = brier_decomposition([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 0])
    >>> [round(part, 6) for part in (parts.brier, parts.reliability, parts.resolution, parts.uncertainty)]
    [0.21, 0.085, 0.0625, 0.1875]
    """
    p, happened = as_observed(as_probabilities(probability, "probability"), as_events(event, "event"))
    place = bin_places(p, happened, bins)
    forecast, observed, cells = bin_means(place, p, happened)
    share, overall = cells / len(p), happened.mean()
    away = p - forecast[place]
    within = float(np.mean(away**2 - 2 * away * (happened - observed[place])))
    reliability = float(share @ (forecast - observed) ** 2)
    if bins == "isotonic":
        reliability, within = reliability + within, 0.0
    return BrierDecomposition(
        brier=float(np.mean((p - happened) ** 2)),
        reliability=reliability,
        resolution=float(share @ (observed - overall) ** 2),
        uncertainty=float(overall * (1 - overall)),
        within_bin=within,
    )


def reliability_curve(probability: ArrayLike, event: ArrayLike, *, bins: int | str = 10) -> ReliabilityCurve:
    """Frequencies of events against the probabilities that were forecast: the points of a reliability diagram.

    Parameters
    ----------
    probability, event : (...) arrays
        As for :func:`brier`.  A cell whose event is NaN was not observed and is left out.
    bins : int or "isotonic"
        A number of bins of equal width, or bins that the data choose; see :func:`brier_decomposition`.

    Returns
    -------
    ReliabilityCurve

    Raises
    ------
    InputError
        As :func:`brier_decomposition`.

    Notes
    -----
    Murphy & Winkler 1977 (doi:10.2307/2346866); isotonic bins as in :func:`brier_decomposition`.

    Examples
    --------
    >>> curve = reliability_curve([0.1, 0.2, 0.2, 0.9, 0.8], [0, 1, 0, 1, 1], bins=2)
    >>> curve.forecast.round(4).tolist(), curve.observed.round(4).tolist(), curve.cells.tolist()
    ([0.1667, 0.85], [0.3333, 1.0], [3, 2])
    """
    p, happened = as_observed(as_probabilities(probability, "probability"), as_events(event, "event"))
    return ReliabilityCurve(*bin_means(bin_places(p, happened, bins), p, happened))


def bin_places(p: FloatArray, happened: FloatArray, bins: int | str) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Bin (n,) of each forecast, numbered in rising order without gaps."""
    if isinstance(bins, str):
        if bins != "isotonic":
            raise InputError(f"bins is {bins!r}; give a number of bins or 'isotonic'")
        from scipy.optimize import isotonic_regression

        _, place = np.unique(p, return_inverse=True)
        _, observed, cells = bin_means(place, p, happened)
        blocks = isotonic_regression(observed, weights=cells).blocks
        coarse = np.searchsorted(blocks, place, side="right") - 1
    else:
        number = check_whole(bins, "bins", MOST_BINS)
        coarse = np.minimum((p * number).astype(np.intp), number - 1)
    return np.unique(coarse, return_inverse=True)[1]


def bin_means(
    place: np.ndarray[tuple[int], np.dtype[np.intp]], p: FloatArray, happened: FloatArray
) -> tuple[FloatArray, FloatArray, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Mean forecast, mean event and number of cells (K,) of each bin."""
    cells = np.bincount(place)
    return np.bincount(place, p) / cells, np.bincount(place, happened) / cells, cells
