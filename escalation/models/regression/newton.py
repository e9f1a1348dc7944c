"""Newton's method for smooth log-likelihoods on plain arrays, and the inverse of an information matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from escalation.models.contract.design import FloatArray

LARGEST_MOVE = 2.0
"""No parameter moves by more than this in a step."""
LEAST_GAIN = 1e-11
"""Where the next step would gain no more than this, the maximum is reached."""
LEAST_SHARE = 1e-9
"""Eigenvalues of an information matrix with a diagonal of ones are not taken for smaller."""

LEAST_CURVATURE = 1e-30
"""Nor is an entry of that diagonal; there a standard error is 1e15 times the parameter's unit."""


class Height(NamedTuple):
    """A function of d parameters at one point, its score (d,) and its Hessian (d, d)."""

    value: float
    score: FloatArray
    hessian: FloatArray


class Peak(NamedTuple):
    """Where Newton's method ended: the point (d,), what the function is there, and whether it settled."""

    point: FloatArray
    height: Height
    settled: bool


def climb(function: Callable[[FloatArray], Height], start: FloatArray, most_steps: int = 200) -> Peak:
    """Maximise a function by Newton steps from ``start`` (d,), halved until they climb.

    Directions in which the function bends upwards are followed uphill by the absolute curvature.
    """
    point = start
    with np.errstate(all="ignore"):
        here = function(point)
        for _ in range(most_steps):
            unit, curvature, axes = _spectrum(-here.hessian)
            step = unit * (axes @ ((axes.T @ (unit * here.score)) / np.maximum(np.abs(curvature), LEAST_SHARE)))
            gain = float(here.score @ step) / 2
            if gain < LEAST_GAIN:
                return Peak(point, here, True)
            step *= min(1.0, LARGEST_MOVE / float(np.abs(step).max()))
            there = function(point + step)
            while not there.value >= here.value:
                step = step / 4
                if not float(here.score @ step) >= LEAST_GAIN * max(abs(here.value), 1.0):  # what is left is rounding
                    return Peak(point, here, gain < 1e-6 * max(abs(here.value), 1.0))
                there = function(point + step)
            point, here = point + step, there
    return Peak(point, here, False)


def inverse(information: FloatArray) -> FloatArray:
    """Inverse (d, d) of an information matrix; what it does not know gets a large variance and not NaN."""
    unit, curvature, axes = _spectrum(information)
    root = unit[:, None] * axes / np.sqrt(np.maximum(curvature, LEAST_SHARE))
    value: FloatArray = root @ root.T
    return value


def _spectrum(information: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Units (d,) that make the diagonal +-1, and eigenvalues (d,) and axes (d, d) in them.

    In units of its own a parameter that is hardly known does not drown in the rounding of the others.
    """
    unit = 1 / np.sqrt(np.maximum(np.abs(np.diag(information)), LEAST_CURVATURE))
    curvature, axes = np.linalg.eigh(information * np.outer(unit, unit))
    return unit, curvature, axes
