"""Energy score of joint draws of several numbers, such as the counts of coming periods or of several units."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from escalation.conventions.arrays import FloatArray
from escalation.errors import InputError
from escalation.scores.arrays import as_given, as_rows, is_fair

BLOCK = 2**18
"""Distances held at a time, so that memory does not grow with the square of the number of draws."""


def energy_score(draws: ArrayLike, y: ArrayLike, *, estimator: str = "ensemble", scale: str = "linear") -> FloatArray:
    r"""Energy score of joint draws: the CRPS of vectors, which also sees how their components go together.

    .. math:: \text{ES} = \frac{1}{S} \sum_s \lVert x_s - y \rVert
       - \frac{1}{2 S^2} \sum_s \sum_t \lVert x_s - x_t \rVert

    with Euclidean distances.  That is the ``ensemble`` estimator, which ``es_sample`` of R's scoringRules uses.
    ``fair`` divides the second sum by :math:`S (S - 1)` instead, and so estimates the score that the distribution
    behind the draws would have with infinitely many of them.  Of vectors of one component it is :func:`crps`.

    Parameters
    ----------
    draws : (..., d, S) array
        Joint draws of each forecast along the last axis, S >= 1 (``fair``: >= 2), and their d components along the one
        before it.  The order of the draws must be the same in all components.
    y : (..., d) array
        What was observed; its shape is broadcast to that of ``draws`` without the last axis.
    estimator : {"ensemble", "fair"}
        See above.
    scale : {"linear", "log1p"}
        As in :func:`crps`; with ``linear`` the components with the largest counts carry the score.

    Returns
    -------
    (...) float array
        Scores >= 0 in the unit of y (``fair`` may be below 0); smaller is better.  NaN where any component of y or
        of any draw is NaN.

    Raises
    ------
    InputError
        If shapes do not belong together, a value is infinite, or an option is unknown.

    Notes
    -----
    Gneiting & Raftery 2007 (doi:10.1198/016214506000001437), section 4.3 with exponent 1; fair: Ferro 2014
    (doi:10.1002/qj.2270).  The time grows with the square of S.

    Examples
    --------
    Draws (0, 0) and (3, 4) of two counts, and an observed (0, 0): mean distance 5/2, half the mean difference 5/4.

    >>> float(energy_score([[0, 3], [0, 4]], [0, 0]))
    1.25
    >>> float(energy_score([[0, 3], [0, 4]], [0, 0], estimator="fair"))
    0.0
    """
    rows, observed, shape = as_rows(draws, y, scale)
    if not shape or shape[-1] == 0:
        raise InputError(
            f"draws has the shape {(*shape, rows.shape[1])}; the components of a forecast go along the axis before "
            "the last"
        )
    size = rows.shape[1]
    pairs = size * (size - 1) if is_fair(estimator, size, "energy score") else size**2
    vectors = rows.reshape(-1, shape[-1], size).transpose(0, 2, 1)
    found = [_energy(x, seen, pairs) for x, seen in zip(vectors, observed.reshape(-1, shape[-1]), strict=True)]
    return as_given(np.array(found, dtype=np.float64), shape[:-1])


def _energy(x: FloatArray, y: FloatArray, pairs: int) -> float:
    """Energy score of draws (S, d); the double sum of distances between them is divided by ``pairs``."""
    # imported here, as it is slow to load
    from scipy.spatial.distance import cdist, pdist

    if np.isnan(x).any() or np.isnan(y).any():
        return np.nan
    step, between = max(BLOCK // len(x), 1), 0.0
    for start in range(0, len(x), step):
        block = x[start : start + step]
        between += float(pdist(block).sum() + cdist(block, x[start + step :]).sum())
    return float(cdist(x, y[None]).mean()) - between / pairs
