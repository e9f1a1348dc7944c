"""Likelihood of a log level with a drifting slope, both integrated out, and the posterior of its parameters."""

from __future__ import annotations

import math

import numpy as np

from escalation.conventions.arrays import FloatArray
from escalation.models.levels.level_likelihood import (
    DAMPING,
    DISPERSION,
    FourArrays,
    Series,
    constants,
)
from escalation.models.levels.trend_smoother import smooth

SLOPE_SD = 0
"""The place of what is not in the local level; the other three are where they are there."""

PRIOR_CENTRE = np.array([math.log(0.03), 2.2, math.log(0.1), math.log(0.2)])
"""Centres of the normal priors of log slope_sd, logit damping, log level_sd, log dispersion."""

PRIOR_SD = np.array([1.0, 2.5, 1.0, 1.5])
"""Standard deviations of these priors; 95% intervals: slope_sd 0.004 to 0.21, level_sd 0.014 to 0.7, damping 0.06 to 1.

With 1.5 for the damping, as in the local level, slope_sd would be estimated 7% too low over 1,000 periods.
"""

LOWEST = np.array([math.log(1e-6), -7.0, math.log(1e-5), math.log(1e-9)])
HIGHEST = np.array([math.log(1.0), 7.0, math.log(2.0), math.log(20.0)])
"""The likelihood is taken as flat beyond these."""


def unpack(theta: FloatArray, series: Series) -> tuple[FloatArray, FloatArray]:
    """Natural parameters (P, 4) and log priors (P,), up to a constant, of points (P, d).

    A point holds log slope_sd, logit damping, log level_sd and log dispersion, those of them that are free.
    """
    full = np.empty((len(theta), 4))
    full[:] = PRIOR_CENTRE
    full[:, series.free] = theta
    prior = -0.5 * (((full - PRIOR_CENTRE) / PRIOR_SD) ** 2).sum(axis=1)
    full = np.minimum(np.maximum(full, LOWEST), HIGHEST)
    natural = np.exp(full)
    natural[:, DAMPING] = 1 / (1 + np.exp(-full[:, DAMPING])) if math.isnan(series.damping) else series.damping
    if series.poisson:
        natural[:, DISPERSION] = 0.0
    return natural, prior


def log_posterior(
    theta: FloatArray, series: Series, start: FloatArray, tolerance: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Log posterior of points (P, d), and what it is made of.

    Returns
    -------
    value : (P,) float array
        Likelihood times priors, up to a constant.
    natural : (P, 4) float array
        slope_sd, damping, level_sd and dispersion.
    log_unit : (P,) float array
        Logs of the volume of ``theta``'s unit: 0.
    moments : (P, 6) float array
        Of the last level and slope, see :func:`smooth`.
    levels : (n,) float array
        Where the joint density of the levels is highest, at the first point.
    """
    natural, prior = unpack(theta, series)
    moments, levels, _, _ = smooth(series.counts, series.log_exposure, series.anchor, natural, start, tolerance)
    value = moments[:, 0] + prior + constants(natural[:, DISPERSION], series)
    return value, natural, np.zeros(len(theta)), moments[:, 1:], levels


def smoothed(series: Series, natural: FloatArray, levels: FloatArray, tolerance: float) -> FourArrays:
    """Run :func:`smooth` on a series."""
    four: FourArrays = smooth(series.counts, series.log_exposure, series.anchor, natural, levels, tolerance)
    return four
