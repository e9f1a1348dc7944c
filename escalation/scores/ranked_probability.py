"""Ranked probability score of forecasts given by the probabilities of ordered categories."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError
from escalation.scores.arrays import as_counts, as_given, as_probabilities, as_rows

ROUNDING = 1e-6
"""How far probabilities may be from summing to 1."""


def ranked_probability_score(pmf: ArrayLike, y: ArrayLike) -> FloatArray:
    r"""Ranked probability score of a forecast over ordered categories, or over counts.

    .. math:: \text{RPS} = \sum_{k = 0}^{K - 1} (F_k - 1\{k \ge y\})^2

    with :math:`F_k` the sum of the probabilities up to k.  Over counts it is the CRPS.

    Parameters
    ----------
    pmf : (..., K) array
        Probabilities of the categories 0, 1, …, K - 1 along the last axis.
    y : (...) array
        Observed categories, 0 to K - 1; the shape is broadcast to that of ``pmf`` without the last axis.

    Returns
    -------
    (...) float array
        Scores from 0 to K - 1, smaller is better; NaN where y or any probability is NaN.

    Raises
    ------
    InputError
        If probabilities do not sum to 1, y is no category, or shapes do not belong together.

    Notes
    -----
    Not divided by K - 1, as some do.  Epstein 1969 (doi:10.1175/1520-0450(1969)008<0985:ASSFPF>2.0.CO;2);
    Czado, Gneiting & Held 2009 (doi:10.1111/j.1541-0420.2009.01191.x).  For draws of a count take
    :func:`~escalation.scores.crps`.

    Examples
    --------
    >>> ranked_probability_score([0.5, 0.3, 0.2], 2).round(6)  # 0.5^2 + 0.8^2
    np.float64(0.89)
    """
    rows, seen, shape = as_rows(as_probabilities(pmf, "pmf"), as_counts(y, "y"))
    reached = np.cumsum(rows, axis=1)
    wrong = np.abs(reached[:, -1] - 1) > ROUNDING
    if wrong.any():
        total = reached[wrong, -1][0]
        raise InputError(f"the probabilities of a forecast sum to {total:g}, not to 1; add the categories left out")
    if (seen >= rows.shape[1]).any():
        raise InputError(f"y is {np.nanmax(seen):g}, but the last category is {rows.shape[1] - 1}; give more of them")
    scores = ((reached - (np.arange(rows.shape[1]) >= seen[:, None])) ** 2).sum(axis=1)
    return as_given(np.where(np.isnan(seen), np.nan, scores), shape)
