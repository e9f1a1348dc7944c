"""Posteriors of two parameters on a grid that finds where they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray

Box = tuple[tuple[float, float], tuple[float, float]]
Height = Callable[[FloatArray, FloatArray], FloatArray]

REACH = 18.0
"""Nodes whose log density is so far below the highest are outside."""
COARSE, FINE = 41, 81
"""Nodes of a grid in each direction, while it is looked for and at last."""
ZOOMS = 4
PRUNED = 1e-7
"""Nodes that together weigh so little are left out."""


class Grid(NamedTuple):
    """Nodes ``x``, ``y`` and their ``weight`` (J,), which sums to 1; log of the integral over the box; the highest."""

    x: FloatArray
    y: FloatArray
    weight: FloatArray
    evidence: float
    highest: float


def integrate(height: Height, box: Box) -> Grid:
    """Weigh the nodes of a smooth log density.

    Parameters
    ----------
    height : callable
        Log density, not normalised, at ``x`` of shape (n, 1) and ``y`` of shape (1, n).
    box : tuple of two tuples
        Ends of ``x`` and of ``y``, beyond which there is next to nothing.
    """
    for zoom in range(ZOOMS + 1):
        number = FINE if zoom == ZOOMS else COARSE
        x, y = (np.linspace(*ends, number) for ends in box)
        heights = height(x[:, None], y[None, :])
        inside = heights > heights.max() - REACH
        if zoom < ZOOMS:
            box = _ends(x, inside.any(axis=1)), _ends(y, inside.any(axis=0))
    weight = np.exp(heights - heights.max())
    evidence = heights.max() + np.log(weight.sum() * (x[1] - x[0]) * (y[1] - y[0]))
    weight /= weight.sum()
    order = np.sort(weight.ravel())
    kept = weight > order[int(np.searchsorted(np.cumsum(order), PRUNED))]
    first, second = np.nonzero(kept)
    return Grid(x[first], y[second], weight[kept] / weight[kept].sum(), float(evidence), float(heights.max()))


def _ends(axis: FloatArray, inside: NDArray[np.bool_]) -> tuple[float, float]:
    """Ends of the part of an axis where the posterior is, a step wider on both sides."""
    where = np.flatnonzero(inside)
    return float(axis[max(where[0] - 1, 0)]), float(axis[min(where[-1] + 1, len(axis) - 1)])
