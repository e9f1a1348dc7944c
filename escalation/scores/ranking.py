"""How well forecasts distinguish what happened from what did not, whatever their level."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from escalation.conventions.arrays import FloatArray
from escalation.scores.arrays import as_events, as_numbers, as_observed


def auroc(forecast: ArrayLike, event: ArrayLike) -> float:
    """Area under the receiver operating characteristic.

    The probability that a cell where the event happened has a higher forecast than one where it did not, ties counted
    half.  It does not ask whether the probabilities are right, and where events are rare it says little
    of the false alarms: see :func:`average_precision`.

    Parameters
    ----------
    forecast : (...) array
        Probabilities, or any number that grows with the risk.
    event : (...) array
        1 (or True) where the event happened, 0 where not.  A cell whose event is NaN was not observed
        and is left out.

    Returns
    -------
    float
        From 0 to 1; 0.5 is what forecasts at random give.  NaN if all or none of the events happened.

    Raises
    ------
    InputError
        If an event is neither 0 nor 1, nothing was observed, or an observed event has no forecast.

    Notes
    -----
    By ranks: Hanley & McNeil 1982 (doi:10.1148/radiology.143.1.7063747).

    Examples
    --------
    >>> auroc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])  # 3 of 4 pairs
    0.75
    """
    happened, cells = _by_forecast(forecast, event)
    positive, negative = happened.sum(), (cells - happened).sum()
    if positive == 0 or negative == 0:
        return float("nan")
    rest = cells - happened
    lower = np.cumsum(rest) - rest / 2
    return float(happened @ lower / (positive * negative))


def average_precision(forecast: ArrayLike, event: ArrayLike) -> float:
    r"""Area under the precision-recall curve, as a sum over its steps.

    .. math:: \text{AP} = \sum_n (R_n - R_{n-1}) P_n

    with precision :math:`P_n` and recall :math:`R_n` at the n-th highest distinct forecast taken as threshold.

    Parameters
    ----------
    forecast, event : (...) arrays
        As for :func:`auroc`.

    Returns
    -------
    float
        From 0 to 1; a forecast that knows nothing has the share of events that happened.  NaN if none
        happened, as VIEWS has it, where scikit-learn gives 0.

    Raises
    ------
    InputError
        As :func:`auroc`.

    Notes
    -----
    No interpolation between points, which would flatter: Davis & Goadrich 2006 (doi:10.1145/1143844.1143874).

    Examples
    --------
    >>> round(average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 6)  # 1/2 x 1/1 + 1/2 x 2/3
    0.833333
    """
    happened, cells = _by_forecast(forecast, event)
    if happened.sum() == 0:
        return float("nan")
    precision = np.cumsum(happened[::-1]) / np.cumsum(cells[::-1])
    return float(happened[::-1] @ precision / happened.sum())


def _by_forecast(forecast: ArrayLike, event: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Events that happened, and cells (K,), of each distinct forecast in rising order."""
    risk, happened = as_observed(as_numbers(forecast, "forecast"), as_events(event, "event"))
    _, place = np.unique(risk, return_inverse=True)
    hits = np.bincount(place, happened).astype(np.float64)
    return hits, np.bincount(place).astype(np.float64)
