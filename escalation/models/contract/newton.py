"""Newton's method for smooth functions of a few parameters, and the inverse of an information matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from escalation.conventions.arrays import FloatArray

LEAST_SHARE = 1e-9
"""Eigenvalues of an information matrix with a diagonal of ones are not taken for smaller."""

LEAST_CURVATURE = 1e-30
"""Nor is an entry of that diagonal; there a standard error is 1e15 times the parameter's unit."""

LEAST_INFORMATION = 1e-2
"""On parameters in units of their size: no standard error is above 10 of them, however flat the function."""

ROUNDING = 1e-11
"""Gains below this share of the function's value cannot be seen in it."""

SAME = 1e-6
"""Peaks that differ by less are as high as each other."""


class Height(NamedTuple):
    """A function of d parameters at one point, its score (d,) and its Hessian (d, d)."""

    value: float
    score: FloatArray
    hessian: FloatArray


class Peak(NamedTuple):
    """Where Newton's method ended: the point (d,), what the function is there, and whether it converged."""

    point: FloatArray
    height: Height
    converged: bool


def climb(
    function: Callable[[FloatArray], Height],
    start: FloatArray,
    *,
    lower: FloatArray | float = -np.inf,
    upper: FloatArray | float = np.inf,
    free: NDArray[np.bool_] | None = None,
    largest_move: float = 2.0,
    shrink: float = 4.0,
    least_gain: float = 1e-11,
    most_steps: int = 200,
) -> Peak:
    """Maximise a function by Newton steps between bounds, shortened until they climb.

    Parameters
    ----------
    function : callable
        Of a point (d,); where its value is NaN or minus infinity no step ends.
    start : (d,) float array
        The first point, moved between the bounds.
    lower, upper : (d,) float array or float
        Bounds of the parameters.
    free : (d,) bool array, optional
        Which parameters may move; all where it is left out.
    largest_move : float
        No parameter moves by more than this in a step.
    shrink : float
        A step that does not climb is divided by this.
    least_gain : float
        The search has converged where the next step would gain no more than this.
    most_steps : int
        Steps after which it ends all the same.

    Notes
    -----
    Around a point with score g and Hessian H a step s gains ``g's + s'Hs / 2``, which is largest, ``g's / 2``, for
    ``s = (-H)^-1 g``.  That is a maximum only where all eigenvalues c of -H are above 0, with axes u; so
    ``s = sum of u u'g / |c|`` is taken, which is the same there and goes uphill everywhere, since
    ``g's = sum of (u'g)^2 / |c|``.  Eigenvalues are taken in units that make the diagonal of H +-1: so they distinguish
    what is next to 0 (and is then taken as 1e-9) from what is only measured in large units.

    At a bound a parameter is held while the score points out, which is the condition of Karush, Kuhn and Tucker; the
    others step among themselves, and the step is cut at their bounds.  If it is short enough it climbs: a parameter
    whose part is cut at its bound had a score that points in, so that what is cut would have led downhill
    (Bertsekas 1982, doi:10.1137/0320018).
    """
    lower, upper = np.broadcast_to(lower, start.shape), np.broadcast_to(upper, start.shape)
    point = np.minimum(np.maximum(start, lower), upper)
    with np.errstate(all="ignore"):
        here = function(point)
        for _ in range(most_steps):
            held = ((point <= lower) & (here.score <= 0)) | ((point >= upper) & (here.score >= 0))
            moving = np.flatnonzero(~held if free is None else free & ~held)
            score = here.score[moving]
            step = _uphill(score, here.hessian[moving[:, None], moving])
            gain = float(score @ step) / 2
            if gain < least_gain:
                return Peak(point, here, True)
            step *= min(1.0, largest_move / float(np.abs(step).max()))
            seen = ROUNDING * max(abs(here.value), 1.0)
            while True:
                reached = point.copy()
                reached[moving] += step
                reached = np.minimum(np.maximum(reached, lower), upper)
                there = function(reached)
                if there.value >= here.value:
                    break
                step = step / shrink
                if not float(score @ step) >= seen:  # what is left is rounding
                    return Peak(point, here, gain < 1e5 * seen)
            point, here = reached, there
    return Peak(point, here, False)


def _uphill(score: FloatArray, hessian: FloatArray) -> FloatArray:
    """Newton's step (d,), by the absolute curvature where the function bends upwards."""
    unit, curvature, axes = _spectrum(-hessian)
    step: FloatArray = unit * (axes @ ((axes.T @ (unit * score)) / np.maximum(np.abs(curvature), LEAST_SHARE)))
    return step


def highest(peaks: Sequence[Peak]) -> Peak:
    """The highest of several peaks; the first as high that converged, if one did, so that rounding decides nothing."""
    heights = [-np.inf if np.isnan(peak.height.value) else peak.height.value for peak in peaks]
    least = max(heights) - SAME
    equal = [peak for peak, height in zip(peaks, heights, strict=True) if peak.converged and height > least]
    return equal[0] if equal else peaks[int(np.argmax(heights))]


def raised(curvature: FloatArray, least: float) -> FloatArray:
    """The same matrix (d, d) with eigenvalues of ``least`` and more."""
    values, axes = np.linalg.eigh(curvature)
    value: FloatArray = (axes * np.maximum(values, least)) @ axes.T
    return value


def scaled_inverse(information: FloatArray, scale: FloatArray) -> FloatArray:
    """Inverse (d, d) of an information matrix, with no standard error above ten times the scale (d,)."""
    units = np.outer(scale, scale)
    values, axes = np.linalg.eigh(information * units)
    value: FloatArray = (axes / np.maximum(values, LEAST_INFORMATION)) @ axes.T * units
    return value


def inverse(information: FloatArray) -> FloatArray:
    """Inverse (d, d) of an information matrix; what it does not know gets a large variance and not NaN."""
    unit, curvature, axes = _spectrum(information)
    root = unit[:, None] * axes / np.sqrt(np.maximum(curvature, LEAST_SHARE))
    value: FloatArray = root @ root.T
    return value


def _spectrum(information: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Units (d,) that make the diagonal +-1, and eigenvalues (d,) and axes (d, d) in them.

    In units of its own a parameter that is hardly known is not lost in the rounding of the others.
    """
    unit = 1 / np.sqrt(np.maximum(np.abs(np.diag(information)), LEAST_CURVATURE))
    curvature, axes = np.linalg.eigh(information * np.outer(unit, unit))
    return unit, curvature, axes
