"""Posterior of the slope of log-linear counts, by quadrature over slope, level and dispersion.

Plain arrays in, distribution functions out; :func:`escalation.analysis.trend.growth` is the way in for users.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from escalation.analysis.trend.rate_posterior import WindowCounts
from escalation.conventions.arrays import FloatArray

LARGEST_CV = 4.0
"""The nodes of dispersion end at its square; the prior leaves 6e-5 beyond."""
COARSE, FINE = 32, 12
"""Nodes of dispersion that find where the posterior is, and that then carry it."""
NO_DISPERSION = 1e-9
"""Stands for 0, for which the formulas have no value."""
STRETCH = 4.2
"""Nodes of slope and level reach sinh(4.2), some 33 standard deviations, closest around the mode."""
LEVELS, SLOPES = 25, 51
"""Nodes of level and slope, at each dispersion and history."""
LEAST = 1e-14
"""A determinant is at least such a share of the product of its diagonal; rounding leaves no less."""
EXTREME = 150.0
"""Logs of rates are kept between -150 and 150."""
STEPS = 60
"""Most steps of Newton's method, which ends sooner."""


@dataclass(frozen=True, eq=False)
class SlopePosterior:
    """Mixture, over histories and dispersions, of distributions of the slope.

    Attributes
    ----------
    weight : (k,) float array
        Share of each part.
    centre, scale : (k,) float array
        Nodes of a part are ``centre + scale * sinh(u)``.
    below, density : (k, nodes) float array
        Its distribution function, and density in ``u``, at even ``u`` from ``-STRETCH`` to ``STRETCH``.
    dispersion : float
        Posterior median of alpha in ``Var = mu + alpha mu^2``.
    """

    weight: FloatArray
    centre: FloatArray
    scale: FloatArray
    below: FloatArray
    density: FloatArray
    dispersion: float

    def cdf(self, slope: float) -> float:
        """Probability that the slope is below a value."""
        nodes = self.below.shape[1]
        step = 2 * STRETCH / (nodes - 1)
        place = (np.clip(np.arcsinh((slope - self.centre) / self.scale), -STRETCH, STRETCH) + STRETCH) / step
        left = np.minimum(place.astype(int), nodes - 2)
        part, x = np.arange(len(left)), place - left
        low, high = self.below[part, left], self.below[part, left + 1]
        rise, fall = step * self.density[part, left], step * self.density[part, left + 1]
        # cubic between two nodes with their densities as slopes
        value = low + x * (rise + x * (3 * (high - low) - 2 * rise - fall + x * (2 * (low - high) + rise + fall)))
        return float(self.weight @ value)

    def quantile(self, q: float) -> float:
        """Slope with probability ``q`` below it."""
        reach = self.scale * np.sinh(STRETCH)
        low, high = float((self.centre - reach).min()), float((self.centre + reach).max())
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if self.cdf(middle) < q else (low, middle)
        return (low + high) / 2


class _Mode(NamedTuple):
    """Per history: level and slope at the mode, and the inverse of the information there."""

    level: FloatArray
    slope: FloatArray
    level_sd: FloatArray
    slope_sd: FloatArray
    log_peak: FloatArray


def log_linear(window: WindowCounts, times: FloatArray, family: str) -> SlopePosterior:
    """Posterior of the slope, averaged over the histories.

    Parameters
    ----------
    window : WindowCounts
        n observed periods, of which at least one holds an incident in some history.
    times : (n,) float array
        When they were.
    family : str
        ``negbin`` or ``poisson``.
    """
    counts, exposure = window.counts, window.exposure
    # where slope and level hardly move together, so that their nodes can be even
    mean = counts.mean(axis=1) + counts.mean() / len(counts)
    times = times - float(mean @ times / mean.sum())
    pooled = float((counts.mean(axis=1).sum() + 0.5) / exposure.sum())
    if family == "poisson":
        nodes, prior = np.array([NO_DISPERSION]), np.zeros(1)
    else:
        nodes, prior = _dispersions(counts, exposure, times, pooled)
    parts = [_at_dispersion(counts, exposure, times, alpha / exposure, pooled) for alpha in nodes]
    log_weight = np.stack([part[0] for part in parts]) + prior[:, None]  # (dispersions, histories)
    weight = np.exp(log_weight - log_weight.max(axis=0))
    weight /= weight.sum(axis=0) * counts.shape[1]
    share = weight.sum(axis=1)
    return SlopePosterior(
        weight=weight.ravel(),
        centre=np.concatenate([part[1] for part in parts]),
        scale=np.concatenate([part[2] for part in parts]),
        below=np.concatenate([part[3] for part in parts]),
        density=np.concatenate([part[4] for part in parts]),
        dispersion=0.0 if family == "poisson" else float(np.interp(0.5, np.cumsum(share) - share / 2, nodes)),
    )


def _dispersions(
    counts: FloatArray, exposure: FloatArray, times: FloatArray, pooled: float
) -> tuple[FloatArray, FloatArray]:
    """Nodes of alpha that any history supports, and the log of their prior weight.

    They are even in asinh(sqrt(alpha) / smallest), fine where dispersion hardly shows and geometric above;
    sqrt(alpha) is half-normal with scale 1.
    """
    smallest = 0.1 / np.sqrt(pooled * float(exposure.max()) + float(counts.max()) + 1.0)
    top = float(np.arcsinh(LARGEST_CV / smallest))

    def nodes(low: float, high: float, number: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        t = low + (high - low) * (np.arange(number) + 0.5) / number
        cv = smallest * np.sinh(t)
        return t, cv**2, np.log(np.cosh(t)) - cv**2 / 2

    t, alphas, prior = nodes(0.0, top, COARSE)
    rough = np.stack([_rough_evidence(counts, exposure, times, alpha / exposure, pooled) for alpha in alphas])
    rough += prior[:, None]
    weight = np.exp(rough - rough.max(axis=0))
    used = np.flatnonzero((weight / weight.sum(axis=0)).max(axis=1) > 1e-4)
    width = top / COARSE
    _, alphas, prior = nodes(max(t[used[0]] - width, 0.0), min(t[used[-1]] + width, top), FINE)
    return alphas, prior


def _rough_evidence(
    counts: FloatArray, exposure: FloatArray, times: FloatArray, alpha: FloatArray, pooled: float
) -> FloatArray:
    """Log marginal likelihood (histories,) of one dispersion by Laplace's approximation."""
    mode = _mode(counts, exposure, times, alpha)
    return _constant(counts, exposure, times, alpha, pooled) + mode.log_peak + np.log(mode.level_sd * mode.slope_sd)


def _constant(
    counts: FloatArray, exposure: FloatArray, times: FloatArray, alpha: FloatArray, pooled: float
) -> FloatArray:
    """What the log posterior of each history has of its dispersion alone, (histories,)."""
    size = 1 / alpha[:, None]
    own = (gammaln(counts + size) - gammaln(size) - counts * np.log(size)).sum(axis=0)
    information = _log_information(exposure * pooled, times, alpha)
    constant: FloatArray = own - 0.5 * float(information)
    return constant


def _log_information(mean: FloatArray, times: FloatArray, alpha: FloatArray) -> FloatArray:
    """Log determinant of the Fisher information of level and slope; means (..., n)."""
    weight = mean / (1 + alpha * mean)
    s0, s1, s2 = weight.sum(axis=-1), weight @ times, weight @ times**2
    log_determinant: FloatArray = np.log(np.maximum(s0 * s2 - s1**2, LEAST * s0 * s2) + 1e-300)
    return log_determinant


def _log_likelihood(
    counts: FloatArray, mean: FloatArray, times: FloatArray, alpha: FloatArray, level: FloatArray, slope: FloatArray
) -> FloatArray:
    """Log-likelihood of each history at its own points (h, m), up to a constant; means (h, m, n)."""
    linear = counts.sum(axis=0)[:, None] * level + (times @ counts)[:, None] * slope
    # log of 1 + x: where x is small 1 / alpha is not large enough to matter
    log_likelihood: FloatArray = (
        linear - (np.log(1 + alpha * mean) @ (counts + 1 / alpha[:, None]).T[:, :, None])[:, :, 0]
    )
    return log_likelihood


def _mode(counts: FloatArray, exposure: FloatArray, times: FloatArray, alpha: FloatArray) -> _Mode:
    """Mode of each history by Newton's method, with one more incident spread over the periods.

    That incident is what the prior of Jeffreys comes to, and keeps the mode finite.
    """
    more = counts + 1 / len(counts)
    level, slope = np.log(more.sum(axis=0) / exposure.sum()), np.zeros(counts.shape[1])
    largest = 2.0 / max(float(np.abs(times).max()), 1.0)
    for _ in range(STEPS):
        mean = exposure * np.exp(level[:, None] + slope[:, None] * times)
        score = (more.T - mean) / (1 + alpha * mean)
        curve = mean * (1 + alpha * more.T) / (1 + alpha * mean) ** 2
        s0, s1, s2 = curve.sum(axis=1), curve @ times, curve @ times**2
        g0, g1 = score.sum(axis=1), score @ times
        determinant = np.maximum(s0 * s2 - s1**2, LEAST * s0 * s2)
        up, steeper = (s2 * g0 - s1 * g1) / determinant, (s0 * g1 - s1 * g0) / determinant
        shrink = np.minimum(1.0, np.minimum(1.0 / np.maximum(np.abs(up), 1e-12), largest / (np.abs(steeper) + 1e-12)))
        level, slope = level + shrink * up, slope + shrink * steeper
        if max(np.abs(up).max(), np.abs(steeper).max() / largest) < 1e-6:
            break
    mean = exposure * np.exp(level[:, None] + slope[:, None] * times)
    log_likelihood = _log_likelihood(counts, mean[:, None, :], times, alpha, level[:, None], slope[:, None])[:, 0]
    weight = mean / (1 + alpha * mean)
    s0, s1, s2 = weight.sum(axis=1), weight @ times, weight @ times**2
    slope_sd = np.sqrt(s0 / np.maximum(s0 * s2 - s1**2, LEAST * s0 * s2))
    peak = log_likelihood + 0.5 * _log_information(mean, times, alpha)
    return _Mode(level, slope, np.sqrt(1 / s0), slope_sd, peak)


def _at_dispersion(
    counts: FloatArray, exposure: FloatArray, times: FloatArray, alpha: FloatArray, pooled: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Given one dispersion: log evidence, centre, scale (h,), distribution function and density of the slope (h, m)."""
    mode = _mode(counts, exposure, times, alpha)
    u, v = np.linspace(-STRETCH, STRETCH, SLOPES), np.linspace(-STRETCH, STRETCH, LEVELS)
    slope = mode.slope[:, None] + mode.slope_sd[:, None] * np.sinh(u)
    level = mode.level[:, None] + mode.level_sd[:, None] * np.sinh(v)
    levels, slopes = (one.reshape(len(level), -1) for one in np.broadcast_arrays(level[:, None, :], slope[:, :, None]))
    rise = np.exp(np.clip(slope[:, :, None] * times, -EXTREME, EXTREME))
    mean = (exposure * rise)[:, :, None, :] * np.exp(np.clip(level, -EXTREME, EXTREME))[:, None, :, None]
    mean = mean.reshape(*levels.shape, -1)
    log_density = _log_likelihood(counts, mean, times, alpha, levels, slopes)
    log_density = (log_density + 0.5 * _log_information(mean, times, alpha)).reshape(len(levels), SLOPES, LEVELS)
    log_density += np.log(np.cosh(v))
    top = log_density.max(axis=(1, 2))
    joint = np.exp(log_density - top[:, None, None]).sum(axis=2) * np.cosh(u)
    below = np.cumsum((joint[:, 1:] + joint[:, :-1]) / 2, axis=1)
    total, step = below[:, -1], u[1] - u[0]
    area = np.log(total * step * (v[1] - v[0]) * mode.level_sd * mode.slope_sd)
    evidence = _constant(counts, exposure, times, alpha, pooled) + top + area
    cdf = np.concatenate([np.zeros((len(total), 1)), below], axis=1) / total[:, None]
    return evidence, mode.slope, mode.slope_sd, cdf, joint / total[:, None] / step
